"""The list of all hostile inputs that have a name; the tests, the long run and the benchmark of memory share it."""

from __future__ import annotations

from . import given_answers, given_archives, given_folders, given_stores, given_texts
from .oracles import Attack

INPUTS: tuple[Attack, ...] = (
    *given_archives.ATTACKS,
    *given_texts.ATTACKS,
    *given_answers.ATTACKS,
    *given_stores.ATTACKS,
    *given_folders.ATTACKS,
)
BY_NAME = {attack.name: attack for attack in INPUTS}

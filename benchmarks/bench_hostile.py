"""The memory of every process of ours with every hostile input that has a name, beside what one may hold at most.

The inputs are those of the tests; each is met by the installed program in a place of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.hostile.inputs import INPUTS
from tests.hostile.oracles import MOST_BYTES, Attack, try_attack
from tests.hostile.places import Bench

from .conftest import LEDGER
from .harness import SHORT, Race

_KINDS = ("bombs", "entities", "deep", "long lines", "backups", "special files")
_SHOWN = 12  # how many are printed, the hungriest first


def test_memory(race: Race, room: Path, request: pytest.FixtureRequest) -> None:
    """No process of ours, parent or child, holds more than the limit with any of them; in the short form neither."""
    peaks: dict[str, int] = {}

    def try_all(folder: Path, attacks: Iterator[Attack]) -> None:
        folder.mkdir()
        with closing(Bench(folder)) as bench:
            for attack in attacks:
                peaks[attack.name] = try_attack(bench, attack, with_aftermath=False).peak

    def measure() -> tuple[int, int]:
        # what a process holds does not depend on what others do beside it; some wait, so there is one more than cores,
        # and each takes the next one
        left, hands = iter(chosen()), (os.cpu_count() or 1) + 1
        with ThreadPoolExecutor(hands) as pool:
            list(pool.map(try_all, [room / str(hand) for hand in range(hands)], [left] * hands))
        return max(peaks.values()), MOST_BYTES

    try:
        race.weigh("hostile.memory", measure)
    finally:
        shown = sorted(peaks.items(), key=lambda found: -found[1])[:_SHOWN]
        contrasts = request.config.stash[LEDGER].contrasts
        contrasts += [(f"peak with {name} (at most {MOST_BYTES / 1e6:.0f} MB)", peak, "B") for name, peak in shown]
    assert {name: peak for name, peak in peaks.items() if not 0 < peak <= MOST_BYTES} == {}


def chosen() -> list[Attack]:
    """Return the inputs that are about size, and the documents that are huge or deep; in the short form some."""
    about = [attack for attack in INPUTS if attack.kind in _KINDS or attack.name.endswith(("-huge", "-deep"))]
    return about[::12] if SHORT else about

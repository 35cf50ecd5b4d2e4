"""A short run of the attackers' bench: every kind, the same inputs each time. The long run is `make hostile`."""

from __future__ import annotations

import pytest

from tests.hostile import fuzz
from tests.hostile.inputs import BY_NAME, INPUTS
from tests.hostile.oracles import try_attack
from tests.hostile.places import Bench

SMALL = (
    *("mtime-nan", "zip-up", "laughs-8", "answer-redirect-data", "s-o-1-manifest.json-deep", "generation.json-pipe"),
    *("link-s-o-1-data", "row-fs-up", "plan-entry-up", "intent-committed-stage-link", "stage-record-new"),
    *("backup-deep-files", "file-pull", "folder-modules-program"),
)


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_what_is_drawn_holds(bench: Bench, kind: str) -> None:
    """The first drawn input of each kind holds."""
    attacks = list(fuzz.batch(kind, 0, 1))
    verdicts = [try_attack(bench, attack, with_aftermath=not attack.planted) for attack in attacks]
    assert verdicts
    assert [verdict.faults for verdict in verdicts if verdict.faults] == []


@pytest.mark.parametrize("name", SMALL)
def test_what_has_a_name_holds(bench: Bench, name: str) -> None:
    """One input of each kind that has names holds."""
    assert try_attack(bench, BY_NAME[name], most=4, with_aftermath=False).faults == ()


def test_a_seed_says_what_is_drawn() -> None:
    """The command that repeats a failure draws the same input again."""
    for kind in fuzz.KINDS:
        once, again, other = ([repr(attack) for attack in fuzz.batch(kind, seed, 3)] for seed in (5, 5, 6))
        assert once == again
        assert len(other) == len(once)


def test_every_kind_has_an_input_with_a_name() -> None:
    """Each row of the table of named inputs has one in the short run, but for those that are large."""
    assert len(BY_NAME) == len(INPUTS)
    short = {BY_NAME[name].kind for name in SMALL}
    assert {attack.kind for attack in INPUTS} - short == {"bombs", "deep", "long lines", "slow servers"}

"""Every oracle of the bench can fail: a program with that one fault is caught, and one without is not."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.hostile.oracles import Attack, try_attack
from tests.hostile.places import Bench, Place

FAULTS = {
    "well": set(),
    "shows": {"read outside"},
    "keeps": {"read outside"},
    "writes": {"outside"},
    "touches": {"outside"},
    "links": {"outside", "read outside"},
    "eats": {"memory"},
    "child_eats": {"memory"},
    "raises": {"exit code", "sentence"},
    "should_not_happen": {"sentence"},
    "silent": {"sentence"},
    "odd_code": {"exit code"},
    "killed": {"exit code"},
    "hangs": {"ends"},
    "loses": {"doctor"},
    "locks_out": {"next pull"},
}
LATE = ("well", "loses", "locks_out")  # seen only by what comes afterwards


def _nothing(place: Place, stack: ExitStack) -> list[tuple[str, ...]]:
    del place, stack
    return [("words",)]


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_seen(bench: Bench, name: str) -> None:
    """The oracles name exactly the fault that was planted."""
    seconds = 1.0 if name == "hangs" else 60.0
    attack = Attack(name, "planted", _nothing, seconds=seconds, target=f"tests.hostile.planted:{name}")
    verdict = try_attack(bench, attack, with_aftermath=name in LATE)
    assert {fault.oracle for fault in verdict.faults} == FAULTS[name]

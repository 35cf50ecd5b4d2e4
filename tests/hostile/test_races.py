"""Folders and files that turn into links to the outside and back while a command is at work."""

from __future__ import annotations

import pytest

from tests.hostile import races
from tests.hostile.places import Bench

COMMANDS = (races.COMMANDS[0], races.COMMANDS[6])


def test_nothing_outside_is_touched_beside_swaps(bench: Bench) -> None:
    """Some hundred swaps beside a pull and a backup with data: nothing outside is read or written."""
    told = list(races.run(bench, 200, 60, commands=COMMANDS))
    assert [fault for one in told for fault in one.faults] == []
    assert sum(one.swaps for one in told) >= 200


@pytest.mark.parametrize(("name", "oracle"), [("reads_paths", "read outside"), ("writes_paths", "outside")])
def test_a_program_that_trusts_paths_is_caught(bench: Bench, name: str, oracle: str) -> None:
    """A program that opens by path reads, or writes, outside, and the race sees it."""
    target = f"tests.hostile.planted:{name}"
    told = list(races.run(bench, 300, 30, commands=(("words",),), target=target, until=oracle))
    assert oracle in {fault.partition(":")[0] for one in told for fault in one.faults}

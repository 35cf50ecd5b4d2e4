"""Machines meet: one sweeps what another pulls, one restores what another purges, two pull one release at once.

A few rounds; `python -m tests.shared.meetings` has as many as one likes. Here are also meetings that are no matter of
luck: two machines stand still where they would do each other the most harm.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random

import pytest

from .meetings import KINDS, age
from .postgres import Postgres
from .three import Lab, lab_of


@pytest.fixture(scope="module")
def lab(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Give three machines that the tests of this file go on with."""
    with postgres_server.database() as name, lab_of(tmp_path_factory.mktemp("met"), postgres_server, name) as found:
        yield found


@pytest.mark.parametrize("kind", KINDS)
def test_machines_do_at_once_what_gets_in_each_others_way(lab: Lab, kind: str) -> None:
    """Each ends with what it says, nothing that is named is lost, and all machines have the same."""
    KINDS[kind](lab, Random(kind))


def test_a_sweep_waits_for_nothing_that_is_not_named_yet(lab: Lab) -> None:
    """What a machine has put and not yet named is left alone, however long others sweep, until it is a day old."""
    lab.numbers += 1
    number = lab.numbers
    # it holds nothing yet, and has put what it is about to publish
    stopped = lab.workers["b"].run(*lab.pulling(number), "-q", happens="stop", only="hold")
    assert stopped.code is None, stopped.err
    age(lab, 600)
    for name in ("a", "c"):
        lab.run(name, "db", "sweep", "--grace", "1s")
    ended = lab.workers["b"].go_on()
    assert ended.code == 0, ended.err
    lab.check("a", "b", "c")


def test_who_sweeps_while_the_same_bytes_are_put_frees_others(lab: Lab) -> None:
    """A sweep that has looked is overtaken by a pull of the very bytes that it is about to free: they are put anew."""
    lab.numbers += 1
    number = lab.numbers
    lab.pull("a", number)
    lab.run("a", "rm", f"s/o/{number}", "--yes")
    plan = max(place.name for place in (lab.workers["a"].root / ".catalog/quarantine").iterdir())
    lab.run("a", "db", "prune", "--purge", plan)
    lab.run("a", "db", "sweep", "--grace", "1d")
    age(lab)
    sweeping = lab.workers["a"].run("db", "sweep", "--grace", "1d", happens="stop", only="delete")
    assert sweeping.code is None, sweeping.err
    # it keeps nobody waiting: what it frees it has written down
    ended = lab.workers["b"].run(*lab.pulling(number), "-q")
    assert ended.code == 0, ended.err
    ended = lab.workers["a"].go_on()
    assert ended.code == 0, ended.err
    lab.check("a", "b", "c")


def test_who_is_overtaken_with_other_bytes_is_told_of_the_other_pull(lab: Lab) -> None:
    """A machine stands still between its download and its files; another one records other bytes of the release."""
    lab.numbers += 1
    number = lab.numbers
    # its artifact is put and recorded, and what came out of it is about to be put
    told = lab.folder / "others-are-done"
    lab.workers["a"].begin(*lab.pulling(number), "-q", happens=f"until {told}", only="put", at=3)
    end = time.monotonic() + 60
    while not lab.ask("SELECT 1 FROM ontofetch.boundaries WHERE version_id = %s", f"s/o/{number}"):
        assert time.monotonic() < end, "its download is not recorded"
    ended = lab.workers["b"].run(*lab.pulling(number, "other"), "-q")
    told.touch()
    assert ended.code == 0, ended.err
    ended = lab.workers["a"].end()
    assert ended.code == 1, ended.err
    assert "Another pull of s/o/" in ended.err
    assert "--replace" in ended.err
    assert "incomplete" not in ended.err
    lab.check("a", "b", "c")
    again = lab.workers["a"].run(*lab.pulling(number), "-q")
    assert (again.code, "--replace" in again.err) == (1, True), again.err
    same = lab.workers["a"].run(*lab.pulling(number, "other"), "--json")
    assert (same.code, '"unchanged"' in same.out) == (0, True), same.err
    lab.run("a", *lab.pulling(number), "--replace")
    lab.check("a", "b", "c")

"""A sample of the loop holds, and the loop notices planted faults; `make crash` and `make crash-mutants` run all."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing.pool import Pool

import pytest

from tests.crash import counts, loop
from tests.crash.__main__ import main
from tests.crash.invariants import INVARIANTS
from tests.crash.mutants import MUTANTS, catch, find_mutant, stumbled
from tests.crash.states import MODES, State
from tests.crash.variants import VARIANTS


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Start two workers for all tests here."""
    with loop.workers(2) as found:
        yield found


def test_a_sample_of_all_states_holds(pool: Pool) -> None:
    """Some states of every variant leave nothing broken, and no variant has lost a call."""
    report = loop.run(pool, list(VARIANTS), sample=1, seed=20260101)
    assert [(state.command(), invariant, seen) for state, invariant, seen in report.broken] == []
    assert counts.missing_calls(report.calls) == []
    assert counts.read_table().keys() == report.calls.keys() == VARIANTS.keys()
    assert len(report.states) > len(VARIANTS)
    assert {state.mode.partition("-")[0] for state in report.states} == {mode.partition("-")[0] for mode in MODES}


@pytest.mark.parametrize("name", [mutant.name for mutant in MUTANTS])
def test_a_planted_fault_is_caught(pool: Pool, name: str) -> None:
    """A fault in the protocol breaks an invariant at one of the first states that are tried."""
    mutant = find_mutant(name)
    calls = dict(pool.imap(loop.calls_of, mutant.variants))
    found = catch(pool, mutant, calls)
    assert found is not None
    assert found[1] in INVARIANTS


def test_a_fault_that_no_longer_fits_is_not_caught() -> None:
    """A mutant that takes the place of a function with other parameters fails by itself, and that is no catch."""
    assert stumbled([("sentence", "recovery: TypeError: forgiving() takes 2 positional arguments but 3 were given")])
    assert not stumbled([("sentence", "operation: PermissionError: [Errno 13] Permission denied"), ("no-trace", "")])


def test_enough_faults_are_planted() -> None:
    """There are at least fifteen mutants, each with a name of its own."""
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 15


def test_a_lost_call_is_noticed() -> None:
    """A variant with fewer calls than its row, or without a row, is told of."""
    table = counts.read_table()
    name = min(table)
    assert counts.missing_calls(table) == []
    assert "makes" in counts.missing_calls({name: table[name] - 1})[0]
    assert "no row" in counts.missing_calls({"download/unheard-of": 1})[0]


@pytest.mark.parametrize(
    "state",
    [State("latest/moved", "fail", 3, error="EIO"), State("latest/moved", "kill-power", 30, then=5, seed=4)],
    ids=lambda state: state.mode,
)
def test_a_command_reproduces_its_state(capfd: pytest.CaptureFixture[str], state: State) -> None:
    """The command that a failure prints runs that one state, with one disturbance or with two."""
    assert main([*state.command().removeprefix("python -m tests.crash ").split(), "--processes", "1"]) == 0
    assert "1 distinct states of 1 variants" in capfd.readouterr().out

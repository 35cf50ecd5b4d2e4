"""The trial of one state: the operation disturbed, what a reader sees, recovery, the same command again.

It knows which act belongs to which mode; what must hold is the judge's affair.
"""

from __future__ import annotations

import signal

from .children import Ended
from .invariants import Findings, Judge
from .scenarios import Facts
from .seam import Die, Failure, Outage
from .states import ERRORS, State, is_as_before
from .variant import Variant
from .variants import VARIANTS
from .worker import Disturb, Workshop, is_as_meant


def try_state(workshop: Workshop, state: State) -> tuple[Findings, list[str]]:
    """Try one state and return what it breaks, and the names of the calls of the recovery (none: there was none)."""
    variant = VARIANTS[state.variant]
    expected = workshop.expect(variant)
    judge = Judge(variant, expected)
    workshop.quick = not state.opens_alone
    workshop.by_command = state.by_command
    workshop.with_log = state.with_log or variant.moves_log
    passed = state.mode == "kill-kill" and variant.exhaustive and not state.dies_alone and workshop.mutant is None
    if state.first == "kill" and state.then:
        facts = workshop.kill_twice(variant, state.at, state.then) if passed else workshop.kill(variant, state.at)
        ended = Ended(signal.SIGKILL, {}, "")
    else:
        facts = workshop.copy(variant)
        ended = workshop.operate(variant, facts, _disturbance(workshop, state, variant, facts))
        _assert_disturbed(workshop, state, ended)
        if state.mode == "kill" and not variant.unique and not is_as_before(expected.calls, state.at):
            workshop.keep(variant, state.at)
    committed = _must_have_happened(workshop, state, variant, expected.calls)
    judge.settled = state.first not in ("power", "lost") or bool(workshop.board.get("settled"))
    recovers, repeats = _what_follows(state, variant)
    if not (state.then or variant.stepwise or (state.first == "fail" and recovers)):
        # after the first disturbance alone, in the state that ends there; maintenance steps are each whole, and
        # after a failure a recovery has next to nothing to do: what is looked at then is what a reader saw
        judge.reader(workshop.look())
    if not ended.signal:
        judge.answer(ended.answer, ended.stderr, where="operation")
        if state.mode == "fail" and expected.calls[state.at - 1] != "close_database":
            judge.closed(ended.answer)
    if state.then and not passed:
        again = workshop.lead_on(variant, facts, _recovery_disturbed(workshop, state))
        assert again.signal == signal.SIGKILL, (state, again)
    calls: list[str] = []
    if recovers:
        told = "" if ended.answer.get("ok") else str(ended.answer.get("text", ""))
        calls = _judge_recovery(workshop, judge, committed, told)
    if repeats and not judge.found.broken:
        if recovers and _turn(state) == 1:
            # from where it was killed once more, without a recovery in between
            facts = workshop.kill(variant, state.at)
        repeated = _judge_repetition(workshop, judge, variant, facts)
        calls = repeated if variant.again else calls
    return judge.found, calls


def _what_follows(state: State, variant: Variant) -> tuple[bool, bool]:
    """Return whether its user recovers by a command of its own, and whether they run the same command again."""
    if variant.again:
        return False, True
    if state.mode == "lost-sync":
        return True, False
    if state.mode == "fail":
        # after one of its errors
        again = state.error == ERRORS[state.at % 3]
        return not again, again
    turn = _turn(state)
    if state.mode == "kill":
        # what goes on from a recovery that is killed, too, needs to know its calls
        return turn != 1 or not variant.stepwise, turn != 2
    return turn != 1, turn == 1


def _turn(state: State) -> int:
    return (state.at + state.then + state.seed) % 3


def _judge_recovery(workshop: Workshop, judge: Judge, committed: bool | None, told: str) -> list[str]:
    """Recover as a user would and return the names of the calls that it made."""
    ended = workshop.recover()
    judge.answer(ended.answer, ended.stderr, where="recovery")
    seen = workshop.look()
    if not ended.answer.get("ok"):
        judge.found.add("recovery-ends", f"{ended.answer} {ended.stderr[-500:]}")
    else:
        judge.recovered(seen, committed=committed, truth=told)
    return list(ended.answer["calls"])


def _judge_repetition(workshop: Workshop, judge: Judge, variant: Variant, facts: Facts) -> list[str]:
    """Do as a user would whose command did not end well: run it again; return the names of the calls that it made."""
    ended = workshop.operate(variant, facts)
    judge.answer(ended.answer, ended.stderr, where="again")
    seen = workshop.look()
    if is_as_meant(variant, ended):
        judge.finished(seen)
    else:
        judge.found.add("can-be-done-again", f"{ended.answer} {ended.stderr[-500:]}")
    return list(ended.answer["calls"])


def _disturbance(workshop: Workshop, state: State, variant: Variant, facts: Facts) -> Disturb:
    if state.first == "fail":
        return Failure(state.at, state.code, forever=state.mode == "fail-on", happened=state.mode == "fail-done")
    if state.first == "kill":
        return lambda seam: seam.take(Die(workshop.board, state.at))

    volatile = tuple(variant.volatile_paths(facts))
    return Outage(state.at, state.seed, sync=state.first == "lost", volatile=volatile, dies=state.dies_alone)


def _recovery_disturbed(workshop: Workshop, state: State) -> Disturb:
    if state.mode == "kill-power":
        return Outage(state.then, state.seed, dies=state.dies_alone)
    return lambda seam: seam.take(Die(workshop.board, state.then))


def _assert_disturbed(workshop: Workshop, state: State, ended: Ended) -> None:
    acted, calls = workshop.board.get("acted"), workshop.board.get("calls")
    assert acted == state.at, f"nothing happened at call {state.at}: there were {calls} ({state}, {ended})"
    if state.first != "fail":
        assert ended.signal == signal.SIGKILL, (state, ended)
    if state.first == "kill":
        assert calls == state.at, (state, calls)


def _must_have_happened(workshop: Workshop, state: State, variant: Variant, calls: list[str]) -> bool | None:
    """Return whether the operation must be found to have happened; None if either is right."""
    if not variant.done or variant.refused:
        return None
    if workshop.board.get("acknowledged"):
        return True
    decides = variant.decided_at(calls)
    if state.at < decides or (state.at == decides and state.mode != "fail-done"):
        return None if variant.anybody else False
    if state.first in ("kill", "fail"):
        return True
    # its entries are durable once their folder is synced
    synced = calls.index("sync_folder", decides) + 1
    return True if state.first == "power" and state.at > synced else None

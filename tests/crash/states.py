"""The states: at which call of which variant what happens, and how one is written on a command line."""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .variant import Variant

ERRORS = ("EIO", "ENOSPC", "EACCES")
MODES = ("kill", "fail", "fail-done", "fail-on", "power", "lost-sync", "kill-kill", "kill-power", "power-kill")
SECOND_MODES = ("kill-kill", "kill-power", "power-kill")
SEEDS = 6  # what a power cut leaves: all that is not durable is lost, only contents are, or four choices by chance
# calls that a kill behind them leaves no trace of on the disk: a second kill needs no trial after each of them
_TRACELESS = ("begin", "execute", "rollback", "sync_file", "sync_folder", "sync_filesystem", "write_at")


@dataclass(frozen=True, slots=True, order=True)
class State:
    """One state of the loop.

    Args:
        variant: Its name.
        mode: kill: SIGKILL in front of call `at`. fail: that call fails once. fail-done: likewise, though it happened.
            fail-on: it fails, and every call from there on. power: the machine stops in front of it. lost-sync: the
            sync `at` fails and the machine stops at the end. kill-kill, kill-power, power-kill: the second happens at
            call `then` of the recovery that follows.
        at: Number of the call, from 1 on; one more than there are stands for the end.
        then: Number of the call of the recovery.
        error: EIO, ENOSPC or EACCES.
        seed: What a power cut leaves.
    """

    variant: str
    mode: str
    at: int
    then: int = 0
    error: str = ""
    seed: int = 0

    @property
    def code(self) -> int:
        """Return the number of the error."""
        return int(getattr(errno, self.error))

    @property
    def first(self) -> str:
        """Return what disturbs the operation: kill, fail, power or lost (a sync)."""
        return self.mode.partition("-")[0]

    @property
    def dies_alone(self) -> bool:
        """Return whether its second kill is one by itself; to others is left what one recovery passed through."""
        return self.opens_alone or (self.at + self.then) % 10 == 0

    @property
    def by_command(self) -> bool:
        """Return whether its user recovers by the command; the others enter the catalog, as every writer does."""
        return self.opens_alone or (self.at + self.then) % 4 == 0

    @property
    def opens_alone(self) -> bool:
        """Return whether databases are opened as the package does it; the others are attached, which is quicker."""
        return (self.at + self.then) % 40 == 0

    @property
    def with_log(self) -> bool:
        """Return whether the catalog it starts from has rows in its log; that of the others has just been checkpointed.

        To attach a database takes 1 ms, with a log 6 to 8. A log that is not there yet also has an entry to lose.
        """
        return self.at % 5 == 1

    def has(self, wanted: Mapping[str, Any]) -> bool:
        """Return whether each of these fields has this value."""
        return all(getattr(self, name) == value for name, value in wanted.items())

    def command(self) -> str:
        """Return the command that runs just this state."""
        words = ["python -m tests.crash run --variant", self.variant, "--mode", self.mode, "--at", str(self.at)]
        for flag, value in (("--then", self.then), ("--error", self.error), ("--seed", self.seed)):
            words += [flag, str(value)] if value else []
        return " ".join(words)


def first_states(variant: Variant, names: list[str]) -> Iterator[State]:
    """Yield the states with one disturbance.

    Args:
        variant: Of which variant.
        names: The names of the calls of its undisturbed run.
    """
    count = len(names)
    for at in range(1, count + 1):
        name = names[at - 1]
        if variant.by_turns:
            yield _by_turns(variant, at)
        else:
            yield State(variant.name, "kill", at)
            for error in ERRORS:
                yield State(variant.name, "fail", at, error=error)
            yield State(variant.name, "fail-on", at, error=ERRORS[at % 3])
        if variant.stepwise:
            # maintenance takes many steps of few kinds; what follows here is tried where these kinds are at home
            continue
        if name in ("commit", "close_database", "rename", "checkpoint"):
            yield State(variant.name, "fail-done", at, error=ERRORS[at % 3])
        if name.startswith("sync_") and variant.exhaustive:
            yield State(variant.name, "lost-sync", at, seed=3 if at % 2 else 0)
    for at in range(1, count + 2) if not variant.by_turns else ():
        yield State(variant.name, "power", at, seed=at % SEEDS)


def _by_turns(variant: Variant, at: int) -> State:
    """Return the one way in which a call is disturbed; the next three have the others."""
    turn, mode = at // 4, ("kill", "fail", "fail-on", "power")[at % 4]
    if mode == "power":
        return State(variant.name, mode, at, seed=turn % SEEDS)
    return State(variant.name, mode, at, error=ERRORS[turn % 3] if mode != "kill" else "")


def second_states(
    first: State, variant: Variant, names: list[str], recovery: list[str], *, seed: int
) -> Iterator[State]:
    """Yield the states in which the recovery after `first` is disturbed too.

    Args:
        first: A kill or a power cut.
        variant: Of which variant.
        names: The names of the calls of the undisturbed run.
        recovery: The names of the calls that the recovery makes.
        seed: Chooses where a sample is taken.
    """
    if first.mode == "power" and (first.at % 6 or not variant.exhaustive):
        return
    if variant.unique or (variant.stepwise and first.at % 3):
        return
    chance = random.Random(f"{seed} {first}")
    some = [chance.randint(1, len(recovery))] if recovery else []
    if first.mode == "kill" and not is_as_before(names, first.at):
        every = [then for then in range(1, len(recovery) + 1) if not is_as_before(recovery, then)]
        for then in every if variant.exhaustive else some:
            yield State(first.variant, "kill-kill", first.at, then)
        for then in some if first.at % 3 == 0 and variant.exhaustive else []:
            yield State(first.variant, "kill-power", first.at, then, seed=chance.randint(0, 5))
    elif first.mode == "power":
        for then in some:
            yield State(first.variant, "power-kill", first.at, then, seed=first.seed)


def is_as_before(names: list[str], at: int) -> bool:
    """Say whether a kill in front of call `at` leaves the disk that a kill one call before leaves."""
    return at > 1 and names[at - 2] in _TRACELESS

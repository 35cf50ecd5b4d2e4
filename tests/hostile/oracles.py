"""What must hold whatever a stranger hands over, and the trial of one attack against all of it.

Which attacks there are is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from .places import HONEST, PROGRAM, Bench, Ended, Place, changes, holders_of_canary, is_canary_in, recount

MOST_BYTES = 600_000_000
EXIT_CODES = (0, 1, 2, 3, 4)
SECONDS = 60.0
_SEVERE = "error"
_MISHAPS = ("Traceback (most recent call last)", "This should not happen", "internal error", "panicked at")

Words = Sequence[str]
Prepare = Callable[[Place, ExitStack], Sequence[Words]]


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing to try.

    Args:
        name: Names it.
        kind: The row of the table that it counts for.
        prepare: Puts it into a place and returns the commands that meet it; what is to be closed goes on the stack.
        planted: Whether the store itself is broken on purpose, so that doctor may find something and a pull may refuse.
        seconds: What one command may take.
        how: `fork` or `program`.
        environment: What the commands find in theirs.
        target: `module:function` in place of the program.
        codes: The exit codes that are right here: what must be refused may not end well.
    """

    name: str
    kind: str
    prepare: Prepare = field(repr=False)
    planted: bool = False
    seconds: float = SECONDS
    how: str = "fork"
    environment: dict[str, str] = field(default_factory=dict)
    target: str = PROGRAM
    codes: tuple[int, ...] = EXIT_CODES


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that did not hold: which oracle says so, and what it saw."""

    oracle: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a trial came to: what did not hold, the commands as they ended, the most memory one of them held."""

    attack: Attack
    faults: tuple[Fault, ...]
    ended: tuple[Ended, ...]

    @property
    def peak(self) -> int:
        """Return the most bytes that a process of it held."""
        return max((ended.peak for ended in self.ended), default=0)


def try_attack(bench: Bench, attack: Attack, *, most: int | None = None, with_aftermath: bool = True) -> Verdict:
    """Try an attack in a place of its own and judge all that came of it.

    Args:
        bench: Where.
        attack: What.
        most: How many of its commands to run; None: all.
        with_aftermath: Whether doctor and an honest pull come afterwards.
    """
    place = bench.place()
    place.environment = dict(attack.environment)
    try:
        with ExitStack() as stack:
            commands = attack.prepare(place, stack)
            before = recount(place.outside)
            held = set(holders_of_canary(place.root))
            ended = [
                bench.run(place, *words, how=attack.how, seconds=attack.seconds, target=attack.target)
                for words in commands[:most]
            ]
            faults = [fault for found in ended for fault in judge_command(found, attack.codes)]
            faults += judge_outside(place, before, held)
            after, told = _aftermath(bench, place, attack) if with_aftermath else ([], [])
            faults += told
        return Verdict(attack, tuple(faults), (*ended, *after))
    finally:
        place.remove()


def judge_command(ended: Ended, codes: tuple[int, ...] = EXIT_CODES) -> Iterator[Fault]:
    """Yield what a command did that no command may do."""
    shown = " ".join(ended.words)[:200]
    last = ended.err.strip().splitlines()[-1][:300] if ended.err.strip() else ""
    if ended.why == "late":
        yield Fault("ends", f"`{shown}` was still at work after {ended.seconds:.0f} s")
    if ended.peak > MOST_BYTES:
        yield Fault("memory", f"`{shown}` held {ended.peak / 1e6:.0f} MB")
    if not ended.why and ended.code not in codes:
        yield Fault("exit code", f"`{shown}` ended with {ended.code}: {last}")
    told = ended.err + ended.out.decode(errors="replace")
    if any(mishap in told for mishap in _MISHAPS):
        yield Fault("sentence", f"`{shown}`: {last}")
    elif ended.code in (1, 2, 4) and not ended.err.strip():
        yield Fault("sentence", f"`{shown}` ended with {ended.code} and said nothing")
    if is_canary_in(ended.out) or is_canary_in(ended.err.encode(errors="replace")):
        yield Fault("read outside", f"`{shown}` shows what lies outside of the root, or its hash")


def judge_outside(place: Place, before: dict[str, tuple[object, ...]], held: set[str]) -> Iterator[Fault]:
    """Yield what was done to the outside, or taken from it."""
    for change in changes(before, recount(place.outside)):
        yield Fault("outside", change)
    for path in holders_of_canary(place.root):
        if path not in held:
            yield Fault("read outside", f"the store's {path} holds what lies outside of the root, or its hash")


def _aftermath(bench: Bench, place: Place, attack: Attack) -> tuple[list[Ended], list[Fault]]:
    """Ask doctor, and pull something honest."""
    doctor = bench.run(place, "db", "doctor", "--json")
    honest = place.give("honest.nt", HONEST)
    words = ("pull", honest, "--service", "honest", "--ontology", "work", "--version", "1", "-q")
    pulled = bench.run(place, *words)
    faults = [*judge_command(doctor), *judge_command(pulled)]
    if not attack.planted:
        faults += [Fault("doctor", text) for text in _severe(doctor)]
        if pulled.code != 0:
            faults.append(Fault("next pull", f"an honest pull ended with {pulled.code}: {pulled.err.strip()[:300]}"))
    return [doctor, pulled], faults


def _severe(doctor: Ended) -> list[str]:
    if doctor.code not in (0, 3):
        return [f"doctor ended with {doctor.code}: {doctor.err.strip()[:300]}"]
    rows = json.loads(doctor.out)["rows"]
    return [f"{row['code']}: {row['message']}" for row in rows if row["severity"] == _SEVERE]

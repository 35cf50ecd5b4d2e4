"""Which job is the next one: each in its order, or, where machines divide them, one that nobody else has.

How jobs are carried out is not known here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ontofetch_hookspecs.dividing import PAUSE_SECONDS, Division, Held, Shares, read_outcome
from ontofetch_hookspecs.names import quote

from .jobs import Job

_STATES = ("new", "changed", "unchanged", "unclear", "differs", "failed")
_NUMBERS = ("files", "bytes", "failing")
_TEXTS = ("version_id", "reason")
_MOST_REASON = 2000  # characters


class InOrder:
    """All jobs, one after the other."""

    ahead = 2  # jobs that a hand has at most, one of which waits to be recorded

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs = jobs
        self.count = len(jobs)
        self._next = 0

    @property
    def is_over(self) -> bool:
        """Say whether all were given."""
        return self._next == self.count

    def following(self) -> tuple[int, Job] | None:
        """Return the next job with its number."""
        if self.is_over:
            return None
        self._next += 1
        return self._next - 1, self.jobs[self._next - 1]

    def pause(self) -> None:
        """Wait for nobody."""

    def require_held(self) -> None:
        """Look for nobody."""

    def done(self, number: int, told: Mapping[str, object]) -> None:
        """Tell nobody."""

    def elsewhere(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield nothing: nobody else does any."""
        return iter(())


class Divided:
    """The jobs that this machine has of those that several divide.

    A job that failed elsewhere is tried once more here: it may have been the fault of that machine.

    Args:
        division: The share of this machine.
    """

    ahead = 1  # what waits here, another machine could do

    def __init__(self, jobs: Sequence[Job], division: Division) -> None:
        self.jobs = jobs
        self.count = len(jobs)
        self._division = division
        self._numbers = {job.key: number for number, job in enumerate(jobs)}
        self._shares = Shares(division, self._numbers)

    @property
    def is_over(self) -> bool:
        """Say whether all were given, here or elsewhere, and nobody is at work on one."""
        return self._shares.is_over and not any(map(_has_failed, self._shares.elsewhere.values()))

    def following(self) -> tuple[int, Job] | None:
        """Return a job that nobody else has, with its number; None where there is none right now."""
        taken = self._shares.take() or self._retaken()
        if not taken:
            return None
        number = self._numbers[taken[0]]
        return number, self.jobs[number]

    def _retaken(self) -> Sequence[str]:
        for item, held in list(self._shares.elsewhere.items()):
            if not _has_failed(held):
                continue
            if self._division.retake(item, held.outcome or ""):
                del self._shares.elsewhere[item]
                return (item,)
            self._shares.look_at(item)
        return ()

    def pause(self) -> None:
        """Wait a moment for others."""
        time.sleep(PAUSE_SECONDS)

    def require_held(self) -> None:
        """Raise if others may go on with what this machine has."""
        self._division.require_held()

    def done(self, number: int, told: Mapping[str, object]) -> None:
        """Tell others what a job came to."""
        self._division.done({self.jobs[number].key: json.dumps(dict(told))})

    def elsewhere(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield what jobs came to on other machines: number, and the fields of an outcome."""
        for item, held in self._shares.elsewhere.items():
            yield self._numbers[item], _told(held)


def _has_failed(held: Held) -> bool:
    return read_outcome(held).get("status") == "failed"


def _told(held: Held) -> dict[str, Any]:
    """Return what another machine tells of a job, as far as it can be so."""
    found = read_outcome(held)
    told: dict[str, Any] = {"by": quote(held.who), "status": "unclear"}
    if found.get("status") in _STATES:
        told["status"] = found["status"]
    for name in _NUMBERS:
        value = found.get(name)
        told[name] = value if type(value) is int and 0 <= value < 1 << 62 else None
    for name in _TEXTS:
        value = found.get(name)
        told[name] = quote(value[:_MOST_REASON]) if isinstance(value, str) else None
    told["latest"] = found["latest"] if isinstance(found.get("latest"), bool) else None
    return told

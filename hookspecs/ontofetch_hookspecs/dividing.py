"""How machines that share a catalog divide work: who has which item, and what is left for this one.

Where leases are kept is not known here: whoever answers `divide_work` keeps them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from .json_documents import parse_json

PAUSE_SECONDS = 0.5  # between two looks at what others have
_WINDOW = 256  # items that are asked for at once
_MOST_TEXT = 1 << 16  # characters of an outcome, which another machine wrote


@runtime_checkable
class Held(Protocol):
    """An item that somebody has, or had: by whom (command, machine, process), and what it came to, None until then."""

    @property
    def who(self) -> str:
        """Return command, machine and process."""

    @property
    def outcome(self) -> str | None:
        """Return what it came to; None while it is being done."""


@runtime_checkable
class Division(Protocol):
    """A share of this machine in some work; whoever has an item loses it when it is silent for too long."""

    @property
    def who(self) -> str:
        """Return how others see this machine."""

    def take(self, items: Sequence[str], count: int = 1) -> Sequence[str]:
        """Take the first items that nobody has or has done, at most so many."""

    def done(self, outcomes: Mapping[str, str]) -> None:
        """Say what items of ours came to."""

    def retake(self, item: str, outcome: str) -> bool:
        """Take an item that another machine has done with this outcome, unless a third one was quicker."""

    def states(self, items: Sequence[str]) -> Mapping[str, Held]:
        """Return who has these items, or has done them."""

    def close_run(self) -> None:
        """Let whoever begins the same work later begin it anew."""

    def require_held(self) -> None:
        """Raise if what this machine has taken is no longer its own."""


class Shares:
    """The items of some work as one machine sees them: what it takes, and what others do.

    Args:
        division: The share of this machine.
        items: All items, in the order in which they had better be done.

    Attributes:
        elsewhere: What others have done, by item.
        held: What others had when somebody looked last.
    """

    def __init__(self, division: Division, items: Iterable[str]) -> None:
        self.division = division
        self.elsewhere: dict[str, Held] = {}
        self.held: dict[str, Held] = {}
        self._left = dict.fromkeys(items)
        self._looked = 0.0

    @property
    def is_over(self) -> bool:
        """Say whether all items are this machine's, or done by others."""
        return not self._left and not self.held

    @property
    def open(self) -> Sequence[str]:
        """Return the items that neither this machine has taken nor others have done."""
        return [*self._left, *self.held]

    def following(self) -> Sequence[str]:
        """Return the items that nobody is known to have, in order."""
        return list(self._left)

    def take(self, count: int = 1) -> Sequence[str]:
        """Take at most so many items, without waiting; none where others have all that is not done."""
        if not self._left and self.held and time.monotonic() - self._looked >= PAUSE_SECONDS:
            self._look_again()
        while self._left:
            window = list(self._left)[:_WINDOW]
            taken = self.division.take(window, count)
            for item in taken or self._sort(window):
                self._left.pop(item, None)
            if not self._left:
                self._looked = time.monotonic()
                self.division.close_run()
            if taken:
                return taken
        return ()

    def portions(self, size: Callable[[Sequence[str]], int], stop: Callable[[], bool]) -> Iterator[Sequence[str]]:
        """Yield what this machine is to do, until everything is done, or `stop` says so.

        Others may die, so what they have is waited for.

        Args:
            size: Returns how many of the next items are one portion.
            stop: Asked before each portion, and while others are waited for.
        """
        while not stop():
            taken = self.take(size(self.following()) if self._left else 1)
            if taken:
                yield taken
            elif self.is_over:
                return
            else:
                time.sleep(PAUSE_SECONDS)

    def look_at(self, item: str) -> None:
        """Look anew at an item that was done elsewhere: somebody does it once more."""
        self.elsewhere.pop(item, None)
        self._left[item] = None

    def _sort(self, window: Sequence[str]) -> Iterator[str]:
        """Yield the items that others have or have done; what was freed just now stays."""
        for item, held in self.division.states(window).items():
            (self.held if held.outcome is None else self.elsewhere)[item] = held
            yield item

    def _look_again(self) -> None:
        self._looked = time.monotonic()
        held = list(self.held)
        for start in range(0, len(held), _WINDOW):
            window = held[start : start + _WINDOW]
            states = self.division.states(window)
            for item in window:
                state = states.get(item)
                if state is None:
                    # its machine is gone, and has not done it
                    del self.held[item]
                    self._left[item] = None
                elif state.outcome is not None:
                    del self.held[item]
                    self.elsewhere[item] = state


def read_outcome(held: Held) -> Mapping[str, object]:
    """Return what an item came to, as another machine wrote it; empty where that is no object."""
    try:
        found = parse_json((held.outcome or "{}")[:_MOST_TEXT])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

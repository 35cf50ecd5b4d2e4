"""What a process holds of a store between two turns: the lock, and what is open inside.

It is kept for moments only. Where another process waits, boundaries that follow each other at once go on for a turn of
750 ms, or five times as long as it took to enter, so that most of the time is spent on them; with a pause
between two it is over.
Where nobody waits, it is kept until nothing was done with it for a while, and in no case longer than two seconds, for
there are readers whom nobody can see waiting. What is open is not known here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from . import holders

POLL_SECONDS = 0.005  # how soon it is seen that somebody waits
TURN = 5  # times as long as entering took, others wait for boundaries that follow each other at once
LEAST_SECONDS = 0.75  # how long they wait for those in any case: to leave takes its time, too
MOST_SECONDS = 2.0  # how long it is held at most, from the moment of entering to the beginning of the last turn
IDLE_SECONDS = 0.5  # how long it is kept while nothing is done with it

Wanted = Callable[[Any], bool]


class Hold:
    """A store that this process holds alone.

    Args:
        descriptor: Of the lock file.

    Attributes:
        what: What is open inside, None if nothing was kept.
        stays: Whether it is kept at the end of this turn.
        is_swept: Whether somebody has looked, since it was entered, for the stages that dead processes left.
        cost: Seconds that entering took, waiting aside: others wait no longer for the next boundary to begin.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._since = self._used = time.monotonic()
        self._close: Callable[[], None] | None = None
        self._rest: Callable[[], None] | None = None
        self.what: Any = None
        self.stays = False
        self.is_swept = False
        self.cost = 0.0

    @property
    def turn(self) -> float:
        """Return how many seconds others wait for boundaries that follow each other at once."""
        return min(max(TURN * self.cost, LEAST_SECONDS), MOST_SECONDS)

    def keep(self, what: Any, close: Callable[[], None], rest: Callable[[], None] | None = None) -> None:
        """Keep something open when this turn ends.

        Args:
            what: What is kept.
            close: Closes it, and never raises.
            rest: Called after a pause, once: lets go of what those wait for whom nobody can see; never raises.
        """
        self.what, self._close, self._rest, self.stays = what, close, rest, True
        self._used = time.monotonic()

    def spend(self, waited: float, cost: float | None = None) -> None:
        """Count no time for which others were waited for inside, and note what entering took beside it, in seconds."""
        self._since += waited
        if cost is not None:
            self.cost = cost - waited

    def take(self) -> Any:
        """Return what was kept open; whoever takes it closes it, or keeps it again."""
        what, self.what, self._close, self._rest, self.stays = self.what, None, None, None, False
        return what

    def is_due(self) -> bool:
        """Say whether others are to have their turn, however soon this process would go on."""
        held = time.monotonic() - self._since
        return held > MOST_SECONDS or (held > self.turn and self._is_awaited())

    def rests(self) -> bool:
        """Say whether it stays kept, nothing being done with it right now; what others wait for unseen goes first."""
        unused = time.monotonic() - self._used
        if self.is_due() or unused > IDLE_SECONDS:
            return False
        if unused > self.cost:
            if self._is_awaited():
                return False
            rest, self._rest = self._rest, None
            if rest is not None:
                rest()
        return True

    def _is_awaited(self) -> bool:
        # who waits holds the byte of its ticket, and all tickets after ours lie behind our bytes
        return holders.is_awaited(self._descriptor)

    def let_go(self) -> None:
        """Close what is open, and let others in."""
        close, self._close, self._rest, self.what, self.stays = self._close, None, None, None, False
        try:
            if close is not None:
                close()
        finally:
            try:
                holders.clear_holder(self._descriptor)
            finally:
                os.close(self._descriptor)

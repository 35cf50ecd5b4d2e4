"""What a process holds of a store between two turns: the lock, and what is open inside.

It is kept for moments only: until another process waits, until nothing was done with it for a while, and in no case
longer than two seconds, for there are readers whom nobody can see waiting. What is open is not known here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from . import holders

POLL_SECONDS = 0.005  # how soon it is seen that somebody waits
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
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._since = self._used = time.monotonic()
        self._close: Callable[[], None] | None = None
        self.what: Any = None
        self.stays = False
        self.is_swept = False

    def keep(self, what: Any, close: Callable[[], None]) -> None:
        """Keep something open when this turn ends; `close` closes it, and never raises."""
        self.what, self._close, self.stays = what, close, True
        self._used = time.monotonic()

    def take(self) -> Any:
        """Return what was kept open; whoever takes it closes it, or keeps it again."""
        what, self.what, self._close, self.stays = self.what, None, None, False
        return what

    def is_due(self) -> bool:
        """Say whether others are to have their turn."""
        if time.monotonic() - self._since > MOST_SECONDS:
            return True
        # who waits holds the byte of its ticket, and all tickets after ours lie behind our bytes
        return holders.is_awaited(self._descriptor)

    def is_idle(self) -> bool:
        """Say whether nothing was done with it for a while."""
        return time.monotonic() - self._used > IDLE_SECONDS

    def let_go(self) -> None:
        """Close what is open, and let others in."""
        close, self._close, self.what, self.stays = self._close, None, None, False
        try:
            if close is not None:
                close()
        finally:
            try:
                holders.clear_holder(self._descriptor)
            finally:
                os.close(self._descriptor)

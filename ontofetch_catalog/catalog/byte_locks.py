"""Locks of the system on bytes of a file (POSIX record locks, fcntl(2)): tried, and waited for.

What they stand for is not known here.
"""

from __future__ import annotations

import errno
import fcntl
import time
from collections.abc import Callable

_SOON_SECONDS, _LATE_SECONDS = 0.002, 0.01  # between two tries at first, and of whoever is next after twenty seconds
_OTHERS_FIRST_SECONDS, _OTHERS_SECONDS = 0.008, 0.03  # of whom others come before, at first and after one


def try_lock(descriptor: int, kind: int, length: int, start: int) -> bool:
    """Lock bytes of an open file, `fcntl.LOCK_EX` or `LOCK_SH`; return whether nobody else's lock is in the way."""
    try:
        fcntl.lockf(descriptor, kind | fcntl.LOCK_NB, length, start)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def wait_for(
    descriptor: int, kind: int, length: int, deadline: float, *, is_next: Callable[[], bool] = lambda: True
) -> bool:
    """Lock the first bytes of an open file, as soon as nobody else has one of them.

    Args:
        kind: As for `try_lock`.
        length: How many bytes.
        deadline: When to give up, of `time.monotonic()`.
        is_next: Says whether nobody else who waits comes before; who has others before it looks less often.

    Returns:
        Whether they are locked.
    """
    begun = time.monotonic()
    while not try_lock(descriptor, kind, length, 0):
        now = time.monotonic()
        if now >= deadline:
            return False
        # many who wait for long take the processor from the one whom they wait for; for the next one each moment counts
        waited = now - begun
        if is_next():
            pause = max(waited / 2000, _SOON_SECONDS)
            time.sleep(min(pause, _LATE_SECONDS))
        else:
            time.sleep(min(_OTHERS_FIRST_SECONDS + waited / 50, _OTHERS_SECONDS))
    return True

"""Locks of the system on bytes of a file (POSIX record locks, fcntl(2)): tried, and waited for.

What they stand for is not known here.
"""

from __future__ import annotations

import errno
import fcntl
import time

_SOON_SECONDS, _LATE_SECONDS = 0.002, 0.01  # between two tries at first, and after a second


def try_lock(descriptor: int, kind: int, length: int, start: int) -> bool:
    """Lock bytes of an open file, `fcntl.LOCK_EX` or `LOCK_SH`; return whether nobody else's lock is in the way."""
    try:
        fcntl.lockf(descriptor, kind | fcntl.LOCK_NB, length, start)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def wait_for(descriptor: int, kind: int, length: int, deadline: float) -> bool:
    """Lock the first bytes of an open file; return False where others had them until `deadline` (time.monotonic())."""
    begun = time.monotonic()
    while not try_lock(descriptor, kind, length, 0):
        now = time.monotonic()
        if now >= deadline:
            return False
        # many who wait for long take the processor from the one whom they wait for
        time.sleep(min(max(_SOON_SECONDS, (now - begun) / 100), _LATE_SECONDS))
    return True

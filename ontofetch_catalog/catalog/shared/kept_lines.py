"""Lines to logs that this process has just used: who asks next, in the same process, need not connect anew.

A line that is kept holds nothing, nobody uses it, and it is closed after a moment. A child has none of its parent's.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import NamedTuple

from ..connection import Store
from .address import Address
from .log import Log, log_of

KEPT_SECONDS = 3.0  # how long a line is kept that nobody asks for; the server ends it later, see `log_line`
_POLL_SECONDS = 0.5  # how soon it is seen that one has been kept for long enough
_Key = tuple[Address, float, str, float]


class _Kept(NamedTuple):
    log: Log
    until: float


_kept: dict[_Key, _Kept] = {}
_guard = threading.Lock()
_of_parents: list[_Kept] = []  # not to be closed here: what a child says over them, its parent says
_closer: threading.Thread | None = None
_never = threading.Event()  # whose waiting, other than `sleep`, minds no clock that is put forward


def line_of(store: Store, address: Address) -> Log:
    """Return an open line to a log with the settings of a store: one that was kept, if it is still good.

    Raises:
        CatalogUnavailable, CatalogBehind, SchemaError: As `open` does.
    """
    new = log_of(store, address)
    with _guard:
        kept = _kept.pop(new.key, None)
    if kept is not None:
        if kept.log.is_good():
            return kept.log
        kept.log.close()
    try:
        return new.open()
    except BaseException:
        new.close()
        raise


def keep(log: Log) -> None:
    """Keep a line for a moment, or close it if it is not as it was opened; whoever gives it uses it no more."""
    if not log.is_at_rest():
        log.close()
        return
    with _guard:
        former = _kept.pop(log.key, None)
        _kept[log.key] = _Kept(log, time.monotonic() + KEPT_SECONDS)
    if former is not None:
        former.log.close()
    _watch()


def close_all() -> None:
    """Close what is kept."""
    with _guard:
        found = list(_kept.values())
        _kept.clear()
    for kept in found:
        kept.log.close()


def _watch() -> None:
    global _closer  # noqa: PLW0603 - one for all lines
    with _guard:
        if _closer is None:
            _closer = threading.Thread(target=_close_when_due, name="ontofetch-lines", daemon=True)
            _closer.start()


def _close_when_due() -> None:
    global _closer  # noqa: PLW0603 - as above
    while True:
        _never.wait(_POLL_SECONDS)
        now = time.monotonic()
        with _guard:
            due = [key for key, kept in _kept.items() if kept.until <= now]
            closed = [_kept.pop(key) for key in due]
            if not _kept:
                _closer = None
            is_over = _closer is None
        for kept in closed:
            kept.log.close()
        if is_over:
            return


def _forget() -> None:
    global _guard, _closer, _never
    _guard, _closer, _never = threading.Lock(), None, threading.Event()
    _of_parents.extend(_kept.values())
    _kept.clear()


atexit.register(close_all)
os.register_at_fork(after_in_child=_forget)

"""DuckDB as a module: all of it, or its core where plain statements are all that is wanted.

What makes relations, expressions and Arrow of it is Python of which half a start consists; `connect`, `execute` and
the errors are in the core. What is asked of either is not known here.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_plain: ContextVar[bool] = ContextVar("plain", default=False)


@contextmanager
def plain_statements() -> Iterator[None]:
    """Let connections that are made inside do no more than `execute` and what gives rows of Python."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def driver() -> Any:
    """Return the module that connects, and has the errors, which are the same in both."""
    if "duckdb" in sys.modules:
        return _load()
    # it ends the process (SIGABRT) when it is imported a second time, because a signal has broken the first time off
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        return _load()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _load() -> Any:
    if _plain.get() and "duckdb" not in sys.modules:
        try:
            import _duckdb
        except ImportError:
            # its own affair where it has its core
            pass
        else:
            if hasattr(_duckdb, "connect"):
                return _duckdb
    import duckdb

    return duckdb

"""Where what a plugin prints inside a hook goes: to stderr, for stdout belongs to the command that runs.

A command of a plugin prints where it likes.
"""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TextIO


class PrintsAside:
    """Let `print` write to stderr inside its body; several threads may be inside at a time."""

    _lock = threading.Lock()
    _inside = 0
    _former: TextIO | None = None

    def __enter__(self) -> None:
        kind = type(self)
        with kind._lock:
            if kind._inside == 0:
                kind._former, sys.stdout = sys.stdout, sys.stderr
            kind._inside += 1

    def __exit__(
        self, error: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        kind = type(self)
        with kind._lock:
            kind._inside -= 1
            if kind._inside == 0 and kind._former is not None:
                sys.stdout, kind._former = kind._former, None

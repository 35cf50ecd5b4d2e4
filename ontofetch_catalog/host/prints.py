"""Where what a plugin prints inside a hook goes: to stderr, for stdout belongs to the command that runs.

A command of a plugin prints where it likes.
"""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any, Self, TextIO


class _Unclosed:
    """A stream that stays open."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stream.flush()


class PrintsAside:
    """Let `print` write to stderr inside its body, which nobody closes; several threads may be inside at a time."""

    _lock = threading.Lock()
    _inside = 0
    _former: tuple[TextIO, TextIO] | None = None

    def __enter__(self) -> None:
        kind = type(self)
        with kind._lock:
            if kind._inside == 0:
                # not the stream itself: whoever closes what it takes for stdout would close ours
                kind._former = sys.stdout, sys.stderr
                sys.stdout = sys.stderr = _Unclosed(sys.stderr)
            kind._inside += 1

    def __exit__(
        self, error: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        kind = type(self)
        with kind._lock:
            kind._inside -= 1
            if kind._inside == 0 and kind._former is not None:
                (sys.stdout, sys.stderr), kind._former = kind._former, None

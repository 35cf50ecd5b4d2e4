"""The writing of a large file by a thread of its own, while its next bytes are inflated: Python waits for neither.

What is written, and where to, is not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Self

LARGE = 1 << 18  # bytes from which handing them over is worth it
_AHEAD = 3  # pieces that wait to be written; more would only take memory


class WrittenBeside:
    """Hands pieces to `write` in their order; a context, at whose end all of them are written.

    Args:
        write: Writes a piece; what it raises, a later `write` or the end raises.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._thread: ThreadPoolExecutor | None = None
        self._pending: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def write(self, piece: bytes) -> None:
        """Write a piece after all before it: here if it is small and none are pending, else beside."""
        if (not self._pending and (len(piece) < LARGE or not self._has_thread())) or self._thread is None:
            self._write(piece)
            return
        self._pending.append(self._thread.submit(self._write, piece))
        if len(self._pending) > _AHEAD:
            self._pending.popleft().result()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            if error is None:
                while self._pending:
                    self._pending.popleft().result()
        finally:
            wait(self._pending)
            if self._thread is not None:
                self._thread.shutdown()

    def _has_thread(self) -> bool:
        """Start the thread; without memory for one, everything is written here."""
        if self._thread is None:
            thread = ThreadPoolExecutor(1)
            try:
                thread.submit(int).result()
            except (RuntimeError, MemoryError):
                return False
            self._thread = thread
        return True

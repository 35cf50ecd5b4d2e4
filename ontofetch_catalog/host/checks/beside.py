"""The reading of a large file of RDF by a process beside this one, which keeps its statements meanwhile.

To read them takes a third of the time that facts cost. What is kept of them is not known here.
"""

from __future__ import annotations

import fcntl
import os
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from struct import Struct
from typing import IO, Self

from ...children.limits import count_cores
from ...children.start import start_module
from .verdicts import Faulty

PIECE = Struct("=II")  # statements, and bytes of their text, which follow
UNREADABLE = 3  # how that process ends where the file is at fault
_PROCESS = "ontofetch_catalog.host.checks.beside_process"
_LARGE = 8 << 20  # bytes of a file; of smaller ones the process would have to be waited for
_AHEAD = 1 << 20  # bytes of pieces that wait; Linux gives a pipe no more


class Beside:
    """The process that reads one file; a context.

    Args:
        stream: The file, at its beginning; nobody else may read it meanwhile.
        format_name: Its format.

    Attributes:
        is_whole: Whether all statements have come. Where they have not, something has ended the process.
    """

    def __init__(self, stream: IO[bytes], format_name: str) -> None:
        self.is_whole = False
        words = str(os.getpid()), format_name, str(_seconds_left())
        self._process = start_module(_PROCESS, *words, stdin=stream.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def pieces(self) -> Iterator[tuple[bytes, int]]:
        """Yield statements as text, and how many these are.

        Raises:
            Faulty: The file can't be read.
        """
        stdout = self._process.stdout
        if stdout is None:
            return
        with suppress(AttributeError, OSError):
            fcntl.fcntl(stdout, fcntl.F_SETPIPE_SZ, _AHEAD)
        while len(told := stdout.read(PIECE.size)) == PIECE.size:
            number, size = PIECE.unpack(told)
            if not size:
                self.is_whole = True
                return
            text = stdout.read(size)
            if len(text) < size:
                break
            yield text, number
        if self._process.wait() == UNREADABLE:
            raise Faulty("it can't be read")


def is_worth_it(stream: IO[bytes]) -> bool:
    """Say whether a file is so large that a process for it alone makes its facts come sooner, and has a core."""
    return os.fstat(stream.fileno()).st_size >= _LARGE and count_cores() > 1


def _seconds_left() -> float:
    """Return how much longer this process may use a processor, 0 where it may as long as it likes."""
    most = resource.getrlimit(resource.RLIMIT_CPU)[0]
    # what a process inherits counts from its own beginning
    return 0.0 if most == resource.RLIM_INFINITY else max(most - time.process_time(), 1.0)

"""Be the process that reads a large file of RDF at standard input and writes its statements as text.

What comes out are pieces as `Statements.add` takes them, each behind its number of statements and its size. The last
one is empty: without it something went wrong, and whoever waits reads the file again.
"""

from __future__ import annotations

import sys
from typing import IO

from ...children.limits import limit_cpu, live_with
from .beside import PIECE, UNREADABLE
from .rdf import read_statements
from .verdicts import Faulty, NotJudged, panics_named


class _Out:
    """Where statements go.

    Args:
        stream: A pipe.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.parsed = 0
        self._stream = stream

    def add(self, text: bytes, number: int) -> None:
        """Take some statements as TriG that the library has written."""
        self.parsed += number
        self._stream.write(PIECE.pack(number, len(text)))
        self._stream.write(text)


def main(parent: str, format_name: str, seconds: str) -> int:
    """Read a file of a format in so many seconds of a processor; `parent` is the number of who started this process."""
    if not live_with(int(parent)):
        return 0
    limit_cpu(float(seconds))
    try:
        written = sys.stdout.buffer
        with panics_named():
            read_statements(sys.stdin.buffer, format_name, _Out(written))
        written.write(PIECE.pack(0, 0))
        written.flush()
    except (Faulty, NotJudged, SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        return UNREADABLE
    return 0

"""What a terminal has and may get: its width, its colours, and nothing that it would obey."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from ontofetch_hookspecs.errors import OntofetchError, next_step

from ..rendering.text import safe_lines

COLUMNS = re.compile("0{0,9}[1-9][0-9]{0,5}")
UNLIMITED = 1_000_000  # cells: a pipe has no width, and a cut path is of no use to the next program
COLOURS = re.compile("(\x1b\\[[0-9;]{0,20}m)")


def harmless(data: bytes, *, colours: bool) -> bytes:
    """Return text as a terminal may have it: nothing that it obeys, but for colours; letters that it can show."""
    text = data.decode("utf-8", "replace")
    # every second part is a colour
    parts = COLOURS.split(text) if colours else [text]
    parts[::2] = map(safe_lines, parts[::2])
    return "".join(parts).encode(sys.stdout.encoding or "utf-8", "replace")


def width_of(out: Path | None) -> int:
    """Return how many cells a line may have, of a terminal or of a file."""
    if out is None:
        return shutil.get_terminal_size((UNLIMITED, 0)).columns
    text = os.environ.get("COLUMNS", "")
    return int(text) if COLUMNS.fullmatch(text) else UNLIMITED


def wants_colour() -> bool:
    """Say whether stdout is a terminal whose user has colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def write_stdout(data: bytes) -> None:
    """Write to stdout all that its reader wants.

    Raises:
        OntofetchError: Nothing can be written there, because its disk is full or it was closed.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # the interpreter must not complain at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # a reader that has gone (`head`, a pager) has seen enough
        if not isinstance(error, BrokenPipeError):
            sentence = f"What was asked for can't be written to stdout: {error.strerror}."
            raise OntofetchError(sentence, subject="stdout", hint=next_step(error.errno)) from error

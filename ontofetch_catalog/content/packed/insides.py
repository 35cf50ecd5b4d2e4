"""What is inside a compressed file: how it is compressed, its first bytes, a copy of all of them.

Whatever is read is bounded; which files are looked into is not known here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import IO, Protocol

from ..formats import HEAD_BYTES, format_of
from . import signatures
from .archives import damage_named
from .bounds import Budget
from .inflating import NotRead, Readable
from .streams import open_inflated

_STEP = 1 << 16


def format_inside(name: str, head: bytes, reopen: Callable[[], IO[bytes]], content_type: str | None = None) -> str:
    """Return the format of a file, of a compressed one that of what is inside.

    Args:
        name: Its path or name.
        head: Its first bytes, up to HEAD_BYTES.
        reopen: Opens it from its beginning; only called for a compressed one.
        content_type: What the server said of it, if it came by itself.

    Raises:
        OSError: It can't be opened again.
    """
    compression = signatures.compression_of(head)
    if not compression:
        return format_of(name, head, content_type)
    with reopen() as stream:
        return format_of(name, head_inside(stream, compression), content_type)


def head_inside(stream: IO[bytes], compression: str) -> bytes:
    """Return the first HEAD_BYTES inside of a compressed file, of a damaged one what comes before the damage."""
    head = b""
    try:
        inside = open_inflated(stream, compression)
        while len(head) < HEAD_BYTES:
            data = inside.read(HEAD_BYTES - len(head))
            if not data:
                break
            head += data
    except (EOFError, OSError, NotRead, ValueError, zlib.error):
        # its name says what it is then, and its validator why it is none
        pass
    except Exception as error:
        # lzma is only loaded where it is needed, and its error is no error of another kind
        if type(error).__name__ != "LZMAError":
            raise
    return head


class Writable(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Take bytes; return how many."""


def copy_inside(stream: IO[bytes], compression: str, budget: Budget, target: Writable) -> int:
    """Write what is inside a compressed file and return its size in bytes.

    Raises:
        ExtractError: It is damaged or more than the budget allows; the message is a sentence.
        OSError: The disk refuses.
    """
    inside = open_inflated(stream, compression)
    size = 0
    while data := _read(inside, budget):
        budget.take(len(data))
        size += target.write(data)
    return size


def _read(inside: Readable, budget: Budget) -> bytes:
    with damage_named(budget.name):
        return inside.read(_STEP)

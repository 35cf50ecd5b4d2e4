"""Open a file that a user names: by its path, links and all, once; nobody waits for a pipe that has no other end.

What it says is not known here, but for what stands between the fields of a list.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader


def open_named(path: str | os.PathLike[str], *, regular: bool = False) -> BufferedReader:
    """Open what a user names for reading; of a pipe that somebody writes to, all that they write is waited for.

    Args:
        regular: Whether it may be nothing but a regular file, no pipe for instance.

    Raises:
        OSError: There is none, it is a folder or something else, or the system refuses.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if regular and not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", os.fspath(path))
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def comma_of(data: bytes) -> str:
    """Return what stands between the fields of a list, as its first line says: a comma, a semicolon, or a tab.

    Where a comma is part of numbers, spreadsheets write semicolons and call it CSV.
    """
    first = data.partition(b"\n")[0]
    return max(",;\t", key=lambda comma: first.count(comma.encode()))


def text_fault(data: bytes) -> str:
    """Return why bytes are no text in UTF-8, as the end of a sentence."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is UTF-16, and a list is UTF-8"
    return "it is no UTF-8"

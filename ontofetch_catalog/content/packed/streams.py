"""The stream of what a compressed file stands for, whatever it is compressed with.

How it is known what that is, and which file it is, is not known here.
"""

from __future__ import annotations

import bz2
from collections.abc import Callable

from .frames import Zstandard
from .inflating import Deflate, Inflated, Readable, Xz, follows_bzip2, follows_gzip


def open_inflated(raw: Readable, compression: str, behind: Callable[[], None] = lambda: None) -> Readable:
    """Return the stream of what a compressed file stands for: gz, bz2, xz, zst, or nothing for one that is not.

    Its `read` raises NotRead, or what the decompressor raises for damage.

    Args:
        compression: How it is compressed.
        behind: Called where other bytes stand behind the end and are left out.
    """
    if compression == "zst":
        return Zstandard(raw)
    if compression == "gz":
        return Inflated(raw, lambda: Deflate(31), follows=follows_gzip)
    if compression == "bz2":
        return Inflated(raw, bz2.BZ2Decompressor, follows=lambda source: follows_bzip2(source, behind))
    return Xz(raw) if compression == "xz" else raw

"""The decompressor of zstandard: frames taken apart block by block (RFC 8878).

What the frames belong to is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .bounds import MEMORY, STEP
from .inflating import NotRead, Readable, TooLarge, read_up_to
from .signatures import SKIPPABLE

_BITE = 1 << 16
_MAGIC = b"\x28\xb5\x2f\xfd"


class Zstandard:
    """Read zstandard frames block by block: one of four bytes may stand for 128 KiB, none for more (RFC 8878).

    A missing end is noticed, which zstandard's own reader does not.

    Args:
        raw: Where the compressed bytes come from.
    """

    def __init__(self, raw: Readable) -> None:
        import zstandard

        self._damage = zstandard.ZstdError
        self._make: Any = zstandard.ZstdDecompressor(max_window_size=MEMORY).decompressobj
        self._pieces = _pieces(raw)
        self._frame: Any = None
        self._left = memoryview(b"")

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, none at the end; EOFError for damage, NotRead for what can't be read here."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                if self._frame is not None and not self._frame.eof:
                    raise EOFError("its end is missing")
                return b""
            self._left = memoryview(self._feed(piece))
        most = size if size >= 0 else STEP
        found, self._left = bytes(self._left[:most]), self._left[most:]
        return found

    def _feed(self, piece: bytes) -> bytes:
        if self._frame is None or self._frame.eof:
            self._frame = self._make()
        try:
            found: bytes = self._frame.decompress(piece)
        except self._damage as error:
            if "memory" in str(error).casefold():
                raise TooLarge("is compressed by zstd with a large window (--long): it") from error
            raise EOFError(str(error)) from error
        return found


def _pieces(raw: Readable) -> Iterator[bytes]:
    """Yield the headers and blocks of zstandard frames one by one (RFC 8878, 3.1)."""
    while magic := _whole(raw, 4, may_end=True):
        if SKIPPABLE.match(magic):
            # a frame of somebody else's data, to be skipped
            size = int.from_bytes(_whole(raw, 4), "little")
            while size:
                size -= len(_whole(raw, min(size, _BITE)))
            continue
        if magic != _MAGIC:
            raise ValueError("other bytes stand behind its end")
        described = _whole(raw, 1)
        flag = described[0]
        single = bool(flag & 0x20)
        content = (1 if single else 0, 2, 4, 8)[flag >> 6]
        window, dictionary = 0 if single else 1, (0, 1, 2, 4)[flag & 3]
        header = _whole(raw, window + dictionary + content)
        if any(header[window : window + dictionary]):
            raise NotRead(
                "is compressed with a zstd dictionary of its own, which is not part of it",
                "Unpack it with `zstd -d -D DICTIONARY`, and pull what comes out.",
            )
        yield magic + described + header
        last = False
        while not last:
            told = _whole(raw, 3)
            number = int.from_bytes(told, "little")
            last = bool(number & 1)
            # of a repeated byte there is one, whatever its size says
            yield told + _whole(raw, 1 if (number >> 1) & 3 == 1 else min(number >> 3, _BLOCK))
        if flag & 0x04:
            yield _whole(raw, 4)


_BLOCK = 1 << 17  # the most that a block may have; the decompressor refuses a larger one


def _whole(raw: Readable, size: int, *, may_end: bool = False) -> bytes:
    found = read_up_to(raw, size)
    if len(found) < size and (found or not may_end):
        raise EOFError("its end is missing")
    return found

"""The decompressors: streams that yield at most what is asked for, and need no more memory than is said.

Which files they belong to is not known here.
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol

from .bounds import MEMORY, STEP

_BITE = 1 << 16


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


class TooLarge(Exception):
    """A stream needs more memory than a decompressor may have; the message ends a sentence."""


class _Inflater(Protocol):
    """A decompressor of the standard library's kind (bz2, lzma)."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Deflate:
    """Give zlib the shape of the others.

    Args:
        wbits: The container, as zlib numbers it: -15 none, 31 gzip.
    """

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        """Say whether its end was read."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """Say whether it can't go on without more."""
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """Return what stood behind the end."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most `max_length` bytes."""
        return self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))


class Inflated:
    """Read a compressed stream in steps.

    Args:
        raw: Where the compressed bytes come from.
        make: Makes a decompressor for the next part.
        several: Whether further parts may follow the first one.
    """

    def __init__(self, raw: Readable, make: Callable[[], _Inflater], *, several: bool) -> None:
        self._raw = raw
        self._make = make
        self._several = several
        self._inner = make()

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, and never more than STEP.

        Raises:
            EOFError: The end is missing.
        """
        most = min(size, STEP) if size >= 0 else STEP
        while most:
            if self._inner.eof and not self._next_part():
                break
            hungry = self._inner.needs_input
            data = self._raw.read(_BITE) if hungry else b""
            found = self._inner.decompress(data, most)
            if found:
                return found
            if hungry and not data and not self._inner.eof:
                raise EOFError("its end is missing")
        return b""

    def _next_part(self) -> bool:
        if not self._several:
            return False
        rest = self._inner.unused_data
        while not rest.strip(b"\0"):
            # padding may stand between parts and behind the last one (gzip(1), xz 2.2)
            rest = self._raw.read(_BITE)
            if not rest:
                return False
        self._inner = self._make()
        self._raw = _Chained(rest.lstrip(b"\0"), self._raw)
        return True


class _Chained:
    """Read some bytes, then a stream."""

    def __init__(self, first: bytes, then: Readable) -> None:
        self._first = first
        # streams of many parts must not become chains of many links
        self._then: Readable = then._then if isinstance(then, _Chained) and not then._first else then

    def read(self, size: int = -1, /) -> bytes:
        if not self._first:
            return self._then.read(size)
        found, self._first = self._first[:size], self._first[size:]
        return found


def open_inflated(raw: IO[bytes], compression: str) -> Readable:
    """Return the stream of what a compressed file stands for: gz, bz2, xz, zst, or nothing for one that is not.

    Its `read` raises TooLarge, or what the decompressor raises for damage.
    """
    if compression == "zst":
        return _Zstandard(raw)
    if compression == "gz":
        return Inflated(raw, lambda: Deflate(31), several=True)
    if compression == "bz2":
        return Inflated(raw, bz2.BZ2Decompressor, several=True)
    return _Xz(raw) if compression == "xz" else raw


class _Xz:
    """Read xz with a limit on its dictionary."""

    def __init__(self, raw: Readable) -> None:
        import lzma

        self._error = lzma.LZMAError
        self._inner = Inflated(raw, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY), several=True)

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._inner.read(size)
        except self._error as error:
            if "memory" in str(error).casefold():
                raise TooLarge(f"needs more than {MEMORY >> 20} MiB of memory to unpack") from error
            raise


def raw_lzma(properties: bytes) -> _Inflater:
    """Return the decompressor of an LZMA stream without a container (APPNOTE 5.8.8).

    Args:
        properties: Its five bytes.

    Raises:
        TooLarge: Its dictionary is too large.
        ValueError: They are no properties.
    """
    import lzma

    if len(properties) != 5 or properties[0] >= 9 * 5 * 5:
        raise ValueError("its LZMA properties can't be read")
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    size = int.from_bytes(properties[1:], "little")
    if size > MEMORY:
        raise TooLarge(f"needs more than {MEMORY >> 20} MiB of memory to unpack")
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": max(size, 4096), "lc": lc, "lp": lp, "pb": pb}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)


class _Zstandard:
    """Read zstandard frames block by block: one of four bytes may stand for 128 KiB, none for more (RFC 8878).

    A missing end is noticed, which zstandard's own reader does not.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        import zstandard

        self._damage = zstandard.ZstdError
        self._make: Any = zstandard.ZstdDecompressor(max_window_size=MEMORY).decompressobj
        self._pieces = _pieces(raw)
        self._frame: Any = None
        self._left = memoryview(b"")

    def read(self, size: int = -1, /) -> bytes:
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
                raise TooLarge(f"needs more than {MEMORY >> 20} MiB of memory to unpack") from error
            raise EOFError(str(error)) from error
        return found


def _pieces(raw: Readable) -> Iterator[bytes]:
    """Yield the headers and blocks of zstandard frames one by one (RFC 8878, 3.1)."""
    while magic := _whole(raw, 4, may_end=True):
        if 0x184D2A50 <= int.from_bytes(magic, "little") <= 0x184D2A5F:
            # a frame of somebody else's data, to be skipped
            size = int.from_bytes(_whole(raw, 4), "little")
            while size:
                size -= len(_whole(raw, min(size, _BITE)))
            continue
        described = _whole(raw, 1)
        flag = described[0]
        single = bool(flag & 0x20)
        content = (1 if single else 0, 2, 4, 8)[flag >> 6]
        header = _whole(raw, (0 if single else 1) + (0, 1, 2, 4)[flag & 3] + content)
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
    found = b""
    while len(found) < size:
        data = raw.read(size - len(found))
        if not data:
            if may_end and not found:
                return b""
            raise EOFError("its end is missing")
        found += data
    return found

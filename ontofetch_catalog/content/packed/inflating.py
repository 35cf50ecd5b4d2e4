"""The decompressors: streams that yield at most what is asked for, and need no more memory than is said.

Which files they belong to is not known here.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Protocol

from .bounds import MEMORY, STEP

_BITE = 1 << 16


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


def read_up_to(stream: Readable, size: int) -> bytes:
    """Return the next `size` bytes of a stream, fewer only at its end."""
    found = b""
    while len(found) < size and (data := stream.read(size - len(found))):
        found += data
    return found


class NotRead(Exception):
    """A file is packed in a way that can't be read here; the message ends a sentence about it.

    Args:
        what: Says in which way, with its verb.
        hint: What to type next.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class TooLarge(NotRead):
    """A stream needs more memory than a decompressor may have."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} needs more than {MEMORY >> 20} MiB of memory to unpack",
            "Nothing was unpacked. Pack it with a smaller window or dictionary.",
        )


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


class Source:
    """Read compressed bytes, and look at the next ones before they are read.

    Args:
        raw: Where they come from.
    """

    def __init__(self, raw: Readable) -> None:
        self._raw = raw
        self._left = b""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        size = size if size >= 0 else STEP
        if not self._left:
            return self._raw.read(size)
        found, self._left = self._left[:size], self._left[size:]
        return found

    def give_back(self, data: bytes) -> None:
        """Let bytes that were read be the next ones again."""
        self._left = data + self._left

    def look(self, size: int) -> bytes:
        """Return the next bytes without reading them; fewer than `size` only at the end."""
        while len(self._left) < size:
            data = self._raw.read(_BITE)
            if not data:
                break
            self._left += data
        return self._left[:size]

    def skip_zeros(self) -> int:
        """Read on over bytes that are zero and return how many there were."""
        count = 0
        while piece := self.look(1) and self._left:
            rest = piece.lstrip(b"\0")
            count += len(piece) - len(rest)
            self._left = rest
            if rest:
                break
        return count


Follows = Callable[[Source], bool]


class Inflated:
    """Read a compressed stream in steps.

    Args:
        raw: Where the compressed bytes come from.
        make: Makes a decompressor for the next part.
        follows: Says behind a part whether another one begins there, and raises for damage; None: there is only one.
    """

    def __init__(self, raw: Readable, make: Callable[[], _Inflater], *, follows: Follows | None = None) -> None:
        self._source = Source(raw)
        self._make = make
        self._follows = follows
        self._inner: _Inflater | None = make()

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, and never more than STEP.

        Raises:
            EOFError: The end is missing.
        """
        most = min(size, STEP) if size >= 0 else STEP
        while most and self._inner is not None:
            if self._inner.eof:
                self._next_part(self._inner.unused_data)
                continue
            hungry = self._inner.needs_input
            data = self._source.read(_BITE) if hungry else b""
            found = self._inner.decompress(data, most)
            if found:
                return found
            if hungry and not data and not self._inner.eof:
                raise EOFError("its end is missing")
        return b""

    def _next_part(self, unused: bytes) -> None:
        self._source.give_back(unused)
        another = self._follows is not None and self._follows(self._source)
        self._inner = self._make() if another else None


# What may stand behind a part is what the program of each kind takes there: gzip zeros up to the end, bzip2 anything,
# which it leaves out, xz zeros by fours; whatever else is damage for them.


def follows_gzip(source: Source) -> bool:
    """Say whether another gzip member begins here; ValueError for what `gzip` calls damage."""
    # gzip 1.14, get_magic: a member that is cut within its first two bytes is damage as well
    begin = source.look(2)
    if begin[:1] == b"\0":
        source.skip_zeros()
        begin = source.look(2)
        if begin:
            raise ValueError("other bytes stand behind its end")
    if begin and begin != b"\x1f\x8b":
        raise ValueError("other bytes stand behind its end" if len(begin) == 2 else "its end is missing")
    return bool(begin)


def follows_bzip2(source: Source, behind: Callable[[], None]) -> bool:
    """Say whether another bzip2 stream begins here; EOFError for what `bzip2` calls damage."""
    # bzip2 1.0.8, uncompressStream: bytes that are no header of a stream end it, a header that is cut is damage
    begin = source.look(4)
    if not begin:
        return False
    if not _BZIP2.fullmatch(begin):
        behind()
        return False
    if len(begin) < 4:
        raise EOFError("its end is missing")
    return True


def _follows_xz(source: Source) -> bool:
    # xz format 2.2
    zeros = source.skip_zeros()
    begin = source.look(len(_XZ))
    if zeros % 4:
        raise ValueError("the padding of its streams is no multiple of four bytes")
    if begin and begin != _XZ:
        raise ValueError("other bytes stand behind its end")
    _check_xz(source)
    return bool(begin)


def _check_xz(source: Source) -> None:
    """Refuse a stream whose integrity check nobody here can make; the decompressor would leave it out in silence."""
    flags = source.look(len(_XZ) + 2)[len(_XZ) :]
    if len(flags) == 2 and flags[1] & 0x0F not in (0, 1, 4, 10):
        raise NotRead(
            f"has a checksum of a kind that is not known here (number {flags[1] & 0x0F})",
            "Unpack it with `xz -d`, and pull what comes out.",
        )


_BZIP2 = re.compile(rb"B(?:Z(?:h(?:[1-9])?)?)?")
_XZ = b"\xfd7zXZ\0"


class Xz:
    """Read xz with a limit on its dictionary.

    Args:
        raw: Where the compressed bytes come from.
    """

    def __init__(self, raw: Readable) -> None:
        import lzma

        self._error = lzma.LZMAError
        source = Source(raw)
        _check_xz(source)
        self._inner = Inflated(
            source, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY), follows=_follows_xz
        )

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, none at the end; TooLarge, or what the decompressor raises for damage."""
        try:
            return self._inner.read(size)
        except self._error as error:
            if "memory" in str(error).casefold():
                raise TooLarge("is compressed by xz with a large dictionary: it") from error
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
        raise TooLarge("is compressed with a large dictionary: it")
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": max(size, 4096), "lc": lc, "lp": lp, "pb": pb}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)

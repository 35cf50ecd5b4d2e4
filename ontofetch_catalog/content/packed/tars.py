"""The reading of tars: headers and what is behind them, one after the other, from a stream (POSIX.1-2017, pax).

Python's own reader takes headers of any size into memory, and calls itself for each header before a file's own. Which
entries may be unpacked is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from .bounds import STEP, Budget
from .remarks import BEHIND
from .signatures import claims_tar
from .tar_headers import Told, has_checksum, joined, number_of, own_name, take_extension, text_of

if TYPE_CHECKING:
    from .inflating import Readable

BLOCK = 512
HEADER_BYTES = 1 << 20  # the most that one extended header may have
HEADERS = 16  # the most that may stand before one entry; archivers write two or three
_CHUNK = 1 << 18
_EXTENSIONS = {b"x": "pax", b"X": "pax", b"g": "global", b"L": "name", b"K": "link"}
HARD_LINK = "a hard link"
_KINDS = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": HARD_LINK,
    b"2": "a symbolic link",
    b"3": "a device or a pipe",
    b"4": "a device or a pipe",
    b"5": "folder",
    b"6": "a device or a pipe",
    b"S": "a sparse file",
}
_WITHOUT_DATA = b"123456"


@dataclass(frozen=True, slots=True)
class Member:
    """One entry; `stream` yields its bytes and has to be read before the next one, or `whole` returns them.

    `target` is what a hard link is another name of.
    """

    name: str
    kind: str
    mtime: float
    stream: Readable
    target: str
    whole: Callable[[], bytes | None]


class _Counted:
    """Read a stream through a buffer, count what leaves it, and keep its last bytes."""

    def __init__(self, stream: Readable, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget
        self._left = memoryview(b"")
        self.tail = b""

    def read(self, size: int, /) -> bytes:
        if not self._left:
            data = self._stream.read(_CHUNK)
            if not data:
                return b""
            self._budget.take(len(data))
            self.tail = (self.tail + data[-BLOCK:])[-BLOCK:]
            self._left = memoryview(data)
        found, self._left = bytes(self._left[:size]), self._left[size:]
        return found

    def whole(self, size: int) -> bytes:
        """Return exactly so many bytes; fewer only at the end."""
        found = []
        while size:
            data = self.read(size)
            if not data:
                break
            found.append(data)
            size -= len(data)
        return b"".join(found)

    def skip(self, size: int) -> None:
        """Read on over so many bytes."""
        while size:
            data = self.read(min(size, _CHUNK))
            if not data:
                raise EOFError("its end is missing")
            size -= len(data)


class _Data:
    """The bytes of one entry."""

    def __init__(self, source: _Counted, size: int) -> None:
        self._source = source
        self._left = size
        self._padding = -size % BLOCK

    def read(self, size: int = -1, /) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        if not size:
            return b""
        data = self._source.read(size)
        if not data:
            raise EOFError("its end is missing")
        self._left -= len(data)
        return data

    def whole(self) -> bytes | None:
        """Return all that was not read yet, None where that is much."""
        if self._left > STEP:
            return None
        data = self._source.whole(self._left)
        if len(data) < self._left:
            raise EOFError("its end is missing")
        self._left = 0
        return data

    def finish(self) -> None:
        """Read on to the next header."""
        self._source.skip(self._left + self._padding)
        self._left = self._padding = 0


def is_tar(start: bytes, name: str) -> bool:
    """Say whether a file that starts like this is a tar."""
    # POSIX.1-1988 and later carry `ustar` at 257; a checksum that fits tells the older form
    if len(start) < BLOCK:
        return False
    if start[257:262] == b"ustar":
        return True
    if not start.strip(b"\0"):
        # a tar without entries is nothing but zeros, and so may be any other file
        return claims_tar(name)
    return has_checksum(start)


def read_members(stream: Readable, budget: Budget) -> Iterator[Member]:
    """Yield the entries of a tar in its order, and read on to its end, which lets a decompressor check its checksum.

    Raises:
        ExtractError: It has more than the budget allows, or an entry says what can't be.
        EOFError, ValueError: It is truncated or damaged.
    """
    source = _Counted(stream, budget)
    told, everywhere = Told(), Told()
    while True:
        header = source.whole(BLOCK)
        if len(header) < BLOCK or not header.strip(b"\0"):
            break
        if not has_checksum(header):
            raise ValueError("the checksum of a header is wrong")
        size = number_of(header[124:136], "size", budget)
        extension = _EXTENSIONS.get(header[156:157])
        if extension is not None:
            told.count += 1
            body = _read_extension(source, size, told.count, budget)
            take_extension(extension, body, everywhere if extension == "global" else told, budget)
            continue
        yield from _member(header, size, joined(told, everywhere), source, budget)
        told = Told()
    _read_to_end(source, budget)
    if (len(header) < BLOCK and header) or source.tail.strip(b"\0"):
        raise EOFError("its end is missing")


def _read_to_end(source: _Counted, budget: Budget) -> None:
    """Read what stands behind the end; zeros are padding, all else is left out, as tar does, and remarked."""
    remarked = False
    while data := source.read(_CHUNK):
        if not remarked and data.strip(b"\0"):
            budget.remarks.add(BEHIND, budget.name)
            remarked = True


def _member(header: bytes, size: int, told: Told, source: _Counted, budget: Budget) -> Iterator[Member]:
    letter = header[156:157]
    name = own_name(header) if told.name is None else told.name
    kind = "a sparse file" if told.sparse else _KINDS.get(letter, "no regular file")
    if letter == b"\0" and name.endswith("/"):
        # the form before POSIX has no letter for folders
        kind = "folder"
    if letter in _WITHOUT_DATA:
        size = 0
    elif told.size is not None:
        size = told.size
    budget.entry = name
    mtime = number_of(header[136:148], "time", budget) if told.mtime is None else told.mtime
    data = _Data(source, size)
    target = text_of(header[157:257]) if told.target is None else told.target
    yield Member(name.rstrip("/") if kind == "folder" else name, kind, float(mtime), data, target, data.whole)
    data.finish()


def _read_extension(source: _Counted, size: int, count: int, budget: Budget) -> bytes:
    if size > HEADER_BYTES:
        raise budget.refused(f"is followed by a header of {size:,} bytes, more than {HEADER_BYTES:,}")
    if count > HEADERS:
        raise budget.refused(f"is followed by more than {HEADERS} headers of one entry")
    body = source.whole(size)
    if len(body) < size:
        raise EOFError("its end is missing")
    source.skip(-size % BLOCK)
    return body

"""The reading of tars: headers and what is behind them, one after the other, from a stream (POSIX.1-2017, pax).

Python's own reader takes headers of any size into memory, and calls itself for each header before a file's own. Which
entries may be unpacked is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ontofetch_hookspecs.names import quote

from .bounds import STEP, Budget
from .inflating import Readable
from .remarks import BEHIND
from .signatures import claims_tar

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


@dataclass(slots=True)
class _Told:
    """What extended headers say of the entry that follows: everything, or None where they say nothing."""

    name: str | None = None
    target: str | None = None
    size: int | None = None
    mtime: float | None = None
    sparse: bool = False
    count: int = 0


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
    return _has_checksum(start)


def read_members(stream: Readable, budget: Budget) -> Iterator[Member]:
    """Yield the entries of a tar in its order, and read on to its end, which lets a decompressor check its checksum.

    Raises:
        ExtractError: It has more than the budget allows, or an entry says what can't be.
        EOFError, ValueError: It is truncated or damaged.
    """
    source = _Counted(stream, budget)
    told, everywhere = _Told(), _Told()
    while True:
        header = source.whole(BLOCK)
        if len(header) < BLOCK or not header.strip(b"\0"):
            break
        if not _has_checksum(header):
            raise ValueError("the checksum of a header is wrong")
        size = _number(header[124:136], "size", budget)
        extension = _EXTENSIONS.get(header[156:157])
        if extension is not None:
            told.count += 1
            body = _read_extension(source, size, told.count, budget)
            _take_extension(extension, body, everywhere if extension == "global" else told, budget)
            continue
        yield from _member(header, size, _joined(told, everywhere), source, budget)
        told = _Told()
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


def _member(header: bytes, size: int, told: _Told, source: _Counted, budget: Budget) -> Iterator[Member]:
    letter = header[156:157]
    name = _own_name(header) if told.name is None else told.name
    kind = "a sparse file" if told.sparse else _KINDS.get(letter, "no regular file")
    if letter == b"\0" and name.endswith("/"):
        # the form before POSIX has no letter for folders
        kind = "folder"
    if letter in _WITHOUT_DATA:
        size = 0
    elif told.size is not None:
        size = told.size
    budget.entry = name
    mtime = _number(header[136:148], "time", budget) if told.mtime is None else told.mtime
    data = _Data(source, size)
    target = _text(header[157:257]) if told.target is None else told.target
    yield Member(name.rstrip("/") if kind == "folder" else name, kind, float(mtime), data, target, data.whole)
    data.finish()


def _joined(told: _Told, everywhere: _Told) -> _Told:
    return replace(
        told,
        name=everywhere.name if told.name is None else told.name,
        target=everywhere.target if told.target is None else told.target,
        size=everywhere.size if told.size is None else told.size,
        mtime=everywhere.mtime if told.mtime is None else told.mtime,
        sparse=told.sparse or everywhere.sparse,
    )


def _own_name(header: bytes) -> str:
    name = _text(header[:100])
    prefix = _text(header[345:500])
    # the GNU form keeps something else there, and says so by two spaces
    return f"{prefix}/{name}" if prefix and header[257:265] != b"ustar  \0" and header[257:262] == b"ustar" else name


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _has_checksum(header: bytes) -> bool:
    try:
        told = _octal(header[148:156])
    except ValueError:
        return False
    others = header[:148] + b" " * 8 + header[156:]
    # some archivers summed signed bytes up
    return told == sum(others) or told == sum(byte - 256 if byte > 127 else byte for byte in others)


def _octal(data: bytes) -> int:
    digits = data.partition(b"\0")[0].strip()
    if digits.strip(b"01234567"):
        raise ValueError("a number is not octal")
    return int(digits or b"0", 8)


def _number(data: bytes, what: str, budget: Budget) -> int:
    """Return a number in octal digits, or in base 256 as GNU writes large ones."""
    if data[0] not in (0x80, 0xFF):
        try:
            return _octal(data)
        except ValueError as error:
            raise ValueError(f"a header says a {what} that is no number") from error
    found = int.from_bytes(data[1:], "big") - (256 ** (len(data) - 1) if data[0] == 0xFF else 0)
    if what == "size" and not 0 <= found < 2**63:
        raise budget.refused(f"is followed by one that says a size of {found:,} bytes")
    return found


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


def _take_extension(kind: str, body: bytes, told: _Told, budget: Budget) -> None:
    if kind == "name":
        told.name = _text(body)
    elif kind == "link":
        told.target = _text(body)
    elif kind in ("pax", "global"):
        for key, value in _records(body):
            if key == b"path":
                told.name = value.decode("utf-8", "surrogateescape")
                told.name = told.name.rstrip("/")
            elif key == b"linkpath":
                told.target = value.decode("utf-8", "surrogateescape")
            elif key == b"size":
                told.size = _pax_size(value, budget)
            elif key == b"mtime":
                told.mtime = _pax_time(value, told, budget)
            elif key.startswith(b"GNU.sparse."):
                told.sparse = True


def _records(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and value of each `length key=value` and newline of a pax header."""
    place = 0
    while place < len(body) and body[place]:
        space = body.find(b" ", place, place + 20)
        digits = body[place:space] if space > 0 else b""
        end = place + int(digits) if digits.isdigit() else 0
        if not space < end <= len(body) or body[end - 1 : end] != b"\n":
            raise ValueError("an extended header can't be read")
        key, equals, value = body[space + 1 : end - 1].partition(b"=")
        if not equals:
            raise ValueError("an extended header can't be read")
        yield key, value
        place = end


def _pax_size(value: bytes, budget: Budget) -> int:
    if value.isdigit() and len(value) < 19:
        return int(value)
    raise budget.refused(f"is followed by one that says a size of {quote(value[:40].decode('ascii', 'replace'))}")


def _pax_time(value: bytes, told: _Told, budget: Budget) -> float:
    try:
        found = float(value[:40])
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        # the name may have been told before
        budget.entry = told.name or budget.entry
        raise budget.refused(f"says a time that is none: {quote(value[:40].decode('ascii', 'replace'))}")
    return found

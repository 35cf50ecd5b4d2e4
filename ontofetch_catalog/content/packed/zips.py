"""The reading of zips: entry by entry, and the bytes that an entry points at (APPNOTE 6.3.10).

Python's own reader takes the whole directory into memory, inflates some methods without a bound, and does not mind
entries that share their bytes. Which entries may be unpacked is not known here.
"""

from __future__ import annotations

import bz2
import os
import stat
import struct
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import islice
from typing import IO, NamedTuple

from ontofetch_hookspecs.names import quote

from ...errors import ExtractError
from . import remarks
from .bounds import STEP, Budget
from .frames import Zstandard
from .inflating import Deflate, Inflated, NotRead, Readable, Xz, raw_lzma
from .signatures import ZIP
from .zip_directory import Directory, Record, find_directory, read_places, read_records, shown

_ENCRYPTED = 0x1
_LOCAL_FIELDS = struct.Struct("<4s2B4HL2L2H")
_METHODS = {  # APPNOTE 4.4.5
    1: "Shrink", 2: "Reduce", 3: "Reduce", 4: "Reduce", 5: "Reduce", 6: "Implode", 9: "Deflate64", 10: "DCL Implode",
    16: "CMPSC", 18: "TERSE", 19: "LZ77", 94: "MP3", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES encryption",
}  # fmt: skip
_DOCUMENTS = (
    ".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb", ".docx", ".docm", ".dotx", ".dotm", ".pptx", ".pptm", ".potx", ".ppsx",
    ".vsdx", ".odt", ".ods", ".odp", ".odg", ".odf", ".odc", ".odb", ".ott", ".ots", ".otp", ".epub",
)  # fmt: skip
_KINDS = {
    0: "file",
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}
_CONTENT_TYPES, _TYPE = b"[content_types].xml", b"mimetype"  # OPC (ECMA-376, 2); OpenDocument 1.3, part 2, 3.3
_AT_ONCE = (0, 8)  # methods: stored, deflated
_SMALL = STEP  # bytes of an entry that is read at once
_EXTRA = 64  # bytes behind the name in an entry's own header: archivers write times and owners there, 28 or so
_LOOKED_AT = 10_000  # entries among which a document's own are looked for


class Member(NamedTuple):
    """One entry; `open` yields its bytes, `whole` returns them at once, or None where they are many."""

    name: str
    kind: str
    mtime: float
    open: Callable[[], Readable]
    whole: Callable[[], bytes | None]


def has_directory(stream: IO[bytes]) -> bool:
    """Say whether a file ends as a zip does."""
    try:
        return find_directory(stream) is not None
    except (EOFError, ValueError):
        return False


def is_named_document(name: str) -> bool:
    """Say whether a name has an ending of such documents."""
    return name.casefold().endswith(_DOCUMENTS)


def is_document(stream: IO[bytes], name: str) -> bool:
    """Say whether a zip is a document of an office program or a book, by its name or by an entry that they have.

    A zip that can't be read is none: whoever reads its entries says why.

    Raises:
        EOFError, ValueError: It is truncated or damaged.
    """
    if is_named_document(name):
        return True
    found = find_directory(stream)
    entries = () if found is None else islice(read_places(stream, found), _LOOKED_AT)
    return any(
        entry.name.lower() == _CONTENT_TYPES or (not number and entry.name == _TYPE)
        for number, entry in enumerate(entries)
    )


def read_members(stream: IO[bytes], budget: Budget) -> Iterator[Member]:
    """Yield the entries of a zip in the order of its directory.

    Raises:
        ExtractError: It has more than the budget allows, or its entries share bytes.
        EOFError, ValueError: It is truncated or damaged.
    """
    found = find_directory(stream)
    if found is None:
        raise EOFError("its directory is missing")
    places = _places(stream, found, budget)
    for record in read_records(stream, found):
        budget.entry = name = record.shown
        if "\\" in name:
            # APPNOTE 4.4.17 wants slashes; old .NET and some packers of Windows wrote what Windows has
            budget.remarks.add(remarks.BACKSLASH, name)
            name = name.replace("\\", "/")
        where = (stream, record, places, budget)
        yield Member(
            name, _kind_of(record, name), _time_of(record.moment), partial(_open, *where), partial(_whole, *where)
        )


def _places(stream: IO[bytes], directory: Directory, budget: Budget) -> array[int]:
    """Return where the entries begin, and where the directory does, in order; no two may be the same."""
    places = array("Q")
    name, flags, most = b"", 0, budget.limits.max_entries
    for place, name, flags in read_places(stream, directory):
        # counted before anything is kept of them; as entries they count when they are read
        if len(places) >= most:
            budget.entry = shown(name, flags)
            raise budget.refused(f"is one more than {most:,}", "max_entries")
        if place >= directory.start:
            raise ValueError("an entry lies behind the directory")
        places.append(place)
    budget.entry = shown(name, flags)
    ordered = array("Q", sorted(places))
    for number in range(1, len(ordered)):
        if ordered[number] == ordered[number - 1]:
            raise _shared(budget)
    ordered.append(directory.start)
    return ordered


def _kind_of(record: Record, name: str) -> str:
    if name.endswith("/"):
        return "folder"
    if record.flags & _ENCRYPTED:
        return "encrypted"
    return _KINDS.get(stat.S_IFMT(record.mode), "no regular file")


@lru_cache(maxsize=1024)
def _time_of(moment: tuple[int, int]) -> float:
    day, time = moment
    try:
        return datetime(
            (day >> 9) + 1980, day >> 5 & 15, day & 31, time >> 11, time >> 5 & 63, (time & 31) * 2, tzinfo=UTC
        ).timestamp()
    except ValueError:
        return 0.0


def _open(stream: IO[bytes], record: Record, places: array[int], budget: Budget) -> Readable:
    stream.seek(record.place)
    start = _start(stream.read(_LOCAL_FIELDS.size + len(record.name)), record, places, budget)
    raw = _Range(stream, start, record.packed)
    try:
        inflated = _inflated(raw, record)
    except NotRead as error:
        raise ExtractError(
            f"The entry {quote(record.shown)} of {quote(budget.name)} {error}.", subject=record.shown, hint=error.hint
        ) from error
    return _Checked(inflated, record, budget)


def _start(head: bytes, record: Record, places: array[int], budget: Budget) -> int:
    """Return where the packed bytes of an entry begin, by its own header, which is looked at here."""
    if len(head) < _LOCAL_FIELDS.size or head[:4] != ZIP:
        raise ValueError("an entry does not lie where its directory says")
    fields = _LOCAL_FIELDS.unpack_from(head)
    if fields[10] != len(record.name) or head[_LOCAL_FIELDS.size :][: fields[10]] != record.name:
        budget.remarks.add(remarks.OTHER_NAME, record.shown)
    start: int = record.place + _LOCAL_FIELDS.size + fields[10] + fields[11]
    if start + record.packed > places[bisect_right(places, record.place)]:
        raise _shared(budget)
    return start


def _whole(stream: IO[bytes], record: Record, places: array[int], budget: Budget) -> bytes | None:
    """Return the bytes of a small entry by one read, inflated at once; it raises what reading its stream does."""
    if record.method not in _AT_ONCE or record.size > _SMALL or record.packed > _SMALL:
        return None
    head = _LOCAL_FIELDS.size + len(record.name)
    data = os.pread(stream.fileno(), head + _EXTRA + record.packed, record.place)
    start = _start(data[:head], record, places, budget) - record.place
    packed = data[start : start + record.packed]
    if len(packed) < record.packed:
        # its header has more than most have
        packed = os.pread(stream.fileno(), record.packed, record.place + start)
        if len(packed) < record.packed:
            raise EOFError("its end is missing")
    found = packed
    if record.method:
        inflater = zlib.decompressobj(-15)
        # one byte more than it should have tells that there is more
        found = inflater.decompress(packed, record.size + 1)
        if len(found) <= record.size and not inflater.eof:
            raise EOFError("its end is missing")
    if len(found) > record.size:
        raise ValueError("an entry is longer than its directory says")
    budget.take(len(found))
    if len(found) < record.size or zlib.crc32(found) != record.crc:
        raise ValueError("the size or the checksum of an entry is wrong")
    return found


def _shared(budget: Budget) -> ExtractError:
    # one packed byte that many entries stand for is how a zip unpacks to a million times itself (Fifield 2019)
    return budget.refused("shares its bytes with another entry")


def _inflated(raw: _Range, record: Record) -> Readable:
    if record.method == 0:
        return raw
    if record.method == 8:
        return Inflated(raw, lambda: Deflate(-15))
    if record.method == 12:
        return Inflated(raw, bz2.BZ2Decompressor)
    if record.method == 14:
        head = raw.read(4)
        properties = raw.read(int.from_bytes(head[2:4], "little"))
        return Inflated(raw, lambda: raw_lzma(properties))
    if record.method in (20, 93):
        return Zstandard(raw)
    if record.method == 95:
        return Xz(raw)
    method = _METHODS.get(record.method, "an unknown method")
    raise NotRead(
        f"is compressed with {method} (method {record.method} of zip), which can't be read here",
        "Unpack it with `7z x`, pack it anew as zip or tar, and pull that; or leave the entry out with --exclude.",
    )


class _Range:
    """Read a part of a file, wherever others have left its place."""

    def __init__(self, stream: IO[bytes], start: int, size: int) -> None:
        self._stream = stream
        self._place = start
        self._end = start + size

    def read(self, size: int = -1, /) -> bytes:
        left = self._end - self._place
        size = min(left, STEP if size < 0 else min(size, STEP))
        self._stream.seek(self._place)
        data = self._stream.read(size)
        if len(data) < size:
            raise EOFError("its end is missing")
        self._place += len(data)
        return data


class _Checked:
    """Read an entry, count what comes, and check its size and checksum at the end."""

    def __init__(self, stream: Readable, record: Record, budget: Budget) -> None:
        self._stream = stream
        self._record = record
        self._budget = budget
        self._size = 0
        self._crc = 0

    def read(self, size: int = -1, /) -> bytes:
        # one byte more than it should have tells that there is more; LZMA may lack an end mark and is not asked
        left = self._record.size - self._size
        most = min(STEP if size < 0 else size, left + (self._record.method != 14))
        data = self._stream.read(most)
        if len(data) > left:
            raise ValueError("an entry is longer than its directory says")
        if not data:
            if left or self._crc != self._record.crc:
                raise ValueError("the size or the checksum of an entry is wrong")
            return b""
        self._budget.take(len(data))
        self._size += len(data)
        self._crc = zlib.crc32(data, self._crc)
        return data

"""The directory of a zip: where it lies, and what it says of each entry, read a piece at a time (APPNOTE 6.3.10).

The entries' bytes are not read here, and whether the directory tells the truth is not known.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from ontofetch_hookspecs.light_dataclasses import dataclass

from .bounds import STEP
from .inflating import NotRead

_END, _END64, _FIND64, _CENTRAL = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02"
_COMMENT = 1 << 16  # bytes that may stand behind the directory's end
_FULL = 0xFFFF_FFFF
_UTF8 = 0x800
_FIELDS = struct.Struct("<4s4B4HL2L5H2L")


class Record(NamedTuple):
    """What the directory says of an entry; sizes and places in bytes."""

    name: bytes
    flags: int
    method: int
    moment: tuple[int, int]
    crc: int
    packed: int
    size: int
    place: int
    mode: int

    @property
    def shown(self) -> str:
        """Return its name as text."""
        return shown(self.name, self.flags)


class Place(NamedTuple):
    """Where an entry lies, in bytes from the beginning, and how it is called."""

    place: int
    name: bytes
    flags: int


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory lies, how long it is, and by how much everything is moved by what stands before the zip."""

    start: int
    size: int
    moved: int


def shown(name: bytes, flags: int) -> str:
    """Return the name of an entry as text."""
    if not flags & _UTF8 and not name.isascii():
        # macOS and others write UTF-8 and do not say so; what was meant as another encoding hardly ever reads as that
        try:
            return name.decode("utf-8")
        except UnicodeDecodeError:
            # the IBM PC's characters stand for names that say nothing else (APPNOTE, appendix D)
            return name.decode("cp437")
    return name.decode("utf-8", "surrogateescape")


def find_directory(stream: IO[bytes]) -> Directory | None:
    """Return where the directory lies; None if there is none, ValueError if that can't be, NotRead for a split zip."""
    size = stream.seek(0, 2)
    start = max(size - _COMMENT - 22, 0)
    stream.seek(start)
    tail = stream.read(size - start)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        return None
    disks = struct.unpack("<2H", tail[at + 4 : at + 8])
    if not all(disk in (0, 0xFFFF) for disk in disks):
        raise NotRead("is the last part of a zip that was split", "Join its parts with `zip -s 0`, and pull that.")
    length, place = struct.unpack("<2L", tail[at + 12 : at + 20])
    end = start + at
    if at >= 20 and tail[at - 20 : at - 16] == _FIND64:
        stream.seek(max(end - 76, 0))
        wide = stream.read(56)
        if wide[:4] != _END64 or len(wide) < 56:
            raise ValueError("its directory can't be found")
        length, place = struct.unpack("<2Q", wide[40:56])
        end -= 76
    # a program may stand before a zip, and then nothing lies where the zip says
    moved = end - length - place
    if moved < 0:
        raise ValueError("its directory is larger than the file")
    return Directory(end - length, length, moved)


def read_records(stream: IO[bytes], directory: Directory) -> Iterator[Record]:
    """Yield what the directory says; EOFError or ValueError if it is damaged."""
    for fields, name, extra in _read(stream, directory):
        yield _record(fields, name, extra, directory.moved)


def read_places(stream: IO[bytes], directory: Directory) -> Iterator[Place]:
    """Yield where the entries lie, in a fraction of the time; raises as `read_records`."""
    for fields, name, extra in _read(stream, directory):
        place = fields[18]
        if place == _FULL:
            yield Place(_record(fields, name, extra, directory.moved).place, name, fields[5])
        else:
            yield Place(place + directory.moved, name, fields[5])


def _read(stream: IO[bytes], directory: Directory) -> Iterator[tuple[tuple[Any, ...], bytes, bytes]]:
    """Yield the fields of each entry, its name, and what stands behind that."""
    size = _FIELDS.size
    place, end = directory.start, directory.start + directory.size
    while place < end:
        # the entries' bytes are read in between
        stream.seek(place)
        window = stream.read(min(end - place, STEP))
        used = 0
        while used + size <= len(window):
            fields = _FIELDS.unpack_from(window, used)
            if fields[0] != _CENTRAL:
                raise ValueError("its directory can't be read")
            name, extra, comment = fields[12:15]
            behind = used + size + name
            if behind + extra + comment > len(window):
                break
            found = window[used + size : behind], window[behind : behind + extra]
            used = behind + extra + comment
            yield fields, *found
        if not used:
            raise EOFError("its directory is cut")
        place += used


def _record(fields: tuple[Any, ...], name: bytes, extra: bytes, moved: int) -> Record:
    size, packed, place = fields[11], fields[10], fields[18]
    wide = iter(_wide_fields(extra))
    try:
        # APPNOTE 4.5.3: those that are full, in this order
        size = next(wide) if size == _FULL else size
        packed = next(wide) if packed == _FULL else packed
        place = next(wide) if place == _FULL else place
    except StopIteration:
        raise ValueError("a size of its directory is missing") from None
    return Record(
        name=name,
        flags=fields[5],
        method=fields[6],
        moment=(fields[8], fields[7]),
        crc=fields[9],
        packed=packed,
        size=size,
        place=place + moved,
        mode=fields[17] >> 16,
    )


def _wide_fields(extra: bytes) -> list[int]:
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == 1:
            body = extra[place + 4 : place + 4 + length]
            return [number for (number,) in struct.iter_unpack("<Q", body[: len(body) // 8 * 8])]
        place += 4 + length
    return []

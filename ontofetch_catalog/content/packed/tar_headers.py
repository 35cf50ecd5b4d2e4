"""The fields of the headers of a tar: names, numbers, checksums, and what extended headers say (POSIX.1-2017, pax)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from .bounds import Budget


@dataclass(slots=True)
class Told:
    """What extended headers say of the entry that follows: everything, or None where they say nothing."""

    name: str | None = None
    target: str | None = None
    size: int | None = None
    mtime: float | None = None
    sparse: bool = False
    count: int = 0


def joined(told: Told, everywhere: Told) -> Told:
    """Return what the headers of one entry say, and where they say nothing what those for all entries do."""
    return replace(
        told,
        name=everywhere.name if told.name is None else told.name,
        target=everywhere.target if told.target is None else told.target,
        size=everywhere.size if told.size is None else told.size,
        mtime=everywhere.mtime if told.mtime is None else told.mtime,
        sparse=told.sparse or everywhere.sparse,
    )


def own_name(header: bytes) -> str:
    """Return the name in an entry's own header."""
    name = text_of(header[:100])
    prefix = text_of(header[345:500])
    # the GNU form keeps something else there, and says so by two spaces
    return f"{prefix}/{name}" if prefix and header[257:265] != b"ustar  \0" and header[257:262] == b"ustar" else name


def text_of(data: bytes) -> str:
    """Return the text of a field, which a NUL may end."""
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def has_checksum(header: bytes) -> bool:
    """Say whether the checksum in a header is its own."""
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


def number_of(data: bytes, what: str, budget: Budget) -> int:
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


def take_extension(kind: str, body: bytes, told: Told, budget: Budget) -> None:
    """Note what the body of an extended header says; `kind` as in `tars`."""
    if kind == "name":
        told.name = text_of(body)
    elif kind == "link":
        told.target = text_of(body)
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


def _pax_time(value: bytes, told: Told, budget: Budget) -> float:
    try:
        found = float(value[:40])
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        # the name may have been told before
        budget.entry = told.name or budget.entry
        raise budget.refused(f"says a time that is none: {quote(value[:40].decode('ascii', 'replace'))}")
    return found

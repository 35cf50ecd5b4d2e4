"""The making of archives byte by byte, with every field as wanted: zip, tar, and bombs of a few bytes.

Huge members are made of compressed pieces that are repeated, so that making them costs neither time nor memory.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

MIB = 1 << 20
BLOCK = 512


# --- zip ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Member:
    """One member of a zip; `local` overrides fields of its local header only.

    `packed` are its bytes as stored; sizes and checksum are those of `data` unless they are said.
    """

    name: bytes = b"a.ttl"
    data: bytes = b""
    packed: bytes | None = None
    method: int = 0
    flags: int = 0
    version: int = 20
    crc: int | None = None
    packed_size: int | None = None
    size: int | None = None
    extra: bytes = b""
    attributes: int = 0
    descriptor: bytes = b""
    offset: int | None = None
    time: tuple[int, int] = (0, 0x5021)
    local: dict[str, object] = field(default_factory=dict)


def deflate(data: bytes) -> bytes:
    """Return raw deflate."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


# what it is made with, where zeros are packed in half the time
LZMA = {
    "id": lzma.FILTER_LZMA1,
    "dict_size": 1 << 16,
    "lc": 3,
    "lp": 0,
    "pb": 2,
    "mode": lzma.MODE_FAST,
    "mf": lzma.MF_HC3,
    "nice_len": 273,
}


def lzma_member(data: bytes, dictionary: int = 1 << 16) -> bytes:
    """Return the bytes of a member with method 14, as APPNOTE 5.8.8 says."""
    properties = struct.pack("<BI", 0x5D, dictionary)
    return b"\x09\x04" + struct.pack("<H", 5) + properties + lzma.compress(data, lzma.FORMAT_RAW, filters=[LZMA])


PACKERS: dict[int, Callable[[bytes], bytes]] = {0: bytes, 8: deflate, 12: bz2.compress, 14: lzma_member}


def zipped(*members: Member, end: dict[str, int] | None = None, comment: bytes = b"", before: bytes = b"") -> bytes:
    """Return a zip of these members; `end` overrides fields of its end record."""
    out = bytearray(before)
    central = bytearray()
    for member in members:
        packed = member.packed if member.packed is not None else PACKERS.get(member.method, bytes)(member.data)
        told = {
            "version": member.version,
            "flags": member.flags,
            "method": member.method,
            "crc": zlib.crc32(member.data) if member.crc is None else member.crc,
            "packed": len(packed) if member.packed_size is None else member.packed_size,
            "size": len(member.data) if member.size is None else member.size,
            "name": member.name,
            "extra": member.extra,
        }
        here = len(out)
        out += _local(told | member.local, member.time) + packed + member.descriptor
        central += _central(told, member, here if member.offset is None else member.offset)
    count = len(members)
    values = {"count": count, "size": len(central), "offset": len(out)} | (end or {})
    record = struct.pack(
        "<4s4H2LH",
        *(b"PK\x05\x06", 0, 0, values["count"] & 0xFFFF, values["count"] & 0xFFFF),
        *(values["size"] & 0xFFFFFFFF, values["offset"] & 0xFFFFFFFF, len(comment)),
    )
    return bytes(out + central + record + comment)


def _local(told: dict[str, object], time: tuple[int, int]) -> bytes:
    name, extra = told["name"], told["extra"]
    assert isinstance(name, bytes)
    assert isinstance(extra, bytes)
    sizes = [int(str(told[key])) & 0xFFFFFFFF for key in ("crc", "packed", "size")]
    shorts = [int(str(told[key])) & 0xFFFF for key in ("version", "flags", "method")]
    head = struct.pack("<4s5H3L2H", b"PK\x03\x04", *shorts, *time, *sizes, len(name) & 0xFFFF, len(extra) & 0xFFFF)
    return head + name + extra


def _central(told: dict[str, object], member: Member, offset: int) -> bytes:
    sizes = [int(str(told[key])) & 0xFFFFFFFF for key in ("crc", "packed", "size")]
    shorts = [int(str(told[key])) & 0xFFFF for key in ("version", "flags", "method")]
    head = struct.pack(
        "<4s6H3L5H2L",
        *(b"PK\x01\x02", (3 << 8) | 20, *shorts, *member.time, *sizes),
        *(len(member.name) & 0xFFFF, len(member.extra) & 0xFFFF, 0, 0, 0),
        *(member.attributes & 0xFFFFFFFF, offset & 0xFFFFFFFF),
    )
    return head + member.name + member.extra


# --- tar ------------------------------------------------------------------------------------------------------------


def header(
    name: bytes = b"a.ttl",
    size: int | bytes = 0,
    *,
    kind: bytes = b"0",
    magic: bytes = b"ustar\x0000",
    mtime: bytes = b"00000000000\0",
    link: bytes = b"",
    prefix: bytes = b"",
    mode: bytes = b"0000644\0",
    checksum: int | None = None,
    devices: bytes = b"",
) -> bytes:
    """Return one header block; a `size` beyond octal is written in base 256, one in bytes as it is."""
    if isinstance(size, bytes):
        told = size
    elif 0 <= size < 8**11:
        told = b"%011o\0" % size
    else:
        told = (b"\x80" if size >= 0 else b"\xff") + (size & ((1 << 88) - 1)).to_bytes(11, "big")
    block = bytearray(name[:100].ljust(100, b"\0") + mode[:8].ljust(8, b"\0") + b"0000000\0" * 2)
    block += told[:12].ljust(12, b"\0") + mtime[:12].ljust(12, b"\0") + b" " * 8 + kind[:1].ljust(1, b"\0")
    block += link[:100].ljust(100, b"\0") + magic[:8].ljust(8, b"\0") + b"\0" * 64
    block += devices[:16].ljust(16, b"\0") + prefix[:155].ljust(155, b"\0")
    block = block.ljust(BLOCK, b"\0")
    block[148:156] = b"%06o\0 " % ((sum(block) if checksum is None else checksum) & 0o777777)
    return bytes(block)


def padded(data: bytes) -> bytes:
    """Return data up to a whole block."""
    return data + b"\0" * (-len(data) % BLOCK)


def tar_file(name: bytes, data: bytes, **fields: object) -> bytes:
    """Return a member that is a file."""
    return header(name, len(data), **fields) + padded(data)  # type: ignore[arg-type]


def pax_record(key: bytes, value: bytes) -> bytes:
    """Return one record of a PAX header: its length counts itself."""
    rest = len(key) + len(value) + 3
    length = rest + 1
    while length != rest + len(b"%d" % length):
        length = rest + len(b"%d" % length)
    return b"%d %s=%s\n" % (length, key, value)


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    """Return a PAX header (`x`: of the next member, `g`: of all)."""
    return tar_file(b"././@PaxHeader", b"".join(records), kind=kind)


END = b"\0" * (2 * BLOCK)


# --- bombs ----------------------------------------------------------------------------------------------------------


def repeated(count: int, pack: Callable[[bytes], bytes], piece: int = 16 * MIB, fill: bytes = b"\0") -> Iterator[bytes]:
    """Yield whole compressed streams that stand for `count` bytes of `fill`."""
    if count // piece:
        once = pack(fill * piece)
        for _ in range(count // piece):
            yield once
    if count % piece:
        yield pack(fill * (count % piece))


def gz(data: bytes) -> bytes:
    """Return a gzip member without a time."""
    return gzip.compress(data, 9, mtime=0)


def bomb(start: bytes, count: int, end: bytes, pack: Callable[[bytes], bytes] = gz, fill: bytes = b"\0") -> bytes:
    """Return concatenated streams that unpack to start, `count` bytes of fill, and end."""
    return b"".join([pack(start), *repeated(count, pack, fill=fill), pack(end)])


def xz_with_dictionary(data: bytes, bits: int) -> bytes:
    """Return an .xz that asks for a larger dictionary than it needs: `bits` is the property of LZMA2 (0 to 40)."""
    packed = bytearray(lzma.compress(data, lzma.FORMAT_XZ, preset=0))
    start = 12
    size = (packed[start] + 1) * 4
    at = packed.index(b"\x21\x01", start, start + size)  # the id of LZMA2 and the length of its properties
    packed[at + 2] = bits
    packed[start + size - 4 : start + size] = struct.pack("<I", zlib.crc32(bytes(packed[start : start + size - 4])))
    return bytes(packed)

"""Archives that a stranger makes to take memory, disk or processor of whoever unpacks them; made by code."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import zstandard

MIB = 1 << 20
Chunks = Iterator[bytes]


def zeros(count: int) -> Chunks:
    """Yield so many MiB of zeros."""
    for _ in range(count):
        yield bytes(MIB)


def packed(kind: str, chunks: Chunks) -> bytes:
    """Return chunks compressed, without ever holding them."""
    makers = {
        "gz": lambda: zlib.compressobj(9, wbits=31),
        "bz2": bz2.BZ2Compressor,
        "xz": lzma.LZMACompressor,
        "zst": lambda: zstandard.ZstdCompressor(level=3).compressobj(),
    }
    maker = makers[kind]()
    return b"".join([*(maker.compress(chunk) for chunk in chunks), maker.flush()])


def tar_header(name: str, size: int, letter: bytes = b"0", *, length: bytes = b"", mtime: bytes = b"") -> bytes:
    """Return the header of a tar's entry, with whatever size; `length` and `mtime` are raw fields."""
    header = bytearray(512)
    header[:100] = name.encode()[:100].ljust(100, b"\0")
    header[100:108], header[108:116], header[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    header[124:136] = length or b"%011o\0" % size
    header[136:148] = mtime or b"00000000000\0"
    header[156:157] = letter
    header[257:265] = b"ustar\x0000"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def pax(letter: bytes, text: bytes) -> bytes:
    """Return an extended header."""
    return tar_header("x", len(text), letter) + text + bytes(-len(text) % 512)


def record(key: str, value: str) -> bytes:
    """Return one record of an extended header."""
    text = f" {key}={value}\n".encode()
    length = len(text) + 1
    while len(str(length)) + len(text) != length:
        length = len(str(length)) + len(text)
    return str(length).encode() + text


def zip_of(method: int, data: bytes, size: int, *, crc: int = 0) -> bytes:
    """Return a zip with one entry of packed bytes that say to be `size` bytes."""
    return zip_raw([("bomb", method, data, size, crc)])


def zip_raw(entries: list[tuple[str, int, bytes, int, int]], *, at: list[int] | None = None) -> bytes:
    """Return a zip of (name, method, packed bytes, size, crc); `at` says where the directory claims they begin."""
    body, directory = b"", b""
    for number, (name, method, data, size, crc) in enumerate(entries):
        place = len(body) if at is None else at[number]
        rest = struct.pack("<HHHHHLLLHH", 20, 0, method, 0, 0x21, crc, len(data), size, len(name), 0)
        body += b"PK\x03\x04" + rest + name.encode() + data
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + rest + struct.pack("<HHHLL", 0, 0, 0, 0, place)
        directory += name.encode()
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0, len(entries), len(directory), len(body), 0)
    return body + directory + end


def lzma_member(size: int, dictionary: int = 1 << 20) -> bytes:
    """Return zeros as an entry of a zip with LZMA holds them, with whatever dictionary in its header."""
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20, "lc": 3, "lp": 0, "pb": 2}]
    maker = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=filters)
    data = b"".join([*(maker.compress(chunk) for chunk in zeros(size)), maker.flush()])
    return struct.pack("<BBHBL", 9, 4, 5, 0x5D, dictionary) + data


def overlapping() -> bytes:
    """Return a zip whose 2,000 entries all point at one packed megabyte."""
    data = zlib.compressobj(9, wbits=-15)
    one = data.compress(bytes(MIB)) + data.flush()
    crc = zlib.crc32(bytes(MIB))
    first = zip_raw([("f0000", 8, one, MIB, crc)])
    body = first[: first.index(b"PK\x01\x02")]
    directory = b""
    for number in range(2000):
        rest = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 0x21, crc, len(one), MIB, 5, 0)
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 20) + rest + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + b"f%04d" % number
        )
    return body + directory + struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0, 2000, len(directory), len(body), 0)


def quoting() -> bytes:
    """Return a zip whose first entry, stored, has the second one in its bytes (Fifield 2019)."""
    inner = zip_raw([("inner", 0, b"x" * 100, 100, zlib.crc32(b"x" * 100))])
    inner = inner[: inner.index(b"PK\x01\x02")]
    outer = ("outer", 0, inner, len(inner), zlib.crc32(inner))
    data = zip_raw([outer])
    body = data[: data.index(b"PK\x01\x02")]
    directory = b""
    for name, size, crc, place in (
        ("outer", len(inner), zlib.crc32(inner), 0),
        ("inner", 100, zlib.crc32(b"x" * 100), len(body) - len(inner)),
    ):
        rest = struct.pack("<HHHHHLLLHH", 20, 0, 0, 0, 0x21, crc, size, size, len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + rest + struct.pack("<HHHLL", 0, 0, 0, 0, place)
        directory += name.encode()
    return body + directory + struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0, 2, len(directory), len(body), 0)


def full_directory(count: int) -> bytes:
    """Return a zip with a directory of so many entries, all of them of no bytes."""
    rest = struct.pack("<HHHHHLLLHH", 20, 0, 0, 0, 0x21, 0, 0, 0, 1, 0)
    one = b"PK\x01\x02" + struct.pack("<H", 20) + rest + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + b"f"
    directory = one * count
    body = b"PK\x03\x04" + rest + b"f"
    return body + directory + struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0, 0xFFFF, len(directory), len(body), 0)


def deep(count: int, depth: int) -> bytes:
    """Return a tar of empty files, each in folders of its own, so many of them in each other."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for number in range(count):
            archive.addfile(tarfile.TarInfo("/".join([f"d{number}", *["d"] * depth, "f"])))
    return stream.getvalue()


def tar_head(letter: bytes, size: int) -> Chunks:
    """Yield a tar that begins with an extended header of so many MiB."""
    yield tar_header("x", size * MIB, letter)
    yield from zeros(size)
    yield tar_header("f", 0) + bytes(1024)


def sparse_map() -> bytes:
    """Return an old GNU sparse entry whose map says for ever that it goes on."""
    header = bytearray(tar_header("s", 0, b"S"))
    header[257:265] = b"ustar  \0"
    header[482] = 1
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    block = b"00000000001\0" * 42 + b"\1" + bytes(7)
    return bytes(header) + block * 200_000


def window(log: int) -> bytes:
    """Return a zstandard frame that wants a window of 2**log bytes."""
    return b"\x28\xb5\x2f\xfd" + bytes([0x00, (log - 10) << 3]) + bytes([0x01 | 1 << 3, 0, 0]) + b"x"


def xz_with_dictionary(size: int) -> bytes:
    """Return an xz whose block header says a dictionary of `size` bytes, a power of two from 4 KiB to 2 GiB."""
    data = bytearray(lzma.compress(b"x" * 100, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]))
    # stream header 12; block header: size, flags, filter id, size of properties, properties (xz 3.1)
    data[16] = 2 * (size.bit_length() - 1) - 24
    end = 12 + (data[12] + 1) * 4
    data[end - 4 : end] = zlib.crc32(bytes(data[12 : end - 4])).to_bytes(4, "little")
    return bytes(data)


BOMBS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a zip with bzip2": ("a.zip", lambda: zip_of(12, packed("bz2", zeros(256)), 1 << 28), "more than 200 times"),
    "a zip with LZMA": ("a.zip", lambda: zip_of(14, lzma_member(256), 1 << 28), "more than 200 times"),
    "a zip with a large dictionary": ("a.zip", lambda: zip_of(14, lzma_member(1, 1 << 31), MIB), "128 MiB of memory"),
    "a zip that says less": ("a.zip", lambda: zip_of(12, packed("bz2", zeros(256)), 10), "longer than its directory"),
    "entries that share their bytes": ("a.zip", overlapping, "shares its bytes"),
    "an entry inside of another": ("a.zip", quoting, "shares its bytes"),
    "a directory of 2,000,000 entries": ("a.zip", lambda: full_directory(2_000_000), "one more than 1,000,000"),
    "a pax header": ("a.tar.gz", lambda: packed("gz", tar_head(b"x", 512)), "a header of 536,870,912 bytes"),
    "a global pax header": ("a.tar.gz", lambda: packed("gz", tar_head(b"g", 512)), "a header of 536,870,912 bytes"),
    "a long name": ("a.tar.gz", lambda: packed("gz", tar_head(b"L", 512)), "a header of 536,870,912 bytes"),
    "a long link": ("a.tar.zst", lambda: packed("zst", tar_head(b"K", 2048)), "a header of 2,147,483,648 bytes"),
    "a chain of headers": ("a.tar", lambda: pax(b"x", record("comment", "x")) * 5000, "more than 16 headers"),
    "a sparse map": ("a.tar.gz", lambda: gzip.compress(sparse_map(), 1), "is a sparse file"),
    "zeros behind the end": (
        "a.tar.bz2",
        lambda: packed("bz2", iter([tar_header("f", 0) + bytes(1024), *zeros(256)])),
        "more than 200 times",
    ),
    "folders": ("a.tar.gz", lambda: gzip.compress(deep(300, 500)), "lies in 501 folders, more than 100"),
    "folders beside each other": ("a.tar.xz", lambda: lzma.compress(deep(4000, 90)), "more than 200 times"),
    "a window": ("a.ttl.zst", lambda: window(31), "128 MiB of memory"),
    "a dictionary": ("a.ttl.xz", lambda: xz_with_dictionary(1 << 31), "128 MiB of memory"),
    "repeated blocks": ("a.ttl.zst", lambda: packed("zst", zeros(2048)), "more than 200 times"),
    "a single file": ("a.ttl.bz2", lambda: packed("bz2", zeros(256)), "more than 200 times"),
}


def write(folder: Path, bomb: str) -> tuple[Path, str]:
    """Write a bomb and return its path and the name under which it is to be unpacked."""
    name, make, _ = BOMBS[bomb]
    path = folder / "artifact"
    path.write_bytes(make())
    return path, name


def bzip2_zip() -> bytes:
    """Return a zip with bzip2 of Python's own making, to show that honest ones are read."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.ttl", b"x" * 1000)
    return stream.getvalue()

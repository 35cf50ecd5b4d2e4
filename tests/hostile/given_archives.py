"""The hostile archives and streams that are tried by name. How they are packed byte by byte stands in `packing`."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import zstandard

from . import packing as p
from .oracles import Attack, Prepare
from .packing import MIB, Member
from .places import Place

GIB = 1 << 30
TURTLE = b"<http://example.org/a> <http://example.org/b> <http://example.org/c> .\n"
FEW = {"ONTOFETCH_MAX_ENTRIES": "20000"}
PULL = ("--service", "given", "--ontology", "hostile", "--version", "1", "-q")


def pulled(name: str, make: Callable[[], bytes], *words: str) -> Prepare:
    """Return what puts a file into the working folder and pulls it."""

    def prepare(place: Place, stack: ExitStack) -> list[tuple[str, ...]]:
        del stack
        return [("pull", place.give(name, make()), *PULL, *words)]

    return prepare


def pulled_sparse(name: str, start: bytes, count: int, end: bytes = b"") -> Prepare:
    """Return what pulls a file with a hole: start, `count` bytes of zeros that take no room, end."""

    def prepare(place: Place, stack: ExitStack) -> list[tuple[str, ...]]:
        del stack
        place.give(name, start)
        with (place.work / name).open("r+b") as stream:
            stream.truncate(len(start) + count)
            stream.seek(0, io.SEEK_END)
            stream.write(end)
        return [("pull", name, *PULL)]

    return prepare


# --- zip ------------------------------------------------------------------------------------------------------------


@cache
def _zeros(method: int, count: int) -> bytes:
    packer: bz2.BZ2Compressor | lzma.LZMACompressor = bz2.BZ2Compressor()
    head = b""
    if method == 14:
        packer = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[p.LZMA])
        head = b"\x09\x04" + struct.pack("<HBI", 5, 0x5D, 1 << 16)
    piece = bytes(4 * MIB)
    packed = [packer.compress(piece) for _ in range(count // len(piece))]
    return head + b"".join([*packed, packer.flush()])


def zip_bomb(method: int, count: int, *, told: int | None = None) -> bytes:
    """Return a zip whose member unpacks to `count` zeros and says that it has `told`."""
    member = Member(name=b"zeros.ttl", packed=_zeros(method, count), method=method, size=told or count, crc=0)
    return p.zipped(member)


def lzma_dictionary() -> bytes:
    """Return a zip whose member asks for a dictionary of 4 GiB, behind bytes that keep the ratio low."""
    noise = random.Random(1).randbytes(4 * MIB)
    data = noise + bytes(300 * MIB)
    return p.zipped(Member(name=b"a.ttl", packed=p.lzma_member(data, 0xFFFFFFFF), method=14, size=len(data), crc=0))


def many_entries(count: int) -> bytes:
    """Return a zip of many empty entries in one central directory, all of which name one local header."""
    return p.zipped(*(Member(name=b"%d.ttl" % number) for number in range(count)))


def overlapping(count: int) -> bytes:
    """Return a zip whose entries share one kernel of zeros, as in David Fifield's `A better zip bomb` (2019)."""
    kernel = Member(name=b"k.ttl", data=bytes(20 * MIB), method=8)
    others = [
        Member(name=b"k.ttl", packed=b"", method=8, size=20 * MIB, packed_size=20_000, offset=0, crc=0)
        for _ in range(count)
    ]
    return p.zipped(kernel, *others)


def named(*names: bytes, kind: str = "zip") -> Callable[[], bytes]:
    """Return what packs small files of these names."""
    if kind == "zip":
        return lambda: p.zipped(*(Member(name=name, data=TURTLE) for name in names))
    return lambda: b"".join(p.tar_file(name, TURTLE) for name in names) + p.END


# --- tar and streams ------------------------------------------------------------------------------------------------


def pax_bomb(count: int) -> bytes:
    """Return a .tar.gz whose PAX header is valid and `count` bytes long."""
    length = count
    start = b"%d comment=" % length
    body = p.header(b"pax", length, kind=b"x") + start
    tail = b"\n" + b"\0" * (-length % 512) + p.tar_file(b"a.ttl", TURTLE) + p.END
    return p.bomb(body, length - len(start) - 1, tail, fill=b"x")


def long_name_bomb(count: int, kind: bytes = b"L") -> bytes:
    """Return a .tar.gz with a GNU long name (or, with `K`, a long link) of `count` bytes."""
    tail = b"\0" * (-count % 512) + p.tar_file(b"a.ttl", TURTLE) + p.END
    return p.bomb(p.header(b"././@LongLink", count, kind=kind, magic=b"ustar  \0"), count, tail, fill=b"x")


def many_headers(count: int) -> bytes:
    """Return a .tar.gz in which each of many members brings PAX headers of 1 MiB, none of which is large by itself."""
    header = p.pax(p.pax_record(b"comment", b"x" * MIB)) + p.tar_file(b"a%d", b"")
    return p.gz(b"") + p.gz(header) * count + p.gz(p.END)


def global_headers(count: int) -> bytes:
    """Return a .tar.gz of global PAX headers, each with another key: they add up."""
    parts = [p.gz(p.pax(p.pax_record(b"k%d" % number, b"x" * MIB), kind=b"g")) for number in range(count)]
    return b"".join(parts) + p.gz(p.tar_file(b"a.ttl", TURTLE) + p.END)


def deep_folders(count: int, depth: int) -> bytes:
    """Return a .tar.gz of empty files, each below deep folders of its own."""
    chain = b"/".join([b"d"] * depth)
    data = b"".join(
        p.pax(p.pax_record(b"path", b"%d/" % number + chain + b"/f")) + p.tar_file(b"x", b"") for number in range(count)
    )
    return p.gz(data + p.END)


def behind_the_end(count: int, pack: Callable[[bytes], bytes]) -> bytes:
    """Return a compressed tar with so many zeros behind its end."""
    return p.bomb(p.tar_file(b"a.ttl", TURTLE) + p.END, count, b"", pack)


def skipped(count: int) -> bytes:
    """Return a .tar.gz with one huge member that nobody asked for and a small one."""
    return p.bomb(p.header(b"huge.bin", count), count, b"\0" * (-count % 512) + p.tar_file(b"a.ttl", TURTLE) + p.END)


def xz_dictionary() -> bytes:
    """Return an .xz that asks for a dictionary of 1.5 GiB and fills 400 MiB of it while the ratio stays low."""
    noise = random.Random(2).randbytes(4 * MIB)
    return p.xz_with_dictionary(noise + bytes(700 * MIB), 37)


def zstd_window(log: int, count: int) -> bytes:
    """Return a frame with a window of 2**log bytes that stands for `count` zeros (RFC 8878, 3.1.1)."""
    blocks = count // (128 * 1024)
    block = struct.pack("<I", (128 * 1024 << 3) | (1 << 1))[:3] + b"\0"
    last = struct.pack("<I", (1 << 3) | (1 << 1) | 1)[:3] + b"\0"
    return b"\x28\xb5\x2f\xfd\x00" + bytes([(log - 10) << 3]) + block * blocks + last


def tar_with(**records: bytes) -> Callable[[], bytes]:
    """Return what packs a tar whose member has these PAX records (`__` stands for a dot)."""
    told = [p.pax_record(key.replace("__", ".").encode(), value) for key, value in records.items()]
    return lambda: p.pax(*told) + p.tar_file(b"a.ttl", TURTLE) + p.END


def plain_tar(*blocks: bytes) -> Callable[[], bytes]:
    """Return what joins blocks to a tar."""
    return lambda: b"".join(blocks) + p.END


def folders_tar(count: int) -> bytes:
    """Return a .tar.gz of deep folders only."""
    chain = b"/".join([b"d"] * 400)
    return p.gz(
        b"".join(p.pax(p.pax_record(b"path", b"%d/" % n + chain)) + p.header(b"x", kind=b"5") for n in range(count))
        + p.END
    )


def _attacks() -> Iterator[Attack]:
    large: dict[str, tuple[str, Callable[[], bytes], tuple[str, ...]]] = {
        "zip-bzip2": ("a.zip", lambda: zip_bomb(12, GIB), ()),
        "zip-lzma": ("a.zip", lambda: zip_bomb(14, GIB), ()),
        "zip-bzip2-small-told": ("a.zip", lambda: zip_bomb(12, GIB, told=100), ()),
        "zip-lzma-dictionary": ("a.zip", lzma_dictionary, ()),
        "zip-many-entries": ("a.zip", lambda: many_entries(30_000), ()),
        "zip-overlapping": ("a.zip", lambda: overlapping(200), ()),
        "tar-pax": ("a.tar.gz", lambda: pax_bomb(2 * GIB), ()),
        "tar-long-name": ("a.tar.gz", lambda: long_name_bomb(2 * GIB), ()),
        "tar-long-link": ("a.tar.gz", lambda: long_name_bomb(GIB, b"K"), ()),
        "tar-many-headers": ("a.tar.gz", lambda: many_headers(3_000), ()),
        "tar-global-headers": ("a.tar.gz", lambda: global_headers(1_000), ()),
        "tar-deep-folders": ("a.tar.gz", lambda: deep_folders(200, 500), ()),
        "tar-only-folders": ("a.tar.gz", lambda: folders_tar(200), ()),
        "tar-behind-gz": ("a.tar.gz", lambda: behind_the_end(20 * GIB, p.gz), ()),
        "tar-behind-bz2": ("a.tar.bz2", lambda: behind_the_end(20 * GIB, bz2.compress), ()),
        "tar-behind-xz": ("a.tar.xz", lambda: behind_the_end(20 * GIB, lambda data: lzma.compress(data, preset=0)), ()),
        "tar-behind-zst": ("a.tar.zst", lambda: behind_the_end(20 * GIB, zstandard.compress), ()),
        "tar-skipped": ("a.tar.gz", lambda: skipped(20 * GIB), ("--include", "*.ttl")),
        "gz-zeros": ("a.ttl.gz", lambda: p.bomb(TURTLE, 20 * GIB, b""), ()),
        "xz-dictionary": ("a.ttl.xz", xz_dictionary, ()),
        "zst-window-27": ("a.ttl.zst", lambda: zstd_window(27, 2 * GIB), ()),
        "zst-window-31": ("a.ttl.zst", lambda: zstd_window(31, 2 * GIB), ()),
        "zst-window-41": ("a.ttl.zst", lambda: zstd_window(41, GIB), ()),
        "gz-empty-members": ("a.ttl.gz", lambda: p.gz(b"") * 2_000_000, ()),
        "bz2-empty-streams": ("a.ttl.bz2", lambda: bz2.compress(b"") * 2_000_000, ()),
        "zst-skippable": (
            "a.ttl.zst",
            lambda: b"\x50\x2a\x4d\x18\0\0\0\0" * 3_000_000 + zstandard.compress(TURTLE),
            (),
        ),
    }
    for name, (file, make, words) in large.items():
        yield Attack(name, "bombs", pulled(file, make, *words), environment=FEW if "folders" in name else {})
    yield Attack("tar-sparse-hole", "bombs", pulled_sparse("a.tar", p.tar_file(b"a.ttl", TURTLE) + p.END, 20 * GIB))
    for name, (file, make) in SMALL.items():
        yield Attack(name, "archives", pulled(file, make))


SMALL: dict[str, tuple[str, Callable[[], bytes]]] = {
    "mtime-nan": ("a.tar", tar_with(mtime=b"nan")),
    "mtime-inf": ("a.tar", tar_with(mtime=b"-inf")),
    "mtime-huge": ("a.tar", tar_with(mtime=b"1e400")),
    "mtime-long": ("a.tar", tar_with(mtime=b"9" * 6000)),
    "size-long": ("a.tar", tar_with(size=b"9" * 6000)),
    "size-negative": ("a.tar", tar_with(size=b"-512")),
    "uid-long": ("a.tar", tar_with(uid=b"9" * 5000)),
    "path-up": ("a.tar", tar_with(path=b"../../outside/x")),
    "path-absolute": ("a.tar", tar_with(path=b"/tmp/x")),
    "path-nul": ("a.tar", tar_with(path=b"a\0b")),
    "path-empty": ("a.tar", tar_with(path=b"")),
    "gnu-sparse-0.1": ("a.tar", tar_with(GNU__sparse__map=b"0,1,x", GNU__sparse__size=b"99")),
    "gnu-sparse-1.0": ("a.tar", tar_with(GNU__sparse__major=b"1", GNU__sparse__minor=b"0")),
    "gnu-sparse-numbers": ("a.tar", tar_with(GNU__sparse__major=b"x", GNU__sparse__realsize=b"y")),
    "gnu-sparse-size": ("a.tar", tar_with(GNU__sparse__size=b"nan")),
    "charset": ("a.tar", tar_with(hdrcharset=b"BINARY", path=b"\xff\xfe")),
    "pax-no-length": ("a.tar", plain_tar(p.tar_file(b"p", b"path=x\n", kind=b"x"), p.tar_file(b"a.ttl", TURTLE))),
    "pax-zero-length": ("a.tar", plain_tar(p.tar_file(b"p", b"0 path=x\n", kind=b"x"), p.tar_file(b"a.ttl", TURTLE))),
    "pax-chain": ("a.tar", plain_tar(*[p.pax(p.pax_record(b"comment", b"x"))] * 5000, p.tar_file(b"a.ttl", TURTLE))),
    "long-name-chain": ("a.tar", plain_tar(*[p.tar_file(b"l", b"x\0", kind=b"L")] * 5000, p.tar_file(b"a", TURTLE))),
    "negative-size": ("a.tar", plain_tar(p.header(b"a.ttl", -512), p.tar_file(b"b.ttl", TURTLE))),
    "base256-size": ("a.tar", plain_tar(p.header(b"a.ttl", 1 << 80))),
    "sparse": ("a.tar", plain_tar(p.header(b"a.ttl", 0, kind=b"S", magic=b"ustar  \0"))),
    "fifo": ("a.tar", plain_tar(p.header(b"a.ttl", kind=b"6"))),
    "link": ("a.tar", plain_tar(p.header(b"a", kind=b"2", link=b"../../outside"), p.tar_file(b"a/x", TURTLE))),
    "hard-link": ("a.tar", plain_tar(p.header(b"a.ttl", kind=b"1", link=b"../../outside/secret.txt"))),
    "odd-kind": ("a.tar", plain_tar(p.header(b"a.ttl", kind=b"\xff"))),
    "v7": ("a.tar", plain_tar(p.header(b"a.ttl", len(TURTLE), magic=b"") + p.padded(TURTLE))),
    "zip-up": ("a.zip", named(b"../../outside/secret.txt", b"ok.ttl")),
    "zip-backslash": ("a.zip", named(b"..\\..\\outside\\x", b"ok.ttl")),
    "zip-nul": ("a.zip", named(b"a.ttl\0.exe")),
    "zip-empty-name": ("a.zip", named(b"", b"ok.ttl")),
    "zip-local-name": ("a.zip", lambda: p.zipped(Member(name=b"a.ttl", data=TURTLE, local={"name": b"../x"}))),
    "zip-method-99": ("a.zip", lambda: p.zipped(Member(data=TURTLE, method=99))),
    "zip-method-9": ("a.zip", lambda: p.zipped(Member(data=TURTLE, method=9))),
    "zip-method-93": ("a.zip", lambda: p.zipped(Member(data=TURTLE, method=93))),
    "zip-lzma-short": ("a.zip", lambda: p.zipped(Member(packed=b"\x09", size=9, method=14))),
    "zip-lzma-properties": ("a.zip", lambda: p.zipped(Member(packed=b"\x09\x04\xff\xff\x5d", size=9, method=14))),
    "zip-lzma-odd": (
        "a.zip",
        lambda: p.zipped(Member(packed=b"\x09\x04\x05\0\xff\0\0\1\0" + b"x" * 50, size=9, method=14)),
    ),
    "zip-size-lie": ("a.zip", lambda: p.zipped(Member(data=TURTLE, size=0xFFFFFFF0, packed_size=0xFFFFFFF0))),
    "zip-zip64-lie": (
        "a.zip",
        lambda: p.zipped(Member(data=TURTLE, size=0xFFFFFFFF, extra=b"\1\0\x08\0" + b"\xff" * 8)),
    ),
    "zip-extra-short": ("a.zip", lambda: p.zipped(Member(data=TURTLE, extra=b"\1\0\xff\xff"))),
    "zip-offset": ("a.zip", lambda: p.zipped(Member(data=TURTLE, offset=0xFFFFFF00))),
    "zip-link": ("a.zip", lambda: p.zipped(Member(data=b"../../outside", attributes=0o120777 << 16))),
    "zip-many-told": ("a.zip", lambda: p.zipped(Member(data=TURTLE), end={"count": 65_535})),
    "zip-directory-size": ("a.zip", lambda: p.zipped(Member(data=TURTLE), end={"size": 0xFFFFFFF0})),
    "zip-time": ("a.zip", lambda: p.zipped(Member(data=TURTLE, time=(0xFFFF, 0xFFFF)))),
    "gz-header-only": ("a.ttl.gz", lambda: b"\x1f\x8b\x08\x04\0\0\0\0\0\0\xff\xff"),
    "gz-garbage-behind": ("a.ttl.gz", lambda: gzip.compress(TURTLE) + b"garbage"),
    "xz-index": ("a.ttl.xz", lambda: lzma.compress(TURTLE)[:-20] + b"\xff" * 20),
    "zst-dictionary": ("a.ttl.zst", lambda: b"\x28\xb5\x2f\xfd\x23\xff\xff\xff\xff\x05" + b"x" * 20),
}
ATTACKS = tuple(_attacks())

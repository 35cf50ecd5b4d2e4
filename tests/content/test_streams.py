"""Compressed streams: what comes out is what the program of their kind gives, and what it calls damage is damage."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ontofetch_catalog.content.packed.archives import Budget, Limits, read_entries
from ontofetch_catalog.content.packed.remarks import BEHIND
from ontofetch_catalog.errors import ExtractError
from tests.levels import drawn

TEXT = b"<urn:a> <urn:b> <urn:c> .\n"
A, B = TEXT * 400, b"<urn:d> <urn:e> <urn:f> .\n" * 500
Pack = Callable[[bytes], bytes]


def zstd(data: bytes) -> bytes:
    """Return a frame with its checksum."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


PACKS: dict[str, Pack] = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
}
PROGRAMS = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}


def skippable(data: bytes, number: int = 0) -> bytes:
    """Return a frame that decoders of zstandard pass over."""
    return struct.pack("<2L", 0x184D2A50 + number, len(data)) + data


def flipped(data: bytes, place: float) -> bytes:
    """Return bytes with one of them changed."""
    at = int(place * (len(data) - 1))
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


def read(kind: str, data: bytes) -> tuple[bytes, list[str]] | None:
    """Return what comes out of a stream here and what is remarked; None for damage."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder, "a")
        path.write_bytes(data)
        budget = Budget("a", len(data), Limits())
        try:
            (entry,) = read_entries(path, f"a.ttl.{kind}", stack, budget)
            with entry.open() as stream:
                found = b"".join(iter(lambda: stream.read(7000), b""))
        except ExtractError as error:
            if "damaged or truncated" in str(error) or "named like an archive" in str(error):
                return None
            raise
    return found, [remark.reason for remark in budget.remarks.list()]


def read_all(path: Path, name: str) -> None:
    """Read every entry of an archive."""
    with ExitStack() as stack:
        for entry in read_entries(path, name, stack):
            with entry.open() as stream:
                while stream.read(1 << 16):
                    pass


def by_program(kind: str, data: bytes) -> bytes | None:
    """Return what the program of a kind gives; None where it reports damage, for gzip also by a warning."""
    done = subprocess.run([PROGRAMS[kind], "-dc"], input=data, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def check(kind: str, data: bytes) -> None:
    """Check that both say the same."""
    if shutil.which(PROGRAMS[kind]) is None:
        pytest.skip(f"{PROGRAMS[kind]} is not installed")
    found = read(kind, data)
    assert (None if found is None else found[0]) == by_program(kind, data)


SHAPES: dict[str, Callable[[Pack], bytes]] = {
    "one": lambda pack: pack(A),
    "two": lambda pack: pack(A) + pack(B),
    "an empty one between": lambda pack: pack(A) + pack(b"") + pack(B),
    "an empty one alone": lambda pack: pack(b""),
    "four zeros between": lambda pack: pack(A) + bytes(4) + pack(B),
    "512 zeros between": lambda pack: pack(A) + bytes(512) + pack(B),
    "three zeros between": lambda pack: pack(A) + bytes(3) + pack(B),
    "four zeros behind": lambda pack: pack(A) + bytes(4),
    "five zeros behind": lambda pack: pack(A) + bytes(5),
    "100,000 zeros behind": lambda pack: pack(A) + bytes(100_000),
    "200,000 zeros and rubbish behind": lambda pack: pack(A) + bytes(200_000) + b"rubbish",
    "rubbish behind": lambda pack: pack(A) + b"rubbish and more of it",
    "one letter behind": lambda pack: pack(A) + b"x",
    "a beginning behind": lambda pack: pack(A) + pack(B)[:1],
    "two bytes of a beginning behind": lambda pack: pack(A) + pack(B)[:2],
    "a longer beginning behind": lambda pack: pack(A) + pack(B)[:9],
    "rubbish between": lambda pack: pack(A) + b"rubbish" + pack(B),
    "a second one damaged": lambda pack: pack(A) + flipped(pack(B), 0.5),
    "a second one with a wrong checksum": lambda pack: pack(A) + flipped(pack(B), 0.98),
    "a second one cut": lambda pack: pack(A) + pack(B)[:-5],
    "a first one damaged": lambda pack: flipped(pack(A), 0.6) + pack(B),
    "another kind behind": lambda pack: pack(A) + (bz2.compress(B) if pack is not bz2.compress else lzma.compress(B)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", PACKS)
def test_a_stream_is_read_as_its_program_reads_it(kind: str, shape: str) -> None:
    """Several parts, padding, rubbish and damage come out as they do of `gzip -dc` and its like."""
    check(kind, SHAPES[shape](PACKS[kind]))


FRAMES = {
    "first": skippable(b"told") + zstd(A),
    "last": zstd(A) + skippable(b"an index", 14),
    "between": zstd(A) + skippable(b"") * 3 + zstd(B),
    "alone": skippable(b"nothing else"),
    "cut": zstd(A) + skippable(b"an index")[:-3],
    "cut in its size": zstd(A) + skippable(b"an index")[:6],
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_to_be_skipped_are(name: str) -> None:
    """Frames of somebody else's data are passed over wherever they stand; one that is cut is damage."""
    check("zst", FRAMES[name])


@settings(max_examples=drawn(60), deadline=None)
@given(
    kind=st.sampled_from(sorted(PACKS)),
    parts=st.lists(
        st.tuples(
            st.sampled_from(["part", "part", "part", "zeros", "fours", "rubbish", "cut", "damaged"]),
            st.integers(0, 3000),
            st.floats(0, 1),
        ),
        min_size=1,
        max_size=5,
    ),
)
def test_whatever_stands_behind_whatever(kind: str, parts: list[tuple[str, int, float]]) -> None:
    """Parts, zeros, rubbish and damage in any order come out as the program gives them."""
    pack = PACKS[kind]
    made = {
        "part": lambda size, _: pack(TEXT * (size // 20)),
        "zeros": lambda size, _: bytes(size % 7),
        "fours": lambda size, _: bytes(4 * (size % 5)),
        "rubbish": lambda size, _: b"rubbish"[: size % 7],
        "cut": lambda size, place: pack(TEXT * (size // 20))[: int(place * 60)],
        "damaged": lambda size, place: flipped(pack(TEXT * (size // 20)), place),
    }
    data = pack(A) + b"".join(made[what](size, place) for what, size, place in parts)
    check(kind, data)


def test_what_bzip2_leaves_out_is_remarked() -> None:
    """Bytes behind a bzip2 stream, which its program passes over, are told once."""
    assert read("bz2", bz2.compress(A) + b"rubbish") == (A, [BEHIND])
    assert read("bz2", bz2.compress(A) + bz2.compress(B)) == (A + B, [])


def test_many_parts_are_read() -> None:
    """A thousand parts, and padding between them, are read to the last."""
    data = b"".join(lzma.compress(b"%d\n" % number, preset=0) + bytes(4) for number in range(1000))
    found = read("xz", data)
    assert found is not None
    assert found[0] == b"".join(b"%d\n" % number for number in range(1000))


NOT_READ = {
    "a large window": (
        "a.ttl.zst",
        b"\x28\xb5\x2f\xfd\x00" + bytes([(28 - 10) << 3]) + bytes([0x01 | 1 << 3, 0, 0]) + b"x",
        ("zstd with a large window (--long)", "128 MiB"),
    ),
    "a dictionary of zstd": (
        "a.ttl.zst",
        zstandard.ZstdCompressor(
            dict_data=zstandard.train_dictionary(2000, [TEXT * 3 + b"%d" % n for n in range(900)])
        ).compress(A),
        ("a zstd dictionary", "zstd -d -D"),
    ),
    "an old zstd": ("a.ttl.zst", b"\x27\xb5\x2f\xfd" + bytes(20), ("before 1.0", "zstd -d")),
    "a checksum nobody knows": (
        "a.ttl.xz",
        b"\xfd7zXZ\0\0\x02" + lzma.compress(A)[8:],
        ("a checksum of a kind that is not known here (number 2)", "xz -d"),
    ),
    "LZMA of the old form": ("a.ttl.lzma", lzma.compress(A, format=lzma.FORMAT_ALONE), ("LZMA", "xz -d")),
    "LZMA under another name": ("a.ttl", lzma.compress(A, format=lzma.FORMAT_ALONE, preset=9), ("LZMA", "xz -d")),
    "compress": ("a.ttl.Z", b"\x1f\x9d\x90" + bytes(40), ("a .Z file", "gzip -d")),
    "lz4": ("a.ttl", b"\x04\x22\x4d\x18" + bytes(40), ("lz4", "lz4 -d")),
    "lz4 behind a skippable frame": ("a.ttl", skippable(b"x") + b"\x04\x22\x4d\x18" + bytes(40), ("lz4", "lz4 -d")),
    "lzip": ("a.ttl.lz", b"LZIP\x01\x0c" + bytes(40), ("lzip", "lzip -d")),
    "brotli": ("a.ttl.br", b"\x8b\x05\x80hello\x03" + bytes(range(128, 160)), ("brotli", "brotli -d")),
    "7z": ("release", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40), ("7z", "7z x")),
    "RAR 4": ("release.zip", b"Rar!\x1a\x07\0" + bytes(40), ("RAR", "unrar x")),
    "RAR 5": ("release.rar", b"Rar!\x1a\x07\1\0" + bytes(40), ("RAR", "unrar x")),
    "a cabinet": ("release", b"MSCF\0\0\0\0" + bytes(40), ("cabinet", "cabextract")),
    "cpio": ("release", b"070701" + b"0" * 104 + bytes(40), ("cpio", "cpio -id")),
    "ar": ("release.deb", b"!<arch>\ndebian-binary   ", ("ar archive", "ar x")),
    "7z in gz": (
        "release.7z.gz",
        gzip.compress(b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40)),
        ("7z archive inside of gz", "7z"),
    ),
    "gz in gz": ("a.ttl.gz", gzip.compress(gzip.compress(A)), ("compressed twice, by gz and then by gz", "gzip -d")),
    "xz in zst": ("a.ttl.zst", zstd(lzma.compress(A)), ("compressed twice, by xz and then by zst", "zstd -d")),
    "zip in gz": ("a.zip.gz", gzip.compress(b"PK\x03\x04" + bytes(60)), ("a zip inside of gz", "gzip -d")),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_a_kind_that_cant_be_read_is_named(tmp_path: Path, name: str) -> None:
    """What nobody here can unpack is called by its name, with what to type next, and never damaged."""
    file, data, words = NOT_READ[name]
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ExtractError) as refused:
        read_all(tmp_path / "a", file)
    assert "damaged" not in str(refused.value)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.bin", bytes(range(256))),
        ("a.txt", b"BZhang was here"),
        ("a.txt", b"7z is a program"),
        ("a.txt", b"]\0\0 is no LZMA"),
        ("a.txt", b"Rar! said the lion"),
        ("a.txt", b"070701 is a number"),
        ("a.txt", b"LZIP stands for something"),
        ("a", b""),
        ("a", b"\x1f"),
    ],
)
def test_other_bytes_are_one_file(tmp_path: Path, name: str, data: bytes) -> None:
    """What merely begins like something, or like nothing that is known, is a file of its own."""
    (tmp_path / "a").write_bytes(data)
    with ExitStack() as stack:
        (entry,) = read_entries(tmp_path / "a", name, stack)
        with entry.open() as stream:
            assert (entry.name, stream.read()) == (name, data)


def test_a_text_under_the_name_of_a_compression_is_said_to_be_none(tmp_path: Path) -> None:
    """An error page that was saved as `.br`, `.7z` or `.gz` is no archive of that kind."""
    for ending in ("br", "lzma", "7z", "rar", "Z", "gz", "zst"):
        (tmp_path / "a").write_bytes(b"<html><p>not found</p></html>\n")
        with ExitStack() as stack, pytest.raises(ExtractError, match="named like an archive, but its bytes are none"):
            list(read_entries(tmp_path / "a", f"a.owl.{ending}", stack))

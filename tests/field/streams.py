"""Compressed files as the field has them: in several parts, padded, damaged behind, or of a kind not read here."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import struct
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import zstandard

from .case import Case
from .pulling import UNJUDGED, pull

FIRST, SECOND = b"<urn:a> <urn:b> <urn:c> .\n" * 300, b"<urn:d> <urn:e> <urn:f> .\n" * 200
PACKS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
PROGRAMS = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}
SHAPES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "two parts": lambda one, two: one + two,
    "padding between": lambda one, two: one + bytes(8) + two,
    "padding behind": lambda one, _: one + bytes(512),
    "rubbish behind": lambda one, _: one + b"<html>an error of a proxy</html>",
    "a second part damaged": lambda one, two: one + two[:-9] + bytes([two[-9] ^ 1]) + two[-8:],
    "a second part cut": lambda one, two: one + two[:-6],
}


def _equals_program(kind: str, shape: str, folder: Path) -> None:
    pack, program = PACKS[kind], PROGRAMS[kind]
    path = folder / f"x.nt.{kind}"
    path.write_bytes(SHAPES[shape](pack(FIRST), pack(SECOND)))
    found = pull(folder, path, *UNJUDGED)
    if shutil.which(program) is None:
        assert found.code in (0, 1), found.said
        return
    told = subprocess.run([program, "-dc", path], capture_output=True, check=False)
    if told.returncode:
        found.refused("is damaged or truncated", "pull a good copy")
        return
    assert found.code == 0, found.said
    assert found.data == {"x.nt": told.stdout}
    assert ("warning" in found.said) is (b"ignored" in told.stderr), found.said


def _skippable(data: bytes) -> bytes:
    return struct.pack("<2L", 0x184D2A50, len(data)) + data


def _skipped(folder: Path) -> None:
    path = folder / "x.nt.zst"
    path.write_bytes(
        _skippable(b"told") + PACKS["zst"](FIRST) + _skippable(b"") + PACKS["zst"](SECOND) + _skippable(b"i")
    )
    found = pull(folder, path)
    assert found.data == {"x.nt": FIRST + SECOND}, found.said


# name → bytes and the words that have to be said
NOT_READ: dict[str, tuple[bytes, str]] = {
    "x.7z": (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(99), "a 7z archive"),
    "x.owl": (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(99), "a 7z archive"),
    "x.rar": (b"Rar!\x1a\x07\1\0" + bytes(99), "a RAR archive"),
    "x.owl.Z": (b"\x1f\x9d\x90" + bytes(99), "a .Z file"),
    "x.nt.lz": (b"LZIP\x01\x0c" + bytes(99), "an lzip file"),
    "x.nt.lz4": (b"\x04\x22\x4d\x18" + bytes(99), "an lz4 file"),
    "x.nt.lzma": (lzma.compress(FIRST, format=lzma.FORMAT_ALONE), "an LZMA file of the old form"),
    "x.cab": (b"MSCF\0\0\0\0" + bytes(99), "a cabinet"),
    "x.nt.zst": (
        b"\x28\xb5\x2f\xfd\x00" + bytes([(29 - 10) << 3]) + bytes([0x01 | 1 << 3, 0, 0]) + b"x",
        "a large window (--long)",
    ),
    "x.nt.gz": (gzip.compress(gzip.compress(FIRST)), "compressed twice"),
}


def _named(name: str, folder: Path) -> None:
    data, words = NOT_READ[name]
    path = folder / name
    path.write_bytes(data)
    found = pull(folder, path)
    found.refused(words)
    assert "damaged" not in found.said, found.said
    assert not found.rows("SELECT * FROM extracted_files"), "recorded as a file"
    assert not found.rows("SELECT * FROM latest_pointer"), "became latest"


def _unknown(folder: Path) -> None:
    path = folder / "x.bin"
    path.write_bytes(bytes(range(256)))
    found = pull(folder, path)
    assert found.code == 0, found.said
    assert found.data == {"x.bin": bytes(range(256))}


CASES = (
    *(
        Case("compressed streams", f"{kind}, {shape}", partial(_equals_program, kind, shape))
        for kind in PACKS
        for shape in SHAPES
    ),
    Case("compressed streams", "zst, frames to be skipped", _skipped),
    *(Case("kinds that can't be read", f"{NOT_READ[name][1]} as {name}", partial(_named, name)) for name in NOT_READ),
    Case("kinds that can't be read", "bytes of no kind", _unknown),
)

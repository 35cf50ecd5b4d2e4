"""Archives are read in bounded steps: a bomb ends in a sentence, and needs no memory on its way there."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
import sys
import tarfile
import zlib
from contextlib import ExitStack
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ontofetch_catalog.content.packed.archives import UNLIMITED, Budget, Limits, read_entries
from ontofetch_catalog.errors import ExtractError
from tests import hostile_archives as hostile
from tests.environments import CHECKOUT
from tests.levels import drawn

PEAK = 200_000  # KiB that a process may take for any bomb; a bare one takes 20,000
SCRIPT = """
import json, resource, sys
from contextlib import ExitStack
from pathlib import Path
from ontofetch_catalog.errors import OntofetchError
how, archive, name, folder = sys.argv[1:]
said = "nothing was refused"
try:
    if how == "unpacked":
        from ontofetch_catalog.host.extract import extract_artifact
        from ontofetch_catalog.host.unpacked import Wanted
        from ontofetch_hookspecs import Stage
        extract_artifact(Path(archive), Stage.create(Path(folder)), Wanted(name=name, strip=0))
    else:
        from ontofetch_catalog.content.packed.archives import read_entries
        with ExitStack() as stack:
            for entry in read_entries(Path(archive), name, stack):
                with entry.open() as stream:
                    while stream.read(1 << 20):
                        pass
except OntofetchError as error:
    said = str(error)
peak = resource.getrusage(resource.RUSAGE_CHILDREN if how == "unpacked" else resource.RUSAGE_SELF).ru_maxrss
if how != "unpacked" and sys.platform.startswith("linux"):
    # ru_maxrss remembers the process that started this one
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
print(json.dumps([said, peak]))
"""


def run(how: str, archive: Path, name: str, folder: Path) -> tuple[str, int]:
    """Read or unpack an archive in a process; return what it said, and the most memory in KiB that it took."""
    words = [sys.executable, "-c", SCRIPT, how, str(archive), name, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True, cwd=CHECKOUT)
    said, peak = json.loads(done.stdout)
    return said, peak // 1024 if sys.platform == "darwin" else peak


@pytest.mark.parametrize("bomb", hostile.BOMBS)
def test_a_bomb_is_refused_and_takes_no_memory(tmp_path: Path, bomb: str) -> None:
    """Each bomb ends with a sentence that names what it does, in the process that unpacks it."""
    archive, name = hostile.write(tmp_path, bomb)
    said, peak = run("unpacked", archive, name, tmp_path / "store")
    assert hostile.BOMBS[bomb][2] in said
    assert name in said
    assert peak < PEAK


IN_PROCESS = [bomb for bomb in hostile.BOMBS if bomb not in ("a sparse map", "folders", "folders beside each other")]


@pytest.mark.parametrize("bomb", IN_PROCESS)
def test_a_bomb_is_refused_wherever_it_is_read(tmp_path: Path, bomb: str) -> None:
    """Doctor and rebuild read archives in their own process, under the same bounds."""
    archive, name = hostile.write(tmp_path, bomb)
    said, peak = run("read", archive, name, tmp_path)
    assert hostile.BOMBS[bomb][2] in said
    assert peak < PEAK


def entries(path: Path, data: bytes, name: str, limits: Limits | None = None) -> list[tuple[str, str, float, bytes]]:
    """Return name, kind, time and bytes of every entry."""
    path.write_bytes(data)
    found = []
    with ExitStack() as stack:
        budget = Budget(name, len(data), limits or Limits())
        for entry in read_entries(path, name, stack, budget):
            with entry.open() as stream:
                found.append((entry.name, entry.kind, entry.mtime, b"".join(iter(lambda: stream.read(1000), b""))))
    return found


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "-1e999", "NaN", "soon", ""])
def test_a_time_that_is_none_is_a_sentence(tmp_path: Path, text: str) -> None:
    """What a pax header says of a time has to be a number of seconds."""
    data = hostile.pax(b"x", hostile.record("path", "odd.ttl") + hostile.record("mtime", text))
    with pytest.raises(ExtractError, match=r"'odd\.ttl' of 'a\.tar' says a time that is none"):
        entries(tmp_path / "a", data + hostile.tar_header("f", 0) + bytes(1024), "a.tar")


@pytest.mark.parametrize(
    ("text", "expected"), [("1577934246.25", 1577934246.25), ("-5", -5.0), ("1" * 39, float("1" * 39))]
)
def test_a_time_that_is_a_number_is_read(tmp_path: Path, text: str, expected: float) -> None:
    """Fractions, times before 1970 and far ones are handed on."""
    data = hostile.pax(b"x", hostile.record("mtime", text)) + hostile.tar_header("f", 0) + bytes(1024)
    assert entries(tmp_path / "a", data, "a.tar") == [("f", "file", expected, b"")]


NUMBERS: dict[str, tuple[bytes, str]] = {
    "a negative size": (hostile.pax(b"x", hostile.record("size", "-1")), "says a size of '-1'"),
    "an endless size": (hostile.pax(b"x", hostile.record("size", "9" * 5000)), "says a size of '999"),
    "a negative size of 12 bytes": (hostile.tar_header("g", 0, length=b"\xff" * 12), "says a size of -1 bytes"),
    "a size beyond all files": (hostile.tar_header("g", 0, length=b"\x80" + b"\xff" * 11), "says a size of 309,485,"),
    "a size that is not octal": (hostile.tar_header("g", 0, length=b"9" * 12), "says a size that is no number"),
    "a time that is no number": (hostile.tar_header("g", 0, mtime=b"0x123456789z"), "says a time that is no number"),
    "a record that is too short": (hostile.pax(b"x", b"4 a=\n"), "an extended header can't be read"),
    "a record that is too long": (hostile.pax(b"x", b"999999 a=b\n"), "an extended header can't be read"),
    "a record without an end": (hostile.pax(b"x", b"1" * 100_000), "an extended header can't be read"),
    "a size beyond the archive": (
        hostile.tar_header("g", 0, length=b"\x80" + (1 << 60).to_bytes(11, "big")),
        "its end is missing",
    ),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_cant_be_is_a_sentence(tmp_path: Path, name: str) -> None:
    """Negative, endless and unreadable numbers in headers end in an ExtractError that says which it was."""
    data, words = NUMBERS[name]
    with pytest.raises(ExtractError) as refused:
        entries(tmp_path / "a", data + hostile.tar_header("f", 0) + bytes(1024), "a.tar")
    assert words in str(refused.value)


def test_names_and_links_of_extended_headers_are_read(tmp_path: Path) -> None:
    """Long names, in the GNU form and in that of POSIX, and global headers arrive as Python writes them."""
    names = ["d/" * 60 + "long.ttl", "ü/" * 40 + "x.ttl", "plain.ttl"]
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT):
        mine = names if form != tarfile.USTAR_FORMAT else ["d/" * 60 + "long.ttl", "plain.ttl"]
        with tarfile.open(tmp_path / "t", "w", format=form, pax_headers={"comment": "x"}) as archive:
            for name in mine:
                archive.addfile(tarfile.TarInfo(name))
        data = (tmp_path / "t").read_bytes()
        assert [name for name, *_ in entries(tmp_path / "a", data, "a.tar")] == mine


def test_honest_zips_of_every_method_are_read(tmp_path: Path) -> None:
    """Stored, deflated, bzip2 and LZMA entries yield their bytes, with a time and behind a program, too."""
    import io
    import zipfile

    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, text in (("a.ttl", bytes(range(256)) * 9000), ("empty", b""), ("d/", b"")):
                archive.writestr(zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6)), text, method)
        found = entries(tmp_path / "a", b"#!/bin/sh\n" + stream.getvalue(), "a.zip")
        assert [(name, kind, text) for name, kind, _, text in found] == [
            ("a.ttl", "file", bytes(range(256)) * 9000),
            ("empty", "file", b""),
            ("d/", "folder", b""),
        ]
        assert found[0][2] == 1_577_934_246.0


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_a_stream_of_several_parts_is_read_whole(tmp_path: Path, pack: object) -> None:
    """What was compressed in pieces, as parallel compressors do, yields all of them."""
    ending = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz", zstandard.compress: "zst"}[pack]  # type: ignore[index]
    data = b"".join(pack(bytes([number]) * 5000) for number in range(50))  # type: ignore[operator]
    (found,) = entries(tmp_path / "a", data, f"a.ttl.{ending}")
    assert found[3] == b"".join(bytes([number]) * 5000 for number in range(50))


def test_what_nobody_wants_counts(tmp_path: Path) -> None:
    """Entries of a tar that are passed over, and their headers, come out of the decompressor all the same."""
    data = gzip.compress(b"".join(hostile.tar_header(f"f{number}", 0) for number in range(40_000)) + bytes(1024))
    path = tmp_path / "a"
    path.write_bytes(data)
    with ExitStack() as stack, pytest.raises(ExtractError, match="takes the archive beyond 5,000,000 bytes"):
        for _ in read_entries(path, "a.tar.gz", stack, Budget("a.tar.gz", len(data), Limits(max_bytes=5_000_000))):
            pass


def test_a_budget_without_limits_lets_everything_pass(tmp_path: Path) -> None:
    """Backups say elsewhere what they hold, and may be as large and as alike as they are."""
    data = hostile.packed("zst", iter([hostile.tar_header("f", 64 * hostile.MIB), *hostile.zeros(64), bytes(1024)]))
    path = tmp_path / "a"
    path.write_bytes(data)
    with ExitStack() as stack:
        for entry in read_entries(path, "a.tar.zst", stack, Budget("a.tar.zst", 1, UNLIMITED)):
            with entry.open() as stream:
                assert sum(map(len, iter(lambda: stream.read(1 << 20), b""))) == 64 * hostile.MIB


SEEDS = [
    hostile.bzip2_zip(),
    hostile.zip_raw([("a", 0, b"abc", 3, zlib.crc32(b"abc")), ("b/c", 0, b"", 0, 0)]),
    hostile.pax(b"x", hostile.record("mtime", "1.5"))
    + hostile.tar_header("f", 3)
    + b"abc".ljust(512, b"\0")
    + bytes(1024),
    zstandard.compress(b"abc" * 100),
    lzma.compress(b"abc" * 100),
    gzip.compress(b"abc" * 100, mtime=0),
    bz2.compress(b"abc" * 100),
]


@settings(max_examples=drawn(300))
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), max_size=6),
    name=st.sampled_from(["a.zip", "a.tar", "a.tar.gz", "a.ttl.zst", "a"]),
)
def test_whatever_was_changed_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: bytes, changes: list[tuple[float, bytes]], name: str
) -> None:
    """An archive with bytes changed anywhere yields entries or an ExtractError, and no error of another kind."""
    data = bytearray(seed)
    for place, new in changes:
        at = int(place * len(data))
        data[at : at + len(new)] = new
    said = "fine"
    try:
        entries(tmp_path_factory.mktemp("fuzz") / "a", bytes(data), name)
    except ExtractError as error:
        said = str(error)
    assert said.isprintable()

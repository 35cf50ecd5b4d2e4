"""A document that is no archive is unpacked without a process; whatever has to be looked into still gets one."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from ontofetch_catalog.content.packed.bounds import Limits
from ontofetch_catalog.errors import ExtractError
from ontofetch_catalog.host import alone, unpacker_process
from ontofetch_catalog.host.extract import extract_artifact
from ontofetch_catalog.host.unpacked import Wanted
from ontofetch_hookspecs import Stage
from tests.releases import sha256

TURTLE = b"@prefix : <http://example.org/> .\n:a :b :c .\n"


class Started(Exception):
    """A process was about to be started."""


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody start a process."""

    def start(*_: object, **__: object) -> None:
        raise Started

    monkeypatch.setattr(unpacker_process, "start_module", start)


def packed() -> bytes:
    """Return a zip with one file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.ttl", TURTLE)
    return stream.getvalue()


def tarred() -> bytes:
    """Return a tar with one file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("a.ttl")
        member.size = len(TURTLE)
        archive.addfile(member, io.BytesIO(TURTLE))
    return stream.getvalue()


def put(folder: Path, name: str, data: bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_document_is_copied_with_its_hash_and_format(tmp_path: Path) -> None:
    """What is told of it is what a process would tell; a name from a server may have folders."""
    stage = Stage.create(tmp_path / "store")
    source = put(tmp_path, "a.ttl", TURTLE)
    done = extract_artifact(source, stage, Wanted(name="a.ttl"))
    (row,) = done.files.to_pylist()
    assert (row["relpath"], row["file_id"], row["format"], row["size_bytes"]) == (
        "a.ttl",
        sha256(TURTLE),
        "turtle",
        len(TURTLE),
    )
    assert row["mtime"].timestamp() == int(source.stat().st_mtime)
    assert (done.folder / "a.ttl").read_bytes() == TURTLE
    assert (done.strip, done.skipped, done.remarks) == (0, 0, ())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", packed()),
        ("a.ttl", packed()),  # whatever it is called
        ("a.ttl", packed()[-22:].replace(b"\x01\0", b"\0\0", 2)),  # the end of an empty one
        ("a.ttl.gz", gzip.compress(TURTLE)),
        ("a.ttl", gzip.compress(TURTLE)),
        ("a.ttl", b"\x50\x2a\x4d\x18" + bytes(12)),  # a frame that may stand before a compressed one
        ("a.tar", TURTLE),
        ("a.ttl.xz", TURTLE),
        ("a.7z", TURTLE),
        ("a.ttl", b"7z\xbc\xaf\x27\x1c" + bytes(26)),
        ("a.ttl", tarred()),
    ],
    ids=[
        *("zip", "zip-named-ttl", "empty-zip", "gz", "gz-named-ttl", "skippable", "named-tar", "named-xz", "named-7z"),
        *("7z", "tar"),
    ],
)
def test_what_may_be_packed_gets_a_process(tmp_path: Path, name: str, data: bytes) -> None:
    """By its bytes or by its name: neither is inflated, or read as an archive, in the process that has the catalog."""
    source = put(tmp_path, name, data)
    assert not alone.is_alone(source, name)
    with pytest.raises(Started):
        extract_artifact(source, Stage.create(tmp_path / "store"), Wanted(name=name))


def test_what_is_large_gets_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of memory and time are those of a process."""
    monkeypatch.setattr(alone, "MOST", len(TURTLE) - 1)
    with pytest.raises(Started):
        extract_artifact(put(tmp_path, "a.ttl", TURTLE), Stage.create(tmp_path / "store"), Wanted(name="a.ttl"))


def test_limits_and_globs_hold_without_a_process(tmp_path: Path) -> None:
    """A document that is larger than allowed is refused; one that nobody asked for is left out."""
    source = put(tmp_path, "a.ttl", TURTLE)
    with pytest.raises(ExtractError, match="max_bytes"):
        extract_artifact(source, Stage.create(tmp_path / "s1"), Wanted(name="a.ttl", limits=Limits(max_bytes=10)))
    done = extract_artifact(source, Stage.create(tmp_path / "s2"), Wanted(name="a.ttl", exclude=("*.ttl",)))
    assert not len(done.files)


def test_a_document_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    """The system's word on it, and what to do."""
    with pytest.raises(ExtractError, match=r"'a\.ttl' can't be read"):
        extract_artifact(tmp_path / "a.ttl", Stage.create(tmp_path / "store"), Wanted(name="a.ttl"))

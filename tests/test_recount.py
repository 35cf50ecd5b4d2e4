"""Real and hand-made releases: every row equals a recount of the archive by the standard library alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ontofetch_catalog.host.app import main
from tests.environments import download_wheel
from tests.programs import Program
from tests.releases import assert_consistent, query, snapshot

File = tuple[str, str, int, datetime]
TURTLE = b"<urn:a> <urn:b> <urn:c> .\n"
HAND_MADE = {
    "top/a.ttl": TURTLE,
    "top/copies/one.ttl": TURTLE,
    "top/copies/two.ttl": TURTLE,
    "top/empty.nt": b"",
    "top/bom.ttl": b"\xef\xbb\xbf" + TURTLE,
    "top/crlf.ttl": TURTLE.replace(b"\n", b"\r\n"),
    "top/not-utf8.txt": b"caf\xe9\0",
    "top/wrong.ttl.txt": TURTLE,
    "top/" + "/".join(["d" * 12] * 10) + "/deep ü.obo": b"format-version: 1.4\n",
}
# everything but the events, which tell of every run
TABLES = ("versions", "artifacts", "extracted_files", "validations", "latest_pointer", "schema_version")


def recount_zip(path: Path, drop: int = 0) -> list[File]:
    """Return path, sha256, size and time of every file in a zip."""
    with zipfile.ZipFile(path) as archive:
        return sorted(
            (
                "/".join(info.filename.split("/")[drop:]),
                hashlib.sha256(archive.read(info)).hexdigest(),
                info.file_size,
                datetime(*info.date_time, tzinfo=UTC).replace(tzinfo=None),
            )
            for info in archive.infolist()
            if not info.is_dir()
        )


def recorded(root: Path, version: str) -> list[File]:
    """Return what the catalog says of the files of a release."""
    sql = f"SELECT relpath, file_id, size_bytes, mtime FROM extracted_files WHERE version_id = '{version}' ORDER BY 1"
    return query(root, sql)  # type: ignore[return-value]


def on_disk(root: Path, version: str) -> list[File]:
    """Return what lies in the data folder of a release."""
    folder = root / version / "data"
    return sorted(
        (
            path.relative_to(folder).as_posix(),
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_size,
            datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None),
        )
        for path in folder.rglob("*")
        if path.is_file()
    )


def words(source: Path, version: str) -> list[str]:
    """Return the words of a pull."""
    return ["pull", str(source), "--service", "pypi", "--ontology", "sample", "--version", version, "--json"]


def pull(program: Program, source: Path, version: str) -> dict[str, object]:
    """Pull a release by the console script and return the row that was printed."""
    done = program.run(*words(source, version))
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["rows"][0])


def test_a_real_release_equals_a_recount(tmp_path: Path) -> None:
    """Names, sizes, hashes and times of every row and file are those of the wheel; a second pull changes nothing."""
    program = Program(tmp_path / "store")
    wheel = download_wheel("brickschema", "0.7.8")
    row = pull(program, wheel, "0.7.8")
    expected = recount_zip(wheel)
    assert recorded(program.root, "pypi/sample/0.7.8") == on_disk(program.root, "pypi/sample/0.7.8") == expected
    data = wheel.read_bytes()
    assert query(program.root, "SELECT relpath, artifact_id, size_bytes, status FROM artifacts") == [
        (wheel.name, hashlib.sha256(data).hexdigest(), len(data), "fresh")
    ]
    assert (program.root / "pypi/sample/0.7.8/src" / wheel.name).read_bytes() == data
    # each of these formats has one validator
    judged = [relpath for relpath, *_ in expected if relpath.endswith((".ttl", ".rdf", ".n3", ".jsonld"))]
    assert [name for (name,) in query(program.root, "SELECT relpath FROM validations ORDER BY 1")] == judged
    assert (row["files"], row["bytes"]) == (len(expected), sum(size for _, _, size, _ in expected))
    assert len(judged) > 40
    assert_consistent(program.root)

    files = snapshot(program.root)
    rows = {name: query(program.root, f"SELECT * FROM {name} ORDER BY ALL") for name in TABLES}
    assert pull(program, wheel, "0.7.8") == row | {"status": "unchanged"}
    assert snapshot(program.root) == files
    assert {name: query(program.root, f"SELECT * FROM {name} ORDER BY ALL") for name in TABLES} == rows


def pack_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a zip with folders of their own, each file at another time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("top/"), b"")
        for number, (name, data) in enumerate(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1 + number, 3, 4, 6)), data)


def pack_tar(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a compressed tar, each file at another time."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for number, (name, data) in enumerate(files.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 1_577_934_246 + number
            archive.addfile(member, io.BytesIO(data))
    path.write_bytes(gzip.compress(stream.getvalue()))


def recount_tar(path: Path, drop: int) -> list[File]:
    """Return path, sha256, size and time of every file in a tar."""
    with tarfile.open(path) as archive:
        return sorted(
            (
                "/".join(member.name.split("/")[drop:]),
                hashlib.sha256(archive.extractfile(member).read()).hexdigest(),  # type: ignore[union-attr]
                member.size,
                datetime.fromtimestamp(member.mtime, UTC).replace(tzinfo=None),
            )
            for member in archive.getmembers()
            if member.isfile()
        )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for archives, beside the store that pulls of this process go to."""
    monkeypatch.setenv("ONTOFETCH_ROOT", str(tmp_path / "store"))
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    return tmp_path


def test_hand_made_releases_equal_a_recount(folder: Path) -> None:
    """Copies, empty files, byte-order marks, CRLF, bytes that are no text, and deep paths are recorded as they are."""
    root = folder / "store"
    pack_zip(folder / "sample.zip", HAND_MADE)
    pack_tar(folder / "sample.tar.gz", HAND_MADE)
    (folder / "sample.ttl.gz").write_bytes(gzip.compress(TURTLE))
    assert main(words(folder / "sample.zip", "1")) == 0
    assert main([*words(folder / "sample.tar.gz", "2"), "--strip", "0"]) == 0
    assert main(words(folder / "sample.ttl.gz", "3")) == 0
    zipped, tarred = recount_zip(folder / "sample.zip", 1), recount_tar(folder / "sample.tar.gz", 0)
    for version, expected in (("1", zipped), ("2", tarred)):
        found = recorded(root, f"pypi/sample/{version}")
        assert found == on_disk(root, f"pypi/sample/{version}") == expected
    (single,) = recorded(root, "pypi/sample/3")
    assert single[:3] == ("sample.ttl", hashlib.sha256(TURTLE).hexdigest(), len(TURTLE))
    assert_consistent(root)


def turtle(path: Path) -> dict[str, str]:
    """Return path → sha256 of the Turtle files of a wheel."""
    return {relpath: file_id for relpath, file_id, _, _ in recount_zip(path) if relpath.endswith(".ttl")}


def test_growth_between_real_releases_equals_a_recount(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The Turtle files that three releases added, removed and modified are those that a recount finds."""
    wheels = {version: download_wheel("brickschema", version) for version in ("0.7.8", "0.7.9", "0.8.0")}
    for version, wheel in wheels.items():
        assert main([*words(wheel, version), "--no-validate", "--include", "*.ttl"]) == 0
    for a, b, expected in (("0.7.9", "0.8.0", (9, 0, 0)), ("0.7.8", "0.7.9", (0, 16, 4))):
        capsys.readouterr()
        assert main(["report", "growth", "--a", a, "--b", b, "--by", "format", "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)["rows"]
        (row,) = [row for row in rows if row.get("format") == "turtle"]
        before, after = turtle(wheels[a]), turtle(wheels[b])
        modified = [path for path in before.keys() & after.keys() if before[path] != after[path]]
        recount = (len(after.keys() - before.keys()), len(before.keys() - after.keys()), len(modified))
        assert (row["added"], row["removed"], row["modified"]) == recount == expected

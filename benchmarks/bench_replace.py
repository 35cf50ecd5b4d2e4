"""Replacing an artifact whose folders others have files in too: every file moves by itself, there and back."""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs import Stage
from ontofetch_hookspecs.layout import DATABASE
from ontofetch_hookspecs.testing import make_manager, sample_download_done, sample_extract_done

from . import data
from .children import SCRIPT, run
from .harness import Race, pick

FILES = pick(50_000, 4_000)
SHARED = "shared.zip"


@pytest.fixture(scope="module")
def files() -> pa.Table:
    """Return the files of the artifact that is replaced."""
    return data.files_table(FILES)


def test_shared_folders(race: Race, files: pa.Table, room: Path) -> None:
    """The hooks of a download and its files, for the first time and with other bytes in the same folders."""
    folders = sorted({os.path.dirname(path) for path in files["relpath"].to_pylist()})

    def measure() -> tuple[float, float]:
        root = data.make_store(room / f"store-{time.monotonic_ns()}")
        neighbours = data.files_table(len(folders)).set_column(0, "relpath", pa.array([f"{f}/other" for f in folders]))
        record(root, b"neighbours", neighbours, "other.zip")
        first = record(root, b"first", files, SHARED)
        second = record(root, b"second", files, SHARED)
        with duckdb.connect(str(root / DATABASE), read_only=True) as connection:
            found = connection.execute("SELECT count(*) FROM extracted_files").fetchall()
        assert found == [(FILES + len(folders),)]
        assert sum(len(names) for _, _, names in os.walk(root / data.VERSION / "data")) == FILES + len(folders)
        quarantine = root / ".catalog/quarantine"
        assert sum(name.endswith(".ttl") for _, _, names in os.walk(quarantine) for name in names) == FILES
        return second, first

    race.weigh("replace.shared", measure, unit="s")


def test_whole_pulls(race: Race, files: pa.Table, room: Path) -> None:
    """The same from the shell's prompt to the end, with the unpacking of both archives."""
    paths, sizes = files["relpath"].to_pylist(), files["size_bytes"].to_pylist()
    folders = sorted({os.path.dirname(path) for path in paths})
    for name, letter in (("first", b"a"), ("second", b"b")):
        _pack(room / name / SHARED, {path: letter * size for path, size in zip(paths, sizes, strict=True)})
    _pack(room / "other.zip", {f"{folder}/other": b"" for folder in folders})

    def measure() -> tuple[float, float]:
        root = data.make_store(room / f"pulled-{time.monotonic_ns()}")
        pull(root, room / "other.zip")
        first = pull(root, room / "first" / SHARED)
        second = pull(root, room / "second" / SHARED, "--replace")
        with duckdb.connect(str(root / DATABASE), read_only=True) as connection:
            found = connection.execute("SELECT count(*) FROM extracted_files").fetchall()
        assert found == [(FILES + len(folders),)]
        return second, first

    race.weigh("replace.pull", measure, unit="s")


def _pack(path: Path, contents: dict[str, bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in contents.items():
            packed.writestr(name, content)


def pull(root: Path, archive: Path, *words: str) -> float:
    """Pull an archive into one release, not validated, and return how long it took."""
    os.sync()  # what others left to write
    release = ["--service", "bench", "--ontology", "pull", "--version", "1", "--strip", "0"]
    begun = time.perf_counter()
    run([SCRIPT, "pull", archive, *release, "--no-validate", "-q", *words], root)
    return time.perf_counter() - begun


def record(root: Path, content: bytes, files: pa.Table, artifact: str) -> float:
    """Stage an artifact and its files, made as `data.files_table` says, and return how long it took to record them."""
    source, tree = Stage.create(root), Stage.create(root)
    with source.write_file(f"src/{artifact}") as staged:
        staged.write(content)
    source.complete(staged)
    folder = tree.folder("data")
    paths, sizes = files["relpath"].to_pylist(), files["size_bytes"].to_pylist()
    for inner in sorted({os.path.dirname(path) for path in paths}):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    for path, size in zip(paths, sizes, strict=True):
        descriptor = os.open(f"{folder}/{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(descriptor, bytes(size))
        os.close(descriptor)
    for stage in (source, tree):
        stage.close()
    os.sync()  # what others left to write
    manager = make_manager(CatalogPlugin(), root=root)
    digest = hashlib.sha256(content).hexdigest()
    download = sample_download_done(
        root, artifact=artifact, sha256=digest, size_bytes=len(content), staged=staged.path, replace=True
    )
    extract = sample_extract_done(root, files, artifact=artifact, artifact_id=digest, staged=folder)
    begun = time.perf_counter()
    manager.hook.on_download_done(event=download)
    manager.hook.on_extract_done(event=extract)
    return time.perf_counter() - begun

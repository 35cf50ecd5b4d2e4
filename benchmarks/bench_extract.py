"""The extract boundary, from the Arrow table to committed and durable, beside the parts that nobody can leave out."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ontofetch_catalog.catalog.boundaries import carry_out
from ontofetch_catalog.catalog.boundaries.extract import ExtractBoundary
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs import Stage
from ontofetch_hookspecs.layout import DATABASE, EXTRACT_AUDIT
from ontofetch_hookspecs.testing import SAMPLE_SHA256, make_manager

from . import bare, data
from .children import peak_of
from .harness import Race, Side, pick

FILES = pick(50_000, 2_000)
ROWS = pick(1_000_000, 100_000)
TABLE_ROWS = 1_000_000  # a smaller table would only weigh the libraries


@pytest.fixture(scope="module")
def template(scratch: Path) -> Path:
    """Return a store with a recorded artifact."""
    return data.make_store(scratch / "template")


def test_real_files(race: Race, template: Path, room: Path) -> None:
    """A release of real files, freshly written: checked, made durable, recorded, published."""
    files = data.files_table(FILES)

    for side in ("measured", "bare"):
        data.make_folders(room / f"tree-{side}", FILES)

    def boundary() -> tuple[Path, Path]:
        root, published = room / "measured", room / "measured" / data.VERSION / "data"
        if published.exists():
            published.rename(room / "tree-measured")
        data.copy_store(template, root)
        os.sync()  # what others left to write
        data.write_tree(room / "tree-measured", FILES)
        stage = Stage.create(root)
        stage.close()
        (room / "tree-measured").rename(stage.path / "data")
        return root, stage.path / "data"

    def parts() -> tuple[Path, Path]:
        root = data.copy_store(template, room / "bare")
        os.sync()
        data.write_tree(room / "tree-bare", FILES)
        return root, room / "tree-bare"

    def run_boundary(given: tuple[Path, Path]) -> None:
        root, staged = given
        manager = make_manager(CatalogPlugin(), root=root)
        manager.hook.on_extract_done(event=data.extract_event(root, files, staged))

    def run_parts(given: tuple[Path, Path]) -> None:
        root, tree = given
        bare.walk(tree)
        bare.sync(tree)
        bare.insert(root / DATABASE, files, artifact=SAMPLE_SHA256)
        bare.write_audit(root / "audit", files, artifact=SAMPLE_SHA256)

    race("extract.files", Side(run_boundary, boundary), Side(run_parts, parts))
    _assert_same(room / "measured", room / "bare", FILES)
    assert len(list((room / "measured" / data.VERSION / "data").rglob("*.ttl"))) == FILES


def test_rows_alone(race: Race, template: Path, room: Path) -> None:
    """A large table without files: the walk and the sync fall away on both sides."""
    files = data.files_table(ROWS)

    def run_parts(root: Path) -> None:
        bare.insert(root / DATABASE, files, artifact=SAMPLE_SHA256)
        bare.write_audit(root / "audit", files, artifact=SAMPLE_SHA256)

    race(
        "extract.rows",
        Side(lambda root: record(root, files), lambda: data.copy_store(template, room / "measured")),
        Side(run_parts, lambda: data.copy_store(template, room / "bare")),
    )
    _assert_same(room / "measured", room / "bare", ROWS)

    def keyed() -> Path:
        root = data.copy_store(template, room / "bare")
        with duckdb.connect(str(root / DATABASE)) as connection:
            connection.execute(bare.KEYED)
        return root / DATABASE

    race.contrast(
        f"the bare insert of {ROWS:,} rows",
        Side(lambda root: bare.insert(root / DATABASE, files), lambda: data.copy_store(template, room / "bare")),
    )
    race.contrast(
        "the same with a PRIMARY KEY and three indexes",
        Side(lambda path: bare.insert(path, files, table="keyed"), keyed),
    )


def test_rows_in_a_full_catalog(race: Race, template: Path, room: Path) -> None:
    """The same table, in a catalog that holds five times as many rows of other releases."""
    files = data.files_table(ROWS)
    full = data.copy_store(template, room / "full")
    first, *others = (f"example/other-{number}/1.0" for number in range(5))
    data.fill_catalog(full, [first], ROWS)
    data.fill_others(full, first, others)
    race(
        "extract.full_catalog",
        Side(lambda root: record(root, files), lambda: data.copy_store(full, room / "measured")),
        Side(lambda root: record(root, files), lambda: data.copy_store(template, room / "bare")),
    )


def test_memory(race: Race, template: Path, room: Path) -> None:
    """The boundary of a large table, in a process of its own that reads the table first."""
    files = data.files_table(TABLE_ROWS)
    with pa.OSFile(str(room / "files.arrow"), "wb") as file, pa.ipc.new_stream(file, files.schema) as writer:
        writer.write_table(files)

    def peak() -> tuple[int, int]:
        found = peak_of("extract", data.copy_store(template, room / "measured"), room / "files.arrow")
        return found.grown, found.told

    race.weigh("extract.memory", peak)


def record(root: Path, files: pa.Table) -> None:
    """Carry out the boundary without the check of the disk, for there are no files."""
    event = data.extract_event(root, files, root / "no files are staged")
    carry_out(Store(root), ExtractBoundary(Store(root), event))


def _assert_same(measured: Path, parts: Path, count: int) -> None:
    """Assert that both sides left the same rows and the same audit; a bare insert knows of no numbers."""
    rows = "SELECT count(*), bit_xor(hash(COLUMNS(* EXCLUDE (content_key, name_key)))) FROM extracted_files"
    found = []
    for root in (measured, parts):
        with duckdb.connect(str(root / DATABASE), read_only=True) as connection:
            found.append(connection.execute(rows).fetchall())
    assert found[0] == found[1]
    assert found[0][0][0] == count
    assert (measured / data.VERSION / EXTRACT_AUDIT).read_bytes() == (parts / "audit").read_bytes()

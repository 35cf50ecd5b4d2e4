"""The catalog from Python: bare rows as lazy frames, read when they are collected."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ontofetch_catalog.analytics import Catalog
from ontofetch_catalog.analytics.bare_rows import TABLES
from ontofetch_catalog.analytics.fields import dtype_of
from ontofetch_catalog.catalog.locks import gate_of
from ontofetch_catalog.cli.db_query import events as db_events
from ontofetch_catalog.errors import CatalogMissing, NestedBoundary, UsageError, VersionUnknown
from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.testing import make_manager
from tests.releases import Releases

pytestmark = pytest.mark.usefixtures("quick_databases")

OLD = {"a.ttl": (b"1", {"rdf": True}), "b.ttl": (b"22", {"rdf": False}, "line 1\nline 2"), "old/c.obo": b"333"}
NEW = {"a.ttl": (b"4444", {"rdf": True}), "new/c.obo": b"333", "d": b"55"}


@pytest.fixture
def filled(shelf: Any) -> Any:
    """Return a store with two releases."""
    shelf.add("s/o/1", OLD)
    shelf.add("s/o/2", NEW, latest=True)
    return shelf


def frames_of(catalog: Catalog) -> dict[str, pl.LazyFrame]:
    """Return every table of a catalog but the events."""
    return {
        "versions": catalog.versions(),
        "files": catalog.files(),
        "validations": catalog.validations(),
        "delta": catalog.delta("s/o/1", "s/o/2", unchanged=True),
    }


def test_frames_have_the_documented_columns_and_dtypes(filled: Any) -> None:
    """Before and after they are collected."""
    frames = {**frames_of(filled.catalog), "events": filled.catalog.events()}
    for name, frame in frames.items():
        expected = {field.name: dtype_of(field) for field in TABLES.section(name).fields}
        assert dict(frame.collect_schema()) == expected
        assert dict(frame.collect(engine="streaming").schema) == expected


def test_rows_are_those_of_the_releases(filled: Any) -> None:
    """Files, results and differences are the recorded ones; a name narrows them to one release."""
    catalog = filled.catalog
    sizes = catalog.files("o/latest").select("relpath", "size_bytes").sort("relpath").collect()
    assert sizes.rows() == [("a.ttl", 4), ("d", 2), ("new/c.obo", 3)]
    assert catalog.files().select(pl.len()).collect().item() == 6
    failed = catalog.validations("s/o/1").filter(~pl.col("passed")).select("relpath", "reason").collect()
    assert failed.rows() == [("b.ttl", "line 1")]
    assert catalog.versions().filter("is_latest").select("version_id", "previous_version_id").collect().rows() == [
        ("s/o/2", "s/o/1")
    ]
    delta = catalog.delta("1", "2").select("change", "relpath", "previous_relpath", "size_delta").sort("relpath")
    assert delta.collect().rows() == [
        ("MODIFIED", "a.ttl", None, 3),
        ("REMOVED", "b.ttl", None, -2),
        ("ADDED", "d", None, 2),
        ("RENAMED", "new/c.obo", "old/c.obo", 0),
    ]


def test_audits_give_the_same_rows(filled: Any) -> None:
    """Without the database the frames are the same, but for when files were verified; they hold no events."""
    audits = Catalog.from_audits(filled.store.root)
    for name, frame in frames_of(filled.catalog).items():
        drop = [column for column in ("verified_at",) if column in frame.collect_schema()]
        ours = frames_of(audits)[name].drop(drop).collect()
        assert_frame_equal(ours, frame.drop(drop).collect(), check_row_order=False)
    with pytest.raises(UsageError, match="Audits hold no events"):
        audits.events().collect()


def test_a_catalog_is_closed_beside_what_is_made_of_its_rows(filled: Any) -> None:
    """Whoever has asked keeps its lock, no connection; at the end nobody is inside, also where something goes wrong."""
    before = threading.active_count()
    with filled.catalog.source.open() as reader:
        rows = reader.files(["s/o/1"])
        reader.has_asked()
        with pytest.raises(NestedBoundary), gate_of(filled.store.root).exclusive(0.0):
            pass
        assert len(rows.collect()) == 3

    def fail() -> None:
        with filled.catalog.source.open() as reader:
            reader.has_asked()
            raise RuntimeError("of a report")

    with pytest.raises(RuntimeError, match="of a report"):
        fail()
    assert threading.active_count() == before
    with gate_of(filled.store.root).exclusive(0.0):
        pass


def test_only_the_columns_used_are_read(filled: Any) -> None:
    """What a query does not use is not asked of the database; a limit is passed on."""
    told: list[str] = []
    catalog = Catalog.open(filled.store.root, settings={"durability": "off"}, tell=told.append)
    grouped = catalog.files().filter(pl.col("size_bytes") > 2).group_by("format").agg(pl.len())
    assert sum(grouped.collect()["len"]) == 3
    assert any("SELECT format, size_bytes FROM extracted_files" in text for text in told)
    told.clear()
    assert catalog.files("s/o/1").head(2).select("relpath").collect().height == 2
    assert any("SELECT relpath FROM extracted_files WHERE version_id = 's/o/1' LIMIT 2" in text for text in told)


def test_frames_can_be_joined_and_read_again(filled: Any) -> None:
    """Each collect reads the catalog as it is then, and several frames of one query wait for each other."""
    catalog = filled.catalog
    files, results = catalog.files(), catalog.validations()
    joined = files.join(results, on=["version_id", "relpath"]).select("relpath").sort("relpath")
    assert joined.collect()["relpath"].to_list() == ["a.ttl", "a.ttl", "b.ttl"]
    filled.add("s/o/3", {"e.ttl": (b"1", {"rdf": True})})
    assert joined.collect(engine="streaming").height == 4


def test_errors_are_those_of_the_catalog(filled: Any, tmp_path: Path) -> None:
    """An unknown release is an error at once; a catalog that is not there is one at the first read."""
    with pytest.raises(VersionUnknown):
        filled.catalog.files("nothing")
    with pytest.raises(CatalogMissing):
        Catalog.open(tmp_path / "nothing").versions().collect()


def test_exported_events_are_the_events(releases: Releases, tmp_path: Path, capsys: Any) -> None:
    """What `db events --format parquet` writes is scanned lazily and equals what the catalog says."""
    releases.pull("1", {"a.ttl": "x"})
    releases.pull("2", {"a.ttl": "y"})
    host = HostInfo(
        name="ontofetch", manager=make_manager(), root=releases.root, run_id="", config_hash="", settings={}
    )
    path = tmp_path / "events.parquet"
    assert db_events(["--out", str(path)], host) == 0
    catalog = Catalog.open(releases.root)
    assert_frame_equal(
        catalog.events(exported=path).collect(engine="streaming"), catalog.events().collect(), check_row_order=False
    )
    kinds = catalog.events(exported=path).group_by("type").agg(pl.len()).sort("type").collect()
    assert {"download.done": 2, "extract.done": 2, "latest.set": 2, "validate.done": 2}.items() <= dict(
        kinds.rows()
    ).items()
    plan = catalog.events(exported=path).select("type").explain()
    assert "PROJECT 1/" in plan


def test_a_file_that_is_no_export_is_a_sentence(tmp_path: Path) -> None:
    """A file of another kind or with other columns is named."""
    text = tmp_path / "text.parquet"
    text.write_text("hello")
    other = tmp_path / "other.parquet"
    pl.DataFrame({"ts": [1]}).write_parquet(other)
    catalog = Catalog.open(tmp_path)
    with pytest.raises(UsageError, match=r"text\.parquet.*can't be read as Parquet"):
        catalog.events(exported=text)
    with pytest.raises(UsageError, match=r"other\.parquet.*no column event_id.*db events"):
        catalog.events(exported=other)
    with pytest.raises(UsageError, match=r"nothing\.parquet"):
        catalog.events(exported=tmp_path / "nothing.parquet")

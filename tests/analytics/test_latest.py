from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ontofetch_catalog.errors import CatalogMissing, UsageError, VersionUnknown

pytestmark = pytest.mark.usefixtures("quick_databases")

DAY = date(2026, 3, 1)
OLD = {"a.ttl": b"aaaa", "b.obo": b"bb", "gone.ttl": b"g"}
NEW: dict[str, Any] = {
    "a.ttl": (b"aaaaaaaa", {"rdf": True, "shape": True}),
    "b.obo": (b"bb", {"obo": True, "style": False}, "line 3: no colon"),
    "new.ttl": (b"nnn", {"rdf": True}),
    "notes": b"",
}


def add_series(shelf: Any) -> None:
    """Record the two releases of one series, the second one latest."""
    shelf.add("obo/hp/2026-01-01", OLD, released=date(2026, 1, 1))
    shelf.add("obo/hp/2026-02-01", NEW, released=date(2026, 2, 1), latest=True)


def test_summary_says_what_the_latest_release_holds(shelf: Any) -> None:
    """Files, bytes, formats, outcomes, age, and what changed since the release before, as counted by hand."""
    add_series(shelf)
    report = shelf.catalog.latest(as_of=DAY)
    assert report["summary"].rows(named=True) == [
        {
            "version_id": "obo/hp/2026-02-01",
            "is_latest": True,
            "incomplete": False,
            "released": date(2026, 2, 1),
            "created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "age_days": 28,
            "last_verified": datetime(2026, 1, 5, tzinfo=UTC),
            "files": 4,
            "size_bytes": 13,
            "formats": 3,
            "passed": 2,
            "failed": 1,
            "not_judged": 0,
            "not_validated": 1,
            "previous_version_id": "obo/hp/2026-01-01",
            "added": 2,
            "removed": 1,
            "modified": 1,
            "renamed": 0,
            "net_bytes": 6,
            "churn_bytes": 8,
        }
    ]
    assert report.parameters == {"versions": ["obo/hp/2026-02-01"], "as_of": "2026-03-01"}


def test_formats_largest_and_growth_are_frames_with_fixed_dtypes(shelf: Any) -> None:
    """The other sections are sorted by what matters most and have the documented dtypes."""
    add_series(shelf)
    report = shelf.catalog.latest("hp", as_of=DAY)
    version = ["obo/hp/2026-02-01"]
    expected = pl.DataFrame(
        {
            "version_id": version * 3,
            "format": ["turtle", "obo", "unknown"],
            "files": [2, 1, 1],
            "size_bytes": [11, 2, 0],
            "share": [11 / 13, 2 / 13, 0.0],
            "passed": [2, 0, 0],
            "failed": [0, 1, 0],
            "not_judged": [0, 0, 0],
            "not_validated": [0, 0, 1],
        },
        schema_overrides={"format": pl.Categorical()},
    )
    assert_frame_equal(report["formats"], expected)
    assert report["largest"].select("relpath", "size_bytes").rows() == [
        ("a.ttl", 8),
        ("new.ttl", 3),
        ("b.obo", 2),
        ("notes", 0),
    ]
    changes = pl.Enum(["ADDED", "REMOVED", "MODIFIED", "RENAMED", "UNCHANGED"])
    expected = pl.DataFrame(
        {
            "version_id": version * 2,
            "change": ["MODIFIED", "ADDED"],
            "relpath": ["a.ttl", "new.ttl"],
            "format": ["turtle", "turtle"],
            "size_a": [4, None],
            "size_bytes": [8, 3],
            "size_delta": [4, 3],
        },
        schema_overrides={"format": pl.Categorical(), "change": changes},
    )
    assert_frame_equal(report["growth"], expected)


def test_ten_largest_of_each_release(shelf: Any) -> None:
    """Each release has its own ten largest files; among equal sizes the path decides."""
    shelf.add("s/one/1", {f"{n:02}.ttl": b"x" * (5 if n < 12 else n) for n in range(20)}, latest=True)
    shelf.add("s/two/1", {"only": b""}, latest=True)
    found = shelf.catalog.latest()["largest"].select("version_id", "relpath").rows()
    assert found == [
        *[("s/one/1", f"{n:02}.ttl") for n in (19, 18, 17, 16, 15, 14, 13, 12, 0, 1)],
        ("s/two/1", "only"),
    ]


def test_it_agrees_with_the_views(shelf: Any) -> None:
    """Totals and formats of the report equal those of v_version_stats and v_latest_formats."""
    from ontofetch_catalog.catalog.sessions import reading

    add_series(shelf)
    shelf.add("pypi/empty/1", {}, latest=True)
    report = shelf.catalog.latest()
    with reading(shelf.store) as connection:
        stats = connection.sql(
            "SELECT version_id, files, size_bytes, formats, passed, failed, not_validated FROM v_version_stats"
            " SEMI JOIN v_latest USING (version_id) ORDER BY version_id"
        ).fetchall()
        formats = connection.sql(
            "SELECT version_id, format, files, size_bytes FROM v_latest_formats ORDER BY version_id, size_bytes DESC"
        ).fetchall()
    columns = ("version_id", "files", "size_bytes", "formats", "passed", "failed", "not_validated")
    assert report["summary"].select(columns).rows() == stats
    assert report["formats"].select("version_id", "format", "files", "size_bytes").rows() == formats


def test_without_a_pointer_the_newest_counts(shelf: Any) -> None:
    """A series that has no latest pointer shows its last release in release order, not marked as latest."""
    shelf.add("s/o/0.9", {})
    shelf.add("s/o/0.10", {})
    found = shelf.catalog.latest()["summary"].select("version_id", "is_latest", "files", "added", "net_bytes").rows()
    assert found == [("s/o/0.10", False, 0, 0, 0)]


def test_the_first_release_has_no_growth(shelf: Any) -> None:
    """Where there is no release before, the columns of change are null and nothing grew."""
    shelf.add("s/o/1", {"x.ttl": b"x"}, latest=True)
    report = shelf.catalog.latest("s/o/1")
    row = report["summary"].rows(named=True)[0]
    assert [row[name] for name in ("previous_version_id", "added", "renamed", "net_bytes", "churn_bytes")] == [None] * 5
    assert report["growth"].is_empty()


def test_an_empty_catalog_has_empty_frames(shelf: Any) -> None:
    """Nothing recorded is an answer: frames without rows, with their columns."""
    report = shelf.catalog.latest()
    assert {name: len(frame) for name, frame in report.items()} == {
        "summary": 0,
        "formats": 0,
        "largest": 0,
        "growth": 0,
    }
    assert "nothing" in report.as_table()


def test_what_can_not_be_answered_is_an_error(shelf: Any, tmp_path: Any) -> None:
    """An unknown name, a day that is none and a store without catalog are sentences."""
    from ontofetch_catalog.analytics import Catalog

    with pytest.raises(VersionUnknown, match="'nothing'"):
        shelf.catalog.latest("nothing")
    with pytest.raises(UsageError, match="2026-01-31"):
        shelf.catalog.latest(as_of="tomorrow")
    with pytest.raises(CatalogMissing):
        Catalog.open(tmp_path / "nowhere").latest()

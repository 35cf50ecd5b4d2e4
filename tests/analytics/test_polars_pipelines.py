"""Pipelines on literal frames: LazyFrame in, LazyFrame out."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
from polars.testing import assert_frame_equal

from ontofetch_catalog.analytics.polars_pipelines import growth, latest

AT = datetime(2026, 1, 1, tzinfo=UTC)
FILES = pl.LazyFrame(
    {
        "version_id": ["v1", "v1", "v1", "v2"],
        "relpath": ["a.ttl", "b.ttl", "c.obo", "d.obo"],
        "format": ["turtle", "turtle", "obo", "obo"],
        "size_bytes": [3, 1, 4, 0],
        "verified_at": [AT, None, AT, AT],
        "passed": [True, False, None, True],
        "not_judged": [False, False, None, False],
    }
)
CHANGES = pl.LazyFrame(
    {
        "version_id": ["v2"] * 5,
        "change": ["ADDED", "REMOVED", "MODIFIED", "RENAMED", "ADDED"],
        "relpath": ["n.ttl", "o.ttl", "m.obo", "x/r.ttl", "e.ttl"],
        "previous_relpath": [None, None, None, "r.ttl", None],
        "format": ["turtle", "turtle", "obo", "turtle", "turtle"],
        "size_a": [None, 7, 10, 2, None],
        "size_b": [5, None, 4, 2, 0],
    }
)
SIDES = pl.LazyFrame(
    {
        "side": ["a", "a", "b", "b"],
        "format": ["turtle", "obo", "turtle", "obo"],
        "files": [2, 2, 3, 2],
        "size_bytes": [9, 11, 7, 5],
    }
)


def test_version_totals() -> None:
    """A release is verified as of its least recently verified file, and not at all if one never was."""
    found = latest.version_totals(FILES).sort("version_id").collect()
    expected = pl.DataFrame(
        {
            "version_id": ["v1", "v2"],
            "files": [3, 1],
            "size_bytes": [8, 0],
            "formats": [2, 1],
            "passed": [1, 1],
            "failed": [1, 0],
            "not_judged": [0, 0],
            "not_validated": [1, 0],
            "last_verified": [None, AT],
        }
    )
    assert_frame_equal(found, expected, check_dtypes=False)


def test_shares_of_an_empty_release_are_zero() -> None:
    """No bytes at all is a share of 0, not a division by zero."""
    found = latest.format_totals(FILES).collect()
    assert found.select("version_id", "format", "share").rows() == [
        ("v1", "obo", 0.5),
        ("v1", "turtle", 0.5),
        ("v2", "obo", 0.0),
    ]


def test_file_changes_come_by_weight() -> None:
    """What changes most bytes comes first, in either direction; then kind and path decide."""
    found = growth.file_changes(CHANGES).collect()
    assert found.select("relpath", "size_delta").rows() == [
        ("o.ttl", -7),
        ("m.obo", -6),
        ("n.ttl", 5),
        ("e.ttl", 0),
        ("x/r.ttl", 0),
    ]


def test_contributors_grew() -> None:
    """Only what adds bytes contributes to growth."""
    assert latest.growth_contributors(CHANGES, 3).collect().select("relpath", "size_delta").rows() == [("n.ttl", 5)]


def test_growth_total_and_kinds() -> None:
    """The sums of all changes fit both sides; the rows per kind sum up to the row of all."""
    total = growth.growth_total(CHANGES, SIDES)
    expected = pl.DataFrame(
        {
            "files_a": [4],
            "files_b": [5],
            "bytes_a": [20],
            "bytes_b": [12],
            "net_bytes": [-8],
            "added": [2],
            "removed": [1],
            "modified": [1],
            "renamed": [1],
            "added_bytes": [5],
            "removed_bytes": [7],
            "modified_delta_bytes": [-6],
            "renamed_bytes": [2],
            "churn_bytes": [4],
            "unchanged": [1],
        }
    )
    assert_frame_equal(total.collect(), expected, check_dtypes=False)
    kinds = growth.growth_kinds(total).collect()
    assert kinds.select("change", "files_a", "files_b", "bytes_a", "bytes_b", "net_bytes", "churn_bytes").rows() == [
        ("ADDED", 0, 2, 0, 5, 5, 0),
        ("REMOVED", 1, 0, 7, 0, -7, 0),
        ("MODIFIED", 1, 1, 10, 4, -6, 4),
        ("RENAMED", 1, 1, 2, 2, 0, 0),
        ("UNCHANGED", 1, 1, 1, 1, 0, 0),
        ("TOTAL", 4, 5, 20, 12, -8, 4),
    ]


def test_growth_by_format() -> None:
    """Groups come by net growth, and what did not change is what is left."""
    found = growth.growth_by(CHANGES, SIDES, "format").collect()
    columns = ("format", "added", "removed", "modified", "renamed", "unchanged", "net_bytes", "churn_bytes")
    assert found.select(columns).rows() == [("obo", 0, 0, 1, 0, 1, -6, 4), ("turtle", 2, 1, 0, 1, 0, -2, 0)]


def test_parent_folders() -> None:
    """The folder of a path is all before its last slash, `.` at the top."""
    paths = pl.LazyFrame({"relpath": ["a/b/c.ttl", "c.ttl", "a/.x"]})
    assert growth.with_folder(paths).collect()["folder"].to_list() == ["a/b", ".", "a"]

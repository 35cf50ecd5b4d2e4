from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontofetch_catalog.analytics.polars_pipelines.hotspots import concentration
from ontofetch_catalog.errors import UsageError, VersionUnknown
from tests.levels import drawn

pytestmark = pytest.mark.usefixtures("quick_databases")

RELEASES: dict[str, dict[str, Any]] = {
    "obo/hp/1": {"a/x.ttl": b"1" * 10, "a/b/y.OBO": (b"2" * 30, {"obo": False}), "z": b"3" * 5},
    "obo/hp/2": {"a/x.ttl": b"1" * 10, ".hidden": b"4"},
    "npm/o/1": {"a/x.tar.gz": (b"5" * 44, {"rdf": False, "obo": False})},
}


def add_all(shelf: Any) -> None:
    """Record the releases."""
    for version_id, files in RELEASES.items():
        shelf.add(version_id, files)


def recount(key: Any) -> list[tuple[str, int, int, int]]:
    """Return (key, files, bytes, failed files), most bytes first."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for version_id, files in RELEASES.items():
        for path, given_file in files.items():
            content, results = (given_file, {}) if isinstance(given_file, bytes) else given_file
            entry = sums[key(version_id, PurePosixPath(path))]
            for at, number in enumerate((1, len(content), int(not all(results.values())))):
                entry[at] += number
    return sorted(((name, *numbers) for name, numbers in sums.items()), key=lambda row: (-row[2], row[0]))


@pytest.mark.parametrize(
    ("by", "section", "key"),
    [
        ("service", "services", lambda version_id, path: version_id.split("/")[0]),
        ("folder", "folders", lambda version_id, path: str(path.parent)),
        ("format", "formats", lambda version_id, path: {".ttl": "turtle"}.get(path.suffix, "unknown")),
        ("extension", "extensions", lambda version_id, path: path.suffix.lower()[1:] or "none"),
    ],
)
def test_totals_equal_a_recount(shelf: Any, by: str, section: str, key: Any) -> None:
    """Files, bytes and failing files of each key are those counted in plain Python, over all releases."""
    add_all(shelf)
    report = shelf.catalog.hotspots(by)
    assert report[section].select(by, "files", "size_bytes", "failed").rows() == recount(key)
    assert report[section]["cumulative_share"].to_list()[-1] == 1.0


def test_hosts_come_from_the_urls_of_artifacts(shelf: Any) -> None:
    """The host of a file is that of its artifact's URL, `file` without one; a repeated artifact counts once."""
    add_all(shelf)
    rows = [
        {"version_id": "obo/hp/1", "relpath": "a.zip", "source_url": "https://purl.obolibrary.org:443/a.zip?x=1"},
        {"version_id": "obo/hp/1", "relpath": "b.zip", "source_url": "https://purl.obolibrary.org/b.zip"},
        {"version_id": "obo/hp/2", "relpath": "a.zip", "source_url": "file:///tmp/a.zip"},
    ]
    schema = pa.schema({name: pa.string() for name in ("version_id", "relpath", "source_url", "artifact_id")})
    shelf.insert({"artifacts": pa.Table.from_pylist([{**row, "artifact_id": "a" * 64} for row in rows], schema=schema)})
    found = shelf.catalog.hotspots("host", metric="files")["hosts"].select("host", "files", "size_bytes").rows()
    assert found == [("purl.obolibrary.org", 3, 45), ("file", 2, 11), ("unknown", 1, 44)]


def test_failures_of_one_release(shelf: Any) -> None:
    """The metric and the scope narrow the question; a file that two validators fail is one failing file."""
    add_all(shelf)
    rows = shelf.catalog.hotspots("format", metric="failures", version="o/1")["formats"]
    assert rows.select("rank", "format", "failed", "share").rows() == [(1, "unknown", 1, 1.0)]
    assert shelf.catalog.hotspots("service", version="hp")["services"].select("files").item() == 5


def test_wrong_questions_are_sentences(shelf: Any) -> None:
    """Unknown keys, metrics and releases are errors."""
    with pytest.raises(UsageError, match="service, host"):
        shelf.catalog.hotspots("size")
    with pytest.raises(UsageError, match="bytes, files, failures"):
        shelf.catalog.hotspots("service", metric="rows")
    with pytest.raises(VersionUnknown):
        shelf.catalog.hotspots("service", version="nothing")


@settings(max_examples=drawn(50), deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.integers(0, 10**12), max_size=8))
def test_shares_add_up(amounts: dict[str, int]) -> None:
    """Ranks start at 1, amounts fall, shares sum to 1 unless there is nothing, and cumulative shares end there."""
    import polars as pl

    totals = pl.LazyFrame(
        {"format": list(amounts), "size_bytes": list(amounts.values())},
        schema={"format": pl.String, "size_bytes": pl.Int64},
    )
    rows = concentration(totals, "format", "size_bytes").collect()
    assert rows["rank"].to_list() == list(range(1, len(amounts) + 1))
    assert rows["size_bytes"].to_list() == sorted(amounts.values(), reverse=True)
    whole = sum(amounts.values())
    assert rows["share"].sum() == pytest.approx(1.0 if whole else 0.0)
    assert rows["cumulative_share"].to_list() == pytest.approx(
        [sum(rows["size_bytes"].to_list()[: n + 1]) / whole if whole else 0.0 for n in range(len(amounts))]
    )
    assert rows["top_share"].to_list() == pytest.approx([(n + 1) / len(amounts) for n in range(len(amounts))])

"""Reports from audits say the same as those from the catalog."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ontofetch_catalog.analytics import Catalog
from ontofetch_catalog.errors import AmbiguousVersion, CatalogUnreadable, VersionUnknown

NUMBERS = itertools.count()

contents = st.sampled_from([b"", b"1", b"22", b"333"])
results = st.dictionaries(st.sampled_from(["rdf", "shape"]), st.booleans())
paths = st.sampled_from(["a.ttl", "b.ttl", "x/a.ttl", "x/b.TAR.GZ", ".hidden", "é/ü.obo"])
releases = st.dictionaries(paths, st.tuples(contents, results, st.sampled_from(["", "bad\nworse"])), max_size=6)


def assert_same(ours: Any, theirs: Any) -> None:
    """Assert that two results have equal frames and json; when files were verified is known to the catalog alone."""
    assert list(ours) == list(theirs)
    assert spelled(ours) == spelled(theirs)
    for name, frame in ours.items():
        drop = [column for column in ("last_verified",) if column in frame.columns]
        assert_frame_equal(frame.drop(drop), theirs[name].drop(drop))


def spelled(result: Any) -> bytes:
    """Return the json of a result without what audits can't know."""
    return re.sub(rb'"last_verified":("[^"]*"|null)', b"", result.as_json())


@settings(max_examples=10, deadline=None)
@given(old=releases, new=releases)
def test_every_report_is_the_same_from_audits(open_shelf: Any, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """For any pair of releases each report gives the same frames with and without the database."""
    series = f"a/o{next(NUMBERS)}"
    first = open_shelf.add(f"{series}/1.9", old)
    second = open_shelf.add(f"{series}/1.10", new, latest=True)
    catalog, audits = open_shelf.catalog, Catalog.from_audits(open_shelf.store.root)
    assert_same(audits.latest(series), catalog.latest(series))
    for by in ("path", "folder"):
        assert_same(audits.growth(first, second, by=by, all=True), catalog.growth(first, second, by=by, all=True))
    assert_same(audits.growth(second, second, all=True), catalog.growth(second, second, all=True))
    assert_same(audits.growth(series=series), catalog.growth(series=series))
    for by in ("validator", "path"):
        arguments = {"against": first, "by": by, "last": 2}
        assert_same(audits.validation(second, **arguments), catalog.validation(second, **arguments))
    for by in ("service", "folder", "format", "extension"):
        assert_same(audits.hotspots(by, version=series), catalog.hotspots(by, version=series))
    assert_same(audits.duplicates(series), catalog.duplicates(series))


def test_releases_come_from_manifests(shelf: Any) -> None:
    """Order, latest pointer, hosts and names of releases are those of the documents on disk."""
    for version in ("0.9", "0.10", "0.11"):
        shelf.add(f"s/o/{version}", {"a.ttl": b"1"}, latest=version == "0.10")
    shelf.add("t/o/0.9", {"b.ttl": b"22"})
    audits = Catalog.from_audits(shelf.store.root)
    assert audits.growth(b="s/o/latest").parameters["a"] == "s/o/0.9"
    assert audits.latest("s/o/previous")["summary"]["version_id"].to_list() == ["s/o/0.9"]
    assert audits.hotspots("host")["hosts"].select("host", "files").rows() == [("example.org", 4)]
    with pytest.raises(AmbiguousVersion, match=r"s/o/0\.9, t/o/0\.9"):
        audits.growth(b="0.9")
    with pytest.raises(VersionUnknown, match="previous release of 't/o'"):
        audits.growth(b="t/o/previous")


def test_it_works_without_a_database(shelf: Any) -> None:
    """With the catalog gone the audits still answer."""
    shelf.add("s/o/1", {"a.ttl": b"1"}, latest=True)
    for path in (shelf.store.root / ".catalog").iterdir():
        if path.is_file():
            path.unlink()
    assert Catalog.from_audits(shelf.store.root).latest()["summary"]["files"].to_list() == [1]


GOOD = (
    '{"version_id":"s/o/1","relpath":"b","file_id":"' + "0" * 64 + '","artifact_id":"' + "a" * 64 + '",'
    '"format":"obo","size_bytes":1,"mtime":"2026-01-01T00:00:00Z"}\n'
)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("hello\n", "it is no JSON"),
        ('{"relpath":"x"', "it is no JSON, and the file ends inside it"),
        ("[1]\n", "it is no JSON object"),
        (GOOD.replace('"size_bytes":1', '"size_bytes":"x"'), "size_bytes is 'x', not int"),
        (GOOD.replace('"relpath":"b",', ""), "relpath is missing"),
        (GOOD.replace('"b"', "null"), "relpath is 'None', not str"),
    ],
)
def test_a_line_that_does_not_fit_is_named(shelf: Any, line: str, fault: str) -> None:
    """The error names the file, the line, and what is wrong with it."""
    shelf.add("s/o/1", {"a.ttl": b"1"})
    audit = shelf.store.root / "s/o/1/.extract.audit.json"
    audit.write_text(GOOD + line)
    with pytest.raises(CatalogUnreadable) as failed:
        Catalog.from_audits(shelf.store.root).latest()
    assert f"{audit}', line 2: {fault}." in failed.value.message
    assert failed.value.__cause__ is not None


def test_a_damaged_manifest_is_named(shelf: Any) -> None:
    """A manifest that can't be read is an error with its path."""
    shelf.add("s/o/1", {})
    (shelf.store.root / "s/o/1/manifest.json").write_text("{}")
    with pytest.raises(CatalogUnreadable, match=r"s/o/1/manifest\.json"):
        Catalog.from_audits(shelf.store.root).latest()


def test_a_report_reads_only_the_columns_it_uses(shelf: Any) -> None:
    """The plan over audits projects the columns of the question, and what tells lines of files, not the hashes."""
    told: list[str] = []
    shelf.add("s/o/1", {"a.ttl": b"1"}, latest=True)
    Catalog.from_audits(shelf.store.root, tell=told.append).growth(series="o")
    totals = [text for text in told if "group_by" in text.lower() or "AGGREGATE" in text]
    assert any("PROJECT 4/8 COLUMNS" in text for text in totals)
    assert not any("artifact_id" in text or "mtime" in text for text in totals)


def test_a_root_without_releases_is_empty(tmp_path: Any) -> None:
    """No manifests are no releases: empty frames, not errors."""
    assert Catalog.from_audits(tmp_path).duplicates()["summary"].select(pl.col("files")).item() == 0

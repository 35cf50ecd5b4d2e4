"""Duplicates against a recount in plain Python that imports nothing of ours."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.levels import drawn

pytestmark = pytest.mark.usefixtures("quick_databases")

NUMBERS = itertools.count()

release = st.dictionaries(
    st.sampled_from(["a.ttl", "b.ttl", "c/a.ttl", "c/d.obo", "e"]),
    st.sampled_from([b"", b"1", b"22", b"333"]),
    max_size=5,
)


@settings(max_examples=drawn(40), deadline=None)
@given(releases=st.lists(release, min_size=1, max_size=4))
def test_duplicates_equal_a_recount(open_shelf: Any, releases: list[dict[str, bytes]]) -> None:
    """Copies, what they waste within and across releases, and what is shared are those of a recount."""
    series = f"d/o{next(NUMBERS)}"
    names = [open_shelf.add(f"{series}/{number}", files) for number, files in enumerate(releases)]
    report = open_shelf.catalog.duplicates(series)
    copies = Counter(content for files in releases for content in files.values())
    spread = Counter(content for files in releases for content in set(files.values()))
    rows = {row["file_id"]: row for row in report["contents"].rows(named=True)}
    assert rows.keys() == {hashlib.sha256(content).hexdigest() for content, count in copies.items() if count > 1}
    for content, count in copies.items():
        if count > 1:
            row = rows[hashlib.sha256(content).hexdigest()]
            paths = [path for files in releases for path, held in files.items() if held == content]
            assert (row["copies"], row["versions"], row["relpath"]) == (count, spread[content], min(paths))
            assert row["saved_bytes"] == (count - 1) * len(content)
    summary = report["summary"].rows(named=True)[0]
    size = sum(len(content) * count for content, count in copies.items())
    unique = sum(map(len, copies))
    within = sum(sum(map(len, files.values())) - sum(map(len, set(files.values()))) for files in releases)
    assert summary["size_bytes"] == size
    assert (summary["contents"], summary["unique_bytes"]) == (len(copies), unique)
    assert (summary["saved_bytes"], summary["repeated_bytes"]) == (size - unique, within)
    assert summary["shared_bytes"] == size - unique - within
    per_release = {row["version_id"]: row for row in report["versions"].rows(named=True)}
    for name, files in zip(names, releases, strict=True):
        if files:
            held = set(files.values())
            assert per_release[name]["repeated_bytes"] == sum(map(len, files.values())) - sum(map(len, held))
            assert per_release[name]["shared_bytes"] == sum(len(content) for content in held if spread[content] > 1)


def test_what_saves_most_comes_first(shelf: Any) -> None:
    """Contents come by what storing them once would save, over everything recorded unless told otherwise."""
    shelf.add("s/o/1", {"a.ttl": b"1" * 10, "copy.ttl": b"1" * 10, "b.ttl": b"2" * 30})
    shelf.add("t/p/1", {"c.ttl": b"2" * 30, "a.ttl": b"1" * 10})
    columns = ("relpath", "copies", "versions", "saved_bytes")
    assert shelf.catalog.duplicates()["contents"].select(columns).rows() == [
        ("b.ttl", 2, 2, 30),
        ("a.ttl", 3, 2, 20),
    ]
    assert shelf.catalog.duplicates("s/o/1")["contents"].select(columns).rows() == [("a.ttl", 2, 1, 10)]


def test_an_empty_catalog_has_nothing_to_save(shelf: Any) -> None:
    """Without releases there are zeros, not errors."""
    report = shelf.catalog.duplicates()
    assert set(report["summary"].rows(named=True)[0].values()) == {0}
    assert report["contents"].is_empty()

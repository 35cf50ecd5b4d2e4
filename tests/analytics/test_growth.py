"""Growth against a naive model in plain Python that imports nothing of ours."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ontofetch_catalog.errors import AmbiguousVersion, UsageError, VersionUnknown
from tests.levels import drawn

Files = Mapping[str, bytes]
NUMBERS = itertools.count()

# few names and few contents, so that copies, swaps and renames are common
folders = st.sampled_from(["", "a/", "a/b/", "c/"])
names = st.sampled_from(["x.ttl", "y.ttl", "x.obo", "é.owl", "z"])
paths = st.builds(str.__add__, folders, names)
contents = st.sampled_from([b"", b"1", b"22", b"333", b"4444"])
releases = st.dictionaries(paths, contents, max_size=12)


@st.composite
def changed_pairs(draw: st.DrawFn) -> tuple[Files, Files]:
    """Return a release and what a maintainer made of it: added, removed, modified, renamed, copied, swapped files."""
    a = draw(st.dictionaries(paths, contents, min_size=3, max_size=10))
    b = dict(a)
    for step in draw(st.lists(st.sampled_from(["add", "remove", "modify", "rename", "copy", "swap"]), max_size=8)):
        old = draw(st.sampled_from(sorted(b))) if b else None
        new = draw(paths)
        if step == "add" or old is None:
            b.setdefault(new, draw(contents))
        elif step == "remove":
            del b[old]
        elif step == "modify":
            b[old] += b"!"
        elif step == "rename":
            b[new] = b.pop(old)
        elif step == "copy":
            b[new] = b[old]
        else:
            other = draw(st.sampled_from(sorted(b)))
            b[old], b[other] = b[other], b[old]
    return a, b


def pair_renames(gone: Files, come: Files) -> dict[str, str]:
    """Return path in B → path in A: equal content, equal base names first, the k-th by path with the k-th."""
    pairs: dict[str, str] = {}
    for same_name in (True, False):
        left, right = defaultdict(list), defaultdict(list)
        for side, files, done in ((left, gone, set(pairs.values())), (right, come, set(pairs))):
            for path in sorted(files, key=str.encode):
                if path not in done:
                    side[files[path], PurePosixPath(path).name if same_name else ""].append(path)
        for key, after in right.items():
            pairs.update(zip(after, left[key], strict=False))
    return pairs


def naive(a: Files, b: Files) -> dict[tuple[str, str, str | None], tuple[int | None, int | None]]:
    """Return (change, path, former path) → (size in A, size in B)."""
    gone = {path: content for path, content in a.items() if path not in b}
    come = {path: content for path, content in b.items() if path not in a}
    renamed = pair_renames(gone, come)
    found: dict[tuple[str, str, str | None], tuple[int | None, int | None]] = {}
    for path in a.keys() & b.keys():
        kind = "UNCHANGED" if a[path] == b[path] else "MODIFIED"
        found[kind, path, None] = (len(a[path]), len(b[path]))
    for path, former in renamed.items():
        found["RENAMED", path, former] = (len(a[former]), len(b[path]))
    for path in gone.keys() - set(renamed.values()):
        found["REMOVED", path, None] = (len(a[path]), None)
    for path in come.keys() - renamed.keys():
        found["ADDED", path, None] = (None, len(b[path]))
    return found


def add_pair(shelf: Any, a: Files, b: Files) -> tuple[str, str]:
    """Record two releases of a new series and return their names."""
    number = next(NUMBERS)
    return shelf.add(f"t/pair{number}/1", a), shelf.add(f"t/pair{number}/2", b)


@settings(max_examples=drawn(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pair=st.one_of(changed_pairs(), st.tuples(releases, releases)), whole=st.booleans())
def test_growth_equals_the_naive_model(open_shelf: Any, pair: tuple[Files, Files], whole: bool) -> None:
    """Rows, sums per kind, format and folder, churn and net growth of any pair are those of a recount."""
    a, b = pair
    first, second = add_pair(open_shelf, a, b)
    expected = naive(a, b)
    report = open_shelf.catalog.growth(first, second, all=whole)
    rows = report["changes"].rows(named=True)
    found = {(r["change"], r["relpath"], r["previous_relpath"]): (r["size_a"], r["size_b"]) for r in rows}
    assert len(rows) == len(found)
    assert found == {key: sizes for key, sizes in expected.items() if whole or key[0] != "UNCHANGED"}
    assert all(row["size_delta"] == (row["size_b"] or 0) - (row["size_a"] or 0) for row in rows)
    assert [abs(row["size_delta"]) for row in rows] == sorted((abs(row["size_delta"]) for row in rows), reverse=True)

    summary = report["summary"].rows(named=True)[0]
    kinds = Counter(kind for kind, _, _ in expected)
    names = ("added", "removed", "modified", "renamed", "unchanged")
    assert {name: summary[name] for name in names} == {name: kinds[name.upper()] for name in names}
    assert (summary["files_a"], summary["files_b"]) == (len(a), len(b))
    assert (summary["bytes_a"], summary["bytes_b"]) == (sum(map(len, a.values())), sum(map(len, b.values())))
    assert summary["churn_bytes"] == sum(
        size_b or 0 for (kind, _, _), (_, size_b) in expected.items() if kind == "MODIFIED"
    )
    check_identities(summary)
    by_folder = open_shelf.catalog.growth(first, second, by="folder")
    names += ("net_bytes", "churn_bytes", "added_bytes", "removed_bytes", "bytes_a", "bytes_b")
    for groups in (report["formats"], by_folder["folders"]):
        assert groups.select(names).sum().rows(named=True)[0] == {name: summary[name] for name in names}
    kind_rows = {row["change"]: row for row in report["kinds"].rows(named=True)}
    total = kind_rows.pop("TOTAL")
    for name in ("files_a", "files_b", "bytes_a", "bytes_b", "net_bytes", "churn_bytes"):
        assert sum(row[name] for row in kind_rows.values()) == total[name] == summary[name]


def check_identities(row: Mapping[str, int]) -> None:
    """Assert the identities that hold for every pair of releases."""
    assert row["files_a"] == row["unchanged"] + row["modified"] + row["renamed"] + row["removed"]
    assert row["files_b"] == row["unchanged"] + row["modified"] + row["renamed"] + row["added"]
    assert row["bytes_b"] - row["bytes_a"] == row["net_bytes"]
    assert row["net_bytes"] == row["added_bytes"] - row["removed_bytes"] + row["modified_delta_bytes"]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=releases)
def test_growth_of_a_release_against_itself_is_empty(open_shelf: Any, files: Files) -> None:
    """`growth v v` lists nothing, and sums up to no growth and no churn."""
    version = open_shelf.add(f"t/self{next(NUMBERS)}/1", files)
    report = open_shelf.catalog.growth(version, version)
    assert report["changes"].is_empty()
    summary = report["summary"].rows(named=True)[0]
    assert summary["unchanged"] == len(files)
    assert (summary["net_bytes"], summary["churn_bytes"], summary["added"]) == (0, 0, 0)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(a=releases, b=releases, chance=st.randoms())
def test_the_order_of_files_does_not_matter(open_shelf: Any, a: Files, b: Files, chance: Any) -> None:
    """Two catalogs whose rows arrived in another order give the same bytes of every report in every format."""

    def shuffled(files: Files) -> Files:
        return dict(chance.sample(sorted(files.items()), len(files)))

    number = next(NUMBERS)
    outputs: dict[str, list[bytes]] = {}
    for service in ("s", "t"):
        series = f"{service}/order{number}"
        first = open_shelf.add(f"{series}/1", shuffled(a))
        second = open_shelf.add(f"{series}/2", shuffled(b), latest=True)
        catalog = open_shelf.catalog
        growth = catalog.growth(first, second)
        reports = [growth, catalog.growth(first, second, by="folder"), catalog.growth(series=series),
                   catalog.latest(series), catalog.hotspots("folder", version=series), catalog.duplicates(series),
                   catalog.validation(second, against=first, by="path")]  # fmt: skip
        named = [report.as_json().replace(series.encode(), b"series") for report in reports]
        outputs[service] = [*named, growth.as_jsonl(), growth.as_parquet(), growth.as_csv()]
    assert outputs["s"] == outputs["t"]


def test_a_move_is_growth_of_its_folder(shelf: Any) -> None:
    """A file that moved counts as renamed where it is now; the folders grow and shrink by its bytes."""
    shelf.add("t/o/1", {"old/x.ttl": b"12345", "x.obo": b"1"})
    shelf.add("t/o/2", {"new/x.ttl": b"12345", "x.obo": b"1"}, latest=True)
    rows = shelf.catalog.growth(by="folder")["folders"].select("folder", "renamed", "unchanged", "net_bytes").rows()
    assert rows == [("new", 1, 0, 5), ("old", 0, 0, -5), (".", 0, 1, 0)]


def test_growth_defaults_to_the_latest_release(shelf: Any) -> None:
    """Without names it compares the latest release of the only series with the one before it in release order."""
    shelf.add("t/o/0.10", {"x": b"10"}, latest=True)
    shelf.add("t/o/0.9", {"x": b"9"})
    report = shelf.catalog.growth()
    assert (report.parameters["a"], report.parameters["b"]) == ("t/o/0.9", "t/o/0.10")
    with pytest.raises(VersionUnknown, match=r"first release.*--a"):
        shelf.catalog.growth(b="0.9")


def test_names_of_releases_are_resolved(shelf: Any) -> None:
    """Whole-segment ends name a release; ambiguity lists the candidates; an unknown one is an error."""
    for version in ("t/o/1", "t/o/2", "t/p/1"):
        shelf.add(version, {})
    assert shelf.catalog.growth("o/1", "2").parameters == {"a": "t/o/1", "b": "t/o/2", "by": "path", "all": False}
    with pytest.raises(AmbiguousVersion, match=r"t/o/1, t/p/1"):
        shelf.catalog.growth("1", "2")
    with pytest.raises(VersionUnknown, match="nothing"):
        shelf.catalog.growth("nothing", "2")
    with pytest.raises(UsageError, match="path, format, folder"):
        shelf.catalog.growth("o/1", "2", by="size")
    with pytest.raises(AmbiguousVersion):
        shelf.catalog.growth()

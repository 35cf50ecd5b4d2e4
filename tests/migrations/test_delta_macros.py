"""What changed between two releases: literal cases, and any pair against a naive model in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontofetch_catalog.catalog import migrations
from tests.levels import drawn

Release = dict[str, str]  # path → content; a content's size is its length
CHANGES = ("ADDED", "REMOVED", "MODIFIED", "RENAMED", "UNCHANGED")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a database in memory with the whole schema."""
    with duckdb.connect() as opened:
        for migration in migrations.available_migrations():
            opened.execute(migration.sql)
        yield opened


def record(connection: duckdb.DuckDBPyConnection, **releases: Release) -> None:
    """Put releases into the catalog, and nothing else."""
    connection.execute("DELETE FROM extracted_files")
    for version_id, files in releases.items():
        for path, content in files.items():
            connection.execute(
                "INSERT INTO extracted_files (version_id, relpath, file_id, format, size_bytes) VALUES (?, ?, ?, ?, ?)",
                [version_id, path, content, path.rpartition(".")[2], len(content)],
            )


def changes(connection: duckdb.DuckDBPyConnection, a: Release, b: Release) -> list[tuple[str, str, str | None]]:
    """Return (change, path, previous path) of every row of the macro, sorted."""
    record(connection, a=a, b=b)
    rows = connection.execute("SELECT change, relpath, previous_relpath FROM version_delta_files('a', 'b')").fetchall()
    return sorted(rows, key=str)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ({"x": "1"}, {"x": "1"}, [("UNCHANGED", "x", None)]),
        ({"x": "1"}, {"x": "2"}, [("MODIFIED", "x", None)]),
        ({"x": "1"}, {"y": "1"}, [("RENAMED", "y", "x")]),
        ({"x": "1"}, {"x": "1", "y": "1"}, [("ADDED", "y", None), ("UNCHANGED", "x", None)]),
        ({"x": "1", "y": "2"}, {"x": "2", "y": "1"}, [("MODIFIED", "x", None), ("MODIFIED", "y", None)]),
        (
            {"p/a": "1", "p/b": "1"},
            {"q/b": "1", "q/c": "1"},
            [("RENAMED", "q/b", "p/b"), ("RENAMED", "q/c", "p/a")],
        ),
        (
            {"a": "1", "b": "1", "c": "1"},
            {"d": "1", "e": "1"},
            [("REMOVED", "c", None), ("RENAMED", "d", "a"), ("RENAMED", "e", "b")],
        ),
        ({}, {"x": ""}, [("ADDED", "x", None)]),
        ({"x": ""}, {}, [("REMOVED", "x", None)]),
    ],
)
def test_a_change_is_told_by_path_and_content(
    connection: duckdb.DuckDBPyConnection, a: Release, b: Release, expected: list[tuple[str, str, str | None]]
) -> None:
    """Equal names come first, then the k-th with the k-th; a copy of a file that stays is an addition."""
    assert changes(connection, a, b) == sorted(expected, key=str)


def model(a: Release, b: Release) -> list[tuple[str, str, str | None]]:
    """Tell the changes as the design says them, slowly."""
    found: list[tuple[str, str, str | None]] = [
        ("UNCHANGED" if a[path] == b[path] else "MODIFIED", path, None) for path in a.keys() & b.keys()
    ]
    gone, come = sorted(a.keys() - b.keys()), sorted(b.keys() - a.keys())
    for same in (lambda path, side: (side[path], path.rpartition("/")[2]), lambda path, side: (side[path],)):
        waiting: defaultdict[Any, list[str]] = defaultdict(list)
        for path in gone:
            waiting[same(path, a)].append(path)
        for path in list(come):
            if waiting[same(path, b)]:
                former = waiting[same(path, b)].pop(0)
                found.append(("RENAMED", path, former))
                gone.remove(former)
                come.remove(path)
    found += [("REMOVED", path, None) for path in gone] + [("ADDED", path, None) for path in come]
    return sorted(found, key=str)


PATHS = st.builds(
    lambda folder, name, ending: f"{folder}{name}.{ending}",
    *map(st.sampled_from, (["", "p/", "q/", "p/r/"], "abc", ["ttl", "obo"])),
)
RELEASES = st.dictionaries(PATHS, st.sampled_from(["", "1", "22", "333"]), max_size=12)


@settings(max_examples=drawn(200))
@given(a=RELEASES, b=RELEASES)
def test_any_pair_is_told_as_the_model_tells_it(connection: duckdb.DuckDBPyConnection, a: Release, b: Release) -> None:
    """Rows, sums per release and sums per format agree with the naive model, and the identities hold."""
    expected = model(a, b)
    assert changes(connection, a, b) == expected
    counts = Counter(change for change, _, _ in expected)
    row = connection.execute("SELECT * FROM version_delta_summary('a', 'b')").fetchall()[0]
    summary = dict(zip([item[0] for item in connection.description or []], row, strict=True))
    assert [summary[change.lower()] for change in CHANGES] == [counts[change] for change in CHANGES]
    assert len(a) == sum(summary[name] for name in ("unchanged", "modified", "renamed", "removed"))
    assert len(b) == sum(summary[name] for name in ("unchanged", "modified", "renamed", "added"))
    net = sum(map(len, b.values())) - sum(map(len, a.values()))
    assert summary["net_bytes"] == net == summary["bytes_b"] - summary["bytes_a"]
    assert net == summary["added_bytes"] - summary["removed_bytes"] + summary["modified_delta_bytes"]
    assert summary["churn_bytes"] == sum(len(b[path]) for change, path, _ in expected if change == "MODIFIED")
    formats = connection.execute("SELECT format, net_bytes, bytes_a, bytes_b FROM version_delta_formats('a', 'b')")
    for name, format_net, bytes_a, bytes_b in formats.fetchall():
        sizes = [sum(len(text) for path, text in side.items() if path.endswith(name)) for side in (a, b)]
        assert ([bytes_a, bytes_b], format_net) == (sizes, sizes[1] - sizes[0])


@settings(max_examples=drawn(50))
@given(a=RELEASES, b=RELEASES, c=RELEASES)
def test_many_pairs_are_told_as_each_alone(
    connection: duckdb.DuckDBPyConnection, a: Release, b: Release, c: Release
) -> None:
    """No pair mixes with another one, whatever they share; a pair that is given twice counts once."""
    releases = {"a": a, "b": b, "c": c}
    record(connection, **releases)
    given_pairs = ["ab", "bc", "ac", "ca", "bb", "ab"]
    listed = ", ".join(f"{{'a': '{before}', 'b': '{after}'}}" for before, after in given_pairs)
    rows = connection.execute(
        f"SELECT a || b, change, relpath, previous_relpath FROM version_deltas([{listed}])"
    ).fetchall()
    expected = [(pair, *row) for pair in set(given_pairs) for row in model(releases[pair[0]], releases[pair[1]])]
    assert sorted(rows, key=str) == sorted(expected, key=str)


@given(a=RELEASES)
def test_a_release_does_not_differ_from_itself(connection: duckdb.DuckDBPyConnection, a: Release) -> None:
    """The delta of a release with itself has only unchanged rows."""
    record(connection, a=a)
    rows = connection.execute("SELECT DISTINCT change FROM version_delta_files('a', 'a')").fetchall()
    assert rows in ([], [("UNCHANGED",)])


def test_results_are_compared_across_renames(connection: duckdb.DuckDBPyConnection) -> None:
    """A result follows its file to its new name; what has no counterpart is new or removed."""
    record(connection, a={"x": "1", "y": "2", "z": "3"}, b={"x": "1", "w": "2", "v": "4"})
    connection.execute("DELETE FROM validations")
    for version, path, passed in (
        ("a", "x", False),
        ("a", "y", True),
        ("a", "z", True),
        ("b", "x", True),
        ("b", "w", False),
        ("b", "v", True),
    ):
        connection.execute(
            "INSERT INTO validations (version_id, relpath, validator, passed) VALUES (?, ?, 'rdf', ?)",
            [version, path, passed],
        )
    rows = connection.execute("SELECT change, relpath_a, relpath_b FROM version_validation_delta('a', 'b')").fetchall()
    assert sorted(rows, key=str) == [
        ("FIXED", "x", "x"),
        ("NEW", None, "v"),
        ("REGRESSED", "y", "w"),
        ("REMOVED", "z", None),
    ]


@pytest.mark.parametrize("macro", ["files", "summary", "formats", "renames"])
def test_deltas_are_hash_joins(connection: duckdb.DuckDBPyConnection, macro: str) -> None:
    """No macro needs a cross product or a nested loop."""
    connection.execute("DELETE FROM extracted_files")
    for version in ("a", "b"):
        connection.execute(
            "INSERT INTO extracted_files (version_id, relpath, file_id, size_bytes)"
            f" SELECT '{version}', 'p' || i, 'c' || i, i FROM range(5000) t(i)"
        )
    rows = connection.execute(f"EXPLAIN (FORMAT json) SELECT * FROM version_delta_{macro}('a', 'b')").fetchall()
    # DuckDB 1 writes HASH_JOIN, DuckDB 2 Hash Join
    plan = str(rows).upper().replace(" ", "_")
    assert "HASH_JOIN" in plan
    for slow in ("CROSS_PRODUCT", "NESTED_LOOP", "BLOCKWISE_NL", "PIECEWISE_MERGE"):
        assert slow not in plan

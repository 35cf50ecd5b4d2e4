"""Reports on very many files: what they read and hold follows from what they are about, and parts make the whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ontofetch_catalog.analytics.sources import catalog as catalog_source
from ontofetch_catalog.catalog.repo.bounds import bounds_of, part_of
from ontofetch_catalog.catalog.repo.reports import Statement, select_change_sums

MANY = 3_000
FILES = """
INSERT INTO extracted_files BY NAME
SELECT '{version}' AS version_id, printf('part/module_%06d.ttl', i + {first}) AS relpath,
    sha256(printf('%d', i + {first})) AS file_id, repeat('a', 64) AS artifact_id, 'turtle' AS format, 10 AS size_bytes
FROM range({count}) t(i)
"""
FACTS = """
INSERT INTO file_facts BY NAME
SELECT file_id, 'v' AS facts_version, file_id AS content_id, 'rdf' AS digest_kind, file_id AS digest,
    true AS digest_exact, 0 AS heads FROM extracted_files WHERE version_id = '{version}' LIMIT 1
"""


def peak() -> int:
    """Return the peak of this process's memory since the last `forget_peak`, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def forget_peak() -> int:
    """Begin a new peak; return what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is Linux's to tell")
def test_files_with_names_alike_are_not_held_pair_by_pair(shelf: Any) -> None:
    """Two releases of files that differ in their numbers alone cost what their files cost, not every two of them."""
    names = [shelf.add(f"s/o/{number}", {}) for number in (1, 2)]
    with duckdb.connect(str(shelf.store.database)) as connection:
        for number, name in enumerate(names):
            connection.execute(FILES.format(version=name, first=number * MANY, count=MANY))
            connection.execute(FACTS.format(version=name))
    shelf.catalog.growth(*names, by="format")
    before = forget_peak()
    report = shelf.catalog.growth(*names, by="format")
    assert report["summary"]["terms_added"].to_list() == [None]
    # each two of them: a gigabyte
    assert peak() - before < 300_000_000


def test_parts_of_all_contents_make_the_whole(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Duplicates found part by part, as of very many files, are those found at once."""
    for number in range(3):
        shelf.add(f"s/o/{number}", {f"{at}.ttl": b"x" * (at % (3 + number)) for at in range(12)})
    whole = shelf.catalog.duplicates()
    monkeypatch.setattr(catalog_source, "_FILES_AT_ONCE", 2)
    monkeypatch.setattr(catalog_source, "_CONTENTS_AT_ONCE", 2)
    parts = shelf.catalog.duplicates()
    for name in ("contents", "versions", "summary"):
        assert parts[name].equals(whole[name])


def test_pairs_in_portions_make_the_whole_time_line(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed over a series, told for some pairs after the others as of very many files, is what it is at once."""
    for number, count in enumerate((3, 4, 0, 9, 2, 2)):
        shelf.add(f"s/o/{number}", {f"{at}.ttl": b"x" * (at + number % 2) for at in range(count)})
    whole, read = shelf.catalog.growth(series="o"), catalog_source.CatalogReader.read
    asked: list[Sequence[str]] = []

    def told(reader: catalog_source.CatalogReader, statement: Statement) -> object:
        asked.extend([statement.tables["given_pairs"]["b"]] if "given_pairs" in statement.tables else [])
        return read(reader, statement)

    monkeypatch.setattr(catalog_source, "_CHANGES_AT_ONCE", 11)
    monkeypatch.setattr(catalog_source.CatalogReader, "read", told)
    parts = shelf.catalog.growth(series="o")
    assert [[name[-1] for name in names] for names in asked] == [["1", "2"], ["3", "4"], ["5"]]
    for name in ("timeline", "formats"):
        assert parts[name].equals(whole[name])


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 100])
def test_each_hash_is_in_one_part(parts: int) -> None:
    """Every hash belongs to one part, also what is none; the parts differ little in size."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT sha256(i::VARCHAR) AS h FROM range(5000) t(i)")
        connection.execute("INSERT INTO t VALUES ('zz'), (''), ('ffff')")
        counts = [
            connection.execute(f"SELECT count(*) FROM t WHERE {part_of('h', part, parts)}").fetchall()[0][0]
            for part in range(parts)
        ]
    assert sum(counts) == 5003
    assert max(counts) - min(counts) < 5003 // parts // 2 + 20


def test_rows_of_other_releases_are_not_read() -> None:
    """Within the bounds of two releases DuckDB reads their rows alone; a list of names does not bring that about."""
    names = [f"example/series/{number:02d}" for number in range(8)]
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE files AS SELECT printf('example/series/%02d', i // 122880) AS version_id, i FROM"
            " range(8 * 122880) t(i)"
        )
        connection.register("given", pa.table({"version_id": names[2:4]}))
        listed = "SELECT sum(i) FROM files WHERE version_id IN (SELECT version_id FROM given)"
        plans = [
            connection.execute(f"EXPLAIN ANALYZE {listed} AND {bounds}").fetchall()[0][1]
            for bounds in ("true", bounds_of(names[2:4]))
        ]
    read = [max(int(told.replace(",", "")) for told in re.findall(r"([\d,]+) rows", plan)) for plan in plans]
    assert read[1] == 2 * 122_880 < read[0]


def test_changes_of_some_pairs_read_their_releases_alone() -> None:
    """However many other releases there are, what changed between some is told by the rows of these."""
    names = [f"example/series/{number:02d}" for number in range(8)]
    statement = select_change_sums([(names[2], names[3]), (names[3], names[4])])
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE extracted_files AS SELECT printf('example/series/%02d', i // 122880) AS version_id,"
            " (i % 122880)::VARCHAR AS relpath, (i // 7)::VARCHAR AS file_id, 'obo' AS format, 1 AS size_bytes"
            " FROM range(8 * 122880) t(i)"
        )
        with statement.given(connection):
            plan = connection.execute(f"EXPLAIN ANALYZE {statement.sql}").fetchall()[0][1]
    assert f"{8 * 122_880:,} rows" not in plan
    assert f"{2 * 122_880:,} rows" in plan


@pytest.mark.parametrize(
    "names", [["a/b/1'"], ["b/b/1", "a/b/2", "a/b/10"], ["ä/b/1", "z/b/1"], ["\U0001d518/b/1", "\ufffd/b/1"]]
)
def test_all_named_releases_lie_within_the_bounds(names: list[str]) -> None:
    """Whatever their names are made of, the bounds leave none of the releases out; of none there is nothing."""
    with duckdb.connect() as connection:
        connection.register("given", pa.table({"version_id": names}))
        found = connection.execute(f"SELECT count(*) FROM given WHERE {bounds_of(names)}").fetchall()
        none = connection.execute(f"SELECT count(*) FROM given WHERE {bounds_of([])}").fetchall()
    assert (found[0][0], none[0][0]) == (len(names), 0)

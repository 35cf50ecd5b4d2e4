"""Files are found by short numbers: the same as by their texts, whoever recorded them, with whatever DuckDB."""

from __future__ import annotations

import random
from collections.abc import Iterator

import duckdb
import pytest

from ontofetch_catalog.catalog import migrations
from ontofetch_catalog.catalog.profile import Profiler
from ontofetch_catalog.catalog.repo import facts, held_facts, lookup_keys, queries
from tests.releases import sha256 as sha256_of

PATHS = ("a.ttl", "d/a.ttl", "d/e/a.ttl", "d/b.ttl", "da.ttl", "d/[a].ttl", "d/a?.ttl", "", "ä/ö.ttl", "a/d/ä.ttl")
GLOBS = ("*", "*.ttl", "*/a.ttl", "d/*", "?/a.ttl", "d/?.ttl", "d[/]a.ttl", "[d/]*a.ttl", "*ttl")
PATTERNS = (*PATHS, *GLOBS, "e/a.ttl", "x")
FITS = (
    "SELECT relpath FROM extracted_files"
    " WHERE relpath = $1 OR ends_with(relpath, '/' || $1) OR relpath GLOB $1 ORDER BY 1"
)
FOREIGN = "content_key = content_key + (1::BIGINT << 40), name_key = name_key - (1::BIGINT << 40)"
STATES = {
    "numbered": "SELECT 1",
    "without": "UPDATE extracted_files SET content_key = NULL, name_key = NULL",
    "of another DuckDB": f"UPDATE extracted_files SET {FOREIGN}",
    "mixed": f"UPDATE extracted_files SET {FOREIGN} WHERE relpath < 'd'",
}


def sha256(number: int) -> str:
    """Return the content of a file of this number."""
    return sha256_of(str(number).encode())


@pytest.fixture(params=STATES)
def connection(request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a catalog in memory whose files have numbers, none, or those of another DuckDB."""
    with duckdb.connect() as opened:
        for migration in migrations.available_migrations():
            opened.execute(migration.sql)
        for number, path in enumerate(PATHS):
            opened.execute(
                "INSERT INTO extracted_files (version_id, relpath, file_id) VALUES (?, ?, ?)",
                [f"s/o/{number % 3}", path, sha256(number % 7)],
            )
        assert lookup_keys.fill_keys(opened) == len(PATHS)
        assert lookup_keys.fill_keys(opened) == 0
        assert len(lookup_keys.find_wrong_keys(opened)) == 0
        opened.execute(STATES[request.param]).fetchall()
        yield opened


def test_a_path_is_found_by_whatever_fits_it(connection: duckdb.DuckDBPyConnection) -> None:
    """A whole path, an end of whole parts and a glob find what a comparison with every path does."""
    for pattern in PATTERNS:
        found = [str(path) for path in queries.find_path(connection, pattern)["relpath"].to_pylist()]
        assert sorted(found) == [path for (path,) in connection.execute(FITS, [pattern]).fetchall()], pattern


def test_a_content_is_found_by_eight_digits_or_more(connection: duckdb.DuckDBPyConnection) -> None:
    """However many digits of a sha256 are given, all files that begin with them are found."""
    for number in range(7):
        content = sha256(number)
        paths = sorted(path for place, path in enumerate(PATHS) if place % 7 == number)
        for length in (1, 7, 8, 9, 63, 64):
            found = queries.find_content(connection, content[:length])
            mine = [row["relpath"] for row in found.to_pylist() if row["sha256"] == content]
            assert sorted(mine) == paths
            assert all(row["sha256"].startswith(content[:length]) for row in found.to_pylist())
    assert len(queries.find_content(connection, "f" * 64)) == 0


def test_contents_are_found_by_whoever_knows_many(connection: duckdb.DuckDBPyConnection) -> None:
    """The holders of some contents are those that a plain join finds."""
    chosen = [sha256(number) for number in (0, 3, 99)]
    connection.execute("CREATE TABLE chosen AS SELECT unnest(?::VARCHAR[]) AS file_id", [chosen])
    columns = "version_id, relpath, file_id"
    found = connection.execute(f"SELECT {columns} FROM {lookup_keys.holding('chosen')} ORDER BY ALL").fetchall()
    plain = "SELECT {} FROM extracted_files SEMI JOIN chosen USING (file_id) ORDER BY ALL"
    assert found == connection.execute(plain.format(columns)).fetchall()
    assert len(found) == 3
    assert held_facts.list_unrecorded(connection, chosen) == sorted(chosen[:2])
    connection.execute("INSERT INTO file_facts (file_id, digest) SELECT file_id, 'x' FROM chosen")
    assert facts.releases_with_facts(connection, ["s/o/0", "s/o/1", "s/o/2"]) == sorted({row[0] for row in found})
    assert facts.releases_with_facts(connection, ["s/o/1"]) == ["s/o/1"]


def test_another_number_is_a_fault_only_of_our_own_hash(connection: duckdb.DuckDBPyConnection) -> None:
    """A wrong number is found and mended; one of another DuckDB says nothing, and is left."""
    assert len(lookup_keys.find_wrong_keys(connection)) == 0
    lookup_keys.fill_keys(connection)
    connection.execute("UPDATE extracted_files SET content_key = content_key + 1 WHERE relpath = 'd/b.ttl'")
    foreign = f"SELECT {lookup_keys.without('content_key')} FROM extracted_files WHERE relpath = 'd/b.ttl'"
    if connection.execute(foreign).fetchall() == [(False,)]:
        wrong = lookup_keys.find_wrong_keys(connection)
        assert wrong["version_id"].to_pylist() == ["s/o/0"]
        assert lookup_keys.fill_keys(connection, anew=True) == 1
    assert len(lookup_keys.find_wrong_keys(connection)) == 0


@pytest.mark.skipif(duckdb.__version__ < "2", reason="DuckDB before 2 reads the texts of all rows, and is slower")
def test_few_texts_are_read_where_numbers_differ() -> None:
    """Of many files none but those of the number are handed on: DuckDB looks at the numbers while it reads."""
    with duckdb.connect() as opened:
        for migration in migrations.available_migrations():
            opened.execute(migration.sql)
        opened.execute(
            "INSERT INTO extracted_files (version_id, relpath, file_id)"
            " SELECT 's/o/1', 'd/' || i || '.ttl', sha256(i::VARCHAR) FROM range(10000) t(i)"
        )
        lookup_keys.fill_keys(opened)
        content = sha256(random.Random(1).randrange(10_000))
        opened.execute("CREATE TABLE chosen AS SELECT ? AS file_id", [content])
        for sql in (
            f"SELECT relpath FROM extracted_files WHERE {lookup_keys.may_have(content)}",
            f"SELECT relpath FROM extracted_files WHERE {lookup_keys.may_be_called('7.ttl')}",
            f"SELECT relpath FROM {lookup_keys.holding('chosen')}",
        ):
            profiler = Profiler()
            assert len(profiler.watch(opened).sql(sql).fetchall()) == 1
            plan = profiler.as_text(with_json=False)
            assert "10,000" not in plan


def test_rows_that_are_not_committed_yet_are_found() -> None:
    """What a transaction has recorded is found inside it, as what was there."""
    with duckdb.connect() as opened:
        for migration in migrations.available_migrations():
            opened.execute(migration.sql)
        add = (
            f"INSERT INTO extracted_files BY NAME SELECT *, {lookup_keys.BOTH}"
            " FROM (SELECT 's/o/{}' AS version_id, 'a.ttl' AS relpath, sha256('a') AS file_id)"
        )
        opened.execute(add.format(1))
        opened.execute("CREATE TABLE chosen AS SELECT sha256('a') AS file_id")
        opened.execute("BEGIN").fetchall()
        opened.execute(add.format(2)).fetchall()
        found = opened.execute(f"SELECT version_id FROM {lookup_keys.holding('chosen')} ORDER BY 1").fetchall()
        opened.execute("ROLLBACK").fetchall()
    assert found == [("s/o/1",), ("s/o/2",)]

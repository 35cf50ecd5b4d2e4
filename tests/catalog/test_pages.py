"""Recorded files are read in pages: all of them, each once, in memory that does not depend on how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ontofetch_catalog.catalog.repo import fixity, held_facts
from ontofetch_catalog.catalog.repo.lookup_keys import content_key
from ontofetch_catalog.catalog.verify import pages

RELEASE = "example/series/1"
TABLES = f"""
CREATE TABLE versions AS SELECT '{RELEASE}' AS version_id, '{RELEASE}' AS fs_relpath, 'native' AS layout;
CREATE TABLE artifacts AS SELECT '{RELEASE}' AS version_id, printf('%d.zip', i) AS relpath, sha256('a') AS artifact_id,
    1 AS size_bytes, NULL::TIMESTAMP AS verified_at, 'fresh' AS status FROM range({{artifacts}}) t(i);
CREATE TABLE extracted_files AS SELECT '{RELEASE}' AS version_id, printf('a long way down/%s/%07d.ttl', md5(i::VARCHAR),
    i) AS relpath, sha256(i::VARCHAR) AS file_id, 1 AS size_bytes, NULL::TIMESTAMP AS verified_at,
    {content_key("sha256(i::VARCHAR)")} AS content_key
    FROM range({{files}}) t(i) ORDER BY {{order}};
"""


def read_all(connection: duckdb.DuckDBPyConnection) -> list[pa.Table]:
    """Return the pages of all that is recorded."""

    def read(group: tuple[datetime | None, Sequence[str]], after: tuple[str, str], rows: int, many: bool) -> pa.Table:
        return fixity.read_page(connection, fixity.Scope(), group, after=after, rows=rows, many=many)

    return list(pages.read_pages(fixity.plan_groups(connection, fixity.Scope()), read))


@pytest.mark.parametrize(
    ("artifacts", "files"), [(0, 0), (1, 0), (1, 999), (0, 1000), (1, 1000), (2500, 1001), (1, 20_000)]
)
@pytest.mark.parametrize("order", ["relpath", "file_id"])
def test_each_file_is_in_one_page(monkeypatch: pytest.MonkeyPatch, artifacts: int, files: int, order: str) -> None:
    """However many there are, and in whatever order they were recorded, pages are no larger than they may be."""
    monkeypatch.setattr(pages, "PAGE_ROWS", 1000)
    with duckdb.connect() as connection:
        connection.execute(TABLES.format(artifacts=artifacts, files=files, order=order))
        found = read_all(connection)
        told = connection.sql(
            "SELECT 'artifact' AS kind, relpath FROM artifacts UNION ALL SELECT 'file', relpath FROM extracted_files"
            " ORDER BY ALL"
        ).fetchall()
    names = [
        name for page in found for name in zip(*page.select(["kind", "relpath"]).to_pydict().values(), strict=True)
    ]
    assert names == told
    assert max(map(len, found), default=0) <= 1000
    # nearly full, so that there are not many more than there have to be
    assert len(found) <= len(told) // 900 + 3


def test_pages_need_no_memory_for_all_rows(tmp_path: Path) -> None:
    """A release of so many files that DuckDB could not put them in order is read within what a page takes."""
    path = str(tmp_path / "large.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(TABLES.format(artifacts=1, files=600_000, order="i"))
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "130MB",
        "threads": 2,
        "temp_directory": "",
    }
    with duckdb.connect(path, read_only=True, config=config) as connection:
        with pytest.raises(duckdb.OutOfMemoryException):
            connection.sql("SELECT * FROM extracted_files ORDER BY relpath LIMIT 1 OFFSET 300000").fetchall()
        found = read_all(connection)
    assert sum(map(len, found)) == 600_001


def test_tables_of_terms_need_no_memory_for_all_files(tmp_path: Path) -> None:
    """Which tables of terms a release holds is known within what the facts take, however many files there are."""
    path = str(tmp_path / "large.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(TABLES.format(artifacts=1, files=1_000_000, order="i"))
        connection.execute(
            "CREATE TABLE file_facts AS SELECT sha256(i::VARCHAR) AS file_id, file_id AS content_id, 'v' AS"
            " facts_version, file_id AS table_sha256, 1 AS table_bytes FROM (VALUES (7), (999_999), (-1)) t(i)"
        )
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "50MB",
        "threads": 2,
        "temp_directory": "",
    }
    with duckdb.connect(path, read_only=True, config=config) as connection:
        held = held_facts.list_tables(connection)["held"].to_pylist()
    assert sorted(held) == [False, True, True]

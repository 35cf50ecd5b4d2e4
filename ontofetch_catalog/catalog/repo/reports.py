"""Own the SQL of the reports: narrow reads over releases, their files and what changed between two of them.

Releases stand in it as constants, so that DuckDB skips the row groups of all the others; what becomes of the rows is
not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..connection import fetch_one, literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# what files can be counted by → its SQL; the folder of `a/b.ttl` is `a`, of `b.ttl` it is `.`
KEYS = {"format": "format", "folder": "coalesce(nullif(parse_dirpath(relpath, 'forward_slash'), ''), '.')"}


def read(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """Return the rows of one of the statements of this module."""
    return connection.sql(sql).to_arrow_table()


def explain(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Run one of the statements of this module and return DuckDB's plan with timings."""
    found = fetch_one(connection, "EXPLAIN ANALYZE " + sql)
    return str(found[1]) if found else ""


def select_versions() -> str:
    """Return the SQL of all releases: version_id, slot, released, created_at, previous_version_id, is_latest.

    Each series in its order.
    """
    return (
        "SELECT version_id, slot, released, created_at, previous_version_id, is_latest"
        " FROM versions JOIN v_series_order USING (version_id) ORDER BY slot, position"
    )


def select_files(version_ids: Sequence[str]) -> str:
    """Return the SQL of files: version_id, relpath, format, size_bytes, verified_at, passed.

    `passed` is whether every validator passed the file, null where none looked at it.
    """
    return " UNION ALL ".join(_files_of(literal(version_id)) for version_id in version_ids)


def _files_of(version: str) -> str:
    return (
        f"SELECT {version} AS version_id, relpath, format, size_bytes, verified_at, passed FROM extracted_files"  # noqa: S608
        " LEFT JOIN (SELECT relpath, bool_and(passed) AS passed FROM validations"
        f" WHERE version_id = {version} GROUP BY relpath) USING (relpath) WHERE version_id = {version}"
    )


def select_changes(pairs: Sequence[tuple[str, str]], *, unchanged: bool = False) -> str:
    """Return the SQL of what changed from A to B, for each pair.

    version_id (B), change, relpath, previous_relpath, format, size_a, size_b.
    """
    return " UNION ALL ".join(_changes_of(literal(a), literal(b), unchanged=unchanged) for a, b in pairs)


def _changes_of(a: str, b: str, *, unchanged: bool) -> str:
    only = "" if unchanged else " WHERE change <> 'UNCHANGED'"
    return (
        f"SELECT {b} AS version_id, change, relpath, previous_relpath, format,"  # noqa: S608
        f" size_a, size_b FROM version_delta_files({a}, {b}){only}"
    )


def select_sides(a: str, b: str, key: str) -> str:
    """Return the SQL of totals of A and B by one of KEYS: side (`a` or `b`), the key, files, size_bytes."""
    return " UNION ALL ".join(
        f"SELECT '{side}' AS side, {KEYS[key]} AS {key}, count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes"  # noqa: S608
        f" FROM extracted_files WHERE version_id = {literal(version_id)} GROUP BY ALL"
        for side, version_id in (("a", a), ("b", b))
    )

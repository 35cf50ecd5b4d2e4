"""The SQL of releases that are recorded as their documents say: of many at once, and taken back if one is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import fields_of

from .. import fsops
from ..connection import fetch_one, literal
from . import lookup_keys
from .bounds import bounds_of, part_of
from .notes import Note
from .origins import Origin
from .releases import ArtifactRow, VersionRow

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_TABLES = ("validations", "extracted_files", "notes", "origins", "artifacts", "versions")
_CONTENTS_AT_ONCE = 200_000  # results that are held against the files of a release


def insert_releases(
    connection: duckdb.DuckDBPyConnection,
    versions: Sequence[VersionRow],
    artifacts: Sequence[tuple[ArtifactRow, Sequence[Origin]]],
    notes: Sequence[tuple[str, Note]],
) -> None:
    """Record releases, their artifacts with all origins of each, and what people say of them."""
    from ontofetch_hookspecs.version_keys import version_key

    _insert(connection, "versions", [{**fields_of(row), "version_key": version_key(row.version)} for row in versions])
    _insert(connection, "artifacts", [fields_of(row) for row, _ in artifacts])
    _insert(
        connection,
        "origins",
        [
            {"version_id": row.version_id, "relpath": row.relpath, **fields_of(origin)}
            for row, origins in artifacts
            for origin in origins
        ],
    )
    _insert(connection, "notes", [{"version_id": version_id, **fields_of(note)} for version_id, note in notes])


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[Mapping[str, object]]) -> None:
    import pyarrow as pa

    if rows:
        given = {"given_rows": pa.Table.from_pylist(rows)}
        fsops.execute(connection, f"INSERT INTO {table} BY NAME SELECT * FROM given_rows", tables=given)


def insert_files(connection: duckdb.DuckDBPyConnection, files: pa.Table) -> None:
    """Record files in the order of the table; it has columns version_id and artifact_id, too."""
    fsops.execute(
        connection,
        f"INSERT INTO extracted_files BY NAME SELECT *, {lookup_keys.BOTH} FROM given_files",
        tables={"given_files": fsops.Passing(files)},
    )


def insert_results(connection: duckdb.DuckDBPyConnection, results: pa.Table) -> None:
    """Record results in the order of the table; it has a column version_id, too."""
    fsops.execute(
        connection,
        "INSERT INTO validations BY NAME SELECT * FROM given_results",
        tables={"given_results": fsops.Passing(results)},
    )


def delete_results(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> None:
    """Un-record the results of releases."""
    fsops.execute(connection, f"DELETE FROM validations WHERE {_among(version_ids)}")


def find_double_file(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> str | None:
    """Return a path that one of these releases has twice, None if there is none."""
    return _find_double(connection, "extracted_files", "version_id, relpath", version_ids)


def find_double_result(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> str | None:
    """Return a path for which one of these releases has two results of one validator, None if there is none."""
    return _find_double(connection, "validations", "version_id, relpath, validator", version_ids)


def _find_double(connection: duckdb.DuckDBPyConnection, table: str, key: str, version_ids: Sequence[str]) -> str | None:
    found = fetch_one(
        connection,
        f"SELECT relpath FROM {table} WHERE {_among(version_ids)} GROUP BY {key} HAVING count(*) > 1 LIMIT 1",
    )
    return str(found[0]) if found else None


def delete_strays(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str], results: int) -> dict[str, str]:
    """Un-record the results of releases whose file, with that content, is not recorded.

    Args:
        results: How many results they have: of very many, some contents are looked at after the others.

    Returns:
        The releases that had some, and of each the path of one.
    """
    among, key = _among(version_ids), "version_id, relpath, file_id"
    paths: dict[str, str] = {}
    parts = results // _CONTENTS_AT_ONCE + 1
    for part in range(parts):
        within = f"{among} AND {part_of('file_id', part, parts)}"
        strays = (
            f"FROM (SELECT {key} FROM validations WHERE {within})"
            f" ANTI JOIN (SELECT {key} FROM extracted_files WHERE {within}) USING ({key})"
        )
        found = connection.execute(f"SELECT version_id, min(relpath) {strays} GROUP BY version_id").fetchall()
        if found:
            gone = f"({key}) IN (SELECT ({key}) {strays})"
            fsops.execute(connection, f"DELETE FROM validations WHERE {within} AND {gone}")
        paths = dict(found) | paths
    return paths


def take_back(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> None:
    """Un-record releases, of which nothing is known that is not recorded here."""
    for table in _TABLES:
        fsops.execute(connection, f"DELETE FROM {table} WHERE {_among(version_ids)}")


def list_sizes(connection: duckdb.DuckDBPyConnection, version_id: str | None = None) -> list[tuple[str, int, int]]:
    """Return of each release, or of one, how many rows it has and the sum of its files' sizes; sorted."""
    where = "" if version_id is None else f"WHERE version_id = {literal(version_id)}"
    rows: list[tuple[str, int, int]] = connection.execute(
        f"""
        SELECT version_id, 1 + coalesce(a.count, 0) + coalesce(f.count, 0) + coalesce(r.count, 0), coalesce(bytes, 0)
        FROM (SELECT version_id FROM versions {where})
        LEFT JOIN (SELECT version_id, count(*) FROM artifacts {where} GROUP BY 1) a(version_id, count)
            USING (version_id)
        LEFT JOIN (SELECT version_id, count(*), sum(size_bytes) FROM extracted_files {where} GROUP BY 1)
            f(version_id, count, bytes) USING (version_id)
        LEFT JOIN (SELECT version_id, count(*) FROM validations {where} GROUP BY 1) r(version_id, count)
            USING (version_id)
        ORDER BY version_id
        """
    ).fetchall()
    return rows


def _among(version_ids: Sequence[str]) -> str:
    """Return the condition that the rows of these releases meet: SQL."""
    return f"{bounds_of(version_ids)} AND version_id IN ({', '.join(map(literal, version_ids))})"

"""The SQL of origins: where the bytes of artifacts came from, and when; a history that only grows.

The first origin of an artifact stands in its own row as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import datetime
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops
from ..remembering import ask, read_ahead

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One row of `origins` without its artifact, columns as there; times UTC without zone."""

    source_url: str
    etag: str | None
    last_modified: str | None
    content_type: str | None
    recorded_at: datetime
    told_at: datetime


_ORIGIN = ", ".join(field.name for field in fields(Origin))
_OF_RELEASE = "FROM origins WHERE version_id = ? ORDER BY relpath, recorded_at, source_url"


def find_origins(connection: duckdb.DuckDBPyConnection, version_id: str) -> dict[str, list[Origin]]:
    """Return path of the artifact → its origins, the first one first, of all artifacts of a release."""
    rows = ask(connection, f"SELECT relpath, {_ORIGIN} {_OF_RELEASE}", [version_id], of=("origins",))
    found: dict[str, list[Origin]] = {}
    for relpath, *values in rows:
        found.setdefault(str(relpath), []).append(Origin(**dict(zip(_ORIGIN.split(", "), values, strict=True))))
    return found


def read_origins_ahead(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> None:
    """Read what `find_origins` is about to be asked for some releases, where the connection remembers it."""
    columns, some = f"relpath, {_ORIGIN}", _OF_RELEASE.replace("= ?", "IN (SELECT unnest(?))")
    many = f"SELECT version_id, {columns} {some}"
    read_ahead(connection, f"SELECT {columns} {_OF_RELEASE}", version_ids, many, of=("origins",))


def insert_origins(
    connection: duckdb.DuckDBPyConnection, version_id: str, relpath: str, origins: Sequence[Origin]
) -> None:
    """Record origins of an artifact."""
    for origin in origins:
        fsops.execute(
            connection,
            f"INSERT INTO origins (version_id, relpath, {_ORIGIN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [version_id, relpath, *astuple(origin)],
        )


def delete_origins(connection: duckdb.DuckDBPyConnection, version_id: str, relpath: str) -> None:
    """Un-record the origins of an artifact."""
    fsops.execute(connection, "DELETE FROM origins WHERE version_id = ? AND relpath = ?", [version_id, relpath])


def find_without_origin(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a finding for each artifact whose own origin is not among its origins."""
    return connection.sql(f"""
        SELECT 'origins: ' || a.version_id || '#' || a.relpath AS subject, a.version_id,
            'The origin of ' || a.relpath || ' of ' || a.version_id || ' is not among its origins.' AS message,
            'recompute' AS fix, NULL AS unsafe_fixes
        FROM {_WITHOUT_ORIGIN}
    """).to_arrow_table()


def fill_origins(connection: duckdb.DuckDBPyConnection, version_id: str | None = None) -> int:
    """Record for each artifact, of one release or of all, the origin of its own row where it lacks; return how many."""
    where = "" if version_id is None else "WHERE a.version_id = $version_id"
    return fsops.execute(
        connection,
        "INSERT INTO origins SELECT a.version_id, a.relpath, a.source_url, a.etag, a.last_modified, a.content_type,"
        f" a.recorded_at, a.recorded_at FROM {_WITHOUT_ORIGIN} {where}",
        {} if version_id is None else {"version_id": version_id},
    )


_WITHOUT_ORIGIN = (
    "artifacts a SEMI JOIN versions v USING (version_id) ANTI JOIN origins o USING (version_id, relpath, source_url)"
)

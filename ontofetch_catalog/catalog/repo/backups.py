"""The SQL of backups: which documents belong to what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def list_folders(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Return (root-relative folder, name of the layout) of all releases, sorted."""
    rows = connection.execute("SELECT fs_relpath, layout FROM versions ORDER BY fs_relpath").fetchall()
    return [(str(folder), str(layout)) for folder, layout in rows]


def list_slots(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the series that have a latest pointer, sorted."""
    return [str(row[0]) for row in connection.execute("SELECT slot FROM v_latest ORDER BY slot").fetchall()]

"""The SQL over what a scan found on disk: the listing, what has no row, which release has a row for a path.

The listing is a temporary table that stands before the catalog's own of the same name, so that the view over it answers
for this connection alone and a connection that may only read can have it; where the files lie is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import fsops
from ..connection import fetch_number, fetch_text
from .paths import path_key
from .views import ORPHANS

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SCOPE = "scan"
# beyond the columns of the table: the path on disk where it differs from the native spelling, and what is there
_CREATE = """
CREATE OR REPLACE TEMP TABLE staging_fs_listing (
    scope VARCHAR, relpath VARCHAR, size_bytes BIGINT, mtime TIMESTAMP, path VARCHAR, kind VARCHAR
)"""
_ADD = f"""
INSERT INTO staging_fs_listing
SELECT '{SCOPE}', relpath, size_bytes, make_timestamp(mtime_ns // 1000), path,
    CASE mode >> 12 WHEN 8 THEN 'file' WHEN 10 THEN 'link' ELSE 'other' END
FROM given_listing"""
_RECORDED = """
SELECT v.version_id, v.fs_relpath || '/src/' || a.relpath AS native
FROM artifacts a JOIN versions v ON v.version_id = a.version_id
UNION ALL
SELECT v.version_id, v.fs_relpath || '/data/' || f.relpath
FROM extracted_files f JOIN versions v ON v.version_id = f.version_id"""


def create_listing(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary listing, empty; the catalog's own table of that name is untouched."""
    fsops.execute(connection, _CREATE)


def add_listing(connection: duckdb.DuckDBPyConnection, batch: pa.Table) -> None:
    """Add what a scan found.

    Args:
        connection: A connection with a temporary listing.
        batch: relpath (native spelling), path (as on disk below the root; NULL: the same), size_bytes and mtime_ns
            (nanoseconds since 1970; NULL if nobody asked), mode.
    """
    fsops.execute(connection, _ADD, tables={"given_listing": batch})


def leave_out_unrecorded(connection: duckdb.DuckDBPyConnection, folders: Sequence[str]) -> None:
    """Take off the listing what has no row in these releases' folders: it is another program's."""
    import pyarrow as pa

    fsops.execute(
        connection,
        f"""
        DELETE FROM staging_fs_listing WHERE relpath IN (SELECT relpath FROM {ORPHANS})
        AND array_to_string(string_split(relpath, '/')[1:3], '/') IN (SELECT folder FROM given_shared)
        """,
        tables={"given_shared": pa.table({"folder": pa.array(list(folders), pa.string())})},
    )


def drop_listing(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the temporary listing."""
    fsops.execute(connection, "DROP TABLE IF EXISTS temp.staging_fs_listing")


def list_orphans(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return what lies on disk without a row, sorted by path.

    Columns: path (as on disk below the root), relpath (native spelling), kind (`file`, `link`, `other`), size_bytes,
    mtime (UTC), respelled (whether a row without a file has this path in another case or normal form: then it is that
    row's file).
    """
    lost = f"SELECT native FROM ({_RECORDED}) ANTI JOIN staging_fs_listing l ON l.relpath = native"
    return connection.sql(f"""
        WITH orphans AS (SELECT relpath FROM {ORPHANS}),
        respelled AS (
            SELECT DISTINCT o.relpath FROM orphans o
            JOIN ({lost}) r ON {path_key("o.relpath")} = {path_key("r.native")}
        )
        SELECT coalesce(l.path, l.relpath) AS path, l.relpath, l.kind, l.size_bytes, l.mtime,
            r.relpath IS NOT NULL AS respelled
        FROM staging_fs_listing l SEMI JOIN orphans o ON o.relpath = l.relpath
        LEFT JOIN respelled r ON r.relpath = l.relpath
        ORDER BY 1
    """).to_arrow_table()


def count_recorded(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many files the catalog knows: artifacts and extracted files of all releases."""
    return fetch_number(connection, "SELECT (SELECT count(*) FROM artifacts) + (SELECT count(*) FROM extracted_files)")


def list_folders(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Return (version_id, folder below the root, name of its layout) of every release, sorted."""
    rows = connection.execute("SELECT version_id, fs_relpath, layout FROM versions ORDER BY version_id").fetchall()
    return [(str(version_id), str(folder), str(layout)) for version_id, folder, layout in rows]


def count_listed_files(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many regular files the listing has."""
    return fetch_number(connection, "SELECT count(*) FROM staging_fs_listing WHERE kind = 'file'")


def find_recorded(connection: duckdb.DuckDBPyConnection, native: str) -> str | None:
    """Return the release that has a row for a path below the root, in native spelling; None if none has."""
    return fetch_text(connection, f"SELECT version_id FROM ({_RECORDED}) WHERE native = ?", [native])

"""The SQL of contents that several recorded files have: who holds a content already, and which files are equal.

Whether they are equal on the disk, too, is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..connection import literal, registered
from .bounds import part_of
from .lookup_keys import holding

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# layouts come from `given_layouts`; of a failed artifact is known that it is damaged
_RECORDED = """
    SELECT 'artifact' AS kind, a.artifact_id AS content, a.size_bytes, v.created_at, a.version_id, a.relpath,
        concat(v.fs_relpath, '/', g.source, '/', a.relpath) AS path
    FROM artifacts a JOIN versions v ON v.version_id = a.version_id JOIN given_layouts g ON g.name = v.layout
    WHERE a.status <> 'failed' AND a.size_bytes > 0 AND {artifacts}
    UNION ALL
    SELECT 'file', f.file_id, f.size_bytes, v.created_at, f.version_id, f.relpath,
        concat(v.fs_relpath, '/', g.data, '/', f.relpath)
    FROM {table} f JOIN versions v ON v.version_id = f.version_id JOIN given_layouts g ON g.name = v.layout
    WHERE f.size_bytes > 0 AND {files}
"""
_HELD = """
    WITH given AS (
        SELECT relpath, file_id AS content, size_bytes, min(relpath) OVER (PARTITION BY file_id, size_bytes) AS first
        FROM given_files WHERE size_bytes > 0
    ), held AS (
        SELECT content, size_bytes, arg_max(path, (created_at, version_id, kind, relpath)) AS path
        FROM ({recorded}) GROUP BY content, size_bytes
    )
    SELECT g.relpath, coalesce(h.path, {folder} || '/' || g.first) AS source, size_bytes
    FROM given g LEFT JOIN held h USING (content, size_bytes)
    WHERE h.path IS NOT NULL OR g.relpath <> g.first ORDER BY g.relpath
"""
Layouts = Sequence[tuple[str, str, str]]


def find_holders(
    connection: duckdb.DuckDBPyConnection,
    version_id: str,
    files: pa.Table,
    layouts: Layouts,
    *,
    folder: str,
    artifacts: bool,
) -> pa.Table:
    """Return the files of which the store has the bytes already: relpath, source, size_bytes; sorted by relpath.

    The source is a path below the root: of the release that was recorded last among those that hold the content, and
    else of the first of these files that has it.

    Args:
        version_id: The release of the files; none of its own extracted files is a source.
        files: relpath, file_id, size_bytes.
        layouts: (name, folder of sources, folder of data) of those that count.
        folder: Path below the root where the files lie now.
        artifacts: Whether artifacts are sources, too.
    """
    wanted = "IN (SELECT file_id FROM given_files)"
    recorded = _RECORDED.format(
        # by themselves first: joined with releases, all of their texts would be read
        table=f"(WITH found AS MATERIALIZED (SELECT version_id, relpath, file_id, size_bytes"
        f" FROM {holding('given_files')}) FROM found)",
        artifacts=f"{artifacts} AND a.artifact_id {wanted}",
        files=f"f.version_id <> {literal(version_id)}",
    )
    with registered(connection, given_files=files, given_layouts=_table(layouts)):
        return connection.sql(_HELD.format(recorded=recorded, folder=literal(folder))).to_arrow_table()


def list_equal(
    connection: duckdb.DuckDBPyConnection, layouts: Layouts, *, by_kind: bool, part: int, parts: int
) -> pa.Table:
    """Return the recorded files whose content others have, too: content, kind, size_bytes, version_id, path.

    Equal ones follow each other, the one that was recorded first at their head.

    Args:
        layouts: As for `find_holders`.
        by_kind: Whether an artifact and an extracted file are never equal.
        part: Which part of all contents, from 0 on.
        parts: How many there are.
    """
    recorded = _RECORDED.format(
        table="extracted_files",
        artifacts=part_of("a.artifact_id", part, parts),
        files=part_of("f.file_id", part, parts),
    )
    alike = "content, size_bytes" + (", kind" if by_kind else "")
    with registered(connection, given_layouts=_table(layouts)):
        return connection.sql(
            f"""
            SELECT content, kind, size_bytes, version_id, path FROM ({recorded})
            QUALIFY count(*) OVER (PARTITION BY {alike}) > 1
            ORDER BY {alike}, created_at, version_id, kind, relpath
            """
        ).to_arrow_table()


def _table(layouts: Layouts) -> pa.Table:
    import pyarrow as pa

    columns = list(zip(*layouts, strict=True)) or [(), (), ()]
    return pa.table(
        {name: pa.array(column, pa.string()) for name, column in zip(("name", "source", "data"), columns, strict=True)}
    )

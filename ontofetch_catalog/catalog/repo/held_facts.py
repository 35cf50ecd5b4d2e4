"""The SQL of who holds facts: the tables of terms there should be, what leaves with a release, what nobody holds.

What the facts say is read elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .. import fsops
from ..connection import registered
from .facts import TABLE_PATH
from .lookup_keys import holding

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def list_tables(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return every recorded table of terms, by path: table_path, table_sha256, table_bytes, held.

    held says whether a release has a file with its content.
    """
    # what is kept in memory follows from how many facts there are, not from how many files
    return connection.sql(f"""
        SELECT table_path, min(table_sha256) AS table_sha256, min(table_bytes) AS table_bytes, bool_or(held) AS held
        FROM (
            SELECT {TABLE_PATH} AS table_path, table_sha256, table_bytes,
                file_id IN (
                    SELECT DISTINCT file_id FROM {holding("file_facts")}
                ) AS held
            FROM file_facts
        ) WHERE table_path IS NOT NULL GROUP BY table_path ORDER BY table_path
    """).to_arrow_table()


def list_unrecorded(connection: duckdb.DuckDBPyConnection, content_ids: Sequence[str]) -> list[str]:
    """Return those of these contents that a file of a release has as it is stored, sorted."""
    import pyarrow as pa

    with registered(connection, given_ids=pa.table({"file_id": pa.array(list(content_ids), pa.string())})):
        rows = connection.execute(f"SELECT DISTINCT file_id FROM {holding('given_ids')} ORDER BY file_id").fetchall()
    return [str(file_id) for (file_id,) in rows]


def list_without(connection: duckdb.DuckDBPyConnection, formats: Sequence[str]) -> pa.Table:
    """Return a file of each content of these formats that has no facts: file_id, fs_relpath, layout, relpath."""
    return connection.sql(
        """
        SELECT f.file_id, v.fs_relpath, v.layout, f.relpath
        FROM extracted_files f JOIN versions v USING (version_id) ANTI JOIN file_facts USING (file_id)
        WHERE f.format IN (SELECT unnest($formats)) AND f.relpath IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY f.file_id ORDER BY f.version_id, f.relpath) = 1 ORDER BY f.file_id
        """,
        params={"formats": sorted(formats)},
    ).to_arrow_table()


def count_known(
    connection: duckdb.DuckDBPyConnection, versions: Mapping[str, str], lost: Sequence[str], *, again: bool
) -> dict[str, int]:
    """Return of how many contents there are to be facts, by release, for those that lack none of them.

    Args:
        versions: Format → version of the facts that a content in it is to have.
        lost: Paths of tables of terms that count as none.
        again: Whether a reason why there are none counts as none, too.
    """
    import pyarrow as pa

    given = {
        "given_versions": pa.table({"format": list(versions), "facts_version": list(versions.values())}),
        "given_lost": pa.table({"table_path": pa.array(list(lost), pa.string())}),
    }
    with registered(connection, **given):
        rows = connection.execute(
            f"""
            WITH known AS (
                SELECT DISTINCT file_id, facts_version FROM file_facts
                WHERE (reason IS NULL OR NOT $again) AND coalesce({TABLE_PATH}, '') NOT IN (FROM given_lost)
            ), contents AS (
                SELECT version_id, file_id, min(format) AS format FROM extracted_files
                SEMI JOIN given_versions USING (format) GROUP BY version_id, file_id
            ), lacking AS (
                SELECT version_id, count(*) AS contents, bool_or(known.file_id IS NULL) AS lacks
                FROM contents JOIN given_versions USING (format) LEFT JOIN known USING (file_id, facts_version)
                GROUP BY version_id
            )
            SELECT version_id, coalesce(contents, 0) FROM versions LEFT JOIN lacking USING (version_id)
            WHERE lacks IS NOT TRUE
            """,
            {"again": again},
        ).fetchall()
    return {str(version_id): int(contents) for version_id, contents in rows}


def leaving(table: str, going: str) -> str:
    """Return the condition (SQL) on rows of `file_facts` or `ontology_heads` that leave with files.

    Args:
        table: Which of the two.
        going: The condition on the rows of `extracted_files` that leave.
    """
    ids = (
        f"(SELECT file_id FROM extracted_files WHERE {going}"
        f" EXCEPT SELECT file_id FROM extracted_files WHERE NOT ({going}))"
    )
    if table == "file_facts":
        return f"file_id IN {ids}"
    return (
        f"(content_id, facts_version) IN (SELECT (content_id, facts_version) FROM file_facts WHERE file_id IN {ids})"
        f" AND (content_id, facts_version) NOT IN (SELECT (content_id, facts_version) FROM file_facts"
        f" WHERE file_id NOT IN {ids})"
    )


def list_leaving(connection: duckdb.DuckDBPyConnection, going: str) -> list[str]:
    """Return the paths of the tables of terms that leave with files, sorted; `going` as in `leaving`."""
    rows = connection.execute(
        f"SELECT {TABLE_PATH} AS table_path FROM file_facts GROUP BY table_path"
        f" HAVING table_path IS NOT NULL AND bool_and({leaving('file_facts', going)}) ORDER BY table_path"
    ).fetchall()
    return [str(path) for (path,) in rows]


def paths_in(rows: pa.Table) -> list[str]:
    """Return the paths of the tables of terms that some rows of `file_facts` name, sorted."""
    import pyarrow.compute as pc

    from .facts import table_path

    named = rows.filter(pc.is_valid(rows["table_sha256"]))
    pairs = zip(named["content_id"].to_pylist(), named["facts_version"].to_pylist(), strict=True)
    return sorted({table_path(*pair) for pair in pairs})


def delete_facts(connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> int:
    """Un-record the facts whose tables of terms these are, and the headers with them; return how many rows."""
    import pyarrow as pa

    given = {"given_paths": pa.table({"table_path": pa.array(list(paths), pa.string())})}
    gone = f"SELECT (content_id, facts_version) FROM file_facts WHERE {TABLE_PATH} IN (FROM given_paths)"
    return sum(
        fsops.execute(
            connection,
            f"DELETE FROM {table} WHERE (content_id, facts_version) IN ({gone})",
            tables=given,
        )
        for table in ("ontology_heads", "file_facts")
    )

"""The SQL of extracted files: comparing, recording and un-recording those of one release, and their audit lines.

The release always stands in the SQL as a constant, so that DuckDB skips the row groups of all the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops
from ..connection import fetch_number, fetch_one, literal, registered
from ..remembering import ask
from . import lookup_keys
from .paths import path_key

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


_FEW = 1_000  # files of a release that are compared in Python sooner than in a statement, and are remembered


def count_files(connection: duckdb.DuckDBPyConnection, version_id: str, *, other_than: str | None = None) -> int:
    """Return how many files of a release are recorded; with `other_than`, only those of other artifacts."""
    counted = (
        "SELECT artifact_id, count(*) FROM extracted_files"
        f" WHERE version_id = {literal(version_id)} GROUP BY artifact_id"
    )
    of_artifacts: dict[str, int] = dict(ask(connection, counted, of=("extracted_files",)))
    return sum(of_artifacts.values()) - (of_artifacts.get(other_than, 0) if other_than else 0)


def list_files(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table:
    """Return the files of a release sorted by path: relpath, file_id, format, size_bytes, mtime, artifact_id."""
    return connection.sql(
        "SELECT relpath, file_id, format, size_bytes, mtime, artifact_id FROM extracted_files"
        f" WHERE version_id = {literal(version_id)} ORDER BY relpath"
    ).to_arrow_table()


def list_paths(connection: duckdb.DuckDBPyConnection, version_id: str, relpaths: Sequence[str]) -> pa.Table:
    """Return those files of a release that have one of these paths: relpath, file_id, artifact_id, mtime."""
    with registered(connection, given_paths=_paths(relpaths)):
        return connection.sql(
            "SELECT relpath, file_id, artifact_id, mtime FROM extracted_files SEMI JOIN given_paths USING (relpath)"
            f" WHERE version_id = {literal(version_id)} ORDER BY relpath"
        ).to_arrow_table()


def delete_paths(connection: duckdb.DuckDBPyConnection, version_id: str, relpaths: Sequence[str]) -> int:
    """Un-record the files of a release that have one of these paths and return how many there were."""
    return fsops.execute(
        connection,
        f"DELETE FROM extracted_files WHERE version_id = {literal(version_id)}"
        " AND relpath IN (SELECT relpath FROM given_paths)",
        tables={"given_paths": _paths(relpaths)},
    )


def update_contents(connection: duckdb.DuckDBPyConnection, version_id: str, files: pa.Table) -> int:
    """Record other contents, sizes and times for files of a release and return how many."""
    return fsops.execute(
        connection,
        "UPDATE extracted_files SET file_id = g.file_id, size_bytes = g.size_bytes, mtime = g.mtime,"
        f" verified_at = NULL, content_key = {lookup_keys.content_key('g.file_id')} FROM given_files g"
        f" WHERE extracted_files.version_id = {literal(version_id)} AND extracted_files.relpath = g.relpath",
        tables={"given_files": files},
    )


def _paths(relpaths: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    return pa.table({"relpath": pa.array(list(relpaths), pa.string())})


def same_files(connection: duckdb.DuckDBPyConnection, version_id: str, artifact_id: str, files: pa.Table) -> bool:
    """Say whether exactly `files` (paths, contents, formats, sizes) are recorded for this artifact of the release."""
    recorded = (
        "SELECT relpath, file_id, format, size_bytes FROM extracted_files"
        f" WHERE version_id = {literal(version_id)} AND artifact_id = {literal(artifact_id)}"
    )
    if fetch_number(connection, f"SELECT count(*) FROM ({recorded})") != len(files):
        return False
    with registered(connection, given_files=files):
        differing = (
            f"SELECT count(*) FROM given_files g ANTI JOIN ({recorded}) r USING (relpath, file_id, format, size_bytes)"
        )
        return fetch_number(connection, differing) == 0


def few_contents(connection: duckdb.DuckDBPyConnection, version_id: str) -> dict[str, str] | None:
    """Return path → sha256 of the files of a release; None if they are more than a thousand."""
    listed = f"SELECT relpath, file_id FROM extracted_files WHERE version_id = {literal(version_id)} LIMIT {_FEW + 1}"
    rows = ask(connection, listed, of=("extracted_files",))
    return dict(rows) if len(rows) <= _FEW else None


@dataclass(frozen=True, slots=True)
class Met:
    """A given path, and the file of another artifact that it would meet; whether only where case is folded."""

    given: str
    relpath: str
    artifact_id: str
    is_folded: bool


def find_foreign_path(
    connection: duckdb.DuckDBPyConnection,
    version_id: str,
    artifact_id: str,
    paths: pa.Table,
    leaving: Sequence[str] = (),
) -> Met | None:
    """Return a file of another artifact that a given path would meet, None if none does.

    They are the same, or one is a folder of the other; or so it would be where case and normal forms are folded, or
    they would lie in one folder under two names. What is the same everywhere is returned first. What is recorded for
    this artifact already is not asked about.

    Args:
        artifact_id: The artifact the paths come from.
        paths: One column `relpath`.
        leaving: Artifacts whose files are about to give way, and meet nothing.
    """
    kept = ", ".join(map(literal, (artifact_id, *leaving)))
    own, other = (
        f"SELECT relpath, artifact_id FROM extracted_files WHERE version_id = {literal(version_id)}"
        f" AND artifact_id {condition}"
        for condition in (f"= {literal(artifact_id)}", f"NOT IN ({kept})")
    )
    with registered(connection, given_paths=paths):
        found = fetch_one(
            connection,
            f"""
            WITH own AS ({own}), other AS ({other}), given AS (SELECT relpath, NULL AS artifact_id FROM given_paths),
            o AS (SELECT *, {path_key("path")} AS key FROM ({_with_folders("other")})),
            g AS (
                SELECT *, {path_key("path")} AS key
                FROM ({_with_folders("given")}) ANTI JOIN ({_with_folders("own")}) USING (path)
            )
            SELECT g.path, o.relpath, o.artifact_id, g.path <> o.path AS is_folded FROM o
            JOIN g ON g.key = o.key AND (g.is_file OR o.is_file OR g.path <> o.path) ORDER BY 4, 2, 1 LIMIT 1
            """,
        )
    return Met(str(found[0]), str(found[1]), str(found[2]), bool(found[3])) if found else None


def _with_folders(files: str) -> str:
    """Return the SQL of files and the folders above them: path, is_file, and of a folder one file below it."""
    folder = "parse_dirpath(relpath, 'forward_slash')"
    return f"""
        SELECT relpath AS path, true AS is_file, relpath, artifact_id FROM {files}
        UNION ALL
        SELECT path, false, min(relpath), min(artifact_id) FROM (
            SELECT relpath, artifact_id, array_to_string(parts[1:unnest(range(1, len(parts) + 1))], '/') AS path FROM (
                SELECT string_split({folder}, '/') AS parts, min(relpath) AS relpath, min(artifact_id) AS artifact_id
                FROM {files} GROUP BY {folder} HAVING {folder} <> ''
            )
        ) GROUP BY path"""


def insert_files(connection: duckdb.DuckDBPyConnection, version_id: str, artifact_id: str, files: pa.Table) -> None:
    """Record files in bulk, in the order of the table."""
    fsops.execute(
        connection,
        "INSERT INTO extracted_files"
        f" SELECT {literal(version_id)} AS version_id, relpath, file_id, {literal(artifact_id)} AS artifact_id,"
        f" format, size_bytes, mtime, NULL AS verified_at, {lookup_keys.BOTH} FROM given_files",
        tables={"given_files": files},
    )


def delete_files(connection: duckdb.DuckDBPyConnection, version_id: str, artifact_id: str) -> int:
    """Un-record the files of one artifact of a release and return how many there were."""
    if not count_files(connection, version_id):
        return 0
    return fsops.execute(
        connection,
        f"DELETE FROM extracted_files WHERE version_id = {literal(version_id)}"
        f" AND artifact_id = {literal(artifact_id)}",
    )


def covering_paths(connection: duckdb.DuckDBPyConnection, version_id: str, artifact_id: str) -> list[str]:
    """Return the fewest paths that hold all recorded files of this artifact and none of another, sorted.

    A folder stands for all below it; `''` stands for the whole data folder.
    """
    if count_files(connection, version_id, other_than=artifact_id) == 0:
        return [""] if count_files(connection, version_id) else []
    # of each folder the outermost around it that is none of another artifact; where there is none, its files themselves
    found = connection.sql(f"""
        WITH files AS (
            SELECT artifact_id = {literal(artifact_id)} AS own, relpath,
                parse_dirpath(relpath, 'forward_slash') AS folder
            FROM extracted_files WHERE version_id = {literal(version_id)}
        ), folders AS (
            SELECT DISTINCT own, folder FROM files WHERE folder <> ''
        ), prefixes AS (
            SELECT own, folder, array_to_string(string_split(folder, '/')[1:n], '/') AS prefix, n
            FROM (SELECT own, folder, unnest(range(1, len(string_split(folder, '/')) + 1)) AS n FROM folders)
        ), shared AS (SELECT DISTINCT prefix FROM prefixes WHERE NOT own),
        whole AS (
            SELECT folder, arg_min(prefix, n) AS prefix FROM prefixes ANTI JOIN shared USING (prefix) WHERE own
            GROUP BY folder
        )
        SELECT DISTINCT coalesce(prefix, relpath) AS path FROM files LEFT JOIN whole
        ON whole.folder = files.folder WHERE own ORDER BY 1
    """).to_arrow_table()
    return [str(path) for path in found["path"].to_pylist()]

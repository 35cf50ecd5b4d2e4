"""The SQL that holds the rows against a scan: files without a row, rows without a file, sizes that differ.

It works on the temporary listing of `listing`; each `find_*` returns findings as one Arrow table with the columns
subject (path below the root, as on disk), version_id, message, fix, unsafe_fixes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import fsops
from ..connection import registered
from .paths import is_illegal
from .views import ORPHANS, VERSION_STATS

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# `native` is the path in the spelling of the listing, `path` the one on disk; layouts come from `given_layouts`
_RECORDED = """
    SELECT 'artifact' AS part, a.version_id, a.relpath, a.artifact_id AS content, a.artifact_id, a.size_bytes,
        a.verified_at, a.status = 'failed' AS failed, v.fs_relpath || '/src/' || a.relpath AS native,
        v.fs_relpath || '/' || g.source || '/' || a.relpath AS path
    FROM artifacts a JOIN versions v ON v.version_id = a.version_id JOIN given_layouts g ON g.name = v.layout
    UNION ALL
    SELECT 'file', f.version_id, f.relpath, f.file_id, f.artifact_id, f.size_bytes, f.verified_at, false,
        v.fs_relpath || '/data/' || f.relpath, v.fs_relpath || '/' || g.data || '/' || f.relpath
    FROM extracted_files f JOIN versions v ON v.version_id = f.version_id JOIN given_layouts g ON g.name = v.layout
"""
# what differs between a row and the disk; whole stores have a few of these and millions of the others
_DIFFERING = f"""
CREATE OR REPLACE TEMP TABLE doctor_differing AS
SELECT r.*, l.kind, l.size_bytes AS found_bytes FROM ({_RECORDED}) r
LEFT JOIN staging_fs_listing l ON l.relpath = r.native
WHERE NOT r.failed AND (l.relpath IS NULL OR l.kind <> 'file' OR l.size_bytes <> r.size_bytes)
    AND ($within IS NULL OR starts_with(r.native, $within || '/'))
"""
_ORPHANS = f"""
CREATE OR REPLACE TEMP TABLE doctor_orphans AS
SELECT coalesce(path, relpath) AS subject, array_to_string(string_split(relpath, '/')[1:3], '/') AS folder,
    split_part(relpath, '/', 4) = 'src' AS in_source, kind, relpath
FROM staging_fs_listing SEMI JOIN (SELECT relpath FROM {ORPHANS}) USING (relpath)
"""
# an artifact that lies there with its size can give its files, and itself to another release
_WHOLE = """
    SELECT a.version_id, a.artifact_id, a.relpath
    FROM (
        SELECT a.*, v.fs_relpath || '/src/' || a.relpath AS native FROM artifacts a JOIN versions v USING (version_id)
        WHERE a.status <> 'failed' AND a.artifact_id IN (SELECT artifact_id FROM doctor_differing)
    ) a JOIN staging_fs_listing l ON l.relpath = a.native AND l.kind = 'file' AND l.size_bytes = a.size_bytes
"""
_RESTORABLE = f"""
    SELECT d.*, EXISTS (
        SELECT 1 FROM ({_WHOLE}) w WHERE w.artifact_id = d.artifact_id
        AND ((d.part = 'file' AND w.version_id = d.version_id)
            OR (d.part = 'artifact' AND (w.version_id, w.relpath) <> (d.version_id, d.relpath)))
    ) AS restorable FROM doctor_differing d
"""


def compare(connection: duckdb.DuckDBPyConnection, layouts: pa.Table, within: str | None) -> None:
    """Make the temporary tables of what differs between the rows and the listing, and of what has no row.

    Args:
        connection: A connection with a filled listing.
        layouts: One row per known layout: name, source, data.
        within: Only the release in this folder below the root; None: all.
    """
    fsops.execute(connection, _DIFFERING, {"within": within}, tables={"given_layouts": layouts})
    fsops.execute(connection, _ORPHANS)


def find_missing(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a finding for each row without a file."""
    return connection.sql(f"""
        SELECT path AS subject, version_id, 'The ' || part || ' ' || {_shown("path")} || ' is recorded (' || size_bytes
            || ' bytes) and not on disk.' AS message, CASE WHEN restorable THEN 'restore' END AS fix,
            CASE WHEN part = 'artifact' THEN 'drop, fail' ELSE 'drop' END AS unsafe_fixes
        FROM ({_RESTORABLE}) WHERE kind IS NULL
    """).to_arrow_table()


def find_resized(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a finding for each file whose size differs from its row."""
    return connection.sql(f"""
        SELECT path AS subject, version_id, 'The ' || part || ' ' || {_shown("path")} || ' has ' || found_bytes
            || ' bytes, its row says ' || size_bytes || '.' AS message, CASE WHEN restorable THEN 'restore' END AS fix,
            CASE WHEN part = 'artifact' THEN 'fail' ELSE 'accept' END AS unsafe_fixes
        FROM ({_RESTORABLE}) WHERE kind = 'file'
    """).to_arrow_table()


def find_irregular(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a finding for each link, pipe, device … below the sources or the data of a recorded release."""
    return connection.sql(f"""
        SELECT coalesce(l.path, l.relpath) AS subject, v.version_id, {_shown("coalesce(l.path, l.relpath)")}
            || CASE l.kind WHEN 'link' THEN ' is a symbolic link' ELSE ' is no regular file' END
            || CASE WHEN r.native IS NULL THEN ' and has no row.' ELSE ' in the place of a recorded file.' END
            AS message, CASE WHEN r.restorable THEN 'restore' END AS fix, 'quarantine' AS unsafe_fixes
        FROM staging_fs_listing l
        JOIN versions v ON v.fs_relpath = array_to_string(string_split(l.relpath, '/')[1:3], '/')
        LEFT JOIN ({_RESTORABLE}) r ON r.native = l.relpath
        WHERE l.kind <> 'file'
    """).to_arrow_table()


def _shown(path: str) -> str:
    """Return a path as a sentence has it: no other path reads the same where a line end is shown as its escape."""
    return f"replace({path}, chr(92), repeat(chr(92), 2))"


# the path below sources or data: what lies deeper has the longer name
_NAME = "array_to_string(string_split(relpath, '/')[5:], '/')"


def find_unrecorded(connection: duckdb.DuckDBPyConnection, *, usable: bool) -> pa.Table:
    """Return a finding for each regular file of a recorded release that has no row.

    Args:
        connection: A connection with a filled listing.
        usable: Those whose name the catalog can hold; else the others.
    """
    message = (
        "' lies in a release and has no row.'"
        if usable
        else "' has a name that the catalog can''t hold: control characters, bytes that are not UTF-8, or too many.'"
    )
    fixes = "CASE WHEN l.in_source OR n.artifacts = 1 THEN 'adopt, quarantine' ELSE 'quarantine' END"
    return connection.sql(f"""
        SELECT l.subject, v.version_id, 'The file ' || {_shown("l.subject")} || {message} AS message, NULL AS fix,
            {fixes if usable else "NULL"} AS unsafe_fixes
        FROM (
            SELECT * FROM doctor_orphans WHERE kind = 'file' AND {is_illegal(_NAME)} <> {usable}
        ) l
        JOIN versions v ON v.fs_relpath = l.folder
        JOIN {VERSION_STATS} n ON n.version_id = v.version_id
    """).to_arrow_table()


def list_contents(
    connection: duckdb.DuckDBPyConnection, layouts: pa.Table, wanted: pa.Table, *, by: str = "path"
) -> pa.Table:
    """Return the recorded files at some paths, or with some contents, that lie there with their size, sorted by path.

    Args:
        connection: A connection with a filled listing.
        layouts: As for `compare`.
        wanted: Has the column `by`.
        by: `path`, below the root, or `content`.

    Returns:
        kind (`artifact`, `file`), version_id, relpath, content (sha256), size_bytes, verified_at, path.
    """
    with registered(connection, given_layouts=layouts, given_files=wanted):
        return connection.sql(f"""
            SELECT r.part AS kind, r.version_id, r.relpath, r.content, r.size_bytes, r.verified_at, r.path
            FROM ({_RECORDED}) r SEMI JOIN given_files p ON p.{by} = r.{by}
            SEMI JOIN (SELECT * FROM staging_fs_listing WHERE kind = 'file') l
                ON l.relpath = r.native AND l.size_bytes = r.size_bytes
            WHERE NOT r.failed ORDER BY r.path
        """).to_arrow_table()


def describe_damage(connection: duckdb.DuckDBPyConnection, faults: pa.Table) -> pa.Table:
    """Return a finding for each file whose content is not what its row says.

    An extracted file comes back from its artifact, an artifact from another release's copy.

    Args:
        faults: kind, version_id, path, outcome, content, found, size_bytes, found_bytes, reason of each.
    """
    with registered(connection, given_faults=faults):
        return connection.sql("""
            WITH whole AS (SELECT version_id, artifact_id FROM artifacts WHERE status <> 'failed'),
            named AS (SELECT DISTINCT kind, version_id, content FROM given_faults),
            restorable AS (
                SELECT n.* FROM named n SEMI JOIN whole w
                    ON n.kind = 'artifact' AND w.artifact_id = n.content AND w.version_id <> n.version_id
                UNION ALL
                SELECT n.* FROM named n SEMI JOIN (
                    SELECT version_id, file_id FROM extracted_files SEMI JOIN whole USING (version_id, artifact_id)
                ) f ON n.kind = 'file' AND f.version_id = n.version_id AND f.file_id = n.content
            )
            SELECT f.path AS subject, f.version_id, concat('The ', f.kind, ' ', f.path, CASE
                    WHEN f.outcome <> 'damaged'
                        THEN ' can''t be read: ' || coalesce(f.reason, 'it is not there any more')
                    WHEN f.found IS NULL
                        THEN format(' has {:,} bytes, its row says {:,}', f.found_bytes, f.size_bytes)
                    ELSE format(' has the sha256 {}, its row says {}', f.found, f.content) END, '.') AS message,
                CASE WHEN r.kind IS NOT NULL THEN 'restore' END AS fix,
                CASE f.kind WHEN 'artifact' THEN 'fail' ELSE 'accept' END AS unsafe_fixes
            FROM given_faults f LEFT JOIN restorable r
                ON r.kind = f.kind AND r.version_id = f.version_id AND r.content = f.content
        """).to_arrow_table()

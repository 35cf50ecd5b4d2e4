"""The SQL behind the commands that only look: releases, files, statistics, deltas, events, pointers, contents.

Every function returns one Arrow table with the columns that `ontofetch db … --format json` shows. Where statistics of
releases go in, `stats` is what they are selected from, as `stats.find_statistics` says it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..connection import literal
from .definitions import delta_files_of, delta_summary_of
from .lookup_keys import may_be_called, may_have
from .notes import TAGS
from .stats import INCOMPLETE, LIVE
from .story import newest_of, of_release
from .views import LATEST, SERIES_ORDER

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SOURCES = """(
    SELECT string_agg(o.source_url, ' ' ORDER BY o.recorded_at, o.source_url) FROM origins o
    WHERE o.version_id = artifacts.version_id AND o.relpath = artifacts.relpath
) AS sources"""


def list_versions(connection: duckdb.DuckDBPyConnection, slot: str | None = None, stats: str = LIVE) -> pa.Table:
    """Return a row per release, of one series or of all, in the order of the series.

    One is incomplete if an artifact of it was recorded and never unpacked; its tags have a space between.
    """
    where = f"WHERE o.slot = {literal(slot)}" if slot else ""
    return connection.sql(f"""
        SELECT o.version_id, v.released, o.is_latest AS latest, i.version_id IS NOT NULL AS incomplete,
            v.pinned_at IS NOT NULL AS pinned, {TAGS.format(version_id="o.version_id")} AS tags, s.artifacts,
            s.files, s.size_bytes, s.passed, s.failed, s.not_judged, s.not_validated, v.created_at
        FROM {SERIES_ORDER} o JOIN versions v USING (version_id) JOIN {stats} s USING (version_id)
        LEFT JOIN ({INCOMPLETE}) i ON i.version_id = o.version_id
        {where} ORDER BY o.slot, o.position
    """).to_arrow_table()


def list_files(connection: duckdb.DuckDBPyConnection, version_id: str, pattern: str | None = None) -> pa.Table:
    """Return a row per file of a release, sorted by path; `pattern` is a glob in which `*` crosses `/`."""
    glob = f"AND relpath GLOB {literal(pattern)}" if pattern else ""
    return connection.sql(f"""
        SELECT relpath, format, size_bytes, file_id, artifact_id, mtime, verified_at FROM extracted_files
        WHERE version_id = {literal(version_id)} {glob} ORDER BY relpath
    """).to_arrow_table()


def list_origins(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table:
    """Return where the artifacts of a release came from: a row per artifact and source, the first source first.

    Columns: artifact, incomplete (whether it was never unpacked), source_url, etag, last_modified, content_type,
    recorded_at, told_at (UTC).
    """
    return connection.sql(f"""
        SELECT o.relpath AS artifact, a.extraction IS NULL AS incomplete, o.source_url, o.etag, o.last_modified,
            o.content_type, o.recorded_at, o.told_at
        FROM origins o JOIN artifacts a USING (version_id, relpath)
        WHERE o.version_id = {literal(version_id)} ORDER BY o.relpath, o.recorded_at, o.source_url
    """).to_arrow_table()


def list_stats(
    connection: duckdb.DuckDBPyConnection, slot: str | None, version_id: str | None, stats: str = LIVE
) -> pa.Table:
    """Return the sums of one release, of one series' releases, or of all, in the order of the series."""
    where = f"WHERE o.version_id = {literal(version_id)}" if version_id else ""
    where = f"WHERE o.slot = {literal(slot)}" if slot else where
    return connection.sql(f"""
        SELECT s.*, i.version_id IS NOT NULL AS incomplete
        FROM {SERIES_ORDER} o JOIN {stats} s USING (version_id)
        LEFT JOIN ({INCOMPLETE}) i ON i.version_id = o.version_id
        {where} ORDER BY o.slot, o.position
    """).to_arrow_table()


def list_formats(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table:
    """Return the formats of a release: format, files, size_bytes; the largest first."""
    return connection.sql(f"""
        SELECT format, count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes FROM extracted_files
        WHERE version_id = {literal(version_id)} GROUP BY format ORDER BY size_bytes DESC, format
    """).to_arrow_table()


def list_delta(
    connection: duckdb.DuckDBPyConnection, a: str, b: str, *, unchanged: bool, most: int | None = None
) -> pa.Table:
    """Return a row per file that differs between two releases, at most so many, sorted by path.

    With `unchanged` there are also the others.
    """
    first = "" if most is None else f"LIMIT {int(most)}"
    where = "" if unchanged else "WHERE change <> 'UNCHANGED'"
    return connection.sql(f"""
        SELECT change, relpath, previous_relpath, format, size_a, size_b, size_delta, file_id_a, file_id_b
        FROM {delta_files_of(a, b)} {where} ORDER BY relpath, change {first}
    """).to_arrow_table()


def sum_delta(connection: duckdb.DuckDBPyConnection, a: str, b: str) -> pa.Table:
    """Return one row that sums up what differs between two releases."""
    return connection.sql(f"FROM {delta_summary_of(a, b)}").to_arrow_table()


def list_events(
    connection: duckdb.DuckDBPyConnection, version_id: str | None, kind: str | None, *, most: int | None = None
) -> tuple[pa.Table, int]:
    """Return the events, newest first and at most so many, of one release or of all, of one type (a glob) or of all.

    Beside them, how many there are.

    To a release belongs also what was recorded while it had another name.
    """
    conditions = [of_release(connection, version_id)] if version_id else []
    conditions += [f"type GLOB {literal(kind)}"] if kind else []
    columns = "event_id, ts, type, level, version_id, story, payload::VARCHAR AS payload"
    return newest_of(connection, f"{columns}, boundary_id, run_id, config_hash, digest", conditions, most)


def list_event_types(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the types of the events that there are, sorted."""
    rows = connection.execute("SELECT DISTINCT type FROM events ORDER BY type").fetchall()
    return [str(row[0]) for row in rows]


def list_latest(connection: duckdb.DuckDBPyConnection, slot: str | None, *, history: bool) -> pa.Table:
    """Return the latest pointers: slot, version_id, updated_at, updated_by; with `history` the former ones too."""
    where = f"WHERE slot = {literal(slot)}" if slot else ""
    source = "latest_pointer" if history else LATEST
    return connection.sql(f"""
        SELECT slot, version_id, updated_at, updated_by FROM {source} {where} ORDER BY slot, updated_at DESC
    """).to_arrow_table()


def find_content(connection: duckdb.DuckDBPyConnection, digits: str) -> pa.Table:
    """Return where a content is: kind (artifact, file), version_id, relpath, sha256, size_bytes, format, sources.

    `sources` are the URLs that an artifact came from, the first one first, with a space between.

    Args:
        digits: The beginning of a sha256, lower-case hex.
    """
    return connection.sql(
        f"""
        SELECT 'artifact' AS kind, version_id, relpath, artifact_id AS sha256, size_bytes, NULL AS format, {SOURCES}
        FROM artifacts WHERE starts_with(artifact_id, $digits)
        UNION ALL
        SELECT 'file', version_id, relpath, file_id, size_bytes, format, NULL
        FROM extracted_files WHERE {may_have(digits)} AND starts_with(file_id, $digits)
        ORDER BY kind, version_id, relpath
        """,
        params={"digits": digits},
    ).to_arrow_table()


def find_path(connection: duckdb.DuckDBPyConnection, pattern: str) -> pa.Table:
    """Return where a path is, columns as in `find_content`; a glob (`*` crosses `/`) or an end of whole parts."""
    fits = "relpath = $pattern OR ends_with(relpath, '/' || $pattern) OR relpath GLOB $pattern"
    return connection.sql(
        f"""
        SELECT 'artifact' AS kind, version_id, relpath, artifact_id AS sha256, size_bytes, NULL AS format, {SOURCES}
        FROM artifacts WHERE {fits}
        UNION ALL
        SELECT 'file', version_id, relpath, file_id, size_bytes, format, NULL
        FROM extracted_files WHERE {may_be_called(pattern)} AND ({fits})
        ORDER BY kind, version_id, relpath
        """,
        params={"pattern": pattern},
    ).to_arrow_table()


def count_all(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return one row: series, versions, artifacts, files, size_bytes, validations, contents_with_facts, events."""
    # each table by itself, laid side by side: DuckDB would think longer about an order to join that many than count
    return connection.sql("""
        SELECT series, versions, artifacts, files, (file_bytes + artifact_bytes)::BIGINT AS size_bytes, validations,
            contents_with_facts, events
        FROM (SELECT count(DISTINCT service || '/' || ontology) AS series, count(*) AS versions FROM versions)
            POSITIONAL JOIN (
                SELECT count(*) AS artifacts, coalesce(sum(size_bytes), 0) AS artifact_bytes FROM artifacts
            )
            POSITIONAL JOIN (
                SELECT count(*) AS files, coalesce(sum(size_bytes), 0) AS file_bytes FROM extracted_files
            )
            POSITIONAL JOIN (SELECT count(*) AS validations FROM validations)
            POSITIONAL JOIN (
                SELECT count(DISTINCT content_id) AS contents_with_facts FROM file_facts WHERE digest IS NOT NULL
            )
            POSITIONAL JOIN (SELECT count(*) AS events FROM events)
    """).to_arrow_table()

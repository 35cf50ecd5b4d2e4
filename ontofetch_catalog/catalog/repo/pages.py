"""The SQL behind `ontofetch show`: all that is recorded of one release, series or content.

Every function returns one Arrow table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..connection import literal, registered
from .facts import heads_of
from .notes import NOTE, TAGS, list_notes
from .reports import read
from .showing import select_stated
from .stats import INCOMPLETE, LIVE
from .views import SERIES_ORDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    import pyarrow as pa


def describe_release(connection: duckdb.DuckDBPyConnection, version_id: str, stats: str = LIVE) -> pa.Table:
    """Return one row: what a release is, what points to it, its sums, and which releases stand around it.

    latest_at is when it became latest for the last time (UTC), replaced what had been latest until then; tags with a
    space between.
    """
    return connection.sql(f"""
        WITH neighbours AS (
            SELECT o.*, lead(o.version_id) OVER (ORDER BY o.position) AS next_version_id
            FROM {SERIES_ORDER} o
            WHERE o.slot = (SELECT slot FROM {SERIES_ORDER} WHERE version_id = {literal(version_id)})
        ), pointed AS (
            SELECT max(updated_at) AS latest_at, arg_max_null(former, updated_at) AS replaced FROM (
                SELECT version_id, updated_at, lag(version_id) OVER (ORDER BY updated_at) AS former
                FROM latest_pointer WHERE slot = (SELECT any_value(slot) FROM neighbours)
            ) WHERE version_id = {literal(version_id)} AND former IS DISTINCT FROM version_id
        )
        SELECT v.version_id, n.is_latest AS latest, p.latest_at, p.replaced, v.pinned_at,
            {TAGS.format(version_id="v.version_id")} AS tags, v.released, v.created_at AS recorded_at,
            n.position, n.previous_version_id AS previous, n.next_version_id AS next,
            i.version_id IS NOT NULL AS incomplete, s.artifacts, s.artifact_bytes, s.files, s.size_bytes, s.formats,
            s.passed, s.failed, s.not_judged, s.not_validated, s.last_verified, v.fs_relpath AS folder, v.layout
        FROM neighbours n JOIN versions v USING (version_id) JOIN {stats} s USING (version_id)
        LEFT JOIN ({INCOMPLETE}) i USING (version_id) CROSS JOIN pointed p
        WHERE n.version_id = {literal(version_id)}
    """).to_arrow_table()


def list_headers(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table:
    """Return what the documents of a release state: a row per ontology header, by path.

    Columns: relpath, title, licence, version_iri, version (as the header words it), ontology_iri, imports (with a space
    between). Where no header is known, one row without a path has what the host said when it fetched the release.
    """
    heads, stated = heads_of(connection, [version_id]), read(connection, select_stated([version_id]))
    with registered(connection, given_heads=heads, given_stated=stated):
        return connection.sql("""
            SELECT * EXCLUDE (position) FROM (
                SELECT relpath, title, license AS licence, version_iri, version_info AS version, ontology_iri,
                    nullif(array_to_string(imports, ' '), '') AS imports, position
                FROM given_heads
                UNION ALL BY NAME
                SELECT title, licence, version_iri FROM given_stated
                WHERE NOT EXISTS (FROM given_heads) AND coalesce(title, licence, version_iri) IS NOT NULL
            ) ORDER BY relpath, position
        """).to_arrow_table()


def list_notes_of(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table:
    """Return the notes of a release in the order in which they were recorded: text, created_at (UTC)."""
    return list_notes(connection, NOTE, version_id).select(["text", "created_at"])


def list_artifacts(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table:
    """Return a row per artifact of a release: relpath, sha256, size_bytes, files, incomplete, recorded_at, source_url.

    files is how many came out of it, source_url where the bytes came from first.
    """
    return connection.sql(f"""
        SELECT a.relpath, a.artifact_id AS sha256, a.size_bytes, count(f.relpath) AS files,
            any_value(a.extraction) IS NULL AS incomplete, a.recorded_at, a.source_url
        FROM artifacts a LEFT JOIN extracted_files f
            ON f.version_id = {literal(version_id)} AND f.artifact_id = a.artifact_id
        WHERE a.version_id = {literal(version_id)}
        GROUP BY a.relpath, a.artifact_id, a.size_bytes, a.recorded_at, a.source_url ORDER BY a.relpath
    """).to_arrow_table()


def list_doubts(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table:
    """Return the files of a release that failed or could not be judged: relpath, outcome, validator, reason."""
    return connection.sql(f"""
        SELECT relpath, CASE WHEN passed IS NULL THEN 'not judged' ELSE 'failed' END AS outcome, validator,
            coalesce(details->>'error', details->>'not_judged') AS reason
        FROM validations WHERE version_id = {literal(version_id)} AND passed IS DISTINCT FROM true
        ORDER BY passed NULLS LAST, relpath, validator
    """).to_arrow_table()


def describe_series(connection: duckdb.DuckDBPyConnection, slot: str, stats: str = LIVE) -> pa.Table:
    """Return one row: the latest and the newest release of a series, how many there are, and their sums."""
    return connection.sql(f"""
        SELECT o.slot AS series, any_value(o.version_id) FILTER (o.is_latest) AS latest,
            max_by(o.version_id, o.position) AS newest, count(*) AS releases,
            count(v.pinned_at) AS pinned, count(i.version_id) AS incomplete, sum(s.files)::BIGINT AS files,
            sum(s.size_bytes)::BIGINT AS size_bytes, sum(s.artifact_bytes)::BIGINT AS artifact_bytes,
            min(v.created_at) AS first_recorded_at, max(v.created_at) AS last_recorded_at
        FROM {SERIES_ORDER} o JOIN versions v USING (version_id) JOIN {stats} s USING (version_id)
        LEFT JOIN ({INCOMPLETE}) i USING (version_id)
        WHERE o.slot = {literal(slot)} GROUP BY o.slot
    """).to_arrow_table()


def list_results_of(connection: duckdb.DuckDBPyConnection, file_ids: Sequence[str]) -> pa.Table:
    """Return what validators said of contents: sha256, validator, validator_version, outcome, reason, run_at."""
    return connection.sql(
        """
        SELECT file_id AS sha256, validator, validator_version,
            CASE passed WHEN true THEN 'passed' WHEN false THEN 'failed' ELSE 'not judged' END AS outcome,
            coalesce(details->>'error', details->>'not_judged') AS reason, max(run_at) AS run_at
        FROM validations WHERE file_id IN (SELECT unnest($1::VARCHAR[]))
        GROUP BY ALL ORDER BY ALL
        """,
        params=[list(file_ids)],
    ).to_arrow_table()

"""The SQL of what is odd about the meaning of a release beside the one before it, cheap enough for every pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SAME_VERSION, RESERIALISED = "same version", "reserialised"


def find_oddities(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table:
    """Return previous_version_id, relpath, oddity, version of files that have the same path in the release before.

    `same version`: the first header states the same version, and the graph is another one; `reserialised`: other bytes,
    and both digests are exact and equal. Files whose facts are of different kinds or versions are left out.
    """
    return connection.sql(
        """
        WITH step AS (
            SELECT previous_version_id FROM v_series_order
            WHERE version_id = $version_id AND previous_version_id IS NOT NULL
        ), pairs AS (
            SELECT relpath, a.file_id AS file_a, b.file_id AS file_b
            FROM (SELECT relpath, file_id FROM extracted_files SEMI JOIN step ON version_id = previous_version_id) a
            JOIN (SELECT relpath, file_id FROM extracted_files WHERE version_id = $version_id) b USING (relpath)
            WHERE a.file_id <> b.file_id
        ), known AS (
            SELECT relpath, a.digest = b.digest AS equal, a.digest_exact AND b.digest_exact AS exact,
                a.content_id AS content_a, b.content_id AS content_b, b.facts_version
            FROM pairs JOIN file_facts a ON a.file_id = file_a JOIN file_facts b ON b.file_id = file_b
                AND b.facts_version = a.facts_version AND b.digest_kind = a.digest_kind
            WHERE a.content_id <> b.content_id AND a.digest IS NOT NULL AND b.digest IS NOT NULL
        ), versions AS (
            SELECT content_id, facts_version, coalesce(version_iri, version_info) AS version
            FROM ontology_heads WHERE position = 1
        ), compared AS (
            SELECT relpath, CASE WHEN equal AND exact THEN 'reserialised' WHEN NOT equal AND a.version = b.version
                THEN 'same version' END AS oddity, b.version
            FROM known k
            LEFT JOIN versions a ON a.content_id = content_a AND a.facts_version = k.facts_version
            LEFT JOIN versions b ON b.content_id = content_b AND b.facts_version = k.facts_version
        )
        SELECT DISTINCT previous_version_id, relpath, oddity, version FROM compared, step WHERE oddity IS NOT NULL
        ORDER BY oddity DESC, relpath
        """,
        params={"version_id": version_id},
    ).to_arrow_table()

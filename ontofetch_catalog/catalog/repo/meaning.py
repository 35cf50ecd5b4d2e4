"""The SQL of what is odd about the meaning of a release beside the one before it, cheap enough for every pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..connection import fetch_one, literal
from . import latest

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SAME_VERSION, RESERIALISED = "same version", "reserialised"
_COLUMNS = ("previous_version_id", "relpath", "oddity", "version")
_PAIRS = """
    SELECT relpath, a.file_id AS file_a, b.file_id AS file_b
    FROM (SELECT relpath, file_id FROM extracted_files WHERE version_id = {}) a
    JOIN (SELECT relpath, file_id FROM extracted_files WHERE version_id = {}) b USING (relpath)
    WHERE a.file_id <> b.file_id
"""


def find_oddities(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table:
    """Return previous_version_id, relpath, oddity, version of files that have the same path in the release before.

    `same version`: the first header states the same version, and the graph is another one; `reserialised`: other bytes,
    and both digests are exact and equal. Files whose facts are of different kinds or versions are left out.
    """
    import pyarrow as pa

    previous = latest.find_previous(connection, version_id)
    pairs = "" if previous is None else _PAIRS.format(literal(previous), literal(version_id))
    # of most releases there are none, which takes a sixth of the time to see
    if previous is None or fetch_one(connection, f"{pairs} LIMIT 1") is None:
        return pa.table({name: pa.array([], pa.string()) for name in _COLUMNS})
    return connection.sql(
        f"""
        WITH pairs AS ({pairs}), known AS (
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
        SELECT DISTINCT {literal(previous)} AS previous_version_id, relpath, oddity, version FROM compared
        WHERE oddity IS NOT NULL ORDER BY oddity DESC, relpath
        """
    ).to_arrow_table()

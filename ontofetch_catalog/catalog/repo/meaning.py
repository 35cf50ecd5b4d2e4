"""The SQL of what is odd about the meaning of a release beside the one before it, cheap enough for every pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..connection import fetch_one, literal
from . import latest
from .facts import TABLE_PATH

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SAME_VERSION, RESERIALISED, OTHER_VERSION = "same version", "reserialised", "other version"
_TABLE = ("table_path", "table_sha256", "table_bytes")
_COLUMNS = (
    "previous_version_id", "relpath", "oddity", "version", *(f"{name}_{side}" for side in "ab" for name in _TABLE)
)  # fmt: skip
_PAIRS = """
    SELECT relpath, a.file_id AS file_a, b.file_id AS file_b
    FROM (SELECT relpath, file_id FROM extracted_files WHERE version_id = {}) a
    JOIN (SELECT relpath, file_id FROM extracted_files WHERE version_id = {}) b USING (relpath)
    WHERE a.file_id <> b.file_id
"""


def find_oddities(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table:
    """Return previous_version_id, relpath, oddity, version of files that have the same path in the release before.

    `same version`: the headers state the same versions, and the graph is another one; `reserialised`: other bytes, and
    both digests are exact and equal; `other version`: they state others, and it may be that no term differs, which the
    tables of terms say, named by path, sha256 and size of both sides. Files whose facts are of different kinds or
    versions are left out.
    """
    import pyarrow as pa

    previous = latest.find_previous(connection, version_id)
    pairs = "" if previous is None else _PAIRS.format(literal(previous), literal(version_id))
    # of most releases there are none, which takes a sixth of the time to see
    if previous is None or fetch_one(connection, f"{pairs} LIMIT 1") is None:
        kinds = {name: pa.int64() if name.startswith("table_bytes") else pa.string() for name in _COLUMNS}
        return pa.schema(list(kinds.items())).empty_table()
    return connection.sql(
        f"""
        WITH pairs AS ({pairs}), facts AS (
            SELECT *, {TABLE_PATH} AS table_path FROM file_facts
            WHERE digest IS NOT NULL AND file_id IN (SELECT unnest([file_a, file_b]) FROM pairs)
        ), known AS (
            SELECT relpath, a.digest = b.digest AS equal, a.digest_exact AND b.digest_exact AS exact,
                a.terms = b.terms AND a.general_digest = b.general_digest AS alike,
                a.content_id AS content_a, b.content_id AS content_b, b.facts_version, {_tables()}
            FROM pairs JOIN facts a ON a.file_id = file_a JOIN facts b ON b.file_id = file_b
                AND b.facts_version = a.facts_version AND b.digest_kind = a.digest_kind
            WHERE a.content_id <> b.content_id
        ), versions AS (
            SELECT content_id, facts_version, list(version ORDER BY position) AS stated
            FROM (SELECT *, coalesce(version_iri, version_info) AS version FROM ontology_heads)
            WHERE version IS NOT NULL GROUP BY content_id, facts_version
        ), compared AS (
            SELECT k.*, CASE WHEN equal AND exact THEN 'reserialised'
                WHEN NOT equal AND a.stated = b.stated THEN 'same version'
                WHEN alike AND exact AND a.stated <> b.stated THEN 'other version' END AS oddity, b.stated[1] AS version
            FROM known k
            LEFT JOIN versions a ON a.content_id = content_a AND a.facts_version = k.facts_version
            LEFT JOIN versions b ON b.content_id = content_b AND b.facts_version = k.facts_version
        )
        SELECT DISTINCT {literal(previous)} AS previous_version_id, {", ".join(_COLUMNS[1:])} FROM compared
        WHERE oddity IS NOT NULL ORDER BY oddity DESC, relpath
        """
    ).to_arrow_table()


def _tables() -> str:
    return ", ".join(f"{side}.{name} AS {name}_{side}" for side in "ab" for name in _TABLE)

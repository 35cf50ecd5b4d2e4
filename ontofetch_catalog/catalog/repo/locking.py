"""The SQL of what a lock file names: artifacts with their origins, of the latest releases, of some, or of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..connection import fetch_number
from .views import LATEST

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# the choice is part of the statement, so that no list of releases grows with the store
_LATEST = f"v.version_id IN (SELECT version_id FROM {LATEST})"
_NAMED = "v.version_id IN (SELECT unnest($named)) OR v.service || '/' || v.ontology IN (SELECT unnest($named))"


def list_artifacts(
    connection: duckdb.DuckDBPyConnection, named: Sequence[str] = (), *, everything: bool = False
) -> pa.Table:
    """Return an artifact per row, sorted by release and path.

    Columns: version_id, released, is_latest, fs_relpath, layout, relpath, source_url, artifact_id, size_bytes,
    extraction.

    Args:
        named: version_ids and series; without any the latest releases.
        everything: All releases instead.
    """
    where = "TRUE" if everything else _NAMED if named else _LATEST
    return connection.sql(
        f"SELECT v.version_id, v.released, {_LATEST} AS is_latest,"
        " v.fs_relpath, v.layout, a.relpath, a.source_url, a.artifact_id, a.size_bytes, a.extraction"
        f" FROM versions v JOIN artifacts a USING (version_id) WHERE {where} ORDER BY v.version_id, a.relpath",
        params={"named": list(named)} if named and not everything else {},
    ).to_arrow_table()


def count_without_latest(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of series that have no latest release."""
    return fetch_number(
        connection,
        "SELECT count(DISTINCT service || '/' || ontology) FROM versions"
        f" WHERE service || '/' || ontology NOT IN (SELECT slot FROM {LATEST})",
    )

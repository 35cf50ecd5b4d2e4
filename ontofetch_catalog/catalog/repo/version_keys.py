"""The SQL of the keys by which versions are sorted: filling in what is missing, finding what is wrong.

How a key is made is the contract's affair (`ontofetch_hookspecs.version_keys`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ontofetch_hookspecs.version_keys import version_key

from .. import fsops
from ..connection import registered

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def fill_keys(connection: duckdb.DuckDBPyConnection, *, anew: bool = False) -> int:
    """Record the key of every release that has none, or with `anew` of every one that has another; return how many."""
    missing = _keys_of(connection, "version_key IS NULL")
    keys = _wrong_keys(connection) if anew else missing
    if not len(keys):
        return 0
    return fsops.execute(
        connection,
        "UPDATE versions SET version_key = g.version_key FROM given_keys g WHERE versions.version = g.version",
        tables={"given_keys": keys},
    )


def find_wrong_keys(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a finding for each release whose key is not that of its version."""
    with registered(connection, given_keys=_wrong_keys(connection)):
        return connection.sql("""
            SELECT 'versions: ' || version_id AS subject, version_id,
                'The key by which ' || version_id || ' is sorted is not that of its version.' AS message,
                'recompute' AS fix, NULL AS unsafe_fixes
            FROM versions SEMI JOIN given_keys USING (version)
        """).to_arrow_table()


def _wrong_keys(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return version and key of what has another key."""
    with registered(connection, right_keys=_keys_of(connection, "true")):
        return connection.sql(
            "SELECT * FROM right_keys SEMI JOIN (SELECT r.version FROM right_keys r JOIN versions v USING (version)"
            " WHERE v.version_key IS DISTINCT FROM r.version_key) USING (version)"
        ).to_arrow_table()


def _keys_of(connection: duckdb.DuckDBPyConnection, condition: str) -> pa.Table:
    """Return each version for which a condition holds, once, and the key it should have."""
    import pyarrow as pa

    found = connection.sql(
        f"SELECT DISTINCT version FROM versions WHERE version IS NOT NULL AND {condition}"
    ).to_arrow_table()
    keys = pa.array(map(version_key, found["version"].to_pylist()), pa.string())
    return found.append_column("version_key", keys)

"""The SQL of pruning: which releases a policy chooses, the rows that leave with one and come back, its events.

The files that go with the rows are not known here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import fsops
from ..connection import fetch_one, literal
from .releases import INCOMPLETE

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# the tables whose rows belong to a release, with their columns that Arrow knows only as text
RELEASE_TABLES = {
    "versions": (),
    "artifacts": ("extraction",),
    "origins": (),
    "extracted_files": (),
    "validations": ("details",),
    "latest_pointer": (),
}
LATER_TABLES = ("origins",)  # what plans of earlier versions of this package do not keep
_ROWS_AT_ONCE = 65_536


def choose_releases(
    connection: duckdb.DuckDBPyConnection,
    *,
    named: Sequence[str],
    series: str | None,
    keep_last: int | None,
    recorded_before: datetime | None,
) -> list[tuple[str, str, str, str | None]]:
    """Return the releases that a policy chooses, in the order of their series.

    Args:
        connection: An open connection.
        named: Releases that are chosen by name.
        series: Only releases of this series are chosen by the other two.
        keep_last: Choose what comes before the last so many of a series; None: whatever its place.
        recorded_before: Choose what was recorded before this time, UTC; None: whenever it was. If neither is given,
            only `named` chooses.

    Returns:
        (version_id, folder, layout, why it must stay; None if it may go).
    """
    wanted = "version_id IN (SELECT unnest($named))"
    values: dict[str, Any] = {"named": list(named)}
    rules = []
    if keep_last is not None:
        rules.append("newer >= $keep_last")
        values["keep_last"] = keep_last
    if recorded_before is not None:
        rules.append("created_at < $before")
        values["before"] = recorded_before
    if rules and series is not None:
        rules.append("slot = $series")
        values["series"] = series
    if rules:
        wanted += f" OR ({' AND '.join(rules)})"
    rows = connection.execute(
        f"""
        WITH placed AS (
            SELECT o.slot, o.version_id, o.position, v.fs_relpath, v.layout, v.created_at, v.pinned_at, o.is_latest,
                count(*) OVER (PARTITION BY o.slot) - o.position AS newer, i.version_id IS NOT NULL AS incomplete
            FROM v_series_order o JOIN versions v ON v.version_id = o.version_id
            LEFT JOIN ({INCOMPLETE}) i ON i.version_id = o.version_id
        )
        SELECT version_id, fs_relpath, layout, CASE
            WHEN is_latest THEN 'it is the latest release of its series'
            WHEN pinned_at IS NOT NULL THEN 'it is pinned'
            WHEN newer = 0 AND NOT (incomplete AND version_id IN (SELECT unnest($named)))
                THEN 'it is the last release of its series' END
        FROM placed WHERE {wanted} ORDER BY slot, position
        """,  # noqa: S608
        values,
    ).fetchall()
    return [(str(row[0]), str(row[1]), str(row[2]), row[3]) for row in rows]


def release_rows(connection: duckdb.DuckDBPyConnection, table: str, version_id: str) -> pa.RecordBatchReader:
    """Return the rows of a release in one of RELEASE_TABLES, in the order in which they are stored.

    Until the reader is closed nobody else may use the connection.
    """
    texts = "".join(f", {name}::VARCHAR AS {name}" for name in RELEASE_TABLES[table])
    replaced = f" REPLACE ({texts[2:]})" if texts else ""
    return connection.sql(
        f"SELECT *{replaced} FROM {table} WHERE version_id = {literal(version_id)}"  # noqa: S608
    ).to_arrow_reader(_ROWS_AT_ONCE)


def delete_release(connection: duckdb.DuckDBPyConnection, version_id: str) -> int:
    """Un-record a release with all of its rows and return how many there were."""
    return sum(
        fsops.execute(connection, f"DELETE FROM {table} WHERE version_id = {literal(version_id)}")  # noqa: S608
        for table in RELEASE_TABLES
    )


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> int:
    """Put rows of a release back into one of RELEASE_TABLES and return how many; a newer column is NULL."""
    return fsops.execute(
        connection,
        f"INSERT INTO {table} BY NAME SELECT * FROM given_rows",  # noqa: S608
        tables={"given_rows": rows},
    )


def find_other_event(connection: duckdb.DuckDBPyConnection, event_id: int, plan_id: str) -> tuple[int, str] | None:
    """Return (event_id, type) of the first event after one that changed something and is not of this plan, or None."""
    found = fetch_one(
        connection,
        "SELECT event_id, type FROM events WHERE event_id > ? AND NOT ends_with(type, '.unchanged')"
        " AND NOT ends_with(type, '.rolled_back') AND NOT starts_with(type, 'recover.') AND type <> 'prune.purged'"
        " AND (payload->>'plan') IS DISTINCT FROM ? ORDER BY event_id LIMIT 1",
        [event_id, plan_id],
    )
    return (int(found[0]), str(found[1])) if found else None


_OF_BATCHES = "starts_with(type, 'prune.') AND (payload->>'batch') IS NOT NULL AND NOT ends_with(type, '.rolled_back')"


def batch_states(
    connection: duckdb.DuckDBPyConnection, plan_id: str, *, after: int = 0
) -> dict[int, tuple[str, dict[str, Any]]]:
    """Return batch → (type, payload) of the newest event of each batch of a plan that has one after event `after`."""
    rows = connection.execute(
        "SELECT (payload->>'batch')::INTEGER, arg_max(type, event_id), arg_max(payload::VARCHAR, event_id) FROM events"  # noqa: S608
        f" WHERE event_id > ? AND {_OF_BATCHES} AND (payload->>'plan') = ? GROUP BY 1",
        [after, plan_id],
    ).fetchall()
    return {int(batch): (str(kind), json.loads(payload)) for batch, kind, payload in rows}


def count_batches(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """Return (plan, type) → how many batches of the plan have a newest event of this type."""
    rows = connection.execute(
        "SELECT plan, type, count(*) FROM (SELECT payload->>'plan' AS plan, arg_max(type, event_id) AS type FROM events"  # noqa: S608
        f" WHERE {_OF_BATCHES} GROUP BY 1, payload->>'batch') GROUP BY 1, 2"
    ).fetchall()
    return {(str(plan), str(kind)): int(count) for plan, kind, count in rows}


def list_pinned(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the pinned releases: version_id, pinned_at."""
    return connection.sql(
        "SELECT version_id, pinned_at FROM versions WHERE pinned_at IS NOT NULL ORDER BY version_id"
    ).to_arrow_table()

"""The SQL of pruning: which releases a policy chooses, the rows that leave with one and come back, its events.

The files that go with the rows are not known here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import fsops
from ..connection import fetch_number, fetch_one, literal
from .held_facts import leaving
from .stats import INCOMPLETE
from .views import SERIES_ORDER

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# the tables whose rows belong to a release, with their columns that Arrow knows only as text
RELEASE_TABLES = {
    # what is known of contents goes with the last release that holds them, and is found by its files
    "ontology_heads": (),
    "file_facts": (),
    "versions": (),
    "artifacts": ("extraction",),
    "origins": (),
    "extracted_files": (),
    "validations": ("details",),
    "latest_pointer": (),
    "notes": (),
}
# those whose rows belong to an artifact, in the order in which they can go
OF_CONTENTS = ("ontology_heads", "file_facts")
ARTIFACT_TABLES = (*OF_CONTENTS, "validations", "extracted_files", "origins", "artifacts")
LATER_TABLES = ("origins", "notes", *OF_CONTENTS)  # what plans of earlier versions of this package do not keep
_ROWS_AT_ONCE = 65_536


def list_releases(connection: duckdb.DuckDBPyConnection, *, series: str | None, now: int) -> pa.Table:
    """Return the releases as rules of retention see them, in the order of their series, columns RELEASES_COLUMNS.

    Args:
        series: Only those of this series; None: of all.
        now: Nanoseconds since 1970, to which their age is counted.
    """
    import pyarrow as pa

    found = connection.sql(
        f"""
        WITH artifact_sums AS (
            SELECT version_id, sum(size_bytes) AS size_bytes FROM artifacts GROUP BY version_id
        ), file_sums AS (
            SELECT version_id, count(*) AS files, sum(size_bytes) AS size_bytes FROM extracted_files GROUP BY version_id
        )
        SELECT o.version_id, o.slot, o.position,
            count(*) OVER (PARTITION BY o.slot) - o.position AS newer,
            o.is_latest, v.pinned_at IS NOT NULL AS pinned,
            i.version_id IS NOT NULL AS incomplete, v.released, v.created_at AS recorded,
            floor(($now - epoch_us(v.created_at)) / 1000000)::BIGINT AS age_seconds,
            coalesce(f.files, 0) AS files,
            (coalesce(a.size_bytes, 0) + coalesce(f.size_bytes, 0))::BIGINT AS size_bytes
        FROM {SERIES_ORDER} o JOIN versions v ON v.version_id = o.version_id
        LEFT JOIN artifact_sums a ON a.version_id = o.version_id
        LEFT JOIN file_sums f ON f.version_id = o.version_id
        LEFT JOIN ({INCOMPLETE}) i ON i.version_id = o.version_id
        WHERE $series IS NULL OR o.slot = $series
        ORDER BY o.slot, o.position
        """,
        params={"now": now // 1000, "series": series},
    ).to_arrow_table()
    recorded = found.column_names.index("recorded")
    # TIMESTAMP is UTC
    return found.set_column(recorded, "recorded", found["recorded"].cast(pa.timestamp("us", "UTC")))


def choose_releases(
    connection: duckdb.DuckDBPyConnection, named: Sequence[str], ruled: Sequence[str]
) -> list[tuple[str, str, str, str | None]]:
    """Return the releases among those that are recorded, in the order of their series.

    Args:
        named: Releases that a user names; an incomplete one of them may go although it is the last of its series.
        ruled: Releases that rules choose.

    Returns:
        (version_id, folder, layout, why it must stay; None if it may go).
    """
    rows = connection.execute(
        f"""
        WITH placed AS (
            SELECT o.slot, o.version_id, o.position, v.fs_relpath, v.layout, v.pinned_at, o.is_latest,
                count(*) OVER (PARTITION BY o.slot) - o.position AS newer, i.version_id IS NOT NULL AS incomplete
            FROM {SERIES_ORDER} o JOIN versions v ON v.version_id = o.version_id
            LEFT JOIN ({INCOMPLETE}) i ON i.version_id = o.version_id
        )
        SELECT version_id, fs_relpath, layout, CASE
            WHEN is_latest THEN 'it is the latest release of its series'
            WHEN pinned_at IS NOT NULL THEN 'it is pinned'
            WHEN newer = 0 AND NOT (incomplete AND version_id IN (SELECT unnest($named)))
                THEN 'it is the last release of its series' END
        FROM placed WHERE version_id IN (SELECT unnest($chosen)) ORDER BY slot, position
        """,
        {"named": list(named), "chosen": [*named, *ruled]},
    ).fetchall()
    return [(str(row[0]), str(row[1]), str(row[2]), row[3]) for row in rows]


def release_rows(
    connection: duckdb.DuckDBPyConnection, table: str, version_id: str, artifact: str | None = None
) -> pa.RecordBatchReader:
    """Return the rows of a release, or of one artifact of it, in one of the tables, in the order of their storage.

    Until the reader is closed nobody else may use the connection.
    """
    texts = "".join(f", {name}::VARCHAR AS {name}" for name in RELEASE_TABLES[table])
    replaced = f" REPLACE ({texts[2:]})" if texts else ""
    return connection.sql(
        f"SELECT *{replaced} FROM {table} WHERE {_belonging(table, version_id, artifact)}"
    ).to_arrow_reader(_ROWS_AT_ONCE)


def delete_release(connection: duckdb.DuckDBPyConnection, version_id: str, artifact: str | None = None) -> int:
    """Un-record a release, or one artifact of it, with all of its rows and return how many there were."""
    tables = RELEASE_TABLES if artifact is None else ARTIFACT_TABLES
    return sum(
        fsops.execute(connection, f"DELETE FROM {table} WHERE {_belonging(table, version_id, artifact)}")
        for table in tables
    )


def owns_files(connection: duckdb.DuckDBPyConnection, version_id: str, artifact: str) -> bool:
    """Say whether the files that came out of an artifact are its own: no other of the release has the same bytes."""
    same = f"version_id = {literal(version_id)} AND artifact_id = {_content(version_id, artifact)}"
    return fetch_number(connection, f"SELECT count(*) FROM artifacts WHERE {same}") == 1


def _belonging(table: str, version_id: str, artifact: str | None) -> str:
    """Return the condition for the rows of a release, or of one artifact and of what came out of it."""
    mine = f"version_id = {literal(version_id)}"
    if table in OF_CONTENTS:
        return leaving(table, going_files(version_id, artifact))
    if artifact is None:
        return mine
    if table in ("artifacts", "origins"):
        return f"{mine} AND relpath = {literal(artifact)}"
    content = _content(version_id, artifact)
    alone = f"(SELECT count(*) FROM artifacts WHERE {mine} AND artifact_id = {content}) = 1"
    own = f"{mine} AND artifact_id = {content} AND {alone}"
    if table == "extracted_files":
        return own
    return f"{mine} AND relpath IN (SELECT relpath FROM extracted_files WHERE {own})"


def going_files(version_id: str, artifact: str | None) -> str:
    """Return the condition for the rows of `extracted_files` that leave with a release, or with one artifact of it."""
    return _belonging("extracted_files", version_id, artifact)


def _content(version_id: str, artifact: str) -> str:
    return (
        f"(SELECT min(artifact_id) FROM artifacts WHERE version_id = {literal(version_id)}"
        f" AND relpath = {literal(artifact)})"
    )


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> int:
    """Put rows of a release back into one of RELEASE_TABLES and return how many; a newer column is NULL.

    What has been found of a content since then stays.
    """
    key = {"ontology_heads": "content_id, facts_version", "file_facts": "file_id, facts_version"}.get(table)
    new = f"ANTI JOIN {table} USING ({key})" if key else ""
    return fsops.execute(
        connection,
        f"INSERT INTO {table} BY NAME SELECT * FROM given_rows {new}",
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
        "SELECT (payload->>'batch')::INTEGER, arg_max(type, event_id), arg_max(payload::VARCHAR, event_id) FROM events"
        f" WHERE event_id > ? AND {_OF_BATCHES} AND (payload->>'plan') = ? GROUP BY 1",
        [after, plan_id],
    ).fetchall()
    return {int(batch): (str(kind), json.loads(payload)) for batch, kind, payload in rows}


def count_batches(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """Return (plan, type) → how many batches of the plan have a newest event of this type."""
    rows = connection.execute(
        "SELECT plan, type, count(*) FROM (SELECT payload->>'plan' AS plan, arg_max(type, event_id) AS type FROM events"
        f" WHERE {_OF_BATCHES} GROUP BY 1, payload->>'batch') GROUP BY 1, 2"
    ).fetchall()
    return {(str(plan), str(kind)): int(count) for plan, kind, count in rows}


def list_pinned(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the pinned releases: version_id, pinned_at."""
    return connection.sql(
        "SELECT version_id, pinned_at FROM versions WHERE pinned_at IS NOT NULL ORDER BY version_id"
    ).to_arrow_table()

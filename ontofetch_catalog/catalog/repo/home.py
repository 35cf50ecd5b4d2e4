"""The SQL behind `ontofetch` alone: a row per series, and the sums of a store.

It needs no more than it says, for somebody waits for it at every start.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..connection import fetch_number, fetch_one
from .stats import INCOMPLETE, LIVE
from .views import LATEST, SERIES_ORDER

if TYPE_CHECKING:
    import duckdb

# column → its type
SERIES: dict[str, type] = {
    **dict.fromkeys(("slot", "latest", "newest"), str),
    "set_at": datetime,
    **dict.fromkeys(("releases", "incomplete", "files", "size_bytes", "failed", "not_judged", "newest_failed"), int),
}


def list_series(connection: duckdb.DuckDBPyConnection, stats: str = LIVE) -> list[tuple[Any, ...]]:
    """Return a row per series, with the columns of SERIES; by slot.

    newest is the last release in the order of the series, set_at when latest was set (UTC), incomplete how many of the
    releases have an artifact that was never unpacked. files, size_bytes (bytes), failed and not_judged (files) are
    those of the latest release, and of the newest where none is latest; newest_failed those of the newest.
    """
    return connection.execute(f"""
        WITH ordered AS (
            SELECT *, position = max(position) OVER (PARTITION BY slot) AS is_newest,
                bool_or(is_latest) OVER (PARTITION BY slot) AS has_latest
            FROM {SERIES_ORDER}
        )
        SELECT o.slot, any_value(split_part(o.version_id, '/', 3)) FILTER (o.is_latest) AS latest,
            any_value(split_part(o.version_id, '/', 3)) FILTER (o.is_newest) AS newest,
            (SELECT max(p.updated_at) FROM {LATEST} p WHERE p.slot = o.slot) AS set_at, count(*) AS releases,
            count(i.version_id) AS incomplete, any_value(s.files) FILTER (shown) AS files,
            any_value(s.size_bytes) FILTER (shown) AS size_bytes, any_value(s.failed) FILTER (shown) AS failed,
            any_value(s.not_judged) FILTER (shown) AS not_judged,
            any_value(s.failed) FILTER (o.is_newest) AS newest_failed
        FROM (SELECT *, is_latest OR (is_newest AND NOT has_latest) AS shown FROM ordered) o
        LEFT JOIN {stats} s ON s.version_id = o.version_id AND (o.shown OR o.is_newest)
        LEFT JOIN ({INCOMPLETE}) i ON i.version_id = o.version_id
        GROUP BY o.slot ORDER BY o.slot
    """).fetchall()


class Sums(NamedTuple):
    """Sums over a store.

    incomplete is how many releases have an artifact that was never unpacked, size_bytes (bytes) is of artifacts and
    files, suspects how many damaged or missing files the last verification found and verified_at when that was (UTC),
    both None if there was none; quarantined_bytes is of what was moved away and not removed for good.
    """

    series: int
    releases: int
    incomplete: int
    files: int
    size_bytes: int
    suspects: int | None
    verified_at: datetime | None
    quarantined_bytes: int


def sum_store(connection: duckdb.DuckDBPyConnection, stats: str = LIVE) -> Sums:
    """Return the sums over a store; what the sums of releases (`stats`) say already is not counted again.

    A table at a time: for one statement about all of them DuckDB's optimizer takes longer than all of these take.
    """
    series, releases = _row(connection, "SELECT count(DISTINCT service || '/' || ontology), count(*) FROM versions")
    incomplete, artifact_bytes = _row(
        connection,
        "SELECT count(DISTINCT version_id) FILTER (extraction IS NULL), coalesce(sum(size_bytes), 0)::BIGINT"
        " FROM artifacts",
    )
    files, file_bytes = _row(
        connection,
        "SELECT count(*), coalesce(sum(size_bytes), 0)::BIGINT FROM extracted_files"
        if stats == LIVE
        else f"SELECT coalesce(sum(files), 0)::BIGINT, coalesce(sum(size_bytes), 0)::BIGINT FROM {stats}",
    )
    suspects, verified_at = _row(
        connection,
        "SELECT (arg_max(payload, event_id)->>'findings')::BIGINT, max(ts) FROM events WHERE type = 'verify.done'",
    )
    quarantined = fetch_number(
        connection,
        """
        SELECT coalesce(sum((payload->>'bytes')::BIGINT), 0)::BIGINT FROM (
            SELECT arg_max(type, event_id) AS type, arg_max(payload, event_id) AS payload FROM events
            WHERE starts_with(type, 'prune.') AND NOT ends_with(type, '.rolled_back')
                AND (payload->>'batch') IS NOT NULL
            GROUP BY payload->>'plan', payload->>'batch'
        ) WHERE type = 'prune.batch'
        """,
    )
    return Sums(series, releases, incomplete, files, artifact_bytes + file_bytes, suspects, verified_at, quarantined)


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    """Return the one row of an aggregate over a whole table."""
    found = fetch_one(connection, sql)
    return () if found is None else found

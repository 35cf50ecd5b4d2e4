"""The SQL behind `ontofetch` alone: a row per series, and the sums of a store.

Every function returns one Arrow table. It needs no more than it says, for somebody waits for it at every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .stats import INCOMPLETE, LIVE

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def list_series(connection: duckdb.DuckDBPyConnection, stats: str = LIVE) -> pa.Table:
    """Return a row per series: slot, latest, newest, set_at, releases, incomplete, and sums of a release; by slot.

    newest is the last release in the order of the series, set_at when latest was set (UTC), incomplete how many of the
    releases have an artifact that was never unpacked. files, size_bytes (bytes), failed and not_judged (files) are
    those of the latest release, and of the newest where none is latest; newest_failed those of the newest.
    """
    return connection.sql(f"""
        WITH ordered AS (
            SELECT *, position = max(position) OVER (PARTITION BY slot) AS is_newest,
                bool_or(is_latest) OVER (PARTITION BY slot) AS has_latest
            FROM v_series_order
        )
        SELECT o.slot, any_value(split_part(o.version_id, '/', 3)) FILTER (o.is_latest) AS latest,
            any_value(split_part(o.version_id, '/', 3)) FILTER (o.is_newest) AS newest,
            (SELECT max(p.updated_at) FROM v_latest p WHERE p.slot = o.slot) AS set_at, count(*) AS releases,
            count(i.version_id) AS incomplete, any_value(s.files) FILTER (shown) AS files,
            any_value(s.size_bytes) FILTER (shown) AS size_bytes, any_value(s.failed) FILTER (shown) AS failed,
            any_value(s.not_judged) FILTER (shown) AS not_judged,
            any_value(s.failed) FILTER (o.is_newest) AS newest_failed
        FROM (SELECT *, is_latest OR (is_newest AND NOT has_latest) AS shown FROM ordered) o
        LEFT JOIN {stats} s ON s.version_id = o.version_id AND (o.shown OR o.is_newest)
        LEFT JOIN ({INCOMPLETE}) i ON i.version_id = o.version_id
        GROUP BY o.slot ORDER BY o.slot
    """).to_arrow_table()


def sum_store(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return one row of sums over a store.

    Columns: series, releases, incomplete (releases with an artifact that was never unpacked), files, size_bytes (of
    artifacts and files), suspects (damaged or missing files that the last verification found; NULL if there was none),
    verified_at (when that was, UTC), quarantined_bytes (of what was moved away and not removed for good).
    """
    return connection.sql(
        f"""
        WITH batches AS (
            SELECT arg_max(type, event_id) AS type, arg_max(payload, event_id) AS payload FROM events
            WHERE starts_with(type, 'prune.') AND NOT ends_with(type, '.rolled_back')
                AND (payload->>'batch') IS NOT NULL
            GROUP BY payload->>'plan', payload->>'batch'
        ), verified AS (
            SELECT arg_max(payload, event_id) AS payload, max(ts) AS ts FROM events WHERE type = 'verify.done'
        )
        SELECT (SELECT count(DISTINCT service || '/' || ontology) FROM versions) AS series,
            (SELECT count(*) FROM versions) AS releases, (SELECT count(*) FROM ({INCOMPLETE})) AS incomplete,
            (SELECT count(*) FROM extracted_files) AS files,
            (SELECT coalesce(sum(size_bytes), 0)::BIGINT FROM extracted_files)
                + (SELECT coalesce(sum(size_bytes), 0)::BIGINT FROM artifacts) AS size_bytes,
            (SELECT (payload->>'findings')::BIGINT FROM verified) AS suspects, (SELECT ts FROM verified) AS verified_at,
            (SELECT coalesce(sum((payload->>'bytes')::BIGINT), 0)::BIGINT FROM batches WHERE type = 'prune.batch')
                AS quarantined_bytes
        """
    ).to_arrow_table()

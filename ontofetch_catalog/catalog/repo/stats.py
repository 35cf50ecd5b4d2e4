"""The SQL of the statistics of releases: computed once by a refresh, counted anew where that is too old.

Who reads gets a relation to select from, and how old it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops
from ..connection import fetch_one, literal
from .bounds import bounds_of
from .views import VERSION_STATS

if TYPE_CHECKING:
    import duckdb

_COLUMNS = (
    "version_id, artifacts, artifact_bytes, files, size_bytes, formats, passed, failed, not_judged, not_validated,"
    " last_verified"
)
# what these events tell changes no sum of a release
_IDLE = (
    "type NOT LIKE '%.unchanged' AND type NOT LIKE '%.rolled_back'"
    " AND type NOT IN ('refresh.done', 'backup.done', 'latest.set')"
)
# the releases of which an artifact was recorded and never unpacked
INCOMPLETE = "SELECT DISTINCT version_id FROM artifacts WHERE extraction IS NULL"
LIVE = f"(SELECT {_COLUMNS} FROM {VERSION_STATS})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Where statistics come from.

    Args:
        relation: What to select from: the columns of VERSION_STATS, a row per release.
        computed: How many releases a refresh computed and nothing has changed since.
        counted: How many are counted anew.
        oldest: When the oldest of the computed ones was, UTC without zone; None if none is.
    """

    relation: str
    computed: int
    counted: int
    oldest: datetime | None


def find_statistics(connection: duckdb.DuckDBPyConnection, now: datetime, ttl: float) -> Statistics:
    """Return the statistics to read: those of the last refresh where they are good, else counted anew.

    Args:
        now: UTC without zone.
        ttl: Seconds for which a refresh counts.
    """
    since = literal((now - timedelta(seconds=ttl)).isoformat(sep=" ")) if ttl < 1e9 else literal("0001-01-01")
    fresh = f"""
        SELECT s.* FROM version_stats s SEMI JOIN versions v ON v.version_id = s.version_id
        ANTI JOIN (
            SELECT version_id, max(event_id) AS newest FROM events WHERE version_id IS NOT NULL AND {_IDLE} GROUP BY 1
        ) e ON e.version_id = s.version_id AND e.newest > s.event_id
        WHERE s.computed_at >= TIMESTAMP {since} AND s.computed_at <= TIMESTAMP {literal(now.isoformat(sep=" "))}
            AND s.event_id >= (
                SELECT coalesce(max(event_id), 0) FROM events WHERE version_id IS NULL AND {_IDLE}
            )
        """
    found = fetch_one(
        connection,
        f"SELECT count(*), min(computed_at), (SELECT count(*) FROM versions) FROM ({fresh})",
    )
    computed, oldest, releases = (int(found[0]), found[1], int(found[2])) if found else (0, None, 0)
    if not computed:
        return Statistics(relation=LIVE, computed=0, counted=releases, oldest=None)
    stored = f"SELECT {_COLUMNS} FROM ({fresh})"
    if computed < releases:
        rows = connection.execute(
            f"SELECT version_id FROM versions ANTI JOIN ({fresh}) f USING (version_id) ORDER BY 1"
        ).fetchall()
        # named as constants, so that the files of the others are not read
        stale = ", ".join(literal(str(row[0])) for row in rows)
        bounds = bounds_of(str(row[0]) for row in rows)
        stored += f" UNION ALL SELECT {_COLUMNS} FROM {VERSION_STATS} WHERE version_id IN ({stale}) AND {bounds}"
    return Statistics(relation=f"({stored})", computed=computed, counted=releases - computed, oldest=oldest)


def refresh_statistics(connection: duckdb.DuckDBPyConnection, now: datetime) -> int:
    """Compute the statistics of all releases anew inside the open transaction; return how many releases."""
    fsops.execute(connection, "DELETE FROM version_stats")
    return fsops.execute(
        connection,
        f"INSERT INTO version_stats BY NAME SELECT {_COLUMNS}, $now::TIMESTAMP AS computed_at,"
        f" (SELECT coalesce(max(event_id), 0) FROM events) AS event_id FROM {VERSION_STATS} ORDER BY version_id",
        {"now": now},
    )

"""Which contents of a shared catalog nothing names any more, by the server's clock; the caller frees their objects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import cast

from .log import Log
from .log_rows import insert_rows


def sweep(log: Log, grace_seconds: float, *, dry_run: bool = False) -> tuple[int, list[str]]:
    """Condemn contents that no path has, and forget those condemned for long enough; all or nothing.

    Args:
        log: The log, which is held.
        grace_seconds: How long a condemned content is kept, by the server's clock.
        dry_run: Find out what would happen, and let nothing of it happen.

    Returns:
        How many were condemned, and the keys of the objects that nothing names any more: their rows are gone for
        good, so they may be deleted whenever that succeeds.

    Raises:
        CatalogUnavailable: The lock is lost, or the server does not answer.
    """
    import psycopg

    connection = log.in_use()
    with log.explained("swept"), connection.transaction():
        log.require_held(connection)
        connection.execute(
            "UPDATE contents SET condemned_at = NULL WHERE condemned_at IS NOT NULL"
            " AND EXISTS (SELECT 1 FROM paths WHERE paths.sha256 = contents.sha256)"
        )
        condemned = connection.execute(
            "UPDATE contents SET condemned_at = now() WHERE condemned_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM paths WHERE paths.sha256 = contents.sha256)"
        ).rowcount
        keys = connection.execute(
            "WITH gone AS (DELETE FROM contents WHERE condemned_at < now() - make_interval(secs => %s)"
            " RETURNING key) SELECT DISTINCT key FROM gone",
            [grace_seconds],
        ).fetchall()
        gone = [key for (key,) in keys]
        # an object of many contents goes with the last of them
        left = connection.execute("SELECT DISTINCT key FROM contents WHERE key = ANY(%s)", [gone]).fetchall()
        if dry_run:
            raise psycopg.Rollback
    return condemned, sorted(set(gone) - {key for (key,) in left})


def unknown(log: Log, keys: Iterable[str]) -> list[str]:
    """Return those of the keys under which no content is: objects of boundaries that never happened."""
    with log.explained("swept"), log.in_use().transaction(), log.in_use().cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE listed (key text) ON COMMIT DROP")
        insert_rows(cursor, "listed", {"key": "text"}, ((key,) for key in keys))
        cursor.execute(
            "SELECT key FROM listed WHERE NOT EXISTS (SELECT 1 FROM contents WHERE contents.key = listed.key)"
        )
        return [key for (key,) in cursor.fetchall()]


def now(log: Log) -> datetime:
    """Return the server's time, UTC: the one clock that all machines have in common."""
    with log.explained("read"):
        found = log.in_use().execute("SELECT now()").fetchone()
    return cast(datetime, found[0] if found else None).astimezone(UTC)

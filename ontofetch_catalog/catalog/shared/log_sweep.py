"""Which contents of a shared catalog nothing names any more, by the server's clock; the caller frees their objects.

All paths and contents are looked through beside others' work, one sweep at a time; the log is held only to take in what
was recorded meanwhile, and to write down what is condemned and forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from ...errors import CatalogLocked
from .log import Log
from .log_holds import Hold, as_hold
from .log_lock import HEAD, as_head
from .log_rows import as_array, insert_rows
from .log_schema import SWEEP
from .places import Put, parse_ops

if TYPE_CHECKING:
    import psycopg

_NAMED = "EXISTS (SELECT 1 FROM paths WHERE paths.sha256 = contents.sha256)"
# what is held had a path at the event of a hold: it had come by then, and no sweep had found it unnamed
_KEPT = """
CREATE TEMP TABLE kept AS
SELECT sha256, size, coalesce(added_event, 0) AS came, coalesce(unnamed_event, head.event) AS went
FROM unnamed JOIN contents USING (sha256), (SELECT coalesce(max(last_event), 0) AS event FROM boundaries) AS head
WHERE condemned_at IS NULL AND EXISTS (
    SELECT FROM holds WHERE (until IS NULL OR until > now())
    AND holds.event >= coalesce(added_event, 0) AND holds.event < coalesce(unnamed_event, head.event)
)
"""
_DUE = (
    "CREATE TEMP TABLE due AS SELECT sha256, key FROM unnamed JOIN contents USING (sha256)"
    " WHERE condemned_at < now() - make_interval(secs => {})"
)


@contextmanager
def alone(log: Log) -> Iterator[None]:
    """Let no other machine sweep until the end of a `with`.

    Raises:
        CatalogLocked: One does, and does not end in time; it is named.
        CatalogUnavailable: The server does not answer.
    """
    import psycopg

    with log.explained("swept"):
        try:
            log.in_use().execute(f"SELECT pg_advisory_lock({SWEEP})", prepare=False)
        except psycopg.errors.LockNotAvailable as error:
            raise CatalogLocked(
                f"The shared catalog at {log.where} is being swept by {log.holder(SWEEP) or 'another machine'}.",
                subject=log.address.catalog,
                hint="One sweep is enough: there is nothing to do, or try again later.",
            ) from error
    # the lock is the session's, which ends with the line
    yield


def find_unnamed(log: Log) -> int:
    """Find the contents that no path has, for `condemn` or `expect`; return the event as of which that is true.

    It takes as long as reading all paths and contents, and keeps nobody from writing.

    Raises:
        CatalogUnavailable: The server does not answer.
    """
    with log.explained("swept"), log.in_use().transaction():
        connection = log.in_use()
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        head = as_head(connection.execute(HEAD).fetchone())
        connection.execute("DROP TABLE IF EXISTS unnamed, named_again, kept, due")
        connection.execute(
            f"CREATE TEMP TABLE unnamed AS SELECT sha256 FROM contents WHERE NOT {_NAMED}"  # noqa: S608 - no value in it
        )
        connection.execute(
            "CREATE TEMP TABLE named_again AS SELECT sha256 FROM contents"  # noqa: S608 - no value in it
            f" WHERE (condemned_at IS NOT NULL OR unnamed_event IS NOT NULL) AND {_NAMED}"
        )
    return head.event_id


def condemn(log: Log, as_of: int, grace_seconds: float) -> int:
    """Condemn contents that no path has and nothing holds, and forget those condemned for long enough; all or nothing.

    Args:
        log: The log, which is held.
        as_of: What `find_unnamed` has returned.
        grace_seconds: How long a condemned content is kept, by the server's clock.

    Returns:
        How many were condemned.

    Raises:
        CatalogUnavailable: The lock is lost, or the server does not answer.
    """
    connection = log.in_use()
    with log.explained("swept"), connection.transaction():
        log.require_held(connection)
        for some in _put_since(connection, as_of):
            connection.execute("DELETE FROM unnamed WHERE sha256 = ANY(%s::text[])", [as_array(some)])
        connection.execute(
            "UPDATE contents SET condemned_at = NULL, unnamed_event = NULL FROM named_again"
            " WHERE contents.sha256 = named_again.sha256"
        )
        connection.execute("DELETE FROM holds WHERE until <= now()")
        _keep_held(connection)
        connection.execute(
            "UPDATE contents SET unnamed_event = went FROM kept WHERE contents.sha256 = kept.sha256"
            " AND unnamed_event IS NULL"
        )
        condemned = connection.execute(
            "UPDATE contents SET condemned_at = now() FROM unnamed"
            " WHERE contents.sha256 = unnamed.sha256 AND condemned_at IS NULL"
        ).rowcount
        connection.execute(_DUE.format(float(grace_seconds)).encode())
        connection.execute("DELETE FROM contents USING due WHERE contents.sha256 = due.sha256")
    return condemned


def expect(log: Log, grace_seconds: float) -> int:
    """Find out what `condemn` would do, and do nothing of it; arguments and result are the same."""
    connection = log.in_use()
    with log.explained("swept"), connection.transaction():
        _keep_held(connection)
        found = connection.execute(
            "SELECT count(*) FROM unnamed JOIN contents USING (sha256) WHERE condemned_at IS NULL"
        )
        ((condemned,),) = found.fetchall()
        connection.execute(_DUE.format(float(grace_seconds)).encode())
    return int(condemned)


def _keep_held(connection: psycopg.Connection[Any]) -> None:
    """Leave out of what is condemned whatever had a path at the event of a hold."""
    connection.execute(_KEPT)
    connection.execute("DELETE FROM unnamed USING kept WHERE unnamed.sha256 = kept.sha256")


def count_kept(log: Log) -> int:
    """Return how many contents nothing but holds keeps, after `condemn` or `expect`."""
    with log.explained("swept"):
        ((count,),) = log.in_use().execute("SELECT count(*) FROM kept").fetchall()
    return int(count)


def kept_for(log: Log) -> list[tuple[Hold, int, int]]:
    """Return each hold, how many contents without a path it keeps, and their bytes, after `condemn` or `expect`."""
    with log.explained("swept"):
        found = log.in_use().execute(
            "SELECT name, event, who, since, until, count(sha256), coalesce(sum(size), 0)::bigint"
            " FROM holds LEFT JOIN kept ON holds.event >= came AND holds.event < went"
            " WHERE until IS NULL OR until > now()"
            " GROUP BY name, event, who, since, until ORDER BY since, name"
        )
        return [(as_hold(fields), contents, size) for *fields, contents, size in found.fetchall()]


def freed_keys(log: Log) -> list[str]:
    """Return the keys of the objects that nothing names any more after `condemn`, or would not after `expect`.

    Their rows are gone for good, and no key is used twice: they may be deleted whenever that succeeds. An object of
    many contents goes with the last of them.
    """
    with log.explained("swept"):
        found = log.in_use().execute(
            "SELECT DISTINCT key FROM due WHERE NOT EXISTS (SELECT 1 FROM contents WHERE contents.key = due.key"
            " AND contents.sha256 NOT IN (SELECT sha256 FROM due)) ORDER BY key"
        )
        return [key for (key,) in found.fetchall()]


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


def _put_since(connection: psycopg.Connection[Any], event: int) -> Iterator[list[str]]:
    """Yield the contents that paths got in each boundary after an event."""
    found = connection.execute("SELECT moves FROM boundaries WHERE first_event > %s", [event])
    for (moves,) in found.fetchall():
        puts = {op.sha256 for op in parse_ops(moves) if isinstance(op, Put)}
        if puts:
            yield sorted(puts)

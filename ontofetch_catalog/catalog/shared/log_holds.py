"""What a shared catalog is held to keep: contents that paths had at an event, for a backup that was made then.

A hold is a name and an event. A sweep condemns nothing that came at that event or before, and that no sweep had found
unnamed by then; which contents these are is not written down one by one, so that a hold costs the same in any catalog.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import Conflict
from .log import Log
from .log_line import Line
from .log_lock import HEAD, as_head
from .log_making import require_holds

_FIELDS = "name, event, who, since, until"
_ALIVE = "(until IS NULL OR until > now())"


@dataclass(frozen=True, slots=True)
class Hold:
    """What a sweep keeps.

    Args:
        name: How it is let go of.
        event: The contents that paths had then are kept.
        who: Command and machine.
        since: UTC, by the server's clock.
        until: Likewise; None: until it is let go.
    """

    name: str
    event: int
    who: str
    since: datetime
    until: datetime | None


def take_hold(log: Log, name: str, operation: str, seconds: float | None) -> Hold:
    """Hold all contents that paths have now.

    Args:
        log: The log, which is held: nothing is recorded or condemned meanwhile.
        name: A name that no hold has.
        operation: What runs, as others see it.
        seconds: For how long, by the server's clock; None: until it is let go.

    Raises:
        Conflict: There is a hold of that name.
        UsageError: The catalog was made before holds and by somebody else, or this user may not write.
        CatalogUnavailable: The lock is lost, or the server does not answer: whether it is held `list_holds` says.
    """
    require_holds(log)
    with log.explained("written"), log.in_use().transaction():
        connection = log.in_use()
        log.require_held(connection)
        connection.execute("DELETE FROM holds WHERE until <= now()")
        # who had asked for a place before a sweep may have named it after it: what a sweep has found is true no more
        connection.execute(
            "UPDATE contents SET condemned_at = NULL, unnamed_event = NULL"
            " WHERE (condemned_at IS NOT NULL OR unnamed_event IS NOT NULL)"
            " AND EXISTS (SELECT FROM paths WHERE paths.sha256 = contents.sha256)"
        )
        head = as_head(connection.execute(HEAD).fetchone())
        found = connection.execute(
            f"INSERT INTO holds (name, event, who, until) VALUES (%s, %s, %s, now() + make_interval(secs => %s))"  # noqa: S608
            f" ON CONFLICT DO NOTHING RETURNING {_FIELDS}",
            [name, head.event_id, f"{operation} on {socket.gethostname()}", seconds],
        ).fetchone()
    if found is None:
        raise Conflict(
            f"The shared catalog at {log.where} has a hold called {quote(name)} already.",
            subject=name,
            hint="Choose another name; `ontofetch db hold` lists what there is.",
        )
    return as_hold(found)


def hold_until(log: Line, name: str, seconds: float | None) -> bool:
    """Hold for so many seconds from now on, or, without, until it is let go; return whether it is still held."""
    with log.explained("written"):
        return bool(
            log.in_use()
            .execute(
                f"UPDATE holds SET until = now() + make_interval(secs => %s) WHERE name = %s AND {_ALIVE}",  # noqa: S608
                [seconds, name],
            )
            .rowcount
        )


def let_go_of(log: Line, name: str) -> bool:
    """Let go of what is held by a name; return whether anything was."""
    require_holds(log)
    with log.explained("written"):
        return bool(log.in_use().execute("DELETE FROM holds WHERE name = %s", [name]).rowcount)


def list_holds(line: Line) -> list[Hold]:
    """Return what is held, oldest first; of a catalog from before that, nothing."""
    import psycopg

    with line.explained("read"):
        try:
            rows = line.in_use().execute(f"SELECT {_FIELDS} FROM holds WHERE {_ALIVE} ORDER BY since, name")  # noqa: S608
        except psycopg.errors.UndefinedTable:
            return []
        return [as_hold(row) for row in rows]


def as_hold(row: Sequence[Any]) -> Hold:
    """Return what a row of the table says."""
    name, event, who, since, until = row
    return Hold(name, event, who, since.astimezone(UTC), until.astimezone(UTC) if until else None)

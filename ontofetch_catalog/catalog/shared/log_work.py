"""Work that machines divide: who has which item of it, by leases in PostgreSQL that end with a session of it.

A lease is as good as the lock of its worker, so it is freed as the log is: at once where a process dies, after some
seconds by the server's clock where a machine stands still. What the items are is not known here.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import CatalogUnavailable, UsageError
from ..connection import Store
from .address import Address
from .log_line import Line
from .log_schema import WORKERS

if TYPE_CHECKING:
    import psycopg

_TOGETHER = 60  # seconds within which machines that begin the same work mean the same run of it
_LIVE = (  # the workers whose sessions are there
    f"SELECT objid::bigint::integer FROM pg_locks WHERE locktype = 'advisory' AND classid = {WORKERS}"  # noqa: S608
    " AND objsubid = 2 AND granted AND objid <> 0"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@dataclass(frozen=True, slots=True)
class Lease:
    """An item that somebody has, or had.

    Args:
        item: Its name.
        who: Command, machine and process.
        since: When it was taken, UTC, by the server's clock.
        outcome: What it came to; None while it is being done.
        work: What it is an item of.
    """

    item: str
    who: str
    since: datetime
    outcome: str | None
    work: str = ""


class WorkLine(Line):
    """A connection over which items of work are taken and given back.

    Args:
        address: Where the shared catalog is.
        work: What is divided: whoever names the same work has a share in it.
        operation: What runs, as others see it.
        silence: Seconds without a sign of life after which others may take what this machine has.
    """

    def __init__(self, address: Address, work: str, operation: str, silence: float) -> None:
        super().__init__(address, 60.0, operation, silence)
        self._work = work
        self._run = self._worker = 0
        self.who = f"{operation} on {socket.gethostname()} ({os.getpid()})"
        self.began_at = datetime.now(UTC)

    @contextmanager
    def joined(self) -> Iterator[WorkLine]:
        """Have a share in the run of the work that is under way, or begin one; give all back at the end of a `with`.

        Raises:
            CatalogUnavailable, CatalogBehind, SchemaError: As `Line.open` does.
            UsageError: The catalog was made before work was divided, or this user may not write.
        """
        with self.opened():
            try:
                with self._asking() as connection:
                    self._join(connection)
                yield self
            finally:
                self._leave()

    def _join(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(
            f"DELETE FROM works WHERE run NOT IN (SELECT run FROM workers WHERE worker IN ({_LIVE}))"  # noqa: S608
        )
        found = connection.execute(
            "SELECT run, began_at FROM works WHERE work = %s"
            " AND (NOT closed OR began_at > now() - make_interval(secs => %s)) ORDER BY run DESC LIMIT 1",
            [self._work, _TOGETHER],
        ).fetchone()
        if found is None:
            found = connection.execute(
                "INSERT INTO works (work) VALUES (%s) RETURNING run, began_at", [self._work]
            ).fetchone()
        self._run, began_at = found or (0, self.began_at)
        self.began_at = began_at.astimezone(UTC)
        worker = connection.execute(
            "INSERT INTO workers (run, who) VALUES (%s, %s) RETURNING worker", [self._run, self.who]
        ).fetchone()
        self._worker = worker[0] if worker else 0
        connection.execute("SELECT pg_advisory_lock(%s, %s)", [WORKERS, self._worker])

    def _leave(self) -> None:
        """Give back what is not done; a server that does not answer finds out by itself."""
        import psycopg

        connection = self._connection
        if connection is None or not self._worker:
            return
        with suppress(psycopg.Error, OSError), connection.transaction():
            connection.execute("DELETE FROM leases WHERE worker = %s AND done_at IS NULL", [self._worker])
            connection.execute("DELETE FROM workers WHERE worker = %s", [self._worker])

    def take(self, items: Sequence[str], count: int = 1) -> list[str]:
        """Take the first of these items that nobody has, or has done, in this run; return them.

        Raises:
            CatalogUnavailable: This machine was silent for too long, or the server does not answer.
        """
        with self._asking() as connection:
            rows = connection.execute(
                f"""
                WITH live AS MATERIALIZED ({_LIVE})
                INSERT INTO leases (run, item, worker, who)
                SELECT %(run)s, item, %(worker)s, %(who)s
                FROM unnest(%(items)s::text[]) WITH ORDINALITY AS o(item, place)
                WHERE NOT EXISTS (
                    SELECT FROM leases JOIN works USING (run) WHERE leases.item = o.item AND works.work = %(work)s
                    AND CASE WHEN done_at IS NULL THEN worker IN (TABLE live) ELSE run = %(run)s END
                )
                ORDER BY place LIMIT %(count)s
                ON CONFLICT (run, item) DO UPDATE SET worker = excluded.worker, who = excluded.who, since = now()
                RETURNING item
                """,  # noqa: S608 - our own words
                {
                    "run": self._run,
                    "worker": self._worker,
                    "who": self.who,
                    "items": list(items),
                    "work": self._work,
                    "count": count,
                },
            ).fetchall()
        taken = {item for (item,) in rows}
        return [item for item in items if item in taken]

    def done(self, outcomes: Mapping[str, str]) -> None:
        """Say what items of ours came to: nobody takes them any more in this run.

        Raises:
            CatalogUnavailable: Others have taken them over, or the server does not answer.
        """
        with self._asking() as connection:
            count = connection.execute(
                "UPDATE leases SET done_at = now(), outcome = came.outcome FROM unnest(%s::text[], %s::text[])"
                " AS came(item, outcome) WHERE run = %s AND worker = %s AND leases.item = came.item",
                [list(outcomes), list(outcomes.values()), self._run, self._worker],
            ).rowcount
            if count != len(outcomes):
                raise self._fenced()

    def retake(self, item: str, outcome: str) -> bool:
        """Take an item that another machine has done with this outcome; say whether no third one was quicker."""
        with self._asking() as connection:
            return bool(
                connection.execute(
                    "UPDATE leases SET worker = %s, who = %s, since = now(), done_at = NULL, outcome = NULL"
                    " WHERE run = %s AND item = %s AND outcome = %s",
                    [self._worker, self.who, self._run, item, outcome],
                ).rowcount
            )

    def close_run(self) -> None:
        """Let whoever begins the same work later begin a new run of it: all of this one has been taken."""
        with self._asking() as connection:
            connection.execute("UPDATE works SET closed = true WHERE run = %s AND NOT closed", [self._run])

    def states(self, items: Sequence[str]) -> dict[str, Lease]:
        """Return who has these items, or has done them in this run; those that nobody has are left out."""
        with self._asking() as connection:
            rows = connection.execute(
                f"""
                SELECT item, who, since, outcome, work FROM leases JOIN works USING (run)
                WHERE item = ANY(%s) AND work = %s
                AND CASE WHEN done_at IS NULL THEN worker IN ({_LIVE}) ELSE run = %s END
                """,  # noqa: S608 - our own words
                [list(items), self._work, self._run],
            ).fetchall()
        return {row[0]: _lease(row) for row in rows}

    def require_held(self) -> None:
        """Look whether what this machine has taken is still its own.

        Raises:
            CatalogUnavailable: It was silent for too long, or the server does not answer.
        """
        with self._asking():
            pass

    @contextmanager
    def _asking(self) -> Iterator[psycopg.Connection[Any]]:
        """Give the one session that has our leases, in a transaction that no other worker's runs beside."""
        import psycopg

        connection = self._connection
        if connection is None or connection.closed:
            raise self._fenced()
        try:
            with self.explained("written"), connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [WORKERS])
                yield connection
        except CatalogUnavailable as error:
            if isinstance(error.__cause__, psycopg.errors.UndefinedTable):
                raise UsageError(
                    f"The shared catalog at {self.where} was made before machines divided their work.",
                    subject=self.address.catalog,
                    hint="Its owner runs `ontofetch init --catalog … --objects …` once more.",
                ) from error
            if connection.closed and self._worker:
                raise self._fenced() from error
            raise

    def _fenced(self) -> CatalogUnavailable:
        return CatalogUnavailable(
            f"This machine no longer has its share of the work on the shared catalog at {self.where}: it was silent "
            "for too long, or the line to the server is lost, and others go on with it.",
            subject=self.address.catalog,
            hint="What was recorded stays. Run the same command again.",
        )


def list_leases(line: Line) -> list[Lease]:
    """Return what is being done right now, by all machines, oldest first; of a catalog from before that, nothing."""
    import psycopg

    with line.explained("read"):
        try:
            rows = line.in_use().execute(
                f"""
                SELECT item, who, since, outcome, work FROM leases JOIN works USING (run)
                WHERE done_at IS NULL AND worker IN ({_LIVE}) ORDER BY since, item
                """  # noqa: S608 - our own words
            )
        except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
            return []
        return [_lease(row) for row in rows]


def work_line(store: Store, address: Address, work: str) -> WorkLine:
    """Return the line of a store's machine to some work; it is not opened yet."""
    silence = float(str(store.settings.get("shared_silence", 20.0)))
    return WorkLine(address, work, store.operation, silence)


def _lease(row: Sequence[Any]) -> Lease:
    item, who, since, outcome, work = row
    return Lease(item, who, since.astimezone(UTC), outcome, work)

"""The one log of a shared catalog, in PostgreSQL: every boundary in its order, and where each path's bytes are.

Whoever writes holds the log alone: a lock of the server's session, so that whoever loses the connection loses the lock
and can't append any more. A machine that stands still stops beating, and the server ends its session.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from ontofetch_hookspecs.names import quote

from ...errors import CatalogBehind, CatalogLocked, CatalogUnavailable, SchemaError, UsageError
from ..connection import Store
from .address import Address
from .log_rows import insert_rows, send_value
from .packs import Place
from .places import Drop, Move, Op, Put, dump_ops, parse_ops

if TYPE_CHECKING:
    import psycopg

FORMAT = 1
_LOCK = 0x6F6E746F666574  # of PostgreSQL's advisory locks, which are each database's own
_COMMITS = 3  # tries to learn whether a COMMIT without an answer happened
_AT_ONCE = 50_000
_PAGE = 20  # boundaries that are read at once
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS ontofetch;
CREATE TABLE IF NOT EXISTS ontofetch.store (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    identity text NOT NULL,
    format integer NOT NULL,
    objects text NOT NULL,
    key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS ontofetch.boundaries (
    first_event bigint PRIMARY KEY,
    last_event bigint NOT NULL UNIQUE CHECK (last_event >= first_event),
    boundary_id text NOT NULL UNIQUE,
    type text NOT NULL,
    version_id text,
    former text NOT NULL,
    digest text NOT NULL,
    schema integer NOT NULL,
    machine text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    changes bytea NOT NULL,
    moves text NOT NULL
);
CREATE TABLE IF NOT EXISTS ontofetch.contents (
    sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size bigint NOT NULL CHECK (size >= 0),
    key text NOT NULL,
    position bigint NOT NULL CHECK (position >= 0),
    condemned_at timestamptz
);
CREATE TABLE IF NOT EXISTS ontofetch.paths (
    path text COLLATE "C" PRIMARY KEY,
    sha256 text NOT NULL REFERENCES ontofetch.contents,
    size bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    mode integer NOT NULL
);
CREATE INDEX IF NOT EXISTS paths_of_contents ON ontofetch.paths (sha256);
"""
_log = logging.getLogger("ontofetch.catalog.shared")


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log has come: its newest event, that event's digest, the newest schema that a row in it has."""

    event_id: int
    digest: str
    schema: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One boundary in the log.

    Args:
        first_event, last_event: The events that it recorded.
        boundary_id, type, version_id: Of the last of them.
        former: Digest of the event before the first.
        digest: Digest of the last event.
        schema: Number of the newest migration when it was recorded.
        changes: The rows that it changed, as `images.pack` makes them.
        moves: What it did to files, in order.
    """

    first_event: int
    last_event: int
    boundary_id: str
    type: str
    version_id: str | None
    former: str
    digest: str
    schema: int
    changes: bytes
    moves: Sequence[Op] = field(repr=False)


class Log:
    """A connection to the log.

    Args:
        address: Where it is.
        wait: Seconds to wait for whoever holds it.
        operation: What runs, as others see it who wait.
        silence: Seconds without a sign of life after which the server takes the lock away.
    """

    def __init__(self, address: Address, wait: float, operation: str = "", silence: float = 20.0) -> None:
        self.address = address
        self._wait = wait
        self._silence = silence
        self._operation = operation
        self._connection: psycopg.Connection[Any] | None = None
        self._beating = threading.Event()
        self._beat: threading.Thread | None = None

    @property
    def where(self) -> str:
        """Return what sentences call it: its address, which has no secret in it."""
        return quote(self.address.catalog)

    def open(self) -> Log:
        """Connect, and check that this is the log that was agreed on.

        Raises:
            CatalogUnavailable: The server does not answer, or lets nobody in.
            CatalogBehind: Another catalog is there, or none.
            SchemaError: A newer program made it.
        """
        import psycopg

        if self._connection is not None and not self._connection.closed:
            return self
        silence = max(int(self._silence * 1000), 1)
        with self._explained("opened"):
            self._connection = psycopg.connect(
                self.address.catalog,
                autocommit=True,
                connect_timeout=10,
                application_name=f"ontofetch {self._operation} on {socket.gethostname()} ({os.getpid()})"[:63],
                options=f"-c idle_session_timeout={silence} -c idle_in_transaction_session_timeout={silence}"
                f" -c tcp_user_timeout={silence} -c tcp_keepalives_idle={max(silence // 2000, 1)}"
                # a machine that is asleep, or cut off, while the server waits for the rest of what it said
                f" -c tcp_keepalives_interval={max(silence // 6000, 1)} -c tcp_keepalives_count=3"
                f" -c lock_timeout={max(int(self._wait * 1000), 1)}"
                " -c client_encoding=UTF8 -c search_path=ontofetch",
                # the server's time-outs count nothing while the network swallows what is sent
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=2,
            )
            self._check(self._connection)
        return self

    def _check(self, connection: psycopg.Connection[Any]) -> None:
        import psycopg

        try:
            found = connection.execute("SELECT identity, format FROM ontofetch.store").fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            found = None
        if found is None or found[0] != self.address.identity:
            what = "There is no shared catalog" if found is None else "Another shared catalog is"
            raise CatalogBehind(
                f"{what} at {self.where}, although this store is a copy of one there.",
                subject=self.address.catalog,
                hint="Bring the database back from its backup; `ontofetch db move --to local` makes the store one of "
                "its own.",
            )
        if found[1] > FORMAT:
            raise SchemaError(
                f"The shared catalog at {self.where} was made by a newer ontofetch-catalog.",
                subject=self.address.catalog,
                hint="Upgrade with `pip install -U ontofetch-catalog`.",
            )

    def close(self) -> None:
        """Give the lock back, if it is held, and disconnect."""
        import psycopg

        self._stop_beating()
        if self._connection is not None:
            with suppress(psycopg.Error, OSError):
                self._connection.close()
            self._connection = None

    def _in_use(self) -> psycopg.Connection[Any]:
        self.open()
        if self._connection is None:
            raise RuntimeError("the log is not open")
        return self._connection

    @contextmanager
    def opened(self) -> Iterator[Log]:
        """Keep the session of the server alive until the end of a `with`; `hold` holds the log alone in it.

        Raises:
            CatalogUnavailable, CatalogBehind, SchemaError: As `open` does.
        """
        self.open()
        self._beating.clear()
        self._beat = threading.Thread(target=self._keep_beating, name="ontofetch-beat", daemon=True)
        self._beat.start()
        try:
            yield self
        finally:
            self.close()

    def hold(self) -> None:
        """Hold the log alone, until it is closed.

        Raises:
            CatalogLocked: Somebody else holds it and does not let go in time; it is named.
            CatalogUnavailable: The server does not answer.
        """
        self._lock()

    @contextmanager
    def held(self) -> Iterator[Log]:
        """Hold the log alone until the end of a `with`; raises what `opened` and `hold` do."""
        with self.opened():
            self.hold()
            yield self

    def _lock(self) -> None:
        import psycopg

        with self._explained("locked"):
            try:
                self._in_use().execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            except psycopg.errors.LockNotAvailable as error:
                raise CatalogLocked(
                    f"The shared catalog at {self.where} is held by {quote(self.holder() or 'somebody else')}.",
                    subject=self.address.catalog,
                    hint="Try again, or wait longer with --wait SECONDS.",
                ) from error

    def _keep_beating(self) -> None:
        import psycopg

        while not self._beating.wait(self._silence / 4):
            connection = self._connection
            try:
                if connection is not None and connection.info.transaction_status == 0:
                    connection.execute("SELECT 1")
            except psycopg.Error:
                # whoever appends next learns that the lock is gone
                return

    def _stop_beating(self) -> None:
        self._beating.set()
        if self._beat is not None and self._beat is not threading.current_thread():
            self._beat.join(self._silence)
        self._beat = None

    def head(self) -> Head:
        """Return how far the log has come."""
        with self._explained("read"):
            found = (
                self._in_use()
                .execute("SELECT last_event, digest, schema FROM boundaries ORDER BY first_event DESC LIMIT 1")
                .fetchone()
            )
        return Head(*found) if found else Head(0, "0" * 64, 0)

    def digest_at(self, event_id: int) -> str | None:
        """Return the digest of the event that ended a boundary; None if none ended there."""
        with self._explained("read"):
            found = self._in_use().execute("SELECT digest FROM boundaries WHERE last_event = %s", [event_id]).fetchone()
        return str(found[0]) if found else None

    def records(self, after: int, until: int) -> Iterator[Record]:
        """Yield the boundaries after an event up to another, in order; no transaction is open between two of them."""
        names = ("first_event", "last_event", "boundary_id", "type", "version_id", "former", "digest", "schema")
        while after < until:
            with self._explained("read"):
                rows = (
                    self._in_use()
                    .execute(
                        f"SELECT {', '.join(names)}, changes, moves FROM boundaries"  # noqa: S608 - our own names
                        " WHERE first_event > %s AND last_event <= %s ORDER BY first_event LIMIT %s",
                        [after, until, _PAGE],
                    )
                    .fetchall()
                )
            if not rows:
                return
            for *fields, changes, moves in rows:
                record = Record(**dict(zip(names, fields, strict=True)), changes=bytes(changes), moves=parse_ops(moves))
                after = record.last_event
                yield record

    def places(self, contents: Sequence[str]) -> dict[str, Place]:
        """Return where contents are, by their sha256; those that are nowhere, or condemned, are left out."""
        found: dict[str, Place] = {}
        with self._explained("read"):
            for start in range(0, len(contents), _AT_ONCE):
                rows = self._in_use().execute(
                    "SELECT sha256, size, key, position FROM contents WHERE sha256 = ANY(%s) AND condemned_at IS NULL",
                    [list(contents[start : start + _AT_ONCE])],
                )
                found |= {row[0]: Place(*row) for row in rows}
        return found

    def all_paths(self) -> list[Put]:
        """Return every path of the store with its content, sorted."""
        with self._explained("read"):
            rows = self._in_use().execute("SELECT path, sha256, size, mtime_ns, mode FROM paths ORDER BY path")
            return [Put(*row) for row in rows]

    def has_below(self, folder: str) -> bool:
        """Say whether a path lies below a folder."""
        with self._explained("read"):
            found = self._in_use().execute("SELECT 1 FROM paths WHERE starts_with(path, %s) LIMIT 1", [folder + "/"])
            return found.fetchone() is not None

    def append(self, record: Record, new: Sequence[Place]) -> None:
        """Append one boundary, with what it does to paths and the contents that it brings; all or nothing.

        Raises:
            CatalogUnavailable: The server refused, or the lock is lost: nothing was appended; or it is not known
                whether it was, which the next start finds out.
        """
        import psycopg

        connection = self._in_use()
        try:
            with self._explained("written"), connection.transaction():
                self._write(connection, record, new)
        except CatalogUnavailable as error:
            if not isinstance(error.__cause__, psycopg.OperationalError):
                raise
            if not self._happened(record.boundary_id):
                raise
            _log.warning("the answer of %s was lost; boundary %s is in its log", self.where, record.boundary_id)

    def _write(self, connection: psycopg.Connection[Any], record: Record, new: Sequence[Place]) -> None:
        head = connection.execute(
            "SELECT last_event, digest FROM boundaries ORDER BY first_event DESC LIMIT 1"
        ).fetchone() or (0, "0" * 64)
        if not self._is_mine(connection):
            raise self._fenced()
        if head != (record.first_event - 1, record.former):
            raise self._fenced()
        if new:
            with connection.cursor() as cursor:
                cursor.execute("CREATE TEMP TABLE coming (LIKE contents) ON COMMIT DROP")
                columns = {"sha256": "text", "size": "bigint", "key": "text", "position": "bigint"}
                insert_rows(cursor, "coming", columns, {place.sha256: place for place in new}.values())
                # a content that was condemned is never used again where it was: it has a new place now
                cursor.execute(
                    "INSERT INTO contents SELECT * FROM coming ON CONFLICT (sha256) DO UPDATE SET key = excluded.key,"
                    " position = excluded.position, condemned_at = NULL"
                )
        for op in _grouped(record.moves):
            _apply(connection, op)
        with connection.cursor() as cursor:
            changes = send_value(cursor, "changing", record.changes)
            moves = send_value(cursor, "moving", dump_ops(record.moves))
        names = "first_event, last_event, boundary_id, type, version_id, former, digest, schema, machine"
        given = f"{', '.join(['%s'] * 9)}, {changes.sql}, {moves.sql}"
        connection.execute(
            f"INSERT INTO boundaries ({names}, changes, moves) VALUES ({given})".encode(),  # noqa: S608 - our own names
            [
                record.first_event,
                record.last_event,
                record.boundary_id,
                record.type,
                record.version_id,
                record.former,
                record.digest,
                record.schema,
                socket.gethostname(),
                *changes.values,
                *moves.values,
            ],
        )

    def _is_mine(self, connection: psycopg.Connection[Any]) -> bool:
        """Say whether this very session of the server holds the log."""
        return (
            connection.execute(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted"
                " AND classid = %s AND objid = %s",
                [_LOCK >> 32, _LOCK & 0xFFFFFFFF],
            ).fetchone()
            is not None
        )

    def _fenced(self) -> CatalogUnavailable:
        return CatalogUnavailable(
            f"This machine no longer holds the shared catalog at {self.where}: it was silent for too long, and "
            "others may have written.",
            subject=self.address.catalog,
            hint="Nothing was changed. Run the same command again.",
        )

    def _happened(self, boundary_id: str) -> bool:
        """Find out whether a COMMIT whose answer was lost happened: who gets the lock anew knows that it is over."""
        for left in reversed(range(_COMMITS)):
            try:
                self.close()
                self._lock()
                found = self._in_use().execute("SELECT 1 FROM boundaries WHERE boundary_id = %s", [boundary_id])
                return found.fetchone() is not None
            except (CatalogUnavailable, CatalogLocked):
                if not left:
                    raise CatalogUnavailable(
                        f"Whether boundary {boundary_id} is in the shared catalog at {self.where} is not known: the "
                        "server stopped answering.",
                        subject=self.address.catalog,
                        hint="The next command that reaches it finds out. Run the same command again then.",
                    ) from None
        return False

    def sweep(self, grace_seconds: float, *, dry_run: bool = False) -> tuple[int, list[str]]:
        """Condemn contents that no path has, and forget those condemned for long enough; all or nothing.

        Args:
            grace_seconds: How long a condemned content is kept, by the server's clock.
            dry_run: Find out what would happen, and let nothing of it happen.

        Returns:
            How many were condemned, and the keys of the objects that nothing names any more: their rows are gone for
            good, so they may be deleted whenever that succeeds.

        Raises:
            CatalogUnavailable: The lock is lost, or the server does not answer.
        """
        import psycopg

        connection = self._in_use()
        with self._explained("swept"), connection.transaction():
            if not self._is_mine(connection):
                raise self._fenced()
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

    def unknown(self, keys: Iterable[str]) -> list[str]:
        """Return those of the keys under which no content is: objects of boundaries that never happened."""
        with self._explained("swept"), self._in_use().transaction(), self._in_use().cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE listed (key text) ON COMMIT DROP")
            insert_rows(cursor, "listed", {"key": "text"}, ((key,) for key in keys))
            cursor.execute(
                "SELECT key FROM listed WHERE NOT EXISTS (SELECT 1 FROM contents WHERE contents.key = listed.key)"
            )
            return [key for (key,) in cursor.fetchall()]

    def now(self) -> datetime:
        """Return the server's time, UTC: the one clock that all machines have in common."""
        with self._explained("read"):
            found = self._in_use().execute("SELECT now()").fetchone()
        return cast(datetime, found[0] if found else None).astimezone(UTC)

    def holder(self) -> str:
        """Return who holds the log, as `application_name` names it; empty where nobody does."""
        with self._explained("read"):
            found = (
                self._in_use()
                .execute(
                    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
                    " WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s"
                    " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                    [_LOCK >> 32, _LOCK & 0xFFFFFFFF],
                )
                .fetchone()
            )
        return (found[0] or "somebody else") if found else ""

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.errors.InsufficientPrivilege as error:
            raise UsageError(
                f"The shared catalog at {self.where} may not be {what} by this user of the server.",
                subject=self.address.catalog,
                hint="docs/shared.md tells which rights readers, writers and keepers have.",
            ) from error
        except psycopg.Error as error:
            raise CatalogUnavailable(
                f"The shared catalog at {self.where} can't be {what}: {_reason(error)}.",
                subject=self.address.catalog,
                hint="Nothing was changed; what is staged is kept. Run the same command again when the server answers.",
            ) from error


def log_of(store: Store, address: Address) -> Log:
    """Return the log at an address with the settings of a store; it is not opened yet."""
    return Log(address, store.wait, store.operation, float(str(store.settings.get("shared_silence", 20.0))))


def create(address: Address, key: bytes) -> tuple[str, bytes]:
    """Make the tables of a shared catalog where they are missing; return identity and key of the one that is there.

    Args:
        address: Where; its identity is that of a new one.
        key: By which the plans of a new one prove to be its own.

    Raises:
        CatalogUnavailable, UsageError: As `Log` does.
        UsageError: Its objects are elsewhere.
    """
    log = Log(address, 60.0, "init")
    import psycopg

    with log._explained("made"), psycopg.connect(address.catalog, connect_timeout=10) as connection:
        if not _is_made(connection):
            # two machines may be the first
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            connection.execute(_SCHEMA)
            connection.execute(
                "INSERT INTO ontofetch.store (identity, format, objects, key) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                [address.identity, FORMAT, address.objects, key],
            )
        found = connection.execute("SELECT identity, objects, key FROM ontofetch.store").fetchone()
    if found is None or found[1] != address.objects:
        raise UsageError(
            f"The shared catalog at {log.where} keeps its bytes at {quote(found[1] if found else '')}.",
            subject="--objects",
            hint="Name that one with --objects.",
        )
    return str(found[0]), bytes(found[2])


def _is_made(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute("SELECT to_regclass('ontofetch.paths_of_contents') IS NOT NULL").fetchone()
    return found is not None and bool(found[0]) and connection.execute("TABLE ontofetch.store").fetchone() is not None


def _grouped(ops: Sequence[Op]) -> Iterator[list[Put] | Move | Drop]:
    """Yield what is done to paths in order, neighbouring files together."""
    puts: list[Put] = []
    for op in ops:
        if isinstance(op, Put):
            puts.append(op)
            continue
        if puts:
            yield puts
            puts = []
        yield op
    if puts:
        yield puts


def _apply(connection: psycopg.Connection[Any], op: list[Put] | Move | Drop) -> None:
    """Do to the table of paths what an operation does to files."""
    if isinstance(op, Move):
        connection.execute(
            "UPDATE paths SET path = %(target)s || substr(path, length(%(source)s) + 1)"
            " WHERE path = %(source)s OR starts_with(path, %(source)s || '/')",
            {"source": op.source, "target": op.target},
        )
    elif isinstance(op, Drop):
        connection.execute(
            "DELETE FROM paths WHERE path = %(path)s OR starts_with(path, %(path)s || '/')", {"path": op.path}
        )
    else:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE IF NOT EXISTS putting (LIKE paths) ON COMMIT DROP")
            cursor.execute("TRUNCATE putting")
            columns = {"path": "text", "sha256": "text", "size": "bigint", "mtime_ns": "bigint", "mode": "integer"}
            rows = ((put.path, put.sha256, put.size, put.mtime_ns, put.mode) for put in op)
            insert_rows(cursor, "putting", columns, rows)
            cursor.execute(
                "INSERT INTO paths SELECT * FROM putting ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256,"
                " size = excluded.size, mtime_ns = excluded.mtime_ns, mode = excluded.mode"
            )


def _reason(error: Exception) -> str:
    """Return what a driver says, in one line, without what it was asked."""
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return quote(first.rstrip(".")[:300])

"""A catalog that is open for writing: what is recorded in it is committed, durable, and told to other machines."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.store_paths import StorePath

from .. import fsops, journal, recovery
from ..connection import Store, open_connection
from ..generation import write_generation
from ..repo import definitions, events, images

if TYPE_CHECKING:
    import duckdb

    from ..bringing import Brought
    from ..kept import Hold
    from ..shared.log import Log
    from ..shared.packs import Place
    from ..shared.places import Op
    from ..shared.replica import Copy

    Moves = tuple[Sequence[Op], Sequence[Place]]

_log = logging.getLogger("ontofetch.catalog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """How a catalog is entered for writing, as `writing` is asked for it."""

    migrate: bool = True
    trust_record: bool = True
    alone: bool = True
    brings: tuple[Brought, ...] = ()
    log: Log | None = None
    asks: bool = False  # nothing is made, migrated or mended: what is not as it should be is refused


class LogEntry:
    """The entry of a database's log in its folder, which need not be made durable again for each COMMIT.

    A log only grows until it is moved into the database file; then it is removed, or another file takes its place.
    """

    def __init__(self) -> None:
        self._durable = (0, 0)  # inode and size of the log when its entry was made durable last

    def sync(self, database: StorePath) -> None:
        """Make the entry durable, unless it is known to be."""
        before, self._durable = self._durable, (0, 0)
        with suppress(FileNotFoundError):
            state = database.with_name(f"{database.name}.wal").lstat()
            found = state.st_ino, state.st_size
            if found[0] != before[0] or found[1] <= before[1]:
                fsops.sync_folder(database.parent)
            self._durable = found
            return
        fsops.sync_folder(database.parent)


@dataclass(slots=True)
class Session:
    """A catalog open for writing.

    Args:
        connection: The connection; None once it was closed after a failed COMMIT.
        recovered: What recovery ended on the way in; whoever writes tells the observers.
        migrated: Names of the migrations applied on the way in.
        swapped: The restore or rebuild that was interrupted and is finished now, as `swap.finish` names it.
        beside: A connection that was kept open, of which this one is a further one; None if there is none.
        copy: What ties it to a shared catalog; None for a store of its own.
        entry: That of the database's log, as far as it is known since the catalog was opened.
        hold: The turn that it is inside of.
        stays: Says whether the catalog is about to be kept open when the session ends.
    """

    store: Store
    connection: duckdb.DuckDBPyConnection
    recovered: list[recovery.Recovered] = field(default_factory=list)
    migrated: list[str] = field(default_factory=list)
    swapped: str = ""
    beside: duckdb.DuckDBPyConnection | None = None
    copy: Copy | None = None
    entry: LogEntry = field(default_factory=LogEntry)
    hold: Hold | None = None
    stays: Callable[[], bool] = lambda: False

    def told_before(self, intent: journal.Intent, in_place: Sequence[str] = ()) -> Moves:
        """Put what an intent brings, which is not published yet, where other machines find it; return what it moves.

        Args:
            intent: What is about to be published.
            in_place: What lies in its place already, and is new to other machines.
        """
        return ((), ()) if self.copy is None else self.copy.going.moves_of(intent, in_place)

    def tell(self, newest: events.Newest, moves: Moves = ((), ()), *, rows: bool = True, release: str = "") -> None:
        """Tell other machines, if there are some, what the open transaction has recorded: from then on it happened.

        Args:
            newest: The event that it has recorded last.
            moves: As `told_before` returned them.
            rows: Whether anything but events was recorded.
            release: Where nothing else can have changed, see `images.states_of`.

        Raises:
            CatalogUnavailable: They don't know it, or it is not known whether they do.
        """
        if self.copy is None:
            return
        if not rows:
            self.copy.push(self.connection, newest, {}, moves)
            return
        changed = self._changed(fsops.changed_tables(self.connection), release)
        self.copy.push(self.connection, newest, changed, moves)

    def _changed(self, tables: frozenset[str] | None, release: str) -> dict[str, list[str]]:
        """Return for each table what the rows belong to that the open transaction has changed, or may have."""
        known = {} if tables is None else images.keys_of(tables, release)
        left = [table for table in images.KEYS if table not in known and (tables is None or table in tables)]
        if not left:
            return known
        now = images.states_of(self.connection, left, release)
        with closing((self.beside or self.connection).cursor()) as beside:
            before = images.states_of(beside, left, release)
        return known | images.changed_keys(now, before)

    def let_others(self) -> None:
        """Let other machines write: what this session has told was the last, unless it is about to be kept open."""
        if self.copy is not None and not self.stays():
            self.copy.log.let_go()

    def commit_event(self, row: events.EventRow) -> tuple[int, str]:
        """Record one event in a transaction of its own, with the generation record after it."""
        fsops.begin(self.connection)
        try:
            found = events.add_event(self.connection, row)
            self.tell((*found, row), rows=False)
        except BaseException:
            fsops.rollback(self.connection)
            raise
        self.commit(*found)
        return found

    def commit(self, event_id: int, digest: str) -> None:
        """COMMIT what is open, make the database's folder durable, and write the generation record."""
        fsops.commit(self.connection)
        self.after_commit(event_id, digest)

    def after_commit(self, event_id: int, digest: str) -> None:
        """Make the database's folder durable, which DuckDB never does, and write the generation record.

        Raises:
            OSError: The folder can't be made durable: the entry of the log, and what was committed, may still be lost.
        """
        self.entry.sync(self.store.database)
        try:
            write_generation(self.store, event_id, digest)
        except OSError as error:
            # a record that is behind the catalog is fine, the next commit writes it anew
            _log.warning("the generation record of %s could not be written: %s", self.store.root, error)

    def reopen(self) -> None:
        """Close the connection, whatever state it is in, and open the database again."""
        import duckdb

        try:
            fsops.close_database(self.connection)
        except (OSError, duckdb.Error) as error:
            _log.warning("the broken connection to %s could not be closed: %s", self.store.database, error)
        if self.beside is not None:
            self.beside.close()
            self.beside = None
        self.connection = reopened(self.store)


def reopened(store: Store) -> duckdb.DuckDBPyConnection:
    """Open a database for writing once more, by whoever writes alone and has closed it in between."""
    connection = open_connection(store, read_only=False)
    definitions.use_own_functions(connection)
    return connection


def utc_now() -> datetime:
    """Return the time, UTC without zone, as the catalog stores it."""
    return datetime.now(UTC).replace(tzinfo=None)


def new_boundary_id() -> str:
    """Return a new name for a boundary: 32 hex digits."""
    return os.urandom(16).hex()


def event_of(
    store: Store,
    kind: str,
    payload: Mapping[str, Any],
    *,
    ts: datetime | None = None,
    level: str = "info",
    version_id: str | None = None,
) -> events.EventRow:
    """Return an event of what runs in a store, which no boundary tells of; now, unless it says when."""
    return events.EventRow(
        boundary_id=new_boundary_id(),
        run_id=store.run_id,
        config_hash=store.config_hash,
        ts=ts or utc_now(),
        type=kind,
        level=level,
        version_id=version_id,
        payload=payload,
    )


def close(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Close a connection for writing; what is committed stays so if that fails."""
    import duckdb

    try:
        fsops.close_database(connection)
    except (OSError, duckdb.Error) as error:
        _log.warning("the catalog %s could not be closed cleanly: %s", store.database, error)

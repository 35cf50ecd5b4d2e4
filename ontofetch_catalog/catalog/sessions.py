"""How the catalog is entered: the gate, the file, its generation record, its schema, what dead processes left.

A session ends with the database closed and the gate open, but where the next one of the same run follows at once: then
both are kept until somebody else waits. What is done inside is not known here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import BACKUPS, CATALOG, RESTORING, SWAP
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath
from ontofetch_hookspecs.together import recording

from ..errors import CatalogMissing, CatalogUnavailable, CatalogUnwritable
from . import answers, fsops, journal, swap
from .connection import Store, open_connection
from .failures import explaining
from .generation import check_generation, read_generation, require_database, write_generation
from .kept import Wanted
from .locks import Gate, gate_of
from .migrations import (
    Migration,
    apply_migrations,
    available_migrations,
    pending_migrations,
    require_current_schema,
)
from .repo import definitions, events, images, row_checks
from .shared.address import read_address

if TYPE_CHECKING:
    import duckdb

    from .shared.packs import Place
    from .shared.places import Op
    from .shared.replica import Copy

    Moves = tuple[Sequence[Op], Sequence[Place]]

CHECKPOINT_BYTES = 1 << 17  # a log beyond this is moved into the database file at the end of a boundary
_log = logging.getLogger("ontofetch.catalog")
_checked: dict[Path, tuple[tuple[int, int, int], ...]] = {}  # root → state of the files whose rows were checked last


@dataclass(slots=True)
class Session:
    """A catalog open for writing.

    Args:
        store: Which one.
        connection: The connection; None once it was closed after a failed COMMIT.
        recovered: What recovery ended on the way in; whoever writes tells the observers.
        migrated: Names of the migrations applied on the way in.
        swapped: The restore or rebuild that was interrupted and is finished now, as `swap.finish` names it.
        answers: What the host is about to ask, for `answers.keep` once the boundary has ended.
        beside: A connection that was kept open, of which this one is a further one; None if there is none.
        copy: What ties it to a shared catalog; None for a store of its own.
    """

    store: Store
    connection: duckdb.DuckDBPyConnection
    recovered: list[journal.Recovered] = field(default_factory=list)
    migrated: list[str] = field(default_factory=list)
    swapped: str = ""
    answers: answers.Answers | None = None
    beside: duckdb.DuckDBPyConnection | None = None
    copy: Copy | None = None

    def told_before(self, intent: journal.Intent) -> Moves:
        """Put what an intent brings, which is not published yet, where other machines find it; return what it moves."""
        return ((), ()) if self.copy is None else self.copy.moves_of(intent)

    def tell(self, moves: Moves = ((), ()), *, rows: bool = True, release: str = "") -> None:
        """Tell other machines, if there are some, what the open transaction has recorded: from then on it happened.

        Args:
            moves: As `told_before` returned them.
            rows: Whether anything but events was recorded.
            release: Where nothing else can have changed, see `images.changed_keys`.

        Raises:
            CatalogUnavailable: They don't know it, or it is not known whether they do.
        """
        if self.copy is None:
            return
        changed: dict[str, list[str]] = {}
        if rows:
            before = self.connection.cursor()
            try:
                changed = images.changed_keys(self.connection, before, release)
            finally:
                before.close()
        self.copy.push(self.connection, changed, moves)

    def commit_event(self, row: events.EventRow) -> tuple[int, str]:
        """Record one event in a transaction of its own, with the generation record after it."""
        fsops.begin(self.connection)
        try:
            found = events.add_event(self.connection, row)
            self.tell(rows=False)
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
        fsops.sync_folder(self.store.database.parent)
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


def make_store(store: Store) -> None:
    """Make the root and the catalog's own folder where they are missing.

    Raises:
        OSError: The disk refuses, or something else is in the way.
    """
    fsops.make_root(store.path(""), int(str(store.settings.get("store_mode", "700")), 8))
    fsops.make_folders(store.path(CATALOG))


@contextmanager
def reading(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalog for reading, together with other readers; close it at the end. Never writes.

    Raises:
        CatalogMissing: There is none.
        CatalogLocked, CatalogUnreadable, CatalogUnavailable, CatalogBehind, SchemaError: As their names say.
    """
    with _explained(store):
        refresh(store)
        is_there = require_database(store)
    if not is_there:
        raise CatalogMissing(
            f"There is no catalog below {store.root} yet.",
            subject=str(store.root),
            hint="The first `ontofetch pull` makes one; --root names another store.",
        )
    with ExitStack() as entered:
        with _explained(store):
            connection = entered.enter_context(_reader(store))
        with _explained(store, system=False):
            yield store.watched(connection)


@contextmanager
def _reader(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    with gate_of(store.root).shared(store.wait):
        swap.refuse_open(store)
        require_database(store)
        if journal.open_intents(store):
            _log.warning(
                "a boundary is open below %s; `ontofetch db recover` ends what a dead process left", store.root
            )
        connection = open_connection(store, read_only=True)
        try:
            definitions.use_own_functions(connection)
            require_current_schema(connection)
            check_generation(store, connection)
            _check_contents(store, connection)
            fsops.lock_settings(connection)
            yield connection
        finally:
            connection.close()


def _explained(store: Store, *, system: bool = True) -> AbstractContextManager[None]:
    """Turn what keeps a reader from reading into a sentence; errors of the system may be about what else it does."""
    what = f"The catalog {store.database} can't be read{store.purpose}"
    return explaining(what, database=store.database, kind=CatalogUnavailable, system=system)


@contextmanager
def inspecting(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that is there for reading, whatever state it is in: neither record nor schema is looked at.

    Raises:
        CatalogLocked, CatalogUnreadable, CatalogUnavailable: As their names say.
    """
    with ExitStack() as entered:
        with _explained(store):
            connection = entered.enter_context(_inspector(store))
        with _explained(store, system=False):
            yield store.watched(connection)


@contextmanager
def _inspector(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    with gate_of(store.root).shared(store.wait):
        connection = open_connection(store, read_only=True)
        try:
            definitions.use_own_functions(connection)
            fsops.lock_settings(connection)
            yield connection
        finally:
            connection.close()


@contextmanager
def writing(
    store: Store,
    *,
    migrate: bool = True,
    trust_record: bool = True,
    alone: bool = True,
    brings: Iterable[StorePath] = (),
) -> Iterator[Session]:
    """Open the catalog for writing, alone: make it where there is none, check it, migrate it, recover; close it.

    Args:
        store: Which one.
        migrate: Whether pending migrations are applied.
        trust_record: Whether the generation record is looked at; doctor's fix of the record itself does not.
        alone: Whether the log of a shared catalog is held, by which others wait; without, nothing can be recorded.
        brings: Staged files and folders that are about to be published: what is large of a shared catalog's work is
            done with them before others wait.

    Raises:
        CatalogLocked, CatalogUnreadable, CatalogUnavailable, CatalogBehind, CatalogUnwritable, SchemaError,
        RecoveryFailed: As their names say; what the system and DuckDB refuse inside becomes one of them.
    """
    with explaining(
        f"The catalog below {store.root} can't be written{store.purpose}",
        database=store.database,
        kind=CatalogUnwritable,
        subject=str(store.root),
    ):
        make_store(store)
        entering = _Entering(migrate=migrate, trust_record=trust_record, alone=alone, brings=tuple(brings))
        with _entered(store, entering) as session:
            yield session
            _checkpoint_if_due(session)
            _sweep_stages(store)


def has_open(store: Store) -> bool:
    """Say whether a dead process may have left something open that a writer ends on the way in; never writes."""
    beside = (store.path(SWAP), store.path(RESTORING))
    left = (name for name in store.intents.names() if not name.endswith(journal.UNREADABLE))
    return any(path.exists() for path in beside) or any(left)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entering:
    migrate: bool = True
    trust_record: bool = True
    alone: bool = True
    brings: tuple[StorePath, ...] = ()


@contextmanager
def asking(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalog for a question of the host: from what is kept open between two boundaries, else as `reading`.

    Whatever is asked here is ours, for what is kept open could write.
    """
    with gate_of(store.root).kept(store.wait, _fits(store)) as hold, ExitStack() as entered:
        if hold is not None:
            connection = entered.enter_context(closing(hold.what.connection.cursor()))
            definitions.use_own_functions(connection, hold.what.database)
            with _explained(store, system=False):
                yield store.watched(connection)
            return
    with ExitStack() as entered:
        if gate_of(store.root).is_keeping and read_address(store) is None:
            # the next question, or boundary, of the run finds it open
            with _explained(store):
                session = entered.enter_context(_entered(store, _Entering()))
            connection = session.connection
        else:
            connection = entered.enter_context(reading(store))
        yield connection


@dataclass(frozen=True, slots=True)
class _Open:
    """What is kept open between two boundaries: a connection that nobody uses but for others beside it."""

    connection: duckdb.DuckDBPyConnection
    settings: Mapping[str, object]
    database: str = ""


def _fits(store: Store) -> Wanted:
    return lambda what: isinstance(what, _Open) and what.settings == store.settings


@contextmanager
def _entered(store: Store, entering: _Entering) -> Iterator[Session]:
    gate, together = gate_of(store.root), recording()
    # what other machines may change is not kept open
    usual = read_address(store) is None and entering.migrate and entering.trust_record
    keeps = usual and (together is not None or gate.is_keeping)
    with gate.exclusive(store.wait, wanted=_fits(store) if keeps else None) as hold, _copy_of(store) as copy:
        kept: _Open | None = hold.take()
        # of what was kept open nobody else has been inside: it is as this process has left it
        session = (
            Session(store, kept.connection.cursor(), beside=kept.connection) if kept else _enter(store, copy, entering)
        )
        opened = kept or _Open(session.connection, store.settings)
        sound = False
        try:
            # from here on no table is made any more
            name = definitions.use_own_functions(session.connection, opened.database)
            sound = kept is not None or _check_contents(store, session.connection)
            if copy is None:
                session.recovered = journal.recover(store, session.connection)
            _record_recovery(session)
            used = session.connection = store.watched(session.connection)
            yield session
            if together is not None:
                together.enter_once(("gate", store.root), lambda: _letting_go(gate))
            if keeps and sound and session.connection is used and store.watch is None:
                hold.keep(replace(opened, database=name), lambda: _close(opened.connection, store))
        finally:
            if not hold.stays:
                _close(session.connection, store)
                if kept:
                    _close(kept.connection, store)
            elif session.connection is not opened.connection:
                session.connection.close()
        # nobody else can have written yet: the gate is still closed
        _note_state(session, sound=sound)


@contextmanager
def _copy_of(store: Store) -> Iterator[Copy | None]:
    """Open the log of a shared catalog; None where the store is one of its own."""
    address = read_address(store)
    if address is None:
        yield None
        return
    from .shared.log import log_of
    from .shared.objects import objects_options, open_objects
    from .shared.replica import Copy

    objects = open_objects(address.objects, options=objects_options())
    with log_of(store, address).opened() as log:
        yield Copy(store, log, objects)


def _catch_up(session: Session, copy: Copy, entering: _Entering) -> None:
    """Undo what a dead process had begun here, and take in what the log knows: it alone says what happened."""
    store, connection = session.store, session.connection
    begun = journal.recover(store, connection)
    # what may take long, first: nobody has to wait for it
    came = copy.catch_up(connection)
    copy.put_early(entering.brings)
    if entering.alone or begun or events.last_event(connection)[0] == 0:
        copy.log.hold()
        came += copy.catch_up(connection)
    if came:
        write_generation(store, *events.last_event(connection))
    session.recovered = [
        journal.Recovered(ended.boundary_id, events.find_boundary(connection, ended.boundary_id))
        for ended in begun
        if not ended.boundary_id.startswith("copy-")
    ]
    if events.last_event(connection)[0] == 0:
        session.commit_event(_migrate_event(store, [one.name for one in available_migrations()], utc_now()))


def refresh(store: Store) -> None:
    """Take in what other machines have recorded, if the store is a copy of a shared catalog; else do nothing.

    Where the server does not answer, what is here is still true of its time, and it is said of which.
    """
    address = read_address(store)
    if address is None:
        return
    from .shared.log import log_of

    log = log_of(store, address)
    known = read_generation(store)
    try:
        head = log.open().head()
    except CatalogUnavailable as error:
        if known is None:
            raise
        _log.warning("%s What is shown is as of event %s.", error.message, f"{known.events:,}")
        return
    finally:
        log.close()
    if known is None or (known.events, known.digest) != (head.event_id, head.digest):
        with writing(store, migrate=False, alone=False):
            pass


def _enter(store: Store, copy: Copy | None, entering: _Entering) -> Session:
    swapped = swap.finish(store)
    if not require_database(store):
        _create(store, with_event=copy is None)
    session = Session(store, open_connection(store, read_only=False), swapped=swapped, copy=copy)
    try:
        if entering.trust_record and check_generation(store, session.connection):
            write_generation(store, *events.last_event(session.connection))
        if copy is not None:
            _catch_up(session, copy, entering)
        if entering.migrate:
            _migrate(session)
    except BaseException:
        _close(session.connection, store)
        raise
    return session


@contextmanager
def _letting_go(gate: Gate) -> Iterator[None]:
    gate.is_keeping = True
    try:
        yield
    finally:
        gate.is_keeping = False
        gate.let_go()


def _note_state(session: Session, *, sound: bool) -> None:
    """Note in which state a session has left the database: until somebody else writes, what is known of it holds."""
    root = session.store.root
    try:
        answers.keep(root, state_of(session.store), session.answers)
        if sound:
            _checked[root] = _fingerprint(session.store)
    except OSError:
        # then the host's questions are answered from the catalog, and its rows are checked anew
        answers.keep(root, (), None)


def state_of(store: Store) -> answers.State:
    """Return what tells that nobody has written since: the database's file, its log, and the record of generations."""
    found = list(_fingerprint(store))
    with suppress(FileNotFoundError):
        state = store.generation.lstat()
        # every commit makes it anew
        found.append((state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(found)


def _check_contents(store: Store, connection: duckdb.DuckDBPyConnection) -> bool:
    """Use our own views, and refuse rows that break a rule; a database that is as this process left it was checked.

    Returns:
        Whether the views in the catalog are ours.

    Raises:
        CatalogUnreadable: There is such a row.
    """
    files = _fingerprint(store)
    if _checked.get(store.root) == files:
        return True
    differing = definitions.use_own_views(connection)
    row_checks.refuse_invalid(connection, "versions")
    row_checks.refuse_invalid_times(connection)
    if not differing:
        _checked[store.root] = files
    for name in differing:
        _log.warning(
            "the view %s in the catalog below %s is not this program's: ours is used; `ontofetch db doctor` says more",
            quote(name),
            store.root,
        )
    return not differing


def _fingerprint(store: Store) -> tuple[tuple[int, int, int], ...]:
    """Return inode, size and time of the database's file and of its log, as far as they are there."""
    found = []
    for path in (store.database, store.database.with_name(f"{store.database.name}.wal")):
        with suppress(FileNotFoundError):
            state = path.lstat()
            found.append((state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(found)


def pending(store: Store) -> tuple[Migration, ...]:
    """Return the migrations that the next writing command would apply; never writes."""
    if not require_database(store):
        return available_migrations()
    with _explained(store), gate_of(store.root).shared(store.wait):
        swap.refuse_open(store)
        connection = open_connection(store, read_only=True)
        try:
            return pending_migrations(connection)
        finally:
            connection.close()


def build(
    store: Store,
    path: StorePath,
    fill: Callable[[duckdb.DuckDBPyConnection], events.EventRow] | None = None,
    *,
    with_event: bool = True,
) -> tuple[int, str]:
    """Make a whole database with the current schema in a new file and return its last event's number and digest.

    Args:
        store: The store it will belong to.
        path: Where to make it; nothing is there, and its folder is.
        fill: Adds rows in the one transaction, and returns the event that tells of them.
        with_event: Whether an event tells of the schema; the copy of a shared catalog has the events of others.
    """
    connection = open_connection(store, read_only=False, path=path)
    try:
        fsops.begin(connection)
        names = _apply(connection, available_migrations(), now := utc_now())
        last = (0, events.CHAIN_START)
        if with_event:
            last = events.add_event(connection, _migrate_event(store, names, now))
        if fill is not None:
            last = events.add_event(connection, fill(store.watched(connection)))
        fsops.commit(connection)
        fsops.checkpoint(connection)
    finally:
        fsops.close_database(connection)
    return last


def _create(store: Store, *, with_event: bool) -> None:
    """Make a database with the current schema under a temporary name, whole, and only then give it its name."""
    new = store.database.with_name("new.duckdb")
    for path in (new, new.with_name("new.duckdb.wal")):
        with suppress(FileNotFoundError):
            fsops.unlink(path)
    event_id, digest = build(store, new, with_event=with_event)
    fsops.rename(new, store.database)
    fsops.sync_folder(store.database.parent)
    write_generation(store, event_id, digest)


def _migrate(session: Session) -> None:
    pending = pending_migrations(session.connection)
    if not pending:
        return
    store = session.store
    # the file may only be copied while no connection of this process has it open
    fsops.checkpoint(session.connection)
    fsops.close_database(session.connection)
    copy = store.path(BACKUPS) / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-before-{pending[0].name}"
    fsops.make_folders(copy)
    fsops.copy_file(store.database, copy / store.database.name)
    fsops.sync_folder(copy)
    session.connection = open_connection(store, read_only=False)
    fsops.begin(session.connection)
    try:
        names = _apply(session.connection, pending, now := utc_now())
        event_id, digest = events.add_event(session.connection, _migrate_event(store, names, now))
        session.tell(rows=False)
    except BaseException:
        fsops.rollback(session.connection)
        raise
    session.commit(event_id, digest)
    fsops.checkpoint(session.connection)
    session.migrated = [migration.name for migration in pending]
    _log.info("migrations_applied=%s, the former catalog is kept as %s", session.migrated, copy)


def _apply(connection: duckdb.DuckDBPyConnection, pending: Sequence[Migration], now: datetime) -> list[str]:
    names = apply_migrations(connection, pending, now)
    if pending[0].version > 1:
        from .repo import version_keys

        # what SQL alone can't make of the rows that are there
        version_keys.fill_keys(connection)
    return names


def _migrate_event(store: Store, names: Sequence[str], now: datetime) -> events.EventRow:
    return events.EventRow(
        boundary_id=new_boundary_id(),
        run_id=store.run_id,
        config_hash=store.config_hash,
        ts=now,
        type="migrate.done",
        payload={"migrations_applied": list(names)},
    )


def _record_recovery(session: Session) -> None:
    if session.swapped:
        _record_end(session, "recover.finished", session.swapped, None)
        _log.warning("recover.finished: a process had died inside a %s", session.swapped)
    for ended in session.recovered:
        kind = "recover.undone" if ended.event is None else "recover.finished"
        _record_end(session, kind, ended.boundary_id, ended.event.version_id if ended.event else None)
        _log.warning("%s: a process had died inside boundary %s", kind, ended.boundary_id)


def _record_end(session: Session, kind: str, ended: str, version_id: str | None) -> None:
    session.commit_event(
        events.EventRow(
            boundary_id=new_boundary_id(),
            run_id=session.store.run_id,
            config_hash=session.store.config_hash,
            ts=utc_now(),
            type=kind,
            level="warning",
            version_id=version_id,
            payload={"ended": ended},
        )
    )


def _checkpoint_if_due(session: Session) -> None:
    import duckdb

    log = session.store.database.with_name(session.store.database.name + ".wal")
    try:
        if log.exists() and log.lstat().st_size >= CHECKPOINT_BYTES:
            fsops.checkpoint(session.connection)
    except (OSError, duckdb.Error) as error:
        # what is in the log is committed; the next boundary tries again
        _log.warning("the log of %s could not be checkpointed: %s", session.store.database, error)


def _sweep_stages(store: Store) -> None:
    try:
        journal.sweep_stages(store)
    except OSError as error:
        # what was to be done is done; the next writer tries again
        _log.warning("empty stages below %s could not be removed: %s", store.root, error)


def _close(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    import duckdb

    try:
        fsops.close_database(connection)
    except (OSError, duckdb.Error) as error:
        _log.warning("the catalog %s could not be closed cleanly: %s", store.database, error)

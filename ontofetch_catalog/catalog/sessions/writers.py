"""How the catalog is entered for writing: alone, checked, migrated, with what dead processes left ended on the way in.

A session ends with the database closed and the gate open, but where the next one of the same run follows at once: then
both are kept until somebody else waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import CATALOG, RESTORING, SWAP
from ontofetch_hookspecs.together import recording

from ...errors import CatalogUnwritable
from .. import intents, recovery, swap
from ..connection import Store, open_connection
from ..failures import explaining
from ..fsops import whole
from ..generation import check_generation, require_database, write_generation
from ..locks import Gate, gate_of
from ..migrations import require_current_schema
from ..remembering import remembering
from ..repo import definitions, events
from .ahead import Ahead
from .building import create, migrate
from .contents import check_contents, note_sound
from .opened import Opened, checkpoint_if_due, fits
from .session import Entering, Session, close, event_of

if TYPE_CHECKING:
    from ..bringing import Brought
    from ..kept import Hold
    from ..shared.log import Log
    from ..shared.replica import Copy

_log = logging.getLogger("ontofetch.catalog")


def make_store(store: Store) -> None:
    """Make the root and the catalog's own folder where they are missing.

    Raises:
        OSError: The disk refuses, or something else is in the way.
    """
    whole.make_root(store.path(""), int(str(store.settings.get("store_mode", "700")), 8))
    whole.make_folders(store.path(CATALOG))


@contextmanager
def writing(
    store: Store,
    *,
    migrate: bool = True,
    trust_record: bool = True,
    alone: bool = True,
    brings: Iterable[Brought] = (),
    log: Log | None = None,
) -> Iterator[Session]:
    """Open the catalog for writing, alone: make it where there is none, check it, migrate it, recover; close it.

    Args:
        migrate: Whether pending migrations are applied.
        trust_record: Whether the generation record is looked at; doctor's fix of the record itself does not.
        alone: Whether the log of a shared catalog is held, by which others wait; without, nothing can be recorded.
        brings: Staged files and folders that are about to be published: what is large of a shared catalog's work is
            done with them before others wait.
        log: That of a shared catalog, where it is open already.

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
        entering = Entering(migrate=migrate, trust_record=trust_record, alone=alone, brings=tuple(brings), log=log)
        with open_session(store, entering) as session:
            yield session
            if not session.stays():
                checkpoint_if_due(store, session.connection)
            if session.hold is None or not session.hold.is_swept:
                recovery.sweep_stages(store)
            if session.hold is not None:
                # the boundaries of one run follow each other at once, beside all that it has staged ahead
                session.hold.is_swept = True


def has_open(store: Store) -> bool:
    """Say whether a dead process may have left something open that a writer ends on the way in; never writes."""
    beside = (store.path(SWAP), store.path(RESTORING))
    left = (name for name in store.intents.names() if not name.endswith(intents.UNREADABLE))
    return any(path.exists() for path in beside) or any(left)


@contextmanager
def open_session(store: Store, entering: Entering) -> Iterator[Session]:
    """Open the catalog for writing, alone; close it at the end, or keep it open for the next boundary of the run."""
    gate, together = gate_of(store.root), recording()
    usual = (entering.migrate or entering.asks) and entering.trust_record
    keeps = usual and (together is not None or gate.is_keeping)
    wanted = fits(store) if keeps else None
    with (
        closing(Ahead(store)) as ahead,
        gate.exclusive(store.wait, wanted=wanted, meanwhile=None if entering.log else ahead.open) as hold,
        ExitStack() as line,
    ):
        session, kept = _begin(store, hold, line, entering, ahead)
        opened = kept or Opened(session.connection, store.settings, session.copy, line.pop_all(), entry=session.entry)
        sound = False
        try:
            # from here on no table is made any more
            if kept is None:
                opened.database = definitions.use_own_functions(session.connection)
                session.connection = remembering(session.connection, opened.memory)
                check_contents(store, session.connection)
            sound = True
            if session.copy is None:
                session.recovered = recovery.recover(store, session.connection)
            elif kept is not None:
                _go_on(session, session.copy, entering, hold)
            _record_recovery(session)
            used = session.connection = store.watched(session.connection)
            session.hold = hold
            session.stays = lambda: keeps and store.watch is None and not hold.is_due()
            yield session
            if together is not None:
                together.enter_once(("gate", store.root), lambda: _letting_go(gate))
            if keeps and session.connection is used and store.watch is None:
                hold.keep(opened, lambda: opened.close(store), opened.rest)
        finally:
            if not hold.stays:
                with opened.line:
                    close(session.connection, store)
                    if kept:
                        close(kept.connection, store)
        # nobody else can have written yet: the gate is still closed; of what stays open it is noted when it closes
        if sound and not hold.stays:
            note_sound(store)


def _begin(
    store: Store, hold: Hold, line: ExitStack, entering: Entering, ahead: Ahead
) -> tuple[Session, Opened | None]:
    """Go on with what was kept open, or open it: what has to be closed again is entered into `line`."""
    kept: Opened | None = hold.take()
    if kept is None:
        begun = time.monotonic()
        copy = line.enter_context(_copy_of(store, entering, ahead))
        session = _enter(store, copy, entering)
        hold.spend(copy.log.waited if copy else 0.0, time.monotonic() - begun)
        return session, None
    # of what was kept open nobody else has been inside: it is as this process has left it
    return Session(store, kept.beside(), beside=kept.connection, copy=kept.copy, entry=kept.entry), kept


def _go_on(session: Session, copy: Copy, entering: Entering, hold: Hold) -> None:
    from .copies import go_on

    waited = copy.log.waited
    go_on(session, copy, entering, hold.turn)
    hold.spend(copy.log.waited - waited)


def _copy_of(store: Store, entering: Entering, ahead: Ahead) -> AbstractContextManager[Copy | None]:
    """Open the log of a shared catalog; None where the store is one of its own, as most are."""
    if not store.shared_by.exists():
        return nullcontext()
    from .copies import copy_of

    return copy_of(store, entering.log, ahead.take())


def _enter(store: Store, copy: Copy | None, entering: Entering) -> Session:
    swapped = "" if entering.asks else swap.finish(store)
    if not require_database(store) and not entering.asks:
        create(store, with_event=copy is None)
    session = Session(store, open_connection(store, read_only=False), swapped=swapped, copy=copy)
    try:
        if entering.trust_record and check_generation(store, session.connection) and not entering.asks:
            write_generation(store, *events.last_event(session.connection))
        if copy is not None:
            from .copies import catch_up

            catch_up(session, copy, entering)
        if entering.asks:
            require_current_schema(session.connection)
        elif entering.migrate:
            migrate(session)
    except BaseException:
        close(session.connection, store)
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


def _record_recovery(session: Session) -> None:
    if session.swapped:
        _record_end(session, "recover.finished", session.swapped, None)
        _log.warning("recover.finished: a process had died inside a %s", session.swapped)
    for ended in session.recovered:
        kind = "recover.undone" if ended.event is None else "recover.finished"
        _record_end(session, kind, ended.boundary_id, ended.event.version_id if ended.event else None)
        _log.warning("%s: a process had died inside boundary %s", kind, ended.boundary_id)


def _record_end(session: Session, kind: str, ended: str, version_id: str | None) -> None:
    session.commit_event(event_of(session.store, kind, {"ended": ended}, level="warning", version_id=version_id))

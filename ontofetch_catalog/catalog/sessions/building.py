"""A database with the current schema: made whole under another name, or migrated, with a copy of what it was."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import BACKUPS
from ontofetch_hookspecs.store_paths import StorePath

from .. import fsops
from ..connection import Store, open_connection
from ..fsops import whole
from ..generation import write_generation
from ..migrations import Migration, apply_migrations, available_migrations, pending_migrations
from ..repo import events
from .session import event_of, utc_now

if TYPE_CHECKING:
    import duckdb

    from .session import Session

_log = logging.getLogger("ontofetch.catalog")
_MEMORY = 500_000_000  # bytes that DuckDB may hold of a migration; what is more goes to its disk


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
        fill: Adds rows in an open transaction, which it may commit to begin another, and returns the event that tells
            of them.
        with_event: Whether an event tells of the schema; the copy of a shared catalog has the events of others.
    """
    connection = open_connection(store, read_only=False, path=path)
    try:
        fsops.begin(connection)
        names = _apply(connection, available_migrations(), now := utc_now())
        last = (0, events.CHAIN_START)
        if with_event:
            last = events.add_event(connection, migrate_event(store, names, now))
        if fill is not None:
            last = events.add_event(connection, fill(store.watched(connection)))
        fsops.commit(connection)
        fsops.checkpoint(connection)
    finally:
        fsops.close_database(connection)
    return last


def create(store: Store, *, with_event: bool) -> None:
    """Make a database with the current schema under a temporary name, whole, and only then give it its name."""
    new = store.database.with_name("new.duckdb")
    for path in (new, new.with_name("new.duckdb.wal")):
        with suppress(FileNotFoundError):
            fsops.unlink(path)
    event_id, digest = build(store, new, with_event=with_event)
    fsops.rename(new, store.database)
    fsops.sync_folder(store.database.parent)
    write_generation(store, event_id, digest)


def migrate(session: Session) -> None:
    """Apply the migrations that are pending, if there are some, after a copy of the database was made."""
    pending = pending_migrations(session.connection)
    if not pending:
        return
    store = session.store
    # the file may only be copied while no connection of this process has it open
    fsops.checkpoint(session.connection)
    fsops.close_database(session.connection)
    copy = store.path(BACKUPS) / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-before-{pending[0].name}"
    whole.make_folders(copy)
    whole.copy_file(store.database, copy / store.database.name)
    fsops.sync_folder(copy)
    # rows of all files may be filled in
    session.connection = open_connection(store.bounded(_MEMORY), read_only=False)
    fsops.begin(session.connection)
    try:
        names = _apply(session.connection, pending, now := utc_now())
        event_id, digest = events.add_event(session.connection, row := migrate_event(store, names, now))
        session.tell((event_id, digest, row), rows=False)
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
        from ..repo import lookup_keys, version_keys

        # what SQL alone can't make of the rows that are there
        version_keys.fill_keys(connection)
        lookup_keys.fill_keys(connection)
    return names


def migrate_event(store: Store, names: Sequence[str], now: datetime) -> events.EventRow:
    """Return the event that tells of migrations."""
    return event_of(store, "migrate.done", {"migrations_applied": list(names)}, ts=now)

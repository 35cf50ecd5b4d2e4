"""How the catalog is entered for reading: together with others, checked, after what other machines have recorded."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import SWAP
from ontofetch_hookspecs.together import recording

from ...errors import CatalogMissing, CatalogUnavailable, SchemaPending
from .. import fsops
from ..connection import Store, open_connection
from ..failures import explaining
from ..generation import check_generation, require_database
from ..locks import gate_of
from ..migrations import Migration, available_migrations, pending_migrations, require_current_schema
from ..repo import definitions
from .contents import check_contents

if TYPE_CHECKING:
    import duckdb

    from .following import Following

    Connection = duckdb.DuckDBPyConnection

_log = logging.getLogger("ontofetch.catalog")


def reading(store: Store) -> AbstractContextManager[Connection]:
    """Open the catalog for reading, together with other readers; close it at the end. Never writes.

    Raises:
        CatalogMissing: There is none.
        CatalogLocked, CatalogUnreadable, CatalogUnavailable, CatalogBehind, SchemaError: As their names say.
    """
    return _told(store, _newest(store))


@contextmanager
def _told(store: Store, opening: AbstractContextManager[Connection]) -> Iterator[Connection]:
    """Enter what opens the catalog; what goes wrong in it, and in what is read then, becomes a sentence."""
    with ExitStack() as entered:
        with _explained(store):
            connection = entered.enter_context(opening)
        with _explained(store, system=False):
            yield store.watched(connection)


@contextmanager
def _newest(store: Store) -> Iterator[Connection]:
    """Open the catalog for reading; what other machines have recorded in a shared one comes first."""
    with ExitStack() as entered:
        connection = None
        followed = _follow(store)
        if followed is not None:
            with closing(followed):
                connection = _enter(entered, store, followed.is_behind)
                if connection is None:
                    entered.close()
                    followed.take_in()
        if connection is None:
            if not require_database(store):
                raise CatalogMissing(
                    f"There is no catalog below {store.root} yet.",
                    subject=str(store.root),
                    hint="The first `ontofetch pull` makes one; --root names another store.",
                )
            connection = _enter(entered, store)
        if connection is None:
            raise RuntimeError("nobody asked whether the copy is behind")
        yield connection


def _enter(entered: ExitStack, store: Store, is_behind: Callable[[], bool] = lambda: False) -> Connection | None:
    """Enter `_reader`; whoever may write has pending migrations applied first."""
    try:
        return entered.enter_context(_reader(store, is_behind))
    except SchemaPending:
        if not store.may_write:
            raise
    from .writers import writing

    with writing(store):
        pass
    return entered.enter_context(_reader(store, is_behind))


@contextmanager
def _reader(store: Store, is_behind: Callable[[], bool]) -> Iterator[Connection | None]:
    """Open the catalog for reading, in its turn; None where it turns out then that it is behind."""
    with gate_of(store.root).shared(store.wait):
        if is_behind():
            yield None
            return
        _refuse_swap(store)
        require_database(store)
        if store.open_intents:
            _log.warning(
                "a boundary is open below %s; `ontofetch db recover` ends what a dead process left", store.root
            )
        with closing(open_connection(store, read_only=True)) as connection:
            definitions.use_own_functions(connection)
            require_current_schema(connection)
            check_generation(store, connection)
            check_contents(store, connection)
            fsops.lock_settings(connection)
            yield connection


def _refuse_swap(store: Store) -> None:
    """Refuse to read what a restore or a rebuild has begun to exchange, see `swap.refuse_open`."""
    if store.path(SWAP).exists():
        from .. import swap

        swap.refuse_open(store)


def _explained(store: Store, *, system: bool = True) -> AbstractContextManager[None]:
    """Turn what keeps a reader from reading into a sentence; errors of the system may be about what else it does."""
    what = f"The catalog {store.database} can't be read{store.purpose}"
    return explaining(what, database=store.database, kind=CatalogUnavailable, system=system)


def inspecting(store: Store) -> AbstractContextManager[Connection]:
    """Open a database that is there for reading, whatever state it is in: neither record nor schema is looked at.

    Raises:
        CatalogLocked, CatalogUnreadable, CatalogUnavailable: As their names say.
    """
    return _told(store, _inspector(store))


@contextmanager
def _inspector(store: Store) -> Iterator[Connection]:
    with gate_of(store.root).shared(store.wait), closing(open_connection(store, read_only=True)) as connection:
        definitions.use_own_functions(connection)
        fsops.lock_settings(connection)
        yield connection


@contextmanager
def asking(store: Store) -> Iterator[Connection]:
    """Open the catalog for a question of the host: from what is kept open between two boundaries, else as `reading`.

    Whatever is asked here is ours, for what is kept open could write.
    """
    # a command that only reads has none of what writers need
    from .opened import Opened
    from .session import Entering
    from .writers import open_session

    # what is asked has one answer, whatever the settings that it was opened with
    with gate_of(store.root).kept(store.wait, lambda what: isinstance(what, Opened)) as hold, ExitStack() as entered:
        if hold is not None:
            connection = hold.what.beside()
            if hold.what.copy is not None:
                from .copies import look_again

                with _explained(store):
                    look_again(store, hold.what.copy, connection, hold.turn)
            with _explained(store, system=False):
                yield store.watched(connection)
            return
    with ExitStack() as entered:
        going_on = gate_of(store.root).is_keeping
        if (going_on or _is_about_to_write(store)) and not store.shared_by.exists():
            # the next question, or boundary, of the run finds it open
            entering = Entering() if going_on else Entering(migrate=False, asks=True)
            with _explained(store):
                session = entered.enter_context(open_session(store, entering))
            connection = session.connection
        else:
            connection = entered.enter_context(reading(store))
        yield connection


def _is_about_to_write(store: Store) -> bool:
    """Say whether who asks now is to record something in the same run, and nothing keeps it from doing so.

    What a writer ends or makes on its way in is left until there is something to record.
    """
    from .writers import has_open

    if recording() is None or not require_database(store) or has_open(store):
        return False
    return all(os.access(str(path), os.W_OK) for path in (store.database, store.database.parent))


def refresh(store: Store) -> None:
    """Take in what other machines have recorded, if the store is a copy of a shared catalog; else do nothing.

    Raises:
        CatalogUnavailable: Its server does not answer; what is here, which a reader would be shown, won't do.
    """
    followed = _follow(store, also_cut_off=False)
    if followed is None:
        return
    with closing(followed):
        if not followed.is_behind():
            return
        # what another process of this machine is recording comes by itself
        with gate_of(store.root).shared(store.wait):
            is_behind = followed.is_behind()
        if is_behind:
            followed.take_in()


def _follow(store: Store, *, also_cut_off: bool = True) -> Following | None:
    """Return what a copy of a shared catalog has to follow; None for a store of its own, as most are."""
    if not store.shared_by.exists():
        return None
    from .following import follow

    return follow(store, also_cut_off=also_cut_off)


def pending(store: Store) -> tuple[Migration, ...]:
    """Return the migrations that the next writing command would apply; never writes."""
    if not require_database(store):
        return available_migrations()
    with _explained(store), gate_of(store.root).shared(store.wait):
        _refuse_swap(store)
        with closing(open_connection(store, read_only=True)) as connection:
            return pending_migrations(connection)

"""A store that is a copy of a shared catalog: its log opened, and what other machines have recorded taken in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...errors import CatalogUnavailable, OntofetchError
from .. import recovery
from ..connection import Store
from ..generation import write_generation
from ..migrations import available_migrations
from ..repo import events
from ..shared.address import read_address
from ..shared.line_errors import say_as_of
from .building import migrate_event
from .session import utc_now

if TYPE_CHECKING:
    import duckdb

    from ..shared.log import Log
    from ..shared.replica import Copy
    from .session import Entering, Session


@contextmanager
def copy_of(store: Store, given: Log | None, ahead: Log | None = None) -> Iterator[Copy | None]:
    """Open the log of a shared catalog, unless it is given; give it back at the end. None where the store is its own.

    Args:
        store: The store.
        given: The log, which stays open: whoever has opened it gives it back.
        ahead: The log as this writer has opened it while it waited.
    """
    address = read_address(store)
    if address is None:
        yield None
        return
    from ..shared.kept_lines import line_of
    from ..shared.objects import objects_options, open_objects
    from ..shared.replica import Copy

    objects = open_objects(address.objects, options=objects_options())
    log = given or ahead
    if log is not None and not log.let_go():
        # the server has ended it while the gate was waited for
        log.close()
    with _started(log or line_of(store, address), is_ours=given is None) as line:
        copy = Copy(store, line, objects)
        yield copy
        copy.signposts.follow_appended()


@contextmanager
def _started(log: Log, *, is_ours: bool) -> Iterator[Log]:
    """Keep the session of the server alive until the end of a `with`, and let go of what it holds then."""
    from ..shared.kept_lines import keep

    log.start()
    try:
        yield log
        log.stop()
        if not log.is_at_rest() and not log.let_go():
            log.close()
    except BaseException:
        log.close()
        raise
    if is_ours:
        keep(log)


def line_ahead(store: Store) -> Log | None:
    """Open the log of a shared catalog while others are waited for; None where it can't be opened now, or is none."""
    from ..shared.kept_lines import line_of

    try:
        address = read_address(store)
        if address is None:
            return None
        log = line_of(store, address)
        log.start()
    except OntofetchError:
        # whoever enters tries again, and says what is wrong
        return None
    return log


def catch_up(session: Session, copy: Copy, entering: Entering) -> None:
    """Undo what a dead process had begun here, and take in what the log knows: it alone says what happened."""
    from ..shared.files_coming import BROUGHT_BACK
    from ..shared.replica import CAUGHT_UP, end_caught_up

    store, connection = session.store, session.connection
    end_caught_up(store, connection)
    begun = recovery.recover(store, connection)
    if entering.alone:
        copy.signposts.require_newest()
    # what may take long, first: nobody has to wait for it
    came = copy.catch_up(connection)
    copy.going.put_early(entering.brings)
    if entering.alone or begun or events.last_event(connection)[0] == 0:
        came += copy.catch_up(connection, copy.log.hold())
    if came:
        write_generation(store, *events.last_event(connection))
    session.recovered = [
        recovery.Recovered(ended.boundary_id, events.find_boundary(connection, ended.boundary_id))
        for ended in begun
        if not ended.boundary_id.startswith((CAUGHT_UP, BROUGHT_BACK))
    ]
    if events.last_event(connection)[0] == 0:
        session.commit_event(migrate_event(store, [one.name for one in available_migrations()], utc_now()))


def go_on(session: Session, copy: Copy, entering: Entering, turn: float) -> None:
    """Take in what the log knows by now, nobody else having been in the store since the boundary before.

    Within one turn, of so many seconds, the log is held from boundary to boundary, but never while bytes are put.
    """
    if copy.log.is_held_since(turn) and not entering.brings:
        return
    came = 0
    _let_go(copy)
    if entering.alone:
        copy.signposts.require_newest()
    if entering.brings:
        came += copy.catch_up(session.connection)
        copy.going.put_early(entering.brings)
    if entering.alone:
        came += copy.catch_up(session.connection, copy.log.hold())
    if came:
        write_generation(session.store, *events.last_event(session.connection))


def look_again(store: Store, copy: Copy, connection: duckdb.DuckDBPyConnection, turn: float) -> None:
    """Take in what the log knows by now for a question, as `go_on` does; where nobody answers, what is here is true.

    Args:
        store: The store, in which nobody else has been.
        copy: What was kept open of it.
        connection: Likewise.
        turn: Seconds from its being held, in which nobody else can have told anything.
    """
    if copy.log.is_held_since(turn):
        return
    try:
        _let_go(copy)
        came = copy.catch_up(connection)
    except CatalogUnavailable as error:
        say_as_of(error, events.last_event(connection)[0])
        return
    if came:
        write_generation(store, *events.last_event(connection))


def _let_go(copy: Copy) -> None:
    if not copy.log.let_go():
        # nothing was begun over the line that is broken
        copy.log.close()
        copy.log.start()

"""How a store becomes a copy of a shared catalog, and one of its own again."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice

from ontofetch_hookspecs.layout import BACKUPS, CATALOG
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ..errors import CatalogBehind, CatalogUnavailable, Conflict, PreconditionFailed
from . import fsops, sessions
from .connection import Store
from .fsops import whole
from .generation import read_generation, require_database
from .locks import gate_of
from .repo import events, images
from .shared import log_sweep
from .shared.address import Address, check_addresses, drop_address, read_address, write_address
from .shared.log import Log, log_of
from .shared.log_holds import Hold, list_holds
from .shared.log_making import create, require_holds
from .shared.log_work import Lease, list_leases
from .shared.object_store import MAX_AGE
from .shared.objects import objects_options, open_objects
from .shared.replica import Copy
from .shared.signposts import signposts_of
from .store_key import make_key, read_key, write_key

_log = logging.getLogger("ontofetch.catalog.shared")
_LISTED = 20_000  # objects that are compared with the rows at once


def join(store: Store, catalog: str, objects: str) -> Address:
    """Make a store a copy of a shared catalog: of what is there, or, where nothing is, with all that the store has.

    It may be repeated after it was interrupted: what arrived stays, and only the last step makes the store a copy.

    Args:
        store: The store; empty, or with releases of its own.
        catalog: Address of the PostgreSQL database.
        objects: Address of the object store.

    Raises:
        UsageError: An address is none, or the catalog there keeps its bytes elsewhere.
        Conflict: Both have releases.
        CatalogUnavailable, ObjectsUnavailable, ObjectsRefused: As their names say.
    """
    check_addresses(catalog, objects)
    # who types the address agrees to it
    there = read_address(store, believe=True)
    if there is not None and (there.catalog, there.objects) != (catalog, objects):
        raise _elsewhere(store, there)
    sessions.make_store(store)
    identity, key = create(Address(catalog, objects, uuid.uuid4().hex), make_key(store))
    address = Address(catalog, objects, identity)
    if there is not None and there != address:
        raise _elsewhere(store, there)
    with closing(log_of(store, address)) as log:
        signposts = signposts_of(store, log)
        if log.head().event_id == 0:
            signposts.objects.prepare()
            # another catalog's, or this one's from before it was brought back: their sweeps would free each other's
            signposts.require_newest()
        signposts.accept()
    if there is None and require_database(store):
        _bring(store, address)
    if read_key(store) != key:
        write_key(store, key)
    write_address(store, address)
    with sessions.writing(store, alone=False):
        pass
    return address


def _elsewhere(store: Store, there: Address) -> Conflict:
    return Conflict(
        f"The store {store.root} is a copy of another shared catalog already: the one at {quote(there.catalog)}, with "
        f"its bytes at {quote(there.objects)}.",
        subject=str(store.root),
        hint="`ontofetch db move --to local` makes it one of its own; another --root makes another copy.",
    )


def _bring(store: Store, address: Address) -> None:
    """Tell the shared catalog all that a store has, unless it knows just that."""
    with sessions.writing(store) as session, log_of(store, address).held() as log:
        head = log.head()
        last, digest = events.last_event(session.connection)
        if head.event_id:
            if log.digest_at(last) == digest:
                return
            raise Conflict(
                f"The store {store.root} has releases of its own, and so has the shared catalog at {log.where}.",
                subject=str(store.root),
                hint="Make the copy below another --root, and pull there what is missing.",
            )
        copy = Copy(store, log, open_objects(address.objects, options=objects_options()))
        connection = session.connection
        copy.push(connection, events.newest_event(connection), images.everything(connection), copy.going.everything())
        copy.signposts.follow()


def renew(store: Store) -> None:
    """Make the copy of a shared catalog anew, its database from the log and what differs of its files; may run again.

    Raises:
        PreconditionFailed: It is a store of its own.
        CatalogUnavailable, ObjectsUnavailable: The server or the objects do not answer.
    """
    address = require_shared(store)
    with closing(log_of(store, address)) as log:
        # nothing is put away before there is something to take its place
        log.head()
        signposts_of(store, log).accept()
    sessions.make_store(store)
    with gate_of(store.root).exclusive(store.wait):
        aside = store.path(f"{BACKUPS}/{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-before-copy")
        whole.make_folders(aside)
        for path in (store.generation, store.database, store.database.with_name(f"{store.database.name}.wal")):
            if path.exists():
                fsops.rename(path, aside / path.name)
        fsops.sync_folder(aside)
        fsops.sync_folder(store.path(CATALOG))
    bring_back(store)


def bring_back(store: Store) -> int:
    """Bring a copy up to date, and fetch what is lost of its files or has another size; return their number."""
    with sessions.writing(store) as session:
        if session.copy is None:
            return 0
        lost = session.copy.coming.lost_files()
        session.copy.coming.bring_back(lost)
    return len(lost)


def leave(store: Store, *, as_is: bool = False) -> bool:
    """Make a copy a store of its own, with all that the shared catalog has now; that one stays as it is.

    Where the shared catalog is gone, or was brought back from before what the copy has, it keeps what it has.

    Args:
        store: The copy.
        as_is: Whether nobody is asked what others have recorded.

    Returns:
        Whether it was a copy.

    Raises:
        CatalogUnavailable: The server or the objects do not answer: others may have recorded more.
    """
    if read_address(store) is None:
        return False
    try:
        if not as_is:
            bring_back(store)
    except CatalogBehind as error:
        _log.warning("%s What is here is kept.", error.message)
    except CatalogUnavailable as error:
        hint = f"{error.hint} `ontofetch db move --to local --as-is` goes without what others may have recorded."
        raise type(error)(error.message, subject=error.subject, hint=hint) from error
    drop_address(store)
    with sessions.writing(store):
        # what a dead process left open is ended here by what is here
        pass
    return True


def require_shared(store: Store) -> Address:
    """Return where the catalog is that a store is a copy of.

    Raises:
        PreconditionFailed: It is a store of its own.
    """
    address = read_address(store)
    if address is None:
        raise PreconditionFailed(
            f"The store {store.root} is one of its own: no other machine shares it.",
            subject=str(store.root),
            hint="`ontofetch db move --to postgresql://… --objects …` makes it a shared one.",
        )
    return address


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a shared catalog is right now.

    Args:
        events: How many events it has.
        behind: How many of them the copy does not have yet.
        held_by: Who writes: command, machine and process; empty where nobody does.
        leases: Which items of work that machines divide are being done, and by whom.
        holds: What sweeps keep, and for which backup.
    """

    events: int
    behind: int
    held_by: str
    leases: Sequence[Lease] = ()
    holds: Sequence[Hold] = ()


def read_state(store: Store, address: Address) -> State | None:
    """Return how a shared catalog is right now; None if its server does not answer."""
    known = read_generation(store)
    try:
        with closing(log_of(store, address).open()) as log:
            events_there, holder = log.head().event_id, log.holder()
            leases, holds = list_leases(log), list_holds(log)
    except CatalogUnavailable:
        return None
    behind = events_there - (known.events if known else 0)
    return State(events=events_there, behind=behind, held_by=holder, leases=leases, holds=holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did, or, as a dry run, would do.

    Args:
        condemned: Contents that no path has any more, from now on.
        freed_objects: Objects of contents that were condemned for long enough.
        orphaned_objects: Objects of boundaries that never happened, and what was left unfinished.
        held: Contents that no path has any more, and that are kept for a backup.
        holds: Each hold, how many of these contents it keeps, and of how many bytes.
    """

    condemned: int
    freed_objects: int
    orphaned_objects: int
    held: int = 0
    holds: Sequence[tuple[Hold, int, int]] = ()


def sweep(
    store: Store, grace_seconds: float, *, dry_run: bool = False, progress: Callable[[int, int | None], None]
) -> Swept | None:
    """Condemn contents that no path has and nothing holds, and free those condemned long enough; return what was done.

    None where the store is one of its own, which has no contents but its files. Others write meanwhile: to look through
    all takes long, and the log is held only for what is written down of it. Objects go after their rows are gone for
    good, and no key is used twice; what is killed in between leaves objects that nothing names, which the next sweep
    finds.

    Args:
        store: A copy of the shared catalog.
        grace_seconds: How long a condemned content is kept: longer than any machine takes to read.
        dry_run: Only find out what would be done.
        progress: Called with the number of objects that were looked at, and how many there are, if that is known.
    """
    address = read_address(store)
    if address is None:
        return None
    objects = open_objects(address.objects, options=objects_options())
    with log_of(store, address).opened() as log, log_sweep.alone(log):
        signposts = signposts_of(store, log)
        # what a newer backup of the database names is not to be freed
        signposts.require_newest()
        require_holds(log)
        condemned = _condemn(log, grace_seconds, dry_run=dry_run)
        # all that is asked of this session: the objects go though its line may be lost by then
        freed, held, holds = log_sweep.freed_keys(log), log_sweep.count_kept(log), log_sweep.kept_for(log)
        # by the server's clock: that of this machine may be hours off
        limit = log_sweep.now(log) - timedelta(seconds=max(grace_seconds, MAX_AGE))
        seen = 0
        orphaned: list[str] = []
        listed = objects.list()
        while some := list(islice(listed, _LISTED)):
            old = [found.key for found in some if found.modified < limit]
            orphaned += sorted(set(log_sweep.unknown(log, old)) - set(freed))
            seen += len(some)
            progress(seen, None)
        left = 0
        if not dry_run:
            objects.delete(freed)
            objects.delete(orphaned)
            left = objects.sweep()
            signposts.follow(anew=True)
    return Swept(
        condemned=condemned,
        freed_objects=len(freed),
        orphaned_objects=len(orphaned) + left,
        held=held,
        holds=holds,
    )


def _condemn(log: Log, grace_seconds: float, *, dry_run: bool) -> int:
    """Write down, or only find out, what is condemned and forgotten; return how many contents are condemned."""
    as_of = log_sweep.find_unnamed(log)
    if dry_run:
        return log_sweep.expect(log, grace_seconds)
    log.hold()
    try:
        return log_sweep.condemn(log, as_of, grace_seconds)
    finally:
        log.let_go()

"""What a rebuild finds in the place of the catalog: whether it is of use, what it has recorded, what was left open."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import CatalogBehind, CatalogUnavailable, CatalogUnreadable, Conflict, OntofetchError, RecordUnreadable
from .. import intents, moving, recovery
from ..connection import Store, open_connection
from ..failures import explaining
from ..generation import check_generation
from ..migrations import require_current_schema
from ..repo import from_documents

if TYPE_CHECKING:
    import duckdb

LOST = "events, times of verification, the history of the latest pointers but the newest"
_log = logging.getLogger("ontofetch.catalog.rebuild")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What became of one release.

    Args:
        source: `documents`, `hashed`, or `left` if it could not be recorded.
        rows: How many rows it has.
        bytes: The sum of its files' sizes.
        message: Why it was hashed or left, or what of it was; empty if all is well.
    """

    version_id: str
    source: str
    rows: int = 0
    bytes: int = 0
    message: str = ""


def refuse_usable(store: Store) -> None:
    """Refuse to replace a catalog that can be used.

    Raises:
        Conflict: It can.
    """
    if not store.database.is_file():
        return
    what = f"The catalog {store.database} can't be read{store.purpose}"
    try:
        with explaining(what, database=store.database, kind=CatalogUnavailable):
            connection = open_connection(store, read_only=True)
            try:
                require_current_schema(connection)
                check_generation(store, connection)
            finally:
                connection.close()
    except OntofetchError as error:
        if isinstance(error, CatalogUnreadable | CatalogBehind) and not isinstance(error, RecordUnreadable):
            _log.warning("the catalog that will be replaced can't be used: %s", str(error).splitlines()[0])
            return
        raise Conflict(
            f"The catalog below {store.root} may be sound: {error.message}",
            subject=str(store.root),
            hint=f"{error.hint} To make it anew all the same, add --replace.",
        ) from error
    raise Conflict(
        f"There is a catalog below {store.root} that can be used; making it anew would lose its {LOST}.",
        subject=str(store.root),
        hint="`ontofetch db doctor` shows and mends what is wrong with it; add --replace to make it anew all the same.",
    )


def end_intents(store: Store) -> None:
    """End open boundaries without the database that would know whether they had committed.

    One whose moves are all done is whole on disk, its documents too, and stays; another is undone. Both leave the disk
    as it is after a boundary or before it, never between.
    """
    for path in store.open_intents:
        intent = intents.read_intent(path)
        if intent is None:
            intents.set_aside(path)
            continue
        published = moving.is_published(store, intent)
        if not published:
            moving.undo(store, intent)
        moving.forget(store, intent, committed=published)
        _log.warning("boundary %s was open and is %s", intent.boundary_id, "kept" if published else "undone")
    recovery.sweep(store)


def list_recorded(store: Store) -> list[Release]:
    """Return what the catalog in place has recorded."""
    connection = open_connection(store, read_only=True)
    try:
        return as_documents_say(connection)
    finally:
        connection.close()


def as_documents_say(connection: duckdb.DuckDBPyConnection) -> list[Release]:
    """Return the recorded releases, all of which were recorded as their documents say."""
    return [
        Release(version_id=version_id, source="documents", rows=rows, bytes=size)
        for version_id, rows, size in from_documents.list_sizes(connection)
    ]

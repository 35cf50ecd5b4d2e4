"""Generation.json: how far the catalog had come at its last commit, kept outside of the database.

DuckDB opens a log with a damaged byte without complaint and with fewer committed rows; this record is what notices.
It knows only the events' number and digest.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.errors import SYSTEM_CODES
from ontofetch_hookspecs.layout import SWAP
from ontofetch_hookspecs.light_dataclasses import dataclass, fields_of
from ontofetch_hookspecs.store_paths import StorePath

from ..errors import CatalogBehind, CatalogMissing, RecordUnreadable
from . import fsops
from .connection import Store
from .failures import BRING_BACK
from .fsops import whole
from .repo import events

if TYPE_CHECKING:
    import duckdb

FORMAT = 1
_log = logging.getLogger("ontofetch.catalog")


@dataclass(frozen=True, slots=True)
class Generation:
    """What generation.json says: a counter of commits, the number of events, the digest of the newest."""

    counter: int
    events: int
    digest: str


def read_generation(store: Store) -> Generation | None:
    """Return the record, None if there is none.

    Raises:
        RecordUnreadable: The file is there and says something else, or is no regular file.
        OSError: The system refuses.
    """
    try:
        found: Any = store.generation.read_json()
        if found["format"] == FORMAT:
            return Generation(int(found["counter"]), int(found["events"]), str(found["digest"]))
        error: Exception = ValueError(f"its format is {found['format']!r}")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as caught:
        if isinstance(caught, OSError) and caught.errno in SYSTEM_CODES:
            raise
        error = caught
    raise RecordUnreadable(
        f"The generation record {store.generation} can't be read: {getattr(error, 'strerror', None) or error}.",
        subject=str(store.generation),
        hint="If the catalog is sound, `ontofetch db doctor --fix CAT009` writes it anew.",
    ) from error


def write_generation(store: Store, event_id: int, digest: str, *, path: StorePath | None = None) -> None:
    """Record that the catalog has come to `event_id`; called after each COMMIT.

    Args:
        event_id: Its newest event.
        digest: That event's digest.
        path: Where to write instead of the record's own place: beside a catalog that is not in place yet.
    """
    try:
        previous = read_generation(store)
    except (RecordUnreadable, OSError):
        # the record was checked when the catalog was opened, so it broke since; the new one replaces it
        previous = None
    content = Generation((previous.counter if previous else 0) + 1, event_id, digest)
    text = json.dumps({"format": FORMAT, **fields_of(content)}, indent=1) + "\n"
    whole.write_file(path or store.generation, text.encode())


def check_generation(store: Store, connection: duckdb.DuckDBPyConnection) -> bool:
    """Check that the catalog has come at least as far as its record says; return whether it has come further.

    A catalog that is ahead is fine: a process was killed between its COMMIT and the record. As long as nobody writes
    the record anew, there too where it is gone, a loss of what was committed since would go unnoticed.

    Raises:
        CatalogBehind: Events are missing, or others stand in their place.
        RecordUnreadable: The record says something else.
    """
    record = read_generation(store)
    if record is None:
        _log.warning("the generation record %s is missing; the next writer makes it anew", store.generation)
        return True
    try:
        number = events.count_events(connection)
    except fsops.driver().CatalogException:
        # another database lies in the place of ours
        number = 0
    if number < record.events:
        lost = f"has {number:,} events, but had {record.events:,} after its last commit"
    elif events.digest_at(connection, record.events) != record.digest:
        lost = f"has another event {record.events:,} than after its last commit"
    else:
        return number > record.events
    raise CatalogBehind(
        f"The catalog {store.database} {lost}: its file or its log was damaged or exchanged.",
        subject=str(store.database),
        hint=BRING_BACK,
    )


def require_database(store: Store) -> bool:
    """Return whether the database file is there.

    Raises:
        CatalogMissing: It is gone although a record says that there was one.
    """
    if store.database.is_file() or store.path(SWAP).exists():
        # with a swap open the database may be on its way; whoever enters next deals with it
        return True
    if store.generation.exists():
        raise CatalogMissing(
            f"The catalog {store.database} is gone, although there was one.",
            subject=str(store.database),
            hint=BRING_BACK,
        )
    return False

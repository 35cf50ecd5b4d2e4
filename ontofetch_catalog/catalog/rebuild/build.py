"""The making of a whole catalog from what lies on disk, and its swap for the one that is lost or damaged.

Releases with sound documents are recorded as these say; the others are adopted one by one once the new catalog is in
place. The former database is never deleted: it moves to the backups.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from ontofetch_hookspecs.layout import BACKUPS, CATALOG, DATABASE, GENERATION, RESTORING, series_of
from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import (
    CatalogMissing,
    CatalogUnwritable,
    OntofetchError,
)
from .. import fsops, journal, recovery, sessions, swap
from ..boundaries.boundary import MaintenanceBoundary, Recorded
from ..boundaries.engine import BoundaryResult, carry_out
from ..connection import Store
from ..facts_on_disk import AdoptFacts, list_on_disk
from ..failures import explaining
from ..fsops import whole
from ..generation import write_generation
from ..locks import gate_of
from ..repo import events, releases
from .adoption import Progress, adopt, record_latest
from .documents import DocumentRefused, ReleaseDocuments, read_release
from .former import LOST, Release, as_documents_say, end_intents, list_recorded, refuse_usable
from .places import ReleaseFolder, find_folders
from .recording import reader, record, together

if TYPE_CHECKING:
    import duckdb

_LIVE = (f"{DATABASE}.wal", DATABASE, GENERATION)  # in this order they leave
_AT_ONCE = 1_000  # releases that are recorded in one transaction
_log = logging.getLogger("ontofetch.catalog.rebuild")


@dataclass(slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild came to: its releases, sorted, and where the former catalog is kept, None if there was none."""

    releases: list[Release] = field(default_factory=list)
    kept: str | None = None


class AdoptRelease(MaintenanceBoundary):
    """Record one release by scanning and hashing, with documents of its own."""

    kind: ClassVar[str] = "rebuild"
    done: ClassVar[str] = "adopted"

    def __init__(self, store: Store, folder: ReleaseFolder, progress: Progress | None) -> None:
        super().__init__(store, folder.path)
        self._folder = folder
        self._progress = progress
        self.left: list[str] = []

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Return whether it is still not recorded."""
        return releases.find_version(connection, self.version_id) is None

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Take it over."""
        adopted = adopt(self.store, connection, draft, self._folder, self._progress)
        self.left = adopted.left
        return Recorded(rows=adopted.rows, bytes=adopted.bytes, payload={"left": len(adopted.left)})


def rebuild(
    store: Store,
    *,
    replace: bool = False,
    progress: Progress | None = None,
    tell: Callable[[BoundaryResult], None] | None = None,
) -> Rebuilt:
    """Make the catalog anew from manifests, audits and LATEST.json, and by hashing what has none.

    Args:
        replace: Whether a catalog that can be used is replaced.
        progress: Called while files are hashed, with how many bytes are read and how many the release has.
        tell: Called with each release that was adopted.

    Raises:
        Conflict: There is a catalog that can be used.
        CatalogMissing: There is nothing to make one from.
        CatalogLocked: Somebody else uses the catalog and did not let go in time.
        CatalogUnwritable: The disk refuses; nothing is half done that the same command would not end.
    """
    if not any(find_folders(store)) and not any(store.path(path).exists() for path in _LIVE):
        raise CatalogMissing(
            f"There is no release below {store.root} to make a catalog from.",
            subject=str(store.root),
            hint="--root names another store; the first `ontofetch pull` makes a catalog.",
        )
    made = Rebuilt()
    with explaining(
        f"The catalog below {store.root} could not be rebuilt",
        database=store.database,
        kind=CatalogUnwritable,
        subject=str(store.root),
        state="The former one is in its place, or the next start finishes what is begun.",
    ):
        sessions.make_store(store)
        folders = _exchange_for_new(store, made, replace=replace)
    done = {release.version_id for release in made.releases}
    for folder in folders:
        if folder.path not in done:
            made.releases.append(_adopt(store, folder, progress, tell))
    made.releases.sort(key=lambda release: release.version_id)
    # the facts of contents stand in the tables of terms themselves
    outcome = carry_out(store, AdoptFacts(store)) if list_on_disk(store) else None
    if outcome is not None and tell is not None:
        tell(outcome)
    return made


def _exchange_for_new(store: Store, made: Rebuilt, *, replace: bool) -> list[ReleaseFolder]:
    """Put a new catalog in place while nobody else uses the store; return all folders that hold a release."""
    with gate_of(store.root).exclusive(store.wait):
        swapped = swap.finish(store)
        # also where the catalog turns out to be sound: a loss of power may have brought back what was removed before
        recovery.sweep(store)
        if swapped not in ("", swap.RESTORE) and not replace:
            # the new catalog of a command that was cut short is in place now: go on from there
            made.releases = list_recorded(store)
            return list(find_folders(store))
        if not replace:
            refuse_usable(store)
        end_intents(store)
        folders = list(find_folders(store))
        _build(store, folders, made)
        _exchange(store, made)
    return folders


def _build(store: Store, folders: list[ReleaseFolder], made: Rebuilt) -> None:
    """Make the new database and its record beside the store."""
    beside = store.path(RESTORING)
    whole.make_folders(beside / CATALOG)

    def fill(connection: duckdb.DuckDBPyConnection) -> events.EventRow:
        open_releases = 0
        with reader() as lines:
            for portion in together(_read_releases(store, folders)):
                for refusal in record(connection, lines, portion):
                    _tell_refused(refusal)
                open_releases += len(portion)
                if open_releases >= _AT_ONCE:
                    # nobody sees the new database before it is whole, and DuckDB holds what is not committed in memory
                    fsops.commit(connection)
                    fsops.begin(connection)
                    open_releases = 0
        for slot in sorted({series_of(folder.path) for folder in folders}):
            record_latest(store, connection, slot)
        made.releases = as_documents_say(connection)
        recorded = len(made.releases)
        payload = {"releases": recorded, "rows": sum(release.rows for release in made.releases), "lost": LOST}
        return sessions.event_of(store, "rebuild.done", payload)

    event_id, digest = sessions.build(store.bounded(), beside / DATABASE, fill)
    write_generation(store, event_id, digest, path=beside / GENERATION)
    fsops.sync_folder(beside)


def _read_releases(store: Store, folders: list[ReleaseFolder]) -> Iterator[ReleaseDocuments]:
    for folder in folders:
        if folder.manifest:
            try:
                yield read_release(store, folder.path, folder.manifest)
            except DocumentRefused as error:
                _tell_refused(error)


def _tell_refused(error: DocumentRefused) -> None:
    _log.warning("%s The release will be hashed instead.", error.message)


def _exchange(store: Store, made: Rebuilt) -> None:
    """Swap the new catalog in; once its plan is durable, whoever comes next finishes it."""
    aside = f"{BACKUPS}/{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-before-rebuild"
    live = [path for path in _LIVE if store.path(path).exists()]
    moves = [swap.make_move(store, path, f"{aside}/{os.path.basename(path)}") for path in live]
    moves += [swap.make_move(store, f"{RESTORING}/{path}", path) for path in (DATABASE, GENERATION)]
    swap.begin(store, swap.Swap(moves, swap.REBUILD))
    swap.finish(store)
    made.kept = aside if live else None


def _adopt(
    store: Store, folder: ReleaseFolder, progress: Progress | None, tell: Callable[[BoundaryResult], None] | None
) -> Release:
    # what is recorded of very many files is held until all of it is committed
    store = store.bounded()
    boundary = AdoptRelease(store, folder, progress)
    try:
        outcome = carry_out(store, boundary)
    except OntofetchError as error:
        return Release(version_id=folder.path, source="left", message=error.message)
    if tell is not None:
        tell(outcome)
    left = f"{len(boundary.left):,} files were left, e.g. {boundary.left[0]}" if boundary.left else ""
    receipt = outcome.receipt
    return Release(version_id=folder.path, source="hashed", rows=receipt.rows, bytes=receipt.bytes, message=left)

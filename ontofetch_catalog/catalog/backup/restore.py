"""The bringing back of a backup: checked whole, unpacked beside the store, swapped in by a plan that only goes on.

Files of releases that are gone are put back; those that are there stay as they are, whatever the backup has.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import BACKUPS, CATALOG, DATABASE, FACTS, GENERATION, RESTORING
from ontofetch_hookspecs.names import quote

from ...errors import BackupRefused, CatalogBehind, CatalogLocked, OntofetchError
from .. import fsops, journal, sessions, swap
from ..boundaries.engine import BoundaryResult, carry_out
from ..connection import Store, open_connection
from ..failures import explaining
from ..fsops import whole
from ..generation import require_database
from ..locks import gate_of
from ..migrations import available_migrations, opened_new, pending_migrations
from ..repo import events, row_checks
from ..shared.address import read_address
from . import manifest as m
from . import signing
from .copying import Progress
from .for_all import restore_for_all
from .kept import KeptSource, is_kept
from .restored import Restored, RestoreDone
from .sources import Source, check_backup, hash_stream, open_source
from .write import TIMESTAMP

if TYPE_CHECKING:
    import duckdb

_LIVE = (f"{DATABASE}.wal", DATABASE, GENERATION)  # in this order they leave
_log = logging.getLogger("ontofetch.backup")


def restore(store: Store, path: Path, *, key: Path | None, progress: Progress) -> tuple[Restored, BoundaryResult]:
    """Bring the catalog back to what a backup holds; what is replaced is kept below `.catalog/backups`.

    Args:
        path: A folder or an archive that `back_up` made, or the folder that was kept of a catalog that was replaced.
        key: PEM file of the public key that must have signed it; None: nobody.
        progress: Called as bytes are checked, then as they are unpacked.

    Raises:
        BackupRefused: The backup is incomplete, damaged, hostile or not signed by the key; nothing was touched.
        SchemaError, CatalogUnreadable: This installation can't use its catalog; nothing was touched.
        OntofetchError: Something else is in the way; the store is as it was, or the next start finishes the restore.
    """
    address = read_address(store)
    checker = signing.load_public_key(key) if key is not None else None
    source: Source = KeptSource(path) if path.is_dir() and is_kept(path) else open_source(path)
    count = _Count(progress)
    manifest, signed = check_backup(source, checker, count)
    count.begin(manifest.size_bytes)
    plan = _Plan(store)
    with explaining(
        f"The backup could not be restored below {store.root}",
        database=store.database,
        kind=OntofetchError,
        subject=str(store.root),
        state="The store is as it was, or the next start finishes what is begun.",
    ):
        if address is not None:
            return restore_for_all(store, address, source, Restored(manifest=manifest, signed=signed))
        sessions.make_store(store)
        _settle(store)
        with gate_of(store.root).exclusive(store.wait):
            swap.finish(store)
            _unpack(store, source, manifest, count)
            _check_database(store, manifest)
            plan.collect()
            swap.begin(store, swap.Swap(plan.moves, swap.RESTORE))
            swap.finish(store)
        with sessions.writing(store) as session:
            migrated = session.migrated
    restored = Restored(
        manifest=manifest,
        signed=signed,
        kept=store.root / plan.aside if plan.kept else None,
        files_back=plan.back,
        files_there=plan.there,
        migrated=migrated,
    )
    return restored, carry_out(store, RestoreDone(store, restored))


class _Count:
    """Add up bytes for a bar."""

    def __init__(self, progress: Callable[[int, int], None]) -> None:
        self._progress = progress
        self._done = 0
        self._total = 0

    def begin(self, total: int) -> None:
        """Begin anew."""
        self._done, self._total = 0, total

    def __call__(self, count: int) -> None:
        self._done += count
        self._progress(self._done, max(self._total, self._done))


def _settle(store: Store) -> None:
    """End what is open in the catalog that will be replaced and empty its log, if it can still be opened."""
    try:
        if require_database(store):
            with sessions.writing(store, migrate=False) as session:
                _empty_log(session.connection)
    except CatalogLocked:
        raise
    except OntofetchError as error:
        _log.warning("what will be replaced can't be opened any more: %s", str(error).splitlines()[0])


def _empty_log(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    try:
        fsops.checkpoint(connection)
    except duckdb.Error as error:
        # the log is kept with its database: together they still hold all of it
        _log.warning("the log of what will be replaced could not be emptied: %s", str(error).splitlines()[0])


def _unpack(store: Store, source: Source, manifest: m.Manifest, count: _Count) -> None:
    """Write what belongs into the store beside it, with its hashes checked once more."""
    beside = store.path(RESTORING)
    # what a restore that was killed has left; nobody else is restoring now
    whole.remove_tree(beside)
    fsops.make_folder(beside)
    free = fsops.free_bytes(store.root)
    if free < manifest.size_bytes:
        raise BackupRefused(
            f"The backup needs {manifest.size_bytes:,} bytes, but only {free:,} are free below {store.root}.",
            subject=str(store.root),
            hint="Free some space and run the same command again.",
        )
    roll = m.FileList()
    made = [beside]
    for file in source.files():
        if file.path in (m.FILES, m.MANIFEST, m.SIGNATURE):
            continue
        with file.open() as stream:
            if file.path.startswith(m.STORE):
                target = beside / file.path.removeprefix(m.STORE)
                made += whole.make_folders(target.parent)
                found = whole.write_new(target, iter(lambda: stream.read(fsops.CHUNK), b""))
                fsops.set_times(target, file.modified_ns)
            else:
                found = hash_stream(stream, lambda _: None)
        count(found[1])
        roll.add(file.path, *found)
    if roll.sha256 != manifest.files_sha256:
        raise BackupRefused(
            "The backup changed while it was read.", hint="Nothing was touched. Run the same command again."
        )
    for folder in reversed(made):
        fsops.sync_folder(folder)


def _check_database(store: Store, manifest: m.Manifest) -> None:
    """Check that the unpacked catalog can be used by this installation and is the one that the manifest tells of."""
    connection = open_connection(store, read_only=True, path=store.path(f"{RESTORING}/{DATABASE}"))
    try:
        pending = pending_migrations(connection)
        with opened_new(available_migrations()[: -len(pending) or None]) as fresh:
            # what is not there would be missed when it has taken its place
            lacking = row_checks.list_columns(fresh) - row_checks.list_columns(connection)
        if lacking:
            table, column = min(lacking)
            raise BackupRefused(
                f"The catalog in the backup has no column {column} in a table {table}, and its schema has.",
                subject=m.MANIFEST,
                hint="Nothing was touched; use another backup.",
            )
        found = events.last_event(connection)
    finally:
        connection.close()
    if found != (manifest.events, manifest.digest):
        raise CatalogBehind(
            "The catalog in the backup is not the one that its manifest tells of.",
            subject=m.MANIFEST,
            hint="Nothing was touched; use another backup.",
        )


class _Plan:
    """The moves of one restore: what is live leaves for a backup of its own, what is missing comes back."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.aside = f"{BACKUPS}/{datetime.now(UTC).strftime(TIMESTAMP)}-before-restore"
        self.moves: list[journal.Move] = []
        self.kept = self.back = self.there = 0

    def collect(self) -> None:
        """Look at the disk and say what moves where."""
        for path in _LIVE:
            if self._store.path(path).exists():
                self._add(path, f"{self.aside}/{os.path.basename(path)}")
                self.kept += 1
        for path in (DATABASE, GENERATION):
            self._add(f"{RESTORING}/{path}", path)
        self._put_back("")

    def _put_back(self, folder: str) -> None:
        """Put back what is missing in one folder of the store: the fewest renames."""
        for name, kind in self._store.path(f"{RESTORING}/{folder}".rstrip("/")).entries():
            path = f"{folder}/{name}".lstrip("/")
            if path == CATALOG:
                self._put_back_terms()
                continue
            there = self._store.path(path)
            if not there.exists():
                self._add(f"{RESTORING}/{path}", path)
                self.back += 1
            elif kind != stat.S_IFDIR:
                self.there += 1
            elif not there.is_dir():
                raise BackupRefused(
                    f"{quote(path)} below {self._store.root} is a link or no folder: nothing can be put there.",
                    subject=path,
                    hint="Nothing was touched. Move it away and run the same command again.",
                )
            else:
                self._put_back(path)

    def _put_back_terms(self) -> None:
        """Put back what is missing of the tables of terms, all that a backup has of the catalog's folder but itself."""
        if not self._store.path(f"{RESTORING}/{FACTS}").is_dir():
            return
        if self._store.path(FACTS).exists():
            self._put_back(FACTS)
        else:
            self._add(f"{RESTORING}/{FACTS}", FACTS)
            self.back += 1

    def _add(self, source: str, target: str) -> None:
        self.moves.append(swap.make_move(self._store, source, target))

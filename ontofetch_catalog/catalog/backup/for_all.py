"""A backup that is brought back in a copy of a shared catalog: for all machines, by one boundary in the log.

Rows and paths of the event that it was made at are made once more from the log; what differs by now is changed back. Of
the backup itself nothing is needed but the event, and the bytes that are no longer among the objects.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import BACKUPS, DATABASE, GENERATION
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import BackupRefused, OntofetchError, PreconditionFailed
from .. import fsops, journal, sessions
from ..boundaries.boundary import Recorded
from ..boundaries.engine import BoundaryResult, carry_out
from ..connection import Store, open_connection
from ..failures import BRING_BACK
from ..fsops import whole
from ..generation import write_generation
from ..joining import bring_back
from ..repo import events, images
from ..shared.address import Address
from ..shared.files_coming import BROUGHT_BACK, FilesComing
from ..shared.log import Log, log_of
from ..shared.log_then import Then
from ..shared.object_store import checked
from ..shared.objects import objects_options, open_objects
from ..shared.packs import Place
from ..shared.places import Put
from ..shared.replica import bring_newest_schema, replay
from . import manifest as m
from .restored import Restored, RestoreDone
from .sources import CHUNK, Source
from .targets import drop_unfinished
from .write import TIMESTAMP

if TYPE_CHECKING:
    import duckdb

    from ..shared.object_store import Buffer

_NAMED = 3  # files that a refusal names


def restore_for_all(
    store: Store, address: Address, source: Source, restored: Restored
) -> tuple[Restored, BoundaryResult]:
    """Bring a shared catalog back to the event of a backup, which was checked; may run again.

    Args:
        store: A copy of it.
        source: The backup.
        restored: What is known of it.

    Raises:
        BackupRefused: The log has not the event, or bytes are nowhere any more; nothing was changed.
        PreconditionFailed: This machine's rows are others than the log has; nothing was changed.
        OntofetchError: The server or the objects do not answer; nothing was changed.
    """
    with log_of(store, address).opened() as log:
        _check_event(log, restored.manifest)
        try:
            # what this machine alone has lost
            bring_back(store)
        except OntofetchError as error:
            if error.hint == BRING_BACK:
                error.hint = "`ontofetch db rebuild` makes this copy anew; then run the same command again."
            raise
        objects = open_objects(address.objects, options=objects_options())
        with _room(store) as room:
            boundary = ForAll(FilesComing(store, log, objects), room, source, restored)
            outcome = carry_out(store, boundary)
    return boundary.restored, outcome


def _check_event(log: Log, manifest: m.Manifest) -> None:
    if log.digest_at(manifest.events) == manifest.digest:
        return
    last = log.head().event_id
    what = f"has no event {manifest.events:,}" if last < manifest.events else f"has another event {manifest.events:,}"
    raise BackupRefused(
        f"The shared catalog at {log.where} {what}: the backup is one of another catalog, or of this one before it was"
        " shared, or the database was brought back from before the backup.",
        subject=m.MANIFEST,
        hint="Nothing was changed. `ontofetch db move --to local` makes this copy a store of its own, in which any "
        "backup can be restored.",
    )


@contextmanager
def _room(store: Store) -> Iterator[StorePath]:
    """Give an empty folder until the end of a `with`; those of dead processes are removed."""
    backups = store.path(BACKUPS)
    whole.make_folders(backups)
    drop_unfinished(backups)
    room = backups / f".restore.{sessions.new_boundary_id()[:8]}.new"
    fsops.make_folder(room)
    held = fsops.hold(room)
    try:
        yield room
    finally:
        whole.remove_tree(room)
        if held is not None:
            os.close(held)


class ForAll(RestoreDone):
    """All rows and files of an event once more; what lies in their place goes into quarantine.

    Args:
        files: What comes from the objects, over a line to the log that nobody else has.
        room: An empty folder.
        source: The backup.
        restored: What is known of it; in the end, what it came to.
    """

    def __init__(self, files: FilesComing, room: StorePath, source: Source, restored: Restored) -> None:
        super().__init__(files.store, restored)
        self._files, self._log, self._source = files, files.log, source
        self._former, self._current = room / "then.duckdb", room / "now" / os.path.basename(DATABASE)
        self._then = Then(self._log)
        self._rows = b""
        self._gone: Sequence[str] = ()
        self._coming: Sequence[Put] = ()
        self._places: Mapping[str, Place] = {}
        self._staged: Sequence[tuple[str, str]] = ()
        self._folder = ""

    def settle(self) -> None:
        """Make rows and paths of the event, and the rows of now, from the log, as long as nobody has to wait for it."""
        with self._opened(self._former) as former:
            replay(self._log, former, self.restored.manifest.events, moved=self._then.take)
        fsops.make_folder(self._current.parent)
        whole.copy_file(self._former, self._current)
        with self._opened(self._former) as former:
            bring_newest_schema(former)
        with self._opened(self._current) as current:
            self._follow(current)

    @contextmanager
    def _opened(self, path: StorePath) -> Iterator[duckdb.DuckDBPyConnection]:
        with closing(open_connection(self.store.bounded(), read_only=False, path=path)) as connection:
            yield connection
            # what is in its log would not come along with the file
            fsops.checkpoint(connection)

    def _follow(self, current: duckdb.DuckDBPyConnection) -> None:
        replay(self._log, current, self._log.head().event_id, after=events.last_event(current)[0])

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Find out what differs from the event, while nobody else writes, and fetch it; return whether anything does.

        Raises:
            BackupRefused: Bytes are neither among the objects nor in the backup.
            PreconditionFailed: This machine's rows are others than the log has.
        """
        tables = list(images.KEYS)
        now = images.states_of(connection, tables)
        with self._opened(self._current) as current:
            self._follow(current)
            if images.states_of(current, tables) != now:
                raise PreconditionFailed(
                    "Rows here are not what the shared catalog says.",
                    subject=str(self.store.root),
                    hint="`ontofetch db rebuild` makes this copy anew from the log; then run the same command again.",
                )
            write_generation(
                self.store, *events.last_event(current), path=self._current.with_name(os.path.basename(GENERATION))
            )
        with self._opened(self._former) as former:
            changed = images.changed_keys(now, images.states_of(former, tables))
            self._rows = images.pack(former, changed, self.restored.manifest.events)
        self._gone, self._coming = self._then.gone(), self._then.coming()
        # what a sweep has condemned is there until a later one, which would need the log; its bytes are put anew
        self._places = self._log.places(sorted({put.sha256 for put in self._coming}), condemned=True)
        self._check_bytes()
        self._stage()
        self.restored = replace(self.restored, files_there=self._then.count() - len(self._coming))
        return bool(changed or self._gone or self._coming)

    def _check_bytes(self) -> None:
        """Check that what comes is among the objects, or in the backup."""
        lost = self._lost()
        if not lost:
            return
        names = {file.path for file in self._source.files()}
        given = {put.sha256 for path, put in lost.items() if path in names}
        left = [put.path for put in lost.values() if put.sha256 not in given]
        if left:
            named = ", ".join(map(quote, left[:_NAMED])) + (" …" if len(left) > _NAMED else "")
            raise BackupRefused(
                f"The bytes of {len(left):,} files of the backup are neither among the objects at "
                f"{quote(self._log.address.objects)} any more, nor in the backup: {named}.",
                subject=left[0],
                hint="Nothing was changed. Use a backup that is held (`ontofetch db hold` lists them), or one that "
                "was made with --include-data.",
            )

    def _lost(self) -> Mapping[str, Put]:
        """Return what comes and is not among the objects, by its path in a backup."""
        return {m.STORE + put.path: put for put in self._coming if put.sha256 not in self._places}

    def _stage(self) -> None:
        """Bring the bytes into a folder that the next start removes: here an interruption is heard."""
        planned = journal.IntentDraft(self.store, f"{BROUGHT_BACK}{os.urandom(8).hex()}")
        planned.displace_all(self._gone, keep=True)
        self._folder = planned.folder
        try:
            self._staged = list(self._files.fetch(planned, self._coming, self._places, self._given()))
        except BaseException:
            # it may have filled the disk
            with suppress(OSError):
                whole.remove_tree(self.store.path(self._folder))
            raise

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Replace rows, plan the moves, and keep what was there before as a catalog that can be restored."""
        images.take_in(connection, [images.unpack(self._rows)])
        draft.displace_all(self._gone, keep=True)
        if self._staged:
            fsops.rename(self.store.path(self._folder), self.store.path(draft.folder))
            fsops.sync_folder(self.store.intents)
        for source, target in self._staged:
            draft.publish(draft.folder + source.removeprefix(self._folder), target)
        kept = self.store.path(BACKUPS) / f"{datetime.now(UTC).strftime(TIMESTAMP)}-before-restore"
        fsops.sync_folder(self._current.parent)
        fsops.rename(self._current.parent, kept)
        fsops.sync_folder(kept.parent)
        self.restored = replace(self.restored, kept=self.store.root / kept.relpath, files_back=len(self._coming))
        return super().record(connection, draft)

    def _given(self) -> Iterator[tuple[Place, Iterator[Buffer]]]:
        """Yield the contents that only the backup has."""
        lost = self._lost()
        seen: set[str] = set()
        for file in self._source.files() if lost else ():
            put = lost.get(file.path)
            if put is None or put.sha256 in seen:
                continue
            seen.add(put.sha256)
            with file.open() as stream:
                pieces = iter(lambda: stream.read(CHUNK), b"")
                yield (
                    Place(put.sha256, put.size, "", 0),
                    checked(pieces, put.sha256, put.size, lambda _: _damaged(put.path)),  # noqa: B023 - likewise
                )


def _damaged(path: str) -> BackupRefused:
    return BackupRefused(
        f"The file {quote(path)} is damaged in the backup, and its bytes are no longer among the objects.",
        subject=path,
        hint="Nothing was changed; use another backup.",
    )

"""The making of a backup: what goes into it, in which order, under the lock, so that it is one state of the store.

Where it is written to and how it is signed is done by others.
"""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import BackupRefused, BoundaryFailed, UsageError
from .. import fsops, journal, sessions
from ..boundaries.boundary import MaintenanceBoundary, Recorded
from ..boundaries.engine import BoundaryResult, carry_out
from ..connection import Store
from ..failures import explaining
from ..fsops import whole
from ..holding import BackupHold, check_length
from ..repo import events
from . import manifest as m
from . import signing
from .copying import Backup, Copy, Progress
from .sources import check_backup, open_source
from .targets import ARCHIVE, drop_unfinished, open_target

if TYPE_CHECKING:
    import duckdb
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TIMESTAMP = "%Y%m%dT%H%M%S.%fZ"
_log = logging.getLogger("ontofetch.backup")


class BackupDone(MaintenanceBoundary):
    """Record that a backup was made."""

    kind: ClassVar[str] = "backup"

    def __init__(self, store: Store, backup: Backup) -> None:
        super().__init__(store)
        self._backup = backup

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Change nothing; the event is all."""
        del connection, draft
        found = self._backup.manifest
        payload = {
            "name": self._backup.path.name,
            "include_data": found.include_data,
            "files": found.files,
            "signed": self._backup.signed,
            "missing": len(self._backup.missing),
            "damaged": len(self._backup.damaged),
        }
        return Recorded(bytes=found.size_bytes, payload=payload)


def back_up(
    store: Store,
    path: Path | None,
    *,
    include_data: bool,
    key: Path | None,
    progress: Progress,
    hold: float | None = None,
) -> tuple[Backup, BoundaryResult]:
    """Copy the catalog, its documents and with `include_data` its files to a new place; others wait meanwhile.

    Of a copy of a shared catalog, what the backup names is held there, and other machines don't wait.

    Args:
        path: A folder that is not there yet, or a file ending in `.tar.zst`; None: below `.catalog/backups`.
        include_data: Whether artifacts and extracted files are copied, too.
        key: PEM file of the key that signs; None: nobody does.
        progress: Called as bytes are copied.
        hold: For how many seconds the shared catalog is held to keep what the backup names; None: until it is let go.

    Raises:
        UsageError: The path or the key can't be used, or nothing is shared that could be held.
        BoundaryFailed: The disk refuses; nothing is left of the backup.
    """
    signer = signing.load_private_key(key) if key is not None else None
    check_length(store, hold)
    if path is not None and os.path.lexists(path):
        made = _find_unrecorded(store, path, include_data=include_data, signer=signer)
        if made is not None:
            found = BackupHold(made.path, hold)
            found.take_for(store, made.manifest.events)
            made.held_as = found.name
            return made, carry_out(store, BackupDone(store, made))
    now = datetime.now(UTC)
    target_path = _checked(store, path) if path else store.path(layout.BACKUPS) / now.strftime(TIMESTAMP)
    shown = Path(str(target_path))
    backup = Backup(path=shown, manifest=_EMPTY, signed=signer is not None)
    boundary = BackupDone(store, backup)
    written = explaining(
        f"The backup {quote(shown)} could not be written",
        database=store.database,
        kind=BoundaryFailed,
        subject=str(shown),
        state="Nothing is left of it; --to names another place.",
    )
    held = BackupHold(shown, hold)
    # all rows are checked, of which DuckDB would keep as much as the machine has room for
    with sessions.writing(store.bounded()) as session, written, held.taken(session):
        _write(session, target_path, backup, now, include_data=include_data, signer=signer, progress=progress)
    backup.held_as = held.name
    outcome = carry_out(store, boundary)
    return backup, replace(outcome, recovered=(*session.recovered, *outcome.recovered))


def _write(
    session: sessions.Session,
    target_path: fsops.Anywhere,
    backup: Backup,
    now: datetime,
    *,
    include_data: bool,
    signer: Ed25519PrivateKey | None,
    progress: Progress,
) -> None:
    """Write all of a backup, whose manifest it becomes, and sign it."""
    if isinstance(target_path, StorePath):
        whole.make_folders(target_path.parent)
        drop_unfinished(target_path.parent)
    unique = sessions.new_boundary_id()[:8]
    # a line per file may be more than memory should hold
    with tempfile.SpooledTemporaryFile(max_size=1 << 24) as lines, open_target(target_path, unique) as target:
        copy = Copy(session, target, lines, backup, include_data=include_data, progress=progress)
        encoded = copy.write(now).encode()
        if signer is not None:
            copy.add_bytes(m.SIGNATURE, signer.sign(encoded))


_EMPTY = m.Manifest(
    created_at="", package="", duckdb="", schema_version=0, events=0, digest="", include_data=False,
    files=0, size_bytes=0, files_sha256="",
)  # fmt: skip


def _find_unrecorded(
    store: Store, path: Path, *, include_data: bool, signer: Ed25519PrivateKey | None
) -> Backup | None:
    """Return a backup, as it is asked for, that holds the catalog as it is: its process died before it recorded it."""
    try:
        key = signer.public_key() if signer is not None else None
        found, signed = check_backup(open_source(path), key, lambda _: None)
    except BackupRefused:
        return None
    with sessions.reading(store) as connection:
        last = events.last_event(connection)
    if last != (found.events, found.digest) or (include_data, signer is not None) != (found.include_data, signed):
        return None
    _log.warning("%s was written whole before and is recorded now", quote(path))
    return Backup(path=Path(os.path.abspath(path)), manifest=found, signed=signed)


def _checked(store: Store, path: Path) -> fsops.Anywhere:
    """Return where a backup may be written.

    Raises:
        UsageError: There is something, or it is inside of the store.
    """
    target = Path(os.path.abspath(path))
    if os.path.lexists(target):
        raise UsageError(
            f"There is something called {quote(path)} already.",
            subject=str(path),
            hint="Name a path that is not there.",
        )
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {quote(target.parent)}.", subject=str(path), hint="Make it first.")
    inside = target.parent.resolve() / target.name
    if inside.is_relative_to(store.root.resolve()) and not inside.is_relative_to(store.root.resolve() / layout.BACKUPS):
        raise UsageError(
            f"{quote(path)} is inside of the store.",
            subject=str(path),
            hint="Name a path outside of it, or leave out --to.",
        )
    if target.name.endswith((".tar", ".tgz", ".zip", ".gz", ".zst")) and not target.name.endswith(ARCHIVE):
        raise UsageError(f"{quote(path)} is no kind of backup.", subject=str(path), hint=f"End it in {ARCHIVE}.")
    return target

"""The making of a backup: what goes into it, in which order, under the lock, so that it is one state of the store.

Where it is written to and how it is signed is done by others.
"""

from __future__ import annotations

import io
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import BackupRefused, BoundaryFailed, UsageError
from .. import fsops, journal, migrations, sessions
from ..boundaries.engine import BoundaryResult, MaintenanceBoundary, Recorded, carry_out
from ..connection import Store
from ..failures import explaining
from ..repo import events, fixity, held_facts, latest, listing, row_checks
from ..verify.pages import read_pages
from . import manifest as m
from . import signing
from .sources import check_backup, open_source
from .targets import ARCHIVE, Target, open_target

if TYPE_CHECKING:
    import duckdb
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TIMESTAMP = "%Y%m%dT%H%M%S.%fZ"
# bytes copied so far, bytes in all
Progress = Callable[[int, int], None]
_log = logging.getLogger("ontofetch.backup")


@dataclass(slots=True, kw_only=True)
class Backup:
    """A backup that was made.

    Args:
        path: Where it is.
        manifest: What it says of itself.
        signed: Whether it is signed.
        missing: Root-relative paths of recorded files that were not there or could not be read.
        damaged: Root-relative paths of recorded files with other bytes than recorded; they are in it as they are.
    """

    path: Path
    manifest: m.Manifest
    signed: bool
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


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
    store: Store, path: Path | None, *, include_data: bool, key: Path | None, progress: Progress
) -> tuple[Backup, BoundaryResult]:
    """Copy the catalog, its documents and with `include_data` its files to a new place; others wait meanwhile.

    Args:
        store: Which.
        path: A folder that is not there yet, or a file ending in `.tar.zst`; None: below `.catalog/backups`.
        include_data: Whether artifacts and extracted files are copied, too.
        key: PEM file of the key that signs; None: nobody does.
        progress: Called as bytes are copied.

    Raises:
        UsageError: The path or the key can't be used.
        BoundaryFailed: The disk refuses; nothing is left of the backup.
    """
    signer = signing.load_private_key(key) if key is not None else None
    if path is not None and os.path.lexists(path):
        made = _find_unrecorded(store, path, include_data=include_data, signer=signer)
        if made is not None:
            return made, carry_out(store, BackupDone(store, made))
    now = datetime.now(UTC)
    target_path = _checked(store, path) if path else store.path(layout.BACKUPS) / now.strftime(TIMESTAMP)
    shown = Path(str(target_path))
    backup = Backup(path=shown, manifest=_EMPTY, signed=signer is not None)
    boundary = BackupDone(store, backup)
    unique = sessions.new_boundary_id()[:8]
    written = explaining(
        f"The backup {quote(shown)} could not be written",
        database=store.database,
        kind=BoundaryFailed,
        subject=str(shown),
        state="Nothing is left of it; --to names another place.",
    )
    with sessions.writing(store) as session, written:
        if isinstance(target_path, StorePath):
            fsops.make_folders(target_path.parent)
            _sweep(target_path.parent)
        # a line per file may be more than memory should hold
        with tempfile.SpooledTemporaryFile(max_size=1 << 24) as lines, open_target(target_path, unique) as target:
            copy = _Copy(session, target, lines, backup, include_data=include_data, progress=progress)
            encoded = copy.write(now).encode()
            if signer is not None:
                copy.add_bytes(m.SIGNATURE, signer.sign(encoded))
    outcome = carry_out(store, boundary)
    return backup, replace(outcome, recovered=(*session.recovered, *outcome.recovered))


_EMPTY = m.Manifest(
    created_at="", package="", duckdb="", schema_version=0, events=0, digest="", include_data=False,
    files=0, size_bytes=0, files_sha256="",
)  # fmt: skip


class _Copy:
    """One backup while it is written."""

    def __init__(
        self,
        session: sessions.Session,
        target: Target,
        lines: IO[bytes],
        backup: Backup,
        *,
        include_data: bool,
        progress: Progress,
    ) -> None:
        self._session = session
        self._store = session.store
        self._target = target
        self._backup = backup
        self._include_data = include_data
        self._progress = progress
        self._roll = m.FileList()
        self._lines = lines
        self._total = 0

    def write(self, now: datetime) -> m.Manifest:
        """Copy everything but the signature; return the manifest."""
        import duckdb

        connection = self._session.connection
        row_checks.refuse_invalid(connection)
        number, digest = events.last_event(connection)
        schema = max(migrations.applied_migrations(connection))
        _, data_bytes, _ = fixity.sum_recent(connection, fixity.Scope(), sessions.utc_now())
        # the file may only be copied while no connection of this process has it open
        fsops.checkpoint(connection)
        fsops.close_database(connection)
        self._total = self._store.database.lstat().st_size + (data_bytes if self._include_data else 0)
        self._check_space()
        for name in (layout.DATABASE, layout.GENERATION):
            self._copy(name)
        self._session.connection = sessions.reopened(self._store)
        self._copy_documents()
        self._copy_all(self._terms())
        if self._include_data:
            self._copy_all(self._data())
        for entry in _schemas():
            self._add(m.SCHEMAS + entry.name, io.BytesIO(entry.read_bytes()), len(entry.read_bytes()), 0)
        size = self._lines.tell()
        self._lines.seek(0)
        self._target.add(m.FILES, self._lines, size, 0)
        self._backup.manifest = m.Manifest(
            created_at=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
            package=version("ontofetch-catalog"),
            duckdb=duckdb.__version__,
            schema_version=schema,
            events=number,
            digest=digest,
            include_data=self._include_data,
            files=self._roll.files,
            size_bytes=self._roll.size_bytes,
            files_sha256=self._roll.sha256,
        )
        self.add_bytes(m.MANIFEST, self._backup.manifest.encode())
        return self._backup.manifest

    def add_bytes(self, path: str, data: bytes) -> None:
        """Write one of the backup's own files, which stand in no list."""
        self._target.add(path, io.BytesIO(data), len(data), 0)

    def _check_space(self) -> None:
        free = fsops.free_bytes(self._backup.path.parent)
        if free < self._total:
            raise UsageError(
                f"The backup needs up to {self._total:,} bytes, but only {free:,} are free where it should be written.",
                subject=str(self._backup.path),
                hint="Free some space, name another place with --to, or leave out --include-data.",
            )

    def _copy_documents(self) -> None:
        connection = self._session.connection
        for _, folder, name_of_layout in listing.list_folders(connection):
            for name in layout.documents_of(name_of_layout):
                # an audit is there once there was something to audit; doctor names what should be there and is not
                self._copy_document(f"{folder}/{name}")
        for slot in latest.list_newest(connection)["slot"].to_pylist():
            self._copy_document(layout.latest_file(slot))

    def _copy_document(self, path: str) -> None:
        try:
            self._copy(path)
        except FileNotFoundError:
            return
        except OSError as error:
            _log.warning("%s is not in the backup: %s", quote(path), error.strerror)
            self._backup.missing.append(path)

    def _copy_all(self, files: Iterable[tuple[str, str]]) -> None:
        for path, content in files:
            try:
                found = self._copy(path)
            except OSError as error:
                _log.warning("%s is not in the backup: %s", quote(path), error.strerror)
                self._backup.missing.append(path)
                continue
            if found != content:
                _log.warning("%s is damaged, and in the backup as it is", quote(path))
                self._backup.damaged.append(path)

    def _terms(self) -> Iterator[tuple[str, str]]:
        """Yield (root-relative path, recorded sha256) of all tables of terms."""
        found = held_facts.list_tables(self._session.connection)
        yield from zip(found["table_path"].to_pylist(), found["table_sha256"].to_pylist(), strict=True)

    def _data(self) -> Iterator[tuple[str, str]]:
        """Yield (root-relative path, recorded sha256) of all recorded files."""
        connection, scope = self._session.connection, fixity.Scope()
        groups = fixity.plan_groups(connection, scope)
        for page in read_pages(
            groups, lambda group, after, rows: fixity.read_page(connection, scope, group, after=after, rows=rows)
        ):
            yield from zip(page["path"].to_pylist(), page["content"].to_pylist(), strict=True)

    def _copy(self, path: str) -> str:
        descriptor = self._store.path(path).open_file()
        with os.fdopen(descriptor, "rb") as stream:
            state = os.fstat(descriptor)
            return self._add(m.STORE + path, stream, state.st_size, state.st_mtime_ns)

    def _add(self, path: str, stream: IO[bytes], size: int, modified_ns: int) -> str:
        sha256, found = self._target.add(path, stream, size, modified_ns)
        self._lines.write(self._roll.add(path, sha256, found))
        self._progress(self._roll.size_bytes, self._total)
        return sha256


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


def _sweep(folder: StorePath) -> None:
    """Remove what backups that were killed have left; nobody else is writing one here now."""
    for name in folder.names():
        if name.startswith(".") and name.endswith(".new"):
            fsops.remove_tree(folder / name)


def _schemas() -> list[Traversable]:
    """Return the JSON schemas of the documents: inside an installed package, in the docs of a checkout."""
    package = files("ontofetch_catalog")
    for folder in (package / "schemas", Path(str(package)).parent / "docs" / "schemas"):
        if folder.is_dir():
            return sorted(
                (entry for entry in folder.iterdir() if entry.name.endswith(".json")), key=lambda entry: entry.name
            )
    return []

"""The copying of a catalog, of the documents beside the releases and of their files into a new backup."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import UsageError
from .. import fsops, migrations, sessions
from ..repo import events, fixity, held_facts, latest, listing, row_checks
from ..verify.pages import read_pages
from . import manifest as m
from .targets import Target

# bytes copied so far, bytes in all
Progress = Callable[[int, int], None]
_log = logging.getLogger("ontofetch.backup")


@dataclass(slots=True, kw_only=True)
class Backup:
    """A backup that was made.

    Args:
        manifest: What it says of itself.
        signed: Whether it is signed.
        missing: Root-relative paths of recorded files that were not there or could not be read.
        damaged: Root-relative paths of recorded files with other bytes than recorded; they are in it as they are.
        held_as: Under which name a shared catalog is held to keep what it names; empty where none is shared.
    """

    path: Path
    manifest: m.Manifest
    signed: bool
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    held_as: str = ""


class Copy:
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
            groups,
            lambda group, after, rows, many: fixity.read_page(
                connection, scope, group, after=after, rows=rows, many=many
            ),
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


def _schemas() -> list[Traversable]:
    """Return the JSON schemas of the documents: inside an installed package, in the docs of a checkout."""
    package = files("ontofetch_catalog")
    for folder in (package / "schemas", Path(str(package)).parent / "docs" / "schemas"):
        if folder.is_dir():
            return sorted(
                (entry for entry in folder.iterdir() if entry.name.endswith(".json")), key=lambda entry: entry.name
            )
    return []

"""The catalog that a restore or a rebuild has replaced, read as a backup: its database and its record, nothing else.

Whether the database can be used is found out by who restores it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from ontofetch_hookspecs.layout import DATABASE, GENERATION
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import BackupRefused
from . import manifest as m
from .sources import File, hash_stream, open_below

_PLACES = {m.STORE + path: os.path.basename(path) for path in (DATABASE, GENERATION)}
_LOG = f"{os.path.basename(DATABASE)}.wal"


def is_kept(path: Path) -> bool:
    """Say whether a folder holds a catalog that was replaced, and no backup."""
    names = set(StorePath(path, "").names())
    return names.issuperset(_PLACES.values()) and names.isdisjoint((m.FILES, m.MANIFEST))


class KeptSource:
    """Read a catalog that was replaced; its manifest is made of what its own record says.

    Raises:
        BackupRefused: It can't be read, or its log was never written into its database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if StorePath(path, _LOG).exists():
            raise BackupRefused(
                f"The catalog in {quote(path)} could not be opened when it was replaced: its log is beside it.",
                subject=str(path),
                hint="Nothing was touched. `ontofetch db rebuild` makes a catalog of what lies on the disk.",
            )

    def files(self) -> Iterator[File]:
        """Yield database and record, then what a backup would have said of them."""
        roll = m.FileList()
        lines = b""
        for path, name in _PLACES.items():
            opening = partial(open_below, self._path, name)
            with opening() as stream:
                sha256, size = hash_stream(stream, lambda _: None)
            lines += roll.add(path, sha256, size)
            yield File(path, StorePath(self._path, name).lstat().st_mtime_ns, opening, sha256)
        yield _made(m.FILES, lines)
        yield _made(m.MANIFEST, self._manifest(roll).encode())

    def _manifest(self, roll: m.FileList) -> m.Manifest:
        record = StorePath(self._path, _PLACES[m.STORE + GENERATION])
        try:
            said: Any = record.read_json()
            events, digest = int(said["events"]), str(said["digest"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackupRefused(
                f"The record {record.name} in {quote(self._path)} can't be read: {error}.",
                subject=str(self._path),
                hint="Nothing was touched; use another backup.",
            ) from error
        replaced = datetime.fromtimestamp(record.lstat().st_mtime, UTC)
        return m.Manifest(
            created_at=f"{replaced:%Y-%m-%dT%H:%M:%SZ}",
            package="",
            duckdb="",
            schema_version=0,
            events=events,
            digest=digest,
            include_data=False,
            files=roll.files,
            size_bytes=roll.size_bytes,
            files_sha256=roll.sha256,
        )


def _made(path: str, data: bytes) -> File:
    def opened() -> AbstractContextManager[BytesIO]:
        return BytesIO(data)

    return File(path, 0, opened)

"""The list of what lies below `.catalog/backups`: backups, and catalogs that a migration or a restore replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.layout import BACKUPS
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import BackupRefused
from .. import fsops
from ..connection import Store
from . import manifest as m
from .targets import ARCHIVE

if TYPE_CHECKING:
    import pyarrow as pa


def list_backups(store: Store) -> pa.Table:
    """Return name, kind, created_at, events, include_data, signed, files, disk_bytes; newest first. Never writes.

    kind is `backup`, `archive` (told of by its name only), or what replaced the catalog: `migration`, `restore`.
    """
    import pyarrow as pa

    folder = store.path(BACKUPS)
    names = folder.names()[::-1]
    rows = [_describe(folder / name) for name in names if not name.startswith(".")]
    schema = pa.schema(
        [
            ("name", pa.string()),
            ("kind", pa.string()),
            ("created_at", pa.string()),
            ("events", pa.int64()),
            ("include_data", pa.bool_()),
            ("signed", pa.bool_()),
            ("files", pa.int64()),
            ("disk_bytes", pa.int64()),
        ]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def _describe(path: StorePath) -> dict[str, Any]:
    row: dict[str, Any] = {"name": path.name, "disk_bytes": sum(_sizes(path))}
    if path.name.endswith(ARCHIVE):
        return {**row, "kind": "archive"}
    if "-before-" in path.name:
        return {**row, "kind": "restore" if path.name.endswith("-before-restore") else "migration"}
    try:
        found = m.decode((path / m.MANIFEST).read_bytes(m.MOST_MANIFEST_BYTES))
    except (OSError, BackupRefused):
        return {**row, "kind": "unreadable"}
    return {
        **row,
        "kind": "backup",
        "created_at": found.created_at,
        "events": found.events,
        "include_data": found.include_data,
        "signed": (path / m.SIGNATURE).exists(),
        "files": found.files,
    }


def _sizes(path: StorePath) -> Iterator[int]:
    if path.is_dir():
        yield from (state.st_size for _, state in fsops.walk(path))
    else:
        yield path.lstat().st_size

"""Own the check of contents: which files are hashed, on all cores when there are many, and what is said of a fault.

How a file is read is the affair of the processes that hash; what is recorded of a verification is not changed here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.layout import known_layouts

from .. import effects
from ..connection import Store
from ..repo import comparison, fixity
from ..verify import hasher
from ..verify.pages import PORTION_BYTES, portions
from ..verify.pool import Pool
from .findings import Findings

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FEW = 64  # so many small files are hashed sooner than processes have started
Progress = Callable[[int, int], None]


def check_contents(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    findings: Findings,
    *,
    progress: Progress | None = None,
    only: Sequence[str] | None = None,
) -> None:
    """Hash every file that lies there with its size, or `only` these paths; call `check_files` before.

    Args:
        store: The store.
        connection: Its catalog, with a filled listing.
        findings: Collects.
        progress: Called with the bytes read, and how many there are.
        only: Paths below the root.
    """
    found = comparison.list_contents(connection, layouts_table())
    if only is not None:
        found = _at(found, only)
    _check(store, connection, findings, found, progress)


def check_suspects(
    store: Store, connection: duckdb.DuckDBPyConnection, findings: Findings, *, progress: Progress | None = None
) -> None:
    """Hash the files that a verification found damaged and none found intact since; call `check_files` before.

    Args:
        store: The store.
        connection: Its catalog, with a filled listing.
        findings: Collects.
        progress: Called with the bytes read, and how many there are.
    """
    import pyarrow.compute as pc

    suspects = fixity.list_suspects(connection)
    if suspects:
        found = _at(comparison.list_contents(connection, layouts_table()), suspects)
        _check(store, connection, findings, found.filter(pc.is_null(found["verified_at"])), progress)


def layouts_table() -> pa.Table:
    """Return the known layouts as a table: name, source, data."""
    import pyarrow as pa

    return pa.table(
        {name: pa.array([getattr(layout, name) for layout in known_layouts()]) for name in ("name", "source", "data")}
    )


def _at(found: pa.Table, paths: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    return found.filter(pc.is_in(found["path"], value_set=pa.array(list(paths), pa.string())))


def _check(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    findings: Findings,
    files: pa.Table,
    progress: Progress | None,
) -> None:
    for row, fault in _faults(store, files, progress):
        part, path, version_id = row["part"], row["path"], row["version_id"]
        restorable = comparison.is_restorable(connection, version_id, part, row["content"])
        findings.add(
            "CAT016",
            path,
            f"The {part} {path} {_told(row, fault)}.",
            version_id=version_id,
            fix="restore" if restorable else None,
            unsafe=["fail" if part == "artifact" else "accept"],
        )


def _told(row: Mapping[str, Any], fault: Mapping[str, Any]) -> str:
    """Return what is wrong with a file as the end of a sentence."""
    if fault["outcome"] == hasher.DAMAGED:
        if fault["found"] is None:
            return f"has {fault['found_bytes']:,} bytes, its row says {row['size_bytes']:,}"
        return f"has the sha256 {fault['found']}, its row says {row['content']}"
    return f"can't be read: {fault.get('reason') or 'it is not there any more'}"


def _faults(
    store: Store, files: pa.Table, progress: Progress | None
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield the row and the fault, as `hasher.look` says it, of each file that is not what its row says."""
    import pyarrow.compute as pc

    total = pc.sum(files["size_bytes"]).as_py() or 0
    done = 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    if len(files) <= FEW and total <= PORTION_BYTES:
        yield from _faults_here(store, files, read)
        return
    columns = ("path", "content", "size_bytes")
    lists = ((part, *(part[name].to_pylist() for name in columns)) for part in portions(files))
    with Pool["pa.Table"](store.root, 0, read) as pool:
        for answer in pool.run(lists, lambda: False):
            for fault in answer.faults:
                yield answer.name.slice(fault["number"], 1).to_pylist()[0], fault


def _faults_here(
    store: Store, files: pa.Table, read: Callable[[int], None]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    root = effects.open_root(store.root)
    folders = hasher.Folders(root)
    try:
        for row in files.to_pylist():
            fault = hasher.look(folders, row["path"], row["content"], row["size_bytes"], read)
            if fault is not None:
                yield row, fault
    finally:
        folders.close()
        os.close(root)

"""The check of contents: which files are hashed, on all cores when there are many, and what is said of a fault.

The catalog is open while a page of files is read, not while they are hashed. How a file is read is the affair of the
processes that hash; what is recorded of a verification is not changed here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import known_layouts
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import relpath_fault

from .. import fsops, sessions
from ..connection import Store
from ..repo import comparison, fixity, releases
from ..verify import hasher
from ..verify.boundary import confirm
from ..verify.pages import PORTION_BYTES, HashList, Pages, as_faults, as_lists, faults_schema, page_schema
from ..verify.pool import Pool
from ..walk import stat_paths
from .findings import Findings
from .housekeeping import check_intents

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FEW = 64  # so many small files are hashed sooner than processes have started
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Unhashed:
    """What is to be hashed.

    Args:
        lists: The files in portions, read from the catalog as they are asked for.
        files, size_bytes: How many, and their size.
    """

    lists: Iterator[HashList]
    files: int
    size_bytes: int


def plan_all(store: Store, connection: duckdb.DuckDBPyConnection) -> Unhashed:
    """Return every recorded file of the releases whose folder can be one; its lists outlast the connection."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = {layout.name for layout in known_layouts()}
    usable = [
        row.version_id
        for row in releases.list_versions(connection)
        if row.layout in known and not relpath_fault(row.fs_relpath)
    ]
    groups = fixity.plan_groups(connection, fixity.Scope())
    groups = groups.filter(pc.is_in(groups["version_id"], value_set=pa.array(usable, pa.string())))
    pages = Pages(fixity.Scope(), lambda: sessions.inspecting(store))
    size = pc.sum(groups["size_bytes"]).as_py() or 0
    return Unhashed(pages.lists(groups), pc.sum(groups["files"]).as_py() or 0, size)


def plan_suspects(store: Store, connection: duckdb.DuckDBPyConnection) -> Unhashed:
    """Return the files that a verification found damaged and none found intact since; call `check_files` before.

    One that has several names is suspect by all of them, in whatever release.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    named = fixity.list_suspects(connection)
    if not len(named):
        # all rows would be joined with all of the listing for nothing
        return _these(page_schema().empty_table())
    suspects = comparison.list_contents(connection, layouts_table(), named)
    suspects = suspects.filter(pc.is_null(suspects["verified_at"]))
    equals = comparison.list_contents(connection, layouts_table(), suspects.select(["content"]), by="content")
    known = set(_identities(store, suspects)) - {None}
    same = [identity in known for identity in _identities(store, equals)]
    return _these(equals.filter(pa.array(same, pa.bool_())))


def _identities(store: Store, files: pa.Table) -> list[tuple[int, int] | None]:
    """Return device and inode of each file, None of one that is not there."""
    found = stat_paths(store, files["path"].to_pylist())
    return [None if entry is None else (entry.device, entry.inode) for entry in found]


def check_contents(
    store: Store, unhashed: Unhashed, findings: Findings, *, at_fault: pa.Array, progress: Progress | None = None
) -> list[str]:
    """Hash what was planned, while others use the catalog; then tell what is at fault and was not changed meanwhile.

    Return the paths that an open boundary may still move, of a process that has died since as well.

    Args:
        unhashed: What is to be hashed.
        at_fault: Paths below the root of which is known that they don't lie there as recorded.
        progress: Called with the bytes read, and how many there are.
    """
    import pyarrow.compute as pc

    faults = _hash(store, unhashed, progress)
    faults = faults.filter(pc.invert(pc.is_in(faults["path"], value_set=at_fault)))
    if not len(faults):
        return []
    with sessions.inspecting(store) as connection:
        findings.add_table("CAT016", comparison.describe_damage(connection, confirm(store, connection, faults)))
        return check_intents(store, Findings())


def check_these(store: Store, connection: duckdb.DuckDBPyConnection, findings: Findings, paths: Sequence[str]) -> None:
    """Hash these files, paths below the root, while the catalog stays open; call `check_files` before."""
    import pyarrow as pa

    named = pa.table({"path": pa.array(list(paths), pa.string())})
    faults = _hash(store, _these(comparison.list_contents(connection, layouts_table(), named)))
    findings.add_table("CAT016", comparison.describe_damage(connection, faults))


def layouts_table() -> pa.Table:
    """Return the known layouts as a table: name, source, data."""
    import pyarrow as pa

    return pa.table(
        {name: pa.array([getattr(layout, name) for layout in known_layouts()]) for name in ("name", "source", "data")}
    )


def _these(files: pa.Table) -> Unhashed:
    import pyarrow.compute as pc

    return Unhashed(as_lists(files), len(files), pc.sum(files["size_bytes"]).as_py() or 0)


def _hash(store: Store, unhashed: Unhashed, progress: Progress | None = None) -> pa.Table:
    """Return the faults, columns as in `faults_schema`, of the files that are not what their rows say."""
    import pyarrow as pa

    done = 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, unhashed.size_bytes)

    nothing = faults_schema().empty_table()
    if unhashed.files <= FEW and unhashed.size_bytes <= PORTION_BYTES:
        return pa.concat_tables([nothing, *(_hash_here(store, files, read) for files in unhashed.lists)])
    with Pool["pa.Table"](store.root, 0, read) as pool:
        answers = pool.run(unhashed.lists, lambda: False)
        return pa.concat_tables(
            [nothing, *(as_faults(answer.name, answer.faults) for answer in answers if answer.faults)]
        )


def _hash_here(store: Store, files: HashList, read: Callable[[int], None]) -> pa.Table:
    """Return what the processes that hash would answer, as rows."""
    table, *columns = files
    root = fsops.open_root(store.root)
    folders = hasher.Folders(root)
    try:
        seen = hasher.Seen()
        looked = [
            hasher.look(folders, path, content, size, read, seen=seen)
            for path, content, size in zip(*columns, strict=True)
        ]
    finally:
        folders.close()
        os.close(root)
    return as_faults(table, [{"number": number, **fault} for number, fault in enumerate(looked) if fault is not None])

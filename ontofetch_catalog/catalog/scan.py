"""The walk over the store: what lies below the folders whose layout we know, listed for comparison with the rows.

It never writes and never follows a link, also if the tree changes under it; what becomes of what it finds is decided
elsewhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import layout as layouts
from ontofetch_hookspecs.json_documents import parse_json
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import SEGMENT, check_relpath
from ontofetch_hookspecs.store_paths import MAX_DOCUMENT

from ..errors import EventError
from . import fsops
from .connection import Store
from .repo import listing
from .walk import ScanErrors, as_text, is_store, walk_folder, within_calendar

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH_ROWS = 1 << 14


@dataclass(frozen=True, slots=True)
class Place:
    """One release's folder that a scan looks into.

    Args:
        folder: Its path below the root.
        layout: Names its folders of sources and data.
        version_id: The release that is recorded there; empty if none is and only its manifest says what it was.
    """

    folder: str
    layout: layouts.Layout
    version_id: str = ""

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Return (folder as on disk, folder in native spelling) of sources and data, below the root."""
        names = ((getattr(self.layout, part), getattr(layouts.NATIVE, part)) for part in ("source", "data"))
        return tuple((f"{self.folder}/{real}", f"{self.folder}/{native}") for real, native in names)


@dataclass(slots=True)
class Scan:
    """What a scan looked at; the entries themselves are in the temporary listing of its connection.

    Args:
        places: The releases looked into.
        entries: Number of entries listed, folders not counted.
        bytes: Their size in bytes; 0 if it was not asked for.
        skipped: (path below the root, reason) of what has a layout that is not known or is no folder of its own.
        obstacles: What could not be read, and roots of other catalogs.
    """

    places: list[Place] = field(default_factory=list)
    entries: int = 0
    bytes: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    obstacles: ScanErrors = field(default_factory=ScanErrors)

    def native_path(self, path: str) -> str | None:
        """Return a path below the root in native spelling; None where it lies in no release's sources or data."""
        for place in self.places:
            for real, native in place.parts:
                if path.startswith(f"{real}/"):
                    return native + path.removeprefix(real)
        return None


def scan(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    *,
    within: str | None = None,
    sizes: bool = True,
    adopted: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Scan:
    """List the store into the temporary listing of `connection`, which may be one that only reads; never writes.

    Args:
        store: The store; the caller holds its gate, so that no boundary is half way.
        within: Only the release whose folder holds this path below the root.
        sizes: Whether to look at each file's size and time; orphans are known by their names alone.
        adopted: Whether what no row names counts also in the folders of another program, where a layout is shared.
        progress: Called with the number of entries found so far.
    """
    import pyarrow.compute as pc

    listing.create_listing(connection)
    found = Scan()
    root = fsops.open_root(store.root)
    try:
        found.places = [
            place
            for place in _find_places(root, connection, found)
            if within is None or f"{within}/".startswith(f"{place.folder}/")
        ]
        for batch in _list_places(root, found, _with_size if sizes else _without_size):
            listing.add_listing(connection, batch)
            found.entries += batch.num_rows
            found.bytes += pc.sum(batch["size_bytes"]).as_py() or 0
            if progress is not None:
                progress(found.entries)
    finally:
        os.close(root)
    shared = [place.folder for place in found.places if place.layout.shared]
    if shared and not adopted:
        listing.leave_out_unrecorded(connection, shared)
    return found


# --- where to look ----------------------------------------------------------------------------------------------------


def _find_places(root: int, connection: duckdb.DuckDBPyConnection, found: Scan) -> Iterator[Place]:
    known: set[tuple[int, int]] = set()
    for version_id, folder, name in listing.list_folders(connection):
        try:
            check_relpath("folder", folder)
            with suppress(OSError):
                known.add(_identify(root, folder, found))
            yield Place(folder, layouts.find_layout(name), version_id)
        except EventError as error:
            found.skipped.append((folder, str(error).splitlines()[0]))
    yield from _find_unrecorded(root, known, found)


def _find_unrecorded(root: int, known: set[tuple[int, int]], found: Scan) -> Iterator[Place]:
    """Yield the folders service/ontology/version that no row names and that have a manifest of ours."""
    for service, in_service in _named_folders(root, "", found):
        for ontology, in_ontology in _named_folders(in_service, service, found):
            for version, in_version in _named_folders(in_ontology, f"{service}/{ontology}", found):
                state = os.fstat(in_version)
                # the same folder by another spelling, where the file system folds case, is not another release
                if (state.st_dev, state.st_ino) in known:
                    continue
                folder = f"{service}/{ontology}/{version}"
                told = (_told_layout(in_version, name, folder, found) for name in layouts.manifest_names())
                layout = next(filter(None, told), None)
                if is_store(in_version):
                    found.obstacles.foreign.append(folder)
                if layout is not None:
                    yield Place(folder, layout)


def _named_folders(descriptor: int, path: str, found: Scan) -> Iterator[tuple[str, int]]:
    """Yield (name, descriptor) of the folders inside one that can be a part of a release's path; never a link."""
    if path and is_store(descriptor):
        found.obstacles.foreign.append(path)
        return
    try:
        with os.scandir(descriptor) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError as error:
        found.obstacles.add(path, error)
        return
    for name in names:
        if not SEGMENT.fullmatch(name):
            continue
        try:
            inner = fsops.open_folder(descriptor, name)
        except OSError as error:
            found.obstacles.add(f"{path}/{name}".lstrip("/"), error)
            continue
        try:
            yield name, inner
        finally:
            os.close(inner)


def _told_layout(descriptor: int, name: str, folder: str, found: Scan) -> layouts.Layout | None:
    """Return the layout that a manifest of ours names for the folder it lies in, None if it is none."""
    try:
        manifest = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
        with os.fdopen(manifest, "rb") as stream:
            if not stat.S_ISREG(os.fstat(manifest).st_mode):
                return None
            told: Any = parse_json(stream.read(MAX_DOCUMENT))
        if (told["version_id"], told["fs_relpath"]) != (folder, folder) or not isinstance(told["format"], int):
            return None
        return layouts.find_layout(told["layout"])
    except EventError as error:
        found.skipped.append((folder, str(error).splitlines()[0]))
    except (OSError, ValueError, KeyError, TypeError):
        # a folder without a manifest of ours is nothing that we know
        pass
    return None


def _identify(root: int, folder: str, found: Scan) -> tuple[int, int]:
    """Return device and inode of a release's folder; it may be the root of another catalog as well."""
    descriptor = fsops.open_folder(root, folder)
    try:
        state = os.fstat(descriptor)
        if is_store(descriptor):
            found.obstacles.foreign.append(folder)
    finally:
        os.close(descriptor)
    return state.st_dev, state.st_ino


# --- the walk ---------------------------------------------------------------------------------------------------------

_State = tuple[int | None, int | None, int]  # size, mtime in nanoseconds, mode
_listed = attrgetter("st_size", "st_mtime_ns", "st_mode")


def _with_size(entry: os.DirEntry[str]) -> _State:
    found: _State = _listed(entry.stat(follow_symlinks=False))
    return found


def _without_size(entry: os.DirEntry[str]) -> _State:
    # the folder itself tells the kind, so that nothing but folders has to be asked
    is_file = entry.is_file(follow_symlinks=False)
    return None, None, stat.S_IFREG if is_file else stat.S_IFLNK if entry.is_symlink() else 0


@dataclass(slots=True)
class _Rows:
    """Rows that are being collected, by column: a million times, so no object more than need be."""

    relpaths: list[str] = field(default_factory=list)
    paths: list[str | None] = field(default_factory=list)
    states: list[_State] = field(default_factory=list)


def _list_places(root: int, found: Scan, see: Callable[[os.DirEntry[str]], _State]) -> Iterator[pa.Table]:
    rows = _Rows()
    for place in found.places:
        for real, native in place.parts:
            for relpath, state in walk_folder(root, real, found.obstacles, see, prefix=f"{native}/"):
                rows.relpaths.append(relpath)
                rows.states.append(state)
                if len(rows.states) >= BATCH_ROWS:
                    _add_paths(rows, native, real)
                    yield _as_table(rows)
                    rows = _Rows()
            _add_paths(rows, native, real)
        for path, document in () if place.version_id else _documents(root, place):
            rows.relpaths.append(path)
            rows.paths.append(None)
            rows.states.append(_listed(document))
    if rows.states:
        yield _as_table(rows)


def _add_paths(rows: _Rows, native: str, real: str) -> None:
    """Add, for the rows that have none yet, the path on disk where it is another than the native spelling."""
    missing = rows.relpaths[len(rows.paths) :]
    if native == real:
        rows.paths += [None] * len(missing)
    else:
        rows.paths += [real + relpath.removeprefix(native) for relpath in missing]


def _documents(root: int, place: Place) -> Iterator[tuple[str, os.stat_result]]:
    """Yield (path, lstat) of the documents that the catalog wrote beside a release."""
    try:
        descriptor = fsops.open_folder(root, place.folder)
    except OSError:
        return
    try:
        for name in place.layout.documents:
            with suppress(OSError):
                yield f"{place.folder}/{name}", os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    finally:
        os.close(descriptor)


def _as_table(rows: _Rows) -> pa.Table:
    import pyarrow as pa

    types = [pa.string(), pa.string(), pa.int64(), pa.int64(), pa.uint32()]
    schema = pa.schema(list(zip(("relpath", "path", "size_bytes", "mtime_ns", "mode"), types, strict=True)))
    columns: list[Sequence[Any]] = [rows.relpaths, rows.paths, *zip(*rows.states, strict=True)]
    try:
        return pa.table(columns, schema=schema)
    except (UnicodeEncodeError, OverflowError, pa.ArrowException):
        # names that are not UTF-8, or times beyond the year 2262, are so rare that only their batch pays for them
        columns[0] = [as_text(path) for path in columns[0]]
        columns[1] = [path and as_text(path) for path in columns[1]]
        columns[3] = [time if time is None else within_calendar(time) for time in columns[3]]
        return pa.table(columns, schema=schema)

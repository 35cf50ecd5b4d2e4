"""The equal files that are there, part by part of all contents: which are equal, what they cost, what comes of them.

The catalog is open to read a part and to record a batch; files are looked at and hashed while others use it.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.store_paths import StorePath

from . import fsops, sessions
from .boundaries.engine import BoundaryResult, carry_out
from .boundaries.equal_files import EqualFilesBatch, Job, State
from .connection import Store
from .equal_files import extents, storing, ways
from .kept_folders import KeptFolders
from .repo import equal_files as repo
from .repo import listing, row_checks

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

PART_ROWS = 50_000  # recorded files, of which the equal ones are read at a time
BATCH_FILES = 1_000  # of a boundary
BATCH_BYTES = 64 << 20  # likewise: others wait while they are compared
Tell = Callable[[BoundaryResult], None]
Progress = Callable[[int], None]


@dataclass(slots=True)
class Sum:
    """What has come of the files of one release: how many are stored as others now, their bytes, and those freed."""

    files: int = 0
    size_bytes: int = 0
    freed_bytes: int = 0


@dataclass(slots=True)
class Result:
    """What a run has come to, or would come to; sizes in bytes.

    Args:
        releases: version_id → what has come of its files.
        damaged: (path, version_id, sha256 that the catalog says) of files that were to be equal to others and are not.
        equal_files: Files whose content others have.
        before: Of these, stored as another one already.
        left: Of these, left as they are, with the reason of one: (path, reason).
        left_files: How many.
    """

    releases: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    damaged: list[tuple[str, str, str]] = field(default_factory=list)
    equal_files: int = 0
    before: int = 0
    left: tuple[str, str] | None = None
    left_files: int = 0

    @property
    def total(self) -> Sum:
        """Return the sums over all releases."""
        sums = self.releases.values()
        return Sum(
            sum(item.files for item in sums),
            sum(item.size_bytes for item in sums),
            sum(item.freed_bytes for item in sums),
        )

    def add(self, version_id: str, size: int, freed: int) -> None:
        """Count a file that is stored as another one."""
        mine = self.releases[version_id]
        mine.files += 1
        mine.size_bytes += size
        mine.freed_bytes += freed

    def leave(self, path: str, reason: str) -> None:
        """Count a file that is left as it is."""
        self.left = self.left or (path, reason)
        self.left_files += 1


@dataclass(frozen=True, slots=True)
class _File:
    """A recorded file as it is on the disk; `room` is the same for files that are stored once already."""

    path: str
    version_id: str
    state: State
    room: object
    links: int
    own_bytes: int  # on the disk, that no other file uses


def store_once(store: Store, way: str, *, dry_run: bool, progress: Progress, tell: Tell) -> Result:
    """Store equal contents of the store once.

    An interrupt leaves what is done as it is; the same again goes on.

    Args:
        way: REFLINK or HARDLINK.
        dry_run: Whether only to look, at no file's bytes.
        progress: Called with the number of equal files looked at.
        tell: Called after each batch was committed.

    Raises:
        OntofetchError: The catalog can't be used, or the disk refuses; what was recorded stays.
    """
    with _first(store, dry_run=dry_run) as connection:
        row_checks.refuse_invalid_paths(connection)
        parts = max(1, -(-listing.count_recorded(connection) // PART_ROWS))
    result = Result()
    run = _Run(store, way, result, tell, dry_run=dry_run)
    try:
        for part in range(parts):
            for group in _groups(store, way, part, parts):
                run.take(group)
                progress(result.equal_files)
        run.record()
    finally:
        run.close()
    return result


@contextmanager
def _first(store: Store, *, dry_run: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalog for the first time, as who writes if anything may: a repeat ends what was left open."""
    if dry_run:
        with sessions.reading(store.bounded()) as connection:
            yield connection
        return
    with sessions.writing(store) as session:
        yield session.connection


def _groups(store: Store, way: str, part: int, parts: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each content that several files have."""
    with sessions.reading(store.bounded()) as connection:
        by_kind = ways.by_kind(way)
        found = repo.list_equal(connection, ways.usable_layouts(way), by_kind=by_kind, part=part, parts=parts)
    for _, rows in groupby(_rows_of(found), lambda row: (row["content"], row["size_bytes"], by_kind and row["kind"])):
        yield list(rows)


def _rows_of(found: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in found.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()


class _Run:
    """Look at one group of files after the other, and carry out what is to be done in batches."""

    def __init__(self, store: Store, way: str, result: Result, tell: Tell, *, dry_run: bool) -> None:
        self._store = store
        self._way = way
        self._result = result
        self._tell = tell
        self._dry_run = dry_run
        self._jobs: list[Job] = []
        self._waiting = 0  # bytes of their files
        self._folders = KeptFolders(store.path(""))

    def close(self) -> None:
        """Close what is open."""
        self._folders.close()

    def take(self, rows: list[dict[str, Any]]) -> None:
        """Look at the files of one content, and remember what is to be done with them."""
        content, size = rows[0]["content"], rows[0]["size_bytes"]
        self._result.equal_files += len(rows)
        rooms: dict[object, list[_File]] = defaultdict(list)
        for file in filter(None, (self._look(row, size) for row in rows)):
            rooms[file.room].append(file)
        # who has the most names already keeps its room
        ordered = sorted(rooms.values(), key=len, reverse=True)
        kept = 0 if len(ordered) < 2 or self._dry_run else self._find_intact(ordered, content)
        for place, room in enumerate(ordered[kept:]):
            if not place:
                self._result.before += len(room) - 1
            elif self._dry_run:
                self._foresee(room, size)
            else:
                self._plan(ordered[kept][0], room, content)

    def _look(self, row: dict[str, Any], size: int) -> _File | None:
        path = row["path"]
        try:
            StorePath(self._store.root, path)
            descriptor = self._folders.open(path)
            try:
                found = os.fstat(descriptor)
                mine = extents.extents_of(descriptor) if self._way == ways.REFLINK else None
            finally:
                os.close(descriptor)
        except OSError as error:
            self._result.leave(path, error.strerror or str(error))
            return None
        if found.st_size != size:
            self._result.damaged.append((path, row["version_id"], row["content"]))
            return None
        state = State(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        own = found.st_blocks * 512 if mine is None else mine.own
        room = (found.st_dev, mine.places if mine else found.st_ino)
        return _File(path, row["version_id"], state, room, found.st_nlink, own)

    def _find_intact(self, rooms: list[list[_File]], content: str) -> int:
        """Return the place of the first room whose bytes are what the catalog says; those before it are damaged."""
        for place, room in enumerate(rooms):
            try:
                digest, _ = fsops.hash_file(self._store.path(room[0].path))
            except OSError as error:
                for file in room:
                    self._result.leave(file.path, error.strerror or str(error))
                continue
            if digest == content:
                return place
            self._result.damaged += [(file.path, file.version_id, content) for file in room]
        return len(rooms)

    def _foresee(self, room: list[_File], size: int) -> None:
        """Count what storing the files of a room elsewhere would free: of a file's names, only the last frees it."""
        for number, file in enumerate(room, 1):
            last = self._way == ways.REFLINK or number == file.links
            self._result.add(file.version_id, size, file.own_bytes if last else 0)

    def _plan(self, keeper: _File, room: list[_File], content: str) -> None:
        for file in room:
            self._jobs.append(
                Job(
                    source=keeper.path,
                    source_state=keeper.state,
                    target=file.path,
                    target_state=file.state,
                    version_id=file.version_id,
                    content=content,
                )
            )
            self._waiting += file.state.size
            if len(self._jobs) >= BATCH_FILES or self._waiting >= BATCH_BYTES:
                self.record()

    def record(self) -> None:
        """Carry out what is to be done by now."""
        if not self._jobs:
            return
        batch = EqualFilesBatch(self._store, self._way, self._jobs)
        self._jobs, self._waiting = [], 0
        outcome = carry_out(self._store, batch)
        for job, put in batch.outcomes:
            if put.outcome == storing.Outcome.ONCE:
                self._result.add(job.version_id, job.target_state.size, put.freed)
            elif put.outcome == storing.Outcome.BEFORE:
                self._result.before += 1
            elif put.outcome == storing.Outcome.DIFFERING:
                self._result.damaged.append((job.target, job.version_id, job.content))
            else:
                self._result.leave(job.target, put.reason)
        self._tell(outcome)

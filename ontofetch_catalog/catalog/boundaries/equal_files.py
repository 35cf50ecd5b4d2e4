"""Equal files stored once, within a boundary: those that are staged, and, in batches, those that are there.

What is staged is stored as what is there before anything is made durable, so that it is not written again. It is done
by who writes alone, so that nobody takes away what is there; whatever stands in the way leaves a file as it is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.stage_records import BESIDE
from ontofetch_hookspecs.store_paths import StorePath

from .. import fsops, journal
from ..connection import Store
from ..equal_files import storing, ways
from ..fsops import whole
from ..kept_folders import KeptFolders
from ..repo import equal_files as repo
from . import staged
from .boundary import MaintenanceBoundary, Recorded

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_TAKES_PLACE = "beside"
_FEW = 16  # folders are made durable one by one, more of them with all of the file system
_log = logging.getLogger("ontofetch.catalog")


def store_staged_once(
    store: Store, connection: duckdb.DuckDBPyConnection, version_id: str, folder: StorePath, files: pa.Table
) -> tuple[int, int]:
    """Let staged files be stored as equal ones of the store are, and as each other; return how many, and their bytes.

    Args:
        connection: Its catalog, open for writing.
        folder: Where they are staged.
        files: relpath, file_id, size_bytes, and more.
    """
    done = freed = 0
    way, stage = ways.way_of(store), staged.stage_of(folder)
    if way == ways.OFF or stage is None or not len(files):
        return 0, 0
    held = repo.find_holders(
        connection,
        version_id,
        files.select(["relpath", "file_id", "size_bytes"]),
        ways.usable_layouts(way),
        folder=folder.relpath,
        artifacts=not ways.by_kind(way),
    )
    storer = storing.Storer(store, way, stage / BESIDE)
    differing: list[str] = []
    try:
        for relpath, source, size in zip(*(held[name].to_pylist() for name in held.column_names), strict=True):
            if storer.is_useless:
                break
            put = storer.put(source, f"{folder.relpath}/{relpath}")
            if put.outcome in (storing.Outcome.ONCE, storing.Outcome.BEFORE):
                done += 1
                freed += size
            elif put.outcome == storing.Outcome.DIFFERING:
                differing.append(source)
    finally:
        storer.close()
    if differing:
        _log.warning(
            "%s recorded files don't have the bytes that the catalog says, %s for one, so that nothing of %s is stored"
            " as they are; `ontofetch db verify` says which",
            f"{len(differing):,}",
            quote(differing[0]),
            version_id,
        )
    if done:
        _log.info("%s files of %s are stored already (%s)", f"{done:,}", version_id, way)
    return done, freed


@dataclass(frozen=True, slots=True)
class State:
    """What a file was when it was looked at: device, inode, bytes, and its times in nanoseconds since 1970."""

    device: int
    inode: int
    size: int
    mtime: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file that is to be stored as another one is, both as paths below the root and as they were.

    Args:
        source, source_state: The other one; its content was hashed.
        target, target_state: The file.
        content: The sha256 that the catalog says of both.
    """

    source: str
    source_state: State
    target: str
    target_state: State
    version_id: str
    content: str


class EqualFilesBatch(MaintenanceBoundary):
    """Store some files as equal ones are; no row changes, and no byte of any file.

    Each file is whole before and after its own step, so there is nothing to take back: killed on the way, what is done
    stays done, and what was being made is swept away by who writes next. Which files are equal is the caller's affair.

    Args:
        way: How, as in `ways`.
    """

    kind: ClassVar[str] = "share"

    def __init__(self, store: Store, way: str, jobs: list[Job]) -> None:
        super().__init__(store)
        self._way = way
        self._jobs = jobs
        self.outcomes: list[tuple[Job, storing.Put]] = []

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Do it, file by file, and make it durable."""
        del connection
        whole.make_folders(self.store.path(draft.folder))
        storer = storing.Storer(self.store, self._way, self.store.path(draft.folder) / _TAKES_PLACE)
        folders = KeptFolders(self.store.path(""))
        try:
            self.outcomes = [(job, self._carry_out(storer, folders, job)) for job in self._jobs]
        finally:
            folders.close()
            storer.close()
        done = [(job, put) for job, put in self.outcomes if put.outcome == storing.Outcome.ONCE]
        if self._way == ways.HARDLINK:
            self._make_durable({job.target.rpartition("/")[0] for job, _ in done})
        freed = sum(put.freed for _, put in done)
        return Recorded(bytes=freed, payload={"way": self._way, "files": len(done), "freed_bytes": freed})

    def _carry_out(self, storer: storing.Storer, folders: KeptFolders, job: Job) -> storing.Put:
        try:
            found = [state_of(folders, path) for path in (job.source, job.target)]
        except OSError:
            found = []
        if found != [job.source_state, job.target_state]:
            # somebody else has written since: the next run looks at it
            return storing.Put(storing.Outcome.LEFT, reason="it was changed meanwhile")
        act = storer.put if self._way == ways.HARDLINK else storer.share_room
        return act(job.source, job.target)

    def _make_durable(self, folders: set[str]) -> None:
        if len(folders) > _FEW and fsops.sync_filesystem(self.store.path("")):
            return
        for folder in sorted(folders):
            fsops.sync_folder(self.store.path(folder))


def state_of(folders: KeptFolders, path: str) -> State:
    """Return what a file is now.

    Raises:
        OSError: It is not there, or a part of its path is a link or no folder.
    """
    found = folders.lstat(path)
    return State(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

"""The boundary in which some files come to be stored as equal ones are; no row changes, and no byte of any file.

Each file is whole before and after its own step, so there is nothing to take back: killed on the way, what is done
stays done, and what was being made is swept away by who writes next. Which files are equal is the caller's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .. import fsops, journal
from ..boundaries.boundary import MaintenanceBoundary, Recorded
from ..connection import Store
from ..fsops import whole
from . import storing, ways
from .folders import Folders

if TYPE_CHECKING:
    import duckdb

_BESIDE = "beside"
_FEW = 16  # folders are made durable one by one, more of them with all of the file system


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
        version_id: Its release.
        content: The sha256 that the catalog says of both.
    """

    source: str
    source_state: State
    target: str
    target_state: State
    version_id: str
    content: str


class EqualFilesBatch(MaintenanceBoundary):
    """Store some files as equal ones are.

    Args:
        store: Where.
        way: How, as in `ways`.
        jobs: Which.
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
        storer = storing.Storer(self.store, self._way, self.store.path(draft.folder) / _BESIDE)
        folders = Folders(self.store)
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

    def _carry_out(self, storer: storing.Storer, folders: Folders, job: Job) -> storing.Put:
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


def state_of(folders: Folders, path: str) -> State:
    """Return what a file is now.

    Raises:
        OSError: It is not there, or a part of its path is a link or no folder.
    """
    found = folders.lstat(path)
    return State(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

"""How a file comes to be stored as another one of equal bytes is: by room that both share, or by one more name.

No record is trusted: the bytes of both are compared, and where they differ nothing happens, so that what is rotten
never spreads. Which files these are is not known here.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import EventError
from .. import fsops
from ..connection import Store
from ..fsops import whole
from ..kept_folders import KeptFolders
from . import extents
from .ways import HARDLINK, REFLINK

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

# the file system can't, and will not be able to with the next file either
_NEVER = frozenset({errno.EXDEV, errno.EOPNOTSUPP, errno.ENOTTY, errno.ENOSYS, errno.EROFS})


class Outcome(StrEnum):
    """What has come of two files: stored once now or before, unlike in bytes, or left as they are."""

    ONCE = "stored once"
    BEFORE = "stored once before"
    DIFFERING = "differing"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Put:
    """What has come of one file, the bytes on the disk that this freed, and why it was left."""

    outcome: Outcome
    freed: int = 0
    reason: str = ""


class _Opened(NamedTuple):
    """An open file: its path below the root, its descriptor, and what it was when it was opened."""

    path: str
    descriptor: int
    state: os.stat_result


class Storer:
    """Put files in the place of others of equal bytes, one after the other; to be closed.

    Args:
        way: REFLINK or HARDLINK.
        beside: Where what is about to take a place lies meanwhile: a name for this alone, on the same file system.
    """

    def __init__(self, store: Store, way: str, beside: StorePath) -> None:
        self._way = way
        self._beside = beside
        self._room = fsops.open_folder_of(beside.parent)
        self._store = store
        self._sources = KeptFolders(store.path(""))
        self._targets = KeptFolders(store.path(""))
        self._closing = Closing()
        self.is_useless = False  # the file system can't

    def close(self) -> None:
        """Close what is open."""
        self._closing.end()
        os.close(self._room)
        self._sources.close()
        self._targets.close()

    def put(self, source: str, target: str) -> Put:
        """Store the file `target` as `source` is stored, if their bytes are equal; what can't be is left as it is.

        Args:
            source: A path below the root, as somebody says that may be wrong.
            target: Likewise.
        """
        return self._with_both(source, target, self._put_opened)

    def share_room(self, source: str, target: str) -> Put:
        """Likewise for two files that stay what they are: they share their room on the disk (REFLINK)."""
        return self._with_both(source, target, self._share_opened)

    def _with_both(self, source: str, target: str, act: Callable[[_Opened, _Opened], Put]) -> Put:
        opened: list[_Opened] = []
        put = Put(Outcome.LEFT)
        try:
            for folders, path in ((self._sources, source), (self._targets, target)):
                descriptor = folders.open(path)
                opened.append(_Opened(path, descriptor, os.fstat(descriptor)))
            there, old = opened
            if _is(there.state, old.state):
                return Put(Outcome.BEFORE)
            reason = _why_not(there.state, old.state, self._way)
            put = Put(Outcome.LEFT, reason=reason) if reason else act(there, old)
        except OSError as error:
            put = Put(Outcome.LEFT, reason=_reason(error))
        except EventError as error:
            # a row names what is no path below the root
            put = Put(Outcome.LEFT, reason=str(error))
        finally:
            if put.outcome == Outcome.ONCE:
                self._closing.close(opened.pop().descriptor)
            for item in opened:
                os.close(item.descriptor)
        return put

    def _put_opened(self, there: _Opened, old: _Opened) -> Put:
        if not same_bytes(there.descriptor, old.descriptor, old.state.st_size):
            return Put(Outcome.DIFFERING)
        self._make(there, old.state)
        try:
            if not self._is_made(there) or not _is(self._targets.lstat(old.path), old.state):
                fsops.unlink(self._beside)
                return Put(Outcome.LEFT, reason="it was changed meanwhile")
            place, folder = self._store.path(old.path), self._targets.holding(old.path)
            fsops.rename(self._beside, place, from_folder=self._room, to_folder=folder)
        except BaseException:
            with suppress(OSError):
                fsops.unlink(self._beside)
            raise
        return Put(Outcome.ONCE, old.state.st_blocks * 512 if old.state.st_nlink == 1 else 0)

    def _make(self, source: _Opened, like: os.stat_result) -> None:
        """Make what takes the place; one that a process left that died comes away first."""
        try:
            self._make_beside(source, like)
        except FileExistsError:
            fsops.unlink(self._beside)
            self._make_beside(source, like)

    def _make_beside(self, source: _Opened, like: os.stat_result) -> None:
        try:
            if self._way == REFLINK:
                whole.clone_file(source.descriptor, self._beside, like)
            else:
                folder = self._sources.holding(source.path)
                fsops.link(self._store.path(source.path), self._beside, from_folder=folder, to_folder=self._room)
        except OSError as error:
            self.is_useless = error.errno in _NEVER
            raise

    def _share_opened(self, there: _Opened, old: _Opened) -> Put:
        theirs, mine = extents.extents_of(there.descriptor), extents.extents_of(old.descriptor)
        if theirs is None or mine is None:
            return Put(Outcome.LEFT, reason="the file system does not say where it lies")
        if theirs.places == mine.places:
            return Put(Outcome.BEFORE)
        try:
            equal = fsops.share_extents(there.descriptor, old.descriptor, old.state.st_size)
        except OSError as error:
            self.is_useless = error.errno in _NEVER
            raise
        return Put(Outcome.ONCE, mine.own) if equal else Put(Outcome.DIFFERING)

    def _is_made(self, source: _Opened) -> bool:
        """Say whether what was made is what was compared: nobody wrote to it, or gave its name to another file."""
        now = os.fstat(source.descriptor)
        if (now.st_size, now.st_mtime_ns) != (source.state.st_size, source.state.st_mtime_ns):
            return False
        if self._way == REFLINK:
            return True
        return _is(os.stat(self._beside.name, dir_fd=self._room, follow_symlinks=False), now)


class Closing:
    """Close files that have lost their last name, several at a time where one takes long.

    The system takes their bytes away then, and waits for those that it is just writing: for each file as long as a disk
    takes, and as long for many at once. Where it is not writing them a close takes less than to have it done beside.
    """

    _THREADS, _MOST = 16, 128
    _LONG, _ENOUGH = 0.0005, 8  # seconds; closes that took so long, of which any may do that a busy machine holds up

    def __init__(self) -> None:
        self._long = 0
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()

    def close(self, descriptor: int) -> None:
        """Close a file soon; no more than a few are open at a time."""
        if self._long < self._ENOUGH:
            begun = time.perf_counter()
            os.close(descriptor)
            self._long += time.perf_counter() - begun > self._LONG
            return
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self._THREADS, thread_name_prefix="closing")
        self._waiting.append(self._pool.submit(os.close, descriptor))
        if len(self._waiting) >= self._MOST:
            self._waiting.popleft().result()

    def end(self) -> None:
        """Wait until all of them are closed."""
        if self._pool is not None:
            self._pool.shutdown()


def same_bytes(first: int, second: int, size: int) -> bool:
    """Say whether two open files have the same bytes, so many and no more."""
    place = 0
    while True:
        # the byte after the last one tells that there is more
        wanted = min(fsops.CHUNK, size + 1 - place)
        mine, others = _read(first, wanted, place), _read(second, wanted, place)
        if mine != others:
            return False
        place += len(mine)
        if len(mine) < wanted:
            return place == size
        if place > size:
            return False


def _read(descriptor: int, wanted: int, place: int) -> bytes:
    """Read so many bytes from a place on; fewer only at the end."""
    found = os.pread(descriptor, wanted, place)
    while len(found) < wanted and (more := os.pread(descriptor, wanted - len(found), place + len(found))):
        found += more
    return found


def _why_not(there: os.stat_result, old: os.stat_result, way: str) -> str:
    if there.st_size != old.st_size:
        return "their sizes differ"
    if there.st_dev != old.st_dev:
        return "they lie on two file systems"
    owner = (there.st_uid, there.st_gid, stat.S_IMODE(there.st_mode))
    if way == HARDLINK and owner != (old.st_uid, old.st_gid, stat.S_IMODE(old.st_mode)):
        return "their owners or permissions differ, and would become the same"
    return ""


def _is(found: os.stat_result, known: os.stat_result) -> bool:
    return (found.st_dev, found.st_ino) == (known.st_dev, known.st_ino)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)

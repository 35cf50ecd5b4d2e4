"""Files below a store's root, opened and closed by the thousand: each folder once, and what is slow to close beside."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from .. import fsops

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Folders:
    """Files below the root, opened and looked at by name; the folder that was used last stays open."""

    def __init__(self, root: Path) -> None:
        self._root = fsops.open_root(root)
        self._path: str | None = None
        self._folder = -1

    def close(self) -> None:
        """Close all of it."""
        self._leave()
        os.close(self._root)

    def folder(self, path: str) -> int:
        """Return the descriptor of the folder that holds a path; it is closed when another folder is asked for.

        Raises:
            OSError: A part of the path is missing, a link, or no folder.
        """
        folder = path.rpartition("/")[0]
        if folder != self._path:
            self._leave()
            self._folder = fsops.open_folder(self._root, folder)
            self._path = folder
        return self._folder

    def lstat(self, path: str) -> os.stat_result:
        """Return what lstat says of a path.

        Raises:
            OSError: As `folder`, or it is not there.
        """
        return os.stat(_name(path), dir_fd=self.folder(path), follow_symlinks=False)

    def open(self, path: str) -> int:
        """Return a descriptor for reading a regular file; it waits for nothing.

        Raises:
            OSError: As `lstat`, or it is no regular file.
        """
        descriptor = os.open(_name(path), _FLAGS, dir_fd=self.folder(path))
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is no regular file", path)
        return descriptor

    def _leave(self) -> None:
        if self._folder >= 0:
            os.close(self._folder)
        self._path, self._folder = None, -1


def _name(path: str) -> str:
    name = path.rpartition("/")[2]
    if name in ("", ".", "..") or "\0" in name:
        raise OSError(errno.EINVAL, "it is no name of a file", path)
    return name


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

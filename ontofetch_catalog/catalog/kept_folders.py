"""Folders below a store's root that stay open for many calls on what is in them, a few at a time.

An open folder is no longer looked for: who moves one away says so. What is done in them is not known here.
"""

from __future__ import annotations

import errno
import os
import stat

from ontofetch_hookspecs.beneath import open_beneath
from ontofetch_hookspecs.store_paths import StorePath

from . import fsops

MOST_OPEN = 16
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class KeptFolders:
    """The folders of a store that were used last, each opened once; to be closed.

    Args:
        root: That of the store.
    """

    def __init__(self, root: StorePath) -> None:
        self._root = root
        self._open: dict[str, int] = {}  # path → descriptor, the one that was opened last at the end
        self._last: tuple[str, int, StorePath] | None = None

    def holding(self, path: str) -> int:
        """Return the descriptor of the folder that holds a path; good until so many others were asked for.

        Raises:
            OSError: A part of the path is missing, a link, or no folder.
        """
        return self._holding(path.rpartition("/")[0])[1]

    def entry(self, path: str) -> tuple[int, StorePath]:
        """Return the descriptor of the folder that holds a path, and the path itself; raises as `holding`."""
        folder, _, name = path.rpartition("/")
        _, descriptor, place = self._holding(folder)
        return descriptor, place.child(name)

    def _holding(self, folder: str) -> tuple[str, int, StorePath]:
        last = self._last
        if last is not None and last[0] == folder:
            return last
        place = self._root.elsewhere(folder)
        found = self._open.get(folder)
        if found is None:
            found = fsops.open_folder_of(place)
            if len(self._open) >= MOST_OPEN:
                os.close(self._open.pop(next(iter(self._open))))
            self._open[folder] = found
        self._last = last = folder, found, place
        return last

    def lstat(self, path: str) -> os.stat_result:
        """Return what lstat says of a path.

        Raises:
            OSError: As `holding`, or it is not there.
        """
        folder, _, name = path.rpartition("/")
        return os.stat(name, dir_fd=self._holding(folder)[1], follow_symlinks=False)

    def find(self, path: str) -> os.stat_result | None:
        """Return what lstat says of a path; None if it is not there, or a part of it is a link or no folder."""
        try:
            return self.lstat(path)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise

    def open(self, path: str) -> int:
        """Return a descriptor for reading the regular file at a path; it waits for nothing.

        Raises:
            EventError: The path leads out of the store.
            OSError: As `lstat`, or it is no regular file.
        """
        self._root.elsewhere(path)
        descriptor = open_beneath(self.holding(path), path.rpartition("/")[2], os.O_RDONLY | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is no regular file", path)
        return descriptor

    def close(self) -> None:
        """Close all of them; whoever asks for one again gets what its path leads to by then."""
        self._last = None
        while self._open:
            os.close(self._open.popitem()[1])

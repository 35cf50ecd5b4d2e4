"""The folders in which many files are made, a few of them open at a time."""

from __future__ import annotations

import os
import weakref

from .beneath import open_beneath
from .store_paths import StorePath

MOST_OPEN = 16  # folders that stay open while files are made in them


class OpenFolders:
    """The folders below one place in which files are made, a few of them open at a time.

    Most files lie in the folder of the one before, and an open folder is no longer looked for: who moves it away
    meanwhile finds the files where it has become.

    Args:
        place: What all paths are below.
    """

    def __init__(self, place: StorePath) -> None:
        self._place = place
        self._open: dict[str, int] = {}  # path → descriptor, the one that was asked for last at the end
        weakref.finalize(self, _close_all, self._open)

    def create_file(self, relpath: str) -> int:
        """Make a new file as `StorePath.create_file` does, and its folders where they are missing.

        Raises:
            OSError: See there.
        """
        folder, _, name = relpath.rpartition("/")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            return open_beneath(self._descriptor(folder), name, flags, 0o644)
        except FileNotFoundError:
            # it was removed since it was opened
            self._forget(folder)
            (self._place / folder if folder else self._place).make_folders()
            return open_beneath(self._descriptor(folder), name, flags, 0o644)

    def close(self) -> None:
        """Close all of them."""
        _close_all(self._open)

    def _descriptor(self, folder: str) -> int:
        found = self._open.pop(folder, None)
        if found is None:
            found = self._opened(self._place / folder if folder else self._place)
            if len(self._open) >= MOST_OPEN:
                self._forget(next(iter(self._open)))
        self._open[folder] = found
        return found

    def _opened(self, place: StorePath) -> int:
        try:
            return place.open_folder()
        except FileNotFoundError:
            place.make_folders()
            return place.open_folder()

    def _forget(self, folder: str) -> None:
        descriptor = self._open.pop(folder, None)
        if descriptor is not None:
            os.close(descriptor)


def _close_all(opened: dict[str, int]) -> None:
    while opened:
        os.close(opened.popitem()[1])

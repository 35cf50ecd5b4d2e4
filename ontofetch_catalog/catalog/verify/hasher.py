"""Be a process that hashes: take lists of paths with their sha256 and size, answer with what differs.

One line of JSON each way, the standard library alone, started as a file. It knows nothing of the catalog, follows no
link and waits for no pipe: a path is opened folder by folder below the root that it is told.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from typing import Any

CHUNK = 1 << 18
MOST_SEEN = 65_536  # contents that are remembered
TELL_BYTES = 32 << 20  # so that a bar moves while a large file is read
MISSING, DAMAGED, NOT_A_FILE, UNREADABLE = "missing", "damaged", "not_a_file", "unreadable"
_NO_NAMES = frozenset(("", ".", ".."))
_NO_FILES = {
    errno.ELOOP: "it is a link",
    errno.ENOTDIR: "a part of its path is a link or no folder",
    errno.ENXIO: "it is a socket or a device",
}


class Folders:
    """Open files below a root; the folder that was used last stays open.

    Args:
        root: Descriptor of the root.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._path: str | None = None
        self._folder = root

    def open(self, path: str) -> int:
        """Return a descriptor for reading the file at a root-relative path.

        Raises:
            OSError: It can't be opened, or a part of its path is a link or no folder.
        """
        folder, _, name = path.rpartition("/")
        if name in _NO_NAMES or "\0" in path:
            raise _leading_out(path)
        if folder != self._path:
            if not _NO_NAMES.isdisjoint(folder.split("/") if folder else ()):
                raise _leading_out(path)
            self._enter(folder)
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._folder)

    def _enter(self, path: str) -> None:
        self.close()
        current = self._root
        for part in path.split("/") if path else ():
            try:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
            finally:
                if current != self._root:
                    os.close(current)
            current = inner
        self._path, self._folder = path, current

    def close(self) -> None:
        """Close the folder that was used last."""
        if self._folder != self._root:
            os.close(self._folder)
        self._path, self._folder = None, self._root


def _leading_out(path: str) -> OSError:
    return OSError(errno.EXDEV, "its path would lead out of the store", path)


class Seen:
    """Contents of files that have several names, and the file of each that was found intact: it is hashed once."""

    def __init__(self) -> None:
        # content → device, inode and time of the last change of its file
        self.known: dict[str, list[int]] = {}
        self._new: dict[str, list[int]] = {}

    def add(self, known: dict[str, list[int]]) -> None:
        """Remember more of them; those that were remembered first are forgotten."""
        self.known.update(known)
        while len(self.known) > MOST_SEEN:
            del self.known[next(iter(self.known))]

    def has(self, content: str, state: os.stat_result) -> bool:
        """Say whether a file is the one that was found to have a content, and nobody has changed it since."""
        return self.known.get(content) == [state.st_dev, state.st_ino, state.st_ctime_ns]

    def note(self, content: str, state: os.stat_result) -> None:
        """Remember a file that was found to have a content, if it has several names."""
        if state.st_nlink > 1:
            self._new[content] = [state.st_dev, state.st_ino, state.st_ctime_ns]
            self.add({content: self._new[content]})

    def told(self) -> dict[str, list[int]]:
        """Return what was noted since it was asked for last."""
        new, self._new = self._new, {}
        return new


def look(
    folders: Folders, path: str, expected: str, size: int, tell: Callable[[int], None], *, seen: Seen | None = None
) -> dict[str, Any] | None:
    """Return what is wrong with the file at `path`, None if its sha256 is `expected`.

    A file that `seen` knows to have that content by another name is not read again. No more than `size` bytes and one
    are read, whatever lies there. A fault says its kind, and where a file was opened found (sha256; None if it is
    larger than recorded), found_bytes, inode and mtime_ns, and in other cases a reason.
    """
    try:
        descriptor = folders.open(path)
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                return {"outcome": NOT_A_FILE, "reason": f"it is a {_kind(state.st_mode)}"}
            if seen is not None and state.st_size == size and seen.has(expected, state):
                tell(size)
                return None
            found = _hash(descriptor, size, tell) if state.st_size <= size else None
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return {"outcome": MISSING}
    except OSError as error:
        outcome = NOT_A_FILE if error.errno in _NO_FILES else UNREADABLE
        return {"outcome": outcome, "reason": _NO_FILES.get(error.errno or 0, error.strerror)}
    if found == expected:
        if seen is not None:
            seen.note(expected, state)
        return None
    return {
        "outcome": DAMAGED,
        **({"reason": "it is larger than recorded"} if found is None else {}),
        "found": found,
        "found_bytes": state.st_size,
        "inode": state.st_ino,
        "mtime_ns": state.st_mtime_ns,
    }


def _hash(descriptor: int, size: int, tell: Callable[[int], None]) -> str | None:
    """Return the sha256 of a file of at most `size` bytes; None if it grew beyond that while it was read."""
    digest = hashlib.sha256()
    untold = 0
    # the byte after the last one tells that there is more
    left = size + 1
    while read := os.readv(descriptor, [_view[:left]]):
        digest.update(_view[:read])
        untold += read
        left -= read
        if not left:
            return None
        if untold >= TELL_BYTES:
            tell(untold)
            untold = 0
    tell(untold)
    return digest.hexdigest()


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}
    return kinds.get(stat.S_IFMT(mode), "socket")


class _Teller:
    """Say how many bytes were read, in portions worth a line."""

    def __init__(self) -> None:
        self.untold = 0

    def __call__(self, read: int) -> None:
        self.untold += read
        if self.untold >= TELL_BYTES:
            answer({"bytes": self.take()})

    def take(self) -> int:
        """Return the bytes that were not told yet, and begin anew."""
        untold, self.untold = self.untold, 0
        return untold


def answer(content: dict[str, Any]) -> None:
    """Write one line to whoever started this process."""
    sys.stdout.buffer.write(json.dumps(content).encode() + b"\n")
    sys.stdout.buffer.flush()


def main(root: str) -> int:
    """Serve until standard input ends."""
    # Ctrl-C reaches every process of the terminal; the one that started us decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folders = Folders(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    teller = _Teller()
    seen = Seen()
    for line in sys.stdin.buffer:
        faults = []
        task = json.loads(line)
        seen.add(task["seen"])
        for number, (path, expected, size) in enumerate(task["files"]):
            fault = look(folders, path, expected, size, teller, seen=seen)
            if fault is not None:
                faults.append({"number": number, **fault})
        # a folder may be renamed between two lists
        folders.close()
        answer({"bytes": teller.take(), "faults": faults, "seen": seen.told()})
    return 0


_buffer = bytearray(CHUNK)
_view = memoryview(_buffer)

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except BrokenPipeError:
        # whoever started us has died
        os._exit(1)

"""The taking of what lies somewhere else into a stage: one file or a whole tree, hashed while it passes by.

A tree is as foreign as what a server sends: no link is followed, nothing is waited for, and a name that a catalog can't
hold is left where it is. What the files mean is not known here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import field

from .file_checks import link_opened
from .light_dataclasses import dataclass
from .names import check_relpath, path_key, relpath_fault
from .stages import CHUNK, StageFolder, unstaged
from .store_paths import StorePath

HEAD_BYTES = 2048
MOST_FOLDERS = 100  # of a path: each is an open folder on either side while one walks
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class TakenFile:
    """One file that is in the stage now.

    Args:
        relpath: Its path below the folder that was taken.
        sha256: Of its bytes, lower-case hex.
        size: In bytes.
        mtime_ns: When it was changed, nanoseconds since 1970.
        head: Its first bytes, at most HEAD_BYTES.
    """

    relpath: str
    sha256: str
    size: int
    mtime_ns: int
    head: bytes


@dataclass(slots=True)
class Taking:
    """A folder on its way into a stage: iterate to take it, then `left` says what stayed behind.

    Args:
        stage: Where to.
        source: The folder, of whatever root.
        relpath: The folder below the stage.
        link: Whether a file gets a second name instead of a copy, where the file system can.
        leave_out: Names at the top of the folder that are none of its files.
        left: (path below the folder, why as the end of a sentence) of what could not be taken.
    """

    stage: StageFolder
    source: StorePath
    relpath: str
    link: bool = False
    leave_out: frozenset[str] = frozenset()
    left: list[tuple[str, str]] = field(default_factory=list)
    _keys: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[TakenFile]:
        """Take one file after the other.

        Raises:
            StageError: The disk refuses.
        """
        self.stage.folder(self.relpath)
        try:
            source = self.source.open_folder()
        except OSError as error:
            raise unstaged(str(self.source), error) from error
        try:
            target = (self.stage.place / self.relpath).open_folder()
            try:
                yield from self._take_folder(source, target, "")
            finally:
                os.close(target)
        finally:
            os.close(source)

    def _take_folder(self, source: int, target: int, prefix: str) -> Iterator[TakenFile]:
        try:
            with os.scandir(source) as entries:
                found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        except OSError as error:
            self.left.append((prefix.rstrip("/"), f"can't be read: {error.strerror}"))
            return
        for name, is_folder in found:
            if not prefix and name in self.leave_out:
                continue
            path = prefix + name
            fault = self._fault(path)
            if fault:
                self.left.append((path, fault))
            elif is_folder:
                yield from self._enter(source, target, path, name)
            else:
                taken = self._take_file(source, target, path, name)
                if taken is not None:
                    yield taken

    def _fault(self, path: str) -> str:
        """Return why the catalog can't hold a path, as the end of a sentence; empty if it can."""
        fault = relpath_fault(path)
        if fault is not None:
            return fault
        if path.count("/") >= MOST_FOLDERS:
            return f"lies in more than {MOST_FOLDERS} folders"
        key = path_key(path)
        if key in self._keys:
            return "is another file's name where case and normal forms are folded"
        self._keys.add(key)
        return ""

    def _enter(self, source: int, target: int, path: str, name: str) -> Iterator[TakenFile]:
        try:
            inner = os.open(name, _FOLDER, dir_fd=source)
        except OSError as error:
            self.left.append((path, f"can't be read: {error.strerror}"))
            return
        try:
            try:
                os.mkdir(name, dir_fd=target)
                below = os.open(name, _FOLDER, dir_fd=target)
            except OSError as error:
                raise unstaged(path, error) from error
            try:
                yield from self._take_folder(inner, below, f"{path}/")
            finally:
                os.close(below)
        finally:
            os.close(inner)

    def _take_file(self, source: int, target: int, path: str, name: str) -> TakenFile | None:
        try:
            opened = _open_regular(source, name)
        except OSError as error:
            self.left.append((path, _why_left(error)))
            return None
        try:
            return _take_opened(opened, (source, name), (target, name), path, link=self.link)
        finally:
            os.close(opened)


def take_file(stage: StageFolder, source: StorePath, relpath: str, *, link: bool = False) -> TakenFile:
    """Take one file into a stage, as `Taking` does.

    Args:
        stage: Where to.
        source: The file, of whatever root.
        relpath: Its path below the stage.
        link: Whether it gets a second name instead of a copy, where the file system can.

    Raises:
        OSError: The file can't be opened, or is no regular file (EINVAL) or a link (ELOOP).
        StageError: The disk refuses.
    """
    place = stage.place / check_relpath("staged file", relpath)
    with source.in_folder() as (above, name):
        opened = _open_regular(above, name)
        try:
            try:
                place.parent.make_folders()
                target = place.parent.open_folder()
            except OSError as error:
                raise unstaged(relpath, error) from error
            try:
                return _take_opened(opened, (above, name), (target, place.name), name, link=link)
            finally:
                os.close(target)
        finally:
            os.close(opened)


def _open_regular(folder: int, name: str) -> int:
    opened = os.open(name, _READ, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(errno.EINVAL, "is no regular file", name)
    return opened


def _why_left(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "is a symbolic link"
    if error.errno in (errno.EINVAL, errno.ENXIO):
        return "is no regular file"
    return f"can't be read: {error.strerror}"


def _take_opened(opened: int, source: tuple[int, str], target: tuple[int, str], path: str, *, link: bool) -> TakenFile:
    """Give an open file a second name, or copy it; hash it on the way."""
    state = os.fstat(opened)
    try:
        if link and link_opened(state, source, target):
            digest, size, head = _read(opened, None)
        else:
            copy = os.open(target[1], _NEW, 0o644, dir_fd=target[0])
            try:
                digest, size, head = _read(opened, copy)
                os.utime(copy, ns=(state.st_mtime_ns, state.st_mtime_ns))
            finally:
                os.close(copy)
    except OSError as error:
        raise unstaged(path, error) from error
    return TakenFile(path, digest, size, state.st_mtime_ns, head)


def _read(opened: int, copy: int | None) -> tuple[str, int, bytes]:
    """Return sha256, size in bytes and head of an open file, and write all of it to `copy`."""
    found = hashlib.sha256()
    size, head = 0, b""
    while chunk := os.read(opened, CHUNK):
        if not size:
            head = chunk[:HEAD_BYTES]
        found.update(chunk)
        size += len(chunk)
        left = memoryview(chunk if copy is not None else b"")
        while left and copy is not None:
            # write(2) may take less than it is given, near a full disk
            left = left[os.write(copy, left) :]
    return found.hexdigest(), size, head

"""What lies on the disk below a store's root, entry by entry: the walk, a closer look, paths as text of a database.

It never writes and never follows a link, also if the tree changes under it; rows are not known here.
"""

from __future__ import annotations

import errno
import operator
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import field
from typing import NamedTuple, TypeVar

from ontofetch_hookspecs.layout import CATALOG, DATABASE
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.store_paths import StorePath

from . import fsops
from .connection import Store
from .kept_folders import KeptFolders

MAX_NS = 2**63 - 1  # of what a database holds, in the year 2262
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_ENCODED = re.compile("\0([0-9a-f]{2})")
_KINDS = {stat.S_IFREG: "file", stat.S_IFLNK: "link"}
Seen = TypeVar("Seen")


class Entry(NamedTuple):
    """One entry of the disk, not followed if it is a link.

    Args:
        path: Below the root, as on disk.
        kind: `file`, `link` or `other`.
        mtime, ctime: Nanoseconds since 1970 UTC.
        inode, device, links: As lstat says.
    """

    path: str
    kind: str
    size: int
    mtime: int
    ctime: int
    inode: int
    device: int
    links: int

    @property
    def touched(self) -> int:
        """Return when it was last touched: the later of mtime and ctime, for archives carry dates of 1980."""
        return max(self.mtime, self.ctime)


@dataclass(slots=True)
class ScanErrors:
    """What stood in the way of a walk.

    Args:
        unreadable: (path below the root, reason) of what could not be read, or is a link in the place of a folder.
        foreign: Folders below the root that are the root of another catalog.
    """

    unreadable: list[tuple[str, str]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def add(self, path: str, error: OSError) -> None:
        """Remember what can't be read."""
        self.unreadable.append((path, error.strerror or str(error)))


def lstat(entry: os.DirEntry[str]) -> os.stat_result:
    """Return what lstat says of an entry."""
    return entry.stat(follow_symlinks=False)


def walk_folder(
    root: int, path: str, obstacles: ScanErrors, see: Callable[[os.DirEntry[str]], Seen], *, prefix: str = ""
) -> Iterator[tuple[str, Seen]]:
    """Yield (`prefix` and path inside, what `see` says) of all that lies below a folder of the store but folders.

    An explicit stack of descriptors, each opened below the one before and never through a link; in no order. A folder
    that is missing has nothing.

    Args:
        root: Descriptor of the store's root.
        path: The folder, below the root.
        obstacles: Gets what could not be read.
        see: Called with each entry, e.g. `lstat`.
        prefix: What each path begins with.
    """
    try:
        descriptor = fsops.open_folder(root, path)
    except FileNotFoundError:
        return
    except OSError as error:
        obstacles.add(path, error)
        return
    stack = [(descriptor, os.scandir(descriptor), prefix)]
    try:
        while stack:
            folder, entries, inner = stack[-1]
            for entry in entries:
                try:
                    if entry.is_dir(follow_symlinks=False):
                        below = fsops.open_folder(folder, entry.name)
                        stack.append((below, os.scandir(below), f"{inner}{entry.name}/"))
                        if entry.name == CATALOG and is_store(folder):
                            obstacles.foreign.append(f"{path}/{inner.removeprefix(prefix)}".rstrip("/"))
                        break
                    seen = see(entry)
                except FileNotFoundError:
                    # gone since the folder was read
                    continue
                except OSError as error:
                    obstacles.add(f"{path}/{inner.removeprefix(prefix)}{entry.name}", error)
                    continue
                yield inner + entry.name, seen
            else:
                stack.pop()
                entries.close()
                os.close(folder)
    finally:
        for folder, entries, _ in stack:
            entries.close()
            os.close(folder)


def entries_in(folder: StorePath) -> list[tuple[str, os.stat_result]]:
    """Return (name, lstat) of what is in a folder, sorted by name.

    Raises:
        OSError: It can't be read, or is a link.
    """
    descriptor = folder.open_folder()
    try:
        with os.scandir(descriptor) as entries:
            found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    finally:
        os.close(descriptor)
    return sorted(found, key=operator.itemgetter(0))


def stat_paths(store: Store, paths: Iterable[str]) -> Iterator[Entry | None]:
    """Yield what each path below the root is now; None if it is gone, a folder, or behind a link or a file.

    Folders are opened one below the other and never through a link; paths of one folder share its descriptor.
    """
    with closing(KeptFolders(store.path(""))) as folders:
        for path in paths:
            state = folders.find(path)
            yield None if state is None or stat.S_ISDIR(state.st_mode) else _entry(path, state)


def list_below(store: Store, folder: str) -> list[Entry]:
    """Return every entry below a folder, sorted by path; empty where it is missing.

    Raises:
        OSError: It or a folder in it can't be read, or is a link.
    """
    obstacles = ScanErrors()
    root = fsops.open_root(store.root)
    try:
        entries = [_entry(f"{folder}/{inner}", state) for inner, state in walk_folder(root, folder, obstacles, lstat)]
    finally:
        os.close(root)
    if obstacles.unreadable:
        path, reason = obstacles.unreadable[0]
        raise OSError(errno.EACCES, reason, path)
    return sorted(entries, key=lambda entry: entry.path)


def _entry(path: str, state: os.stat_result) -> Entry:
    kind = _KINDS.get(stat.S_IFMT(state.st_mode), "other")
    mtime, ctime = state.st_mtime_ns, state.st_ctime_ns
    if not (-MAX_NS <= mtime <= MAX_NS and -MAX_NS <= ctime <= MAX_NS):
        mtime, ctime = within_calendar(mtime), within_calendar(ctime)
    return Entry(path, kind, state.st_size, mtime, ctime, state.st_ino, state.st_dev, state.st_nlink)


def within_calendar(time: int) -> int:
    """Return a time in nanoseconds since 1970, cut to what a database can hold."""
    return max(-MAX_NS, min(time, MAX_NS))


def is_store(descriptor: int) -> bool:
    """Say whether an open folder is the root of a store with a catalog."""
    try:
        found = os.stat(DATABASE, dir_fd=descriptor, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode)


def as_text(path: str) -> str:
    r"""Return a path so that a database can hold it: a byte that is not UTF-8 becomes NUL and its two hex digits.

    No file name has a NUL, so `as_path` gives the path back, and no recorded path is ever equal to such a text.
    """
    return path if path.isascii() else _UNDECODABLE.sub(lambda found: f"\0{ord(found[0]) - 0xDC00:02x}", path)


def as_path(text: str) -> str:
    """Return the path that `as_text` made `text` of."""
    return _ENCODED.sub(lambda found: chr(0xDC00 + int(found[1], 16)), text)

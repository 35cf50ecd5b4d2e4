"""The one way to open what lies below a store's root: part by part from the root's descriptor, through no link.

A store may come from a stranger, so its files are as foreign as what arrives from a server. Nothing here knows what the
files are for. A `StorePath` is no `os.PathLike` on purpose: `open()` and `Path` can't take it by accident.
"""

from __future__ import annotations

import errno
import functools
import json
import os
import re
import stat
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from .errors import EventError
from .names import quote

MAX_DOCUMENT = 1 << 26  # bytes; no record or document that we write is larger
MAX_DEPTH = 100  # nested objects and lists of a document; ours have 5
MAX_VALUES = 2_000_000  # in a document: 64 MiB of `{},` would take 1.4 GB of memory
MOST_OPEN = 16  # folders that stay open while files are made in them
STORE_MODE = 0o700  # of the folder of a new store
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@dataclass(frozen=True, slots=True)
class StorePath:
    """A path below the root of a store, and the only way to what lies there.

    Args:
        root: The store's folder, absolute; it may itself be reached by a link, for the user named it.
        relpath: POSIX path below it, as on disk; empty for the root itself.
        durable: Whether the store wants what is written to outlast a power cut; every path made from this one does too.

    Raises:
        EventError: `relpath` is absolute, or has an empty part, `.`, `..` or a NUL.
    """

    root: Path
    relpath: str
    durable: bool = field(default=True, kw_only=True, compare=False, repr=False)

    def __post_init__(self) -> None:
        parts = self.relpath.split("/") if self.relpath else ()
        if "" in parts or "." in parts or ".." in parts or "\0" in self.relpath:
            raise EventError(
                f"The path {quote(self.relpath)} would lead out of the store {quote(self.root)}.",
                subject=self.relpath,
                hint="Nothing was touched. `ontofetch db doctor` says what in the store names it.",
            )

    def __str__(self) -> str:
        return f"{self.root}/{self.relpath}" if self.relpath else str(self.root)

    def __truediv__(self, inner: str) -> StorePath:
        return self.elsewhere(f"{self.relpath}/{inner}" if self.relpath else inner)

    @property
    def name(self) -> str:
        """Return its last part."""
        return self.relpath.rpartition("/")[2]

    @property
    def parent(self) -> StorePath:
        """Return the folder that holds it; the root is its own."""
        return self.elsewhere(self.relpath.rpartition("/")[0])

    def elsewhere(self, relpath: str) -> StorePath:
        """Return another path of the same store."""
        return StorePath(self.root, relpath, durable=self.durable)

    def with_name(self, name: str) -> StorePath:
        """Return the path of another name in the same folder."""
        return self.parent / name

    def is_below(self, other: StorePath) -> bool:
        """Say whether it is `other` or lies below it."""
        return self == other or self.relpath.startswith(f"{other.relpath}/")

    # --- opening ------------------------------------------------------------------------------------------------------

    def open(self, flags: int, mode: int = 0) -> int:
        """Open it and return its descriptor; all opening below a store ends here.

        Args:
            flags: As for `os.open`. Without O_DIRECTORY it must be a regular file; nothing is ever waited for.
            mode: Permissions of a file that O_CREAT makes.

        Raises:
            OSError: A part of the path is missing, a link (ELOOP), or no folder (ENOTDIR); it is no regular file
                (EINVAL); or the system refuses.
        """
        if not self.relpath:
            return os.open(self.root, (flags | os.O_CLOEXEC) & ~os.O_NOFOLLOW)
        top = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return self._open_below(top, flags, mode)
        finally:
            os.close(top)

    def _open_below(self, top: int, flags: int, mode: int) -> int:
        if flags & os.O_DIRECTORY:
            return open_beneath(top, self.relpath, flags, mode)
        descriptor = open_beneath(top, self.relpath, flags | os.O_NONBLOCK, mode)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is no regular file", str(self))
        return descriptor

    def open_file(self) -> int:
        """Open a regular file for reading and return its descriptor; raises as `open` does."""
        return self.open(os.O_RDONLY)

    def create_file(self, mode: int = 0o644) -> int:
        """Make a new file and return its descriptor for writing; FileExistsError if there is something, also a link."""
        return self.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)

    def open_folder(self) -> int:
        """Open a folder and return its descriptor; raises as `open` does."""
        return self.open(_FOLDER)

    @contextmanager
    def in_folder(self) -> Iterator[tuple[int, str]]:
        """Give the descriptor of the folder that holds it, and its name there, for calls that take `dir_fd`."""
        folder = self.parent.open_folder()
        try:
            yield folder, self.name
        finally:
            os.close(folder)

    def make_folders(self) -> None:
        """Make the folder, and those above it that are missing; nothing is made durable.

        Raises:
            OSError: Something else is in the way, or the system refuses.
        """
        missing = []
        place = self
        while place.relpath and not place.is_dir():
            missing.append(place)
            place = place.parent
        for folder in reversed(missing):
            # whoever makes the same folder at this moment is welcome; what is no folder fails at the next step
            with folder.in_folder() as (above, name), suppress(FileExistsError):
                os.mkdir(name, dir_fd=above)
        if missing and not self.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self))

    # --- looking ------------------------------------------------------------------------------------------------------

    def lstat(self) -> os.stat_result:
        """Return what lstat says of it.

        Raises:
            OSError: It is not there, or a part of its path is a link or no folder.
        """
        if not self.relpath:
            return os.stat(self.root)
        with self.in_folder() as (folder, name):
            return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def exists(self) -> bool:
        """Say whether something is there, also a link; nothing is behind a link."""
        return self._kind() is not None

    def is_dir(self) -> bool:
        """Say whether a folder is there; a link is none."""
        return self._kind() == stat.S_IFDIR

    def is_file(self) -> bool:
        """Say whether a regular file is there; a link is none."""
        return self._kind() == stat.S_IFREG

    def _kind(self) -> int | None:
        try:
            return stat.S_IFMT(self.lstat().st_mode)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise

    def entries(self) -> list[tuple[str, int]]:
        """Return (name, kind as in `stat.S_IFMT`) of what a folder holds, sorted; empty where there is no folder."""
        try:
            folder = self.open_folder()
        except OSError as error:
            if error.errno in _ABSENT:
                return []
            raise
        try:
            return entries_of(folder)
        finally:
            os.close(folder)

    def names(self) -> list[str]:
        """Return the names in a folder, sorted; empty where there is no folder."""
        return [name for name, _ in self.entries()]

    def holds_files(self) -> bool:
        """Say whether there is anything but folders below a folder; ends at the first, for there may be very many."""
        folder = self.open_folder()
        try:
            with os.scandir(folder) as entries:
                return any(
                    not item.is_dir(follow_symlinks=False) or (self / item.name).holds_files() for item in entries
                )
        finally:
            os.close(folder)

    # --- reading ------------------------------------------------------------------------------------------------------

    def read_bytes(self, most: int = MAX_DOCUMENT) -> bytes:
        """Return the bytes of a regular file.

        Args:
            most: Bytes it may have.

        Raises:
            OSError: It can't be opened, see `open`, or is larger (EFBIG).
        """
        with os.fdopen(self.open_file(), "rb") as stream:
            # what the system says of its size may grow while it is read
            data = stream.read(most + 1)
        if len(data) > most:
            raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(self))
        return data

    def read_json(self, most: int = MAX_DOCUMENT) -> object:
        """Return what a JSON document holds.

        Raises:
            OSError: As `read_bytes`.
            ValueError: It is no JSON (NaN is none), is nested too deeply, or has a number that is too long.
        """
        return parse_json(self.read_bytes(most))


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


def parse_json(data: bytes | str) -> object:
    """Return what a JSON document holds that came from outside.

    Raises:
        ValueError: It is no JSON (NaN is none), nested deeper than MAX_DEPTH, has more than MAX_VALUES values, or a
            number that is too long.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    check_values(raw)
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        depth = 0
        for found in _NESTING.finditer(raw):
            first = found[0][:1]
            depth += (first in b"[{") - (first in b"]}")
            if depth > MAX_DEPTH:
                raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    return json.loads(raw, parse_constant=_no_constant)


def check_values(raw: bytes) -> None:
    """Check that a JSON document has no more values than `parse_json` takes; commas in its texts count, too.

    Raises:
        ValueError: It has.
    """
    if raw.count(b"[") + raw.count(b"{") + raw.count(b",") > MAX_VALUES:
        raise ValueError(f"it has more than {MAX_VALUES:,} values")


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


def entries_of(folder: int) -> list[tuple[str, int]]:
    """Return (name, kind as in `stat.S_IFMT`) of what an open folder holds, sorted by name."""
    with os.scandir(folder) as entries:
        return sorted((entry.name, _kind_of(entry)) for entry in entries)


def _kind_of(entry: os.DirEntry[str]) -> int:
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    return stat.S_IFLNK if entry.is_symlink() else 0


def below_root(root: Path, path: Path) -> StorePath:
    """Return an absolute path as one of the store.

    Raises:
        EventError: It is not below `root`.
    """
    if not path.is_relative_to(root):
        raise EventError(f"{quote(path)} is not below the store {quote(root)}.", subject=str(path))
    inner = path.relative_to(root).as_posix()
    return StorePath(root, "" if inner == "." else inner)


def make_root(root: Path, mode: int = STORE_MODE) -> bool:
    """Make the folder of a store where there is none, with these permissions, and those above it as usual.

    Returns:
        Whether it was missing; it is not made durable.

    Raises:
        OSError: The system refuses, or it is a file.
    """
    if os.path.isdir(root):
        return False
    os.makedirs(root.parent, exist_ok=True)
    try:
        os.mkdir(root, mode)
    except FileExistsError:
        # somebody else has just made it; what is no folder fails at the next step
        return False
    return True


# --- the system's way -------------------------------------------------------------------------------------------------


def open_beneath(top: int, relpath: str, flags: int, mode: int = 0) -> int:
    """Open `relpath` below an open folder; no part of it may be a link, also if one takes a folder's place meanwhile.

    Linux: openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; elsewhere, and where that call is not allowed, one
    part after the other with O_NOFOLLOW.

    Raises:
        OSError: See `StorePath.open`.
    """
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    if not {"", ".", ".."}.isdisjoint(relpath.split("/")) or "\0" in relpath:
        # RESOLVE_BENEATH would let `a/../b` pass, and the way part by part even `..`
        raise OSError(errno.EXDEV, "its path would lead out of its folder", relpath)
    if "/" not in relpath:
        return os.open(relpath, flags, mode, dir_fd=top)
    call = _openat2()
    if call is not None:
        return call(top, relpath, flags, mode)
    return _open_part_by_part(top, relpath, flags, mode)


def _open_part_by_part(top: int, relpath: str, flags: int, mode: int) -> int:
    *above, name = relpath.split("/")
    current = top
    try:
        for part in above:
            inner = os.open(part, _FOLDER, dir_fd=current)
            if current != top:
                os.close(current)
            current = inner
        return os.open(name, flags, mode, dir_fd=current)
    finally:
        if current != top:
            os.close(current)


@functools.cache
def _openat2() -> Callable[[int, str, int, int], int] | None:
    """Return a caller of openat2(2), None where there is none."""
    if not sys.platform.startswith("linux") or os.uname().machine not in ("x86_64", "aarch64"):
        return None
    import ctypes

    class How(ctypes.Structure):
        _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))

    syscall = ctypes.CDLL(None, use_errno=True).syscall
    number, resolve = 437, 0x02 | 0x04 | 0x08  # NO_MAGICLINKS, NO_SYMLINKS, BENEATH: linux/openat2.h

    def call(top: int, relpath: str, flags: int, mode: int) -> int:
        how = How(flags, mode if flags & os.O_CREAT else 0, resolve)
        while True:
            sys.audit("open", relpath, None, flags)
            found = syscall(number, top, os.fsencode(relpath), ctypes.byref(how), ctypes.sizeof(how))
            if found >= 0:
                return int(found)
            code = ctypes.get_errno()
            # EAGAIN: something was renamed on the way; EINTR: a signal came
            if code not in (errno.EAGAIN, errno.EINTR):
                raise OSError(code, os.strerror(code), relpath)

    here = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.close(call(here, "proc", _FOLDER, 0))
    except OSError as error:
        # an old kernel, or a sandbox that does not know the call
        return None if error.errno in (errno.ENOSYS, errno.EPERM) else call
    finally:
        os.close(here)
    return call

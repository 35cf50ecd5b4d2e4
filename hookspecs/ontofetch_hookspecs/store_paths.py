"""The one way to open what lies below a store's root: part by part from the root's descriptor, through no link.

A store may come from a stranger, so its files are as foreign as what arrives from a server. Nothing here knows what the
files are for. A `StorePath` is no `os.PathLike` on purpose: `open()` and `Path` can't take it by accident.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path

from .beneath import FOLDER, entries_of, open_beneath
from .errors import EventError
from .json_documents import parse_json
from .light_dataclasses import dataclass
from .names import quote

MAX_DOCUMENT = 1 << 26  # bytes; no record or document that we write is larger
STORE_MODE = 0o700  # of the folder of a new store
_NO_NAMES = ("", ".", "..")
_put = object.__setattr__
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

    def child(self, name: str) -> StorePath:
        """Return the path of an entry of this folder, as `/` does; in a third of the time, for very many."""
        if name in _NO_NAMES or "/" in name or "\0" in name or not self.relpath:
            return self / name
        made = object.__new__(StorePath)
        _put(made, "root", self.root)
        _put(made, "relpath", f"{self.relpath}/{name}")
        _put(made, "durable", self.durable)
        return made

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
        return self.open(FOLDER)

    @contextmanager
    def in_folder(self) -> Iterator[tuple[int, str]]:
        """Give the descriptor of the folder that holds it, and its name there, for calls that take `dir_fd`."""
        folder = self._open_parent()
        try:
            yield folder, self.name
        finally:
            os.close(folder)

    def _open_parent(self) -> int:
        """Return the descriptor of the folder that holds it, as its own path would be opened, and made into none."""
        above = self.relpath.rpartition("/")[0]
        top = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if not above:
            return top
        try:
            return open_beneath(top, above, FOLDER)
        finally:
            os.close(top)

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
        folder = self._open_parent()
        try:
            return os.stat(self.name, dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(folder)

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
            # asked before, so that an error keeps nothing of what is too large; it may grow while it is read
            too_large = os.fstat(stream.fileno()).st_size > most
            data = b"" if too_large else stream.read(most + 1)
        if too_large or len(data) > most:
            raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(self))
        return data

    def read_json(self, most: int = MAX_DOCUMENT) -> object:
        """Return what a JSON document holds.

        Raises:
            OSError: As `read_bytes`.
            ValueError: It is no JSON (NaN is none), is nested too deeply, or has a number that is too long.
        """
        return parse_json(self.read_bytes(most))


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

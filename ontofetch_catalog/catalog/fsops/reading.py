"""What only looks at the disk: files and folders opened without following a link, listed, hashed, held."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from ontofetch_hookspecs.beneath import entries_of, open_beneath
from ontofetch_hookspecs.store_paths import StorePath

Anywhere = StorePath | Path  # below a store; or where a user or a host says: a backup's target, an output, staged bytes
CHUNK = 1 << 20
_SMALL = 1 << 17  # bytes of a file that is read at once


def open_file(path: Anywhere) -> int:
    """Open a regular file for reading and return its descriptor; follows no link and waits for nothing.

    Raises:
        OSError: It can't be read, is a link (ELOOP), or no regular file (EINVAL).
    """
    if isinstance(path, StorePath):
        return path.open_file()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return descriptor


def open_folder(top: Path | int, relpath: str) -> int:
    """Return a descriptor of the folder `relpath` below `top`, which may itself be reached by a link.

    Raises:
        OSError: One of its parts is missing, a link (ENOTDIR or ELOOP), or no folder.
    """
    if isinstance(top, int):
        return os.dup(top) if relpath in ("", ".") else open_beneath(top, relpath, os.O_RDONLY | os.O_DIRECTORY)
    return StorePath(top, "" if relpath == "." else relpath).open_folder()


def open_folder_of(path: Anywhere) -> int:
    """Return a descriptor of a folder, below a store or where a user or a host says."""
    if isinstance(path, StorePath):
        return path.open_folder()
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def open_root(root: Path) -> int:
    """Return a descriptor of a store's root, for what is opened below it."""
    return StorePath(root, "").open_folder()


def list_names(folder: Anywhere) -> list[str]:
    """Return the names in a folder, sorted."""
    descriptor = open_folder_of(folder)
    try:
        return [name for name, _ in entries_of(descriptor)]
    finally:
        os.close(descriptor)


def walk(folder: Anywhere) -> Iterator[tuple[str, os.stat_result]]:
    """Yield (POSIX path below `folder`, lstat) of everything below it that is no folder; explicit stack, unsorted.

    Every folder is opened below the one around it, never through a link.

    Raises:
        OSError: A folder can't be read.
    """
    stack = [(open_folder_of(folder), "")]
    try:
        while stack:
            descriptor, prefix = stack.pop()
            try:
                with os.scandir(descriptor) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            stack.append((open_folder(descriptor, entry.name), f"{prefix}{entry.name}/"))
                        else:
                            yield prefix + entry.name, entry.stat(follow_symlinks=False)
            finally:
                os.close(descriptor)
    finally:
        for descriptor, _ in stack:
            os.close(descriptor)


def hash_file(path: Anywhere) -> tuple[str, int]:
    """Return sha256 in hex and size in bytes of a regular file.

    Raises:
        OSError: As `open_file`.
    """
    descriptor = open_file(path)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        size = os.fstat(descriptor).st_size
        if size > _SMALL:
            return hashlib.file_digest(stream, "sha256").hexdigest(), size
        # that makes room for 256 KiB first, which takes longer than a small file does
        digest = hashlib.sha256()
        while chunk := os.read(descriptor, size + 1):
            digest.update(chunk)
        return digest.hexdigest(), size


def hold(path: Anywhere) -> int | None:
    """Lock a file or folder until the returned descriptor is closed; None if it is gone or somebody else holds it."""
    try:
        found = open_folder_of(path) if path.is_dir() else open_file(path)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(found)
        return None
    return found


def free_bytes(path: Path) -> int:
    """Return how many bytes are free on the file system of `path`."""
    return shutil.disk_usage(path).free


def try_room(folder: Anywhere, size: int) -> None:
    """Raise what the system would say to `size` more bytes in a folder; nothing is left of it, whenever this ends.

    It is tried with a file that has no name; where there are none such, nothing is known ahead.
    """
    nameless = getattr(os, "O_TMPFILE", 0)
    place = open_folder_of(folder)
    try:
        if nameless:
            descriptor = os.open(".", nameless | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=place)
            with os.fdopen(descriptor, "wb", buffering=0):
                os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.EISDIR):
            raise
    finally:
        os.close(place)

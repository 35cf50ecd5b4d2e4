"""The calls that change files and folders, each by itself; the error of the system goes through."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import functools
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ontofetch_hookspecs.store_paths import StorePath

from .reading import Anywhere, open_folder_of

FICLONE, _FIDEDUPERANGE = 0x40049409, 0xC0189436  # of linux/fs.h: by them files share their room on the disk
_RANGE, _RANGE_TARGET = struct.Struct("=QQHHI"), struct.Struct("=qQQiI")


def create_file(path: Anywhere) -> int:
    """Create a new file and return its descriptor; FileExistsError if there is something, links are not followed."""
    if isinstance(path, StorePath):
        return path.create_file()
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)


def write(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`; a short write goes on where it stopped."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write a few bytes at a place in an open file; used for the lock file's text only."""
    os.pwrite(descriptor, data, offset)


def sync_file(descriptor: int) -> None:
    """Make the bytes of an open file durable."""
    _sync(descriptor)


def sync_folder(path: Anywhere) -> None:
    """Make the entries of a folder durable, unless its store does without."""
    if not is_durable(path):
        return
    descriptor = open_folder_of(path)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    """Have the drive write what it was given for an open file or folder."""
    if sys.platform == "darwin":
        import fcntl

        # fsync on macOS stops at the drive's cache, see fsync(2) there
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError as error:
            # some file systems, of a network for instance, don't know the call: nothing was tried yet
            if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
                raise
        else:
            return
    os.fsync(descriptor)


def is_durable(path: Anywhere) -> bool:
    """Say whether what is written at a path is made durable: always, but where a store does without."""
    return not isinstance(path, StorePath) or path.durable


def sync_filesystem(path: Anywhere) -> bool:
    """Make all of the file system of the folder `path` durable in one call; False where there is no such call."""
    if not is_durable(path):
        return True
    if not sys.platform.startswith("linux"):
        return False
    descriptor = open_folder_of(path)
    try:
        if _libc().syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            if code == errno.ENOSYS:
                return False
            raise OSError(code, os.strerror(code), str(path))
    finally:
        os.close(descriptor)
    return True


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def rename(source: Anywhere, target: Anywhere, *, from_folder: int | None = None, to_folder: int | None = None) -> None:
    """Rename within one file system; what `target` names is replaced only if it is a file or an empty folder.

    Args:
        source: The name before.
        target: The name after.
        from_folder: Descriptor of the folder of `source`, as for `unlink`.
        to_folder: Likewise of `target`.
    """
    if from_folder is not None and to_folder is not None:
        os.rename(source.name, target.name, src_dir_fd=from_folder, dst_dir_fd=to_folder)
        return
    with _in_folder(source, from_folder) as (before, former), _in_folder(target, to_folder) as (after, name):
        os.rename(former, name, src_dir_fd=before, dst_dir_fd=after)


def link(source: Anywhere, target: Anywhere, *, from_folder: int | None = None, to_folder: int | None = None) -> None:
    """Give a file another name; FileExistsError if there is something, and a link gets the name, not what it points to.

    Args:
        source: The name that is there.
        from_folder: Descriptor of the folder of `source`, as for `unlink`.
        to_folder: Likewise of `target`.
    """
    with _in_folder(source, from_folder) as (before, former), _in_folder(target, to_folder) as (after, name):
        os.link(former, name, src_dir_fd=before, dst_dir_fd=after, follow_symlinks=False)


def clone(source: int, target: int) -> None:
    """Let a new, empty file have the bytes of another one and its room on the disk, until one of them is written.

    Args:
        source: Descriptor of the one that is there.
        target: Descriptor of the new one.

    Raises:
        OSError: The file system can't (EOPNOTSUPP, EINVAL), they lie on two of them (EXDEV), or it refuses.
    """
    fcntl.ioctl(target, FICLONE, source)


def share_extents(source: int, target: int, size: int) -> bool:
    """Let two open files share their room on the disk, if the kernel finds their bytes equal; neither changes.

    Args:
        source: Descriptor of the one whose room is kept.
        target: Descriptor of the one whose room is freed; it belongs to us or can be written.
        size: Bytes that both have.

    Returns:
        Whether they are equal; where they are not, what comes before the difference may be shared.

    Raises:
        OSError: The file system can't (EOPNOTSUPP, EINVAL), they lie on two of them (EXDEV), or it refuses.
    """
    done = 0
    while done < size:
        asked = bytearray(_RANGE.pack(done, size - done, 1, 0, 0) + _RANGE_TARGET.pack(target, done, 0, 0, 0))
        fcntl.ioctl(source, _FIDEDUPERANGE, asked)
        _, _, shared, status, _ = _RANGE_TARGET.unpack_from(asked, _RANGE.size)
        if status < 0:
            raise OSError(-status, os.strerror(-status))
        if status or not shared:
            return False
        done += shared
    return True


def unlink(path: Anywhere, *, folder: int | None = None) -> None:
    """Remove one file; a link goes, not what it points to.

    Args:
        folder: Descriptor of the folder that holds it: then only the name of `path` counts, wherever its folders lead
            by now.
    """
    with _in_folder(path, folder) as (inside, name):
        os.unlink(name, dir_fd=inside)


def make_folder(path: Anywhere, mode: int = 0o777) -> None:
    """Make one folder, with these permissions but for the umask's; FileExistsError if there is something."""
    with _in_folder(path) as (folder, name):
        os.mkdir(name, mode, dir_fd=folder)


def remove_folder(path: Anywhere, *, folder: int | None = None) -> None:
    """Remove one empty folder; `folder` as for `unlink`."""
    with _in_folder(path, folder) as (inside, name):
        os.rmdir(name, dir_fd=inside)


def set_mode(path: Anywhere, mode: int) -> None:
    """Set the permissions of a file or folder, never of what a link points to."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    if isinstance(path, StorePath) and not path.relpath:
        descriptor = open_folder_of(path)
    else:
        with _in_folder(path) as (folder, name):
            descriptor = os.open(name, flags, dir_fd=folder)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def set_times(path: Anywhere, modified_ns: int) -> None:
    """Set the modification time of a file, nanoseconds since 1970 UTC."""
    with _in_folder(path) as (folder, name):
        os.utime(name, ns=(modified_ns, modified_ns), dir_fd=folder, follow_symlinks=False)


def finish_file(descriptor: int, mode: int, modified_ns: int) -> None:
    """Set the permissions and the modification time of an open file, nanoseconds since 1970 UTC."""
    os.fchmod(descriptor, mode)
    os.utime(descriptor, ns=(modified_ns, modified_ns))


@contextmanager
def _in_folder(path: Anywhere, folder: int | None = None) -> Iterator[tuple[int | None, str]]:
    """Give the folder's descriptor and the name in it that stand for a path; outside of a store the path itself."""
    if folder is not None:
        yield folder, path.name
    elif isinstance(path, StorePath):
        with path.in_folder() as found:
            yield found
    else:
        yield None, str(path)


@contextmanager
def opened_special(path: Path | int) -> Iterator[int]:
    """Give a descriptor for writing to a pipe or a device, or a copy of one that is open; a pipe waits for a reader."""
    descriptor = os.dup(path) if isinstance(path, int) else os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)

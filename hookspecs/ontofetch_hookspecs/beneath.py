"""What is done below an open folder: a path is opened, so that no part of it is a link; what is in it is listed."""

from __future__ import annotations

import errno
import functools
import os
import stat
import sys
from collections.abc import Callable

_OUTSIDE = frozenset(("", ".", ".."))  # no part of a path that stays below its folder
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def open_beneath(top: int, relpath: str, flags: int, mode: int = 0) -> int:
    """Open `relpath` below an open folder; no part of it may be a link, also if one takes a folder's place meanwhile.

    Linux: openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; elsewhere, and where that call is not allowed, one
    part after the other with O_NOFOLLOW.

    Raises:
        OSError: See `StorePath.open`.
    """
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    if not _OUTSIDE.isdisjoint(relpath.split("/")) or "\0" in relpath:
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
            inner = os.open(part, FOLDER, dir_fd=current)
            if current != top:
                os.close(current)
            current = inner
        return os.open(name, flags, mode, dir_fd=current)
    finally:
        if current != top:
            os.close(current)


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
        os.close(call(here, "proc", FOLDER, 0))
    except OSError as error:
        # an old kernel, or a sandbox that does not know the call
        return None if error.errno in (errno.ENOSYS, errno.EPERM) else call
    finally:
        os.close(here)
    return call

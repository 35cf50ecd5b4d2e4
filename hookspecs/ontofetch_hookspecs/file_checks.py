"""Hold a file of a store to what is known of it: its size, its bytes, that a name still stands for it."""

from __future__ import annotations

import hashlib
import os
import stat

from .store_paths import StorePath


def has_size(place: StorePath, size: int) -> bool:
    """Say whether a regular file of this many bytes is there; what is in it is not looked at."""
    try:
        found = place.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size


def has_bytes(place: StorePath, size: int | None, sha256: str | None) -> bool:
    """Say whether a file has these bytes; one of another size is not read."""
    try:
        with os.fdopen(place.open_file(), "rb") as stream:
            if os.fstat(stream.fileno()).st_size != size:
                return False
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except OSError:
        return False


def link_opened(opened: os.stat_result, source: tuple[int, str], target: tuple[int, str]) -> bool:
    """Give a file another name, both (folder, name); only if its name still stands for the file that is open."""
    try:
        os.link(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0], follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        # another file system, one without links, or one that allows no more of them
        return False
    linked = os.stat(target[1], dir_fd=target[0], follow_symlinks=False)
    if (linked.st_dev, linked.st_ino) == (opened.st_dev, opened.st_ino):
        return True
    os.unlink(target[1], dir_fd=target[0])
    return False

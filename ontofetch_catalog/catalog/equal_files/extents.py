"""Where files lie on the disk, and whether its file system lets them share their room.

It only asks; what makes files share is in `fsops`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys

from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops

# FIEMAP of linux/fiemap.h
_FIEMAP = 0xC020660B
_MAP, _EXTENT = struct.Struct("=QQIIII"), struct.Struct("=QQQ16xI12x")
_AT_ONCE = 64
_SYNC, _LAST, _SHARED = 0x1, 0x1, 0x2000
_NOT_PLACED = 0x2 | 0x4 | 0x200  # unknown, not written yet, within the file system's own records


@dataclass(frozen=True, slots=True)
class Extents:
    """Where the bytes of a file lie on the disk.

    Args:
        places: (offset in the file, offset on the disk, bytes) of each part, in order.
        own: Bytes of the parts that no other file shares.
    """

    places: tuple[tuple[int, int, int], ...]
    own: int


def can_clone(folder: fsops.Anywhere) -> bool:
    """Say whether files on the file system of a folder may share their room; nothing is left of the question."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        above = fsops.open_folder_of(folder)
    except OSError:
        return False
    try:
        # a file without a name, gone when it is closed
        descriptor = os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=above)
    except OSError:
        return False
    finally:
        os.close(above)
    try:
        fcntl.ioctl(descriptor, fsops.FICLONE, descriptor)
    except OSError as error:
        # who knows the call may find fault with a file that is to be a copy of itself
        return error.errno == errno.EINVAL
    finally:
        os.close(descriptor)
    return True


def extents_of(descriptor: int) -> Extents | None:
    """Return where the bytes of an open file lie; None where the system does not say, or they lie in no block."""
    places: list[tuple[int, int, int]] = []
    own, start = 0, 0
    while True:
        asked = bytearray(_MAP.pack(start, 2**64 - 1 - start, _SYNC, 0, _AT_ONCE, 0) + bytes(_EXTENT.size * _AT_ONCE))
        try:
            fcntl.ioctl(descriptor, _FIEMAP, asked)
        except OSError:
            return None
        count = _MAP.unpack_from(asked)[3]
        flags = _LAST
        for number in range(count):
            logical, physical, length, flags = _EXTENT.unpack_from(asked, _MAP.size + number * _EXTENT.size)
            if flags & _NOT_PLACED:
                return None
            places.append((logical, physical, length))
            own += 0 if flags & _SHARED else length
            start = logical + length
        if not count or flags & _LAST:
            return Extents(tuple(places), own)

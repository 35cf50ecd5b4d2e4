"""Say whether a file of a store still is what somebody has written down of it."""

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

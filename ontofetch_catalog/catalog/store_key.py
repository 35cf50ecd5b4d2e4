"""The key of a store: random bytes that its user alone can read, so that documents can prove to be its own."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress

from ontofetch_hookspecs.layout import KEY

from . import fsops
from .connection import Store
from .fsops import whole

_BYTES = 32


def read_key(store: Store) -> bytes:
    """Return the store's key.

    Raises:
        OSError: There is none, or others than this user may know it.
    """
    path = store.path(KEY)
    with os.fdopen(path.open_file(), "rb") as stream:
        state = os.fstat(stream.fileno())
        if state.st_uid not in (os.geteuid(), store.path("").lstat().st_uid) or stat.S_IMODE(state.st_mode) & 0o077:
            raise OSError(errno.EACCES, "others may know the key of the store", str(path))
        key = stream.read(_BYTES + 1)
    if len(key) != _BYTES:
        raise OSError(errno.EINVAL, "it is no key", str(path))
    return key


def make_key(store: Store) -> bytes:
    """Return the store's key, or make one where none can be used: what a former one proved then counts no more.

    Raises:
        OSError: The disk refuses.
    """
    # missing, known to others, a link, a folder: a new one takes its place, or the disk says why not
    with suppress(OSError):
        return read_key(store)
    return write_key(store, secrets.token_bytes(_BYTES))


def write_key(store: Store, key: bytes) -> bytes:
    """Make `key` the store's, in the place of a former one, and return it.

    Raises:
        OSError: The disk refuses.
    """
    path = store.path(KEY)
    temporary = path.with_name(f".{path.name}.new")
    whole.remove_tree(temporary)
    descriptor = fsops.create_file(temporary)
    try:
        # before there is anything to read in it
        fsops.set_mode(temporary, 0o600)
        fsops.write(descriptor, key)
        whole.sync_opened(temporary, descriptor)
    finally:
        os.close(descriptor)
    fsops.rename(temporary, path)
    fsops.sync_folder(path.parent)
    return key

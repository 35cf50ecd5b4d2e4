"""Whether a file is packed at all, by its name and its first bytes; nothing is inflated, and no archive is read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from ontofetch_hookspecs.store_paths import StorePath

from ...named_files import open_named
from . import signatures, tars


def open_archive(archive: Path | StorePath) -> IO[bytes]:
    """Open an archive for reading: a regular file, which in a store is not reached through links.

    Raises:
        OSError: It can't be opened, or it is something else.
    """
    if isinstance(archive, StorePath):
        return os.fdopen(archive.open_file(), "rb")
    return open_named(archive, regular=True)


def is_packed(name: str, head: bytes) -> bool:
    """Say whether a file is an archive or compressed, by its name and its first bytes (tars.BLOCK of them)."""
    told = signatures.claims_archive(name) or bool(signatures.compression_of(head, name))
    return told or head.startswith(signatures.ZIP) or tars.is_tar(head[: tars.BLOCK], name)


def is_plain(name: str, head: bytes) -> bool:
    """Say whether `read_entries` would take a file as it is, without a look inside; arguments as for `is_packed`."""
    packed = is_packed(name, head) or head.startswith(signatures.EMPTY_ZIP) or signatures.SKIPPABLE.match(head)
    return not (packed or signatures.claims_compression(name) or signatures.foreign_of(head, name))

"""What a copy must be before it is used: the bytes that somebody said, and small enough for the disk."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from functools import partial
from pathlib import Path

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import below_root

from ..errors import FetchError
from .copies import Copy
from .sources import Source

_HOST = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")  # how the name of a host looks
MARGIN = 64 << 20  # bytes that stay free beside the artifact: catalog and audits need room too


def check_space(root: Path, size: int, name: str) -> None:
    """Check that `size` more bytes fit below `root`; never writes.

    Raises:
        FetchError: They do not.
    """
    folder = root
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if size + MARGIN > free:
        raise FetchError(
            f"{quote(name)} has {size:,} bytes, and {MARGIN:,} stay free beside it, but only {free:,} are free below"
            f" {quote(root)}.",
            subject=name,
            hint="Free some space, or give another folder with --root.",
        )


def check_sha256(copy: Copy, source: Source, wanted: str | None, expected_by: str) -> None:
    """Check that a copy has the sha256 that somebody wants, if anybody does; else it is discarded.

    Raises:
        FetchError: It has another.
    """
    if wanted is None or copy.sha256 == wanted:
        return
    raise _other_bytes(copy, source, f"the sha256 {copy.sha256}, not {wanted}", expected_by)


def check_checksum(root: Path, copy: Copy, source: Source, wanted: str, expected_by: str) -> None:
    """Check likewise the checksum `ALGORITHM:DIGEST`, for which the bytes are read again."""
    algorithm, _, digest = wanted.partition(":")
    try:
        with os.fdopen(below_root(root, copy.path).open_file(), "rb") as stream:
            found = hashlib.file_digest(stream, partial(hashlib.new, algorithm, usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise unreadable(copy.path, error) from error
    if found != digest:
        raise _other_bytes(copy, source, f"the {algorithm} {found}, not {digest}", expected_by)


def _other_bytes(copy: Copy, source: Source, what: str, expected_by: str) -> FetchError:
    if copy.stage is not None:
        copy.stage.discard()
    return FetchError(
        f"{quote(source.shown)} has {what} as {expected_by} says.",
        subject=source.label,
        hint="Nothing was recorded or published. Ask the publisher which one is right.",
    )


def unreadable(path: Path, error: OSError) -> FetchError:
    """Return the error of a local file that the system does not let us read."""
    first, *below = os.path.relpath(path).split(os.sep)
    hint = "Look at its name."
    if path.name == "-":
        hint = "What comes through a pipe is written into a file first: its name says what it is."
    if isinstance(error, FileNotFoundError) and below and _HOST.fullmatch(first):
        hint = f"Look at its name; an address has its scheme in front, like https://{first}/…"
    return FetchError(f"The file {quote(path)} can't be read: {error.strerror}.", subject=str(path), hint=hint)

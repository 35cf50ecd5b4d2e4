"""A document that is no archive: copied into a stage right here, for to start a process would cost more than to copy.

What has to be inflated, or read by the rules of a format of archives, is left to a process with limits. So is what is
large.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, NamedTuple

from ontofetch_hookspecs.remarks import Remark
from ontofetch_hookspecs.stages import StageFolder
from ontofetch_hookspecs.store_paths import StorePath

from ..content.archives import Budget, Limits, is_plain, open_archive, read_plain
from ..content.selection import Selection
from .unpacking import Unpacking
from .writers import Row

MOST = 16 << 20  # bytes


class Copied(NamedTuple):
    """What was copied: rows as `Unpacking` tells them, first parts of names, files skipped, remarks."""

    rows: list[Row]
    tops: list[str]
    skipped: int
    remarks: tuple[Remark, ...]


def is_alone(artifact: Path | StorePath, name: str) -> bool:
    """Say whether an artifact is a document of MOST bytes at most that is neither packed nor compressed."""
    try:
        with open_archive(artifact) as stream:
            return _is_alone(stream, name)
    except OSError:
        # whoever unpacks it says what is wrong with it
        return False


def copy_alone(
    artifact: Path | StorePath,
    stage: StageFolder,
    selection: Selection,
    limits: Limits,
    *,
    name: str,
    said: str | None,
    drop: int,
    portable: bool,
) -> Copied | None:
    """Copy a document into a stage, hashed and looked at; None, and nothing is done, where `is_alone` says no.

    Args:
        selection: What is asked for.
        limits: What is refused.
        name: The artifact's name.
        said: What the server said of it.
        drop: How many leading folders are taken off each name.
        portable: As `Unpacking` has it.

    Raises:
        ExtractError: It is larger than allowed, or its name can't be that of a file.
        StageError: The disk refuses.
        OSError: It can't be opened.
    """
    with open_archive(artifact) as stream:
        if not _is_alone(stream, name):
            return None
        budget = Budget(name, os.fstat(stream.fileno()).st_size, limits)
        copying = Unpacking(stage, budget, selection, drop=drop, portable=portable, content_type=said)
        # the bytes are taken as they are from here on, whatever becomes of the file meanwhile
        for entry in read_plain(stream, name, budget):
            copying.take(entry)
        return Copied(copying.rows, sorted(copying.tops), copying.skipped, tuple(budget.remarks.list()))


def _is_alone(stream: IO[bytes], name: str) -> bool:
    return os.fstat(stream.fileno()).st_size <= MOST and is_plain(stream, name)

"""A document that is no archive: copied into a stage right here, for to start a process would cost more than to copy.

What has to be inflated, or read by the rules of a format of archives, is left to a process with limits. So is what is
large.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from ontofetch_hookspecs.stages import StageFolder
from ontofetch_hookspecs.store_paths import StorePath

from ..content.packed.archives import Budget, is_plain, open_archive, read_plain
from ..content.packed.selection import Selection
from .unpacked import Done, Wanted, as_batch, as_columns, as_table
from .unpacking import Unpacking

MOST = 16 << 20  # bytes


def is_alone(artifact: Path | StorePath, name: str) -> bool:
    """Say whether an artifact is a document of MOST bytes at most that is neither packed nor compressed."""
    try:
        with open_archive(artifact) as stream:
            return _is_alone(stream, name)
    except OSError:
        # whoever unpacks it says what is wrong with it
        return False


def copy_alone(artifact: Path | StorePath, stage: StageFolder, wanted: Wanted) -> Done | None:
    """Copy a document into a stage, hashed and looked at; None, and nothing is done, where `is_alone` says no.

    Raises:
        ExtractError: It is larger than allowed, or its name can't be that of a file.
        StageError: The disk refuses.
        OSError: It can't be opened.
    """
    with open_archive(artifact) as stream:
        if not _is_alone(stream, wanted.name):
            return None
        budget = Budget(wanted.name, os.fstat(stream.fileno()).st_size, wanted.limits)
        copying = Unpacking(
            stage,
            budget,
            Selection(wanted.include, wanted.exclude),
            drop=wanted.drop,
            portable=wanted.portable,
            content_type=wanted.content_type,
        )
        # the bytes are taken as they are from here on, whatever becomes of the file meanwhile
        for entry in read_plain(stream, wanted.name, budget):
            copying.take(entry)
        files = as_table([as_batch(as_columns(copying.rows))] if copying.rows else [])
        return Done(files, sorted(copying.tops), copying.skipped, tuple(budget.remarks.list()))


def _is_alone(stream: IO[bytes], name: str) -> bool:
    return os.fstat(stream.fileno()).st_size <= MOST and is_plain(stream, name)

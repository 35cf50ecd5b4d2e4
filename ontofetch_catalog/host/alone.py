"""A document that is no archive: copied into a stage right here, for to start a process would cost more than to copy.

What has to be inflated, or read by the rules of a format of archives, is left to a process with limits. So is what is
large.
"""

from __future__ import annotations

import os
from pathlib import Path

from ontofetch_hookspecs.stages import StageFolder
from ontofetch_hookspecs.store_paths import StorePath

from ..content.formats import HEAD_BYTES, format_of
from ..content.packed.bounds import Budget
from ..content.packed.plain import is_plain, open_archive
from ..content.packed.selection import Selection
from ..content.packed.tars import BLOCK
from .unpacked import DATA, Done, Row, Wanted, as_batch, as_columns, as_table, recorded_time

MOST = 16 << 20  # bytes


def is_alone(artifact: Path | StorePath, name: str) -> bool:
    """Say whether an artifact is a document of MOST bytes at most that is neither packed nor compressed."""
    try:
        with open_archive(artifact) as stream:
            return os.fstat(stream.fileno()).st_size <= MOST and is_plain(name, stream.read(BLOCK))
    except OSError:
        # whoever unpacks it says what is wrong with it
        return False


def copy_alone(artifact: Path | StorePath, stage: StageFolder, wanted: Wanted) -> Done | None:
    """Copy a document into a stage, hashed and looked at; None, and nothing is done, where `is_alone` says no.

    Raises:
        ExtractError: It is larger than allowed, or lies in too many folders.
        StageError: The disk refuses.
        OSError: It can't be read.
    """
    name = wanted.name
    with open_archive(artifact) as stream:
        state = os.fstat(stream.fileno())
        # the bytes are taken as they are from here on, whatever becomes of the file meanwhile
        data = stream.read(MOST + 1)
    if len(data) > MOST or not is_plain(name, data[:BLOCK]):
        return None
    budget = Budget(name, state.st_size, wanted.limits)
    budget.begin(name)
    parts = name.split("/", wanted.drop)
    is_asked_for = Selection(wanted.include, wanted.exclude).wants(name)
    is_short = is_asked_for and len(parts) <= wanted.drop
    rows: list[Row] = []
    if is_asked_for and not is_short:
        path = parts[-1]
        depth = path.count("/")
        budget.check_depth(depth)
        for _ in range(depth):
            budget.make_folder(path)
        budget.take(len(data))
        mtime = recorded_time(state.st_mtime)
        with stage.write_file(f"{DATA}/{path}", mtime=mtime) as staged:
            staged.write(data)
        rows.append((path, staged.sha256, format_of(path, data[:HEAD_BYTES], wanted.content_type), len(data), mtime))
    files = as_table([as_batch(as_columns(rows))] if rows else [])
    top = name.partition("/")[0] if "/" in name else ""
    return Done(files, [top], int(is_short), ())

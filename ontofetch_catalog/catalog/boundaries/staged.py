"""The way from staged bytes to a place where one rename publishes them.

It checks what lies there and copies what lies on another file system; it knows no rows.
"""

from __future__ import annotations

import os
import stat
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import STAGING
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.stage_records import read_record
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import EventError
from .. import fsops, sessions
from ..connection import Store
from ..fsops import whole

if TYPE_CHECKING:
    import pyarrow as pa

    from ..bringing import States

_MANY = 2_000  # files that the system begins to write before they are made durable


def check_place(store: Store, path: Path) -> None:
    """Check that staged bytes are nobody else's: below the root only what is staged may move.

    Raises:
        EventError: They lie below the root and not in a stage.
    """
    inside = store.inside(path)
    if inside is not None and not inside.is_below(store.path(STAGING)):
        raise EventError(
            f"{quote(path)} is below the store but not staged.",
            subject=str(path),
            hint="Prepare it in a Stage; what already lies in its place needs no `staged`.",
        )


def check_file(path: fsops.Anywhere, sha256: str, size: int, *, staged: bool) -> None:
    """Check that a regular file of that size and content is there; a stage's own record counts for the content.

    Raises:
        EventError: It is not.
    """
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise EventError(f"{quote(path)} is no regular file.", subject=str(path))
        if found.st_size != size:
            raise EventError(f"{quote(path)} has {found.st_size:,} bytes, the event says {size:,}.", subject=str(path))
        if staged and _is_recorded(path, sha256, size):
            return
        digest, _ = fsops.hash_file(path)
    except OSError as error:
        raise EventError(f"{quote(path)} can't be read: {error.strerror}.", subject=str(path)) from error
    if digest != sha256:
        raise EventError(f"{quote(path)} has the sha256 {digest}, the event says {sha256}.", subject=str(path))


def check_tree(folder: fsops.Anywhere, files: pa.Table, *, exactly: bool, states: States | None = None) -> None:
    """Check that every file of the table lies below `folder` with its size, and with `exactly` nothing else.

    Args:
        folder: The folder.
        files: The table.
        exactly: Whether nothing else may be there.
        states: Where to note what was found of each file.

    Raises:
        EventError: A file is missing, differs in size, is no regular file, or is there without a row.
    """
    sizes = files["size_bytes"].to_pylist()
    rows = dict(zip(files["relpath"].to_pylist(), range(len(sizes)), strict=True))
    try:
        for relpath, found in fsops.walk(folder) if rows or folder.is_dir() else ():
            row = rows.pop(relpath, None)
            if row is None:
                if exactly:
                    raise EventError(f"{quote(relpath)} is staged but not in the files table.", subject=relpath)
            elif not stat.S_ISREG(found.st_mode) or found.st_size != sizes[row]:
                what = f"has {found.st_size:,} bytes, the files table says {sizes[row]:,}"
                raise EventError(
                    f"{quote(relpath)} {what if stat.S_ISREG(found.st_mode) else 'is no regular file'}.",
                    subject=relpath,
                )
            elif states is not None:
                states.note(row, found)
    except OSError as error:
        raise EventError(f"The folder {quote(folder)} can't be read: {error.strerror}.", subject=str(folder)) from error
    if rows:
        missing = min(rows)
        raise EventError(
            f"{quote(missing)} is in the files table but not below {quote(folder)}.",
            subject=missing,
            hint=f"{len(rows):,} files are missing." if len(rows) > 1 else "",
        )


class Written:
    """What is staged, written to the disk by the system while others still look at it: then less has to be waited for.

    Whoever makes it durable asks for the end first: an error of the disk is told once, and to this alone.

    Args:
        path: A folder below the root.
        count: How many files are in it; of few nothing is done.
    """

    def __init__(self, path: fsops.Anywhere | None, count: int) -> None:
        self._written: Future[bool] | None = None
        if isinstance(path, StorePath) and count >= _MANY and fsops.is_durable(path):
            pool = ThreadPoolExecutor(1, "written")
            self._written = pool.submit(fsops.sync_filesystem, path)
            pool.shutdown(wait=False)

    def end(self) -> None:
        """Wait for it.

        Raises:
            OSError: The disk refuses.
        """
        if self._written is not None:
            self._written.result()


def check_contents(folder: StorePath, files: pa.Table) -> None:
    """Check the sha256 of every file of the table below `folder`: for files that a host put in place by itself.

    Raises:
        EventError: One differs or can't be read.
    """
    for relpath, file_id in zip(files["relpath"].to_pylist(), files["file_id"].to_pylist(), strict=True):
        try:
            digest, _ = fsops.hash_file(folder / relpath)
        except OSError as error:
            raise EventError(f"{quote(relpath)} can't be read: {error.strerror}.", subject=relpath) from error
        if digest != file_id:
            raise EventError(
                f"{quote(relpath)} has the sha256 {digest}, the files table says {file_id}.", subject=relpath
            )


def settle(store: Store, path: Path, boundary_id: str) -> StorePath:
    """Make a staged file or folder durable and return where it lies now: below the root, ready to be renamed.

    Raises:
        OSError: The disk refuses.
    """
    anchor = store.path(STAGING)
    sessions.make_store(store)
    whole.make_folders(anchor)
    inside = store.inside(path)
    if inside is None or inside.lstat().st_dev != anchor.lstat().st_dev:
        # a rename can't cross file systems, and the intent only names paths below the root
        target = anchor / f"copy-{boundary_id}"
        whole.make_folders(target)
        copy = target / path.name
        staged = path if inside is None else inside
        if staged.is_dir():
            whole.copy_tree(staged, copy)
        else:
            whole.copy_file(staged, copy)
        fsops.sync_folder(target)
        fsops.sync_folder(anchor)
        return copy
    make_durable_in_place(inside)
    return inside


def make_durable_in_place(path: StorePath) -> None:
    """Make a file or folder below the root, and the folders around it that a host may just have made, durable."""
    if fsops.sync_filesystem(path.parent):
        return
    make_alone_durable(path)


def make_alone_durable(path: StorePath) -> None:
    """Likewise, and nothing else: for one file it costs less than to wait for whatever the file system has to write."""
    if not fsops.is_durable(path):
        return
    sync_tree(path)
    while path.relpath:
        path = path.parent
        fsops.sync_folder(path)


def sync_tree(path: StorePath) -> None:
    """Make a file, or a folder with all below it, durable, one by one."""
    if not path.is_dir():
        _sync_path(path)
        return
    for name in path.names():
        sync_tree(path / name)
    fsops.sync_folder(path)


def _sync_path(path: StorePath) -> None:
    descriptor = path.open_file()
    try:
        whole.sync_opened(path, descriptor)
    finally:
        os.close(descriptor)


def stage_of(path: StorePath) -> StorePath | None:
    """Return the folder of the stage that `path` lies in; None if it lies in none."""
    staging = path.elsewhere(STAGING)
    if not path.is_below(staging) or path == staging:
        return None
    return staging / path.relpath.removeprefix(f"{STAGING}/").partition("/")[0]


def _is_recorded(path: fsops.Anywhere, sha256: str, size: int) -> bool:
    """Say whether the stage around `path` recorded this content while it was written."""
    stage = stage_of(path) if isinstance(path, StorePath) else None
    record = None if stage is None else read_record(stage)
    return (
        stage is not None
        and record is not None
        and record.complete
        and record.name is not None
        and stage / record.name == path
        and (record.sha256, record.size) == (sha256, size)
    )

"""The publishing of a release where no catalog is loaded: what is staged goes to its place, unrecorded.

It moves through the contract's stages alone, and knows of no release but the one at hand.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.publishing import publish_without_catalog
from ontofetch_hookspecs.store_paths import StorePath, below_root

from ..errors import StageError

_PORTION = 1 << 20  # bytes that are compared at once


def publish_artifact(root: Path, staged: Path, target: Path, *, replace: bool) -> bool:
    """Put an artifact in its place below `root`; return False if the same bytes lie there already.

    Raises:
        StageError: Other bytes lie there and `replace` is false, or the disk refuses.
    """
    if _is_same(below_root(root, staged), below_root(root, target)):
        return False
    publish_without_catalog(root, staged, target, replace_existing=replace)
    return True


def publish_files(root: Path, staged: Path, folder: Path, *, replace: bool, alone: bool) -> bool:
    """Put the files of an artifact below the data folder of its release; return False if they lie there already.

    Args:
        staged: The folder they are in.
        folder: The data folder.
        replace: Whether other files there may give way.
        alone: Whether all that is in the data folder came out of this artifact.

    Raises:
        StageError: Another file is in the way and `replace` is false, or the disk refuses.
    """
    source, data = below_root(root, staged), below_root(root, folder)
    names = list(_files_below(source))
    pending = [name for name in names if not _is_same(source / name, data / name)]
    left_over = alone and sum(1 for _ in _files_below(data)) > len(names) - len(pending)
    if not data.is_dir() or (replace and alone and (pending or left_over)):
        publish_without_catalog(root, staged, folder, replace_existing=replace)
        return True
    blocked = next((name for name in pending if (data / name).exists()), None)
    if blocked is not None and not replace:
        # said before anything moves, so that a release is not half of each
        raise StageError(
            f"{quote(folder / blocked)} is there already, with other bytes.",
            subject=str(folder / blocked),
            hint="Use --replace to put the new one there.",
        )
    for name in pending:
        publish_without_catalog(root, staged / name, folder / name, replace_existing=replace)
    return bool(pending)


def _is_same(staged: StorePath, target: StorePath) -> bool:
    if not target.is_file():
        return False
    with os.fdopen(staged.open_file(), "rb") as one, os.fdopen(target.open_file(), "rb") as other:
        while True:
            data = one.read(_PORTION)
            if data != other.read(_PORTION):
                return False
            if not data:
                return True


def _files_below(folder: StorePath, prefix: str = "") -> Iterator[str]:
    """Yield the paths of the files below a folder, sorted within each."""
    for name, kind in folder.entries():
        if kind == stat.S_IFDIR:
            yield from _files_below(folder / name, f"{prefix}{name}/")
        else:
            yield prefix + name

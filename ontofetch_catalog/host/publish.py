"""Own the publishing of a release where no catalog is loaded: what is staged goes to its place, unrecorded.

It moves through the contract's stages alone, and knows of no release but the one at hand.
"""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterator
from pathlib import Path

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.stages import publish_without_catalog

from ..errors import StageError


def publish_artifact(staged: Path, target: Path, *, replace: bool) -> bool:
    """Put an artifact in its place; return False if the same bytes lie there already.

    Raises:
        StageError: Other bytes lie there and `replace` is false, or the disk refuses.
    """
    if _is_same(staged, target):
        return False
    publish_without_catalog(staged, target, replace_existing=replace)
    return True


def publish_files(staged: Path, folder: Path, *, replace: bool, alone: bool) -> bool:
    """Put the files of an artifact below the data folder of its release; return False if they lie there already.

    Args:
        staged: The folder they are in.
        folder: The data folder.
        replace: Whether other files there may give way.
        alone: Whether all that is in the data folder came out of this artifact.

    Raises:
        StageError: Another file is in the way and `replace` is false, or the disk refuses.
    """
    moves = [(path, folder / path.relative_to(staged)) for path in _files_below(staged)]
    pending = [(source, target) for source, target in moves if not _is_same(source, target)]
    left_over = alone and sum(1 for _ in _files_below(folder)) > len(moves) - len(pending)
    if not folder.is_dir() or (replace and alone and (pending or left_over)):
        publish_without_catalog(staged, folder, replace_existing=replace)
        return True
    blocked = next((target for _, target in pending if os.path.lexists(target)), None)
    if blocked is not None and not replace:
        # said before anything moves, so that a release is not half of each
        raise StageError(
            f"{quote(blocked)} is there already, with other bytes.",
            subject=str(blocked),
            hint="Use --replace to put the new one there.",
        )
    for source, target in pending:
        publish_without_catalog(source, target, replace_existing=replace)
    return bool(pending)


def _is_same(staged: Path, target: Path) -> bool:
    return target.is_file() and not target.is_symlink() and filecmp.cmp(staged, target, shallow=False)


def _files_below(folder: Path) -> Iterator[Path]:
    for found, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(found, name) for name in sorted(names))

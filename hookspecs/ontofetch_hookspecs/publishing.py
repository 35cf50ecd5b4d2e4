"""The publishing by a host that has no catalog: what is staged is renamed to its place, and recorded nowhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .errors import StageError
from .names import quote
from .store_paths import StorePath, below_root


def publish_without_catalog(root: Path, staged: Path, target: Path, *, replace_existing: bool = False) -> None:
    """Rename `staged` to `target`, both below `root`; what it replaces goes only when the new one is there.

    Raises:
        StageError: Something is in the way and `replace_existing` is false, or the disk refuses.
        EventError: One of them is not below `root`.
    """
    source, place = below_root(root, staged), below_root(root, target)
    try:
        place.parent.make_folders()
        former = place.with_name(f".{place.name}.{os.urandom(16).hex()}.old") if place.exists() else None
        if former is not None and not replace_existing:
            raise StageError(
                f"{quote(target)} is there already.",
                subject=str(target),
                hint="Use --replace to put the new one there.",
            )
        if former is not None:
            _rename(place, former)
        try:
            _rename(source, place)
        except OSError:
            if former is not None:
                _rename(former, place)
            raise
        if former is not None:
            _remove(former)
    except OSError as error:
        raise StageError(
            f"{quote(target)} can't be published: {error.strerror or error}.", subject=str(target)
        ) from error


def _rename(source: StorePath, target: StorePath) -> None:
    with source.in_folder() as (from_folder, from_name), target.in_folder() as (to_folder, to_name):
        os.rename(from_name, to_name, src_dir_fd=from_folder, dst_dir_fd=to_folder)


def _remove(place: StorePath) -> None:
    with place.in_folder() as (folder, name):
        if place.is_dir():
            # by descriptors, so that no link is followed on this way (shutil.rmtree.avoids_symlink_attacks)
            shutil.rmtree(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)

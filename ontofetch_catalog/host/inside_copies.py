"""The copies of what is inside compressed files, which validators get: in a folder of the system, outside of any store.

The process that validates writes them, within bounds; who asked it removes them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ontofetch_hookspecs.store_paths import StorePath

from ..content.formats import COMPRESSED
from ..content.packed.bounds import Budget, Limits


class CopyRoom:
    """A folder of its own for one copy at a time; it is made when it is first needed."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @contextmanager
    def copy_of(self, relpath: str) -> Iterator[str]:
        """Yield the path to which what is inside of a file may be written; nothing stays there."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ontofetch-")
        name = relpath.rpartition("/")[2]
        stem, _, ending = name.rpartition(".")
        copy = os.path.join(self._folder.name, stem if stem and ending.casefold() in COMPRESSED else name)
        try:
            yield copy
        finally:
            with suppress(FileNotFoundError):
                os.unlink(copy)

    def close(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            self._folder.cleanup()


def lay_down(place: StorePath, content: bytes) -> None:
    """Write bytes as a new file below a folder outside of any store, with the folders it lies in."""
    place.parent.make_folders()
    with os.fdopen(place.create_file(0o600), "wb") as stream:
        stream.write(content)


def write_copy(task: dict[str, Any]) -> int:
    """Write what is inside a compressed file to where a CopyRoom said; return its size in bytes.

    Args:
        task: {inflate: how it is compressed, path, copy, name, limits}.

    Raises:
        ExtractError: It is damaged, or more than the limits allow.
        OSError: The disk refuses.
    """
    from ..content.packed.insides import copy_inside

    # what a process left behind that died at it is written anew
    with open(task["path"], "rb") as stream, open(task["copy"], "wb") as target:
        budget = Budget(task["name"], os.fstat(stream.fileno()).st_size, Limits(**task["limits"]))
        return copy_inside(stream, task["inflate"], budget, target)


@contextmanager
def table_place() -> Iterator[str]:
    """Yield a path to which a worker may write a table of terms; nothing stays there."""
    with tempfile.TemporaryDirectory(prefix="ontofetch-facts-") as folder:
        yield os.path.join(folder, "terms.parquet")

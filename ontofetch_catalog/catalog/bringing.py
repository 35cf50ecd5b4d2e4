"""What a boundary brings: where its files are staged, and what it says of their contents.

Whoever keeps the bytes elsewhere too holds them to that when it reads them; nothing is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ontofetch_hookspecs.store_paths import StorePath

if TYPE_CHECKING:
    import os
    from typing import Self

    import pyarrow as pa


class States(NamedTuple):
    """What was found of the files of a table, row by row: nanoseconds of their times, and their permission bits."""

    times: list[int]
    modes: list[int]

    @classmethod
    def of(cls, count: int) -> Self:
        """Return those of so many files, of which nothing was found yet."""
        return cls([0] * count, [0] * count)

    def note(self, row: int, found: os.stat_result) -> None:
        """Note what lstat says of the file of a row."""
        self.times[row], self.modes[row] = found.st_mtime_ns, found.st_mode & 0o777


class Brought(NamedTuple):
    """A staged file or folder.

    Args:
        place: Where it is.
        sha256: Of a file.
        files: Of a folder the table of its files, where the boundary has one.
        states: What was found of those, where all of them were looked at.
    """

    place: StorePath
    sha256: str = ""
    files: pa.Table | None = None
    states: States | None = None

    def contents(self) -> Mapping[str, str]:
        """Return path below the store → sha256, as far as the boundary says it."""
        if self.files is None:
            return {self.place.relpath: self.sha256} if self.sha256 else {}
        return dict(zip(self.paths(self.files), self.files["file_id"].to_pylist(), strict=True))

    def paths(self, files: pa.Table) -> list[str]:
        """Return the paths below the store of the files of a table of this folder."""
        import pyarrow.compute as pc

        found: list[str] = pc.binary_join_element_wise(self.place.relpath, files["relpath"], "/").to_pylist()
        return found

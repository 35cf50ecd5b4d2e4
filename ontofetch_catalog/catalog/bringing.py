"""What a boundary brings: where its files are staged, and what it says of their contents.

Whoever keeps the bytes elsewhere too holds them to that when it reads them; nothing is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ontofetch_hookspecs.store_paths import StorePath

if TYPE_CHECKING:
    import pyarrow as pa


class Brought(NamedTuple):
    """A staged file or folder; of a file its sha256, of a folder the table of its files, where the boundary has one."""

    place: StorePath
    sha256: str = ""
    files: pa.Table | None = None

    def contents(self) -> Mapping[str, str]:
        """Return path below the store → sha256, as far as the boundary says it."""
        if self.files is None:
            return {self.place.relpath: self.sha256} if self.sha256 else {}
        import pyarrow.compute as pc

        paths = pc.binary_join_element_wise(self.place.relpath, self.files["relpath"], "/")
        return dict(zip(paths.to_pylist(), self.files["file_id"].to_pylist(), strict=True))

"""The repair that records releases which lie on disk without a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import journal
from ..boundaries.engine import Recorded
from ..rebuild.adoption import adopt
from ..rebuild.places import find_folders
from ..repo import releases
from .repair import Repair

if TYPE_CHECKING:
    import duckdb


class AdoptReleases(Repair):
    """Take releases over from disk, in one boundary."""

    def still_found(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Return the folders that still hold a release without a row."""
        there = {folder.path for folder in find_folders(self.store)}
        recorded = {row.fs_relpath for row in releases.list_versions(connection)}
        return [subject for subject in self.subjects if subject in there - recorded]

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Record them."""
        recorded = Recorded(payload={"left": 0})
        for folder in find_folders(self.store):
            if folder.path in self.subjects:
                adopted = adopt(self.store, connection, draft, folder)
                recorded.rows += adopted.rows
                recorded.bytes += adopted.bytes
                recorded.payload["left"] += len(adopted.left)
        return recorded

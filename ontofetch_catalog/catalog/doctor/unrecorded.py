"""The check for releases that lie on disk and are not recorded, and the repair that records them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import journal
from ..boundaries.boundary import Recorded
from ..connection import Store
from ..rebuild.adoption import adopt
from ..rebuild.places import find_folders
from ..repo import releases
from .findings import Findings
from .repair import Repair

if TYPE_CHECKING:
    import duckdb


def check_releases(store: Store, connection: duckdb.DuckDBPyConnection, findings: Findings) -> None:
    """Compare the folders that look like a release with the recorded ones."""
    recorded = {row.fs_relpath for row in releases.list_versions(connection)}
    for folder in find_folders(store):
        if folder.path not in recorded:
            what = "has a manifest" if folder.manifest else "looks like a release"
            message = f"The folder {folder.path} {what} and is not recorded."
            # what another program keeps stays where that program looks for it
            movable = folder.layout is None or not folder.layout.shared
            findings.add("CAT028", folder.path, message, unsafe=["adopt", *(["quarantine"] if movable else [])])


class AdoptReleases(Repair):
    """Take releases over from disk, in one boundary."""

    def in_place(self) -> list[str]:
        """Return their folders."""
        return self.subjects

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

"""The pins, in the row and in the manifest: a pinned release is never pruned, whoever asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ...errors import VersionUnknown
from .. import journal, sessions
from ..boundaries.documents import draft_manifest
from ..boundaries.engine import MaintenanceBoundary, Recorded
from ..repo import releases

if TYPE_CHECKING:
    import duckdb


class Pin(MaintenanceBoundary):
    """Pin a release."""

    kind: ClassVar[str] = "prune"
    done: ClassVar[str] = "pinned"
    pinned: ClassVar[bool] = True

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that the release is recorded; return whether its pin differs."""
        row = releases.find_version(connection, self.version_id)
        if row is None:
            raise VersionUnknown(
                f"No release {self.version_id} is recorded.",
                subject=self.version_id,
                hint="`ontofetch db versions` lists what there is.",
            )
        return (row.pinned_at is not None) != self.pinned

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Change the row and write the manifest anew."""
        changes = {"pinned_at": sessions.utc_now() if self.pinned else None}
        releases.update_version(connection, self.version_id, changes)
        draft_manifest(connection, draft, self.version_id)
        return Recorded(rows=1)


class Unpin(Pin):
    """Take the pin of a release away."""

    done: ClassVar[str] = "unpinned"
    pinned: ClassVar[bool] = False

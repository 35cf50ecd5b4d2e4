"""The pins, in the row and in the manifest: a pinned release is never pruned, whoever asks for it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from .. import journal, sessions
from ..boundaries.boundary import MaintenanceBoundary, Recorded
from ..boundaries.documents import draft_manifest
from ..connection import Store
from ..repo import releases

if TYPE_CHECKING:
    import duckdb


class Pin(MaintenanceBoundary):
    """Pin a release."""

    kind: ClassVar[str] = "prune"
    done: ClassVar[str] = "pinned"
    one_release: ClassVar[bool] = True
    pinned: ClassVar[bool] = True

    def __init__(self, store: Store, version_id: str, *, since: datetime | None = None) -> None:
        super().__init__(store, version_id)
        self.since = since  # since when it is pinned, UTC without zone; None: from now on
        self.former: datetime | None = None

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that the release is recorded; return whether its pin differs."""
        row = releases.require_version(connection, self.version_id)
        self.former = row.pinned_at
        return (row.pinned_at is not None) != self.pinned

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Change the row and write the manifest anew."""
        changes = {"pinned_at": (self.since or sessions.utc_now()) if self.pinned else None}
        releases.update_version(connection, self.version_id, changes)
        draft_manifest(connection, draft, self.version_id)
        told = {"former": self.former.isoformat()} if self.former else {}
        message = f"{self.version_id} is {'pinned' if self.pinned else 'no longer pinned'}."
        return Recorded(rows=1, payload={**told, "message": message})


class Unpin(Pin):
    """Take the pin of a release away."""

    done: ClassVar[str] = "unpinned"
    pinned: ClassVar[bool] = False

"""What a restore came to, and how the catalog that was restored tells of it."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import journal
from ..boundaries.boundary import MaintenanceBoundary, Recorded
from ..connection import Store
from . import manifest as m

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore came to.

    Args:
        manifest: What the backup says of itself.
        signed: Whether it is signed.
        kept: The folder of what was replaced; None if there was nothing.
        files_back: How many documents and files were put back, a folder counting as one.
        files_there: How many of the backup were there already and were left as they are.
        migrated: Names of the migrations applied to what was restored.
    """

    manifest: m.Manifest
    signed: bool
    kept: Path | None = None
    files_back: int = 0
    files_there: int = 0
    migrated: list[str] = field(default_factory=list)


class RestoreDone(MaintenanceBoundary):
    """Record in the restored catalog that it was restored."""

    kind: ClassVar[str] = "backup"
    done: ClassVar[str] = "restored"

    def __init__(self, store: Store, restored: Restored) -> None:
        super().__init__(store)
        self.restored = restored

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Change nothing; the event is all."""
        del connection, draft
        payload = {
            "created_at": self.restored.manifest.created_at,
            "events": self.restored.manifest.events,
            "kept": self.restored.kept.name if self.restored.kept else None,
            "files_back": self.restored.files_back,
            "files_there": self.restored.files_there,
        }
        return Recorded(payload=payload)

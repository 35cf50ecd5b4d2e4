"""The return of what a removal has taken, in one boundary: rows, files, and what the series pointed at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.names import quote

from ...errors import Conflict
from .. import journal
from ..boundaries.boundary import MaintenanceBoundary, Recorded, batch_event
from ..boundaries.pointers import Pointers, describe
from ..connection import Store
from ..prune.batches import RESTORED
from ..prune.entries import entries_of
from ..prune.plan import Plan, read_entries
from ..prune.plan_events import PlanEvents
from ..prune.restoring import RestoreBatch
from ..repo import events

if TYPE_CHECKING:
    import duckdb


class Return(MaintenanceBoundary):
    """Bring everything back that a removal has taken, in one boundary.

    Args:
        name: The release or the series that was removed.
        artifact: The artifact, if only one was.
    """

    kind: ClassVar[str] = "rm"
    done: ClassVar[str] = "restored"

    def __init__(self, store: Store, plan: Plan, name: str, artifact: str | None = None) -> None:
        super().__init__(store, name if name.count("/") == 2 else "")
        self.name, self.artifact = name, artifact
        told, entries = PlanEvents(plan), read_entries(store, plan)
        self._batches = [RestoreBatch(store, plan, told, batch, entries_of(entries, batch)) for batch in plan.batches]
        self._early: list[tuple[str, Recorded]] = []

    @property
    def subject(self) -> str:
        """Return what a sentence about this boundary names."""
        return self.name

    @property
    def versions(self) -> tuple[str, ...]:
        """Return the releases that come back."""
        return tuple(str(batch.batch.version_id) for batch in self._batches)

    @property
    def about(self) -> dict[str, Any]:
        """Return what an event tells of it."""
        return {"name": self.name, "artifact": self.artifact}

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that it all is in quarantine, and that its places are free."""
        changed = [batch.is_changed(connection) for batch in self._batches]
        if any(changed) and not all(changed):
            raise Conflict(
                f"Some of {self.name} is not in quarantine any more.",
                subject=self.name,
                hint="`ontofetch db prune --restore PLAN` brings back what is.",
            )
        return any(changed)

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Bring back rows and files, and let the series point at what they pointed at."""
        pointers = Pointers(connection, {slot for batch in self._batches for slot in batch.slots()})
        rows = 0
        for batch in self._batches:
            mine = batch.bring_back(connection, draft)
            self._early.append((str(batch.batch.version_id), batch.recorded(mine)))
            rows += mine
        changed = pointers.settle(connection, draft)
        what = f"{quote(self.artifact)} of {self.name}" if self.artifact else self.name
        payload = {"name": self.name, "artifact": self.artifact, "message": f"{what} is back.{describe(changed)}"}
        return Recorded(rows=rows, bytes=sum(batch.batch.bytes for batch in self._batches), payload=payload)

    def early_events(self, boundary_id: str) -> list[events.EventRow]:
        """Return the events of the batches, by which prune knows what has become of them."""
        return [batch_event(self, boundary_id, RESTORED, version_id, told) for version_id, told in self._early]

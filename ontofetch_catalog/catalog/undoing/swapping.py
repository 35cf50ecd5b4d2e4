"""One artifact in the place of another: what leaves goes to quarantine by a plan, and comes back by it.

Who replaces an artifact, a pull or what takes one back, is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import Conflict, PreconditionFailed
from .. import journal
from ..boundaries.boundary import Boundary, MaintenanceBoundary, Recorded, batch_event
from ..boundaries.documents import draft_extract_audit, draft_manifest, draft_validation_audit
from ..boundaries.replacing import state_of
from ..connection import Store
from ..prune.batches import APPLIED, RESTORED, PruneBatch
from ..prune.entries import entries_of
from ..prune.plan import Plan, read_entries
from ..prune.plan_events import PlanEvents
from ..prune.restoring import RestoreBatch
from ..repo import events, releases
from ..walk import as_text
from .removal import Removal, Wanted

if TYPE_CHECKING:
    import duckdb

_REASON = "other bytes took its place"


class Leaving:
    """An artifact that goes to quarantine, with what came out of it, within the boundary of what takes its place."""

    def __init__(self, store: Store, version_id: str, artifact: str) -> None:
        wanted = Wanted(name=version_id, artifact=artifact, adopted=True, alone=True, reason=_REASON)
        self._removal = Removal(store, wanted)
        self._batch: PruneBatch | None = None
        self._told: Recorded | None = None

    def look(self, connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
        """Return the paths that would be moved away; never writes.

        Raises:
            OntofetchError: The release has no such artifact, or something speaks against it.
        """
        return self._removal.look(connection)[0].parts

    def plan(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Write the plan, before the boundary begins, and return its id."""
        (self._batch,) = self._removal.plan_batches(connection)
        return self._batch.plan.plan_id

    def unrecord(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> int:
        """Un-record it and move it away; the documents are left to the boundary. Return how many rows went."""
        if self._batch is None:
            raise LookupError(self._removal.subject)
        rows, kept = self._batch.unrecord(connection, draft, documents=False)
        self._told = self._batch.recorded(rows, kept=kept, removal=True)
        return rows

    def event(self, boundary: Boundary, boundary_id: str) -> list[events.EventRow]:
        """Return the event of its batch, by which prune knows what has become of it; none before it has left."""
        told = self._told
        return [] if told is None else [batch_event(boundary, boundary_id, APPLIED, boundary.version_id, told)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """What was there before a replacement.

    Args:
        version_id, artifact: Whose bytes were replaced.
        plan: By which they lie in quarantine.
        state: What `state_of` said of the release.
    """

    version_id: str
    artifact: str
    plan: Plan
    state: Mapping[str, Any]


class Swap(MaintenanceBoundary):
    """Put an artifact that was replaced back into its place, and what is there now into quarantine."""

    kind: ClassVar[str] = "rm"
    done: ClassVar[str] = "swapped"

    def __init__(self, store: Store, former: Former) -> None:
        super().__init__(store, former.version_id)
        self._former = former
        self._leaving = Leaving(store, former.version_id, former.artifact)
        plan = former.plan
        told, entries = PlanEvents(plan), read_entries(store, plan)
        (batch,) = plan.batches
        self._back = RestoreBatch(store, plan, told, batch, entries_of(entries, batch))
        self._plan_id = ""
        self._restored: Recorded | None = None

    @property
    def artifact(self) -> str:
        """Return the artifact."""
        return self._former.artifact

    def look(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Say whether the former bytes are there to come back; never writes.

        Raises:
            OntofetchError: Something speaks against it.
        """
        if not self._back.is_kept(connection):
            return False
        self._check_places(self._leaving.look(connection))
        return True

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Look at what is there now, and write the plan by which it leaves."""
        if not self.look(connection):
            raise PreconditionFailed(
                f"What was {quote(self._former.artifact)} of {self.version_id} is not in quarantine any more.",
                subject=self.version_id,
                hint="`ontofetch db prune --plans` lists what is.",
            )
        self._plan_id = self._leaving.plan(connection)
        return True

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Let the one leave and the other come back, rows and files, and write the documents anew."""
        former, before = self._former, releases.require_version(connection, self.version_id)
        gone = self._leaving.unrecord(connection, draft)
        back = self._back.bring_back(connection, draft, documents=False)
        self._restored = self._back.recorded(back)
        released = former.state.get("released")
        changes = {
            "released": date.fromisoformat(released) if released else None,
            "plan_hash": former.state.get("plan_hash"),
        }
        releases.update_version(connection, self.version_id, changes)
        if former.state.get("extract_audit") or before.extract_audit is not None:
            draft_extract_audit(connection, draft, before)
        if former.state.get("validation_audit") or before.validation_audit is not None:
            draft_validation_audit(connection, draft, before)
        draft_manifest(connection, draft, self.version_id)
        payload = {
            "artifact": former.artifact,
            "plan": self._plan_id,
            "was": state_of(before),
            "message": f"{quote(former.artifact)} of {self.version_id} is what it was before; what took its place is in"
            " quarantine.",
        }
        return Recorded(rows=gone + back, bytes=self._back.batch.bytes, payload=payload)

    def early_events(self, boundary_id: str) -> list[events.EventRow]:
        """Return the events of the two batches, by which prune knows what has become of them."""
        back = [] if self._restored is None else [
            batch_event(self, boundary_id, RESTORED, self.version_id, self._restored)
        ]  # fmt: skip
        return [*self._leaving.event(self, boundary_id), *back]

    def _check_places(self, leaving: tuple[str, ...]) -> None:
        """Check that every place is free once what is there now has left.

        Raises:
            Conflict: Something else lies there.
        """
        for path in self._back.moved_paths():
            above = [*journal.path_and_above(path)]
            folder_stays = not any(part in leaving for part in above[1:])
            if folder_stays and (path in leaving or not self.store.path(path).exists()):
                continue
            raise Conflict(
                f"{quote(path)} can't come back: something else lies there now.",
                subject=as_text(path),
                hint="Move it away and run the same command again.",
            )

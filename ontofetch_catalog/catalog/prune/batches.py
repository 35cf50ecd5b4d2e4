"""What happens to a batch of a plan, each a boundary: it is moved away, or removed for good.

Which batches there are is the plan's affair; a batch that was dealt with already is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.layout import series_of
from ontofetch_hookspecs.names import quote

from .. import journal
from ..boundaries.boundary import MaintenanceBoundary, Recorded
from ..boundaries.documents import draft_documents
from ..boundaries.pointers import Pointers
from ..connection import Store
from ..repo import held_facts, pruning
from ..shared.address import read_address
from ..walk import Entry, as_text, list_below, stat_paths
from .entries import Batch
from .freed import freed_of
from .kept_rows import keep_rows
from .plan import Plan, PlanUnusable
from .plan_events import PlanEvents, stale
from .references import staged_inodes
from .selection import part_entries

if TYPE_CHECKING:
    import duckdb

APPLIED, RESTORED, PURGED = "prune.batch", "prune.restored", "prune.purged"


class BatchBoundary(MaintenanceBoundary):
    """What the three have in common.

    Args:
        told: What the events tell of it, shared by its batches.
        batch: One of its batches.
        entries: Its entries as they were when the plan was made.
    """

    kind: ClassVar[str] = "prune"

    def __init__(self, store: Store, plan: Plan, told: PlanEvents, batch: Batch, entries: list[Entry]) -> None:
        super().__init__(store, batch.version_id or "")
        self.plan = plan
        self.told = told
        self.batch = batch
        self.entries = entries
        self.former: dict[str, Any] = {}
        self.freed = 0  # bytes that this frees for good

    @property
    def subject(self) -> str:
        """Return what a sentence about this boundary names."""
        return f"batch {self.batch.number} of the plan {self.plan.plan_id}"

    def state(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Return the type of the batch's newest event, empty if it has none; what that event told is `former`."""
        kind, self.former = self.told.states(connection).get(self.batch.number, ("", {}))
        if self.former and self.former.get("digest") != self.plan.digest:
            raise PlanUnusable(
                f"The plan {self.plan.plan_id} is not the one that was begun: its digest differs.",
                subject=self.plan.plan_id,
                hint="Nothing more was done. Bring the original back, or make a new plan with `ontofetch db prune`.",
            )
        return kind

    def recorded(self, rows: int, **more: object) -> Recorded:
        """Return what the event says of this batch."""
        payload = {"plan": self.plan.plan_id, "digest": self.plan.digest, "batch": self.batch.number, **more}
        return Recorded(rows=rows, bytes=self.batch.bytes, payload={**payload, "entries": self.batch.entries})

    def slots(self) -> set[str]:
        """Return the series of the release, none for orphans."""
        return {series_of(self.batch.version_id)} if self.batch.version_id else set()

    def aside(self, path: str) -> str:
        """Return where an entry or a part lies while it is in quarantine."""
        return f"{self.plan.quarantine(self.batch)}/{path}"

    def moved_paths(self) -> list[str]:
        """Return what is renamed: the parts of a release, or each orphan."""
        return list(self.batch.parts) or [entry.path for entry in self.entries]


class PruneBatch(BatchBoundary):
    """Move a batch to quarantine; the rows of a release leave the catalog with its files and are kept with the plan."""

    done: ClassVar[str] = "batch"

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that catalog and disk are what they were when the plan was made."""
        self.told.check_catalog(connection)
        if self.state(connection) in (APPLIED, PURGED):
            return False
        if self.batch.version_id:
            found: Iterable[Entry | None] = part_entries(self.store, self.batch.parts)
        else:
            found = stat_paths(self.store, [entry.path for entry in self.entries])
        _check_same(self.plan, self.entries, found)
        if any(entry.links > 1 for entry in self.entries):
            staged = staged_inodes(self.store)
            for entry in self.entries:
                if (entry.device, entry.inode) in staged:
                    raise stale(self.plan, f"a stage now holds {quote(entry.path)}")
        return True

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Keep and delete the rows of a release; move its parts, or each orphan, to quarantine."""
        pointers = Pointers(connection, self.slots())
        rows, kept = self.unrecord(connection, draft)
        # no plan of prune takes what is latest, but one of a removal that came to nothing may
        changed = pointers.settle(connection, draft, self.kind)
        return self.recorded(rows, kept=kept, **({"pointers": changed} if changed else {}))

    def unrecord(
        self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft, *, documents: bool = True
    ) -> tuple[int, dict[str, str]]:
        """Do what a batch does, but for the latest pointers; return how many rows went, and table → sha256 of them.

        Without `documents` those of a release that stays are left to the caller, who changes more of it.
        """
        rows, kept, batch = 0, {}, self.batch
        if batch.version_id:
            kept = keep_rows(connection, draft, self.plan, batch)
            going = pruning.going_files(batch.version_id, batch.artifact)
            for path in held_facts.list_leaving(connection, going):
                if self.store.path(path).exists():
                    draft.move(path, self.plan.terms(batch, path))
            rows = pruning.delete_release(connection, batch.version_id, batch.artifact)
        if batch.version_id and batch.artifact is not None and documents:
            draft_documents(connection, draft, batch.version_id)
        aside = self.aside("")
        known = {entry.path: entry for entry in self.entries}
        draft.move_all(((path, aside + path) for path in self.moved_paths()), known)
        return rows, kept


class PurgeBatch(BatchBoundary):
    """Remove a batch for good: it moves into the boundary's own folder, and goes with it once this has committed."""

    done: ClassVar[str] = "purged"

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that nothing lies in the batch's quarantine but what was moved there."""
        if self.state(connection) != APPLIED:
            return False
        folder = self.plan.quarantine(self.batch)
        planned = {f"{folder}/{entry.path}": entry for entry in self.entries}
        shared = read_address(self.store) is not None
        present = list_below(self.store, folder)
        for found in present:
            entry = planned.get(found.path)
            if entry is None or not is_same(entry, found, shared=shared):
                raise PlanUnusable(
                    f"{quote(found.path)} is not purged: it is not what the plan moved there.",
                    subject=as_text(found.path),
                    hint="Move it to a safe place and run the same command again.",
                )
        # what else has a name of a file may have come or gone since the plan was made
        self.freed = freed_of(self.store, present)
        return True

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Collect the moves; the bytes are gone when the boundary is forgotten, after its COMMIT."""
        del connection
        draft.displace(self.plan.quarantine(self.batch), keep=False)
        draft.displace(f"{self.plan.folder}/rows/{self.batch.number}", keep=False)
        return self.recorded(0, freed_bytes=self.freed)


def _check_same(plan: Plan, entries: list[Entry], found: Iterable[Entry | None]) -> None:
    now = {entry.path: entry for entry in found if entry is not None}
    for entry in entries:
        present = now.pop(entry.path, None)
        if not is_same(entry, present):
            raise stale(plan, f"{quote(entry.path)} {'has changed' if present else 'is gone'}")
    if now:
        raise stale(plan, f"{quote(min(now))} has come")


def is_same(entry: Entry, found: Entry | None, *, shared: bool = False) -> bool:
    """Say whether kind, inode, size and mtime are as planned; ctime is not asked, for a rename changes it.

    With `shared` inodes are not asked either: they are those of the machine that planned it.
    """
    return (
        found is not None
        and (shared or entry.inode == found.inode)
        and (entry.kind, entry.size, entry.mtime) == (found.kind, found.size, found.mtime)
    )

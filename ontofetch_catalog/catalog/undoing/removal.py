"""The removal of releases, or of one artifact, in one boundary: to quarantine, by the machinery of prune.

Its plan is made and carried out at once; `db prune --restore` and `--purge` deal with it as with any other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs import layout as layouts
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import PreconditionFailed, VersionUnknown
from .. import journal
from ..boundaries.boundary import MaintenanceBoundary, Recorded, batch_event
from ..boundaries.pointers import Pointers, describe
from ..connection import Store
from ..prune.batches import APPLIED, PruneBatch
from ..prune.entries import in_batches
from ..prune.freed import freed_of
from ..prune.plan import Plan, plan_header, write_plan
from ..prune.plan_events import PlanEvents
from ..prune.policy import Policy
from ..prune.references import staged_inodes
from ..prune.selection import Release, look_at_parts, release_parts
from ..repo import deeds, events, files, listing, pruning, releases
from ..scan import Place

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be removed.

    Args:
        name: The release or the series, whole.
        artifact: Only this artifact of the release, with what came out of it.
        adopted: Take also what was imported where it lies, and another program keeps, too.
        updated_by: Who asks for it.
        alone: Take the artifact also where the release has no other, since another one comes into its place.
        reason: Why, for the plan.
    """

    name: str
    artifact: str | None = None
    adopted: bool = False
    updated_by: str = "rm"
    alone: bool = False
    reason: str = "it was removed by hand"


class Removal(MaintenanceBoundary):
    """Remove a release, all releases of a series, or an artifact, and let the series point elsewhere."""

    kind: ClassVar[str] = "rm"

    def __init__(self, store: Store, wanted: Wanted) -> None:
        super().__init__(store, wanted.name if wanted.name.count("/") == 2 else "")
        self.wanted = wanted
        self.plan: Plan | None = None
        self.taken: list[Release] = []
        self._batches: list[PruneBatch] = []
        self._early: list[tuple[str, Recorded]] = []

    @property
    def subject(self) -> str:
        """Return what a sentence about this boundary names."""
        return self.wanted.name

    @property
    def about(self) -> dict[str, Any]:
        """Return what an event tells of it."""
        return {"name": self.wanted.name, "artifact": self.wanted.artifact}

    def look(self, connection: duckdb.DuckDBPyConnection) -> list[Release]:
        """Return what would be taken; never writes.

        Raises:
            VersionUnknown: There is nothing of that name.
            PreconditionFailed: A release is pinned, or something else speaks against it.
        """
        rows = releases.list_below(connection, self.wanted.name)
        if not rows:
            raise VersionUnknown(
                f"Nothing is recorded under {self.wanted.name}.",
                subject=self.wanted.name,
                hint="`ontofetch db versions` lists what there is.",
            )
        for row in rows:
            self._check(row)
        if self.wanted.artifact is not None:
            return [self._artifact(connection, rows[0], self.wanted.artifact)]
        return [self._release(row) for row in rows]

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Look at what is there now and write the plan; return False if it was removed already."""
        try:
            self.taken = self.look(connection)
        except VersionUnknown:
            if deeds.find_removal(connection, self.wanted.name, self.wanted.artifact) is not None:
                return False
            raise
        self.check_voted(taken.version_id for taken in self.taken)
        staged = staged_inodes(self.store)
        for taken in self.taken:
            if any(entry.links > 1 and (entry.device, entry.inode) in staged for entry in taken.entries):
                raise _refused(taken.version_id, "a stage holds one of its files", "Wait until that pull has ended.")
        self._batches = self._plan_batches(connection)
        return True

    def plan_batches(self, connection: duckdb.DuckDBPyConnection) -> list[PruneBatch]:
        """Look at what is there, write the plan, and return its batches: another boundary carries them out."""
        self.taken = self.look(connection)
        return self._plan_batches(connection)

    def _plan_batches(self, connection: duckdb.DuckDBPyConnection) -> list[PruneBatch]:
        plan = self.plan = self._write_plan(connection)
        told = PlanEvents(plan)
        return [
            PruneBatch(self.store, plan, told, batch, taken.entries)
            for batch, taken in zip(plan.batches, self.taken, strict=True)
        ]

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Un-record everything, move it to quarantine, and let the series point at what is left."""
        if self.plan is None:
            raise LookupError(self.wanted.name)
        pointers = Pointers(connection, {slot for batch in self._batches for slot in batch.slots()})
        done = []
        for number, batch in enumerate(self._batches, start=1):
            done.append((batch, *batch.unrecord(connection, draft)))
            self.progress(number, len(self._batches))
        changed = pointers.settle(connection, draft, self.wanted.updated_by)
        for batch, rows, kept in done:
            mine = [told for told in changed if told["slot"] in batch.slots()]
            recorded = batch.recorded(rows, kept=kept, removal=True, pointers=mine)
            self._early.append((str(batch.batch.version_id), recorded))
        what = f"{quote(self.wanted.artifact)} of {self.wanted.name}" if self.wanted.artifact else self.wanted.name
        if not self.version_id:
            what += f" with {len(self.taken):,} {'release' if len(self.taken) == 1 else 'releases'}"
        payload = {
            "name": self.wanted.name,
            "artifact": self.wanted.artifact,
            "plan": self.plan.plan_id,
            "latest": changed,
            "message": f"{what} was removed to quarantine.{describe(changed)}",
        }
        size = sum(batch.batch.bytes for batch in self._batches)
        return Recorded(rows=sum(rows for _, rows, _ in done), bytes=size, payload=payload)

    def early_events(self, boundary_id: str) -> list[events.EventRow]:
        """Return the events of the batches, by which prune knows what has become of them."""
        return [batch_event(self, boundary_id, APPLIED, version_id, told) for version_id, told in self._early]

    def _check(self, row: releases.VersionRow) -> None:
        if self.wanted.artifact is None and row.pinned_at is not None:
            unpin = f"Unpin it first with `ontofetch db pin --remove {row.version_id}`."
            raise _refused(row.version_id, "it is pinned", unpin)
        if layouts.find_layout(row.layout).shared and not self.wanted.adopted:
            raise _refused(
                row.version_id,
                "it was imported where it lies, and another program keeps it, too",
                "Add --adopted to take that program's files as well.",
            )

    def _release(self, row: releases.VersionRow) -> Release:
        place = Place(row.fs_relpath, layouts.find_layout(row.layout), row.version_id)
        return self._taken(row, release_parts(self.store, place))

    def _artifact(self, connection: duckdb.DuckDBPyConnection, row: releases.VersionRow, name: str) -> Release:
        known = releases.find_artifacts(connection, row.version_id)
        artifact = next((item for item in known if item.relpath == name), None)
        if artifact is None:
            raise VersionUnknown(
                f"{row.version_id} has no artifact {quote(name)}.",
                subject=name,
                hint=f"It has {', '.join(quote(item.relpath) for item in known[:10])}.",
            )
        if len(known) == 1 and not self.wanted.alone:
            raise _refused(
                name, f"{row.version_id} has no other", f"Remove the release: `ontofetch rm {row.version_id}`."
            )
        layout = layouts.find_layout(row.layout)
        parts = [f"{row.fs_relpath}/{layout.source}/{name}"]
        if pruning.owns_files(connection, row.version_id, name):
            data = f"{row.fs_relpath}/{layout.data}"
            found = files.covering_paths(connection, row.version_id, artifact.artifact_id)
            parts += [f"{data}/{path}".rstrip("/") for path in found]
        return self._taken(row, parts)

    def _taken(self, row: releases.VersionRow, parts: Sequence[str]) -> Release:
        try:
            there, entries = look_at_parts(self.store, parts)
        except OSError as error:
            reason = f"its folder can't be read: {error.strerror or error}"
            raise _refused(row.version_id, reason, "Mend that, and run the same command again.") from error
        if any(".catalog" in entry.path and ".catalog" in entry.path.split("/") for entry in entries):
            raise _refused(row.version_id, "another catalog lives inside it", "Move that one away first.")
        return Release(row.version_id, row.fs_relpath, tuple(there), entries)

    def _write_plan(self, connection: duckdb.DuckDBPyConnection) -> Plan:
        now = time.time_ns()
        found = ((taken.version_id, taken.parts, self.wanted.reason, taken.entries) for taken in self.taken)
        batches, entries = in_batches(found, now=now, artifact=self.wanted.artifact)
        named = tuple(taken.version_id for taken in self.taken)
        policy = Policy(versions=named, min_age=0, adopted=self.wanted.adopted)
        totals = {
            "entries": len(entries),
            "bytes": sum(batch.bytes for batch in batches),
            "bytes_freed": freed_of(self.store, chain.from_iterable(taken.entries for taken in self.taken)),
            "orphans": 0,
            "releases": list(named),
            "kept": 0,
            "known_files": listing.count_recorded(connection),
            "found_files": 0,
        }
        header = plan_header(policy, events.last_event(connection), totals, now=now)
        return write_plan(self.store, header, batches, entries)


def _refused(name: str, reason: str, hint: str) -> PreconditionFailed:
    return PreconditionFailed(f"{quote(name)} can't be removed: {reason}.", subject=name, hint=hint)

"""The carrying out of a plan, batch by batch: apply, restore, purge; and in which state a plan is.

Each batch is a boundary of its own, so that an interrupt, a kill or another writer comes between two of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops, sessions
from ..boundaries.engine import BoundaryResult, carry_out
from ..connection import Store
from ..repo import pruning
from ..walk import Entry
from .batches import APPLIED, PURGED, RESTORED, BatchBoundary, PruneBatch, PurgeBatch
from .entries import Batch, entries_of
from .plan import Plan, read_entries, read_plan
from .plan_events import PlanEvents
from .restoring import RestoreBatch

if TYPE_CHECKING:
    import pyarrow as pa

Tell = Callable[[BoundaryResult], None]
Progress = Callable[[int, int], None]
_NOBODY: Mapping[str, float] = {}
_BOUNDARIES: dict[str, Callable[[Store, Plan, PlanEvents, Batch, list[Entry]], BatchBoundary]] = {
    APPLIED: PruneBatch,
    RESTORED: RestoreBatch,
    PURGED: PurgeBatch,
}


@dataclass(frozen=True, slots=True)
class Done:
    """What a step has come to.

    Args:
        step: The type of its events.
        batches, entries, bytes: How many were dealt with now.
        freed: Bytes that this has freed.
        left: Batches that were in no state for this step: dealt with before, or never applied.
    """

    plan: Plan
    step: str
    batches: int
    entries: int
    bytes: int
    freed: int
    left: int


def apply_plan(store: Store, name: str, *, tell: Tell, progress: Progress) -> Done:
    """Move everything that a plan lists to quarantine, exactly that; go on where an interrupted one stopped.

    Raises:
        PlanUnusable: It was edited, or catalog or disk have changed since it was made; what is left was not touched.
    """
    return _carry_out(store, read_plan(store, name), APPLIED, tell, progress)


def restore_plan(
    store: Store, name: str, *, tell: Tell, progress: Progress, votes: Mapping[str, float] = _NOBODY
) -> Done:
    """Move everything that was applied of a plan back to where it was, rows and files.

    Args:
        tell: Called after each batch.
        progress: Called with the entries that are done, and those there are.
        votes: Plugin → milliseconds that its vote on all of it took; the first batch tells of them.

    Raises:
        Conflict: Something lies there now, or the release was recorded again.
        PlanUnusable: The plan was edited or what it moved is not there any more.
    """
    return _carry_out(store, read_plan(store, name), RESTORED, tell, progress, votes=votes)


def purge_plan(store: Store, name: str, *, tell: Tell, progress: Progress) -> Done:
    """Remove for good what was applied of a plan.

    Raises:
        PlanUnusable: The plan was edited, or something else lies in its quarantine.
    """
    done = _carry_out(store, read_plan(store, name), PURGED, tell, progress)
    with sessions.writing(store):
        _remove_empty_folders(store, done.plan)
    return done


def batch_counts(store: Store, plans: list[Plan]) -> list[dict[str, int]]:
    """Return for each plan how many batches were applied, restored and purged last: step → number."""
    with sessions.reading(store) as connection:
        counts = pruning.count_batches(connection)
    return [{step: counts.get((plan.plan_id, step), 0) for step in (APPLIED, RESTORED, PURGED)} for plan in plans]


def _carry_out(
    store: Store, plan: Plan, step: str, tell: Tell, progress: Progress, *, votes: Mapping[str, float] = _NOBODY
) -> Done:
    import pyarrow.compute as pc

    entries = read_entries(store, plan)
    told = PlanEvents(plan)
    todo = _todo(store, plan, told, step)
    batches = total = size = freed = 0
    planned = sum(batch.entries for batch in todo)
    dealt: list[int] = []
    for batch in todo:
        boundary = _BOUNDARIES[step](store, plan, told, batch, entries_of(entries, batch))
        boundary.votes, votes = votes, _NOBODY
        outcome = carry_out(store, boundary)
        tell(outcome)
        if outcome.receipt.changed:
            batches, size, freed = batches + 1, size + batch.bytes, freed + boundary.freed
            dealt.append(batch.number)
        total += batch.entries
        progress(total, planned)
    mine: pa.Table = entries.filter(pc.is_in(entries["batch"], _numbers(dealt)))
    return Done(plan, step, batches, len(mine), size, freed, len(plan.batches) - batches)


def _todo(store: Store, plan: Plan, told: PlanEvents, step: str) -> list[Batch]:
    # a repeat that finds nothing left ends what the first one left open all the same
    with sessions.writing(store) as session:
        if step == APPLIED:
            told.check_catalog(session.connection)
        kinds = {number: kind for number, (kind, _) in told.states(session.connection).items()}
    if step == APPLIED:
        return [batch for batch in plan.batches if kinds.get(batch.number) not in (APPLIED, PURGED)]
    return [batch for batch in plan.batches if kinds.get(batch.number) == APPLIED]


def _numbers(numbers: list[int]) -> pa.Array:
    import pyarrow as pa

    return pa.array(numbers, pa.int32())


def _remove_empty_folders(store: Store, plan: Plan) -> None:
    """Remove the folders that a purged plan has left empty, deepest first; never a link, nothing that is not empty."""
    folders = {os.path.dirname(plan.quarantine(batch)) for batch in plan.batches} | {f"{plan.folder}/rows"}
    entries = read_entries(store, plan)
    for batch in plan.batches:
        for entry in entries_of(entries, batch):
            folders.update(_emptied(entry.path, recorded=not batch.version_id))
    for folder in sorted(folders, key=lambda path: (-path.count("/"), path)):
        above = folder.rpartition("/")[0]
        with suppress(OSError):
            descriptor = fsops.open_folder(store.root, above)
            try:
                fsops.remove_folder(store.path(folder), folder=descriptor)
            finally:
                os.close(descriptor)


def _emptied(path: str, *, recorded: bool) -> Iterator[str]:
    """Yield the folders of an entry that may go once they are empty.

    Those of a release that is still there stay down to its folders of sources and data; of one that is gone, its own
    folder goes too.
    """
    parts = path.split("/")
    for count in range(5 if recorded else 3, len(parts)):
        yield "/".join(parts[:count])

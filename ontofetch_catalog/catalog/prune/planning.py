"""The making of a plan: look, choose, check the brakes, divide into batches, write.

What may go is decided by the selection, what a plan looks like by the document.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from .. import sessions
from ..connection import Store
from ..repo import events, row_checks
from .entries import Batch, Found, in_batches
from .freed import freed_of
from .plan import BATCH_ENTRIES, Plan, plan_header, write_plan
from .policy import Policy, check_safety
from .selection import Selection, select

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan that is not written yet: everything it takes, and what it keeps.

    Args:
        header: What plan.json will say beside batches and entries.
        selection: What was chosen.
        batches: What is moved at once, in order.
        entries: Every entry, columns as `plan.entry_schema` says.
    """

    header: dict[str, Any]
    selection: Selection
    batches: list[Batch]
    entries: pa.Table


def clock() -> int:
    """Return the time in nanoseconds since 1970; tests put another clock in its place."""
    return time.time_ns()


def propose(store: Store, policy: Policy, *, progress: Callable[[int], None] | None = None) -> Proposal:
    """Look at the store and say what a plan would take; writes nothing.

    Raises:
        PruneStopped: A release that was named may not go.
    """
    now = clock()
    with sessions.reading(store.bounded()) as connection:
        row_checks.refuse_invalid(connection)
        newest = events.last_event(connection)
        chosen = select(store, connection, policy, now=now, progress=progress)
    batches, entries = in_batches(_divide(chosen), now=now)
    totals = {
        "entries": len(entries),
        "bytes": sum(batch.bytes for batch in batches),
        "bytes_freed": freed_of(store, chain(*chosen.orphans.values(), *(item.entries for item in chosen.releases))),
        "orphans": sum(map(len, chosen.orphans.values())),
        "releases": [release.version_id for release in chosen.releases],
        "kept": len(chosen.kept),
        "known_files": chosen.known,
        "found_files": chosen.found,
    }
    return Proposal(plan_header(policy, newest, totals, now=now), chosen, batches, entries)


def write_proposal(store: Store, policy: Policy, proposal: Proposal) -> Plan:
    """Check the brakes and write the plan.

    Raises:
        PruneStopped: A brake is on.
    """
    check_proposal(policy, proposal)
    return write_plan(store, proposal.header, proposal.batches, proposal.entries)


def check_proposal(policy: Policy, proposal: Proposal) -> None:
    """Check the brakes.

    Raises:
        PruneStopped: One is on.
    """
    chosen = proposal.selection
    obstacles = {}
    if chosen.taken and chosen.scan.obstacles.unreadable:
        path, reason = chosen.scan.obstacles.unreadable[0]
        obstacles["unreadable-folder"] = f"{quote(path)} can't be looked into ({reason})"
    if chosen.taken and chosen.references.unreadable:
        obstacles["unreadable-intent"] = (
            f"the intent {chosen.references.unreadable[0]} can't be read, so what it refers to is not known"
        )
    counts = {"known": chosen.known, "found": chosen.found, "taken": chosen.taken}
    check_safety(policy, counts, obstacles)


def _divide(chosen: Selection) -> Iterator[Found]:
    """Yield what is moved at once."""
    for reason, orphans in sorted(chosen.orphans.items()):
        for start in range(0, len(orphans), BATCH_ENTRIES):
            yield None, (), reason, orphans[start : start + BATCH_ENTRIES]
    for release in chosen.releases:
        yield release.version_id, release.parts, "its release is pruned", release.entries

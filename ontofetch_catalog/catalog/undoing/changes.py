"""What changes by hand what is recorded already, as plugins are asked about it, and as it is carried out then.

A command makes its boundary, asks for the votes through the hook, and is told what came of it; of an event that a host
sends alone, the boundary is made here. Who votes is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.changes import ChangeReleases
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.receipts import Receipt

from ...errors import EventError, PreconditionFailed
from .. import journal, sessions
from ..boundaries.boundary import MaintenanceBoundary, Recorded, untold
from ..boundaries.engine import BoundaryResult, carry_out
from ..boundaries.notes import AddNote
from ..boundaries.pointers import PointBack, Unset
from ..connection import Store
from ..prune.pins import Pin
from ..prune.plan import Plan, read_plan
from ..prune.steps import Done, Progress, restore_plan
from ..repo import releases
from .deeds import Deed, find_deed, make_inverse
from .removal import Removal, Wanted
from .renaming import Renaming
from .returning import Return
from .swapping import Swap

if TYPE_CHECKING:
    import duckdb

Tell = Callable[[BoundaryResult], None]


@dataclass(slots=True, kw_only=True)
class Change:
    """A change of what is recorded already.

    Args:
        boundary: What is carried out.
        fields: Those of its event that say what it is about: kind, name, versions …
        outcome: What came of it, once it is carried out.
    """

    boundary: MaintenanceBoundary
    fields: dict[str, Any]
    outcome: BoundaryResult | None = None
    unit: ClassVar[str] = "releases"  # what its progress counts

    @property
    def word(self) -> str:
        """Return what its progress is called."""
        return self.boundary.kind

    def watch(self, progress: Progress) -> None:
        """Let somebody be told how far it is: units done, and all there are."""
        self.boundary.progress = progress

    def run(self, tell: Tell) -> Receipt:
        """Carry it out, tell of each boundary that is committed, and return the receipt of it all."""
        self.outcome = carry_out(self.boundary.store, self.boundary)
        tell(self.outcome)
        return self.outcome.receipt


@dataclass(slots=True, kw_only=True)
class Restoring(Change):
    """The return of everything that a plan of prune has taken, batch by batch.

    Args:
        progress: Called with the entries that are back, and those there are.
        done: What came of it, once it is carried out.
    """

    plan: Plan
    progress: Progress = untold
    done: Done | None = None
    unit: ClassVar[str] = "entries"

    @property
    def word(self) -> str:
        """Return what its progress is called."""
        return "restore"

    def watch(self, progress: Progress) -> None:
        """Let somebody be told how far it is."""
        self.progress = progress

    def run(self, tell: Tell) -> Receipt:
        """Carry it out."""
        store = self.boundary.store
        outcomes: list[BoundaryResult] = []

        def told(outcome: BoundaryResult) -> None:
            outcomes.append(outcome)
            tell(outcome)

        self.done = restore_plan(store, self.plan.plan_id, tell=told, progress=self.progress, votes=self.boundary.votes)
        if not outcomes:
            raise PreconditionFailed(
                f"Nothing of the plan {self.plan.plan_id} is in quarantine any more.",
                subject=self.plan.plan_id,
                hint="`ontofetch db prune --plans` lists what is.",
            )
        receipts = [outcome.receipt for outcome in outcomes]
        self.outcome = outcomes[-1]
        return replace(
            receipts[-1],
            version_id=self.fields["name"] or None,
            changed=any(receipt.changed for receipt in receipts),
            rows=sum(receipt.rows for receipt in receipts),
            bytes=sum(receipt.bytes for receipt in receipts),
            milliseconds=sum(receipt.milliseconds for receipt in receipts),
        )


class _Batches(MaintenanceBoundary):
    """Stand for the boundaries of a plan, one for each batch, as long as nobody has voted."""

    kind: ClassVar[str] = "prune"
    done: ClassVar[str] = "restored"

    def __init__(self, store: Store, plan: Plan) -> None:
        super().__init__(store)
        self._plan_id = plan.plan_id

    @property
    def subject(self) -> str:
        """Return what a sentence about this boundary names."""
        return f"the plan {self._plan_id}"

    @property
    def about(self) -> dict[str, Any]:
        """Return what an event tells of it."""
        return {"plan": self._plan_id}

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Refuse: every batch is a boundary of its own."""
        del connection, draft
        raise LookupError(self._plan_id)


_handed: ContextVar[Change | None] = ContextVar("handed", default=None)


@contextmanager
def handing_over(change: Change) -> Iterator[None]:
    """Let the event that is sent inside be carried out by this change, instead of one that is made of it."""
    before = _handed.set(change)
    try:
        yield
    finally:
        _handed.reset(before)


def change_of(store: Store, event: ChangeReleases) -> Change:
    """Return what an event asks for: what its sender has handed over, else what is made of the event; never writes.

    Raises:
        EventError: The event is about another store, or says something else than what it asks for.
        OntofetchError: It can't be done.
    """
    change = _handed.get()
    # a command that another host has mounted knows the store that its own words name
    store = store if change is None else change.boundary.store
    if event.root != store.root:
        raise EventError(f"The event is about {event.root}, this catalog is at {store.root}.", subject=str(event.root))
    if change is None:
        with sessions.reading(store) as connection:
            change = _make(store, connection, event)
    _check_fields(event, change)
    change.boundary.voted = frozenset(event.versions)
    return change


def describe(boundary: MaintenanceBoundary, connection: duckdb.DuckDBPyConnection) -> Change:
    """Return a boundary as a change, with what its event says; never writes."""
    about: dict[str, Any]
    match boundary:
        case Removal(wanted=wanted):
            found = releases.list_below(connection, wanted.name)
            names = tuple(row.version_id for row in found)
            about = {"kind": "remove", "name": wanted.name, "artifact": wanted.artifact}
            # to take a return back needs no such word
            about |= {} if boundary.takes_back else {"adopted": wanted.adopted}
        case Renaming(old=old, new=new):
            names = tuple(row.version_id for row in releases.list_below(connection, old))
            about = {"kind": "rename", "name": old, "new_name": new}
        case Return():
            names = boundary.versions
            about = {"kind": "restore", "name": boundary.name, "artifact": boundary.artifact}
        case Swap():
            names = (boundary.version_id,)
            about = {"kind": "swap", "name": boundary.version_id, "artifact": boundary.artifact}
        case PointBack():
            names = (boundary.version_id,) if boundary.version_id else ()
            about = {"kind": "latest", "name": boundary.slot}
        case Pin() | AddNote():
            names = (boundary.version_id,)
            about = {"kind": "pin" if isinstance(boundary, Pin) else "note", "name": boundary.version_id}
        case _:
            raise TypeError(f"a {type(boundary).__name__} changes nothing by hand")
    undoes = next(iter(boundary.takes_back.values()), None)
    return Change(boundary=boundary, fields={**about, "versions": tuple(sorted(names)), "undoes": undoes})


def undo_of(store: Store, connection: duckdb.DuckDBPyConnection, deed: Deed, user: str) -> Change:
    """Return what takes a deed back; never writes.

    Args:
        deed: What is taken back.
        user: Who asks for it.

    Raises:
        OntofetchError: It can't be taken back.
    """
    if deed.row.type != "prune.batch":
        return describe(make_inverse(store, connection, deed.row, user), connection)
    plan = read_plan(store, str(deed.row.payload["plan"]))
    names = tuple(sorted({batch.version_id for batch in plan.batches if batch.version_id}))
    fields = {
        "kind": "restore",
        "name": names[0] if len(names) == 1 else "",
        "versions": names,
        "undoes": deed.row.event_id,
    }
    return Restoring(boundary=_Batches(store, plan), fields=fields, plan=plan)


def _make(store: Store, connection: duckdb.DuckDBPyConnection, event: ChangeReleases) -> Change:
    if event.undoes is not None:
        deed = find_deed(store, connection, event.undoes, event.updated_by)
        if deed.why_not:
            raise PreconditionFailed(
                f"Event {deed.row.event_id} can't be undone: {deed.message} {deed.why_not}",
                subject=str(deed.row.event_id),
                hint="`ontofetch undo --list` shows what else can be.",
            )
        return undo_of(store, connection, deed, event.updated_by)
    boundary: MaintenanceBoundary
    if event.kind == "rename":
        boundary = Renaming(store, event.name, str(event.new_name), updated_by=event.updated_by)
    elif event.kind == "latest":
        if event.versions:
            raise EventError(
                f"{event.versions[0]} becomes latest by another hook.", subject="kind", hint="Call on_set_latest."
            )
        boundary = Unset(store, event.name, None, event.updated_by)
    else:
        wanted = Wanted(name=event.name, artifact=event.artifact, adopted=event.adopted, updated_by=event.updated_by)
        boundary = Removal(store, wanted)
    return describe(boundary, connection)


def _check_fields(event: ChangeReleases, change: Change) -> None:
    """Check that plugins are asked about what will happen.

    Raises:
        EventError: They are not.
    """
    for name, value in change.fields.items():
        said = getattr(event, name)
        said = tuple(sorted(said)) if isinstance(said, tuple) else said
        # of what was done already nothing is left that could be named
        again = name == "versions" and not value and event.kind in ("remove", "rename")
        if said == value or again or (name == "undoes" and event.undoes is not None):
            continue
        shown = ", ".join(value[:3]) + (" …" if len(value) > 3 else "") if isinstance(value, tuple) else value
        raise EventError(
            f"{name} of the event is not what it asks for: that is {shown or 'nothing'}.",
            subject=name,
            hint="Say of a change what it is about, so that plugins vote on that.",
        )

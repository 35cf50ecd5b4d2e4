"""What this store did, and the inverse of each of it: a boundary as any other, which tells what it takes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.layout import series_of
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import OntofetchError, PreconditionFailed, UsageError
from ..boundaries.boundary import MaintenanceBoundary
from ..boundaries.notes import BOUNDARIES
from ..boundaries.pointers import PointBack, Unset
from ..connection import Store
from ..prune.batches import APPLIED, PURGED
from ..prune.pins import Pin, Unpin
from ..prune.plan import read_plan
from ..repo import deeds, pruning, releases
from ..repo.deeds import DeedRow
from .removal import Removal, Wanted
from .renaming import Renaming
from .returning import Return
from .swapping import Former, Swap

if TYPE_CHECKING:
    import duckdb

_FEW, _MOST = 20, 10_000
_Inverse = Callable[["_Undoing"], MaintenanceBoundary]


class Final(PreconditionFailed):
    """Something that was done has no inverse any more, or never had one."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done.

    Args:
        row: What the events tell of it.
        what: In one word: pull, rm, mv, latest, pin, prune, note, tag.
        message: What was done, as a sentence.
        why_not: Why it can't be undone, as a sentence; empty if it can.
        final: Whether that stays so whatever else is done.
    """

    row: DeedRow
    what: str
    message: str
    why_not: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class _Undoing:
    """What the inverse of a deed is made of."""

    store: Store
    connection: duckdb.DuckDBPyConnection
    row: DeedRow
    user: str

    @property
    def payload(self) -> dict[str, Any]:
        """Return what the deed's event tells."""
        return self.row.payload


def list_deeds(store: Store, connection: duckdb.DuckDBPyConnection, *, most: int, user: str) -> list[Deed]:
    """Return what was done last, the newest first, and whether it can be undone; never writes."""
    return [_judge(store, connection, row, user) for row in deeds.list_deeds(connection, most=most)]


def find_last(store: Store, connection: duckdb.DuckDBPyConnection, user: str) -> Deed | None:
    """Return the last thing that was done, was not taken back, takes nothing back, and has an inverse; never writes."""
    # as a rule it is among the last few
    for most in (_FEW, _MOST):
        for row in deeds.list_deeds(connection, most=most):
            if not (row.undone or row.undoes):
                found = _judge(store, connection, row, user)
                if not found.final:
                    return found
    return None


def find_deed(store: Store, connection: duckdb.DuckDBPyConnection, event_id: int, user: str) -> Deed:
    """Return what was done by an event; never writes.

    Raises:
        UsageError: There is no such event, or nothing that could ever be undone was done by it.
    """
    found = deeds.list_deeds(connection, most=1, event_id=event_id)
    if not found:
        raise UsageError(
            f"The event {event_id} did nothing that could be undone.",
            subject=str(event_id),
            hint="`ontofetch undo --list` shows what can be.",
        )
    return _judge(store, connection, found[0], user)


def make_inverse(store: Store, connection: duckdb.DuckDBPyConnection, row: DeedRow, user: str) -> MaintenanceBoundary:
    """Return the boundary that takes a deed back; not for plans of prune, which go back batch by batch.

    Raises:
        Final: There is none.
    """
    boundary = _INVERSES[row.type](_Undoing(store, connection, row, user))
    boundary.takes_back = {"redoes" if row.undoes else "undoes": row.event_id}
    return boundary


def _judge(store: Store, connection: duckdb.DuckDBPyConnection, row: DeedRow, user: str) -> Deed:
    what = _WORDS.get(row.type, row.type.partition(".")[0])
    message = str(row.payload.get("message") or _message(row))
    if row.undone:
        return Deed(row, what, message, "It was taken back already.")
    try:
        if row.type == "prune.batch":
            _check_plan(store, connection, str(row.payload["plan"]))
        elif not _can(make_inverse(store, connection, row, user), connection):
            raise Final("Nothing of it is left.")
    except OntofetchError as error:
        return Deed(row, what, message, error.message, isinstance(error, Final))
    return Deed(row, what, message)


def _can(boundary: MaintenanceBoundary, connection: duckdb.DuckDBPyConnection) -> bool:
    if isinstance(boundary, Removal):
        # it writes its plan when it is carried out
        return bool(boundary.look(connection))
    if isinstance(boundary, Swap):
        return boundary.look(connection)
    return boundary.is_changed(connection)


def _message(row: DeedRow) -> str:
    if row.type == "download.done":
        names = ", ".join(dict.fromkeys(quote(told.get("artifact")) for told in row.downloads))
        return f"{row.version_id} was pulled: {names}."
    if row.type == "prune.batch":
        return f"The plan {row.payload.get('plan')} was applied."
    if row.type == "latest.set":
        return f"The latest of {series_of(row.version_id)} was set to {row.version_id}."
    done = "pinned" if row.type == "prune.pinned" else "unpinned"
    return f"{row.version_id} was {done}."


def _check_plan(store: Store, connection: duckdb.DuckDBPyConnection, plan_id: str) -> None:
    """Check that something of a plan is in quarantine.

    Raises:
        Final: Nothing is.
    """
    kinds = {kind for kind, _ in pruning.batch_states(connection, plan_id).values()}
    if APPLIED not in kinds:
        raise Final("It was purged." if PURGED in kinds else "It was restored already.")
    read_plan(store, plan_id)


# --- the inverses -----------------------------------------------------------------------------------------------------


def _of_pull(undoing: _Undoing) -> MaintenanceBoundary:
    """Remove what a pull has added: the release, or one artifact of it."""
    row, version_id = undoing.row, undoing.row.version_id
    version = releases.require_version(undoing.connection, version_id)
    added = {str(told.get("artifact")): told for told in row.downloads}
    if deeds.is_pulled_again(undoing.connection, version_id, row.last_id):
        raise PreconditionFailed(f"{version_id} was pulled or validated again since.")
    if any(told.get("replaced") for told in added.values()):
        return _of_replacement(undoing, added)
    kinds = {told.get("added") for told in added.values()}
    if "release" in kinds or (kinds == {None} and version.run_id == row.run_id):
        if version.run_id != row.run_id:
            raise Final(f"{version_id} is another release by now.")
        return Removal(undoing.store, Wanted(name=version_id, updated_by=undoing.user))
    artifacts = [name for name, told in added.items() if told.get("added") == "artifact"]
    if len(artifacts) != 1:
        raise Final(
            "It told of another origin." if not artifacts else "It added several artifacts; remove them by name."
        )
    return Removal(undoing.store, Wanted(name=version_id, artifact=artifacts[0], updated_by=undoing.user))


def _of_replacement(undoing: _Undoing, added: Mapping[str, dict[str, Any]]) -> MaintenanceBoundary:
    """Put what a pull has replaced back into its place."""
    ((artifact, told), *others) = added.items()
    if others:
        raise Final("It brought several artifacts, of which it replaced some.")
    if not told.get("plan"):
        raise Final("It replaced other bytes, and what was recorded of them was not kept.")
    return _swap(undoing, artifact, told)


def _of_swap(undoing: _Undoing) -> MaintenanceBoundary:
    if deeds.is_pulled_again(undoing.connection, undoing.row.version_id, undoing.row.last_id):
        raise PreconditionFailed(f"{undoing.row.version_id} was pulled or validated again since.")
    return _swap(undoing, str(undoing.payload["artifact"]), undoing.payload)


def _swap(undoing: _Undoing, artifact: str, told: Mapping[str, Any]) -> MaintenanceBoundary:
    _check_plan(undoing.store, undoing.connection, str(told["plan"]))
    plan = read_plan(undoing.store, str(told["plan"]))
    former = Former(version_id=undoing.row.version_id, artifact=artifact, plan=plan, state=told.get("was") or {})
    return Swap(undoing.store, former)


def _of_removal(undoing: _Undoing) -> MaintenanceBoundary:
    _check_plan(undoing.store, undoing.connection, str(undoing.payload["plan"]))
    plan = read_plan(undoing.store, str(undoing.payload["plan"]))
    return Return(undoing.store, plan, str(undoing.payload["name"]), undoing.payload.get("artifact"))


def _of_return(undoing: _Undoing) -> MaintenanceBoundary:
    wanted = Wanted(
        name=str(undoing.payload["name"]),
        artifact=undoing.payload.get("artifact"),
        adopted=True,
        updated_by=undoing.user,
    )
    return Removal(undoing.store, wanted)


def _of_renaming(undoing: _Undoing) -> MaintenanceBoundary:
    old, new = str(undoing.payload["old"]), str(undoing.payload["new"])
    return Renaming(undoing.store, new, old, drop=undoing.payload.get("latest", ()), updated_by=undoing.user)


def _of_pointer(undoing: _Undoing) -> MaintenanceBoundary:
    slot, former = str(undoing.payload["slot"]), undoing.payload.get("former")
    expected = (undoing.row.version_id or None,)
    return (PointBack if former else Unset)(undoing.store, slot, former, undoing.user, expected=expected)


def _of_pin(undoing: _Undoing) -> MaintenanceBoundary:
    return Unpin(undoing.store, undoing.row.version_id)


def _of_unpin(undoing: _Undoing) -> MaintenanceBoundary:
    former = undoing.payload.get("former")
    return Pin(undoing.store, undoing.row.version_id, since=datetime.fromisoformat(former) if former else None)


def _of_note(undoing: _Undoing) -> MaintenanceBoundary:
    kind, _, done = undoing.row.type.partition(".")
    text = str(undoing.payload["text"])
    said = datetime.fromisoformat(str(undoing.payload["created_at"]))
    boundary = BOUNDARIES[kind, done == "removed"]
    return boundary(undoing.store, undoing.row.version_id, text, created_at=said)


_INVERSES: dict[str, _Inverse] = {
    "download.done": _of_pull,
    "rm.done": _of_removal,
    "rm.restored": _of_return,
    "rm.swapped": _of_swap,
    "mv.done": _of_renaming,
    "latest.set": _of_pointer,
    "latest.unset": _of_pointer,
    "prune.pinned": _of_pin,
    "prune.unpinned": _of_unpin,
    "note.added": _of_note,
    "note.removed": _of_note,
    "tag.added": _of_note,
    "tag.removed": _of_note,
}
_WORDS = {"download.done": "pull", "prune.batch": "prune", "prune.pinned": "pin", "prune.unpinned": "pin"}

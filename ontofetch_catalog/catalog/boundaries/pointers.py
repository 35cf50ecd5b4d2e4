"""What becomes of the latest of series when releases leave, come back or get other names; and setting it by hand.

The rows decide; LATEST.json follows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import Conflict
from .. import journal, sessions
from ..connection import Store
from ..repo import latest, releases
from .boundary import MaintenanceBoundary, Recorded
from .documents import draft_pointer

if TYPE_CHECKING:
    import duckdb


class Pointers:
    """The pointers of some series as they were before a boundary changed rows."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, slots: Iterable[str]) -> None:
        self._before = {slot: latest.find_pointer(connection, slot) for slot in sorted(slots)}

    def settle(
        self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft, updated_by: str | None = None
    ) -> list[dict[str, Any]]:
        """Let each LATEST.json say what the rows say by now.

        A series whose latest has left points at the one that was latest before it. Where there is none of them any
        more, and somebody is named as `updated_by`, at the last release that could be latest.

        Returns:
            What has changed: slot, former, latest (None: it has none), and `added`, the time of a new row, if it took
            one.
        """
        changed = []
        for slot, before in self._before.items():
            added = None
            gone = before is not None and latest.find_pointer(connection, slot) is None
            if gone and updated_by is not None and not latest.is_unset(connection, slot):
                substitute = latest.find_substitute(connection, slot)
                if substitute is not None:
                    added = latest.add_pointer(connection, slot, substitute, sessions.utc_now(), updated_by)
            now = latest.find_pointer(connection, slot)
            if now == before:
                continue
            draft_pointer(connection, draft, slot)
            former, pointed = (pointer.version_id if pointer else None for pointer in (before, now))
            told = {"slot": slot, "former": former, "latest": pointed}
            changed.append({**told, "added": added.isoformat()} if added else told)
        return changed


def drop_added(connection: duckdb.DuckDBPyConnection, changed: Iterable[Mapping[str, Any]]) -> None:
    """Take out of the histories what `Pointers.settle` has added to them, as it told of it."""
    for told in changed:
        if told.get("added"):
            latest.delete_pointer(connection, str(told["slot"]), datetime.fromisoformat(told["added"]))


def describe(changed: Iterable[Mapping[str, Any]]) -> str:
    """Return what `Pointers.settle` has changed as sentences, each with a space in front."""
    return "".join(
        f" The latest of {told['slot']} is {told['latest']} now."
        if told["latest"]
        else f" {told['slot']} has no latest now."
        for told in changed
    )


class PointBack(MaintenanceBoundary):
    """Point a series back to a release that was latest before.

    Args:
        target: The release; None for `Unset`.
        expected: What has to be latest as long as nothing is done, if that matters: (a release or None,).
        updated_by: Who asks for it.
    """

    kind: ClassVar[str] = "latest"
    done: ClassVar[str] = "set"

    def __init__(
        self, store: Store, slot: str, target: str | None, updated_by: str, *, expected: tuple[str | None] | None = None
    ) -> None:
        super().__init__(store, target or "")
        self.slot = slot
        self._target = target
        self._expected = expected
        self._updated_by = updated_by
        self._former: str | None = None

    @property
    def subject(self) -> str:
        """Return what a sentence about this boundary names."""
        return self.slot

    @property
    def about(self) -> dict[str, Any]:
        """Return what an event tells of it."""
        return {"slot": self.slot}

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that nobody has set another since; return whether the series points elsewhere."""
        pointer = latest.find_latest(connection, self.slot)
        self._former = pointer[0] if pointer else None
        if self._target is not None:
            releases.require_version(connection, self._target)
        if self._former == self._target:
            return False
        if self._expected is not None and self._expected != (self._former,):
            raise Conflict(
                f"The latest of {self.slot} is {self._former or 'unset'} by now.",
                subject=self.slot,
                hint="`ontofetch db latest set VERSION` sets it all the same.",
            )
        return True

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Add the pointer, and write LATEST.json or take it away."""
        latest.add_pointer(connection, self.slot, self._target, sessions.utc_now(), self._updated_by)
        draft_pointer(connection, draft, self.slot)
        message = describe([{"slot": self.slot, "latest": self._target}]).strip()
        payload = {"slot": self.slot, "former": self._former, "message": message}
        return Recorded(rows=1, payload=payload)


class Unset(PointBack):
    """Take the latest of a series away."""

    done: ClassVar[str] = "unset"

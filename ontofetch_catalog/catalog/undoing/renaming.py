"""Other names for releases, series and services: rows, folders and documents change in one boundary.

Nothing is overwritten; what speaks against a name is found before anything moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.names import check_segment, quote

from ...errors import Conflict, PreconditionFailed, UsageError, VersionUnknown
from .. import journal
from ..boundaries.boundary import MaintenanceBoundary, Recorded
from ..boundaries.documents import draft_documents
from ..boundaries.pointers import Pointers, describe, drop_added
from ..connection import Store
from ..repo import deeds, releases, renaming

if TYPE_CHECKING:
    import duckdb

KINDS = ("service", "series", "release")
_FIELDS = ("service", "ontology", "version")


class Renaming(MaintenanceBoundary):
    """Give a release, a series or a service another name.

    Args:
        old, new: Both whole: as many parts joined by `/`.
        drop: Pointers that a former renaming had added to the histories, and that this one takes out again.
        updated_by: Who asks for it.
    """

    kind: ClassVar[str] = "mv"

    def __init__(
        self, store: Store, old: str, new: str, *, drop: Iterable[Mapping[str, Any]] = (), updated_by: str = "mv"
    ) -> None:
        super().__init__(store, new if new.count("/") == 2 else "")
        self.old, self.new = old, new
        self.rows: list[releases.VersionRow] = []
        self._drop = list(drop)
        self._updated_by = updated_by

    @property
    def subject(self) -> str:
        """Return what a sentence about this boundary names."""
        return self.old

    @property
    def named(self) -> str:
        """Return the release under its old name, empty where it is about several."""
        return self.old if self.what == "release" else ""

    @property
    def about(self) -> dict[str, Any]:
        """Return what an event tells of it."""
        return {"old": self.old, "new": self.new}

    @property
    def what(self) -> str:
        """Return what gets another name: service, series or release."""
        return KINDS[self.old.count("/")]

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that the old name is there and the new one is free; return False if it was done already."""
        if self.old == self.new:
            return False
        check_name(self.new)
        self.rows = releases.list_below(connection, self.old)
        if not self.rows:
            if deeds.was_renamed(connection, self.old, self.new):
                return False
            raise VersionUnknown(
                f"No {self.what} {self.old} is recorded.",
                subject=self.old,
                hint="`ontofetch db versions` lists what there is.",
            )
        self.check_voted(row.version_id for row in self.rows)
        self._check(connection)
        return True

    def look(self, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
        """Return the old and the new name of every release it is about; never writes.

        Raises:
            OntofetchError: It can't be done.
        """
        self.is_changed(connection)
        return [(row.version_id, self._renamed(row.version_id)) for row in self.rows]

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Rename the rows, move the folders, and write anew the documents, which tell of the names."""
        slots = {layout.series_of(row.version_id) for row in self.rows}
        slots |= set(renaming.list_pointed(connection, [self.old])) if self.what != "release" else set()
        pointers = Pointers(connection, slots | {self._renamed_slot(slot) for slot in slots})
        for row in self.rows:
            self._move(draft, row)
        changed = renaming.rename(connection, self.old, self.new)
        drop_added(connection, self._drop)
        told = pointers.settle(connection, draft, self._updated_by)
        for number, row in enumerate(self.rows, start=1):
            draft_documents(connection, draft, self._renamed(row.version_id))
            self.progress(number, len(self.rows))
        releases = "release" if len(self.rows) == 1 else "releases"
        count = "" if self.what == "release" else f" with {len(self.rows):,} {releases}"
        payload = {
            "old": self.old,
            "new": self.new,
            "latest": told,
            "message": f"{self.old}{count} is called {self.new} now."
            # what the pointers of a whole series say is no news
            + describe(item for item in told if self.what == "release"),
        }
        return Recorded(rows=changed, payload=payload)

    def _renamed(self, version_id: str) -> str:
        return self.new + version_id[len(self.old) :]

    def _renamed_slot(self, slot: str) -> str:
        return layout.series_of(self.new) if self.what == "release" else self._renamed(slot)

    def _check(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Check that every new name and its place are free, and that nobody else keeps the folders.

        Raises:
            PreconditionFailed: They are not.
        """
        for row in self.rows:
            if layout.find_layout(row.layout).shared:
                raise PreconditionFailed(
                    f"{row.version_id} keeps its name: it was imported where it lies, and another program keeps it,"
                    " too.",
                    subject=row.version_id,
                    hint="`ontofetch db import --copy` takes it in under a name of its own.",
                )
        # within a series that is new as a whole the names are as different as they were
        new = {self._renamed(row.version_id) for row in self.rows}
        firsts = new if self.what == "release" else {layout.series_of(name): name for name in sorted(new)}.values()
        for name in sorted(firsts):
            self._check_name(connection, name)
        for name in sorted(new):
            self._check_place(name)

    def _check_name(self, connection: duckdb.DuckDBPyConnection, new: str) -> None:
        name = new if self.what == "release" else layout.series_of(new)
        if releases.list_below(connection, name):
            raise Conflict(
                f"{name} is recorded already; nothing is overwritten.",
                subject=name,
                hint="Give it another name, or remove that one first with `ontofetch rm`."
                + (" Releases can be moved there one by one." if self.what != "release" else ""),
            )
        folded = releases.find_folded(connection, new, leaving=self.old)
        if folded is not None:
            raise Conflict(
                f"{folded[1]} is recorded; {folded[0]} would be the same folder where case is folded.",
                subject=new,
                hint="Spell it as it is recorded, or give it another name.",
            )

    def _check_place(self, new: str) -> None:
        place = self.store.path(new)
        if place.exists() and not (place.is_dir() and not place.entries()):
            raise Conflict(
                f"{quote(new)} can't be the new place: something lies there that nobody has recorded.",
                subject=new,
                hint="Move it away, and run the same command again; `ontofetch db doctor` says what it is.",
            )

    def _move(self, draft: journal.IntentDraft, row: releases.VersionRow) -> None:
        """Collect the moves of a release: its folder with all that is in it, but for the documents."""
        old, new = row.fs_relpath, self._renamed(row.version_id)
        documents = layout.documents_of(row.layout)
        for name in documents:
            draft.displace(f"{old}/{name}", keep=False)
        place = self.store.path(old)
        if not place.is_dir():
            return
        if not self.store.path(new).exists():
            draft.move(old, new)
            return
        for name, _ in place.entries():
            if name not in documents:
                draft.move(f"{old}/{name}", f"{new}/{name}")


def check_name(name: str) -> None:
    """Check that a service, a series or a release may be called so.

    Raises:
        EventError: A part is no name.
    """
    for field, part in zip(_FIELDS, name.split("/"), strict=False):
        check_segment(field, part)


def complete(old: str, given: str) -> str:
    """Return a new name whole: what it leaves out in front stays as it is in the old one.

    Raises:
        UsageError: It has more parts than the old one, or an empty one.
    """
    parts, former = given.split("/"), old.split("/")
    if len(parts) > len(former) or not all(parts):
        raise UsageError(
            f"{old} is a {KINDS[len(former) - 1]}; {quote(given)} can't be the name of one.",
            subject=given,
            hint=f"Write it as {'/'.join(field.upper() for field in _FIELDS[: len(former)])}.",
        )
    return "/".join([*former[: len(former) - len(parts)], *parts])

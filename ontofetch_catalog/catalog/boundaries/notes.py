"""The boundaries of notes and tags: what people say of a release, in a row and in its manifest."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from ontofetch_hookspecs.names import check_segment, check_text, quote

from ...errors import EventError, PreconditionFailed
from .. import journal, sessions
from ..connection import Store
from ..repo import notes
from ..repo.releases import require_version
from .boundary import MaintenanceBoundary, Recorded
from .documents import draft_manifest

if TYPE_CHECKING:
    import duckdb

MOST_CHARACTERS = 2_000  # of a note
MOST_NOTES = 1_000  # of a release, tags included: its manifest repeats them


def check_note(kind: str, text: object, created_at: datetime) -> notes.Note:
    """Return a note or a tag after a check of what it says.

    Raises:
        EventError: A note is no line of plain text, or a tag is no name.
    """
    if kind not in notes.KINDS:
        raise EventError(f"{quote(kind)} is neither a note nor a tag.", subject="kind")
    if kind == notes.TAG:
        return notes.Note(kind, check_segment("tag", text), created_at)
    found = check_text("note", text, most=MOST_CHARACTERS, optional=False) or ""
    if not found.strip():
        raise EventError("A note needs words.", subject="note", hint="Write them after the release, in quotes.")
    return notes.Note(kind, found, created_at)


class AddNote(MaintenanceBoundary):
    """Record a note of a release.

    Args:
        created_at: When it was said first, now if it is None; UTC without zone.
    """

    kind: ClassVar[str] = notes.NOTE
    done: ClassVar[str] = "added"
    one_release: ClassVar[bool] = True

    def __init__(self, store: Store, version_id: str, text: str, *, created_at: datetime | None = None) -> None:
        super().__init__(store, version_id)
        self.note = check_note(self.kind, text, created_at or sessions.utc_now())

    def known(self, connection: duckdb.DuckDBPyConnection) -> list[notes.Note]:
        """Return what is said of the release already, once it is sure that it is recorded."""
        require_version(connection, self.version_id)
        return notes.find_notes(connection, self.version_id)

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that there is room; return whether it is not said yet."""
        known = self.known(connection)
        if len(known) >= MOST_NOTES:
            raise PreconditionFailed(
                f"{self.version_id} has {len(known):,} notes and tags already, the most that a release can have.",
                subject=self.version_id,
                hint="Remove some with --remove.",
            )
        return not any((note.kind, note.text) == (self.note.kind, self.note.text) for note in known)

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Add the row and write the manifest anew."""
        notes.insert_note(connection, self.version_id, self.note)
        return self.told(connection, draft, f"{self.version_id} has the {self.kind} {quote(self.note.text)}.")

    def told(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft, message: str) -> Recorded:
        """Write the manifest anew and return what the event says."""
        draft_manifest(connection, draft, self.version_id)
        payload = {"text": self.note.text, "created_at": self.note.created_at.isoformat(), "message": message}
        return Recorded(rows=1, payload=payload)


class RemoveNote(AddNote):
    """Take a note of a release away."""

    done: ClassVar[str] = "removed"

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Return whether it is said."""
        same = [note for note in self.known(connection) if (note.kind, note.text) == (self.note.kind, self.note.text)]
        # for whoever takes the removal back
        self.note = same[0] if same else self.note
        return bool(same)

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Remove the row and write the manifest anew."""
        notes.delete_note(connection, self.version_id, self.note.kind, self.note.text)
        message = f"{self.version_id} no longer has the {self.kind} {quote(self.note.text)}."
        return self.told(connection, draft, message)


class AddTag(AddNote):
    """Record a tag of a release."""

    kind: ClassVar[str] = notes.TAG


class RemoveTag(RemoveNote):
    """Take a tag of a release away."""

    kind: ClassVar[str] = notes.TAG


# (kind, whether it is added) → its boundary
BOUNDARIES: dict[tuple[str, bool], type[AddNote]] = {
    (kind.kind, kind.done == "added"): kind for kind in (AddNote, RemoveNote, AddTag, RemoveTag)
}

"""The SQL of notes and tags: what people say of releases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops
from ..connection import literal
from ..remembering import ask, read_ahead
from .views import SERIES_ORDER

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

NOTE, TAG = "note", "tag"
KINDS = (NOTE, TAG)
_OF_RELEASE = "FROM notes WHERE version_id = ? ORDER BY created_at, kind, text"
# the tags of a release, with a space between
TAGS = (
    "(SELECT string_agg(text, ' ' ORDER BY created_at, text) FROM notes"
    f" WHERE kind = '{TAG}' AND notes.version_id = {{version_id}})"
)


@dataclass(frozen=True, slots=True)
class Note:
    """What is said of a release: whether it is a note or a tag, the text, when it was recorded (UTC without zone)."""

    kind: str
    text: str
    created_at: datetime


def find_notes(connection: duckdb.DuckDBPyConnection, version_id: str) -> list[Note]:
    """Return the notes and tags of a release, in the order in which they were recorded."""
    rows = ask(connection, f"SELECT kind, text, created_at {_OF_RELEASE}", [version_id], of=("notes",))
    return [Note(*row) for row in rows]


def read_notes_ahead(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> None:
    """Read what `find_notes` is about to be asked for some releases, where the connection remembers it."""
    columns, some = "kind, text, created_at", _OF_RELEASE.replace("= ?", "IN (SELECT unnest(?))")
    many = f"SELECT version_id, {columns} {some}"
    read_ahead(connection, f"SELECT {columns} {_OF_RELEASE}", version_ids, many, of=("notes",))


def list_notes(
    connection: duckdb.DuckDBPyConnection, kind: str, version_id: str | None, *, gone: bool = False
) -> pa.Table:
    """Return the notes, or the tags, of one release or of all: version_id, number, text, created_at (UTC).

    Numbers count from 1 within a release, in the order in which they were recorded. One that was taken away keeps its
    number, so that no number ever means another; `gone` asks for these instead.
    """
    where = f"AND version_id = {literal(version_id)}" if version_id else ""
    return connection.sql(f"""
        WITH said AS (
            SELECT version_id, text, created_at, false AS gone FROM notes WHERE kind = {literal(kind)} {where}
            UNION ALL
            SELECT version_id, payload ->> 'text', TRY_CAST(payload ->> 'created_at' AS TIMESTAMP), true
            FROM events WHERE type = {literal(f"{kind}.removed")} {where}
        ), numbered AS (
            SELECT version_id, row_number() OVER (PARTITION BY version_id ORDER BY created_at, text) AS number,
                text, created_at, bool_and(gone) AS gone
            FROM said GROUP BY version_id, text, created_at
        )
        SELECT n.* EXCLUDE (gone) FROM numbered n JOIN {SERIES_ORDER} o ON o.version_id = n.version_id
        WHERE n.gone = {gone} ORDER BY o.slot, o.position, number
    """).to_arrow_table()


def insert_note(connection: duckdb.DuckDBPyConnection, version_id: str, note: Note) -> None:
    """Record a note or a tag of a release."""
    fsops.execute(
        connection,
        "INSERT INTO notes (version_id, kind, text, created_at) VALUES (?, ?, ?, ?)",
        [version_id, note.kind, note.text, note.created_at],
    )


def delete_note(connection: duckdb.DuckDBPyConnection, version_id: str, kind: str, text: str) -> int:
    """Un-record a note or a tag of a release and return how many rows it had."""
    return fsops.execute(
        connection, "DELETE FROM notes WHERE version_id = ? AND kind = ? AND text = ?", [version_id, kind, text]
    )

"""The SQL of the latest pointers; their history is kept, the newest counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.layout import series_of
from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops
from ..connection import fetch_text
from ..remembering import ask
from .views import LATEST, SERIES_ORDER

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# what SERIES_ORDER says of one series, $1: of that alone it takes a third of the time
_ORDER_OF_ONE = """
    SELECT version_id, row_number() OVER series AS position, lag(version_id) OVER series AS previous_version_id
    FROM (
        SELECT version_id, released, version_key, created_at, bool_and(released IS NOT NULL) OVER () AS dated
        FROM versions WHERE service || '/' || ontology = $1
    )
    WINDOW series AS (ORDER BY CASE WHEN dated THEN released END, version_key, created_at, version_id)
"""

_ORDERED_BY = tuple(
    f"versions.{name}" for name in ("version_id", "service", "ontology", "released", "version_key", "created_at")
)


def find_latest(connection: duckdb.DuckDBPyConnection, slot: str) -> tuple[str, datetime] | None:
    """Return (version_id, when it was set) of a series; None if it has no latest."""
    pointer = find_pointer(connection, slot)
    return (pointer.version_id, pointer.updated_at) if pointer else None


@dataclass(frozen=True, slots=True)
class Pointer:
    """The pointer of a series that counts: the release, when (UTC without zone) and by whom it was set."""

    version_id: str
    updated_at: datetime
    updated_by: str


def find_pointer(connection: duckdb.DuckDBPyConnection, slot: str) -> Pointer | None:
    """Return the pointer of a series that counts; None if it has no latest."""
    found = _find_newest(connection, slot)
    return None if found is None or found[0] is None else Pointer(*found)


def is_unset(connection: duckdb.DuckDBPyConnection, slot: str) -> bool:
    """Say whether somebody has taken the latest of a series away, and nobody has set one since."""
    found = _find_newest(connection, slot)
    return found is not None and found[0] is None


def _find_newest(connection: duckdb.DuckDBPyConnection, slot: str) -> tuple[Any, ...] | None:
    rows = ask(
        connection,
        "SELECT version_id, updated_at, updated_by FROM latest_pointer WHERE slot = ? ORDER BY updated_at DESC LIMIT 1",
        [slot],
        of=("latest_pointer",),
    )
    return rows[0] if rows else None


def list_newest(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the pointer that counts of every series, sorted: slot, version_id, updated_at (UTC), updated_by."""
    return connection.sql(
        f"SELECT slot, version_id, updated_at, updated_by FROM {LATEST} ORDER BY slot"
    ).to_arrow_table()


def add_pointer(
    connection: duckdb.DuckDBPyConnection, slot: str, version_id: str | None, updated_at: datetime, updated_by: str
) -> datetime:
    """Point a series at a release, or at none, and return the time recorded, always later than the one before."""
    previous = _find_newest(connection, slot)
    if previous is not None and updated_at <= previous[1]:
        # a clock that was set back must not bring an old pointer back
        updated_at = previous[1] + timedelta(microseconds=1)
    fsops.execute(
        connection,
        "INSERT INTO latest_pointer (slot, version_id, updated_at, updated_by) VALUES (?, ?, ?, ?)",
        [slot, version_id, updated_at, updated_by],
    )
    return updated_at


def comes_before(connection: duckdb.DuckDBPyConnection, version_id: str, other: str) -> bool:
    """Say whether a release comes before another of its series."""
    if version_id == other:
        return False
    places = _places(connection, version_id, other)
    return version_id in places and other in places and places[version_id][0] < places[other][0]


def find_previous(connection: duckdb.DuckDBPyConnection, version_id: str) -> str | None:
    """Return the release that comes right before one in its series; None if there is none."""
    # beside the latest: of both it was asked already whether the one comes before the other
    latest = find_latest(connection, series_of(version_id))
    _, previous = _places(connection, version_id, latest[0] if latest else version_id).get(version_id, (0, None))
    return previous


def _places(connection: duckdb.DuckDBPyConnection, version_id: str, other: str) -> Mapping[str, tuple[int, str | None]]:
    """Return release → its position in the series, and the release right before it, of two releases of one series."""
    rows = ask(
        connection,
        f"SELECT version_id, position, previous_version_id FROM ({_ORDER_OF_ONE}) WHERE version_id IN ($2, $3)",
        [series_of(version_id), version_id, other],
        of=_ORDERED_BY,
    )
    return {name: (position, previous) for name, position, previous in rows}


def delete_pointer(connection: duckdb.DuckDBPyConnection, slot: str, updated_at: datetime) -> int:
    """Take one pointer out of the history of a series, and return how many there were."""
    return fsops.execute(connection, "DELETE FROM latest_pointer WHERE slot = ? AND updated_at = ?", [slot, updated_at])


def find_substitute(connection: duckdb.DuckDBPyConnection, slot: str) -> str | None:
    """Return the last release of a series that could be latest: it is unpacked and none of its files fails."""
    return fetch_text(
        connection,
        f"""
        SELECT o.version_id FROM {SERIES_ORDER} o
        WHERE o.slot = ?
            AND o.version_id IN (SELECT version_id FROM artifacts WHERE extraction IS NOT NULL)
            AND o.version_id NOT IN (SELECT version_id FROM validations WHERE NOT passed)
        ORDER BY o.position DESC LIMIT 1
        """,
        [slot],
    )

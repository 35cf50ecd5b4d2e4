"""The SQL of the events and their chain of digests.

The chain makes a lost or changed event visible; what to do about it is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.light_dataclasses import dataclass, fields_of

from ...errors import EventError
from .. import fsops
from ..connection import fetch_number, fetch_one, fetch_text
from ..remembering import ask, note

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

CHAIN_START = "0" * 64
Newest = tuple[int, str, "EventRow"]  # number and digest of an event, and all else of it
# one look at the table; as a question inside a question it takes half as long again
_LAST = "SELECT max(event_id), arg_max(digest, event_id) FROM events"
_BEHIND = ("type", "level", "version_id", "config_hash", "digest", "payload")
_COLUMNS = ("event_id", "boundary_id", "run_id", "ts", *_BEHIND)  # in the order of the table
_FIELDS = "boundary_id, run_id, config_hash, ts, type, version_id, level, payload"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event to be recorded.

    Args:
        run_id, config_hash: As the host said.
        ts: When, UTC without zone.
        type: `download.done` …
        level: `info`, `warning` or `error`.
        version_id: The release, or None.
        payload: What can be written as JSON.
    """

    boundary_id: str
    run_id: str
    config_hash: str
    ts: datetime
    type: str
    version_id: str | None = None
    level: str = "info"
    payload: Mapping[str, Any]


def last_event(connection: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    """Return (event_id, digest) of the newest event; (0, CHAIN_START) if there is none."""
    ((event_id, digest),) = ask(connection, _LAST, of=("events",))
    return (0, CHAIN_START) if event_id is None else (int(event_id), str(digest))


def count_events(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of events."""
    return fetch_number(connection, "SELECT count(*) FROM events")


def digest_at(connection: duckdb.DuckDBPyConnection, event_id: int) -> str | None:
    """Return the digest of one event, CHAIN_START for 0, None if there is no such event."""
    if event_id == 0:
        return CHAIN_START
    return fetch_text(connection, "SELECT digest FROM events WHERE event_id = ?", [event_id])


def add_event(connection: duckdb.DuckDBPyConnection, row: EventRow) -> tuple[int, str]:
    """Append an event inside the open transaction and return its (event_id, digest)."""
    previous_id, previous_digest = last_event(connection)
    payload = _text(row.payload)
    digest = _digest(previous_digest, previous_id + 1, row, payload)
    fsops.execute(
        connection,
        f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            previous_id + 1,
            row.boundary_id,
            row.run_id,
            row.ts,
            row.type,
            row.level,
            row.version_id,
            row.config_hash,
            digest,
            payload,
        ],
    )
    note(connection, _LAST, (), [(previous_id + 1, digest)], of=("events",))
    return previous_id + 1, digest


def _digest(previous: str, event_id: int, row: EventRow, payload: str) -> str:
    fields = [row.boundary_id, row.run_id, row.ts.isoformat(), row.type, row.level, row.version_id, row.config_hash]
    chained = json.dumps([previous, event_id, *fields, payload], ensure_ascii=False)
    return hashlib.sha256(chained.encode()).hexdigest()


def check_chain(connection: duckdb.DuckDBPyConnection, event_id: int, digest: str) -> dict[int, str]:
    """Check that the events after one follow from it, each from the one before; return their digests by number.

    Raises:
        EventError: One does not.
    """
    digests = {}
    sql = f"SELECT event_id, digest, {_FIELDS} FROM events WHERE event_id > ? ORDER BY event_id"
    for number, found, *fields, payload in connection.execute(sql, [event_id]).fetchall():
        event_id += 1
        row = _row(fields, payload)
        digest = _digest(digest, event_id, row, payload)
        if (number, found) != (event_id, digest):
            raise EventError(f"Event {number} does not follow from the one before it.", subject=str(number))
        digests[event_id] = digest
    return digests


def newest_event(connection: duckdb.DuckDBPyConnection) -> Newest:
    """Return number, digest and all else of the newest event; there is one."""
    found = fetch_one(
        connection,
        f"SELECT event_id, digest, {_FIELDS} FROM events WHERE event_id = (SELECT max(event_id) FROM events)",
    )
    if found is None:
        raise LookupError("there is no event")
    event_id, digest, *fields, payload = found
    return int(event_id), str(digest), _row(fields, payload)


def as_table(newest: Newest) -> pa.Table:
    """Return an event that was just recorded as the table of events has it, without a question."""
    import pyarrow as pa

    event_id, digest, row = newest
    told = {**fields_of(row), "event_id": event_id, "digest": digest, "payload": _text(row.payload)}
    types = {"event_id": pa.int64(), "ts": pa.timestamp("us")}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in _COLUMNS])
    return pa.table({name: [told[name]] for name in _COLUMNS}, schema=schema)


def _text(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, sort_keys=True, ensure_ascii=False)


def _row(fields: Sequence[Any], payload: str) -> EventRow:
    return EventRow(**dict(zip(_FIELDS.split(", ")[:-1], fields, strict=True)), payload=json.loads(payload))


def number_of(connection: duckdb.DuckDBPyConnection, boundary_id: str) -> int:
    """Return the number of the event that stands for a committed boundary, 0 if it never happened."""
    return fetch_number(connection, "SELECT max(event_id) FROM events WHERE boundary_id = ?", [boundary_id])


def find_boundary(connection: duckdb.DuckDBPyConnection, boundary_id: str) -> EventRow | None:
    """Return the event that stands for a committed boundary; None if it never happened."""
    found = fetch_one(
        connection,
        f"SELECT {_FIELDS} FROM events WHERE boundary_id = ? ORDER BY event_id DESC LIMIT 1",
        [boundary_id],
    )
    if found is None:
        return None
    *fields, payload = found
    return _row(fields, payload)

"""The SQL of what was done: events that belong together, and which of them were taken back.

What can be undone, and how, is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.light_dataclasses import dataclass

from ..connection import fetch_number, fetch_one, literal

if TYPE_CHECKING:
    import duckdb

_OF_PULLS = ("download.done", "extract.done", "validate.done", "latest.set")
_TYPES = (
    *_OF_PULLS,
    *(
        "rm.done",
        "rm.restored",
        "rm.swapped",
        "mv.done",
        "latest.unset",
        "prune.pinned",
        "prune.unpinned",
        "prune.batch",
    ),
    *("note.added", "note.removed", "tag.added", "tag.removed"),
)
# what a restore for all machines has taken back: all since the event that it led to, which may be a restore, too
_VOID = """
    RECURSIVE leaps AS (
        SELECT max(event_id) AS by_id, arg_max((payload->>'events')::BIGINT, event_id) AS led_to FROM events
        WHERE type = 'backup.restored'
        UNION ALL
        SELECT max(e.event_id), arg_max((e.payload->>'events')::BIGINT, e.event_id)
        FROM leaps JOIN events e ON e.event_id <= leaps.led_to AND e.type = 'backup.restored' GROUP BY leaps.by_id
    ), void AS (
        SELECT e.event_id, by_id FROM events e JOIN leaps ON e.event_id > led_to AND e.event_id <= by_id
    )
"""
_FEW = 200  # events that are looked at for what was done last, before it is more of them


def _taken_back(after: str = "0") -> str:
    """Return a query: event → the newest one that takes its deed back, for what was done after an event (SQL)."""
    return f"""(
        WITH {_VOID}
        SELECT event_id, max(by_id) AS by_id FROM (
            SELECT coalesce(payload->>'undoes', payload->>'redoes')::BIGINT AS event_id, e.event_id AS by_id
            FROM events e ANTI JOIN void ON void.event_id = e.event_id
            -- few have these words, and to look for them takes a tenth of reading what all of them tell
            WHERE e.event_id > {after} AND contains(payload::VARCHAR, 'does"')
                AND ((payload->>'undoes') IS NOT NULL OR (payload->>'redoes') IS NOT NULL)
            UNION ALL FROM void WHERE event_id > {after}
        ) GROUP BY 1
    )"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedRow:
    """One thing that was done, by one event or by several.

    Args:
        event_id: Its first event, by which it is named.
        last_id: Its last event.
        type: The type of its first event; `download.done` stands for a whole pull, `prune.batch` for a whole plan.
        run_id: The run of its first event.
        done_at: When its last event was, UTC without zone.
        version_id: The release, empty where it is about none or several.
        payload: What its first event tells.
        downloads: What each of its downloads tells.
        undone: Whether it was taken back.
        undoes: Whether it takes something back itself.
    """

    event_id: int
    last_id: int
    type: str
    run_id: str
    done_at: datetime
    version_id: str
    payload: dict[str, Any]
    downloads: list[dict[str, Any]]
    undone: bool
    undoes: bool


def list_deeds(connection: duckdb.DuckDBPyConnection, *, most: int, event_id: int | None = None) -> list[DeedRow]:
    """Return what was done last, the newest first, at most so many; or the one deed that an event belongs to."""
    if event_id is not None:
        return _list(connection, f"event_id = {int(event_id)}", most)
    newest = fetch_number(connection, "SELECT coalesce(max(event_id), 0) FROM events")
    looked = max(_FEW, 4 * most)
    # whatever has an event among the last ones was done later than all that has none there
    while looked < newest:
        found = _list(connection, f"event_id > {newest - looked}", most)
        if len(found) == most:
            return found
        looked *= 8
    return _list(connection, "true", most)


def _list(connection: duckdb.DuckDBPyConnection, among: str, most: int) -> list[DeedRow]:
    """Return the deeds that have an event for which a condition holds, the newest first, at most so many."""
    types = ", ".join(map(literal, _TYPES))
    pulls = ", ".join(map(literal, _OF_PULLS))
    rows = connection.execute(f"""
        WITH pulls AS (
            SELECT DISTINCT run_id, version_id FROM events
            SEMI JOIN (SELECT run_id, version_id FROM events WHERE {among}) USING (run_id, version_id)
            WHERE type = 'download.done'
        ),
        -- read twice, the second time with what only a few need: their payloads
        told AS NOT MATERIALIZED (
            SELECT e.*, CASE
                WHEN p.run_id IS NOT NULL AND type IN ({pulls})
                        AND NOT (type = 'latest.set' AND (payload->>'message') IS NOT NULL)
                    THEN 'pull ' || e.run_id || ' ' || e.version_id
                WHEN type = 'prune.batch' THEN 'plan ' || (payload->>'plan')
                ELSE 'event ' || event_id END AS deed
            FROM events e LEFT JOIN pulls p ON p.run_id = e.run_id AND p.version_id = e.version_id
            WHERE type IN ({types}) AND (type <> 'prune.batch' OR (payload->>'removal') IS NULL)
                AND NOT (p.run_id IS NULL AND type IN ('extract.done', 'validate.done'))
        ), newest AS (
            SELECT deed, max(event_id) AS last_id FROM told WHERE {among} GROUP BY deed
            ORDER BY last_id DESC LIMIT {int(most)}
        ), deeds AS (
            SELECT min(event_id) AS event_id, max(event_id) AS last_id, arg_min(type, event_id) AS type,
                arg_min(run_id, event_id) AS run_id, max(ts) AS done_at,
                CASE WHEN count(DISTINCT version_id) = 1 THEN any_value(version_id) ELSE '' END AS version_id,
                arg_min(payload::VARCHAR, event_id) AS payload,
                list(payload::VARCHAR ORDER BY event_id) FILTER (type = 'download.done') AS downloads
            FROM told SEMI JOIN newest USING (deed) GROUP BY deed
        )
        SELECT d.*, coalesce(t.by_id > d.last_id, false) AS undone
        FROM deeds d LEFT JOIN {_taken_back("(SELECT min(event_id) FROM deeds)")} t ON t.event_id = d.event_id
        ORDER BY d.last_id DESC
    """).fetchall()
    return [_deed(row) for row in rows]


def _deed(row: Sequence[Any]) -> DeedRow:
    *plain, payload, downloads, undone = row
    names = ("event_id", "last_id", "type", "run_id", "done_at", "version_id")
    told = json.loads(payload)
    return DeedRow(
        **dict(zip(names, plain, strict=True)),
        payload=told,
        downloads=[json.loads(item) for item in downloads or ()],
        undone=bool(undone),
        undoes="undoes" in told,
    )


def is_pulled_again(connection: duckdb.DuckDBPyConnection, version_id: str, after: int) -> bool:
    """Say whether a release got other bytes, files or results after an event, by a run that was not taken back."""
    later = fetch_number(
        connection,
        f"""
        SELECT count(*) FROM (
            SELECT min(event_id) FILTER (type = 'download.done') AS first_id, max(event_id) AS last_id FROM events
            WHERE version_id = ? AND event_id > ? AND type IN ('download.done', 'extract.done', 'validate.done')
            GROUP BY run_id
        ) r LEFT JOIN {_taken_back(str(int(after)))} t ON t.event_id = r.first_id WHERE coalesce(t.by_id, 0) < r.last_id
        """,
        [version_id, after],
    )
    return later > 0


def find_removal(connection: duckdb.DuckDBPyConnection, name: str, artifact: str | None) -> int | None:
    """Return the event by which a release, a series or an artifact was removed last, None if that was taken back."""
    return _find(
        connection,
        "type = 'rm.done' AND (payload->>'name') = $1 AND (payload->>'artifact') IS NOT DISTINCT FROM $2",
        [name, artifact],
    )


def find_removed(connection: duckdb.DuckDBPyConnection, name: str, artifact: str | None) -> str | None:
    """Return the whole name of what was removed last and is so called, or by its end; None if nothing was."""
    return _named(
        connection, name, "name", "type = 'rm.done' AND (payload->>'artifact') IS NOT DISTINCT FROM $2", artifact
    )


def find_renamed(connection: duckdb.DuckDBPyConnection, old: str) -> str | None:
    """Return the whole former name of what was renamed last and was so called, or by its end; None if nothing was."""
    return _named(connection, old, "old", "type = 'mv.done' AND $2 IS NULL", None)


def _named(
    connection: duckdb.DuckDBPyConnection, name: str, key: str, condition: str, artifact: str | None
) -> str | None:
    found = fetch_one(
        connection,
        f"SELECT e.payload->>'{key}' FROM events e LEFT JOIN {_taken_back()} t ON t.event_id = e.event_id"
        f" WHERE {condition} AND ends_with('/' || (payload->>'{key}'), '/' || $1)"
        " AND t.event_id IS NULL ORDER BY e.event_id DESC LIMIT 1",
        [name, artifact],
    )
    return str(found[0]) if found else None


def was_renamed(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> bool:
    """Say whether something of the old name got the new one, and has it still as far as renamings tell."""
    return (
        _find(connection, "type = 'mv.done' AND (payload->>'old') = $1 AND (payload->>'new') = $2", [old, new])
        is not None
    )


def _find(connection: duckdb.DuckDBPyConnection, condition: str, values: list[str | None]) -> int | None:
    found = fetch_one(
        connection,
        f"SELECT e.event_id FROM events e LEFT JOIN {_taken_back()} t ON t.event_id = e.event_id"
        f" WHERE {condition} AND t.event_id IS NULL ORDER BY e.event_id DESC LIMIT 1",
        values,
    )
    return int(found[0]) if found else None


def former_names(connection: duckdb.DuckDBPyConnection, version_id: str) -> list[tuple[str, int]]:
    """Return the names that a release had before, the last one first, each with the event that gave it the next."""
    names: list[tuple[str, int]] = []
    current, before = version_id, None
    while True:
        found = fetch_one(
            connection,
            """
            SELECT event_id, (payload->>'old') || substr($1, length(payload->>'new') + 1) FROM events
            WHERE type = 'mv.done' AND ($2 IS NULL OR event_id < $2)
                AND ($1 = (payload->>'new') OR starts_with($1, (payload->>'new') || '/'))
            ORDER BY event_id DESC LIMIT 1
            """,
            [current, before],
        )
        if found is None:
            return names
        before, current = int(found[0]), str(found[1])
        names.append((current, before))

"""The SQL behind `ontofetch log` and `db events`: events as sentences, newest first.

What an event of a type says stands here alone; one of a type that is not listed is shown by its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..connection import fetch_number, literal
from .deeds import former_names

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_PART = 100_000  # events that are read at once
# what these events tell is a sentence already, which names the release or the series
_TOLD = ("rm.done", "rm.restored", "rm.swapped", "mv.done", "latest.set", "latest.unset")
_NOTES = ("note.added", "note.removed", "tag.added", "tag.removed")
_AGAIN = """concat(
    if(undoes IS NULL, '', concat(' (takes back event ', undoes, ')')),
    if(redoes IS NULL, '', concat(' (does again what event ', redoes, ' took back)'))
)"""
# over event_id, type, version_id and the columns of `told` below
_SENTENCE = f"""
    CASE
        WHEN message IS NOT NULL AND type IN ({", ".join(map(literal, _TOLD + _NOTES))})
            THEN concat(rtrim(message, '.'), {_AGAIN})
        ELSE CASE type
            WHEN 'download.done' THEN concat(
                artifact, ' (', size, ') ', if(status = 'cached', 'taken over from ', 'fetched from '),
                coalesce(source_url, 'an unknown place'), if(replaced, ', in the place of other bytes', '')
            )
            WHEN 'extract.done' THEN concat(
                format('{{:,}} ', files), if(files = 1, 'file', 'files'), ' (', size, ') unpacked from ', artifact,
                if(left_out > 0, format(', {{:,}} left out', left_out), ''),
                if(shared > 0, format(', {{:,}} of them stored already', shared), '')
            )
            WHEN 'validate.done' THEN concat_ws(', ',
                if(facts > 0 AND passed + failed + unjudged = 0,
                    concat('facts of ', format('{{:,}} ', facts), if(facts = 1, 'content', 'contents'), ' recorded'),
                    NULL),
                if(passed > 0 OR failed + unjudged + facts = 0,
                    concat(format('{{:,}} ', passed), if(passed = 1, 'validation', 'validations'), ' passed'), NULL),
                if(failed > 0, concat(format('{{:,}}', failed),
                    if(passed > 0, '', if(failed = 1, ' validation', ' validations')), ' failed'), NULL),
                if(unjudged > 0, format('{{:,}} not judged', unjudged), NULL)
            )
            WHEN 'latest.set' THEN concat('became latest', if(former IS NULL, '', concat(', after ', former)))
            WHEN 'prune.pinned' THEN concat('pinned', {_AGAIN})
            WHEN 'prune.unpinned' THEN concat('unpinned', {_AGAIN})
            WHEN 'prune.batch' THEN concat(size, ' moved to quarantine by plan ', plan)
            WHEN 'prune.restored' THEN concat(size, ' brought back from quarantine, of plan ', plan)
            WHEN 'prune.purged' THEN concat(size, ' removed for good, of plan ', plan)
            WHEN 'verify.done' THEN concat(
                format('{{:,}} ', coalesce(intact, files)), if(coalesce(intact, files) = 1, 'file', 'files'),
                ' (', size, ') verified, ',
                if(findings > 0, format('{{:,}} damaged or missing', findings), 'all as recorded')
            )
            WHEN 'share.done' THEN concat(
                format('{{:,}} ', shared), if(shared = 1, 'file', 'files'), ' stored as equal ones, which freed ', size
            )
            WHEN 'doctor.fixed'
                THEN concat('doctor mended ', format('{{:,}} ', files), if(files = 1, 'finding', 'findings'))
            WHEN 'backup.done' THEN 'a backup was written'
            WHEN 'backup.restored' THEN 'a backup was restored'
            WHEN 'rebuild.done' THEN 'the catalog was made anew from the documents beside the releases'
            WHEN 'rebuild.adopted' THEN 'a release was taken in from the documents beside it'
            WHEN 'migrate.done' THEN 'the schema was brought up to date'
            WHEN 'recover.finished' THEN concat('recovery finished ', coalesce(kind, 'what a dead process left open'))
            WHEN 'recover.undone' THEN concat('recovery undid ', coalesce(kind, 'what a dead process left open'))
            WHEN 'refresh.done' THEN 'the sums of releases were stored'
            WHEN 'facts.adopted' THEN 'what files say of terms was taken in from the documents beside it'
            ELSE CASE
                WHEN ends_with(type, '.rolled_back')
                    THEN concat(
                        split_part(type, '.', 1),
                        if(plugin IS NULL, ' was refused or failed: ', concat(' was refused by plugin ', plugin, ': ')),
                        coalesce(nullif(rtrim(reason, '.'), ''), error, 'no reason was kept')
                    )
                WHEN type = 'extract.start' THEN concat('unpacking of ', coalesce(artifact, 'an artifact'), ' began')
                WHEN ends_with(type, '.unchanged') THEN concat(split_part(type, '.', 1), ' found nothing to do')
                ELSE type
            END
        END
    END
"""


def _size(number: str) -> str:
    """Return an expression that writes a number of bytes as tables do: rounded, where format_bytes cuts."""
    # what would round to 1024.0 belongs to the next unit
    parts = [f"WHEN {number} < 1024 THEN concat({number}, ' B')"]
    parts += [
        f"WHEN {number} < {1023.95 * 1024**power} THEN format('{{:,.1f}} {unit}', {number} / {1024.0**power})"
        for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), 1)
    ]
    return f"CASE {' '.join(parts)} ELSE format('{{:,.1f}} PiB', {number} / {1024.0**5}) END"


def told(condition: str, most: int | None = None) -> str:
    """Return a query over events that fit a condition, as it stands in SQL: each with its `story`.

    Args:
        condition: In SQL.
        most: Only so many of them, the newest: no sentence is made of what nobody sees.
    """
    newest = "" if most is None else f"ORDER BY event_id DESC LIMIT {most}"
    return f"""
        SELECT * EXCLUDE (artifact, status, source_url, former, plan, error, plugin, reason, kind, message, undoes,
            redoes, replaced, size, files, left_out, passed, failed, unjudged, facts, findings, shared, intact),
            {_SENTENCE} AS story
        FROM (
            SELECT *, payload->>'artifact' AS artifact, payload->>'status' AS status,
                payload->>'source_url' AS source_url, payload->>'former' AS former, payload->>'plan' AS plan,
                payload->>'error' AS error, payload->>'plugin' AS plugin, payload->>'reason' AS reason,
                payload->>'kind' AS kind, payload->>'message' AS message,
                payload->>'undoes' AS undoes, payload->>'redoes' AS redoes,
                coalesce(try_cast(payload->>'replaced' AS BOOLEAN), false) AS replaced,
                {_size("coalesce(try_cast(payload->>'bytes' AS BIGINT), 0)")} AS size,
                coalesce(try_cast(payload->>'rows' AS BIGINT), 0) AS files,
                coalesce(try_cast(payload->>'left_out' AS BIGINT), 0) AS left_out,
                coalesce(try_cast(payload->>'passed' AS BIGINT), 0) AS passed,
                coalesce(try_cast(payload->>'failed' AS BIGINT), 0) AS failed,
                coalesce(try_cast(payload->>'not_judged' AS BIGINT), 0) AS unjudged,
                coalesce(try_cast(payload->>'facts' AS BIGINT), 0) AS facts,
                coalesce(try_cast(payload->>'findings' AS BIGINT), 0) AS findings,
                try_cast(payload->>'intact' AS BIGINT) AS intact,
                coalesce(try_cast(coalesce(payload->>'shared_files', payload->>'files') AS BIGINT), 0) AS shared
            FROM (FROM events WHERE {condition} {newest})
        )
    """


def of_release(connection: duckdb.DuckDBPyConnection, version_id: str) -> str:
    """Return the condition for the events of a release, under whatever name it had when they were recorded."""
    parts, name, until = [], version_id, None
    for former, renamed in former_names(connection, version_id):
        parts.append(_named(name, renamed, until))
        name, until = former, renamed
    return f"({' OR '.join([*parts, _named(name, None, until)])})"


def _named(version_id: str, after: int | None, until: int | None) -> str:
    condition = f"version_id = {literal(version_id)}"
    condition += f" AND event_id >= {after}" if after is not None else ""
    return condition + (f" AND event_id < {until}" if until is not None else "")


def _of_series(series: str) -> str:
    """Return the condition for the events of a series: of its releases, and of all of it at once."""
    whole = (f"(payload->>'{name}') = {literal(series)}" for name in ("slot", "name", "old", "new"))
    return f"(starts_with(version_id, {literal(series + '/')}) OR {' OR '.join(whole)})"


def list_story(
    connection: duckdb.DuckDBPyConnection,
    version_id: str | None,
    series: str | None,
    *,
    unchanged: bool,
    most: int | None = None,
) -> tuple[pa.Table, int]:
    """Return what happened, newest first, and how much there is: at (UTC), release, story, type, event_id.

    Args:
        version_id: Only of this release, also under the names that it had before.
        series: Only of this series.
        unchanged: Whether commands that found nothing to do are there too.
        most: Only so many rows.
    """
    # what a removal, and its return, does batch by batch is told by the one event of it all
    parts = (
        "(type IN ('prune.batch', 'prune.restored') AND boundary_id IN (SELECT boundary_id FROM events WHERE type IN"
    )
    parts += " ('rm.done', 'rm.restored', 'rm.swapped', 'download.done')))"
    conditions = ["type <> 'extract.start'", f"NOT {parts}"]
    conditions += [of_release(connection, version_id)] if version_id else []
    conditions += [_of_series(series)] if series else []
    conditions += [] if unchanged else ["NOT ends_with(type, '.unchanged')"]
    return newest_of(connection, "ts AS at, version_id AS release, story, type, event_id", conditions, most)


def newest_of(
    connection: duckdb.DuckDBPyConnection, columns: str, conditions: list[str], most: int | None
) -> tuple[pa.Table, int]:
    """Return the newest events that fit all conditions, at most so many, and how many there are."""
    condition = " AND ".join(conditions) or "true"
    if most is None:
        rows = _all_of(connection, columns, condition)
        return rows, rows.num_rows
    rows = _newest(connection, columns, condition, most)
    if rows.num_rows < most:
        return rows, rows.num_rows
    return rows, fetch_number(connection, f"SELECT count(*) FROM events WHERE {condition}")


def _all_of(connection: duckdb.DuckDBPyConnection, columns: str, condition: str) -> pa.Table:
    """Return all events that fit a condition, newest first: a part after the other, for to sort them takes memory."""
    import pyarrow as pa

    last = fetch_number(connection, "SELECT coalesce(max(event_id), 0) FROM events")
    parts = [
        _newest(connection, columns, f"({condition}) AND event_id > {until - _PART} AND event_id <= {until}")
        for until in range(last, 0, -_PART)
    ]
    return pa.concat_tables(parts or [_newest(connection, columns, "false")])


def _newest(connection: duckdb.DuckDBPyConnection, columns: str, condition: str, most: int | None = None) -> pa.Table:
    return connection.sql(f"SELECT {columns} FROM ({told(condition, most)}) ORDER BY event_id DESC").to_arrow_table()

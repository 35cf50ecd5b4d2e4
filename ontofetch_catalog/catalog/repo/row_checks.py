"""The SQL that proves the rows: rules, layouts, the chain of events, the schema; nothing of the disk.

Each `find_*` of several returns findings as one Arrow table with the columns subject, version_id, message, fix,
unsafe_fixes. Keys and references are proven in `row_keys`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.names import MAX_SEGMENT, SEGMENT, quote

from ...errors import CatalogUnreadable
from ..connection import fetch_one, fetch_text, literal
from .definitions import database_of
from .paths import is_illegal, leads_elsewhere

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# a pattern that counts to a hundred takes three times as long to compile as all else here, for each connection
_ID = "/".join([SEGMENT.pattern.replace(f"{{0,{MAX_SEGMENT - 1}}}", "*")] * 3)
_TOO_LONG = " OR ".join(f"len({part}) > {MAX_SEGMENT}" for part in ("service", "ontology", "version"))
# what a calendar of Python can hold, so that every row can be shown
_BAD_TIME = "({0} < TIMESTAMP '0001-01-01' OR {0} >= TIMESTAMP '10000-01-01')"
_NO_CALENDAR = "a time of it is in no calendar"
# table → rule → the rows that break it
_RULES = {
    "versions": {
        "its version_id is not service/ontology/version": f"""
            version_id IS DISTINCT FROM service || '/' || ontology || '/' || version
            OR NOT regexp_full_match(version_id, '{_ID}') OR {_TOO_LONG}""",
        _NO_CALENDAR: " OR ".join(map(_BAD_TIME.format, ("created_at", "pinned_at")))
        + " OR released < DATE '0001-01-01' OR released > DATE '9999-12-31'",
        "its folder is not the release's": "fs_relpath IS DISTINCT FROM version_id",
        "it lacks its layout or its time": "layout IS NULL OR created_at IS NULL",
    },
    "artifacts": {
        "its path is not a relative path": f"relpath IS NULL OR {is_illegal('relpath')}",
        _NO_CALENDAR: " OR ".join(map(_BAD_TIME.format, ("recorded_at", "verified_at"))),
        "its artifact_id is not a sha256": "artifact_id IS NULL OR NOT regexp_full_match(artifact_id, '[0-9a-f]{64}')",
        "its size is not a number of bytes": "size_bytes IS NULL OR size_bytes < 0",
        "its status is not fresh, cached or failed": "status IS NULL OR status NOT IN ('fresh', 'cached', 'failed')",
    },
    "extracted_files": {
        "its path is not a relative path": f"relpath IS NULL OR {is_illegal('relpath')}",
        _NO_CALENDAR: " OR ".join(map(_BAD_TIME.format, ("mtime", "verified_at"))),
        "its file_id is not a sha256": "file_id IS NULL OR NOT regexp_full_match(file_id, '[0-9a-f]{64}')",
        "its size is not a number of bytes": "size_bytes IS NULL OR size_bytes < 0",
        "it lacks its format or its time": "format IS NULL OR mtime IS NULL",
    },
    "validations": {
        "its outcome or its validator is missing": "(passed IS NULL AND coalesce(details->>'not_judged', '') = '')"
        " OR validator IS NULL OR validator_version IS NULL",
        _NO_CALENDAR: _BAD_TIME.format("run_at"),
        "its details are not an object": "details IS NULL OR json_type(details) IS DISTINCT FROM 'OBJECT'",
    },
    "origins": {
        "its source or a time of it is missing": "source_url IS NULL OR recorded_at IS NULL OR told_at IS NULL",
        _NO_CALENDAR: " OR ".join(map(_BAD_TIME.format, ("recorded_at", "told_at"))),
    },
    "latest_pointer": {_NO_CALENDAR: _BAD_TIME.format("updated_at")},
    "notes": {
        "it is neither a note nor a tag": "kind IS NULL OR kind NOT IN ('note', 'tag') OR text IS NULL"
        " OR created_at IS NULL",
        _NO_CALENDAR: _BAD_TIME.format("created_at"),
    },
    "events": {_NO_CALENDAR: _BAD_TIME.format("ts")},
}


def refuse_invalid(connection: duckdb.DuckDBPyConnection, *tables: str) -> None:
    """Refuse a catalog with rows that break a rule, before anything is done with what they say.

    Args:
        tables: Which tables are looked at; none: those of releases and their files.

    Raises:
        CatalogUnreadable: There is such a row.
    """
    for table in tables or ("versions", "artifacts", "extracted_files"):
        cases = " ".join(f"WHEN {condition} THEN {literal(reason)}" for reason, condition in _RULES[table].items())
        found = fetch_one(
            connection,
            f"SELECT version_id, reason FROM (SELECT version_id, CASE {cases} END AS reason FROM {table})"
            " WHERE reason IS NOT NULL LIMIT 1",
        )
        if found is not None:
            raise CatalogUnreadable(
                f"A row of {table} of {quote(found[0])} breaks a rule of the catalog: {found[1]}.",
                subject=str(found[0]),
                hint="Nothing was touched. `ontofetch db doctor` lists all such rows; if the store is not your own,"
                " somebody may have made them on purpose.",
            )


def refuse_invalid_paths(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse a catalog with paths that lead out of the store, before anything is read by them.

    Raises:
        CatalogUnreadable: There is such a row.
    """
    _refuse_where(
        connection, dict.fromkeys(("artifacts", "extracted_files"), f"relpath IS NULL OR {leads_elsewhere('relpath')}")
    )


def refuse_invalid_releases(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse a catalog with releases that break a rule, and with times that are in no calendar: one question.

    Whoever shows such a time would end in an error of a library.

    Raises:
        CatalogUnreadable: There is such a row.
    """
    # DuckDB finds what is outside of a range by the bounds of its row groups, whatever their number
    conditions = {table: rules[_NO_CALENDAR] for table, rules in _RULES.items()}
    _refuse_where(connection, {**conditions, "versions": " OR ".join(_RULES["versions"].values())})


def _refuse_where(connection: duckdb.DuckDBPyConnection, conditions: Mapping[str, str]) -> None:
    """Refuse a catalog in which a table has a row that its condition holds for."""
    # one LIMIT for all: a subquery for each table takes half as long again to plan
    parts = [f"SELECT '{table}' FROM {table} WHERE {condition}" for table, condition in conditions.items()]
    table = fetch_text(connection, f"{' UNION ALL '.join(parts)} LIMIT 1")
    if table is not None:
        refuse_invalid(connection, table)


def find_invalid(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a finding for each table, release and rule of the catalog that rows break."""
    parts = []
    for table, rules in _RULES.items():
        cases = " ".join(f"WHEN {condition} THEN {literal(reason)}" for reason, condition in rules.items())
        parts.append(
            f"""
            SELECT '{table} of ' || coalesce(version_id, 'NULL') AS subject, version_id,
                count(*) || ' rows of {table} of ' || coalesce(version_id, 'NULL') || ' break a rule: ' || reason || '.'
                    AS message, NULL AS fix, NULL AS unsafe_fixes
            FROM (SELECT version_id, CASE {cases} END AS reason FROM {table})
            WHERE reason IS NOT NULL GROUP BY version_id, reason"""
        )
    return connection.sql(" UNION ALL ".join(parts)).to_arrow_table()


def find_unknown_layouts(connection: duckdb.DuckDBPyConnection, known: list[str]) -> pa.Table:
    """Return a finding for each release whose layout is not among `known`."""
    names = ", ".join(literal(name) for name in known)
    return connection.sql(f"""
        SELECT fs_relpath AS subject, version_id, version_id || ' has the layout ' || layout
            || ', which is not known here: its files are not looked at.' AS message,
            NULL AS fix, NULL AS unsafe_fixes
        FROM versions WHERE layout NOT IN ({names})
    """).to_arrow_table()


def find_broken_event(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return the first event whose number or digest does not follow from the one before it; None if all do.

    The digest is made as `events.add_event` makes it, but for all events at once.
    """
    found = fetch_one(
        connection,
        """
        WITH chained AS (
            SELECT event_id, digest, row_number() OVER (ORDER BY event_id) AS position,
                concat('["', coalesce(lag(digest) OVER (ORDER BY event_id), repeat('0', 64)), '", ', event_id, ', ',
                    to_json(boundary_id)::VARCHAR, ', ', to_json(run_id)::VARCHAR, ', "',
                    CASE WHEN ts = date_trunc('second', ts) THEN strftime(ts, '%Y-%m-%dT%H:%M:%S')
                        ELSE strftime(ts, '%Y-%m-%dT%H:%M:%S.%f') END, '", ',
                    to_json(type)::VARCHAR, ', ', to_json(level)::VARCHAR, ', ',
                    coalesce(to_json(version_id)::VARCHAR, 'null'), ', ', to_json(config_hash)::VARCHAR, ', ',
                    to_json(payload::VARCHAR)::VARCHAR, ']') AS text
            FROM events
        )
        SELECT min(event_id) FROM chained WHERE event_id <> position OR digest IS DISTINCT FROM sha256(text)
        """,
    )
    return None if found is None or found[0] is None else int(found[0])


def list_columns(connection: duckdb.DuckDBPyConnection) -> set[tuple[Any, ...]]:
    """Return the columns of all tables: (table, name and type)."""
    database = literal(database_of(connection))
    found = connection.execute(f"""
        SELECT table_name, column_name || ' ' || data_type FROM duckdb_columns() SEMI JOIN duckdb_tables()
            USING (database_name, schema_name, table_name)
        WHERE schema_name = 'main' AND database_name = {database}
    """)
    return set(found.fetchall())


def describe_schema(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return what the schema consists of: one row per column of a table or view, per macro, and of whatever else."""
    database = literal(database_of(connection))
    return connection.sql(f"""
        SELECT table_name AS name, column_name || ' ' || data_type AS part FROM duckdb_columns()
        WHERE schema_name = 'main' AND NOT internal AND database_name = {database}
        UNION ALL
        SELECT view_name, sql FROM duckdb_views()
        WHERE NOT internal AND schema_name = 'main' AND database_name = {database}
        UNION ALL
        SELECT function_name, macro_definition FROM duckdb_functions()
        WHERE NOT internal AND schema_name = 'main' AND database_name = {database}
        UNION ALL
        SELECT sequence_name, 'a sequence' FROM duckdb_sequences() WHERE database_name = {database}
        UNION ALL
        SELECT index_name, 'an index' FROM duckdb_indexes() WHERE database_name = {database}
        UNION ALL
        SELECT type_name, 'a type' FROM duckdb_types() WHERE NOT internal AND database_name = {database}
        UNION ALL
        SELECT schema_name, 'a schema' FROM duckdb_schemas() WHERE NOT internal AND database_name = {database}
        ORDER BY ALL
    """).to_arrow_table()

"""The SQL of a boundary's rows as other machines repeat it: which rows changed, packed; and their taking in.

Rows are replaced by what they belong to (a release, a series, a content), whole: repeating it changes nothing.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ...errors import EventError
from .. import fsops
from ..connection import fetch_one, literal
from ..remembering import ask_table, recall_table
from .events import Newest, as_table
from .releases import row_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    States = Mapping[tuple[str, str], tuple[Any, ...]]  # table, what rows belong to → their number and their sum
    Packed = Mapping[str, tuple[pa.Table, list[str]]]  # table → its rows, what they belong to

# table → the column that says what a row belongs to
KEYS = {
    "versions": "version_id",
    "artifacts": "version_id",
    "origins": "version_id",
    "extracted_files": "version_id",
    "validations": "version_id",
    "notes": "version_id",
    "version_stats": "version_id",
    "latest_pointer": "slot",
    "file_facts": "file_id",
    "ontology_heads": "content_id",
}
# of a machine, or of its program: which migrations it has applied, what its last scan found
OWN = ("schema_version", "staging_fs_listing")
EVENTS = "events"
_SMALL = 2_048  # bytes of rows
_FOREIGN = "The shared catalog has a boundary whose rows are none of a catalog."
_OF_ONE = {
    "latest_pointer": "slot = regexp_extract($release, '^(.*)/[^/]*$', 1)",
    # facts of a content are those of all files that have it, also in other releases
    "file_facts": "content_id IN (SELECT content_id FROM file_facts WHERE file_id IN"
    " (SELECT file_id FROM extracted_files WHERE version_id = $release))",
    "ontology_heads": "content_id IN (SELECT content_id FROM file_facts WHERE file_id IN"
    " (SELECT file_id FROM extracted_files WHERE version_id = $release))",
}


def keys_of(tables: Collection[str], release: str) -> dict[str, list[str]]:
    """Return for those of some tables whose rows belong to releases the one of them in which rows have changed."""
    return {table: [release] for table, key in KEYS.items() if release and key == "version_id" and table in tables}


def states_of(connection: duckdb.DuckDBPyConnection, tables: Sequence[str], release: str = "") -> States:
    """Return of some tables, and of what their rows belong to, number and sum of the rows: equal ones have the same.

    Args:
        connection: In the transaction that is looked at.
        tables: Which of `KEYS`.
        release: Where nothing but this release and what is known of its contents can differ; empty: anywhere.
    """
    # one question for all tables: to plan and start it costs more than to answer it
    sql = " UNION ALL ".join(
        f"SELECT '{table}', {KEYS[table]}, count(*), sum(hash({table})) FROM {table}"
        f" WHERE {_OF_ONE.get(table, f'{KEYS[table]} = $release') if release else 'true'} GROUP BY ALL"
        for table in tables
    )
    values: Mapping[str, Any] = {"release": release} if release else {}
    return {row[:2]: row[2:] for row in connection.execute(sql, values).fetchall()}


def changed_keys(now: States, before: States) -> dict[str, list[str]]:
    """Return for each table what the rows belong to that differ in two transactions."""
    differing = sorted(one for one in now.keys() | before.keys() if now.get(one) != before.get(one))
    return {table: [name for its, name in differing if its == table] for table in dict(differing)}


def pack(
    connection: duckdb.DuckDBPyConnection, keys: Mapping[str, Sequence[str]], after: int, newest: Newest | None = None
) -> bytes:
    """Return the rows of what changed, and the events after one, as bytes that `take_in` reads.

    Args:
        keys: Table → what the rows belong to.
        after: Number of the last event that everybody has.
        newest: The newest event, where its content is known.
    """
    packed = {table: _rows_of(connection, table, names) for table, names in keys.items()}
    if newest is not None and newest[0] == after + 1:
        packed[EVENTS] = as_table(newest)
    else:
        sql = f"SELECT * FROM events WHERE event_id > {after:d} ORDER BY event_id"
        packed[EVENTS] = connection.sql(sql).to_arrow_table()
    return _encode(packed, keys)


def _rows_of(connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str]) -> pa.Table:
    if len(names) == 1:
        # no join is planned, and row groups can be skipped; what has just been written may be remembered
        sql = f"SELECT * FROM {table} WHERE {KEYS[table]} = {literal(names[0])}"
        if table == "versions":
            # one row, of which each boundary of a release changes little
            return ask_table(connection, row_of(names[0]), of=(table,))
        known = recall_table(connection, sql)
        return connection.sql(sql).to_arrow_table() if known is None else known
    return connection.sql(
        f"SELECT * FROM {table} WHERE {KEYS[table]} IN (SELECT unnest(?))", params=[list(names)]
    ).to_arrow_table()


def everything(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return for each table what all of its rows belong to."""
    found = {}
    for table, key in KEYS.items():
        rows = connection.execute(f"SELECT DISTINCT {key} FROM {table} ORDER BY 1").fetchall()
        if rows:
            found[table] = [name for (name,) in rows]
    return found


def _encode(packed: Mapping[str, pa.Table], keys: Mapping[str, Sequence[str]]) -> bytes:
    import pyarrow as pa

    out = io.BytesIO()
    for table, rows in packed.items():
        given = pa.array(list(keys.get(table, ())), pa.string())
        buffers = []
        for one in (rows, pa.table({"key": given})):
            sink = pa.BufferOutputStream()
            # of few bytes it costs more than it saves
            options = pa.ipc.IpcWriteOptions(compression="zstd" if one.nbytes > _SMALL else None)
            with pa.ipc.new_stream(sink, one.schema, options=options) as writer:
                writer.write_table(one)
            buffers.append(sink.getvalue())
        name = table.encode()
        out.write(len(name).to_bytes(2, "big") + name)
        for buffer in buffers:
            out.write(len(buffer).to_bytes(8, "big"))
            out.write(buffer)
    return out.getvalue()


def unpack(data: bytes) -> Packed:
    """Return what `pack` made.

    Raises:
        EventError: It says something else.
    """
    import pyarrow as pa

    found = {}
    source = io.BytesIO(data)
    try:
        while head := source.read(2):
            table = source.read(int.from_bytes(head, "big")).decode()
            rows, keys = (
                pa.ipc.open_stream(source.read(int.from_bytes(source.read(8), "big"))).read_all() for _ in range(2)
            )
            rows.validate(full=True)
            keys.validate(full=True)
            # rows of different boundaries are told apart by it
            rows[KEYS.get(table, "event_id")].cast(pa.string())
            found[table] = rows, [str(key) for key in keys["key"].to_pylist()]
        unknown = found.keys() - KEYS.keys() - {EVENTS}
    except (ValueError, KeyError, pa.ArrowException, OSError) as error:
        raise EventError(_FOREIGN) from error
    if unknown:
        raise EventError(_FOREIGN)
    return found


def take_in(connection: duckdb.DuckDBPyConnection, packed: Sequence[Packed]) -> None:
    """Replace rows by those of other machines inside the open transaction; their events come as they are.

    Args:
        packed: What `unpack` returned of neighbouring boundaries, in order; what a later one replaces never comes.
    """
    for table in dict.fromkeys(name for one in packed for name in one):
        given = [one[table] for one in packed if table in one]
        if table == EVENTS:
            coming = [rows for rows, _ in given]
        else:
            coming, keys = _newest(table, given)
            fsops.execute(connection, f"DELETE FROM {table} WHERE {KEYS[table]} IN (SELECT unnest(?))", [keys])
        for rows in _joined(coming):
            fsops.execute(connection, f"INSERT INTO {table} BY NAME SELECT * FROM coming", tables={"coming": rows})


def _newest(table: str, given: Sequence[tuple[pa.Table, list[str]]]) -> tuple[list[pa.Table], list[str]]:
    """Return the rows that are left when each of these has replaced those before it, and what all of them belong to."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found: list[pa.Table] = []
    seen: set[str] = set()
    for rows, keys in reversed(given):
        if not seen:
            found.append(rows)
        elif not seen.issuperset(keys):
            later = pc.is_in(rows[KEYS[table]].cast(pa.string()), value_set=pa.array(sorted(seen), pa.string()))
            found.append(rows.filter(pc.invert(later)))
        seen.update(keys)
    return found[::-1], sorted(seen)


def _joined(tables: Sequence[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables with neighbours of the same columns made one: programs of different versions may have others."""
    import pyarrow as pa

    for _, alike in groupby((rows for rows in tables if len(rows)), key=lambda rows: str(rows.schema)):
        yield pa.concat_tables(list(alike))


def event_numbers(packed: Packed) -> list[int]:
    """Return the numbers of the events of one boundary, in order."""
    return packed[EVENTS][0]["event_id"].to_pylist() if EVENTS in packed else []


def own_schema(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the newest migration that is applied."""
    found = fetch_one(connection, "SELECT max(version) FROM schema_version")
    return int(found[0]) if found and found[0] is not None else 0

"""The least that a boundary of 1,000 rows takes with the same engines: rows, an event and its number, told to a log.

No views, documents, intents, checks, objects or digests; a file lock lets one process write or many read, in turns.
DuckDB stays open for ten boundaries. PostgreSQL gets the rows as one value, under a lock, and commits first.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa

from .boundaries import ROWS
from .own_boundaries import EVENTS

DATABASE, GATE, LOCK, ADDRESS = "bare.duckdb", "bare.gate", "bare.lock", "bare.address"
TURN = 10  # boundaries for which it stays open
_TABLES = """
CREATE TABLE validations (relpath VARCHAR, file_id VARCHAR, validator VARCHAR, validator_version VARCHAR,
    passed BOOLEAN, details VARCHAR, run_at TIMESTAMP, reused_from VARCHAR);
CREATE TABLE events (event_id BIGINT, ts TIMESTAMP, payload VARCHAR);
INSERT INTO events VALUES (1, now()::TIMESTAMP, 'begun');
"""


def make(root: Path, address: str) -> None:
    """Make the database below a folder, and the table of the log at an address, which has no password in it."""
    root.mkdir()
    (root / ADDRESS).write_text(address)
    for name in (GATE, LOCK):
        (root / name).touch()
    with duckdb.connect(str(root / DATABASE)) as connection:
        connection.execute(_TABLES)
    with psycopg.connect(address) as server:
        server.execute("DROP TABLE IF EXISTS bare")
        server.execute("CREATE TABLE bare (event_id bigint PRIMARY KEY, changes bytea NOT NULL)")


@contextmanager
def recording(root: Path) -> Iterator[Callable[[pa.Table], None]]:
    """Give what records validations of all files of the release, one boundary each."""
    with psycopg.connect((root / ADDRESS).read_text(), autocommit=True) as server, ExitStack() as turn:
        opened: list[duckdb.DuckDBPyConnection] = []
        left = 0

        def record(results: pa.Table) -> None:
            nonlocal left
            if not left:
                turn.close()
                turn.enter_context(_locked(root, fcntl.LOCK_EX))
                opened[:] = [turn.enter_context(duckdb.connect(str(root / DATABASE)))]
                left = TURN
            left -= 1
            _record(opened[0], server, results)

        yield record


def _record(connection: duckdb.DuckDBPyConnection, server: psycopg.Connection, results: pa.Table) -> None:
    assert len(results) == ROWS
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, results.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(results)
    connection.execute("BEGIN")
    connection.register("given", results)
    connection.execute("DELETE FROM validations WHERE relpath IN (SELECT relpath FROM given)").fetchall()
    connection.execute("INSERT INTO validations BY NAME SELECT * FROM given").fetchall()
    connection.unregister("given")
    ((number,),) = connection.execute("SELECT max(event_id) + 1 FROM events").fetchall()
    connection.execute("INSERT INTO events VALUES (?, now()::TIMESTAMP, 'recorded')", [number]).fetchall()
    with server.transaction():
        server.execute("SELECT pg_advisory_xact_lock(1)")
        server.execute("INSERT INTO bare VALUES (%s, %s)", [number, sink.getvalue().to_pybytes()])
    connection.execute("COMMIT")


def look(root: Path) -> tuple[int, int, int]:
    """Return number of the first event, of the last, and how many there are."""
    with _locked(root, fcntl.LOCK_SH), duckdb.connect(str(root / DATABASE), read_only=True) as connection:
        ((first, last, count),) = connection.execute(EVENTS).fetchall()
    return first, last, count


@contextmanager
def _locked(root: Path, kind: int) -> Iterator[None]:
    """Hold the store together with other readers, or alone; who waits for it stands in the gate, so nobody starves."""
    gate, lock = (os.open(root / name, os.O_RDWR) for name in (GATE, LOCK))
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(lock, kind)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield
    finally:
        os.close(lock)
        os.close(gate)

"""The yardsticks of the extract boundary: its unavoidable parts, each in the fewest calls, nothing of ours inside.

They leave the same rows and the same audit, as durable as the boundary does.
"""

from __future__ import annotations

import ctypes
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa

INSERT = (
    "INSERT INTO {table} BY NAME SELECT 'example/sample/1.0' AS version_id, relpath, file_id,"
    " '{artifact}' AS artifact_id, format, size_bytes, mtime FROM given"
)
LINES = """
SELECT concat('{{"version_id":"example/sample/1.0","relpath":"', replace(replace(relpath, '\\', '\\\\'), '"', '\\"'),
    '","file_id":"', file_id, '","artifact_id":"{artifact}","format":"', format, '","size_bytes":', size_bytes,
    ',"mtime":"', replace(mtime::VARCHAR, ' ', 'T'), 'Z","strip":0}}', chr(10))
FROM (SELECT * REPLACE (mtime::TIMESTAMP AS mtime) FROM given)
"""
KEYED = """
CREATE TABLE keyed (
    version_id VARCHAR, relpath VARCHAR, file_id VARCHAR, artifact_id VARCHAR, format VARCHAR, size_bytes BIGINT,
    mtime TIMESTAMP, verified_at TIMESTAMP, PRIMARY KEY (version_id, relpath)
);
CREATE INDEX keyed_file ON keyed (file_id);
CREATE INDEX keyed_artifact ON keyed (artifact_id);
CREATE INDEX keyed_format ON keyed (format);
"""


def insert(database: Path, given: pa.Table, *, table: str = "extracted_files", artifact: str = "0" * 64) -> None:
    """Open the database, insert the table in one transaction, close it."""
    connection = duckdb.connect(str(database))
    connection.register("given", given)
    connection.execute("BEGIN")
    connection.execute(INSERT.format(table=table, artifact=artifact)).fetchall()
    connection.execute("COMMIT")
    connection.close()


def write_audit(path: Path, given: pa.Table, *, artifact: str = "0" * 64) -> None:
    """Write one JSON line per row and make the file durable; the next lines are made while these are written."""
    with open(path, "wb", buffering=0) as file, duckdb.connect() as connection, ThreadPoolExecutor(1) as pool:
        connection.register("given", given)
        lines = connection.sql(LINES.format(artifact=artifact)).to_arrow_reader(32_768)
        coming = pool.submit(next, lines, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, lines, None)
            _, offsets, text = batch.column(0).buffers()
            file.write(memoryview(text)[: memoryview(offsets).cast("i")[len(batch)]])
        os.fsync(file.fileno())


def walk(folder: Path) -> int:
    """Look at every file below `folder` once and return the sum of their sizes in bytes."""
    total, stack = 0, [os.fspath(folder)]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                else:
                    found = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(found.st_mode):
                        total += found.st_size
    return total


def sync(folder: Path) -> None:
    """Make everything below `folder` durable in one call, as far as the platform has one."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None).syncfs(descriptor) != 0:
            raise OSError(f"syncfs failed for {folder}")
    finally:
        os.close(descriptor)

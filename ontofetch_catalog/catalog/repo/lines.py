"""The lines of documents that are made by SQL: one text column, handed on as bytes."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

FEW = 100  # rows that are put together in Python sooner than a statement about them is thought through
_BATCH_ROWS = 32_768


def text_of(
    connection: duckdb.DuckDBPyConnection, query: str, *, few: bool = False
) -> Generator[memoryview, None, None]:
    """Yield the one text column of `query`, rows joined, as views of Arrow's own buffers: nothing is copied.

    The next rows are made while the caller writes these; until the end nobody else may use the connection. Where they
    are known to be few, they come at once, without a thread.
    """
    if few:
        text = "".join(line for (line,) in connection.execute(query).fetchall())
        # nothing is no text either: whoever compares a document with its rows asks whether there are any
        if text:
            yield memoryview(text.encode())
        return
    reader = connection.sql(query).to_arrow_reader(_BATCH_ROWS)
    with reader, ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, reader, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, reader, None)
            column = batch.column(0)
            _, offsets, data = column.buffers()
            if len(column) and data is not None:
                bounds = memoryview(offsets).cast("i")
                yield memoryview(data)[bounds[column.offset] : bounds[column.offset + len(column)]]

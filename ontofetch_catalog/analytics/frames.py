"""Own the bare rows of a catalog as lazy frames: read when they are collected, and of them only the columns used.

What the rows are is known to `tables`, how they are read to the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import polars as pl
from polars.io.plugins import register_io_source

from .fields import Section, conform, dtype_of
from .sources import Reader, Source

# reads rows of one kind from an open source: these columns, at most so many rows
Rows = Callable[[Reader, Sequence[str], int | None], pl.LazyFrame]


def lazily(source: Source, section: Section, rows: Rows, read: Callable[[pl.LazyFrame], pl.DataFrame]) -> pl.LazyFrame:
    """Return the rows of `section`; the source is opened for each collect and closed again.

    Args:
        source: Where the rows come from.
        section: Their columns.
        rows: Asks the open source.
        read: Collects what it answers.
    """
    names = [field.name for field in section.fields]

    def scan(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        del batch_size  # an answer of DuckDB is one table; what is not asked for is not in it
        chosen = [name for name in names if with_columns is None or name in with_columns] or names[:1]
        with source.open() as reader:
            found = conform(rows(reader, chosen, n_rows), section, chosen)
            frame = read(found if predicate is None else found.filter(predicate))
        yield frame

    schema = {field.name: dtype_of(field) for field in section.fields}
    return register_io_source(scan, schema=schema, is_pure=False, explain_name=f"CATALOG {section.name}")

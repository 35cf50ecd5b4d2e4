"""The writing of a table of terms, some thousand rows at a time."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import accumulate
from types import TracebackType
from typing import Any

# before Arrow is imported: its own memory reserves addresses, which a process with limits has few of
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

# rows, statements and bytes of these, at which those that are written at a time end
_ROWS = 4_096
_LINES = 1 << 18
_STEP = 2_048  # rows or bytes after which it is looked whether they are enough
_STEP_WEIGHT = 4 << 20


def forget_table(path: str) -> None:
    """Remove a table that was begun, if there is one."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def rename_table(found: str, path: str) -> None:
    """Give a table that is whole another name."""
    os.rename(found, path)


class TermsFile:
    """A new file with a table of terms; closed at the end of a `with`.

    Args:
        path: Where; nothing may be there.
    """

    def __init__(self, path: str) -> None:
        from .schema import TERMS_SCHEMA

        self._schema = TERMS_SCHEMA
        *self._types, self._lines = TERMS_SCHEMA.types  # which are made anew whenever they are asked for
        self._batches: list[Any] = []
        self._sizes: list[int] = []
        self._weights: list[int] = []
        self._stream = open(path, "xb")  # noqa: SIM115 - closed at the end of the `with`

    def __enter__(self) -> TermsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def add(self, lines: array[int], sizes: list[int], weights: list[int], columns: list[list[Any]]) -> None:
        """Take rows; the first one stays the first.

        Args:
            lines: The hashes of their statements, sorted row by row, so that equal contents have equal tables.
            sizes: How many of these each row has.
            weights: How many bytes the statements of each have.
            columns: All other columns, in the order of the schema.
        """
        import pyarrow as pa

        self._sizes += sizes
        self._weights += weights
        arrays = list(map(_array, columns, self._types))
        offsets = pa.py_buffer(array("i", accumulate(sizes, initial=0)))
        values = pa.Array.from_buffers(pa.uint64(), len(lines), [None, pa.py_buffer(lines)])
        arrays.append(pa.Array.from_buffers(self._lines, len(sizes), [None, offsets], children=[values]))
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def write(self, order: list[int], facts: Mapping[str, Any]) -> None:
        """Write the rows, all there are; they are gone afterwards.

        Args:
            order: Where the rows behind the first one are that come next, counted from that one on.
            facts: The small facts, which stand in the metadata.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        from .schema import FACTS_KEY, FEW_VALUES, encode

        table = pa.Table.from_batches(self._batches)
        self._batches.clear()
        columns = []
        while table.num_columns:
            # one after the other, so that not all of them are there twice
            columns.append(table.column(0).combine_chunks())
            table = table.remove_column(0)
        whole = pa.Table.from_arrays(columns, schema=self._schema)
        places = [0, *(row + 1 for row in order)]
        rows = pa.array(places, pa.int32())
        start = 0
        sealed = self._schema.with_metadata({FACTS_KEY: encode(facts)})
        with pq.ParquetWriter(self._stream, sealed, compression="zstd", use_dictionary=FEW_VALUES) as writer:
            for end in self._ends(places):
                writer.write_table(whole.take(rows.slice(start, end - start)))
                start = end

    def _ends(self, places: list[int]) -> Iterator[int]:
        """Yield where those rows end that are written at a time; this depends on nothing but what is in them."""
        rows = lines = count = weight = start = 0
        for end, place in enumerate(places, start=1):
            count += 1
            lines += self._sizes[place]
            weight += self._weights[place]
            if end == 1 or count >= _STEP or weight >= _STEP_WEIGHT:
                rows += count
                count = weight = 0
                if rows >= _ROWS or lines >= _LINES:
                    yield end
                    start, rows, lines = end, 0, 0
        if start < len(places):
            yield len(places)


def _array(column: list[Any], kind: Any) -> Any:
    """Return a column; hashes of which none is missing as the bytes that they are."""
    import pyarrow as pa

    if isinstance(kind, pa.FixedSizeBinaryType) and None not in column:
        return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(b"".join(column))])
    return pa.array(column, kind)

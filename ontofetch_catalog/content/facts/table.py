"""The writing of a table of terms, some thousand rows at a time."""

from __future__ import annotations

import os
from array import array
from contextlib import suppress
from itertools import accumulate
from types import TracebackType
from typing import Any

# before Arrow is imported: its own memory reserves addresses, which a process with limits has few of
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

_ROWS = 4_096  # at a time
_LINES = 1 << 18


def forget_table(path: str) -> None:
    """Remove a table that was begun, if there is one."""
    with suppress(FileNotFoundError):
        os.unlink(path)


class TermsFile:
    """A new file with a table of terms; closed at the end of a `with`.

    Args:
        path: Where; nothing may be there.
    """

    def __init__(self, path: str) -> None:
        import pyarrow.parquet as pq

        from .schema import TERMS_SCHEMA

        self.rows = 0
        self._schema = TERMS_SCHEMA
        self._columns: list[list[Any]] = [[] for _ in self._schema.names[:-1]]
        self._lines = array("Q")
        self._sizes: list[int] = []
        self._stream = open(path, "xb")  # noqa: SIM115 - closed at the end of the `with`
        # of hashes there are no two alike, a dictionary of them would only take memory
        named = ["kind", "parents.list.element", "replaced_by.list.element", "consider.list.element"]
        self._writer = pq.ParquetWriter(self._stream, self._schema, compression="zstd", use_dictionary=named)

    def __enter__(self) -> TermsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()
            self._stream.close()

    def add(self, lines: array[int], sizes: list[int], columns: list[list[Any]]) -> None:
        """Append rows, which have to come sorted by `iri`.

        Args:
            lines: The hashes of their statements, sorted row by row, so that equal contents have equal tables.
            sizes: How many of these each row has.
            columns: All other columns, in the order of the schema.
        """
        self._lines.extend(lines)
        self._sizes += sizes
        for column, more in zip(self._columns, columns, strict=True):
            column.extend(more)
        self.rows += len(sizes)
        if len(self._sizes) >= _ROWS or len(self._lines) >= _LINES:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._sizes:
            return
        schema = self._schema
        values = pa.Array.from_buffers(pa.uint64(), len(self._lines), [None, pa.py_buffer(self._lines)])
        arrays = [pa.array(column, kind) for column, kind in zip(self._columns, schema.types[:-1], strict=True)]
        offsets = pa.array(accumulate(self._sizes, initial=0), pa.int32())
        arrays.append(pa.ListArray.from_arrays(offsets, values, type=schema.field("lines").type))
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        self._columns, self._lines, self._sizes = [[] for _ in self._columns], array("Q"), []

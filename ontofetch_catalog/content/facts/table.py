"""The writing of a table of terms, some thousand rows at a time."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any

# before Arrow is imported: its own memory reserves addresses, which a process with limits has few of
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

_ROWS = 8_192  # at a time
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
        self._rows: list[tuple[Any, ...]] = []
        self._lines = array("Q")
        self._offsets = [0]
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

    def add(self, lines: Iterable[int], row: tuple[Any, ...]) -> None:
        """Append a row; rows have to come sorted by `iri`.

        Args:
            lines: The hashes of its statements.
            row: All other columns, in the order of the schema.
        """
        self._rows.append(row)
        # in a fixed order, so that equal contents have equal tables
        self._lines.extend(sorted(lines))
        self._offsets.append(len(self._lines))
        self.rows += 1
        if len(self._rows) >= _ROWS or len(self._lines) >= _LINES:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        schema = self._schema
        values = pa.Array.from_buffers(pa.uint64(), len(self._lines), [None, pa.py_buffer(self._lines)])
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types[:-1], strict=True)]
        offsets = pa.array(self._offsets, pa.int32())
        arrays.append(pa.ListArray.from_arrays(offsets, values, type=schema.field("lines").type))
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        self._rows, self._lines, self._offsets = [], array("Q"), [0]

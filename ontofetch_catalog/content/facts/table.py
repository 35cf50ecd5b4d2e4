"""The writing of a table of terms, some thousand rows at a time."""

from __future__ import annotations

import os
from array import array
from contextlib import suppress
from types import TracebackType
from typing import Any

# before Arrow is imported: its own memory reserves addresses, which a process with limits has few of
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

LINE = 8  # bytes of a statement's hash
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
        self._columns: dict[str, list[Any]] = {name: [] for name in self._schema.names[:-1]}
        self._lines: list[bytes] = []
        self._counts: list[int] = []
        self._size = 0
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

    def add(self, lines: bytes, row: dict[str, Any]) -> None:
        """Append a row; rows have to come sorted by `iri`.

        Args:
            lines: LINE bytes for each of its statements.
            row: All other columns.
        """
        for name, column in self._columns.items():
            column.append(row[name])
        # in a fixed order, so that equal contents have equal tables
        self._lines.append(array("Q", sorted(array("Q", lines))).tobytes())
        self._counts.append(len(lines) // LINE)
        self._size += len(lines) // LINE
        self.rows += 1
        if len(self._counts) >= _ROWS or self._size >= _LINES:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._counts:
            return
        offsets = [0]
        for count in self._counts:
            offsets.append(offsets[-1] + count)
        packed = pa.py_buffer(b"".join(self._lines))
        values = pa.Array.from_buffers(pa.uint64(), offsets[-1], [None, packed])
        arrays = [pa.array(column, self._schema.field(name).type) for name, column in self._columns.items()]
        kind = self._schema.field("lines").type
        arrays.append(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, type=kind))
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._columns = {name: [] for name in self._columns}
        self._lines, self._counts, self._size = [], [], 0

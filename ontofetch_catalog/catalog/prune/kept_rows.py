"""The files that keep the rows of a pruned release until it is restored or purged.

They are Parquet beside the plan, published by the boundary that un-records the rows; which tables there are is known
to the SQL alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...errors import OntofetchError
from ..connection import Store
from ..journal import IntentDraft
from ..repo import pruning
from .entries import Batch
from .plan import Plan, PlanUnusable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def keep_rows(connection: duckdb.DuckDBPyConnection, draft: IntentDraft, plan: Plan, batch: Batch) -> dict[str, str]:
    """Write the rows of a release, or of one artifact of it, beside the plan; return table → sha256 of its file."""
    kept = {}
    for table in _tables_of(batch):
        # also where the file can't be written: else the rollback could not be recorded
        with pruning.release_rows(connection, table, str(batch.version_id), batch.artifact) as rows:
            kept[table], _ = draft.write(plan.rows(batch, table), _parquet(rows))
    return kept


def read_rows(store: Store, plan: Plan, batch: Batch, kept: dict[str, str]) -> dict[str, pa.Table]:
    """Return table → rows of a pruned release.

    Raises:
        PlanUnusable: A file is missing or is not what was written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = {}
    for table in _tables_of(batch):
        if table not in kept and table in pruning.LATER_TABLES:
            continue
        path = store.path(plan.rows(batch, table))
        try:
            with os.fdopen(path.open_file(), "rb") as stream:
                intact = hashlib.file_digest(stream, "sha256").hexdigest() == kept[table]
                stream.seek(0)
                if intact:
                    tables[table] = pq.read_table(stream, partitioning=None)
        except (OSError, KeyError, pa.ArrowException) as error:
            raise _lost(batch, table) from error
        if not intact:
            raise _lost(batch, table)
    return tables


def _tables_of(batch: Batch) -> Iterable[str]:
    return pruning.RELEASE_TABLES if batch.artifact is None else pruning.ARTIFACT_TABLES


def _lost(batch: Batch, table: str) -> OntofetchError:
    return PlanUnusable(
        f"The rows of {batch.version_id} can't be restored: the file that keeps its {table} is missing or damaged.",
        subject=str(batch.version_id),
        hint="Move the files back by hand and let `ontofetch db rebuild` read them, or pull the release again.",
    )


class _Sink:
    """A file that hands on what is written to it, piece by piece."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: what is written is there."""

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def taken(self) -> Iterator[bytes]:
        pieces, self._pieces = self._pieces, []
        yield from pieces


def _parquet(rows: pa.RecordBatchReader) -> Iterator[bytes]:
    """Yield a Parquet file of the rows, as they come."""
    import pyarrow.parquet as pq

    sink = _Sink()
    with pq.ParquetWriter(sink, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)
            yield from sink.taken()
    yield from sink.taken()

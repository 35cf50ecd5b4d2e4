"""The table of unpacked files: what the process that unpacks says of them, a row each; no disk is read here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def as_batch(rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Return a table of rows: path, sha256, format, size in bytes, time in seconds (UTC)."""
    import pyarrow as pa

    relpaths, file_ids, formats, sizes, times = zip(*rows, strict=True)
    microseconds = pa.array([int(seconds) * 1_000_000 for seconds in times], pa.int64())
    return pa.table(
        {
            "relpath": pa.array(relpaths, pa.string()),
            "file_id": pa.array(file_ids, pa.string()),
            "format": pa.array(formats, pa.string()),
            "size_bytes": pa.array(sizes, pa.int64()),
            "mtime": microseconds.cast(pa.timestamp("us", "UTC")),
        }
    )


def as_table(batches: list[pa.Table]) -> pa.Table:
    """Return what such tables hold in one, sorted by path; of several files of one path the last, which lies there."""
    import pyarrow as pa

    none = pa.schema(
        [
            ("relpath", pa.string()),
            ("file_id", pa.string()),
            ("format", pa.string()),
            ("size_bytes", pa.int64()),
            ("mtime", pa.timestamp("us", "UTC")),
        ]
    ).empty_table()
    told = pa.concat_tables([none, *batches])
    return _last_of_each(told).sort_by("relpath").combine_chunks()


def _last_of_each(files: pa.Table) -> pa.Table:
    """Return files without those that others of the same path came after."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(pc.unique(files["relpath"])) == len(files):
        return files
    numbered = files.append_column("number", pa.array(range(len(files)), pa.int64()))
    last = numbered.group_by("relpath").aggregate([("number", "max")])["number_max"]
    return files.take(last)


def without_top(files: pa.Table, top: str) -> pa.Table:
    """Take a folder off the paths; their order stays."""
    import pyarrow.compute as pc

    return files.set_column(0, "relpath", pc.utf8_slice_codeunits(files["relpath"], start=len(top) + 1))

"""The table of unpacked files: what the process that unpacks says of them, a row each; no disk is read here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from .writers import Row

_BETWEEN = "\n"  # no path has one


def as_columns(rows: Sequence[Row]) -> list[Any]:
    """Return rows as they are told, few values and long ones: paths, hashes, formats, sizes, times in whole seconds."""
    if not rows:
        return []
    relpaths, file_ids, formats, sizes, times = zip(*rows, strict=True)
    return [*map(_BETWEEN.join, (relpaths, file_ids, formats)), sizes, list(map(int, times))]


def as_batch(columns: Sequence[Any]) -> pa.Table:
    """Return as a table what `as_columns` made; the time of each file is UTC."""
    import pyarrow as pa

    texts = [pa.array(str(text).split(_BETWEEN), pa.string()) for text in columns[:3]]
    sizes, seconds = (pa.array(numbers, pa.int64()) for numbers in columns[3:])
    mtime = seconds.cast(pa.timestamp("s", "UTC")).cast(pa.timestamp("us", "UTC"))
    return pa.table([*texts, sizes, mtime], ["relpath", "file_id", "format", "size_bytes", "mtime"])


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

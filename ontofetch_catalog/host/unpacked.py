"""What is asked of whoever unpacks an artifact, and what comes of it: a table of files, a row each.

No disk is read here, and nothing is imported that the process that unpacks does not need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.remarks import Remark

from ..content.packed.bounds import Limits

if TYPE_CHECKING:
    import pyarrow as pa

Strip = int | Literal["auto"]
Row = tuple[str, str, str, int, float]  # path, sha256, format, bytes, time
DATA = "data"  # the folder of a stage with what was unpacked
_LATEST_TIME = 253_402_300_799.0  # the end of the year 9999, the last a datetime can say
_BETWEEN = "\n"  # no path has one


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be unpacked of an artifact, and how.

    Args:
        name: The artifact's name.
        content_type: What the server said of it.
        include: Globs over the names in the archive (`*` crosses `/`); empty: everything.
        exclude: Globs of what is left out of that again.
        strip: How many leading folders to take off; `auto` takes a single folder off that all entries share.
        portable: Whether names that meet where case and normal forms are folded are refused.
        limits: What is refused.
    """

    name: str
    content_type: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strip: Strip = "auto"
    portable: bool = False
    limits: Limits = field(default_factory=Limits)

    @property
    def drop(self) -> int:
        """Return how many leading folders are taken off of each name, whatever it is."""
        return 0 if self.strip == "auto" else self.strip


class Done(NamedTuple):
    """What was written: the files, the first folders of the names (two at most), files skipped, remarks."""

    files: pa.Table
    tops: list[str]
    skipped: int
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What was unpacked.

    Args:
        files: One row per file, FILES_COLUMNS, sorted by path.
        folder: The staged folder that becomes the data folder.
        strip: How many leading folders were taken off.
        skipped: How many files were left out because their name is shorter than that.
        remarks: What was left out otherwise, and what is odd about the archive.
    """

    files: pa.Table
    folder: Path
    strip: int
    skipped: int
    remarks: tuple[Remark, ...] = ()


def recorded_time(mtime: float) -> float:
    """Return when a file was changed as it is recorded: whole seconds since 1970, up to the end of the year 9999."""
    return float(int(min(max(mtime, 0.0), _LATEST_TIME)))


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
    return pa.table([*texts, sizes, mtime], schema=_schema())


def as_table(batches: list[pa.Table]) -> pa.Table:
    """Return what such tables hold in one, sorted by path; of several files of one path the last, which lies there."""
    import pyarrow as pa

    told = pa.concat_tables([_schema().empty_table(), *batches])
    return _last_of_each(told).sort_by("relpath").combine_chunks()


def _schema() -> pa.Schema:
    # the process that unpacks makes no tables
    from ontofetch_hookspecs.columns import FILES_COLUMNS

    from .small_tables import schema_of

    return schema_of(FILES_COLUMNS)


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

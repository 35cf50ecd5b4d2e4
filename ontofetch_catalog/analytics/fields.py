"""Describe the frames of reports: columns with dtype and meaning, sections, contracts; and what several share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import polars as pl

from ontofetch_hookspecs.light_dataclasses import dataclass

from . import columns as c

INT, FLOAT, BOOL = "Int64", "Float64", "Boolean"
TEXT, CATEGORY, DATE, TIME = "String", "Categorical", "Date", 'Datetime("us", "UTC")'
CHANGE_KIND = f"Enum({', '.join(c.CHANGES)})"


# section → frame, and the parameters of a report → charts of altair, which types its kinds of charts apart
Drawer = Callable[[Mapping[str, pl.DataFrame], Mapping[str, object]], list[Any]]


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a frame.

    Args:
        name: Its name, the key in json.
        dtype: Its dtype as Polars spells it.
        meaning: What it says, with the unit.
        heading: Its heading in a table, where it is not the name in words.
        detail: Whether it gives way in a narrow table; the highest goes first, 0 never.
    """

    name: str
    dtype: str
    meaning: str
    heading: str = ""
    detail: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """One frame of a report.

    Args:
        name: Its key in json.
        title: Its heading in a table.
        fields: Its columns in order.
        record: Whether a table shows a lone row as `name value` lines.
        shown: Whether it is part of a table at all.
        whole: Whether `--top` leaves it alone.
        newest_last: Whether `--top` keeps the last rows.
        nothing: Why it has no rows, where it has none.
        quiet: Whether people are not shown it where it has no rows.
        split: A column; people are shown a table for each of its values.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    record: bool = False
    shown: bool = True
    whole: bool = False
    newest_last: bool = False
    nothing: str = "nothing"
    quiet: bool = False
    split: str = ""

    @property
    def details(self) -> list[str]:
        """Return the columns that give way in a narrow table, the last one first."""
        return [field.name for field in sorted(self.fields, key=lambda field: field.detail) if field.detail]


@dataclass(frozen=True, slots=True)
class Contract:
    """What a report returns.

    Args:
        sections: Its frames, the main one first.
        order: Names of sections that come first in a table.
        draw: Makes charts of its frames and parameters, the most telling one first; none of what has nothing to show.
        search: Whether a page of it can be searched.
    """

    name: str
    sections: tuple[Section, ...]
    order: tuple[str, ...] = ()
    draw: Drawer | None = None
    search: bool = False

    def section(self, name: str) -> Section:
        """Return the section of that name."""
        return next(section for section in self.sections if section.name == name)


@cache
def dtype_of(field: Field) -> pl.DataType:
    """Return the Polars dtype of a field."""
    named: dict[str, pl.DataType] = {
        INT: pl.Int64(),
        FLOAT: pl.Float64(),
        BOOL: pl.Boolean(),
        TEXT: pl.String(),
        CATEGORY: pl.Categorical(),
        DATE: pl.Date(),
        TIME: pl.Datetime("us", "UTC"),
    }
    if field.dtype in named:
        return named[field.dtype]
    return pl.Enum(field.dtype.removeprefix("Enum(").removesuffix(")").split(", "))


def conform(frame: pl.LazyFrame, section: Section, names: Sequence[str] | None = None) -> pl.LazyFrame:
    """Return the columns of `section`, in order, with its dtypes; what `frame` lacks is an error, what it adds goes.

    Args:
        section: Their columns.
        names: Only these of them; None for all.
    """
    fields = [field for field in section.fields if names is None or field.name in names]
    return frame.select(pl.col(field.name).cast(dtype_of(field)) for field in fields)


VERSION = Field(c.VERSION_ID, TEXT, "the release", "release")
INCOMPLETE = Field(c.INCOMPLETE, BOOL, "whether an artifact of it was recorded and never unpacked", detail=6)
PATH = Field(c.RELPATH, TEXT, "path below the release's data folder; of a removed file, where it was", "path")
FORMAT = Field(c.FORMAT, CATEGORY, "format of the file", detail=1)
GROUP_FORMAT = Field(c.FORMAT, CATEGORY, "format of the files")
FILES = Field(c.FILES, INT, "number of files")
SIZE = Field(c.SIZE, INT, "size in bytes")
SHARE = Field(c.SHARE, FLOAT, "part of the release's bytes, 0 to 1", detail=2)
CHANGE = Field(c.CHANGE, CHANGE_KIND, "what happened to the file")
DELTA = Field(c.DELTA, INT, "bytes the file adds to the release: its size in B less its size in A", "growth")
FILE_SIZE_A = Field(c.SIZE_A, INT, "size in A in bytes; null if it is not there", detail=3)
FILE_SIZE_B = Field(c.SIZE_B, INT, "size in B in bytes; null if it is not there", detail=2)
OUTCOMES = (
    Field(c.PASSED_FILES, INT, "files that some validator passed and none failed"),
    Field(c.FAILED_FILES, INT, "files that some validator failed"),
    Field(c.UNJUDGED_FILES, INT, "files that validators looked at and none could judge", "not judged"),
    Field(c.UNVALIDATED_FILES, INT, "files that no validator looked at", "not validated"),
)
COUNTS = (
    Field(c.ADDED_FILES, INT, "files only in B"),
    Field(c.REMOVED_FILES, INT, "files only in A"),
    Field(c.MODIFIED_FILES, INT, "files with the same path and other bytes"),
    Field(c.RENAMED_FILES, INT, "files with the same bytes at another path, paired one to one"),
)
UNCHANGED = Field(c.UNCHANGED_FILES, INT, "files with the same path and bytes", detail=1)
CHURN = Field(c.CHURN, INT, "bytes of the modified files as they are in B; not part of net growth")
NET = Field(c.NET, INT, "bytes of B less bytes of A")
BYTES = (
    Field(c.ADDED_BYTES, INT, "bytes of the added files", "bytes added", detail=5),
    Field(c.REMOVED_BYTES, INT, "bytes of the removed files", "bytes removed", detail=6),
    Field(c.MODIFIED_DELTA, INT, "bytes the modified files grew by, negative where they shrank", detail=7),
    Field(c.RENAMED_BYTES, INT, "bytes of the renamed files", "bytes renamed", detail=8),
    NET,
    CHURN,
)
SIDES = (
    Field(c.FILES_A, INT, "files in A", detail=4),
    Field(c.FILES_B, INT, "files in B", detail=3),
    Field(c.BYTES_A, INT, "bytes of all files in A", detail=3),
    Field(c.BYTES_B, INT, "bytes of all files in B", detail=2),
)
GROUP = (*COUNTS[:-1], replace(COUNTS[-1], detail=1), UNCHANGED, *BYTES, *SIDES)

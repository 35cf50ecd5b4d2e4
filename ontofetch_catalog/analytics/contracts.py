"""Own what each built-in report returns: its sections, their columns, dtypes and meanings, in order.

It imports no Polars, so that help and documents can be made from it without; `conform` is called with frames at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import columns as c

if TYPE_CHECKING:
    import polars as pl

INT, FLOAT, BOOL = "Int64", "Float64", "Boolean"
TEXT, LABEL, DATE, TIME = "String", "Categorical", "Date", 'Datetime("us", "UTC")'
CHANGE_KIND = f"Enum({', '.join(c.CHANGES)})"


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
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    record: bool = False
    shown: bool = True
    whole: bool = False

    @property
    def details(self) -> list[str]:
        """Return the columns that give way in a narrow table, the last one first."""
        return [field.name for field in sorted(self.fields, key=lambda field: field.detail) if field.detail]


@dataclass(frozen=True, slots=True)
class Contract:
    """What a report returns.

    Args:
        name: The report.
        sections: Its frames, the main one first.
        order: Names of sections that come first in a table.
    """

    name: str
    sections: tuple[Section, ...]
    order: tuple[str, ...] = ()

    def section(self, name: str) -> Section:
        """Return the section of that name."""
        return next(section for section in self.sections if section.name == name)


def dtype_of(field: Field) -> pl.DataType:
    """Return the Polars dtype of a field."""
    import polars as pl

    named: dict[str, pl.DataType] = {
        INT: pl.Int64(),
        FLOAT: pl.Float64(),
        BOOL: pl.Boolean(),
        TEXT: pl.String(),
        LABEL: pl.Categorical(),
        DATE: pl.Date(),
        TIME: pl.Datetime("us", "UTC"),
    }
    if field.dtype in named:
        return named[field.dtype]
    return pl.Enum(field.dtype.removeprefix("Enum(").removesuffix(")").split(", "))


def conform(frame: pl.LazyFrame, section: Section) -> pl.LazyFrame:
    """Return the columns of `section`, in order, with its dtypes; what `frame` lacks is an error, what it adds goes."""
    import polars as pl

    return frame.select(pl.col(field.name).cast(dtype_of(field)) for field in section.fields)


_VERSION = Field(c.VERSION_ID, TEXT, "the release", "release")
_PATH = Field(c.RELPATH, TEXT, "path below the release's data folder; of a removed file, where it was", "path")
_FORMAT = Field(c.FORMAT, LABEL, "format of the file", detail=1)
_GROUP_FORMAT = Field(c.FORMAT, LABEL, "format of the files")
_FILES = Field(c.FILES, INT, "number of files")
_SIZE = Field(c.SIZE, INT, "size in bytes")
_SHARE = Field(c.SHARE, FLOAT, "part of the release's bytes, 0 to 1", detail=2)
_CHANGE = Field(c.CHANGE, CHANGE_KIND, "what happened to the file")
_DELTA = Field(c.DELTA, INT, "bytes the file adds to the release: its size in B less its size in A", "growth")
_FILE_SIZE_A = Field(c.SIZE_A, INT, "size in A in bytes; null if it is not there", detail=3)
_FILE_SIZE_B = Field(c.SIZE_B, INT, "size in B in bytes; null if it is not there", detail=2)
_OUTCOMES = (
    Field(c.PASSED_FILES, INT, "files that every validator passed"),
    Field(c.FAILED_FILES, INT, "files that some validator failed"),
    Field(c.UNVALIDATED_FILES, INT, "files that no validator looked at", "not validated"),
)
_COUNTS = (
    Field(c.ADDED_FILES, INT, "files only in B"),
    Field(c.REMOVED_FILES, INT, "files only in A"),
    Field(c.MODIFIED_FILES, INT, "files with the same path and other bytes"),
    Field(c.RENAMED_FILES, INT, "files with the same bytes at another path, paired one to one"),
)
_UNCHANGED = Field(c.UNCHANGED_FILES, INT, "files with the same path and bytes", detail=1)
_CHURN = Field(c.CHURN, INT, "bytes of the modified files as they are in B; not part of net growth")
_NET = Field(c.NET, INT, "bytes of B less bytes of A")
_BYTES = (
    Field(c.ADDED_BYTES, INT, "bytes of the added files", "bytes added", detail=5),
    Field(c.REMOVED_BYTES, INT, "bytes of the removed files", "bytes removed", detail=6),
    Field(c.MODIFIED_DELTA, INT, "bytes the modified files grew by, negative where they shrank", detail=7),
    Field(c.RENAMED_BYTES, INT, "bytes of the renamed files", "bytes renamed", detail=8),
    _NET,
    _CHURN,
)
_SIDES = (
    Field(c.FILES_A, INT, "files in A", detail=4),
    Field(c.FILES_B, INT, "files in B", detail=3),
    Field(c.BYTES_A, INT, "bytes of all files in A", detail=3),
    Field(c.BYTES_B, INT, "bytes of all files in B", detail=2),
)
_GROUP = (*_COUNTS, _UNCHANGED, *_BYTES, *_SIDES)

LATEST = Contract(
    "latest",
    (
        Section(
            "summary",
            "releases",
            (
                _VERSION,
                Field(c.IS_LATEST, BOOL, "whether the latest pointer of its series names it", "latest", 3),
                Field(c.RELEASED, DATE, "its release date, if known", detail=7),
                Field(c.CREATED_AT, TIME, "when it was recorded", "recorded", 8),
                Field(c.AGE_DAYS, INT, "days from its release date, else from its recording, to `as_of`"),
                Field(
                    c.LAST_VERIFIED,
                    TIME,
                    "when its least recently verified file was verified; null if one never was",
                    detail=9,
                ),
                _FILES,
                _SIZE,
                Field(c.FORMATS, INT, "number of formats", detail=4),
                *_OUTCOMES,
                Field(c.PREVIOUS_VERSION_ID, TEXT, "the release before it in its series; null if none", "previous", 10),
                *(replace(count, detail=5) for count in _COUNTS),
                replace(_NET, detail=1),
                replace(_CHURN, detail=2),
            ),
            record=True,
        ),
        Section("formats", "formats", (_VERSION, _GROUP_FORMAT, _FILES, _SIZE, _SHARE, *_OUTCOMES)),
        Section("largest", "largest files", (_VERSION, _PATH, _FORMAT, _SIZE, _SHARE)),
        Section(
            "growth",
            "largest growth against the release before",
            (_VERSION, _CHANGE, _PATH, _FORMAT, _FILE_SIZE_A, replace(_SIZE, detail=2), _DELTA),
        ),
    ),
)

GROWTH = Contract(
    "growth",
    (
        Section(
            "changes",
            "changed files",
            (
                _CHANGE,
                _PATH,
                Field(c.PREVIOUS_RELPATH, TEXT, "path in A of a renamed file, else null", "was"),
                replace(_FORMAT, detail=4),
                _FILE_SIZE_A,
                _FILE_SIZE_B,
                _DELTA,
            ),
        ),
        Section("formats", "by format", (_GROUP_FORMAT, *_GROUP)),
        Section(
            "folders",
            "by folder",
            (Field(c.FOLDER, TEXT, "folder of the files, `.` at the top of the data folder"), *_GROUP),
        ),
        Section(
            "kinds",
            "growth",
            (
                Field(c.CHANGE, f"Enum({', '.join((*c.CHANGES, c.TOTAL))})", "what happened to the files"),
                Field(c.FILES_A, INT, "files of this kind in A"),
                Field(c.FILES_B, INT, "files of this kind in B"),
                Field(c.BYTES_A, INT, "their bytes in A"),
                Field(c.BYTES_B, INT, "their bytes in B"),
                _NET,
                _CHURN,
            ),
            whole=True,
        ),
        Section(
            "summary",
            "growth",
            (Field("a", TEXT, "version_id of A"), Field("b", TEXT, "version_id of B"), *_GROUP),
            shown=False,
        ),
    ),
    order=("kinds",),
)

CONTRACTS = {contract.name: contract for contract in (LATEST, GROWTH)}

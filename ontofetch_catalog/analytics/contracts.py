"""Own what each built-in report returns: its sections, their columns, dtypes and meanings, in order.

It imports no Polars, so that help and documents can be made from it without; `conform` is called with frames at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import columns as c

if TYPE_CHECKING:
    import polars as pl

INT, FLOAT, BOOL = "Int64", "Float64", "Boolean"
TEXT, LABEL, DATE, TIME = "String", "Categorical", "Date", 'Datetime("us", "UTC")'
CHANGE_KIND = f"Enum({', '.join(c.CHANGES)})"


@dataclass(frozen=True, slots=True)
class Field:
    """One column: name, dtype as Polars spells it, meaning with unit."""

    name: str
    dtype: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Section:
    """One frame of a report.

    Args:
        name: Its key in json.
        title: Its heading in a table.
        fields: Its columns in order.
        record: Whether a table shows it as `name value` lines.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    record: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """What a report returns.

    Args:
        name: The report.
        sections: Its frames, the main one first.
        shown: Names of sections in the order of a table, where that is another.
    """

    name: str
    sections: tuple[Section, ...]
    shown: tuple[str, ...] = ()

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


_VERSION = Field(c.VERSION_ID, TEXT, "the release")
_PATH = Field(c.RELPATH, TEXT, "path below the release's data folder; of a removed file, where it was")
_FORMAT = Field(c.FORMAT, LABEL, "format of the file")
_SIZE = Field(c.SIZE, INT, "size in bytes")
_CHANGE = Field(c.CHANGE, CHANGE_KIND, "what happened to the file")
_DELTA = Field(c.DELTA, INT, "bytes the file adds to the release: its size in B less its size in A")
_OUTCOMES = (
    Field(c.PASSED_FILES, INT, "files that every validator passed"),
    Field(c.FAILED_FILES, INT, "files that some validator failed"),
    Field(c.UNVALIDATED_FILES, INT, "files that no validator looked at"),
)
_COUNTS = (
    Field(c.ADDED_FILES, INT, "files only in B"),
    Field(c.REMOVED_FILES, INT, "files only in A"),
    Field(c.MODIFIED_FILES, INT, "files with the same path and other bytes"),
    Field(c.RENAMED_FILES, INT, "files with the same bytes at another path, paired one to one"),
)
_UNCHANGED = Field(c.UNCHANGED_FILES, INT, "files with the same path and bytes")
_CHURN = Field(c.CHURN, INT, "bytes of the modified files as they are in B; not part of net growth")
_NET = Field(c.NET, INT, "bytes of B less bytes of A")
_BYTES = (
    Field(c.ADDED_BYTES, INT, "bytes of the added files"),
    Field(c.REMOVED_BYTES, INT, "bytes of the removed files"),
    Field(c.MODIFIED_DELTA, INT, "bytes the modified files grew by, negative where they shrank"),
    _NET,
    _CHURN,
)
_SIDES = (
    Field(c.FILES_A, INT, "files in A"),
    Field(c.FILES_B, INT, "files in B"),
    Field(c.SIZE_A, INT, "bytes of all files in A"),
    Field(c.SIZE_B, INT, "bytes of all files in B"),
)

LATEST = Contract(
    "latest",
    (
        Section(
            "summary",
            "release",
            (
                _VERSION,
                Field(c.IS_LATEST, BOOL, "whether the latest pointer of its series names it"),
                Field(c.RELEASED, DATE, "its release date, if known"),
                Field(c.CREATED_AT, TIME, "when it was recorded"),
                Field(c.AGE_DAYS, INT, "days from its release date, else from its recording, to `as_of`"),
                Field(c.VERIFIED_AT, TIME, "when its least recently verified file was verified; null if one never was"),
                Field(c.FILES, INT, "files"),
                _SIZE,
                Field(c.FORMATS, INT, "formats"),
                *_OUTCOMES,
                Field(c.PREVIOUS_VERSION_ID, TEXT, "the release before it in its series; null if it is the first"),
                *_COUNTS,
                _NET,
                _CHURN,
            ),
            record=True,
        ),
        Section(
            "formats",
            "formats",
            (
                _VERSION,
                _FORMAT,
                Field(c.FILES, INT, "files"),
                _SIZE,
                Field(c.SHARE, FLOAT, "part of the release's bytes, 0 to 1"),
                *_OUTCOMES,
            ),
        ),
        Section(
            "largest",
            "largest files",
            (_VERSION, _PATH, _FORMAT, _SIZE, Field(c.SHARE, FLOAT, "part of the release's bytes, 0 to 1")),
        ),
        Section(
            "growth",
            "largest growth against the previous release",
            (_VERSION, _CHANGE, _PATH, _FORMAT, Field(c.SIZE_A, INT, "size before"), _SIZE, _DELTA),
        ),
    ),
)

_GROUP = (*_COUNTS, _UNCHANGED, *_BYTES, *_SIDES)
GROWTH = Contract(
    "growth",
    (
        Section(
            "changes",
            "changed files",
            (
                _CHANGE,
                _PATH,
                Field(c.PREVIOUS_RELPATH, TEXT, "path in A of a renamed file, else null"),
                _FORMAT,
                Field(c.SIZE_A, INT, "size in A in bytes; null if it is not there"),
                Field(c.SIZE_B, INT, "size in B in bytes; null if it is not there"),
                _DELTA,
            ),
        ),
        Section("formats", "by format", (_FORMAT, *_GROUP)),
        Section(
            "folders",
            "by folder",
            (Field(c.FOLDER, TEXT, "folder of the file, `.` at the top of the data folder"), *_GROUP),
        ),
        Section(
            "summary",
            "growth",
            (
                Field("a", TEXT, "version_id of A"),
                Field("b", TEXT, "version_id of B"),
                *_SIDES,
                *_COUNTS,
                _UNCHANGED,
                *_BYTES,
            ),
            record=True,
        ),
    ),
    shown=("summary", "changes", "formats", "folders"),
)

CONTRACTS = {contract.name: contract for contract in (LATEST, GROWTH)}

"""Own how the frames of a report are described: columns with dtype and meaning, sections, contracts.

It imports no Polars before a frame is at hand, so that documents can be made without; no report is known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import columns as c

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
        newest_last: Whether `--top` keeps the last rows.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    record: bool = False
    shown: bool = True
    whole: bool = False
    newest_last: bool = False

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


def conform(frame: pl.LazyFrame, section: Section, names: Sequence[str] | None = None) -> pl.LazyFrame:
    """Return the columns of `section`, in order, with its dtypes; what `frame` lacks is an error, what it adds goes.

    Args:
        frame: Any rows.
        section: Their columns.
        names: Only these of them; None for all.
    """
    import polars as pl

    fields = [field for field in section.fields if names is None or field.name in names]
    return frame.select(pl.col(field.name).cast(dtype_of(field)) for field in fields)

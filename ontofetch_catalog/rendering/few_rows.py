"""A few rows as Python has them, column by column: drawn as Arrow's tables are, where Arrow would be imported for them.

Where they come from is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ontofetch_hookspecs.light_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What decides how the values of a column are shown, of any type that is.

    Args:
        whole: Whether they are whole numbers.
        numeric: Whether they are numbers.
        temporal: Whether they are days or times.
        moment: Whether they are times.
        foreign: What words from outside they are: `text`, `label`, or nothing.
    """

    whole: bool = False
    numeric: bool = False
    temporal: bool = False
    moment: bool = False
    foreign: str = ""


WHOLE, MOMENT, TEXT = Kind(whole=True, numeric=True), Kind(temporal=True, moment=True), Kind(foreign="text")
_TYPES: dict[type, Kind] = {int: WHOLE, datetime: MOMENT, str: TEXT}  # times are UTC, with or without a zone


@dataclass(frozen=True, slots=True)
class FewValues:
    """One column."""

    kind: Kind
    values: tuple[Any, ...]

    @property
    def null_count(self) -> int:
        """Return how many values are missing."""
        return self.values.count(None)

    def to_pylist(self) -> list[Any]:
        """Return the values."""
        return list(self.values)


class FewRows:
    """Some rows; what draws a table takes them as they are, everything else asks for Arrow and gets it.

    Args:
        types: Name of a column → the type of its values: int, str, datetime.
        rows: The values of each, in the order of the columns.
    """

    def __init__(self, types: Mapping[str, type], rows: Sequence[Sequence[object]]) -> None:
        self._types = dict(types)
        self._rows = rows
        self._columns = dict(zip(types, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(types, ())

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def __getitem__(self, name: str) -> FewValues:
        """Return a column."""
        return FewValues(_TYPES[self._types[name]], self._columns[name])

    @property
    def column_names(self) -> list[str]:
        """Return the names of the columns."""
        return list(self._types)

    def slice(self, offset: int = 0, length: int | None = None) -> FewRows:
        """Return some of the rows."""
        return FewRows(self._types, self._rows[offset : None if length is None else offset + length])

    def as_arrow(self) -> Any:
        """Return them as a table of Arrow."""
        import pyarrow as pa

        types = {int: pa.int64(), str: pa.string(), datetime: pa.timestamp("us", "UTC")}
        return pa.table({name: pa.array(self._columns[name], types[kind]) for name, kind in self._types.items()})

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return an Arrow C stream of all rows."""
        return self.as_arrow().__arrow_c_stream__(requested_schema)

"""How a statement comes to read the rows that it is about and few others: those of some releases, or of some hashes.

DuckDB skips what lies outside of two constants before it reads the other columns, but not what is on no list: beside
the list, a statement says the first and the last of its names. In which order they are listed does not matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from ..connection import fetch_number, fetch_one, literal

if TYPE_CHECKING:
    import duckdb

_FEW = 100
_DIGITS = 1 << 16  # of the first four digits of a hash


def part_of(column: str, part: int, parts: int) -> str:
    """Return a condition that one of `parts` equal parts of all hashes in a column meets, from 0 on: SQL."""
    bounds = [f"{_DIGITS * number // parts:04x}" for number in (part, part + 1)]
    conditions = [f"{column} >= '{bounds[0]}'"] if part else []
    conditions += [f"{column} < '{bounds[1]}'"] if part + 1 < parts else []
    return " AND ".join(conditions) or "true"


def bounds_of(version_ids: Iterable[str]) -> str:
    """Return a condition that the rows of all these releases meet, and of those whose names lie between: SQL."""
    names = list(version_ids)
    if not names:
        return "false"
    # texts are ordered by their bytes here and there
    return f"version_id BETWEEN {literal(min(names))} AND {literal(max(names))}"


def worthwhile_bounds_of(connection: duckdb.DuckDBPyConnection, version_ids: Collection[str]) -> str:
    """Return what `bounds_of` does where it leaves out half of the releases, else what all rows meet: SQL.

    To hold every name against two others takes longer than to look for a number.
    """
    bounds = bounds_of(version_ids)
    inside = fetch_number(connection, f"SELECT 2 * count(*) FILTER ({bounds}) - count(*) FROM versions")
    return "true" if inside > 0 else bounds


def has_none(connection: duckdb.DuckDBPyConnection, table: str, file_ids: Collection[str]) -> bool:
    """Say whether a table has no row of these contents, in a tenth of the time that their rows take to be put together.

    Of many contents that is not asked: most of them there is something of.
    """
    if not file_ids or len(file_ids) > _FEW:
        return not file_ids
    listed = ", ".join(map(literal, file_ids))
    return fetch_one(connection, f"SELECT 1 FROM {table} WHERE file_id IN ({listed}) LIMIT 1") is None

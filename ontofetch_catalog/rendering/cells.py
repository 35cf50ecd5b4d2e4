"""How frames become parts for people: what is shown of them, in which order, under which heading.

It sees at most the rows that are shown, knows columns only by their type and by the words in their names, and does not
know whether a terminal, a page or a document will show them. Rows are Arrow here: a few of them are no reason to import
Polars.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from ontofetch_hookspecs.extensions import Look
from ontofetch_hookspecs.light_dataclasses import dataclass

from . import text
from .columns import Column, column_of
from .few_rows import FewRows, FewValues

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from ontofetch_hookspecs import Table

    Rows: TypeAlias = pl.DataFrame | pa.Table | FewRows

DOCUMENTS = ("details", "payload")  # JSON, which is for programs: data carry it, and what people read leaves it out
NOTHING = "nothing"


def cut(look: Look, name: str, frame: Rows, rows: int | None) -> Rows:
    """Return at most `rows` rows of a frame, the ones that matter most."""
    if rows is None or name in look.whole:
        return frame
    if name in look.split and len(frame):
        import pyarrow as pa

        return pa.concat_tables(group.slice(0, rows) for _, group in _groups(to_rows(frame), look.split[name]))
    found: Rows = frame.slice(max(len(frame) - rows, 0) if name in look.newest_last else 0, rows)
    return found


def to_rows(table: Table) -> pa.Table:
    """Return `table` as `encode.to_frame` does, in Arrow: times in UTC, whole decimals (DuckDB's sums) as int64."""
    import pyarrow as pa

    rows = _as_arrow(table)
    for number, field in enumerate(rows.schema):
        kind, column = field.type, rows.column(number)
        if pa.types.is_decimal(kind) and not kind.scale:
            column = column.cast(pa.int64())
        elif pa.types.is_timestamp(kind) and kind.unit != "us":
            column = column.cast(pa.timestamp("us", kind.tz or "UTC"), safe=False)
        elif pa.types.is_timestamp(kind) and kind.tz is None:
            # the same numbers; a cast would import all of Arrow's kernels for this
            utc = pa.timestamp("us", "UTC")
            column = pa.chunked_array([chunk.view(utc) for chunk in column.chunks], utc)
        if column.type != kind:
            rows = rows.set_column(number, field.with_type(column.type), column)
    return rows


def drawable(table: Table) -> pa.Table | FewRows:
    """Return `table` as it can be drawn: as it is where it is a few rows of Python, else as `to_rows` does."""
    return table if isinstance(table, FewRows) else to_rows(table)


def _as_arrow(table: Table) -> pa.Table:
    import pyarrow as pa

    if isinstance(table, FewRows):
        return table.as_arrow()
    if not hasattr(table, "to_arrow"):
        return pa.table(table)
    # a frame of Polars; Arrow's kernels know nothing yet of the views of texts that it would have by itself
    from polars import CompatLevel

    rows: pa.Table = table.to_arrow(compat_level=CompatLevel.oldest())
    return rows


@dataclass(frozen=True, slots=True)
class Part:
    """One frame as it is shown.

    Args:
        title: Its heading, if any.
        columns: Its columns; none if it has no rows.
        details: Columns that give way where the width is short, the last one first.
        record: Whether its rows are shown as `name value` lines.
        rest: Says how many rows are not shown, if any are not.
        nothing: Says why it has no rows, where it has none.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    details: tuple[str, ...]
    record: bool
    rest: str
    nothing: str = NOTHING


def arrange(
    frames: Mapping[str, Rows],
    look: Look,
    *,
    rows: int | None,
    exact: bool,
    totals: Mapping[str, int] | None = None,
) -> list[Part]:
    """Return what is shown of `frames`, in the order in which it is shown.

    Args:
        frames: Name → frame.
        look: Headings, order, what may go.
        rows: Most rows of each frame.
        exact: Whether sizes are shown in bytes instead of binary units.
        totals: Name → how many rows a frame had that was cut before.
    """
    names = [name for name in frames if name not in look.left_out]
    names.sort(key=lambda name: look.order.index(name) if name in look.order else len(look.order))
    lone = len(names) == 1
    parts: list[Part] = []
    for name in names:
        if name in look.split:
            parts += _split(name, to_rows(frames[name]), look, rows=rows, exact=exact, total=(totals or {}).get(name))
            continue
        shown = drawable(cut(look, name, frames[name], rows))
        total = (totals or {}).get(name, len(frames[name]))
        parts.append(_part(name, shown, look, exact=exact, lone=lone, total=total))
    return parts


def _split(
    name: str, table: pa.Table, look: Look, *, rows: int | None, exact: bool, total: int | None
) -> Iterator[Part]:
    """Yield a part for each value of the column by which a section is split, in the order of the rows."""
    column = look.split[name]
    title = look.titles.get(name, name.replace("_", " "))
    groups = list(_groups(table, column))
    for number, (value, group) in enumerate(groups, start=1):
        headings = {**look.headings.get(name, {}), **look.headings.get(f"{name} {value}", {})}
        own = replace(
            look, titles={**look.titles, name: f"{value} {title}"}, headings={**look.headings, name: headings}
        )
        # what is said of another value has no place here
        said = {each for each in group.column_names if group[each].null_count < len(group)}
        # nothing that stands after something tells that it is gone
        said |= {"after"} & set(group.column_names) if "before" in said else set()
        own_columns = [each for each in group.column_names if each in said and each != column]
        shown = (group if rows is None else group.slice(0, rows)).select(own_columns)
        part = _part(name, shown, own, exact=exact, lone=False, total=len(group))
        if number == len(groups) and total is not None and total > len(table):
            # cut before, so that it is not known of which of them
            rest = f"… and {total - len(table):,} more of all {title} (--top {total}, or --format json)"
            part = replace(part, rest=rest)
        yield part


def _groups(table: pa.Table, column: str) -> Iterator[tuple[object, pa.Table]]:
    """Yield each value of a column with its rows, in the order of the rows."""
    import pyarrow.compute as pc

    for value in pc.unique(table[column].combine_chunks().cast("string")).to_pylist():
        yield value, table.filter(pc.equal(table[column].cast("string"), value))


def _part(name: str, shown: pa.Table | FewRows, look: Look, *, exact: bool, lone: bool, total: int) -> Part:
    title = look.titles.get(name, "" if lone else name.replace("_", " "))
    details, headings = tuple(look.details.get(name, ())), look.headings.get(name, {})
    empty = [column for column in details if column in shown.column_names and shown[column].null_count == len(shown)]
    documents = [column for column in DOCUMENTS if column in shown.column_names and _holds_documents(shown[column])]
    hidden = [*look.hidden.get(name, ()), *empty, *documents]
    columns = [
        column_of(column, shown[column], headings.get(column, ""), exact=exact)
        for column in shown.column_names
        if len(shown) and column not in hidden
    ]
    which = "before" if name in look.newest_last else "more"
    left = total - len(shown)
    rest = f"… and {left:,} {which} (--top {total}, or --format json)" if left else ""
    nothing = text.safe_text(look.nothing.get(name, NOTHING))
    return Part(name, text.safe_text(title), tuple(columns), details, name in look.records, rest, nothing)


def _holds_documents(column: pa.ChunkedArray | FewValues) -> bool:
    """Say whether every value that is there is a JSON object; what a plugin calls `details` may be a sentence."""
    if isinstance(column, FewValues):
        return all(value is None or str(value).startswith("{") for value in column.values)
    from pyarrow import types

    if not types.is_string(column.type) and not types.is_large_string(column.type):
        return False
    import pyarrow.compute as pc

    return bool(pc.all(pc.starts_with(column, "{")).as_py())

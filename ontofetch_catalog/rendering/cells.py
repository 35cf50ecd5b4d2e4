"""How frames become cells for people: what is shown of them, how values read, which are signed or coloured.

It sees at most the rows that are shown, knows columns only by their dtype and by the words in their names, and does not
know whether a terminal, a page or a document will show them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ontofetch_hookspecs.extensions import Look

from . import text

if TYPE_CHECKING:
    import polars as pl

MIDNIGHT = "T00:00:00Z"  # a column of days is shown as days
FREE_TEXT = ("details", "payload", "help", "meaning", "command")
SENTENCES = ("reason", "message")  # for people: broken into lines rather than cut
SIGNED = ("net", "delta", "growth")
SHARES = ("share", "rate")
GOOD, CAREFUL, BAD = "green", "yellow", "red"
WORD_STYLES = {
    "ADDED": GOOD, "MODIFIED": CAREFUL, "RENAMED": "cyan", "REMOVED": BAD, "UNCHANGED": "dim",
    "FIXED": GOOD, "NEW": "cyan", "REGRESSED": BAD, "passed": GOOD, "failed": BAD, "error": BAD, "warning": CAREFUL,
}  # fmt: skip


def cut(look: Look, name: str, frame: pl.DataFrame, rows: int | None) -> pl.DataFrame:
    """Return at most `rows` rows of a frame, the ones that matter most."""
    if rows is None or name in look.whole:
        return frame
    if name in look.split:
        return frame.group_by(look.split[name], maintain_order=True).head(rows).select(frame.columns)
    return frame.tail(rows) if name in look.newest_last else frame.head(rows)


@dataclass(frozen=True, slots=True)
class Column:
    """One shown column.

    Args:
        name: Its name in the frame.
        heading: Its heading, a word or more a line.
        cells: What is shown.
        styles: Name of a colour, `dim` or nothing for each cell.
        right: Whether it is right-aligned.
        cut: What may be cut: `middle`, `end`, `time` (the seconds), nothing; `wrap` is broken into lines instead.
        foreign: What words from outside it has: `text` such as names of files, `label` such as formats, or nothing.
        width: Cells of a terminal it has.
    """

    name: str
    heading: tuple[str, ...]
    cells: tuple[str, ...]
    styles: tuple[str, ...]
    right: bool
    cut: str
    foreign: str = ""
    width: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One frame as it is shown.

    Args:
        name: Its name.
        title: Its heading, if any.
        columns: Its columns; none if it has no rows.
        details: Columns that give way where the width is short, the last one first.
        record: Whether its rows are shown as `name value` lines.
        rest: Says how many rows are not shown, if any are not.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    details: tuple[str, ...]
    record: bool
    rest: str


def arrange(
    frames: Mapping[str, pl.DataFrame],
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
    parts = []
    for name in names:
        if name in look.split:
            parts += _split(name, frames[name], look, rows=rows, exact=exact, total=(totals or {}).get(name))
            continue
        shown = cut(look, name, frames[name], rows)
        total = (totals or {}).get(name, frames[name].height)
        parts.append(_part(name, shown, look, exact=exact, lone=lone, total=total))
    return parts


def _split(
    name: str, frame: pl.DataFrame, look: Look, *, rows: int | None, exact: bool, total: int | None
) -> list[Part]:
    """Return a part for each value of the column by which a section is split, in the order of the rows."""
    column = look.split[name]
    title = look.titles.get(name, name.replace("_", " "))
    parts = []
    for value, group in frame.group_by(column, maintain_order=True):
        heading = f"{value[0]} {title}"
        own = replace(look, titles={**look.titles, name: heading})
        shown = cut(look, name, group, rows).drop(column)
        # what is said of another value has no place here
        shown = shown.select(each for each in shown.columns if shown[each].null_count() < shown.height)
        parts.append(_part(name, shown, own, exact=exact, lone=False, total=group.height))
    if parts and total is not None and total > frame.height:
        # cut before, so that it is not known of which of them
        rest = f"… and {total - frame.height:,} more of all {title} (--top {total}, or --format json)"
        parts[-1] = replace(parts[-1], rest=rest)
    return parts


def _part(name: str, shown: pl.DataFrame, look: Look, *, exact: bool, lone: bool, total: int) -> Part:
    title = look.titles.get(name, "" if lone else name.replace("_", " "))
    details, headings = tuple(look.details.get(name, ())), look.headings.get(name, {})
    empty = [column for column in details if column in shown.columns and shown[column].null_count() == shown.height]
    hidden = [*look.hidden.get(name, ()), *empty]
    columns = [
        _column(shown[column], headings.get(column, ""), exact=exact)
        for column in shown.columns
        if shown.height and column not in hidden
    ]
    which = "before" if name in look.newest_last else "more"
    left = total - shown.height
    rest = f"… and {left:,} {which} (--top {total}, or --format json)" if left else ""
    return Part(name, text.safe_text(title), tuple(columns), details, name in look.records, rest)


def _column(series: pl.Series, heading: str, *, exact: bool) -> Column:
    import polars as pl

    name, dtype = series.name, series.dtype
    words = name.split("_")
    signed = any(word in words for word in SIGNED)
    values: list[object] = series.cast(pl.String).to_list() if dtype == pl.Categorical else series.to_list()
    right, shortened = dtype.is_numeric(), ""
    if dtype.is_integer() and (words[-1] == "bytes" or words[0] in ("size", "bytes")) and not exact:
        words = words[:-1] if words[-1] == "bytes" and len(words) > 1 else ["size", *words[1:]]
        cells = [text.ABSENT if value is None else text.human_size(int(str(value)), signed=signed) for value in values]
    elif dtype.is_integer():
        cells = [
            text.ABSENT if value is None else text.whole_number(int(str(value)), signed=signed) for value in values
        ]
    else:
        cells = [_cell(value, share=words[-1] in SHARES) for value in values]
        shortened = _cut(words, dtype)
        if shortened == "time" and all(cell.endswith(MIDNIGHT) for cell in cells if cell != text.ABSENT):
            cells, shortened = [cell.removesuffix(MIDNIGHT) for cell in cells], ""
    styles = tuple(_style(value, name, signed=signed) for value in values)
    foreign = "text" if dtype == pl.String else "label" if dtype == pl.Categorical else ""
    return Column(name, (text.safe_text(heading or " ".join(words)),), tuple(cells), styles, right, shortened, foreign)


def _cut(words: list[str], dtype: pl.DataType) -> str:
    import polars as pl

    if dtype.is_temporal():
        return "time" if dtype.base_type() is pl.Datetime else ""
    if dtype.is_numeric():
        return ""
    if words[-1] in SENTENCES:
        return "wrap"
    return "end" if words[-1] in FREE_TEXT else "middle"


def _cell(value: object, *, share: bool) -> str:
    from datetime import date, datetime

    if value is None:
        return text.ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1%}" if share else f"{value:,.1f}"
    if isinstance(value, date | datetime):
        return text.utc_time(value)
    shown = text.safe_text(value)
    return shown[: text.HASH_SHOWN] if text.HASH.fullmatch(shown) else shown


def _style(value: object, name: str, *, signed: bool) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if signed and value:
            return GOOD if value > 0 else BAD
        return BAD if value and name.partition("_")[0] in ("failed", "failures", "regressed") else ""
    if name == "passed" and isinstance(value, bool):
        return GOOD if value else BAD
    return "dim" if value is None else WORD_STYLES.get(str(value), "")

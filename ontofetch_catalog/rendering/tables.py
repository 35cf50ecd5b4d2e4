"""Own the drawing of frames as tables that fit a width: which column gives way, what is signed, what is coloured.

It sees at most the rows that are shown, and knows columns only by their dtype and by the words in their names.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from . import text

if TYPE_CHECKING:
    import polars as pl

GAP = 2
NARROWEST = 12  # cells: a path cut further says nothing
MIDNIGHT = "T00:00:00Z"  # a column of days is shown as days
READABLE = 36  # cells: before a path is cut further, details give way
BRIEF_TIME = len("2026-01-02T03:04Z")
FREE_TEXT = ("reason", "details", "payload", "help", "meaning", "message", "command")
SIGNED = ("net", "delta", "growth")
SHARES = ("share", "rate")
GOOD, CAREFUL, BAD = "green", "yellow", "red"
WORD_STYLES = {
    "ADDED": GOOD, "MODIFIED": CAREFUL, "RENAMED": "cyan", "REMOVED": BAD, "UNCHANGED": "dim",
    "FIXED": GOOD, "NEW": "cyan", "REGRESSED": BAD, "passed": GOOD, "failed": BAD, "error": BAD, "warning": CAREFUL,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a table shows of frames beyond their rows; every key is the name of a frame.

    Args:
        titles: Headings; a lone frame has none unless it is named here.
        order: Frames that come first, in this order.
        records: Frames whose rows are shown as `name value` lines.
        details: Columns that give way where the width is short, the last one first.
        hidden: Columns that are left out.
        headings: Column → heading, where it is not the name of the column in words.
        left_out: Frames that are not shown.
        whole: Frames that are never cut to some rows.
        newest_last: Frames of which the last rows are shown, not the first.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    order: Sequence[str] = ()
    records: Collection[str] = ()
    details: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hidden: Mapping[str, Collection[str]] = field(default_factory=dict)
    headings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Collection[str] = ()
    whole: Collection[str] = ()
    newest_last: Collection[str] = ()

    def cut(self, name: str, frame: pl.DataFrame, rows: int | None) -> pl.DataFrame:
        """Return at most `rows` rows of a frame, the ones that matter most."""
        if rows is None or name in self.whole:
            return frame
        return frame.tail(rows) if name in self.newest_last else frame.head(rows)


@dataclass(frozen=True, slots=True)
class Column:
    """One drawn column: its heading, its cells and a style for each, whether it is right-aligned, what may be cut."""

    name: str
    heading: tuple[str, ...]
    cells: tuple[str, ...]
    styles: tuple[str, ...]
    right: bool
    cut: str  # "middle", "end", "time" (the seconds may go) or "" for never
    width: int = 0


def draw(
    frames: Mapping[str, pl.DataFrame], look: Look, *, rows: int | None, exact: bool, width: int, colour: bool
) -> str:
    """Return `frames` as text of lines of at most `width` cells.

    Args:
        frames: Name → frame.
        look: Headings, order, what may go.
        rows: Most rows of each frame; a line below says how many more there are.
        exact: Whether sizes are shown in bytes instead of binary units.
        width: Cells a line may have.
        colour: Whether there may be escape sequences for colours.
    """
    canvas = _Canvas(colour)
    names = [name for name in frames if name not in look.left_out]
    names.sort(key=lambda name: look.order.index(name) if name in look.order else len(look.order))
    for number, name in enumerate(names):
        if number:
            canvas.line()
        title = look.titles.get(name, name.replace("_", " ") if len(names) > 1 else "")
        if title:
            canvas.line((text.safe_text(title), "bold"))
        frame = frames[name]
        shown = look.cut(name, frame, rows)
        _draw_frame(canvas, name, shown, look, exact=exact, width=width)
        if frame.height > shown.height:
            which = "before" if name in look.newest_last else "more"
            more = f"… and {frame.height - shown.height:,} {which} (--top {frame.height}, or --format json)"
            canvas.line((more, "dim"))
    return canvas.text()


def _draw_frame(canvas: _Canvas, name: str, frame: pl.DataFrame, look: Look, *, exact: bool, width: int) -> None:
    if not frame.height:
        canvas.line(("nothing", "dim"))
        return
    details, headings = look.details.get(name, ()), look.headings.get(name, {})
    empty = [column for column in details if column in frame.columns and frame[column].null_count() == frame.height]
    hidden = [*look.hidden.get(name, ()), *empty]
    columns = [
        _column(frame[column], headings.get(column, ""), exact=exact)
        for column in frame.columns
        if column not in hidden
    ]
    if name in look.records:
        _draw_records(canvas, columns, width)
    else:
        _draw_grid(canvas, columns, details, width)


class _Canvas:
    """Collects lines of (text, style) and renders them, with or without colours."""

    def __init__(self, colour: bool) -> None:
        from rich.console import Console

        self._file = io.StringIO()
        self._console = Console(
            file=self._file,
            force_terminal=colour,
            color_system="standard" if colour else None,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
            legacy_windows=False,
        )

    def line(self, *parts: tuple[str, str]) -> None:
        from rich.text import Text

        line = Text(end="")
        for part, style in parts:
            line.append(part, style or None)
        line.rstrip()
        self._console.print(line)

    def text(self) -> str:
        return self._file.getvalue()


def _column(series: pl.Series, heading: str, *, exact: bool) -> Column:
    import polars as pl

    name, dtype = series.name, series.dtype
    words = name.split("_")
    signed = any(word in words for word in SIGNED)
    values: list[object] = series.cast(pl.String).to_list() if dtype == pl.Categorical else series.to_list()
    right, cut = dtype.is_numeric(), ""
    if dtype.is_integer() and (words[-1] == "bytes" or words[0] in ("size", "bytes")) and not exact:
        words = words[:-1] if words[-1] == "bytes" and len(words) > 1 else ["size", *words[1:]]
        cells = [text.ABSENT if value is None else text.human_size(int(str(value)), signed=signed) for value in values]
    elif dtype.is_integer():
        cells = [
            text.ABSENT if value is None else text.whole_number(int(str(value)), signed=signed) for value in values
        ]
    else:
        cells = [_cell(value, share=words[-1] in SHARES) for value in values]
        cut = _cut(words, dtype)
        if cut == "time" and all(cell.endswith(MIDNIGHT) for cell in cells if cell != text.ABSENT):
            cells, cut = [cell.removesuffix(MIDNIGHT) for cell in cells], ""
    styles = tuple(_style(value, name, signed=signed) for value in values)
    return Column(name, (heading or " ".join(words),), tuple(cells), styles, right, cut)


def _cut(words: list[str], dtype: pl.DataType) -> str:
    import polars as pl

    if dtype.is_temporal():
        return "time" if dtype.base_type() is pl.Datetime else ""
    if dtype.is_numeric():
        return ""
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


def _draw_grid(canvas: _Canvas, columns: list[Column], details: Sequence[str], width: int) -> None:
    fitted = None
    for left in range(len(details), -1, -1):
        fitted = _fit([column for column in columns if column.name not in details[left:]], width)
        if fitted is not None and all(column.width >= min(_measured(column).width, READABLE) for column in fitted):
            break
    if fitted is None:
        _draw_records(canvas, columns, width)
        return
    depth = max(len(column.heading) for column in fitted)
    gap = (" " * GAP, "")
    for level in range(depth):
        line = []
        for column in fitted:
            row = level - (depth - len(column.heading))
            word = column.heading[row] if row >= 0 else ""
            line += [(_pad(word, column), "bold"), gap]
        canvas.line(*line)
    canvas.line(*[part for column in fitted for part in (("─" * column.width, "dim"), gap)])
    for row in range(len(fitted[0].cells)):
        canvas.line(
            *[part for column in fitted for part in ((_pad(column.cells[row], column), column.styles[row]), gap)]
        )


def _pad(cell: str, column: Column) -> str:
    from rich.cells import cell_len

    if cell_len(cell) > column.width:
        cell = _shortened(cell, column.cut, column.width)
    blank = " " * (column.width - cell_len(cell))
    return blank + cell if column.right else cell + blank


def _shortened(cell: str, cut: str, width: int) -> str:
    if cut == "time":
        return cell[: BRIEF_TIME - 1] + "Z"
    return text.shorten_end(cell, width) if cut == "end" else text.shorten_middle(cell, width)


def _fit(columns: list[Column], width: int) -> list[Column] | None:
    """Return the columns with widths that fit into `width`, or None if none do."""
    room = width - GAP * (len(columns) - 1)
    natural = [_measured(column) for column in columns]
    if sum(column.width for column in natural) <= room:
        return natural
    stacked = [_measured(replace(column, heading=tuple(column.heading[0].split(" ")))) for column in columns]
    if sum(column.width for column in stacked) > room:
        stacked = [replace(column, width=BRIEF_TIME) if column.cut == "time" else column for column in stacked]
    elastic = {number: column.width for number, column in enumerate(stacked) if column.cut in ("middle", "end")}
    widths = _shrunk(elastic, room - sum(c.width for n, c in enumerate(stacked) if n not in elastic))
    if widths is None:
        return None
    return [replace(column, width=widths.get(number, column.width)) for number, column in enumerate(stacked)]


def _shrunk(widths: dict[int, int], room: int) -> dict[int, int] | None:
    """Return `widths` lowered to a common ceiling so that they sum to `room`; None if that is below NARROWEST."""
    if sum(widths.values()) <= room:
        return widths
    rest, share = room, 0
    order = sorted(widths, key=lambda number: widths[number])
    for place, number in enumerate(order):
        share = rest // (len(order) - place)
        if widths[number] > share:
            break
        rest -= widths[number]
    return {number: min(width, share) for number, width in widths.items()} if share >= NARROWEST else None


def _measured(column: Column) -> Column:
    from rich.cells import cell_len

    return replace(column, width=max(map(cell_len, (*column.heading, *column.cells))))


def _draw_records(canvas: _Canvas, columns: list[Column], width: int) -> None:
    """Draw each row as lines `name value`: for one wide row, and where a grid does not fit."""
    from rich.cells import cell_len

    names = max(cell_len(column.heading[0]) for column in columns)
    room = max(width - names - GAP, 1)
    for row in range(len(columns[0].cells)):
        if row:
            canvas.line()
        for column in columns:
            cell = column.cells[row]
            short = _shortened(cell, column.cut, room) if cell_len(cell) > room else cell
            canvas.line((column.heading[0].ljust(names + GAP), "bold"), (short, column.styles[row]))

"""The drawing of frames as tables of a terminal that fit a width: which column gives way, which is cut, which folded.

How single values read and which of them are shown is known to `cells`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from ontofetch_hookspecs.extensions import Look

from . import text
from .cells import arrange
from .columns import Column

if TYPE_CHECKING:
    from .cells import Rows

GAP = 2
NARROWEST = 12  # cells: a path cut further says nothing
READABLE = 36  # cells: before a path is cut further, details give way
BRIEF_TIME = len("2026-01-02T03:04Z")


def draw(
    frames: Mapping[str, Rows],
    look: Look,
    *,
    rows: int | None,
    exact: bool,
    width: int,
    colour: bool,
    totals: Mapping[str, int] | None = None,
) -> str:
    """Return `frames` as text of lines of at most `width` cells.

    Args:
        frames: Name → frame.
        look: Headings, order, what may go.
        rows: Most rows of each frame; a line below says how many more there are.
        exact: Whether sizes are shown in bytes instead of binary units.
        width: Cells a line may have.
        colour: Whether there may be escape sequences for colours.
        totals: Name → how many rows a frame had that was cut before.
    """
    # what draws colours takes longer to import than all else here
    canvas = _Coloured() if colour else _Canvas()
    for number, part in enumerate(arrange(frames, look, rows=rows, exact=exact, totals=totals)):
        if number:
            canvas.line()
        if part.title:
            canvas.line((part.title, "bold"))
        if part.record and part.columns:
            _draw_records(canvas, part.columns, width)
        elif part.columns:
            _draw_grid(canvas, part.columns, part.details, width)
        elif part.title:
            # below a heading it is an answer; alone it would only repeat that nothing was printed
            canvas.line((part.nothing, "dim"))
        if part.rest:
            canvas.line((part.rest, "dim"))
    return canvas.text()


class _Canvas:
    """Collects lines of (text, style), without their styles."""

    def __init__(self) -> None:
        self._file = io.StringIO()

    def line(self, *parts: tuple[str, str]) -> None:
        self._file.write("".join(part for part, _ in parts).rstrip() + "\n")

    def text(self) -> str:
        return self._file.getvalue()


class _Coloured(_Canvas):
    """Renders them with colours."""

    def __init__(self) -> None:
        from rich.console import Console

        super().__init__()
        self._console = Console(
            file=self._file,
            force_terminal=True,
            color_system="standard",
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


def _draw_grid(canvas: _Canvas, columns: Sequence[Column], details: Sequence[str], width: int) -> None:
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
        for cells in zip_longest(*(_lines(column.cells[row], column) for column in fitted), fillvalue=""):
            drawn = [(_pad(cell, column), column.styles[row]) for cell, column in zip(cells, fitted, strict=True)]
            canvas.line(*[part for cell in drawn for part in (cell, gap)])


def _lines(cell: str, column: Column) -> list[str]:
    """Return the lines of a cell: several where it may be broken and is too long."""
    from rich.cells import cell_len

    if column.cut not in ("wrap", "fold") or cell_len(cell) <= column.width:
        return [cell]
    if column.cut == "fold":
        return _folded(cell, column.width)
    from rich.console import Console
    from rich.text import Text

    return [line.plain.rstrip() for line in Text(cell).wrap(Console(width=column.width), column.width)]


def _folded(cell: str, width: int) -> list[str]:
    """Return a name in lines of at most `width` cells, broken behind a blank, a slash or a dash that is late enough.

    A blank comes first: it stands between the names of a list.
    """
    from rich.cells import cell_len, chop_cells

    lines = []
    while cell_len(cell) > width:
        most = len(chop_cells(cell, width)[0])
        blank, *others = (cell.rfind(mark, most // 2, most) + 1 for mark in " /-_")
        end = blank or max(others) or most
        lines.append(cell[:end].rstrip())
        cell = cell[end:]
    return [*lines, cell]


def _pad(cell: str, column: Column) -> str:
    from rich.cells import cell_len

    if cell_len(cell) > column.width:
        cell = _shortened(cell, column.cut, column.width)
    blank = " " * (column.width - cell_len(cell))
    return blank + cell if column.right else cell + blank


def _shortened(cell: str, cut: str, width: int) -> str:
    if cut == "time":
        return cell[: BRIEF_TIME - 1] + "Z"
    return text.shorten_end(cell, width)


def _fit(columns: list[Column], width: int) -> list[Column] | None:
    """Return the columns with widths that fit into `width`, or None if none do."""
    room = width - GAP * (len(columns) - 1)
    natural = [_measured(column) for column in columns]
    if sum(column.width for column in natural) <= room:
        return natural
    stacked = [_measured(replace(column, heading=tuple(column.heading[0].split(" ")))) for column in columns]
    if sum(column.width for column in stacked) > room:
        stacked = [replace(column, width=BRIEF_TIME) if column.cut == "time" else column for column in stacked]
    elastic = {number: column.width for number, column in enumerate(stacked) if column.cut in ("fold", "end", "wrap")}
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


def _draw_records(canvas: _Canvas, columns: Sequence[Column], width: int) -> None:
    """Draw each row as lines `name value`: for one wide row, and where a grid does not fit."""
    from rich.cells import cell_len

    names = max(cell_len(column.heading[0]) for column in columns)
    room = max(width - names - GAP, 1)
    for row in range(len(columns[0].cells)):
        if row:
            canvas.line()
        for column in columns:
            heading = column.heading[0].ljust(names + GAP)
            for cell in _lines(column.cells[row], replace(column, width=room)):
                short = _shortened(cell, column.cut, room) if cell_len(cell) > room else cell
                canvas.line((heading, "bold"), (short, column.styles[row]))
                heading = " " * len(heading)

"""Frames as Markdown tables, for issues, wikis and release notes, with foreign words that can't become markup.

How single values read and which of them are shown is known to `cells`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ontofetch_hookspecs.extensions import Look

from .cells import Part, arrange
from .columns import Column
from .text import ABSENT

if TYPE_CHECKING:
    from .cells import Rows

PUNCTUATION = re.compile(r"([\\`*_{}\[\]<>#|~&@!$])")
# a run of backslashes is looked at from its start only, or its length counts in the square
_BAR = re.compile(r"(?<!\\)(\\*)\|")
_PLAIN = re.compile(r"[A-Za-z0-9]+([ -][A-Za-z0-9]+)*")


def as_markdown(
    frames: Mapping[str, Rows],
    look: Look,
    *,
    rows: int | None = None,
    exact: bool = False,
    totals: Mapping[str, int] | None = None,
) -> str:
    """Return `frames` as headings and tables in GitHub's flavour of Markdown.

    Args:
        frames: Name → frame.
        look: Headings, order, what is left out.
        rows: Most rows of each frame; None for all.
        exact: Whether sizes are shown in bytes instead of binary units.
        totals: Name → how many rows a frame had that was cut before.
    """
    return "\n".join(_part(part) for part in arrange(frames, look, rows=rows, exact=exact, totals=totals))


def _part(part: Part) -> str:
    lines = [f"## {escape(part.title)}", ""] if part.title else []
    if not part.columns:
        lines += [escape(part.nothing)]
    elif part.record and len(part.columns[0].cells) == 1:
        lines += ["| | |", "|---|---|"]
        lines += [f"| {escape(column.heading[0])} | {_cell(column, 0)} |" for column in part.columns]
    else:
        lines += [_row([escape(column.heading[0]) for column in part.columns])]
        lines += [_row(["---:" if column.right else "---" for column in part.columns])]
        lines += [_row([_cell(column, at) for column in part.columns]) for at in range(len(part.columns[0].cells))]
    return "\n".join([*lines, *(["", part.rest] if part.rest else []), ""])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(column: Column, at: int) -> str:
    cell = column.cells[at]
    return code(cell) if column.foreign and cell != ABSENT and not _PLAIN.fullmatch(cell) else escape(cell)


def escape(text: str) -> str:
    """Return `text` with a backslash before all that Markdown takes for markup."""
    return PUNCTUATION.sub(r"\\\1", text)


def code(text: str) -> str:
    """Return `text` as a code span: nothing in it is markup, a link, an image or a mention."""
    if not text.strip():
        return "` `"
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    blank = " " if text[0] in " `" or text[-1] in " `" else ""
    # a table splits its row even inside code: at a bar that an even number of backslashes stands before
    return f"{fence}{blank}{_BAR.sub(_guard, text)}{blank}{fence}"


def _guard(found: re.Match[str]) -> str:
    return found[1] + ("\\" if len(found[1]) % 2 == 0 else "\\\\") + "|"

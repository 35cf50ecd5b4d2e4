"""Frames as one page of HTML that needs nothing else: its style is inside, and it loads nothing.

It runs nothing either, but for the search of a page that has one.

How single values read and which of them are shown is known to `cells`; pictures come in as SVG.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.extensions import Look

from . import fonts
from .cells import Part, arrange
from .columns import Column
from .palette import css_variables
from .text import safe_text

if TYPE_CHECKING:
    from .cells import Rows

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
# hides the rows of tables that lack one of the words; the one script of a page, allowed by its hash alone
SEARCH = """
const field = document.getElementById('search'), said = document.getElementById('hits');
const rows = [...document.querySelectorAll('div.wide tbody tr')].map(row => [row, row.textContent.toLowerCase()]);
field.addEventListener('input', () => {
  const words = field.value.toLowerCase().split(/\\s+/);
  let shown = 0;
  for (const [row, text] of rows) shown += !(row.hidden = !words.every(word => text.includes(word)));
  said.textContent = field.value.trim() ? `${shown} of ${rows.length} rows` : '';
});
"""
_SEARCH_FIELD = (
    '<p class="asked"><label>Search the tables <input id="search" type="search"></label>'
    ' <output id="hits"></output></p>'
)
STYLE = (
    css_variables()
    + """
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  max-width: 76rem; padding: 1.5rem 1.25rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .6rem; }
p.asked, p.rest, p.nothing { color: var(--soft); margin: .25rem 0; }
div.wide, figure { overflow-x: auto; } table { border-collapse: collapse; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: normal; }
th { font-weight: 600; color: var(--soft); vertical-align: bottom; } tbody tr:hover { background: var(--band); }
td { white-space: nowrap; } .number { text-align: right; font-variant-numeric: tabular-nums; }
tbody th { vertical-align: top; } tbody th + td, tbody th + td.number { text-align: left; white-space: normal; }
.foreign { font-family: ui-monospace, monospace; font-size: .9em; white-space: pre; }
.link { white-space: normal; overflow-wrap: anywhere; min-width: 10rem; }
.long { overflow-wrap: anywhere; white-space: pre-wrap; min-width: 14rem; }
.sentence { white-space: normal; overflow-wrap: anywhere; min-width: 16rem; }
.green { color: var(--green); } .red { color: var(--red); } .yellow { color: var(--yellow); }
.cyan { color: var(--cyan); } .dim { color: var(--soft); }
figure { margin: 1.5rem 0 0; color: var(--ink); }
figure svg { max-width: 100%; min-width: 32rem; height: auto; }
a { color: var(--plain); }
@media (max-width: 40rem) { body { padding: 1rem .75rem; } th, td { padding-right: .6rem; }
  .long, .sentence { min-width: 10rem; } }
"""
)


_LONG = 24  # letters: longer ones may be broken, but not into a column of crumbs


def as_page(
    frames: Mapping[str, Rows],
    look: Look,
    *,
    title: str,
    parameters: Mapping[str, object],
    pictures: Sequence[str] = (),
    rows: int | None = None,
    exact: bool = False,
    totals: Mapping[str, int] | None = None,
) -> str:
    """Return a whole document.

    Args:
        frames: Name → frame.
        look: Headings, order, what is left out.
        title: Of the page.
        parameters: What the frames answer.
        pictures: SVG, with text that is escaped already.
        rows: Most rows of each frame; None for all.
        exact: Whether sizes are shown in bytes instead of binary units.
        totals: Name → how many rows a frame had that was cut before.
    """
    policy = f"{POLICY}; script-src {hash_of(SEARCH)}" if look.search else POLICY
    asked = " · ".join(f"{word(name)} {word(_spell(value))}" for name, value in parameters.items() if _says(value))
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{word(title)}</title><style>{STYLE}{fonts.face() if pictures else ''}</style></head><body>",
            f"<main><h1>{word(title)}</h1>",
            f'<p class="asked">{asked}</p>',
            *([_SEARCH_FIELD] if look.search else []),
            # what is wider than the window is moved by the keyboard, too
            *(f'<figure tabindex="0">{picture}</figure>' for picture in pictures),
            *(section(part) for part in arrange(frames, look, rows=rows, exact=exact, totals=totals)),
            "</main>",
            *([f"<script>{SEARCH}</script>"] if look.search else []),
            "</body></html>\n",
        ]
    )


def as_fragment(frames: Mapping[str, Rows], look: Look, *, rows: int | None) -> str:
    """Return the tables alone, for a page that has a style of its own, such as a notebook's."""
    return "\n".join(["<div>", *(section(part) for part in arrange(frames, look, rows=rows, exact=False)), "</div>"])


def hash_of(text: str) -> str:
    """Return how a policy names a script or a sheet that is part of the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def word(value: object) -> str:
    """Return a value as text of HTML, with what a browser could obey or hide written as an escape."""
    return html.escape(safe_text(value))


def _says(value: object) -> bool:
    return value is not None and value is not False and value != []


def _spell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else "yes" if value is True else value


def section(part: Part, links: Sequence[str] = (), nothing: str = "") -> str:
    """Return one frame as HTML: a heading and a table, or a sentence where it has no rows.

    Args:
        part: The frame.
        links: Where the first cell of each row leads, a relative address; none: nowhere.
        nothing: Why there are no rows; None says what the part says.
    """
    title = f"<h2>{word(part.title)}</h2>" if part.title else ""
    if not part.columns:
        return f'{title}<p class="nothing">{word(nothing or part.nothing)}</p>'
    if part.record and len(part.columns[0].cells) == 1:
        rows = [
            f'<tr><th scope="row">{word(column.heading[0])}</th>{_cells(column)[0]}</tr>' for column in part.columns
        ]
        return f"{title}<table><tbody>{''.join(rows)}</tbody></table>"
    head = "".join(f'<th scope="col"{_class(column)}>{word(column.heading[0])}</th>' for column in part.columns)
    columns = [_cells(column) for column in part.columns]
    if links:
        columns[0] = _linked(part.columns[0], links)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
    rest = f'<p class="rest">{word(part.rest)}</p>' if part.rest else ""
    table = f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>"
    return f'{title}<div class="wide" tabindex="0">{table}</div>{rest}'


def _linked(column: Column, links: Sequence[str]) -> list[str]:
    named = zip(column.cells, links, strict=True)
    return [f'<td class="link"><a href="{html.escape(link)}">{word(cell)}</a></td>' for cell, link in named]


def _cells(column: Column) -> list[str]:
    # a class looks at all cells, and there are few styles
    classes = {style: _class(column, style, foreign=column.foreign == "text") for style in set(column.styles)}
    styled = zip(column.cells, column.styles, strict=True)
    return [f"<td{classes[style]}>{word(cell)}</td>" for cell, style in styled]


def _class(column: Column, style: str = "", *, foreign: bool = False) -> str:
    wrap = "sentence" if column.cut == "wrap" else "foreign" if foreign else ""
    long = "long" if foreign and any(len(cell) > _LONG for cell in column.cells) else ""
    names = " ".join(filter(None, ("number" if column.right else "", style, wrap, long)))
    return f' class="{names}"' if names else ""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontofetch_catalog.rendering import pages
from ontofetch_catalog.rendering.columns import Column
from ontofetch_catalog.rendering.pages import as_page
from ontofetch_hookspecs import Look

HOSTILE = [
    "</td><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "<img src=http://example.org/x onerror=alert(1)>",
    "\x1b]8;;http://example.org\x07",
    "\u202egnp.exe",
    "&amp;",
    "a\x00b\nc",
]


class Reader(HTMLParser):
    """Collects what a browser would see: the elements, their attributes, the text of cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.addresses: list[str] = []
        self.cells: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        self._inside = tag in ("td", "h1", "p")
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        """Note the text of a cell."""
        if self._inside and self.cells:
            self.cells[-1] += data


def page_of(*names: str) -> str:
    """Return a page over files of these names."""
    frame = pl.DataFrame({"relpath": list(names), "net_bytes": [-2048] * len(names)})
    return as_page({"files": frame}, Look(), title=names[0], parameters={"version": names[0], "last": None})


def test_a_page_is_whole_and_runs_nothing() -> None:
    """It loads nothing, has no script, forbids both, and shows rows with their sizes."""
    page = page_of("a.ttl")
    found = Reader(page)
    assert page.startswith("<!DOCTYPE html>")
    assert "default-src 'none'" in page
    assert not {"script", "link", "img", "iframe"} & found.tags
    assert found.addresses == []
    assert [cell.strip() for cell in found.cells] == ["a.ttl", "-2.0 KiB"]
    assert '<td class="number red">-2.0 KiB</td>' in page


def test_hostile_names_are_text() -> None:
    """No name becomes an element, an attribute or a control character; it reads as it is spelled elsewhere."""
    page = page_of(*HOSTILE)
    found = Reader(page)
    assert not {"script", "img"} & found.tags
    assert found.names <= {"lang", "charset", "http-equiv", "content", "name", "class", "scope", "tabindex"}
    assert [cell.strip() for cell in found.cells[::2]] == [
        "</td><script>alert(1)</script>",
        '" onmouseover="alert(1)',
        "<img src=http://example.org/x onerror=alert(1)>",
        "\\x1b]8;;http://example.org\\x07",
        "\\u202egnp.exe",
        "&amp;",
        "a\\x00b\\nc",
    ]


@given(st.text())
def test_no_text_leaves_its_place(text: str) -> None:
    """Any text stands in the page without a character that a browser obeys."""
    body = page_of(text or " ").replace("\n", "")
    assert body.isprintable()
    assert Reader(body).tags == Reader(page_of("a")).tags


def test_parameters_and_sections() -> None:
    """What was asked is said, absent parameters are not; a record is a table of names and values."""
    frames = {"rows": pl.DataFrame({"a": [1, 2]}), "sums": pl.DataFrame({"released": [date(2026, 1, 2)]})}
    look = Look(records=["sums"], titles={"rows": "the rows"})
    asked = {"versions": ["a/b/1", "a/b/2"], "last": None, "all": True}
    page = as_page(frames, look, title="t", parameters=asked, rows=1, pictures=["<svg></svg>"])
    assert "versions a/b/1, a/b/2 · all yes" in page
    assert "<h2>the rows</h2>" in page
    assert '<th scope="row">released</th><td>2026-01-02</td>' in page
    assert "… and 1 more" in page
    assert '<figure tabindex="0"><svg></svg></figure>' in page


@pytest.mark.parametrize("height", [3, 300])
def test_the_class_of_a_cell_is_found_once_a_column(height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a look at all cells of the column: for each cell, a page of n rows would take n times n looks."""
    asked: list[str] = []
    class_of = pages._class

    def watched(column: Column, style: str = "", *, foreign: bool = False) -> str:
        asked.append(column.name)
        return class_of(column, style, foreign=foreign)

    monkeypatch.setattr(pages, "_class", watched)
    page = page_of(*(f"a{at}.ttl" for at in range(height)))
    assert page.count("<td") == 2 * height
    # its heading, and the one style that there is
    assert sorted(asked) == ["net_bytes"] * 2 + ["relpath"] * 2

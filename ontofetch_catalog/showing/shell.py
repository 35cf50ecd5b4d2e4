"""What all pages of a site have in common: head, style, policy, the way to the others by relative addresses.

What a page is about is not known here. A page runs nothing but the script of the search, which the policy names by its
digest, and loads nothing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from urllib.parse import quote as percent

from ontofetch_hookspecs.light_dataclasses import dataclass

from ..rendering.pages import STYLE, hash_of, word

_OWN = """
header { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; border-bottom: 1px solid var(--line);
  padding-bottom: .6rem; margin-bottom: 1.25rem; } header strong { margin-right: auto; }
ul.plain { list-style: none; padding: 0; margin: .5rem 0; } ul.plain li { padding: .2rem 0; }
ul.formats { display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; list-style: none; padding: 0; margin: .4rem 0; }
svg.bar { display: block; width: 100%; max-width: 40rem; height: .9rem; } svg.key { width: .8em; height: .8em; }
label { display: block; color: var(--soft); } input { font: inherit; padding: .4rem .6rem; width: 100%;
  max-width: 32rem; box-sizing: border-box; color: var(--ink); background: var(--band);
  border: 1px solid var(--soft); border-radius: 4px; }
footer { color: var(--soft); margin-top: 3rem; font-size: .9em; }
"""
SHEET = STYLE + _OWN
INDEX, HEALTH, SEARCH = "index.html", "health.html", "search.html"
_MENU = ((INDEX, "Series"), (HEALTH, "Health"), (SEARCH, "Search"))


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Args:
        path: Below the site, POSIX, not yet spelled for an address.
        title: Of the page.
        parts: HTML, escaped already.
        crumbs: (path, words) of the pages above it.
        script: What it runs, text of ours alone.
        feed: Path of its feed; empty for none.
    """

    path: str
    title: str
    parts: Sequence[str]
    crumbs: Sequence[tuple[str, str]] = ()
    script: str = ""
    feed: str = ""


def series_path(series: str) -> str:
    """Return the path of the page of a series."""
    return f"series/{series}/index.html"


def feed_path(series: str) -> str:
    """Return the path of the feed of a series."""
    return f"series/{series}/feed.xml"


def release_path(version_id: str) -> str:
    """Return the path of the page of a release; no version can take the name of another page."""
    series, _, version = version_id.rpartition("/")
    return f"series/{series}/releases/{version}.html"


def address(target: str, source: str = "") -> str:
    """Return the relative address of the page `target` on the page `source`."""
    return percent(posixpath.relpath(target, posixpath.dirname(source) or "."), safe="/")


def link(target: str, source: str, words: object) -> str:
    """Return a link from the page `source` to the page `target`."""
    return f'<a href="{address(target, source)}">{word(words)}</a>'


def render(page: Page, name: str) -> bytes:
    """Return a page of a site of this name."""
    here = ' aria-current="page"'
    menu = [
        f'<a href="{address(path, page.path)}"{here if path == page.path else ""}>{words}</a>' for path, words in _MENU
    ]
    above = " / ".join(link(path, page.path, words) for path, words in page.crumbs)
    title = name if page.path == INDEX else f"{page.title} · {name}"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(page.script)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{word(title)}</title><style>{SHEET}</style>",
        _feed_link(page),
        "</head><body>",
        f'<header><strong>{word(name)}</strong><nav aria-label="site">{" · ".join(menu)}</nav></header>',
        f"<main>{_crumbs(above)}<h1>{word(page.title)}</h1>",
        *page.parts,
        "</main>",
        "<footer>Written by ontofetch. What the catalog has recorded; times are UTC.</footer>",
        f"<script>{page.script}</script>" if page.script else "",
        "</body></html>\n",
    ]
    return "\n".join(filter(None, lines)).encode()


def _crumbs(above: str) -> str:
    return f'<nav aria-label="above">{above}</nav>' if above else ""


def _feed_link(page: Page) -> str:
    if not page.feed:
        return ""
    return f'<link rel="alternate" type="application/atom+xml" href="{address(page.feed, page.path)}">'


def _policy(script: str) -> str:
    allowed = [f"style-src {hash_of(SHEET)}", "form-action 'none'", "base-uri 'none'"]
    return "; ".join(["default-src 'none'", *allowed, *([f"script-src {hash_of(script)}"] if script else [])])


def items(lines: Iterable[str], kind: str = "plain") -> str:
    """Return a list of lines of HTML."""
    return f'<ul class="{kind}">{"".join(f"<li>{line}</li>" for line in lines)}</ul>'

"""A static site of a catalog: which pages it has. The same rows make the same bytes; no page says when it was made."""

from __future__ import annotations

from collections.abc import Iterator

from . import feed, overview, release_page
from .rows import Catalogue
from .shell import feed_path, release_path, render, series_path


def page_names(catalogue: Catalogue) -> list[str]:
    """Return the paths of all files of the site, in the order in which `pages` makes them."""
    names = []
    for series, releases in catalogue.series.items():
        names += [release_path(release.version_id) for release in releases]
        names += [series_path(series), feed_path(series)]
    return [*names, "health.html", "search.html", "index.html"]


def pages(catalogue: Catalogue, name: str, base: str) -> Iterator[tuple[str, bytes]]:
    """Yield (path, bytes) of all files, what others lead to first.

    Args:
        catalogue: All rows.
        name: Of the site.
        base: Its address, with a `/` at its end; empty: the feeds' addresses are relative.
    """
    for series, releases in catalogue.series.items():
        later = [release.version_id for release in releases[1:]]
        for release, after in zip(releases, [*later, None], strict=True):
            page = release_page.make(release, after)
            yield page.path, render(page, name)
        page = overview.series_page(series, releases)
        yield page.path, render(page, name)
        yield feed_path(series), feed.make(series, releases, name, base)
    for page in (overview.health(catalogue), overview.search(catalogue), overview.index(catalogue)):
        yield page.path, render(page, name)

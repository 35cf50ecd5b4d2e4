"""The pages over many releases: all series, one series, health, search."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from ontofetch_hookspecs.extensions import Look

from ..rendering.cells import arrange
from ..rendering.pages import section, word
from ..rendering.text import human_size, safe_text, utc_time
from .release_page import format_bar
from .rows import Catalogue, Release
from .shell import HEALTH, INDEX, SEARCH, Page, address, feed_path, link, release_path, series_path

_HEADINGS = {"created_at": "recorded", "size_bytes": "size", "is_latest": "latest"}
_COUNTS = ("added", "removed", "modified", "renamed")
_LABEL = (
    '<label for="words">Words of a series, a release, an artifact, a format, a checksum, or a state such as failing,'
    " incomplete or latest</label>"
)
SCRIPT = """
(() => {
  const rows = JSON.parse(document.getElementById("rows").textContent);
  const field = document.getElementById("words"), list = document.getElementById("found");
  const count = document.getElementById("count"), most = 200;
  const show = () => {
    const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const found = words.length ? rows.filter(row => words.every(word => row[2].includes(word))) : [];
    list.replaceChildren(...found.slice(0, most).map(row => {
      const item = document.createElement("li"), link = document.createElement("a");
      link.href = row[0]; link.textContent = row[1];
      item.append(link, " " + row[3]);
      return item;
    }));
    count.textContent = !words.length ? "" : !found.length ? "Nothing has all of these words." :
      found.length + " found" + (found.length > most ? ", the first " + most + " are shown" : "");
  };
  field.addEventListener("input", show);
  field.value = decodeURIComponent((location.hash || "#").slice(1));
  show();
})();
"""


def index(catalogue: Catalogue) -> Page:
    """Return the first page: a row per series, with its newest release and the one that is latest."""
    rows = []
    for series, releases in catalogue.series.items():
        newest, latest = releases[-1], next((one for one in releases if one.facts["is_latest"]), None)
        rows.append(
            {
                "series": series,
                "newest": newest.version,
                "latest": latest.version if latest else None,
                "releases": len(releases),
                "files": newest.facts["files"],
                "size_bytes": newest.facts["size_bytes"],
                "failed": newest.facts["failed"],
                "not_judged": newest.facts["not_judged"],
                "created_at": newest.facts["created_at"],
            }
        )
    known = catalogue.releases
    total = human_size(int(known["size_bytes"].sum())) if known.height else "0 B"
    words = f"{len(rows):,} series, {known.height:,} releases, {total} of files."
    asked = "files, sizes and results are those of the newest release of a series"
    links = [address(series_path(series)) for series in catalogue.series]
    parts = [f'<p class="asked">{word(words)} In the table, {asked}.</p>' if rows else ""]
    parts.append(_table("series", pl.DataFrame(rows, infer_schema_length=None), "No release is recorded yet.", links))
    return Page(INDEX, "Series", parts)


def series_page(series: str, releases: Sequence[Release]) -> Page:
    """Return the page of a series: its releases, the newest first, each with what changed since the one before."""
    path = series_path(series)
    rows = [_release_row(release) for release in reversed(releases)]
    links = [address(release_path(release.version_id), path) for release in reversed(releases)]
    latest = next((one for one in releases if one.facts["is_latest"]), None)
    state = (
        f"latest is {link(release_path(latest.version_id), path, latest.version)}" if latest else "latest is not set"
    )
    feed = f'<a href="{address(feed_path(series), path)}">feed of new releases</a>'
    shown = latest or releases[-1]
    formats = shown.rows.get("formats")
    parts = [f'<p class="asked">{len(releases):,} releases, {state} · {feed}</p>']
    if formats is not None:
        parts += [f"<h2>Formats of {word(shown.version)}</h2>", *format_bar(formats)]
    parts += ["<h2>Releases, the newest first</h2>"]
    parts.append(_table("releases", pl.DataFrame(rows, infer_schema_length=None), "", links))
    return Page(path, series, parts, feed=feed_path(series))


def _release_row(release: Release) -> dict[str, object]:
    facts, sums = release.facts, release.rows.get("sums")
    changed = sums.row(0, named=True) if sums is not None else {}
    row: dict[str, object] = {"version": release.version, "released": facts["released"]}
    row |= {name: facts[name] for name in ("created_at", "is_latest", "files", "size_bytes", "failed", "not_judged")}
    nothing = 0 if release.previous else None
    return row | {name: changed.get(name, nothing) for name in _COUNTS}


def health(catalogue: Catalogue) -> Page:
    """Return what needs somebody's eye, as the catalog has it recorded."""
    known = catalogue.releases
    columns = ("version_id", "files", "failed", "not_judged", "not_validated", "created_at")
    lists = (
        ("Releases with failing files", pl.col("failed") > 0, "No file of any release failed."),
        ("Incomplete releases", pl.col("incomplete"), "Every artifact was unpacked."),
        (
            "Releases that no validator has judged",
            (pl.col("passed") + pl.col("failed") == 0) & (pl.col("files") > 0),
            "Every release with files was judged.",
        ),
        (
            "Releases whose files were not checked against their checksums since they were recorded",
            pl.col("last_verified").is_null() & (pl.col("files") > 0),
            "All files were checked once.",
        ),
    )
    note = "What the catalog has recorded; the files themselves were not looked at for this page."
    parts = [f'<p class="asked">{note}</p>']
    without = [name for name, all_of in catalogue.series.items() if not any(one.facts["is_latest"] for one in all_of)]
    parts.append("<h2>Series without a latest release</h2>")
    frame = pl.DataFrame({"series": without}, schema={"series": pl.String})
    links = [address(series_path(name)) for name in without]
    parts.append(_table("series", frame, "Every series has a latest release." if known.height else _NONE, links))
    for title, condition, nothing in lists:
        rows = known.filter(condition).select(columns).sort("created_at", "version_id", descending=[True, False])
        links = [address(release_path(str(name))) for name in rows["version_id"]]
        parts += [f"<h2>{word(title)} ({rows.height:,})</h2>"]
        parts.append(_table("releases", rows, nothing if known.height else _NONE, links))
    return Page(HEALTH, "Health", parts)


_NONE = "No release is recorded yet."


def search(catalogue: Catalogue) -> Page:
    """Return the page that finds series, releases and artifacts by their words; it holds all that it looks through."""
    rows: list[tuple[str, str, str, str]] = []
    for series, releases in catalogue.series.items():
        rows.append((address(series_path(series)), series, series.lower(), f"series of {len(releases):,}"))
        rows += [_search_row(release) for release in reversed(releases)]
    data = json.dumps(rows, separators=(",", ":")).replace("<", "\\u003c")
    parts = [
        _LABEL,
        '<input id="words" type="search" autocomplete="off">',
        '<p id="count" class="asked" role="status"></p><ul id="found" class="plain"></ul>',
        "<noscript><p>The search needs JavaScript; the lists of the other pages do without.</p></noscript>",
        f'<script type="application/json" id="rows">{data}</script>',
    ]
    return Page(SEARCH, "Search", parts, script=SCRIPT)


def _search_row(release: Release) -> tuple[str, str, str, str]:
    facts = release.facts
    states = [
        words
        for words, holds in (
            ("latest", facts["is_latest"]), ("failing", facts["failed"]), ("incomplete", facts["incomplete"]),
            ("pinned", facts["pinned"]),
        )
        if holds
    ]  # fmt: skip
    words = [release.version_id, *states, str(facts["released"] or ""), str(facts["title"] or "")]
    if "artifacts" in release.rows:
        words += [*release.rows["artifacts"]["relpath"], *release.rows["artifacts"]["artifact_id"]]
    if "formats" in release.rows:
        words += release.rows["formats"]["format"].to_list()
    when = utc_time(facts["created_at"])  # type: ignore[arg-type] # a column of times
    shown = ", ".join([f"recorded {when[:10]}", f"{facts['files']:,} files", *states])
    path = address(release_path(release.version_id))
    return path, release.version_id, safe_text(" ".join(map(str, words))).lower(), shown


def _table(name: str, frame: pl.DataFrame, nothing: str, links: Sequence[str]) -> str:
    look = Look(
        headings={name: _HEADINGS},
        nothing={name: nothing},
        titles={name: ""},
        details={name: ["released", "latest", "created_at"]},
    )
    return section(arrange({name: frame}, look, rows=None, exact=False)[0], links)

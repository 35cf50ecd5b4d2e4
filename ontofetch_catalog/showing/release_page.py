"""The page of a release: what it is, where it came from, what changed, how it was validated, what it holds.

`changes_of` is the one place where what changed since the release before is put together.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ontofetch_hookspecs.extensions import Look

from ..rendering.cells import arrange
from ..rendering.pages import section, word
from ..rendering.palette import format_colours
from ..rendering.text import human_size
from .rows import MOST_FAILURES, MOST_FILES, Release
from .shell import Page, feed_path, items, link, release_path, series_path

_HEADINGS: Mapping[str, Mapping[str, str]] = {
    "release": {"is_latest": "latest", "latest_set_at": "latest since", "created_at": "recorded", "size_bytes": "size"},
    "artifacts": {"artifact_id": "sha256", "relpath": "artifact", "sources": "from"},
    "changes": {"previous_relpath": "was", "relpath": "file"},
    "largest": {"relpath": "file"},
    "failures": {"relpath": "file"},
}
_SHORT = ("change", "format", "validator")  # words of ours, which are not broken
_SOMETIMES = {  # columns that are left out where no row has something
    "release": ["released", "latest_set_at", "last_verified", "title", "licence", "version_iri"],
    "artifacts": ["content_type", "verified_at", "sources"],
    "changes": ["previous_relpath"],
    "failures": ["line"],
}
_COUNTS = ("added", "removed", "modified", "renamed")
_TERMS = {"terms_added": "added", "terms_removed": "removed", "obsoleted": "made obsolete"}
_TEXT = 4000  # characters of a value in a page: more than any path, fewer than a list of mirrors may have


def make(release: Release, later: str | None) -> Page:
    """Return the page of a release.

    Args:
        release: It.
        later: The release after it in its series, None for the newest.
    """
    path = release_path(release.version_id)
    ways = [link(release_path(name), path, f"{words} {name.rpartition('/')[2]}") for name, words in (
        (release.previous, "before it:"), (later, "after it:")) if name]  # fmt: skip
    parts = [
        f'<p class="asked">{" · ".join(ways)}</p>' if ways else "",
        _facts(release),
        _table(release, "artifacts", "Artifacts", "No artifact is recorded."),
        *changes_of(release, path),
        *_validation(release),
        *_formats(release),
        _table(
            release, "largest", f"Largest files ({MOST_FILES} at most)", "Nothing was unpacked.", total=_files(release)
        ),
    ]
    crumbs = [(series_path(release.series), release.series)]
    return Page(path, release.version_id, [part for part in parts if part], crumbs, feed=feed_path(release.series))


def changes_of(release: Release, path: str) -> list[str]:
    """Return what changed since the release before, as parts of the page at `path`.

    Whatever else can be said of a change than its files (terms that came and went, say) is one more part here.
    """
    title = "<h2>Changes</h2>"
    if release.previous is None:
        return [title, '<p class="nothing">It is the first release of its series: there is nothing to compare.</p>']
    before = link(release_path(release.previous), path, release.previous.rpartition("/")[2])
    sums = release.rows.get("sums")
    if sums is None:
        # equal bytes say the same
        return [title, f'<p class="nothing">All files are those of {before}.</p>']
    row = sums.row(0, named=True)
    counts = ", ".join(f"{row[name]:,} {name}" for name in _COUNTS if row[name])
    net = row["added_bytes"] - row["removed_bytes"] + row["modified_delta_bytes"]
    churn = f", {human_size(row['churn_bytes'])} rewritten" if row["churn_bytes"] else ""
    size = human_size(net, signed=True)
    note = f"<p>Against {before}: {word(counts)}; {word(size)} net{word(churn)}.</p>"
    return [title, note, _meaning(release), _table(release, "changes", "", "")]


def _meaning(release: Release) -> str:
    """Return the sentence about terms that came and went; nothing where it is not known what the files say."""
    found = release.rows.get("meaning")
    if found is None:
        return ""
    counts = found.row(0, named=True)
    told = [f"{count:,} {words}" for name, words in _TERMS.items() if (count := counts[name])]
    return f"<p>Terms: {word(', '.join(told) or 'none added, removed or made obsolete')}.</p>"


def _facts(release: Release) -> str:
    facts = {name: [value] for name, value in release.facts.items() if name not in ("version_id", "slot", "previous")}
    frame = pl.DataFrame(facts).select("title", "licence", "version_iri", pl.exclude("title", "licence", "version_iri"))
    look = Look(records=["release"], headings=_HEADINGS, details=_SOMETIMES)
    return section(arrange({"release": frame}, look, rows=None, exact=False)[0])


def _table(release: Release, name: str, title: str, nothing: str, *, total: int | None = None) -> str:
    """Return the rows of one kind; a column `total`, or the argument, says how many there are."""
    frame = release.rows.get(name, pl.DataFrame())
    if "total" in frame.columns:
        total, frame = int(frame["total"][0]), frame.drop("total")
    if "artifact_id" in frame.columns:
        # whole, for it is what a reader compares: arrange() shows the start of a hash
        frame = frame.with_columns(pl.concat_str(pl.lit("sha256:"), "artifact_id").alias("artifact_id"))
    words = [column for column, dtype in frame.schema.items() if dtype == pl.String]
    frame = frame.with_columns(pl.col(words).str.slice(0, _TEXT))
    frame = frame.with_columns(pl.col(column).cast(pl.Categorical) for column in _SHORT if column in frame.columns)
    look = Look(titles={name: title}, headings=_HEADINGS, nothing={name: nothing}, details=_SOMETIMES)
    part = arrange({name: frame}, look, rows=None, exact=False)[0]
    left = (total or 0) - frame.height
    rest = f'<p class="rest">{left:,} more are not shown.</p>' if left > 0 else ""
    return section(part) + rest


def _files(release: Release) -> int:
    return int(str(release.facts["files"]))


def _validation(release: Release) -> list[str]:
    if "results" not in release.rows:
        return ["<h2>Validation</h2>", '<p class="nothing">No validator has looked at it.</p>']
    if "failures" in release.rows:
        return [
            _table(release, "results", "Validation", ""),
            _table(release, "failures", f"Failures ({MOST_FAILURES} at most)", ""),
        ]
    judged = int(release.rows["results"]["passed"].sum())
    word_of = "Nothing failed." if judged else "Nothing was judged."
    return [_table(release, "results", "Validation", ""), f'<p class="nothing">{word_of}</p>']


def _formats(release: Release) -> list[str]:
    frame = release.rows.get("formats")
    if frame is None:
        return []
    return ["<h2>Formats</h2>", *format_bar(frame), _table(release, "formats", "", "")]


def format_bar(frame: pl.DataFrame) -> list[str]:
    """Return format, size_bytes as one bar with its key, the largest first."""
    rows = frame.filter(pl.col("size_bytes") > 0)
    total = int(rows["size_bytes"].sum())
    if not total:
        return []
    names, sizes = rows["format"].to_list(), rows["size_bytes"].to_list()
    colours = format_colours(names)
    at, rects, key = 0.0, [], []
    for name, size, colour in zip(names, sizes, colours, strict=True):
        width = 1000 * size / total
        rects.append(f'<rect x="{at:.2f}" width="{width:.2f}" height="10" fill="{colour}"/>')
        square = (
            f'<svg class="key" viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1" fill="{colour}"/></svg>'
        )
        key.append(f"{square} {word(name)} {size / total:.0%}")
        at += width
    bar = '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="bytes by format">'
    return [f"{bar}{''.join(rects)}</svg>", items(key, "formats")]

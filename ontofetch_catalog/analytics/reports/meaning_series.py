"""The report `meaning` over a series: its columns, its chart, and which rows it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from ...errors import CatalogUnreadable, UsageError
from ...rendering.palette import term_change_colours
from .. import columns as c
from .. import drawing as d
from .. import fields as f
from ..bare_rows import CHANGE
from ..collect import collect
from ..fields import INT, TEXT, TIME, Contract, Field, Section
from ..lists import read_words
from ..results import ReportResult
from ..sources import CatalogLike
from ..terms.chosen import WORD
from ..terms.steps import NOT_COMPARED, Steps
from ..terms.tables import TABLE_PATH
from .common import MOST_ROWS, Releases, make_result, times_told

if TYPE_CHECKING:
    import altair as alt

_KIND = "kind"
_NULL = "; null where there is no release before, or where some changed files are not compared"
_COUNTS = tuple(Field(name, INT, f"terms with the change `{name}`{_NULL}", detail=2) for name in c.TERM_CHANGES)

HISTORY = Section(
    "timeline",
    "meaning release by release",
    (
        f.VERSION,
        Field(c.RELEASE_TIME, TIME, "its release date if all of the series have one, else when it was recorded",
              "released", 3),
        Field(c.TERMS, INT, "terms of all its files; a term counts in each file", detail=1),
        *_COUNTS,
        Field(c.TRIPLES_ADDED, INT, f"statements that came with it{_NULL}", detail=1),
        Field(c.TRIPLES_REMOVED, INT, f"statements that went with it{_NULL}", detail=1),
        Field(NOT_COMPARED, INT, "pairs of files that differ and whose terms are not compared", "not compared", 4),
    ),
    newest_last=True,
)  # fmt: skip


def draw(result: Mapping[str, pl.DataFrame], parameters: Mapping[str, object]) -> list[d.Drawn]:
    """Return how many terms have each change, release by release."""
    import altair as alt

    rows = d.short_versions(next(iter(result.values())))
    if rows.is_empty():
        return []
    names: alt.X = d.release_axis(list(rows[d.LABEL]))
    counted = rows.select(d.LABEL, *c.TERM_CHANGES).unpivot(index=d.LABEL, variable_name=_KIND, value_name=c.TERMS)
    shown = counted.filter(pl.col(c.TERMS) > 0)
    if shown.is_empty():
        return []
    there = [kind for kind in c.TERM_CHANGES if kind in set(shown[_KIND])]
    scale = alt.Scale(domain=there, range=term_change_colours(there))
    colours = alt.Color(f"{_KIND}:N", title=None, sort=there, scale=scale)
    hints = [alt.Tooltip(f"{name}:N") for name in (d.LABEL, _KIND, c.TERMS)]
    title = str(parameters.get("title", "Changed terms, release by release"))
    chart = alt.Chart(d.data_of(shown), title=title, width=d.WIDTH, height=240)
    return [chart.mark_bar().encode(x=names, y=alt.Y(f"{c.TERMS}:Q", title="terms"), color=colours, tooltip=hints)]


GROUP = Field("group", TEXT, "kind, or prefix or namespace")
UNKNOWN = Section(
    "unknown", "terms of the list that no file has", (Field(WORD, TEXT, "as the list has it"),), quiet=True
)
_CHANGED = Field(c.TERMS, INT, "terms with that change")
MEANING_SERIES = Contract(
    "meaning",
    (
        HISTORY,
        Section(
            "groups",
            "changed terms by group, release by release",
            (
                f.VERSION,
                GROUP,
                Field(c.TERMS, INT, "changed terms"),
                *(Field(name, INT, f"terms with the change `{name}`", detail=2) for name in c.TERM_CHANGES),
            ),
            newest_last=True,
        ),
        Section(
            "kinds",
            "what changed, release by release",
            (f.VERSION, Field(c.CHANGE, CHANGE, "what became of terms"), _CHANGED),
            newest_last=True,
        ),
        UNKNOWN,
    ),
    draw=draw,
)


def refuse_releases(given: Mapping[str, str | None]) -> None:
    """Refuse options that name releases, or files of them, beside a whole series; `given`: option → what it says.

    Raises:
        UsageError: One of them says something.
    """
    named = [option for option, value in given.items() if value is not None]
    if named:
        raise UsageError(
            "Counts over a series are about all its releases.",
            subject="--series",
            hint=f"Leave out {', '.join(named)}, or --series.",
        )


def meaning_series(
    catalog: CatalogLike, series: str, *, last: int | None, under: str | None, mine: str | None, by: str
) -> ReportResult:
    """Return how many terms changed from release to release of a series.

    Args:
        catalog: The catalog.
        series: The series.
        last: Only that many of its newest releases; None for all.
        under: Only a term and those below it in one of the releases, or a namespace.
        mine: Only the terms of this list.
        by: What the main frame is about: `term` for the releases, `kind`, `prefix` or `change`.

    Raises:
        VersionUnknown, AmbiguousVersion: `series` means none or several.
        UsageError: The list or the term is unknown, or nothing is known of what files say.
    """
    words = None if mine is None else read_words(mine)
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader, Releases.DATES)
        slot = reader.resolve_series(series)
        if not reader.knows_facts():
            raise reader.nothing_known(slot)
        own = releases.series(slot)
        steps = Steps(catalog, reader, own.tail(last) if last else own, under, words)
        frames = {"timeline": steps.counts(), **steps.by(by)}
    frames = {by_name: frames[by_name] for by_name in sorted(frames, key=lambda name: name not in _MAIN.get(by, ()))}
    asked = {"series": slot, "last": last, "terms_under": under, "mine": mine, "by": by}
    result = make_result(catalog, MEANING_SERIES, frames, asked, held=True)
    return replace(result, headings={"timeline": {c.RELEASE_TIME: times_told(own)}})


_MAIN = {c.KIND: ("groups",), c.PREFIX: ("groups",), c.CHANGE: ("kinds",)}


_PAST = 12  # releases of which a picture tells that nobody asked for
_PAST_BYTES = 64 << 20  # of their tables of terms


def recent_counts(catalog: CatalogLike, version_id: str) -> tuple[pl.DataFrame, str]:
    """Return the columns of HISTORY for the releases that end with one, and a title that says which are left out.

    At most some releases, as many as are quickly read; none where these are less than three, or a table is lost.
    """
    nothing = pl.DataFrame(schema={c.VERSION_ID: pl.String()})
    try:
        with catalog.source.open() as reader:
            releases = Releases(catalog, reader, Releases.DATES)
            every = releases.up_to(version_id, MOST_ROWS)
            last = every.tail(_PAST)
            known = collect({"facts": reader.facts(last[c.VERSION_ID].to_list())}, catalog.tell, held=True)["facts"]
            sizes = known.unique([c.VERSION_ID, TABLE_PATH]).group_by(c.VERSION_ID).agg(pl.col(c.TABLE_BYTES).sum())
            read = last.join(sizes, on=c.VERSION_ID, how="left", maintain_order="left").with_columns(
                pl.col(c.TABLE_BYTES).fill_null(0).cum_sum(reverse=True)
            )
            chosen = last.tail(len(read.filter(pl.col(c.TABLE_BYTES) <= _PAST_BYTES)))
            if len(chosen) < 3:
                return nothing, ""
            counts = Steps(catalog, reader, chosen).counts()
            found = collect({"past": counts}, catalog.tell, held=True)["past"]
    except CatalogUnreadable:
        return nothing, ""
    which = (
        f" (the last {len(chosen)} of {len(every)} releases; --last N shows others)" if len(chosen) < len(every) else ""
    )
    return found, f"Changed terms, release by release{which}"

"""The report `meaning` over a series: its columns, its chart, and which rows it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from ...errors import CatalogUnreadable, UsageError
from ...rendering.palette import term_change_colours
from .. import columns as c
from .. import drawing as d
from .. import fields as f
from ..collect import collect
from ..comparison import Comparison
from ..errors_of_facts import nothing_known
from ..fields import INT, TIME, Contract, Field, Section
from ..polars_pipelines import meaning as pipelines
from ..polars_pipelines import pairing
from ..polars_pipelines.timeline import release_times
from ..results import ReportResult
from ..sources import CatalogLike, Reader
from .common import Releases, make_result, pairs_of

if TYPE_CHECKING:
    import altair as alt

NOT_COMPARED = "files_not_compared"
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


def draw(result: Mapping[str, pl.DataFrame], _: Mapping[str, object]) -> list[d.Drawn]:
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
    chart = alt.Chart(d.data_of(shown), title="Changed terms, release by release", width=d.WIDTH, height=240)
    return [chart.mark_bar().encode(x=names, y=alt.Y(f"{c.TERMS}:Q", title="terms"), color=colours, tooltip=hints)]


MEANING_SERIES = Contract("meaning", (HISTORY,), draw=draw)


def meaning_series(catalog: CatalogLike, series: str, last: int | None, alone: bool) -> ReportResult:
    """Return how many terms changed from release to release of a series.

    Args:
        catalog: The catalog.
        series: The series.
        last: Only that many of its newest releases; None for all.
        alone: Whether nothing was asked for that is about two releases.

    Raises:
        VersionUnknown, AmbiguousVersion: `series` means none or several.
        UsageError: More was asked for, or nothing is known of what files say.
    """
    if not alone:
        raise UsageError(
            "Counts over a series are about all releases and terms.",
            subject="--series",
            hint="Leave out --a, --b, --file-a, --file-b, --terms-under, --mine and --by, or --series.",
        )
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader, Releases.DATES)
        slot = reader.resolve_series(series)
        if not reader.knows_facts():
            raise nothing_known(slot)
        own = releases.series(slot)
        line = counts_of_steps(catalog, reader, own.tail(last) if last else own)
    return make_result(catalog, MEANING_SERIES, {"timeline": line}, {"series": slot, "last": last}, held=True)


def counts_of_steps(catalog: CatalogLike, reader: Reader, releases: pl.DataFrame) -> pl.LazyFrame:
    """Return a row per release with the columns of HISTORY, in the order of `releases`.

    Args:
        catalog: The catalog.
        reader: Its open source.
        releases: version_id, previous_version_id, slot, released, created_at of releases of one series.
    """
    steps = pairs_of(releases)
    comparison = Comparison(catalog, reader, steps)
    counts = step_counts(comparison, steps)
    facts = {"facts": reader.facts(releases[c.VERSION_ID].to_list())}
    known = collect(facts, catalog.tell, held=True)["facts"].lazy()
    held = known.group_by(c.VERSION_ID).agg(
        pl.when(pl.col(c.TERMS).is_not_null().any()).then(pl.col(c.TERMS).sum()).alias(c.TERMS)
    )
    timed = release_times(releases.lazy()).select(c.VERSION_ID, c.RELEASE_TIME, c.POSITION)
    return timed.join(held, on=c.VERSION_ID, how="left").join(counts, on=c.VERSION_ID, how="left").sort(c.POSITION)


def step_counts(comparison: Comparison, steps: list[tuple[str, str]]) -> pl.LazyFrame:
    """Return version_id (of B), a column per change, triples_added, triples_removed, files_not_compared."""
    old, new = comparison.differing(pipelines.COUNTED)
    numbered = comparison.pairs.lazy().select(c.PAIR, c.STEP)
    raw = pipelines.raw_changes(old.lazy(), new.lazy())
    changes = pipelines.once_each(pipelines.categorise(raw, new.lazy()), numbered)
    kinds = [(pl.col(c.CHANGE) == name).sum().alias(name) for name in c.TERM_CHANGES]
    terms = changes.group_by(c.STEP).agg(kinds)
    balance = pipelines.statement_counts(old.lazy(), new.lazy()).join(numbered, on=c.PAIR)
    triples = balance.group_by(c.STEP).agg(pl.col(c.TRIPLES_ADDED, c.TRIPLES_REMOVED).sum())
    state = pl.col(c.STATE)
    known = comparison.pairs.lazy().group_by(c.STEP).agg((state == pairing.NOT_COMPARED).sum().alias(NOT_COMPARED))
    every = pl.LazyFrame(
        {c.STEP: list(range(len(steps))), c.VERSION_ID: [b for _, b in steps]},
        {c.STEP: pl.Int64(), c.VERSION_ID: pl.String()},
    )
    counted = [*c.TERM_CHANGES, c.TRIPLES_ADDED, c.TRIPLES_REMOVED]
    complete = pl.col(NOT_COMPARED) == 0
    return (
        every.join(known, on=c.STEP, how="left")
        .join(terms, on=c.STEP, how="left")
        .join(triples, on=c.STEP, how="left")
        .with_columns(pl.when(complete).then(pl.col(counted).fill_null(0)))
    )


GROWN = tuple(
    Field(
        name, INT, f"terms that {what}, as in `report meaning`; null where that is not known of all files that differ",
        detail=9,
    )
    for name, what in ((c.TERMS_ADDED, "came"), (c.TERMS_REMOVED, "are gone"), (c.OBSOLETED, "became obsolete"))
)  # fmt: skip


def grown_terms(catalog: CatalogLike, reader: Reader, steps: list[tuple[str, str]]) -> pl.LazyFrame:
    """Return version_id (of B), terms_added, terms_removed, obsoleted; no row where nothing is known.

    A table of terms that is lost or damaged makes them unknown: what a report says of bytes does not depend on it.
    """
    nothing = pl.LazyFrame(schema={c.VERSION_ID: pl.String(), **{field.name: pl.Int64() for field in GROWN}})
    if not steps or not reader.knows_facts():
        return nothing
    try:
        counts = step_counts(Comparison(catalog, reader, steps), steps)
    except CatalogUnreadable:
        return nothing
    return counts.select(
        c.VERSION_ID,
        pl.col(c.TERM_ADDED).alias(c.TERMS_ADDED),
        pl.col(c.TERM_REMOVED).alias(c.TERMS_REMOVED),
        c.OBSOLETED,
    )

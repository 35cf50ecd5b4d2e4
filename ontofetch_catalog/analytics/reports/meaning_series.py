"""The report `meaning` over a series: its columns, its chart, and which rows it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from ...errors import CatalogUnreadable
from ...rendering.palette import term_change_colours
from .. import columns as c
from .. import drawing as d
from .. import fields as f
from ..chosen_terms import WORD, chosen_terms
from ..collect import collect
from ..comparison import Comparison, contents_of
from ..fields import INT, TEXT, TIME, Contract, Field, Section
from ..lists import read_words
from ..polars_pipelines import meaning as pipelines
from ..polars_pipelines import pairing
from ..polars_pipelines.terms import prefix
from ..polars_pipelines.timeline import release_times
from ..results import ReportResult
from ..sources import CatalogLike, Reader
from ..tables_of_terms import CHANGE
from ..term_tables import TABLE_PATH, Facts
from .common import MOST_ROWS, Releases, make_result, pairs_of, times_told

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


class Steps:
    """What became of terms from release to release of a series.

    Args:
        catalog: The catalog.
        reader: Its open source.
        releases: version_id, previous_version_id, slot, released, created_at of releases of one series.
        under: Only a term and those below it, or a namespace; None for all.
        words: Only the terms that these words mean; None for all.

    Raises:
        UsageError: There is no such term.
    """

    def __init__(
        self,
        catalog: CatalogLike,
        reader: Reader,
        releases: pl.DataFrame,
        under: str | None = None,
        words: Sequence[str] | None = None,
    ) -> None:
        self._catalog = catalog
        self._releases = releases
        facts = {"facts": reader.facts(releases[c.VERSION_ID].to_list())}
        self._facts = collect(facts, catalog.tell, held=True)["facts"]
        steps = pairs_of(releases)
        self._comparison = Comparison(catalog, reader, steps)
        self._tables = self._comparison.tables
        self._chosen: pl.Series | None = None
        self._unknown: pl.LazyFrame | None = None
        if under is not None or words is not None:
            self._chosen, self._unknown = chosen_terms(self._tables, contents_of(self._facts), under, words)
        self._changes, self._counted = changes_of_steps(self._comparison, steps, self._chosen)

    def counts(self) -> pl.LazyFrame:
        """Return a row per release with the columns of HISTORY, in the order of the releases."""
        terms = pl.when(pl.col(c.TERMS).is_not_null().any()).then(pl.col(c.TERMS).sum()).alias(c.TERMS)
        held = self._terms().group_by(c.VERSION_ID).agg(terms)
        timed = release_times(self._releases.lazy()).select(c.VERSION_ID, c.RELEASE_TIME, c.POSITION)
        counts = self._counted
        return timed.join(held, on=c.VERSION_ID, how="left").join(counts, on=c.VERSION_ID, how="left").sort(c.POSITION)

    def _terms(self) -> pl.LazyFrame:
        """Return version_id, terms: of each file those that are asked for."""
        if self._chosen is None:
            return self._facts.lazy().select(c.VERSION_ID, c.TERMS)
        chosen, wanted = self._chosen, self._chosen.sort().to_list()

        def count(row: Facts) -> pl.DataFrame:
            there = self._tables.columns(row, [c.IRI], wanted)[c.IRI]
            return pl.DataFrame({TABLE_PATH: [row[TABLE_PATH]], c.TERMS: [there.is_in(chosen.implode()).sum()]})

        nothing = pl.DataFrame(schema={TABLE_PATH: pl.String(), c.TERMS: pl.Int64()})
        counted = self._tables.gather(contents_of(self._facts), count, nothing)
        files = self._facts.lazy().select(c.VERSION_ID, TABLE_PATH)
        return files.join(counted.lazy(), on=TABLE_PATH, how="left").select(c.VERSION_ID, c.TERMS)

    def by(self, by: str) -> dict[str, pl.LazyFrame]:
        """Return the further frames: changed terms by `kind`, `prefix` or `change`, and unknown words of a list."""
        found: dict[str, pl.LazyFrame] = {} if self._unknown is None else {"unknown": self._unknown}
        order = pl.LazyFrame({c.VERSION_ID: self._releases[c.VERSION_ID]}).with_row_index("order")
        changes = self._changes.join(order, on=c.VERSION_ID)
        key = ["order", c.VERSION_ID]
        if by == c.CHANGE:
            kinds = changes.group_by(*key, c.CHANGE).agg(pl.len().alias(c.TERMS))
            found["kinds"] = kinds.with_columns(pl.col(c.CHANGE).cast(pl.Enum(c.TERM_CHANGES))).sort(*key, c.CHANGE)
        elif by in (c.KIND, c.PREFIX):
            named = prefix(pl.col(c.IRI)) if by == c.PREFIX else pl.coalesce("kind_b", c.KIND)
            found["groups"] = pipelines.counts_by(changes.with_columns(named.alias("group")), [*key, "group"]).sort(
                "order", c.TERMS, "group", descending=[False, True, False]
            )
        return found


def changes_of_steps(
    comparison: Comparison, steps: list[tuple[str, str]], chosen: pl.Series | None = None
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return the changed terms with the version_id of B, and per B what `step_counts` says.

    Args:
        comparison: Of the steps.
        steps: (A, B) of each.
        chosen: IRIs of the terms that count; None for all.
    """
    old, new = comparison.differing(pipelines.COUNTED)
    if chosen is not None:
        old, new = (side.filter(pl.col(c.IRI).is_in(chosen.implode())) for side in (old, new))
    numbered = comparison.pairs.lazy().select(c.PAIR, c.STEP)
    changed = pipelines.raw_changes(old.lazy(), new.lazy())
    raw = comparison.tables.collect({"raw": changed}, held=True)["raw"].lazy()
    every = pl.LazyFrame(
        {c.STEP: list(range(len(steps))), c.VERSION_ID: [b for _, b in steps]},
        {c.STEP: pl.Int64(), c.VERSION_ID: pl.String()},
    )
    found = comparison.categories(raw, comparison.rare(raw, new.lazy())).join(every, on=c.STEP)
    changes = comparison.tables.collect({"changes": found}, held=True)["changes"].lazy()
    kinds = [(pl.col(c.CHANGE) == name).sum().alias(name) for name in c.TERM_CHANGES]
    terms = changes.group_by(c.STEP).agg(kinds)
    balance = pipelines.statement_counts(old.lazy(), new.lazy()).join(numbered, on=c.PAIR)
    triples = balance.group_by(c.STEP).agg(pl.col(c.TRIPLES_ADDED, c.TRIPLES_REMOVED).sum())
    state = pl.col(c.STATE)
    known = comparison.pairs.lazy().group_by(c.STEP).agg((state == pairing.NOT_COMPARED).sum().alias(NOT_COMPARED))
    counted = [*c.TERM_CHANGES, c.TRIPLES_ADDED, c.TRIPLES_REMOVED]
    complete = pl.col(NOT_COMPARED) == 0
    counts = (
        every.join(known, on=c.STEP, how="left")
        .join(terms, on=c.STEP, how="left")
        .join(triples, on=c.STEP, how="left")
        .with_columns(pl.when(complete).then(pl.col(counted).fill_null(0)))
    )
    return changes, counts


def counts_of_steps(catalog: CatalogLike, reader: Reader, releases: pl.DataFrame) -> pl.LazyFrame:
    """Return a row per release with the columns of HISTORY, in their order; the arguments as for `Steps`."""
    return Steps(catalog, reader, releases).counts()


def step_counts(comparison: Comparison, steps: list[tuple[str, str]]) -> pl.LazyFrame:
    """Return version_id (of B), a column per change, triples_added, triples_removed, files_not_compared."""
    return changes_of_steps(comparison, steps)[1]


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
            counts = counts_of_steps(catalog, reader, chosen)
            found = collect({"past": counts}, catalog.tell, held=True)["past"]
    except CatalogUnreadable:
        return nothing, ""
    which = (
        f" (the last {len(chosen)} of {len(every)} releases; --last N shows others)" if len(chosen) < len(every) else ""
    )
    return found, f"Changed terms, release by release{which}"


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
    # where nothing is known of either release there is nothing to compare, however many files they have
    told = reader.told(sorted({name for step in steps for name in step})) if reader.knows_facts() else frozenset()
    known = [step for step in steps if not told.isdisjoint(step)]
    if not known:
        return nothing
    try:
        counts = step_counts(Comparison(catalog, reader, known), known)
    except CatalogUnreadable:
        return nothing
    return counts.select(
        c.VERSION_ID,
        pl.col(c.TERM_ADDED).alias(c.TERMS_ADDED),
        pl.col(c.TERM_REMOVED).alias(c.TERMS_REMOVED),
        c.OBSOLETED,
    )

"""What became of terms from release to release: counted for each, and by kind, prefix or change.

What a report shows of it is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .. import columns as c
from ..collect import collect
from ..polars_pipelines import meaning as pipelines
from ..polars_pipelines import pairing
from ..polars_pipelines.terms import prefix
from ..polars_pipelines.timeline import release_times
from ..sources import CatalogLike, Reader, pairs_of
from .chosen import chosen_terms
from .comparison import Comparison, contents_of
from .tables import TABLE_PATH, Facts

NOT_COMPARED = "files_not_compared"


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
        self._releases = releases
        facts = {"facts": reader.facts(releases[c.VERSION_ID].to_list())}
        self._facts = collect(facts, catalog.tell, held=True)["facts"]
        self._comparison = Comparison(catalog, reader, pairs_of(releases))
        self._tables = self._comparison.tables
        self._chosen: pl.Series | None = None
        self._unknown: pl.LazyFrame | None = None
        if under is not None or words is not None:
            self._chosen, self._unknown = chosen_terms(self._tables, contents_of(self._facts), under, words)
        self._changes, self._counted = changes_of_steps(self._comparison, self._chosen)

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


def changes_of_steps(comparison: Comparison, chosen: pl.Series | None = None) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return the changed terms with the version_id of B, and what is counted of each step.

    That has version_id (of B), a column per change, triples_added, triples_removed, files_not_compared.

    Args:
        comparison: Of the steps.
        chosen: IRIs of the terms that count; None for all.
    """
    old, new = comparison.differing(pipelines.COUNTED)
    if chosen is not None:
        old, new = (side.filter(pl.col(c.IRI).is_in(chosen.implode())) for side in (old, new))
    numbered = comparison.pairs.lazy().select(c.PAIR, c.STEP)
    changed = pipelines.raw_changes(old.lazy(), new.lazy())
    raw = comparison.tables.collect({"raw": changed}, held=True)["raw"].lazy()
    every = pl.LazyFrame(
        {c.STEP: list(range(len(comparison.steps))), c.VERSION_ID: [b for _, b in comparison.steps]},
        {c.STEP: pl.Int64(), c.VERSION_ID: pl.String()},
    )
    found = comparison.categories(raw, comparison.rare(raw, new.lazy())).join(every, on=c.STEP)
    changes = comparison.tables.collect({"changes": found}, held=True)["changes"].lazy()
    terms = changes.group_by(c.STEP).agg(pipelines.of_each_change())
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

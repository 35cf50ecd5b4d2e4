"""The pipelines that tell changes of terms to people: before and after on one line, IRIs by their labels.

LazyFrame in, LazyFrame out: nothing here reads a source or collects. *changes* are those of `meaning`.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c
from .meaning import INTO, NEW_IRI
from .terms import prefix, short_name

ELSEWHERE = "another of its texts"


def named_iris(raw: pl.LazyFrame, merged: pl.DataFrame) -> pl.LazyFrame:
    """Return the IRIs (one column) that may be shown by their labels: parents that differ, replacements, new names.

    Args:
        raw: As `raw_changes` returns them, all columns of WIDE: which change is told of a term need not be known yet.
        merged: What `mergers` finds.
    """
    moved, stayed = raw.filter("is_moved"), raw.filter(~pl.col("is_added"))
    lists = [(moved, c.PARENTS), (moved, "parents_b"), (stayed, "replaced_by_b"), (stayed, "consider_b")]
    found = [rows.select(pl.col(name).alias(c.IRI)).explode(c.IRI, empty_as_null=True) for rows, name in lists]
    return pl.concat([*found, merged.lazy().select(pl.col(INTO).alias(c.IRI))]).drop_nulls(c.IRI).unique()


def _listed(told: pl.Expr, names: pl.DataFrame) -> pl.Expr:
    """Return the names of a list of IRIs as text, null where there is none in it."""
    named = told.list.sort().list.eval(pl.element().replace(names[c.IRI], names["name"]))
    return pl.when(told.list.len() > 0).then(named.list.join("; "))


def _told_lists(names: pl.DataFrame) -> list[pl.Expr]:
    """Return lost, gained, considered: of a term one thing is told, so its lists stand in the same columns.

    For each column that is named costs something.
    """
    change = pl.col(c.CHANGE)
    is_moved, instead = change == c.MOVED, change.is_in([c.OBSOLETED, c.OTHER])
    lost = pl.col(c.PARENTS).list.set_difference(pl.col("parents_b"))
    gained = pl.col("parents_b").list.set_difference(pl.col(c.PARENTS))
    first = pl.when(is_moved).then(lost).when(change == c.OTHER).then(c.REPLACED_BY)
    second = (
        pl.when(is_moved)
        .then(gained)
        .when(instead)
        .then("replaced_by_b")
        .when(change == c.MERGED)
        .then(pl.concat_list(INTO))
    )
    return [
        _listed(first, names).alias("lost"),
        _listed(second, names).alias("gained"),
        _listed(pl.when(instead).then("consider_b"), names).alias("considered"),
    ]


def _before() -> pl.Expr:
    other = pl.col(c.CHANGE) == c.OTHER
    rest = pl.when(other & pl.col("is_rekinded")).then(c.KIND).when(other & pl.col("is_repointed")).then("lost")
    told = {c.RELABELLED: c.LABEL, c.REDEFINED: c.DEFINITION, c.MOVED: "lost", c.RENAMESPACED: c.IRI}
    return _by_change(told, rest)


def _after() -> pl.Expr:
    change = pl.col(c.CHANGE)
    other = change == c.OTHER
    advice = pl.when(change == c.OBSOLETED).then(pl.coalesce("gained", pl.lit("consider ") + pl.col("considered")))
    rest = (
        pl.when(change == c.MERGED)
        .then("gained")
        .when(other & pl.col("is_rekinded"))
        .then("kind_b")
        .when(other & pl.col("is_repointed"))
        .then(pl.coalesce("gained", "considered"))
        .otherwise(advice)
    )
    told = {c.TERM_ADDED: "definition_b", c.RELABELLED: "label_b", c.REDEFINED: "definition_b", c.MOVED: "gained"}
    return _by_change(told | {c.RENAMESPACED: NEW_IRI}, rest)


def described(changes: pl.LazyFrame, names: pl.DataFrame) -> pl.LazyFrame:
    """Return `changes` for people: before → after on one line, labels of both sides.

    Args:
        changes: As `once_each` returns them, all columns of WIDE.
        names: iri → name of `named_iris`; collected, for to look names up costs a fraction of a join for each list.
    """
    change = pl.col(c.CHANGE)
    rows = changes.with_columns(_told_lists(names))
    # the text that is shown is one of several; what changed may be another one
    alike = change.is_in([c.RELABELLED, c.REDEFINED]) & pl.col(c.BEFORE).eq_missing(pl.col(c.AFTER))
    also = (
        pl.when("alike")
        .then(pl.concat_str(pl.lit(ELSEWHERE), c.ALSO, separator=", ", ignore_nulls=True))
        .otherwise(c.ALSO)
    )
    # in steps, for an expression that stands in several others is worked out in each
    rows = rows.with_columns(_before().alias(c.BEFORE), _after().alias(c.AFTER)).with_columns(alike.alias("alike"))
    return rows.select(
        c.PAIR,
        c.FILES,
        change.cast(pl.Enum(c.TERM_CHANGES)),
        short_name(pl.col(c.IRI)).alias(c.TERM),
        c.IRI,
        pl.coalesce("kind_b", c.KIND).alias(c.KIND),
        prefix(pl.col(c.IRI)).alias(c.PREFIX),
        pl.col(c.LABEL).alias(c.LABEL_A),
        pl.col("label_b").alias(c.LABEL_B),
        *(_one_line(pl.when(~pl.col("alike")).then(text)).alias(text) for text in (c.BEFORE, c.AFTER)),
        also.alias(c.ALSO),
        pl.coalesce(pl.col("replaced_by_b").list.first(), INTO, NEW_IRI).alias(c.REPLACED_BY),
        pl.col(c.DEFINITION).alias("definition_a"),
        "definition_b",
        pl.col(c.PARENTS).list.join(" ").replace("", None).alias("parents_a"),
        pl.col("parents_b").list.join(" ").replace("", None),
    )


def _one_line(text: pl.Expr) -> pl.Expr:
    # of most texts nothing has to be replaced, if a blank alone is no match
    return text.str.replace_all(r"[^\S ]\s*| \s+", " ").str.strip_chars()


def _by_change(columns: dict[str, str], otherwise: pl.Expr) -> pl.Expr:
    chosen = [pl.when(pl.col(c.CHANGE) == change).then(pl.col(column)) for change, column in columns.items()]
    return pl.coalesce(*chosen, otherwise)

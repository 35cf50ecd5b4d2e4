"""The pipelines over tables of terms: names of terms for people, which terms lie below another one, what a word means.

LazyFrame in, LazyFrame out: nothing here reads a source or collects. A table of terms has the columns of TERMS_SCHEMA.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c

GENERAL = ""  # the IRI of the row of statements that belong to no term
MENTION = "mention"
# no pattern begins with what matches anything: it takes several times as long
_OBO = r"[/#]([A-Za-z][A-Za-z0-9]*_[0-9]{3,})$"
_OBO_PREFIX = r"[/#]([A-Za-z][A-Za-z0-9]*)_[0-9]{3,}$"


def local_name(iri: pl.Expr) -> pl.Expr:
    """Return what stands behind the last `/`, `#` or `:` of an IRI; the whole IRI where nothing does."""
    return pl.coalesce(iri.str.extract(r"([^/#:]+)[/#]?$", 1), iri)


def namespace(iri: pl.Expr) -> pl.Expr:
    """Return an IRI without its local name."""
    return pl.when(iri.str.contains("[^/#:]$")).then(iri.str.replace("[^/#:]+$", "")).otherwise(pl.lit(""))


def short_name(iri: pl.Expr) -> pl.Expr:
    """Return what people call a term: `GO:0008150` where the IRI ends in `GO_0008150`, else its local name."""
    return pl.coalesce(iri.str.extract(_OBO, 1).str.replace("_", ":", literal=True), local_name(iri))


def prefix(iri: pl.Expr) -> pl.Expr:
    """Return what terms are counted by: `GO` where the IRI ends in `GO_0008150`, else the namespace."""
    return pl.coalesce(iri.str.extract(_OBO_PREFIX, 1), namespace(iri))


def is_term() -> pl.Expr:
    """Return whether a row stands for a term, not for the statements of none."""
    return pl.col(c.IRI) != GENERAL


def meant_by(word: str) -> pl.Expr:
    """Return whether a term is one that `word` may mean: its IRI, also without scheme, a CURIE, its local name."""
    iri = pl.col(c.IRI)
    before, colon, local = word.partition(":")
    exact = iri == word
    if "/" in word:
        return exact if "://" in word else exact | iri.str.ends_with(f"://{word}")
    if not colon:
        return exact | (local_name(iri) == word)
    obo = iri.str.ends_with(f"/{before}_{local}") | iri.str.ends_with(f"#{before}_{local}")
    # files do not keep their prefixes: a namespace that has the word in it is likely the one
    named = (local_name(iri) == local) & namespace(iri).str.to_lowercase().str.contains(before.lower(), literal=True)
    return exact | obo | named


def roughly_meant_by(word: str) -> pl.Expr:
    """Return whether `meant_by` may hold, by a comparison that costs next to nothing."""
    iri = pl.col(c.IRI)
    if "/" in word:
        return iri == word if "://" in word else iri.str.ends_with(word)
    return iri.str.ends_with(word.partition(":")[2] or word)


def unlikeness(before: pl.Expr) -> pl.Expr:
    """Return how little an IRI looks like what a prefix means; the least is meant.

    `brick` is rather `…/Brick#` than `…/BrickTag#`, and rather that than `…/1.1/Brick#`.
    """
    place = namespace(pl.col(c.IRI)).str.to_lowercase()
    last = place.str.strip_chars_end("#/").str.extract("([^/#]+)$", 1)
    other = (last != before.str.to_lowercase()).fill_null(value=True)
    return other.cast(pl.Int8) * 2 + place.str.contains("[0-9]").cast(pl.Int8)


def starts_with(word: str) -> pl.Expr:
    """Return whether a term is below a namespace: its IRI starts with `word`, or `word` is its prefix, as in `GO:`."""
    iri = pl.col(c.IRI)
    bare = word.removesuffix(":")
    return iri.str.starts_with(word) if "/" in word else prefix(iri) == bare


def names_of(iris: pl.LazyFrame, labels: pl.LazyFrame, further: pl.LazyFrame) -> pl.LazyFrame:
    """Return each of `iris` (one column, each once) with `name`: a label if there is one, else its short name.

    Args:
        labels: iri → label; of several the first in order.
        further: Likewise, for those that have none there.
    """
    first, second = (side.group_by(c.IRI).agg(pl.col(c.LABEL).min()) for side in (labels, further))
    return (
        iris.join(first, on=c.IRI, how="left")
        .join(second, on=c.IRI, how="left", suffix="_further")
        .select(c.IRI, pl.coalesce(c.LABEL, "label_further", short_name(pl.col(c.IRI))).alias("name"))
    )

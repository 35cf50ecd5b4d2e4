"""The pipelines of the report `meaning`: what became of each term, in categories that exclude each other.

LazyFrame in, LazyFrame out: nothing here reads a source or collects. They speak of

- *terms*: rows of tables of terms, as TERMS_SCHEMA says, with `pair`: which pair of files the table belongs to.
- *changes*: pair, iri, what became of it (`change`), what else (`also`), both sides of what is compared.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c
from .terms import is_term, local_name, namespace

# what is looked at of a term that is not the same on both sides
WIDE = (
    c.IRI, c.KIND, c.LABEL, c.LABEL_DIGEST, c.DEFINITION, c.DEFINITION_DIGEST, c.DEPRECATED, c.REPLACED_BY, c.CONSIDER,
    c.PARENTS, c.ALT_IDS, c.DIGEST, c.OTHER_DIGEST, c.LINES,
)  # fmt: skip
COUNTED = tuple(name for name in WIDE if name not in (c.LABEL, c.DEFINITION, c.REPLACED_BY, c.CONSIDER))
_LISTS = (c.REPLACED_BY, c.CONSIDER, c.PARENTS, c.ALT_IDS)
_KEY = [c.PAIR, c.IRI]
INTO = "into"
NEW_IRI = "new_iri"
_COUNT = "count"


def raw_changes(old: pl.LazyFrame, new: pl.LazyFrame) -> pl.LazyFrame:
    """Return a row per term that is not the same on both sides, with flags that overlap: the raw comparison.

    Args:
        old: Terms of A that B has not in the same way.
        new: Likewise, of B.
    """
    a, b = (side.filter(is_term()).drop(c.LINES) for side in (old, new))
    both = a.with_columns(pl.lit(True).alias("in_a")).join(
        b.with_columns(pl.lit(True).alias("in_b")), on=_KEY, how="full", coalesce=True, suffix="_b"
    )
    here = pl.col("in_a").is_not_null() & pl.col("in_b").is_not_null()
    return both.with_columns(
        pl.col("in_a").is_null().alias("is_added"),
        pl.col("in_b").is_null().alias("is_removed"),
        (here & ~pl.col(c.DEPRECATED) & pl.col("deprecated_b")).fill_null(value=False).alias("is_obsoleted"),
        (here & pl.col(c.DEPRECATED) & ~pl.col("deprecated_b")).fill_null(value=False).alias("is_revived"),
        *((here & _differ(name)).alias(flag) for name, flag in _FLAGS.items()),
        (
            here & (_differ(c.REPLACED_BY) | _differ(c.CONSIDER)) if c.REPLACED_BY in _names(old) else pl.lit(False)
        ).alias("is_repointed"),
    )


_FLAGS = {
    c.LABEL_DIGEST: "is_relabelled",
    c.DEFINITION_DIGEST: "is_redefined",
    c.PARENTS: "is_moved",
    c.KIND: "is_rekinded",
    c.OTHER_DIGEST: "is_other",
}
_ALSO = {
    "is_relabelled": c.RELABELLED,
    "is_redefined": c.REDEFINED,
    "is_moved": c.MOVED,
    "is_rekinded": c.KIND,
    "is_repointed": "replacement",
    "is_other": "other axioms",
}


def _names(frame: pl.LazyFrame) -> list[str]:
    return frame.collect_schema().names()


def _differ(name: str) -> pl.Expr:
    return pl.col(name).ne_missing(pl.col(f"{name}_b"))


def mergers(raw: pl.LazyFrame, new: pl.LazyFrame) -> pl.LazyFrame:
    """Return pair, iri of a term, and the term it was merged into: one that names it among its alternative IRIs.

    Args:
        raw: As `raw_changes` returns them.
        new: Terms of B that A has not in the same way.
    """
    gone = raw.filter(pl.col("is_removed") | pl.col("is_obsoleted")).select(_KEY)
    return (
        new.select(c.PAIR, pl.col(c.IRI).alias(INTO), pl.col(c.ALT_IDS).alias(c.IRI))
        .explode(c.IRI, empty_as_null=True)
        .drop_nulls(c.IRI)
        .filter(pl.col(c.IRI) != pl.col(INTO))
        .group_by(_KEY)
        .agg(pl.col(INTO).min())
        .join(gone, on=_KEY, how="semi")
    )


def namespace_moves(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Return pair, iri, new_iri of terms that are gone under one namespace and have come under another.

    Local name and kind are the same and occur once on each side. One such term alone may be chance, unless it has the
    same labels.
    """
    local, kind = local_name(pl.col(c.IRI)).alias("local"), pl.coalesce(c.KIND, "kind_b").alias("any_kind")
    named = raw.with_columns(local, kind)
    key = [c.PAIR, "any_kind", "local"]

    def once(flag: str, digest: str) -> pl.LazyFrame:
        rows = named.filter(flag).select(*key, c.IRI, pl.col(digest).alias("labels"))
        return rows.filter(pl.len().over(key) == 1)

    moved = once("is_removed", c.LABEL_DIGEST).join(
        once("is_added", "label_digest_b").rename({c.IRI: NEW_IRI}), on=key, suffix="_b"
    )
    places = [c.PAIR, "from", "to"]
    return (
        moved.with_columns(namespace(pl.col(c.IRI)).alias("from"), namespace(pl.col(NEW_IRI)).alias("to"))
        .filter((pl.len().over(places) > 1) | (pl.col("labels") == pl.col("labels_b")))
        .select(c.PAIR, c.IRI, NEW_IRI)
    )


def categorise(raw: pl.LazyFrame, moves: pl.DataFrame, merged: pl.DataFrame) -> pl.LazyFrame:
    """Return `raw` with the one category of each term (`change`), `also`, `into` and `new_iri`.

    A term that is obsolete now has lost its label, definition and parents to that: it is obsoleted, nothing else.

    Args:
        raw: As `raw_changes` returns them.
        moves: What `namespace_moves` finds in them; collected, for most releases have none, and a join costs something.
        merged: What `mergers` finds, likewise.
    """
    order = {
        c.RENAMESPACED: pl.col(NEW_IRI).is_not_null(),
        c.MERGED: pl.col(INTO).is_not_null(),
        c.TERM_ADDED: pl.col("is_added"),
        c.TERM_REMOVED: pl.col("is_removed"),
        c.OBSOLETED: pl.col("is_obsoleted"),
        c.REVIVED: pl.col("is_revived"),
        c.RELABELLED: pl.col("is_relabelled"),
        c.REDEFINED: pl.col("is_redefined"),
        c.MOVED: pl.col("is_moved"),
    }
    change = pl.coalesce(*(pl.when(holds).then(pl.lit(name)) for name, holds in order.items()), pl.lit(c.OTHER))
    told = pl.col(c.CHANGE)
    further = [pl.when(pl.col(flag) & (told != name)).then(pl.lit(name)) for flag, name in _ALSO.items()]
    also = pl.concat_str(further, separator=", ", ignore_nulls=True)
    rows = raw.with_columns(
        pl.lit(None, pl.String).alias(name) for name, one in ((NEW_IRI, moves), (INTO, merged)) if one.is_empty()
    )
    if len(moves):
        come = moves.lazy().select(c.PAIR, pl.col(NEW_IRI).alias(c.IRI))
        rows = rows.join(come, on=_KEY, how="anti").join(moves.lazy(), on=_KEY, how="left")
    if len(merged):
        rows = rows.join(merged.lazy(), on=_KEY, how="left")
    return rows.with_columns(change.alias(c.CHANGE)).with_columns(
        pl.when(~told.is_in([c.OBSOLETED, c.REVIVED]) & (also != "")).then(also).alias(c.ALSO)
    )


def statement_counts(old: pl.LazyFrame, new: pl.LazyFrame) -> pl.LazyFrame:
    """Return pair, triples_added, triples_removed: statements that one side has more often than the other."""
    sides = [
        side.select(c.PAIR, pl.col(c.LINES), pl.lit(sign, pl.Int64).alias(_COUNT))
        for side, sign in ((old, -1), (new, 1))
    ]
    balance = (
        pl.concat(sides)
        .explode(c.LINES, empty_as_null=True)
        .drop_nulls(c.LINES)
        .group_by(c.PAIR, c.LINES)
        .agg(pl.col(_COUNT).sum())
    )
    more = pl.col(_COUNT)
    return balance.group_by(c.PAIR).agg(
        more.filter(more > 0).sum().alias(c.TRIPLES_ADDED), (-more.filter(more < 0).sum()).alias(c.TRIPLES_REMOVED)
    )


def pair_counts(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Return per pair how many terms the raw comparison finds; a term may be counted in several columns."""
    flags = {
        c.TERMS_ADDED: pl.col("is_added"),
        c.TERMS_REMOVED: pl.col("is_removed"),
        c.TERMS_CHANGED: ~(pl.col("is_added") | pl.col("is_removed")),
        c.OBSOLETED: pl.col("is_obsoleted"),
        c.RELABELLED: pl.col("is_relabelled"),
        c.REDEFINED: pl.col("is_redefined"),
        c.MOVED: pl.col("is_moved"),
    }
    replaced = (pl.col("is_obsoleted") & (pl.col("replaced_by_b").list.len() > 0)).sum().alias(c.REPLACED)
    return raw.group_by(c.PAIR).agg(*(holds.sum().alias(name) for name, holds in flags.items()), replaced)


def once_each(changes: pl.LazyFrame, pairs: pl.DataFrame) -> pl.LazyFrame:
    """Return changes that several pairs of files share once, with `step` and the number of pairs as `files`.

    Args:
        changes: As `categorise` returns them.
        pairs: pair → step, of the pairs that are compared; collected, for where each step has one nothing is shared.
    """
    same = [c.STEP, c.CHANGE, c.IRI, c.DIGEST, "digest_b"]
    step = pl.col(c.PAIR).replace_strict(pairs[c.PAIR], pairs[c.STEP]).alias(c.STEP)
    ordered = changes.with_columns(step, pl.lit(1, pl.UInt32).alias(c.FILES)).sort(
        c.STEP, pl.col(c.CHANGE).cast(pl.Enum(c.TERM_CHANGES)), c.IRI, c.PAIR
    )
    if pairs[c.STEP].is_unique().all():
        return ordered
    return ordered.with_columns(pl.len().over(same).alias(c.FILES)).unique(same, keep="first", maintain_order=True)


def of_each_change() -> list[pl.Expr]:
    """Return how many terms have each category, a column for each."""
    return [(pl.col(c.CHANGE) == name).sum().alias(name) for name in c.TERM_CHANGES]


def counts_by(changes: pl.LazyFrame, key: list[str]) -> pl.LazyFrame:
    """Return per `key` how many terms have each category, and all of them; the largest first."""
    return (
        changes.group_by(key)
        .agg(*of_each_change(), pl.len().alias(c.TERMS))
        .sort(c.TERMS, *key, descending=[True] + [False] * len(key))
    )


def counts_by_change(changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return a row per category: change, terms; also those without a term, in the order of release notes."""
    every = pl.LazyFrame({c.CHANGE: c.TERM_CHANGES}, schema={c.CHANGE: pl.Enum(c.TERM_CHANGES)})
    found = changes.group_by(c.CHANGE).agg(pl.len().alias(c.TERMS))
    return every.join(found, on=c.CHANGE, how="left", maintain_order="left").with_columns(pl.col(c.TERMS).fill_null(0))


def namespaces(changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return per pair of namespaces how many terms moved from one to the other."""
    moved = changes.filter(pl.col(c.CHANGE) == c.RENAMESPACED)
    places = [namespace(pl.col(c.BEFORE)).alias(c.BEFORE), namespace(pl.col(c.AFTER)).alias(c.AFTER)]
    return moved.group_by(places).agg(pl.len().alias(c.TERMS)).sort(c.TERMS, c.BEFORE, descending=[True, False])


def summary(changes: pl.LazyFrame, files: pl.LazyFrame, a: str, b: str) -> pl.LazyFrame:
    """Return the one row that counts the changes from A to B, and their statements over the pairs of files."""
    counted = changes.select(pl.len().alias(c.TERMS), *of_each_change())
    once = files.unique(["content_id_a", "content_id_b"])
    triples = once.select(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)
        for name in (c.TRIPLES_ADDED, c.TRIPLES_REMOVED)
    )
    return pl.concat([counted, triples], how="horizontal").with_columns(pl.lit(a).alias("a"), pl.lit(b).alias("b"))

"""The pipelines over ontology headers: which belong together, what changed in them, which imports the store satisfies.

LazyFrame in, LazyFrame out: nothing here reads a source or collects.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c
from .pairing import without_digits

FIELDS = (c.ONTOLOGY_IRI, c.VERSION_IRI, c.VERSION_INFO, c.TITLE, c.LICENSE, c.IMPORTS)
_A, _B = f"{c.RELPATH}_a", f"{c.RELPATH}_b"


_PAIR = [c.STEP, _A, _B]


def _of_side(pairs: pl.LazyFrame, heads: pl.LazyFrame, side: str) -> pl.LazyFrame:
    imports = pl.col(c.IMPORTS).list.sort().list.join(" ")
    own = f"{c.RELPATH}_{side}"
    rows = heads.with_columns(pl.when(imports != "").then(imports).alias(c.IMPORTS), pl.lit(True).alias("here"))
    return (
        pairs.select(_PAIR)
        .join(rows.rename({c.RELPATH: own}), on=[c.STEP, own])
        .with_columns(without_digits(pl.col(c.ONTOLOGY_IRI)).fill_null("").alias("key"))
        .with_columns(pl.col("position").rank("ordinal").over(*_PAIR, "key").alias("rank"))
        .select(*_PAIR, "key", "rank", "position", "here", *FIELDS)
    )


def paired_heads(pairs: pl.LazyFrame, heads_a: pl.LazyFrame, heads_b: pl.LazyFrame) -> pl.LazyFrame:
    """Return the pair of files and both sides of each header: those of one IRI, numbers aside, belong together."""
    a, b = _of_side(pairs, heads_a, "a"), _of_side(pairs, heads_b, "b")
    return a.join(b, on=[*_PAIR, "key", "rank"], how="full", coalesce=True, suffix="_b")


def versions(both: pl.LazyFrame) -> pl.LazyFrame:
    """Return the pair of files, version_a, version_b: what the first header says that states one on both sides.

    Where several do, the first of those that state another one than before: a file keeps its version where all keep
    theirs. A version IRI counts before a version; without either on one side the versions are null.
    """
    by_iri = pl.col(c.VERSION_IRI).is_not_null() & pl.col("version_iri_b").is_not_null()
    stated_a = pl.when(by_iri).then(c.VERSION_IRI).otherwise(c.VERSION_INFO)
    stated_b = pl.when(by_iri).then("version_iri_b").otherwise("version_info_b")
    return (
        both.select(*_PAIR, "position", stated_a.alias(c.VERSION_A), stated_b.alias(c.VERSION_B))
        .sort(
            pl.any_horizontal(pl.col(c.VERSION_A, c.VERSION_B).is_null()),
            pl.col(c.VERSION_A) == pl.col(c.VERSION_B),
            "position",
        )
        .unique(_PAIR, keep="first", maintain_order=True)
        .select(*_PAIR, c.VERSION_A, c.VERSION_B)
    )


def _joined(iris: pl.Expr) -> pl.Expr:
    return iris.list.filter(pl.element() != "").list.sort().list.join(" ").replace("", None)


def changed_fields(both: pl.LazyFrame) -> pl.LazyFrame:
    """Return a row per field that is not the same on both sides: file, ontology_iri, field, before, after."""
    iri = pl.coalesce("ontology_iri_b", c.ONTOLOGY_IRI)
    file = pl.coalesce(_B, _A)
    here = pl.col("here").is_not_null() & pl.col("here_b").is_not_null()

    def rows(name: str) -> pl.LazyFrame:
        chosen = both.filter(here) if name != c.ONTOLOGY_IRI else both
        differ = chosen.filter(pl.col(name).ne_missing(pl.col(f"{name}_b")))
        if name == c.IMPORTS:
            # of a list, what is not on the other side
            sides = [pl.col(side).fill_null("").str.split(" ") for side in (name, f"{name}_b")]
            lost, gained = sides[0].list.set_difference(sides[1]), sides[1].list.set_difference(sides[0])
            differ = differ.with_columns(_joined(lost).alias(name), _joined(gained).alias(f"{name}_b"))
        return differ.select(
            file.alias(c.FILE), iri.alias(c.ONTOLOGY_IRI), pl.lit(name).alias(c.FIELD),
            pl.col(name).alias(c.BEFORE), pl.col(f"{name}_b").alias(c.AFTER),
        )  # fmt: skip

    return pl.concat(rows(name) for name in FIELDS).sort(c.FILE, c.ONTOLOGY_IRI, c.FIELD)


def satisfied(wanted: pl.LazyFrame, held: pl.LazyFrame) -> pl.LazyFrame:
    """Return `wanted` with the release and the file of the store that an import means, null where none does.

    A version IRI means that version; an ontology IRI the latest release that has it. A trailing `#` or `/` is ignored.

    Args:
        wanted: `import` and whatever else.
        held: version_id, relpath, ontology_iri, version_iri, version_info, and `recency`: the larger, the later.
    """
    key = pl.col("key").str.strip_chars_end("#/")
    offered = [
        held.drop_nulls(iri).select(
            pl.col(iri).alias("key"), pl.lit(rank).alias("exactness"), "recency", c.VERSION_ID, c.RELPATH,
            c.VERSION_INFO, c.CONTENT_ID,
        )
        for rank, iri in enumerate((c.ONTOLOGY_IRI, c.VERSION_IRI))
    ]  # fmt: skip
    best = (
        pl.concat(offered)
        .with_columns(key)
        .sort("exactness", "recency", c.VERSION_ID, c.RELPATH, descending=[True, True, True, False])
        .unique("key", keep="first", maintain_order=True)
    )
    asked = wanted.with_columns(pl.col(c.IMPORT).str.strip_chars_end("#/").alias("key"))
    return asked.join(best, on="key", how="left", maintain_order="left").drop("key", "exactness", "recency")

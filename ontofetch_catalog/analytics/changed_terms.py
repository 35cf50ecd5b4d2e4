"""What became of the terms of two releases, as frames: the changes, and the sections beside them.

How they are shown is not known here.
"""

from __future__ import annotations

import polars as pl

from . import columns as c
from .chosen_terms import chosen_terms
from .comparison import Comparison
from .lists import read_words
from .polars_pipelines import heads as head_pipelines
from .polars_pipelines import meaning as pipelines
from .polars_pipelines import pairing, telling
from .sources import CatalogLike, Reader

# section → the state of the files that it lists
STATES = {
    "same_version": pairing.SAME_VERSION,
    "not_compared": pairing.NOT_COMPARED,
    "other_version": pairing.OTHER_VERSION,
    "reserialised": pairing.RESERIALISED,
    "not_exact": pairing.INEXACT,
}


def frames_of(
    comparison: Comparison, under: str | None, mine: str | None
) -> tuple[dict[str, pl.LazyFrame], pl.LazyFrame]:
    """Return changes and the sections beside them, and the pairs of files with their counts."""
    old, new = everything = comparison.differing(pipelines.WIDE)
    frames: dict[str, pl.LazyFrame] = {}
    narrowed = under is not None or mine is not None
    if narrowed:
        words = None if mine is None else read_words(mine)
        chosen, unknown = chosen_terms(comparison.tables, comparison.contents(), under, words)
        old, new = (side.filter(pl.col(c.IRI).is_in(chosen.implode())) for side in (old, new))
        frames |= {} if unknown is None else {"unknown": unknown}
    sorted_out, names, counted = _sort_out(comparison, (old, new), everything[0], whole=not narrowed)
    paths = comparison.pairs.lazy().select(c.PAIR, pl.coalesce(f"{c.RELPATH}_b", f"{c.RELPATH}_a").alias(c.FILE))
    described = telling.described(sorted_out, names).join(paths, on=c.PAIR, how="left", maintain_order="left")
    shown = counted.rename({f"{c.RELPATH}_a": c.FILE_A, f"{c.RELPATH}_b": c.FILE_B})
    # several sections are made of each
    found = comparison.tables.collect(
        {"changes": described, "files": shown.sort(c.STATE, c.FILE_B, c.FILE_A, nulls_last=True)}, held=True
    )
    changes, files = found["changes"].lazy(), found["files"].lazy()
    special = {name: files.filter(pl.col(c.STATE) == state) for name, state in STATES.items()}
    # of a side without facts no header is known either
    paired = [c.STEP, f"{c.RELPATH}_a", f"{c.RELPATH}_b"]
    known = comparison.pairs.lazy().drop_nulls(["digest_a", "digest_b"]).select(paired)
    heads = comparison.heads.lazy().join(known, on=paired, how="semi", maintain_order="left")
    headers = head_pipelines.changed_fields(heads)
    return {"changes": changes, "ontologies": headers, **special, **frames}, files


def _sort_out(
    comparison: Comparison, differing: tuple[pl.DataFrame, pl.DataFrame], labelled: pl.DataFrame, *, whole: bool
) -> tuple[pl.LazyFrame, pl.DataFrame, pl.LazyFrame]:
    """Return the changed terms in categories, the names of terms that are named with them, the pairs with counts.

    Args:
        comparison: Of the two releases.
        differing: The terms of A and of B that count and are not the same on the other side.
        labelled: All those of A.
        whole: Whether all count.
    """
    tables = comparison.tables
    old, new = (side.lazy() for side in differing)
    first = {"raw": pipelines.raw_changes(old, new), "statements": pipelines.statement_counts(old, new)}
    # neither of both keeps all cores busy
    known = tables.collect(first, held=True)
    raw, statements = known["raw"].lazy(), known["statements"].lazy()
    rare = comparison.rare(raw, new)
    iris = tables.collect({"iris": telling.named_iris(raw, rare["merged"])}, held=True)["iris"][c.IRI]
    found = tables.collect(
        {
            "terms": comparison.categories(raw, rare),
            "names": comparison.labels(iris, labelled),
            "pairs": comparison.with_counts(raw, statements, whole=whole),
        },
        held=True,
    )
    return found["terms"].lazy(), found["names"], found["pairs"].lazy()


def summary_of(changes: pl.LazyFrame, files: pl.LazyFrame, a: str, b: str) -> pl.LazyFrame:
    """Return the one row that counts the changes from A to B."""
    kinds = [(pl.col(c.CHANGE) == name).sum().alias(name) for name in c.TERM_CHANGES]
    counted = changes.select(pl.len().alias(c.TERMS), *kinds)
    once = files.unique(["content_id_a", "content_id_b"])
    triples = once.select(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)
        for name in (c.TRIPLES_ADDED, c.TRIPLES_REMOVED)
    )
    return pl.concat([counted, triples], how="horizontal").with_columns(pl.lit(a).alias("a"), pl.lit(b).alias("b"))


def changes_of(catalog: CatalogLike, reader: Reader, pair: tuple[str, str]) -> pl.LazyFrame:
    """Return the rows of the section `changes` for two releases.

    Raises:
        UsageError: Nothing is known of what files say.
    """
    frames, _ = frames_of(Comparison(catalog, reader, [pair]), None, None)
    return frames["changes"]

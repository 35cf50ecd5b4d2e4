"""What became of the terms of two releases, as frames: the changes, and what stands beside them.

How they are shown is not known here.
"""

from __future__ import annotations

import polars as pl

from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import columns as c
from ..lists import read_words
from ..polars_pipelines import heads as head_pipelines
from ..polars_pipelines import meaning as pipelines
from ..polars_pipelines import telling
from .chosen import chosen_terms
from .comparison import Comparison


@dataclass(frozen=True, slots=True)
class ChangedTerms:
    """What became of the terms of two releases.

    Args:
        changes: The changed terms, as the section CHANGES of `bare_rows` has them.
        headers: What changed in the headers of ontologies, as `heads.changed_fields` says.
        files: The pairs of files with their counts.
        unknown: The words of a list that mean no term; None without a list.
    """

    changes: pl.LazyFrame
    headers: pl.LazyFrame
    files: pl.LazyFrame
    unknown: pl.LazyFrame | None


def changed_terms(comparison: Comparison, under: str | None = None, mine: str | None = None) -> ChangedTerms:
    """Return what became of terms.

    Args:
        comparison: Of the two releases.
        under: Only a term and those below it, or a namespace; None for all.
        mine: Only the terms of this list; None for all.
    """
    old, new = everything = comparison.differing(pipelines.WIDE)
    unknown = None
    narrowed = under is not None or mine is not None
    if narrowed:
        words = None if mine is None else read_words(mine)
        chosen, unknown = chosen_terms(comparison.tables, comparison.contents(), under, words)
        old, new = (side.filter(pl.col(c.IRI).is_in(chosen.implode())) for side in (old, new))
    sorted_out, names, counted = _sort_out(comparison, (old, new), everything[0], whole=not narrowed)
    paths = comparison.pairs.lazy().select(c.PAIR, pl.coalesce(f"{c.RELPATH}_b", f"{c.RELPATH}_a").alias(c.FILE))
    described = telling.described(sorted_out, names).join(paths, on=c.PAIR, how="left", maintain_order="left")
    shown = counted.rename({f"{c.RELPATH}_a": c.FILE_A, f"{c.RELPATH}_b": c.FILE_B})
    # several sections are made of each
    found = comparison.tables.collect(
        {"changes": described, "files": shown.sort(c.STATE, c.FILE_B, c.FILE_A, nulls_last=True)}, held=True
    )
    # of a side without facts no header is known either
    paired = [c.STEP, f"{c.RELPATH}_a", f"{c.RELPATH}_b"]
    known = comparison.pairs.lazy().drop_nulls(["digest_a", "digest_b"]).select(paired)
    heads = comparison.heads.lazy().join(known, on=paired, how="semi", maintain_order="left")
    return ChangedTerms(found["changes"].lazy(), head_pipelines.changed_fields(heads), found["files"].lazy(), unknown)


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

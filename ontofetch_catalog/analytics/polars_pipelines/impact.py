"""The pipelines of the report `impact`: what became of a curator's own terms, and what to use instead.

LazyFrame in, LazyFrame out: nothing here reads a source or collects.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c
from ..terms.chosen import WORD

GONE, OBSOLETE, UNKNOWN, FINE = "gone", "obsolete", "unknown", "fine"
STATUSES = (
    GONE,
    OBSOLETE,
    UNKNOWN,
    c.MERGED,
    c.RENAMESPACED,
    c.MOVED,
    c.RELABELLED,
    c.REDEFINED,
    c.REVIVED,
    c.OTHER,
    FINE,
)


def impact(asked: pl.LazyFrame, lives: pl.LazyFrame, changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return a row per term of the list and IRI that it means, those that need work first.

    Args:
        asked: word, iri; iri is null where no release has such a term.
        lives: Per iri what `lives.now` says.
        changes: What `meaning.described` says of the last step, of these terms.
    """
    step = changes.select(
        c.IRI, pl.col(c.CHANGE).cast(pl.String), c.BEFORE, c.AFTER, pl.col(c.REPLACED_BY).alias("instead")
    ).unique(c.IRI, keep="first", maintain_order=True)
    change, state = pl.col(c.CHANGE), pl.col(c.STATE)
    status = (
        pl.when(state.is_null())
        .then(pl.lit(UNKNOWN))
        .when(change.is_in([c.MERGED, c.RENAMESPACED]))
        .then(change)
        .when(state == "gone")
        .then(pl.lit(GONE))
        # also where an earlier version of the file, which the release has as well, still knows it
        .when((state == "obsolete") | (change == c.OBSOLETED).fill_null(value=False))
        .then(pl.lit(OBSOLETE))
        .when(change.is_in(STATUSES))
        .then(change)
        .otherwise(pl.lit(FINE))
    )
    return (
        asked.join(lives, on=c.IRI, how="left")
        .join(step, on=c.IRI, how="left")
        .with_columns(
            status.cast(pl.Enum(STATUSES)).alias("status"),
            pl.coalesce(pl.col(c.REPLACED_BY), "instead").alias(c.REPLACED_BY),
            pl.coalesce("removed_in", "obsolete_since").alias("since"),
        )
        .sort("status", WORD, c.IRI)
    )

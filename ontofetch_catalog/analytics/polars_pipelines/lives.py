"""The pipelines of a term's life: what each release says of it, and when that changed.

LazyFrame in, LazyFrame out: nothing here reads a source or collects. They speak of

- *seen*: rows of tables of terms with version_id, slot, position and relpath of the release and file that has them.
- *releases*: slot, position, version_id of those whose files are known, each series in its order.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c
from .pairing import natural
from .terms import MENTION

TOLD = (
    c.KIND, c.LABEL, c.LABEL_DIGEST, c.DEFINITION, c.DEFINITION_DIGEST, c.DEPRECATED, c.REPLACED_BY, c.CONSIDER,
    c.PARENTS, c.DIGEST,
)  # fmt: skip
FIRST, BACK = "first", "back"
EVENTS = (
    FIRST, c.TERM_REMOVED, BACK, c.OBSOLETED, c.REVIVED, c.RELABELLED, c.REDEFINED, c.MOVED, c.OTHER,
)  # fmt: skip
_KEY = [c.SLOT, c.IRI]


def one_per_release(seen: pl.LazyFrame) -> pl.LazyFrame:
    """Return of each release and term one row, of several files that have it the one that says most.

    One that is more than mentioned, that has a label, that has a definition; of equals, the last by the files' names.
    An alignment that declares the classes of another file does not stand in for that file.
    """
    worse = {
        "mentioned": pl.col(c.KIND) == MENTION,
        "unlabelled": pl.col(c.LABEL).is_null(),
        "undefined": pl.col(c.DEFINITION).is_null(),
    }
    return (
        seen.with_columns(**worse, order=natural(pl.col(c.RELPATH)))
        .sort(c.VERSION_ID, c.IRI, *worse, "order", descending=[False] * (2 + len(worse)) + [True])
        .unique([c.VERSION_ID, c.IRI], keep="first", maintain_order=True)
        .drop(*worse, "order")
    )


def lives(seen: pl.LazyFrame, releases: pl.LazyFrame) -> pl.LazyFrame:
    """Return each release of a series from the first that has a term on, with `event`: what happened to it there.

    Null where nothing did; a term that is not there has nulls, and the event `removed` where it was there before.
    """
    known = releases.with_columns(pl.col(c.POSITION).rank("dense").over(c.SLOT).alias("at"))
    first = (
        seen.join(known.select(c.VERSION_ID, "at"), on=c.VERSION_ID)
        .group_by(_KEY)
        .agg(pl.col("at").min().alias("start"))
    )
    every = first.join(known, on=c.SLOT).filter(pl.col("at") >= pl.col("start"))
    rows = every.join(seen.drop(c.SLOT, c.POSITION), on=[c.VERSION_ID, c.IRI], how="left").sort(*_KEY, "at")
    here = pl.col(c.DIGEST).is_not_null()
    was = {name: pl.col(name).shift(1).over(_KEY) for name in TOLD}
    was_here = was[c.DIGEST].is_not_null()
    gone_before = here.shift(1).over(_KEY).not_()

    def differs(name: str) -> pl.Expr:
        return pl.col(name).ne_missing(was[name])

    event = (
        pl.when(pl.col("at") == pl.col("start"))
        .then(pl.lit(FIRST))
        .when(~here & was_here)
        .then(pl.lit(c.TERM_REMOVED))
        .when(here & gone_before)
        .then(pl.lit(BACK))
        .when(~here)
        .then(None)
        .when(pl.col(c.DEPRECATED) & ~was[c.DEPRECATED])
        .then(pl.lit(c.OBSOLETED))
        .when(~pl.col(c.DEPRECATED) & was[c.DEPRECATED])
        .then(pl.lit(c.REVIVED))
        .when(differs(c.LABEL_DIGEST))
        .then(pl.lit(c.RELABELLED))
        .when(differs(c.DEFINITION_DIGEST))
        .then(pl.lit(c.REDEFINED))
        .when(differs(c.PARENTS))
        .then(pl.lit(c.MOVED))
        .when(differs(c.DIGEST))
        .then(pl.lit(c.OTHER))
    )
    return rows.with_columns(
        event.alias("event"),
        pl.col(c.REPLACED_BY).list.join(" ").replace("", None),
        pl.col(c.CONSIDER).list.join(" ").replace("", None),
        pl.col(c.PARENTS).list.join(" ").replace("", None),
    )


def now(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return per series and term one row: since when, until when, what it says last, how its releases stand to it."""
    here = pl.col(c.DIGEST).is_not_null()
    last = [pl.col(name).filter(here).last() for name in (c.LABEL, c.DEFINITION, c.KIND, c.DEPRECATED)]
    more = [pl.col(name).filter(here).last() for name in (c.REPLACED_BY, c.CONSIDER, c.PARENTS, c.RELPATH)]
    release, event = pl.col(c.VERSION_ID), pl.col("event")
    return (
        rows.group_by(_KEY, maintain_order=True)
        .agg(
            *last,
            *more,
            release.first().alias("since"),
            release.filter(here).last().alias("until"),
            here.last().alias("is_there"),
            release.filter(event == c.OBSOLETED).last().alias("obsolete_since"),
            release.filter(event == c.TERM_REMOVED).last().alias("removed_in"),
            here.sum().alias(c.RELEASES),
        )
        .with_columns(
            pl.when(~pl.col("is_there"))
            .then(pl.lit("gone"))
            .when(c.DEPRECATED)
            .then(pl.lit("obsolete"))
            .otherwise(pl.lit("current"))
            .alias(c.STATE),
            # obsolete in the first release that is known already
            pl.when(c.DEPRECATED).then(pl.coalesce("obsolete_since", "since")).alias("obsolete_since"),
            pl.when(~pl.col("is_there")).then("removed_in").alias("removed_in"),
        )
    )

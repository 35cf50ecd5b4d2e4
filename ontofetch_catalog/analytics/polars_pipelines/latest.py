"""The pipelines of the report `latest`: what releases hold, their largest files, what made them grow.

LazyFrame in, LazyFrame out: nothing here reads a source or collects.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from .. import columns as c
from .growth import change_totals, growth_of

OUTCOMES = (
    pl.col(c.PASSED).fill_null(value=False).sum().alias(c.PASSED_FILES),
    (~pl.col(c.PASSED)).fill_null(value=False).sum().alias(c.FAILED_FILES),
    pl.col(c.NOT_JUDGED).fill_null(value=False).sum().alias(c.UNJUDGED_FILES),
    (pl.col(c.PASSED).is_null() & ~pl.col(c.NOT_JUDGED).fill_null(value=False)).sum().alias(c.UNVALIDATED_FILES),
)


def format_totals(files: pl.LazyFrame) -> pl.LazyFrame:
    """Return version_id, format → files, size_bytes, share of the release, and files by outcome."""
    totals = files.group_by(c.VERSION_ID, c.FORMAT).agg(pl.len().alias(c.FILES), pl.col(c.SIZE).sum(), *OUTCOMES)
    return totals.with_columns(_share().over(c.VERSION_ID)).sort(
        c.VERSION_ID, c.SIZE, c.FORMAT, descending=[False, True, False]
    )


def version_totals(files: pl.LazyFrame) -> pl.LazyFrame:
    """Return version_id → files, size_bytes, formats, files by outcome, last_verified."""
    never = pl.col(c.VERIFIED_AT).null_count() > 0
    return files.group_by(c.VERSION_ID).agg(
        pl.len().alias(c.FILES),
        pl.col(c.SIZE).sum(),
        pl.col(c.FORMAT).n_unique().alias(c.FORMATS),
        *OUTCOMES,
        pl.when(~never).then(pl.col(c.VERIFIED_AT).min()).alias(c.LAST_VERIFIED),
    )


def release_summary(versions: pl.LazyFrame, files: pl.LazyFrame, changes: pl.LazyFrame, day: date) -> pl.LazyFrame:
    """Return one row per release: what it holds, and what changed since the one before; ages are days to `day`.

    Where there is none before, the columns of change are null.
    """
    has_previous = pl.col(c.PREVIOUS_VERSION_ID).is_not_null()
    since = pl.coalesce(c.RELEASED, pl.col(c.CREATED_AT).dt.date())
    totals = version_totals(files)
    changed = change_totals(changes, c.VERSION_ID)
    net = pl.col(c.ADDED_BYTES) - pl.col(c.REMOVED_BYTES) + pl.col(c.MODIFIED_DELTA)
    counts = pl.col(c.ADDED_FILES, c.REMOVED_FILES, c.MODIFIED_FILES, c.RENAMED_FILES, c.CHURN, c.NET)
    held = pl.col(c.FILES, c.SIZE, c.FORMATS, c.PASSED_FILES, c.FAILED_FILES, c.UNJUDGED_FILES, c.UNVALIDATED_FILES)
    return (
        versions.join(totals, on=c.VERSION_ID, how="left")
        .join(changed, on=c.VERSION_ID, how="left")
        .with_columns((pl.lit(day) - since).dt.total_days().alias(c.AGE_DAYS), net.alias(c.NET), held.fill_null(0))
        .with_columns(pl.when(has_previous).then(counts.fill_null(0)))
        .sort(c.VERSION_ID)
    )


def largest_files(files: pl.LazyFrame, count: int) -> pl.LazyFrame:
    """Return the `count` largest files of each release, the largest first, with their share of its bytes."""
    # first by size alone, so that only candidates are sorted by path
    enough = pl.col(c.SIZE).top_k(count).min().over(c.VERSION_ID)
    return (
        files.select(c.VERSION_ID, c.RELPATH, c.FORMAT, c.SIZE, _share().over(c.VERSION_ID))
        .filter(pl.col(c.SIZE) >= enough)
        .sort(c.VERSION_ID, c.SIZE, c.RELPATH, descending=[False, True, False])
        .group_by(c.VERSION_ID, maintain_order=True)
        .head(count)
    )


def growth_contributors(changes: pl.LazyFrame, count: int) -> pl.LazyFrame:
    """Return the `count` changes of each release (version_id) that add most bytes, with size_bytes and size_delta."""
    return (
        changes.with_columns(growth_of().alias(c.DELTA), pl.col(c.SIZE_B).alias(c.SIZE))
        .filter(pl.col(c.DELTA) > 0)
        .sort(c.VERSION_ID, c.DELTA, c.RELPATH, descending=[False, True, False])
        .group_by(c.VERSION_ID, maintain_order=True)
        .head(count)
    )


def _share() -> pl.Expr:
    total = pl.col(c.SIZE).sum()
    return pl.when(total > 0).then(pl.col(c.SIZE) / total).otherwise(0.0).alias(c.SHARE)

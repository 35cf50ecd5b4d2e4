"""The pipelines of the report `growth` for a series: release by release, and binned by time.

LazyFrame in, LazyFrame out: nothing here reads a source or collects.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c

EVERY = {"week": "1w", "month": "1mo"}
_ADDED_UP = (
    c.ADDED_FILES,
    c.REMOVED_FILES,
    c.MODIFIED_FILES,
    c.RENAMED_FILES,
    c.ADDED_BYTES,
    c.REMOVED_BYTES,
    c.MODIFIED_DELTA,
    c.NET,
    c.CHURN,
)


def release_times(versions: pl.LazyFrame) -> pl.LazyFrame:
    """Return `versions` (of whole series) with release_time, and their position.

    The time is the release date if every release of the series has one, else the time of recording: a mixture of both
    would have no order.
    """
    dated = pl.col(c.RELEASED).is_not_null().all().over(c.SLOT)
    midnight = pl.col(c.RELEASED).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return versions.with_row_index(c.POSITION).with_columns(
        pl.when(dated).then(midnight).otherwise(c.CREATED_AT).alias(c.RELEASE_TIME)
    )


def timeline(releases: pl.LazyFrame, sums: pl.LazyFrame, totals: pl.LazyFrame) -> pl.LazyFrame:
    """Return what each release holds and what changed in it, with its time, in the order of `releases`.

    What changed is null without a release before.

    Args:
        releases: As `release_times` says.
        sums: version_id → what changed, of releases with a change.
        totals: version_id, files, size_bytes; several rows of a release add up.
    """
    held = totals.group_by(c.VERSION_ID).agg(pl.col(c.FILES, c.SIZE).sum())
    has_previous = pl.col(c.PREVIOUS_VERSION_ID).is_not_null()
    changed = [name for name in _ADDED_UP if name != c.NET]
    net = pl.col(c.ADDED_BYTES) - pl.col(c.REMOVED_BYTES) + pl.col(c.MODIFIED_DELTA)
    elsewhere = pl.col(c.ADDED_FILES) + pl.col(c.MODIFIED_FILES) + pl.col(c.RENAMED_FILES)
    return (
        releases.select(c.VERSION_ID, c.PREVIOUS_VERSION_ID, c.INCOMPLETE, c.RELEASE_TIME, c.POSITION)
        .join(held, on=c.VERSION_ID, how="left")
        .join(sums, on=c.VERSION_ID, how="left")
        .with_columns(pl.col(c.FILES, c.SIZE).fill_null(0), pl.when(has_previous).then(pl.col(changed).fill_null(0)))
        .with_columns(net.alias(c.NET), (pl.col(c.FILES) - elsewhere).alias(c.UNCHANGED_FILES))
        .sort(c.POSITION)
    )


def bins(line: pl.LazyFrame, every: str) -> pl.LazyFrame:
    """Return one row per week or month from the first release to the last.

    What changed in a bin is the sum over its releases; files and bytes are those of its last release in series order;
    a bin without a release has no change and holds what the one before it holds.
    """
    held = [c.VERSION_ID, c.FILES, c.SIZE]
    filled = (
        line.sort(c.RELEASE_TIME, c.POSITION)
        .group_by_dynamic(pl.col(c.RELEASE_TIME).alias(c.START), every=EVERY[every])
        .agg(pl.len().alias(c.RELEASES), pl.col(held).sort_by(c.POSITION).last(), pl.col(_ADDED_UP).sum())
    )
    start = pl.col(c.START)
    every_bin = filled.select(pl.datetime_range(start.min(), start.max(), EVERY[every]).alias(c.START))
    return (
        every_bin.join(filled, on=c.START, how="left")
        .sort(c.START)
        .with_columns(pl.col(held).forward_fill(), pl.col(c.RELEASES, *_ADDED_UP).fill_null(0))
    )


def formats_over_time(releases: pl.LazyFrame, totals: pl.LazyFrame) -> pl.LazyFrame:
    """Return files and bytes per release and format, in the order of `releases`, the largest format first."""
    times = releases.select(c.VERSION_ID, c.RELEASE_TIME, c.POSITION)
    return times.join(totals, on=c.VERSION_ID).sort(
        c.POSITION, c.SIZE, pl.col(c.FORMAT).cast(pl.String), descending=[False, True, False]
    )

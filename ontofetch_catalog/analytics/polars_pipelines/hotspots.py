"""The pipeline of the report `hotspots`: ranks and cumulative shares.

LazyFrame in, LazyFrame out: nothing here reads a source or collects.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c


def concentration(totals: pl.LazyFrame, key: str, metric: str) -> pl.LazyFrame:
    """Return `totals` (`key`, files, size_bytes, failed) ranked by `metric`, with its shares and cumulative shares."""
    amount = pl.col(metric)
    whole = amount.sum()
    share = pl.when(whole > 0).then(amount / whole).otherwise(0.0)
    cumulative = pl.when(whole > 0).then(amount.cum_sum() / whole).otherwise(0.0)
    return (
        totals.sort(amount, pl.col(key).cast(pl.String), descending=[True, False])
        .with_row_index(c.RANK, offset=1)
        .with_columns(
            share.alias(c.SHARE), cumulative.alias(c.CUMULATIVE_SHARE), (pl.col(c.RANK) / pl.len()).alias(c.TOP_SHARE)
        )
    )

"""The pipelines of the report `duplicates`: contents stored more than once, within and across releases.

LazyFrame in, LazyFrame out: nothing here reads a source or collects. *copies* are file_id, size_bytes, copies,
versions, relpath, format of contents stored more than once; *shared* are version_id, files, size_bytes,
repeated_bytes, shared_bytes.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c


def contents(copies: pl.LazyFrame) -> pl.LazyFrame:
    """Return `copies` with what storing each content once would save, the most first."""
    return copies.with_columns(_saved().alias(c.SAVED)).sort(
        c.SAVED, c.COPIES, c.FILE_ID, descending=[True, True, False]
    )


def releases(shared: pl.LazyFrame) -> pl.LazyFrame:
    """Return `shared`, the releases with most copies inside them first."""
    return shared.sort(c.REPEATED, c.SHARED, c.VERSION_ID, descending=[True, True, False])


def duplicate_summary(copies: pl.LazyFrame, shared: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row: what there is, what is different, what deduplication would save within and across releases."""
    repeated = (pl.col(c.COPIES) - pl.col(c.VERSIONS)) * pl.col(c.SIZE)
    saved = copies.select(
        _saved().sum().alias(c.SAVED), repeated.sum().alias(c.REPEATED), (pl.col(c.COPIES) - 1).sum().alias("surplus")
    )
    held = shared.select(pl.len().alias(c.VERSIONS), pl.col(c.FILES).sum(), pl.col(c.SIZE).sum())
    return pl.concat([held, saved], how="horizontal").with_columns(
        (pl.col(c.FILES) - pl.col("surplus")).alias(c.CONTENTS),
        (pl.col(c.SIZE) - pl.col(c.SAVED)).alias(c.UNIQUE),
        (pl.col(c.SAVED) - pl.col(c.REPEATED)).alias(c.SHARED),
    )


def _saved() -> pl.Expr:
    return (pl.col(c.COPIES) - 1) * pl.col(c.SIZE)

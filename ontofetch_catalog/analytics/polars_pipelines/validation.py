"""The pipelines of the report `validation`: rates, what became of results, failing files.

LazyFrame in, LazyFrame out: nothing here reads a source or collects. *results* are relpath, format, validator,
validator_version, passed (null where it was not judged), reason, line, column, run_at, reused_from; *changes* are
change, validator, relpath, previous_relpath, format, or None where there is nothing to compare with.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c

_KINDS = {
    c.FIXED: c.FIXED_RESULTS,
    c.REGRESSED: c.REGRESSED_RESULTS,
    c.NEW: c.NEW_RESULTS,
    c.REMOVED: c.REMOVED_RESULTS,
}
_ORDER = {c.REGRESSED: 0, c.NEW: 1, c.FIXED: 2, c.REMOVED: 3}


def _counts() -> list[pl.Expr]:
    passed = pl.col(c.PASSED)
    return [
        pl.len().alias(c.RESULTS),
        passed.sum().alias(c.PASSED_FILES),
        (~passed).sum().alias(c.FAILED_FILES),
        passed.null_count().alias(c.UNJUDGED_FILES),
        passed.mean().alias(c.RATE),
        pl.col(c.REUSED_FROM).is_not_null().sum().alias(c.REUSED),
        pl.col(c.RUN_AT).max(),
    ]


def _kind_counts() -> list[pl.Expr]:
    return [(pl.col(c.CHANGE) == kind).sum().alias(name) for kind, name in _KINDS.items()]


def rates_by(results: pl.LazyFrame, changes: pl.LazyFrame | None, key: str) -> pl.LazyFrame:
    """Return per `key` (validator or format) results by outcome, rate, reused, last run, what became of them."""
    rates = results.group_by(key).agg(_counts())
    if changes is None:
        found = rates.with_columns(pl.lit(None, pl.Int64).alias(name) for name in _KINDS.values())
    else:
        counted = changes.group_by(key).agg(_kind_counts())
        found = rates.join(counted, on=key, how="full", coalesce=True).with_columns(
            pl.col(c.RESULTS, c.PASSED_FILES, c.FAILED_FILES, c.UNJUDGED_FILES, c.REUSED, *_KINDS.values()).fill_null(0)
        )
    return found.sort(c.RATE, pl.col(key).cast(pl.String), nulls_last=True)


def failing_files(results: pl.LazyFrame) -> pl.LazyFrame:
    """Return the failed results by path."""
    return results.filter(~pl.col(c.PASSED)).sort(c.RELPATH, c.VALIDATOR)


def unjudged_files(results: pl.LazyFrame) -> pl.LazyFrame:
    """Return the results that are neither passed nor failed, by path."""
    return results.filter(pl.col(c.PASSED).is_null()).sort(c.RELPATH, c.VALIDATOR)


def result_changes(results: pl.LazyFrame, changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return `changes` with the reason of what fails now: what broke first, then by path."""
    reasons = results.select(c.RELPATH, c.VALIDATOR, c.REASON)
    present = pl.col(c.CHANGE) != c.REMOVED
    weight = pl.col(c.CHANGE).replace_strict(_ORDER, return_dtype=pl.Int8)
    return (
        changes.join(reasons, on=[c.RELPATH, c.VALIDATOR], how="left")
        .with_columns(pl.when(present).then(c.REASON))
        .sort(weight, c.RELPATH, c.VALIDATOR)
    )


def results_by_path(results: pl.LazyFrame, changes: pl.LazyFrame | None) -> pl.LazyFrame:
    """Return every result with what became of it, failures first; removed ones and unjudged ones have no outcome."""
    columns = [c.RELPATH, c.VALIDATOR, c.FORMAT, c.PASSED, c.REASON, c.LINE, c.COLUMN]
    if changes is None:
        found = results.select(*columns, pl.lit(None, pl.String).alias(c.CHANGE))
    else:
        gone = pl.col(c.CHANGE) == c.REMOVED
        known = changes.filter(~gone).select(c.RELPATH, c.VALIDATOR, c.CHANGE)
        removed = changes.filter(gone).select(
            c.RELPATH,
            c.VALIDATOR,
            c.FORMAT,
            pl.lit(None, pl.Boolean).alias(c.PASSED),
            pl.lit(None, pl.String).alias(c.REASON),
            *(pl.lit(None, pl.Int64).alias(name) for name in (c.LINE, c.COLUMN)),
            c.CHANGE,
        )
        now = results.select(columns).join(known, on=[c.RELPATH, c.VALIDATOR], how="left")
        found = pl.concat([now, removed])
    return found.sort(c.PASSED, c.RELPATH, c.VALIDATOR, nulls_last=True)


def validation_summary(
    results: pl.LazyFrame, changes: pl.LazyFrame | None, held: pl.LazyFrame, names: tuple[str, str | None]
) -> pl.LazyFrame:
    """Return one row: files that passed, failed, were not judged or validated, the rate, what became of results.

    `held` is the number of files of the release; `names` are the release and the one it is compared with.
    """
    # null where nobody judged
    outcomes = results.group_by(c.RELPATH).agg(pl.col(c.PASSED).min())
    seen = outcomes.select(
        pl.col(c.PASSED).sum().alias(c.PASSED_FILES),
        (~pl.col(c.PASSED)).sum().alias(c.FAILED_FILES),
        pl.col(c.PASSED).null_count().alias(c.UNJUDGED_FILES),
    )
    rates = results.select(pl.len().alias(c.RESULTS), pl.col(c.PASSED).mean().alias(c.RATE))
    kinds = (
        pl.LazyFrame({name: [None] for name in _KINDS.values()}) if changes is None else changes.select(_kind_counts())
    )
    unseen = pl.col(c.FILES) - pl.col(c.PASSED_FILES) - pl.col(c.FAILED_FILES) - pl.col(c.UNJUDGED_FILES)
    return pl.concat([held, seen, rates, kinds], how="horizontal").with_columns(
        unseen.alias(c.UNVALIDATED_FILES),
        pl.lit(names[0]).alias(c.VERSION_ID),
        pl.lit(names[1], pl.String).alias("against"),
    )


def history(releases: pl.LazyFrame, totals: pl.LazyFrame) -> pl.LazyFrame:
    """Return results, passed, failed, unjudged and rate per release and validator, in the order of `releases`."""
    judged = pl.col(c.PASSED_FILES) + pl.col(c.FAILED_FILES)
    rate = pl.when(judged > 0).then(pl.col(c.PASSED_FILES) / judged)
    return (
        releases.select(c.VERSION_ID, c.RELEASE_TIME, c.POSITION)
        .join(totals, on=c.VERSION_ID)
        .with_columns(rate.alias(c.RATE))
        .sort(c.POSITION, c.VALIDATOR)
    )

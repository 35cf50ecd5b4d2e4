"""Own the lazy pipelines that turn files, outcomes and changes into the frames of reports.

LazyFrame in, LazyFrame out: nothing here reads a source or collects.

Shapes they speak of:

- *files*: version_id, relpath, format, size_bytes, verified_at, passed (null where no validator looked).
- *changes*: change, relpath, previous_relpath, format, previous_format, size_a, size_b; one row per file of A or B that
  is not unchanged, a renamed one once.
- *sides*: side (`a` or `b`), a key such as format or folder, files, size_bytes: totals of both releases.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from . import columns as c

OUTCOMES = (
    pl.col(c.PASSED).fill_null(value=False).sum().alias(c.PASSED_FILES),
    (~pl.col(c.PASSED)).fill_null(value=False).sum().alias(c.FAILED_FILES),
    pl.col(c.PASSED).null_count().alias(c.UNVALIDATED_FILES),
)


def format_totals(files: pl.LazyFrame) -> pl.LazyFrame:
    """Return version_id, format → files, size_bytes, share of the release, passed, failed and unvalidated files."""
    totals = files.group_by(c.VERSION_ID, c.FORMAT).agg(pl.len().alias(c.FILES), pl.col(c.SIZE).sum(), *OUTCOMES)
    return totals.with_columns(_share().over(c.VERSION_ID)).sort(
        c.VERSION_ID, c.SIZE, c.FORMAT, descending=[False, True, False]
    )


def version_totals(files: pl.LazyFrame) -> pl.LazyFrame:
    """Return version_id → files, size_bytes, formats, passed, failed and unvalidated files, last_verified."""
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
    held = pl.col(c.FILES, c.SIZE, c.FORMATS, c.PASSED_FILES, c.FAILED_FILES, c.UNVALIDATED_FILES)
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


def _share() -> pl.Expr:
    total = pl.col(c.SIZE).sum()
    return pl.when(total > 0).then(pl.col(c.SIZE) / total).otherwise(0.0).alias(c.SHARE)


def file_changes(changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return `changes` with size_delta, those that change most first, then by kind and path."""
    weight = pl.col(c.DELTA).abs()
    return changes.with_columns(_delta().alias(c.DELTA)).sort(
        weight, pl.col(c.CHANGE).cast(pl.String), pl.col(c.RELPATH), descending=[True, False, False]
    )


def growth_contributors(changes: pl.LazyFrame, count: int) -> pl.LazyFrame:
    """Return the `count` changes of each release (version_id) that add most bytes, with size_bytes and size_delta."""
    return (
        changes.with_columns(_delta().alias(c.DELTA), pl.col(c.SIZE_B).alias(c.SIZE))
        .filter(pl.col(c.DELTA) > 0)
        .sort(c.VERSION_ID, c.DELTA, c.RELPATH, descending=[False, True, False])
        .group_by(c.VERSION_ID, maintain_order=True)
        .head(count)
    )


def change_totals(changes: pl.LazyFrame, *keys: str) -> pl.LazyFrame:
    """Return per key → added, removed, modified and renamed files; added, removed, modified and churn bytes."""
    return changes.group_by(keys).agg(*_change_sums()) if keys else changes.select(_change_sums())


def _delta() -> pl.Expr:
    return pl.col(c.SIZE_B).fill_null(0) - pl.col(c.SIZE_A).fill_null(0)


def _change_sums() -> list[pl.Expr]:
    kind = pl.col(c.CHANGE).cast(pl.String)
    modified = kind == c.MODIFIED
    return [
        (kind == c.ADDED).sum().alias(c.ADDED_FILES),
        (kind == c.REMOVED).sum().alias(c.REMOVED_FILES),
        modified.sum().alias(c.MODIFIED_FILES),
        (kind == c.RENAMED).sum().alias(c.RENAMED_FILES),
        pl.col(c.SIZE_B).filter(kind == c.ADDED).sum().alias(c.ADDED_BYTES),
        pl.col(c.SIZE_A).filter(kind == c.REMOVED).sum().alias(c.REMOVED_BYTES),
        _delta().filter(modified).sum().alias(c.MODIFIED_DELTA),
        pl.col(c.SIZE_B).filter(kind == c.RENAMED).sum().alias(c.RENAMED_BYTES),
        pl.col(c.SIZE_B).filter(modified).sum().alias(c.CHURN),
    ]


def side_totals(sides: pl.LazyFrame, *keys: str) -> pl.LazyFrame:
    """Return per key → files_a, files_b, bytes_a, bytes_b, net_bytes of both releases, from rows per side."""
    in_a, in_b = pl.col(c.SIDE) == "a", pl.col(c.SIDE) == "b"
    sums = [
        pl.col(c.FILES).filter(in_a).sum().alias(c.FILES_A),
        pl.col(c.FILES).filter(in_b).sum().alias(c.FILES_B),
        pl.col(c.SIZE).filter(in_a).sum().alias(c.BYTES_A),
        pl.col(c.SIZE).filter(in_b).sum().alias(c.BYTES_B),
    ]
    totals = sides.group_by(keys).agg(*sums) if keys else sides.select(sums)
    return totals.with_columns((pl.col(c.BYTES_B) - pl.col(c.BYTES_A)).alias(c.NET))


def growth_by(changes: pl.LazyFrame, sides: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """Return per `key` (format or folder) what changed, the largest net growth or shrinkage first.

    A file counts where it is in B, a removed one where it was in A; net_bytes and the sides are those of the key
    itself, so that a file that moved to another folder is net growth of that folder.
    """
    totals = side_totals(sides, key).join(change_totals(changes, key), on=key, how="left")
    return _with_unchanged(totals).sort(
        pl.col(c.NET).abs(), c.CHURN, pl.col(key).cast(pl.String), descending=[True, True, False]
    )


def growth_total(changes: pl.LazyFrame, sides: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row: what changed from A to B altogether."""
    return _with_unchanged(pl.concat([side_totals(sides), change_totals(changes)], how="horizontal"))


def growth_kinds(total: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per kind of change and one for all, from `growth_total`: both sides, net, churn."""
    none = pl.lit(0)
    added, removed, renamed = pl.col(c.ADDED_BYTES), pl.col(c.REMOVED_BYTES), pl.col(c.RENAMED_BYTES)
    churn, bytes_a, bytes_b = pl.col(c.CHURN), pl.col(c.BYTES_A), pl.col(c.BYTES_B)
    rest = bytes_b - added - churn - renamed
    kinds = [
        _kind(c.ADDED, (none, pl.col(c.ADDED_FILES)), (none, added)),
        _kind(c.REMOVED, (pl.col(c.REMOVED_FILES), none), (removed, none)),
        _kind(c.MODIFIED, (pl.col(c.MODIFIED_FILES),) * 2, (churn - pl.col(c.MODIFIED_DELTA), churn), churn),
        _kind(c.RENAMED, (pl.col(c.RENAMED_FILES),) * 2, (renamed, renamed)),
        _kind(c.UNCHANGED, (pl.col(c.UNCHANGED_FILES),) * 2, (rest, rest)),
        _kind(c.TOTAL, (pl.col(c.FILES_A), pl.col(c.FILES_B)), (bytes_a, bytes_b), churn),
    ]
    return pl.concat([total.select(kind) for kind in kinds]).with_columns((bytes_b - bytes_a).alias(c.NET))


def _kind(
    kind: str, files: tuple[pl.Expr, pl.Expr], size: tuple[pl.Expr, pl.Expr], churn: pl.Expr | None = None
) -> list[pl.Expr]:
    numbers = {c.FILES_A: files[0], c.FILES_B: files[1], c.BYTES_A: size[0], c.BYTES_B: size[1]}
    numbers[c.CHURN] = pl.lit(0) if churn is None else churn
    return [pl.lit(kind).alias(c.CHANGE), *(value.cast(pl.Int64).alias(name) for name, value in numbers.items())]


def _with_unchanged(totals: pl.LazyFrame) -> pl.LazyFrame:
    elsewhere = pl.col(c.ADDED_FILES) + pl.col(c.MODIFIED_FILES) + pl.col(c.RENAMED_FILES)
    return totals.with_columns(
        pl.col(c.ADDED_FILES, c.REMOVED_FILES, c.MODIFIED_FILES, c.RENAMED_FILES).fill_null(0),
        pl.col(c.ADDED_BYTES, c.REMOVED_BYTES, c.MODIFIED_DELTA, c.RENAMED_BYTES, c.CHURN).fill_null(0),
    ).with_columns((pl.col(c.FILES_B) - elsewhere).alias(c.UNCHANGED_FILES))


def parent_folder(path: str) -> pl.Expr:
    """Return the folder of the path in the column `path`, `.` at the top."""
    return pl.col(path).str.extract("^(.*)/").fill_null(".")

"""The pipelines of the report `growth` for two releases: rows per file, sums per group and altogether.

LazyFrame in, LazyFrame out: nothing here reads a source or collects.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c


def file_changes(changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return `changes` with size_delta, those that change most first, then by kind and path."""
    weight = pl.col(c.DELTA).abs()
    return changes.with_columns(growth_of().alias(c.DELTA)).sort(
        weight, pl.col(c.CHANGE).cast(pl.String), pl.col(c.RELPATH), descending=[True, False, False]
    )


def change_totals(changes: pl.LazyFrame, *keys: str) -> pl.LazyFrame:
    """Return per key → added, removed, modified and renamed files; added, removed, modified and churn bytes."""
    return changes.group_by(keys).agg(*_change_sums()) if keys else changes.select(_change_sums())


def growth_of() -> pl.Expr:
    """Return the bytes that a change adds to the release."""
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
        growth_of().filter(modified).sum().alias(c.MODIFIED_DELTA),
        pl.col(c.SIZE_B).filter(kind == c.RENAMED).sum().alias(c.RENAMED_BYTES),
        pl.col(c.SIZE_B).filter(modified).sum().alias(c.CHURN),
    ]


def sides(totals: pl.LazyFrame, a: str, b: str) -> pl.LazyFrame:
    """Return `totals` (version_id, a key, files, size_bytes) of A and B with `side`; A may be B."""
    release = pl.col(c.VERSION_ID)
    return pl.concat(
        totals.filter(release == name).with_columns(pl.lit(side).alias(c.SIDE)) for side, name in (("a", a), ("b", b))
    )


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
    # (files in A, files in B, bytes in A, bytes in B, churn) of each kind, in the order of CHANGES and then all
    kinds = [
        (none, pl.col(c.ADDED_FILES), none, added, none),
        (pl.col(c.REMOVED_FILES), none, removed, none, none),
        (pl.col(c.MODIFIED_FILES), pl.col(c.MODIFIED_FILES), churn - pl.col(c.MODIFIED_DELTA), churn, churn),
        (pl.col(c.RENAMED_FILES), pl.col(c.RENAMED_FILES), renamed, renamed, none),
        (pl.col(c.UNCHANGED_FILES), pl.col(c.UNCHANGED_FILES), rest, rest, none),
        (pl.col(c.FILES_A), pl.col(c.FILES_B), bytes_a, bytes_b, churn),
    ]
    names = (c.FILES_A, c.FILES_B, c.BYTES_A, c.BYTES_B, c.CHURN)
    lists = [pl.concat_list([kind[at].cast(pl.Int64) for kind in kinds]).alias(name) for at, name in enumerate(names)]
    change = pl.lit([*c.CHANGES, c.TOTAL], pl.List(pl.String)).alias(c.CHANGE)
    return total.select(change, *lists).explode(c.CHANGE, *names).with_columns((bytes_b - bytes_a).alias(c.NET))


def _with_unchanged(totals: pl.LazyFrame) -> pl.LazyFrame:
    elsewhere = pl.col(c.ADDED_FILES) + pl.col(c.MODIFIED_FILES) + pl.col(c.RENAMED_FILES)
    return totals.with_columns(
        pl.col(c.ADDED_FILES, c.REMOVED_FILES, c.MODIFIED_FILES, c.RENAMED_FILES).fill_null(0),
        pl.col(c.ADDED_BYTES, c.REMOVED_BYTES, c.MODIFIED_DELTA, c.RENAMED_BYTES, c.CHURN).fill_null(0),
    ).with_columns((pl.col(c.FILES_B) - elsewhere).alias(c.UNCHANGED_FILES))


def with_folder(paths: pl.LazyFrame) -> pl.LazyFrame:
    """Return `paths` with the folder of each relpath: all before its last slash, `.` at the top."""
    return paths.with_columns(pl.col(c.RELPATH).str.extract("^(.*)/").fill_null(".").alias(c.FOLDER))

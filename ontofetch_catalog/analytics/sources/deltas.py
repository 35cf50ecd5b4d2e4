"""Say what changed between releases, as lazy frames, for sources that have no SQL; the rules are DESIGN's §4.

LazyFrame in, LazyFrame out; the catalog answers the same questions faster with its macros, and tests compare both.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c

_A, _B, _NAME, _NUMBER = "path_a", "path_b", "name", "number"
_PATH = [c.VERSION_ID, c.RELPATH]


def file_changes(a: pl.LazyFrame, b: pl.LazyFrame, *, unchanged: bool = False) -> pl.LazyFrame:
    """Return what changed from `a` to `b`, for many pairs of releases at once.

    Columns: version_id, change, relpath, previous_relpath, format, size_a, size_b, size_delta, file_id_a, file_id_b.

    Args:
        a: Files of the earlier releases: version_id (of the later one), relpath, file_id, format, size_bytes.
        b: Files of the later ones.
        unchanged: Whether unchanged files are listed.
    """
    pairs = renames(a.join(b, on=_PATH, how="anti"), b.join(a, on=_PATH, how="anti"))
    # a renamed file meets itself at its new path, which no other file of A has
    moved = a.join(pairs, left_on=_PATH, right_on=[c.VERSION_ID, _A], how="left").with_columns(
        pl.when(pl.col(_B).is_not_null()).then(c.RELPATH).alias(c.PREVIOUS_RELPATH),
        pl.coalesce(_B, c.RELPATH).alias(c.RELPATH),
    )
    was, now = pl.col(c.FILE_ID), pl.col(f"{c.FILE_ID}_b")
    size_a, size_b = pl.col(c.SIZE), pl.col(f"{c.SIZE}_b")
    kind = (
        pl.when(pl.col(c.PREVIOUS_RELPATH).is_not_null())
        .then(pl.lit(c.RENAMED))
        .when(was.is_null())
        .then(pl.lit(c.ADDED))
        .when(now.is_null())
        .then(pl.lit(c.REMOVED))
        .when(was == now)
        .then(pl.lit(c.UNCHANGED))
        .otherwise(pl.lit(c.MODIFIED))
    )
    found = moved.join(b, on=_PATH, how="full", coalesce=True, suffix="_b").select(
        c.VERSION_ID,
        kind.alias(c.CHANGE),
        c.RELPATH,
        c.PREVIOUS_RELPATH,
        pl.coalesce(f"{c.FORMAT}_b", c.FORMAT).alias(c.FORMAT),
        size_a.alias(c.SIZE_A),
        size_b.alias(c.SIZE_B),
        (size_b.fill_null(0) - size_a.fill_null(0)).alias(c.DELTA),
        was.alias(c.FILE_ID_A),
        now.alias(c.FILE_ID_B),
    )
    return found if unchanged else found.filter(pl.col(c.CHANGE) != c.UNCHANGED)


def renames(gone: pl.LazyFrame, come: pl.LazyFrame) -> pl.LazyFrame:
    """Return version_id, path_a, path_b of renamed files: equal content, equal names first, the k-th with the k-th."""
    name = pl.col(c.RELPATH).str.split("/").list.last().alias(_NAME)
    first = _paired(gone.with_columns(name), come.with_columns(name), [c.VERSION_ID, c.FILE_ID, _NAME])
    left_a = gone.join(first, left_on=_PATH, right_on=[c.VERSION_ID, _A], how="anti")
    left_b = come.join(first, left_on=_PATH, right_on=[c.VERSION_ID, _B], how="anti")
    return pl.concat([first, _paired(left_a, left_b, [c.VERSION_ID, c.FILE_ID])])


def _paired(gone: pl.LazyFrame, come: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    number = pl.int_range(pl.len()).over(keys).alias(_NUMBER)

    def numbered(files: pl.LazyFrame, path: str) -> pl.LazyFrame:
        return files.sort(c.RELPATH).select(*keys, number, pl.col(c.RELPATH).alias(path))

    return numbered(gone, _A).join(numbered(come, _B), on=[*keys, _NUMBER]).select(c.VERSION_ID, _A, _B)


def result_changes(a: pl.LazyFrame, b: pl.LazyFrame, changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return what became of results: change, validator, relpath, previous_relpath, format.

    Args:
        a: Results in the earlier release: relpath, format, validator, passed.
        b: Results in the later one.
        changes: `file_changes` of the two, with unchanged files.
    """
    kinds = [c.UNCHANGED, c.MODIFIED, c.RENAMED]
    paths = changes.filter(pl.col(c.CHANGE).is_in(kinds)).select(
        pl.col(c.RELPATH).alias(_B), pl.coalesce(c.PREVIOUS_RELPATH, c.RELPATH).alias(_A)
    )
    # a path that only one of the releases has is nobody's partner, even if the other one uses the name for another file
    before = a.join(paths, left_on=c.RELPATH, right_on=_A, how="left")
    partner = pl.coalesce(_B, pl.concat_str(pl.lit("\0"), c.RELPATH)).alias("partner")
    before = before.select(c.VALIDATOR, partner, pl.col(c.RELPATH).alias(_A), c.FORMAT, c.PASSED)
    after = b.select(c.VALIDATOR, pl.col(c.RELPATH).alias("partner"), pl.col(c.RELPATH).alias(_B), c.FORMAT, c.PASSED)
    both = before.join(after, on=[c.VALIDATOR, "partner"], how="full", coalesce=True, suffix="_b")
    was, now = pl.col(c.PASSED), pl.col(f"{c.PASSED}_b")
    path = pl.coalesce(_B, _A)
    return (
        both.with_columns(
            pl.when(pl.col(_A).is_null())
            .then(pl.lit(c.NEW))
            .when(pl.col(_B).is_null())
            .then(pl.lit(c.REMOVED))
            .when(now & ~was)
            .then(pl.lit(c.FIXED))
            .when(~now & was.fill_null(value=True))
            .then(pl.lit(c.REGRESSED))
            .otherwise(pl.lit(c.UNCHANGED))
            .alias(c.CHANGE)
        )
        .filter(pl.col(c.CHANGE) != c.UNCHANGED)
        .select(
            c.CHANGE,
            c.VALIDATOR,
            path.alias(c.RELPATH),
            pl.when(pl.col(_A) != path).then(_A).alias(c.PREVIOUS_RELPATH),
            pl.coalesce(f"{c.FORMAT}_b", c.FORMAT).alias(c.FORMAT),
        )
    )

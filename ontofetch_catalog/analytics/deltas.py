"""Own what changed between two releases as lazy frames, for sources that have no SQL; the rules are DESIGN's §4.

LazyFrame in, LazyFrame out; the catalog answers the same questions faster with its macros, and tests compare both.
"""

from __future__ import annotations

import polars as pl

from . import columns as c

_NAME = "name"
_NUMBER = "number"
_A, _B = "path_a", "path_b"


def file_changes(a: pl.LazyFrame, b: pl.LazyFrame, *, unchanged: bool = False) -> pl.LazyFrame:
    """Return what changed from `a` to `b`.

    Columns: change, relpath, previous_relpath, format, size_a, size_b, file_id_a, file_id_b.

    Args:
        a: Files of the earlier release: relpath, file_id, format, size_bytes.
        b: Files of the later one.
        unchanged: Whether unchanged files are listed.
    """
    gone = a.join(b, on=c.RELPATH, how="anti")
    come = b.join(a, on=c.RELPATH, how="anti")
    both = b.join(a.select(c.RELPATH, c.FILE_ID, c.SIZE), on=c.RELPATH, suffix="_a")
    same = pl.col(c.FILE_ID) == pl.col(f"{c.FILE_ID}_a")
    kept = both.select(
        pl.when(same).then(pl.lit(c.UNCHANGED)).otherwise(pl.lit(c.MODIFIED)).alias(c.CHANGE),
        c.RELPATH,
        pl.lit(None, pl.String).alias(c.PREVIOUS_RELPATH),
        c.FORMAT,
        pl.col(f"{c.SIZE}_a").alias(c.SIZE_A),
        pl.col(c.SIZE).alias(c.SIZE_B),
        pl.col(f"{c.FILE_ID}_a").alias(c.FILE_ID_A),
        pl.col(c.FILE_ID).alias(c.FILE_ID_B),
    )
    pairs = renames(gone, come)
    renamed = come.join(pairs, left_on=c.RELPATH, right_on=_B).select(
        pl.lit(c.RENAMED).alias(c.CHANGE),
        c.RELPATH,
        pl.col(_A).alias(c.PREVIOUS_RELPATH),
        c.FORMAT,
        pl.col(c.SIZE).alias(c.SIZE_A),
        pl.col(c.SIZE).alias(c.SIZE_B),
        pl.col(c.FILE_ID).alias(c.FILE_ID_A),
        pl.col(c.FILE_ID).alias(c.FILE_ID_B),
    )
    removed = _alone(gone.join(pairs, left_on=c.RELPATH, right_on=_A, how="anti"), c.REMOVED, c.SIZE_A)
    added = _alone(come.join(pairs, left_on=c.RELPATH, right_on=_B, how="anti"), c.ADDED, c.SIZE_B)
    shown = kept if unchanged else kept.filter(pl.col(c.CHANGE) != c.UNCHANGED)
    return pl.concat([shown, renamed, removed, added])


def _alone(files: pl.LazyFrame, kind: str, side: str) -> pl.LazyFrame:
    size, content = pl.col(c.SIZE), pl.col(c.FILE_ID)
    nothing, nobody = pl.lit(None, pl.Int64), pl.lit(None, pl.String)
    return files.select(
        pl.lit(kind).alias(c.CHANGE),
        c.RELPATH,
        pl.lit(None, pl.String).alias(c.PREVIOUS_RELPATH),
        c.FORMAT,
        (size if side == c.SIZE_A else nothing).alias(c.SIZE_A),
        (size if side == c.SIZE_B else nothing).alias(c.SIZE_B),
        (content if side == c.SIZE_A else nobody).alias(c.FILE_ID_A),
        (content if side == c.SIZE_B else nobody).alias(c.FILE_ID_B),
    )


def renames(gone: pl.LazyFrame, come: pl.LazyFrame) -> pl.LazyFrame:
    """Return path_a, path_b of renamed files: equal content, equal base names first, the k-th by path with the k-th."""
    name = pl.col(c.RELPATH).str.split("/").list.last().alias(_NAME)
    first = _paired(gone.with_columns(name), come.with_columns(name), [c.FILE_ID, _NAME])
    left_a = gone.join(first, left_on=c.RELPATH, right_on=_A, how="anti")
    left_b = come.join(first, left_on=c.RELPATH, right_on=_B, how="anti")
    return pl.concat([first, _paired(left_a, left_b, [c.FILE_ID])])


def _paired(gone: pl.LazyFrame, come: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    number = pl.int_range(pl.len()).over(keys).alias(_NUMBER)

    def numbered(files: pl.LazyFrame, path: str) -> pl.LazyFrame:
        return files.sort(c.RELPATH).select(*keys, number, pl.col(c.RELPATH).alias(path))

    return numbered(gone, _A).join(numbered(come, _B), on=[*keys, _NUMBER]).select(_A, _B)


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
            pl.when(was.is_null())
            .then(pl.lit(c.NEW))
            .when(now.is_null())
            .then(pl.lit(c.REMOVED))
            .when(was == now)
            .then(pl.lit(c.UNCHANGED))
            .when(now)
            .then(pl.lit(c.FIXED))
            .otherwise(pl.lit(c.REGRESSED))
            .alias(c.CHANGE),
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

"""The report `growth`: its columns, its chart, and which rows it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from ...errors import UsageError
from ...rendering.text import human_size
from .. import columns as c
from .. import drawing as d
from .. import fields as f
from ..fields import INT, TEXT, Contract, Field, Section
from ..polars_pipelines import growth as pipelines
from ..results import ReportResult
from ..sources import CatalogLike
from ..terms.grown import GROWN, grown_terms
from .common import Releases, check_choice, make_result
from .growth_series import growth_series


def draw(result: Mapping[str, pl.DataFrame], _: Mapping[str, object]) -> list[d.Drawn]:
    """Return net growth by format or folder."""
    import altair as alt

    key, section = (c.FOLDER, "folders") if "folders" in result else (c.FORMAT, "formats")
    groups = result[section].filter((pl.col(c.NET) != 0) | (pl.col(c.CHURN) != 0))
    if groups.is_empty():
        return []
    summary = result["summary"].row(0, named=True)
    rows, unit = d.in_units(d.largest(groups, key, c.NET, c.CHURN), c.NET)
    colour = alt.condition(f"datum.{d.AMOUNT} < 0", alt.value(d.LESS), alt.value(d.MORE))
    title = f"Net growth by {key}, {summary['a']} to {summary['b']} (churn of {human_size(summary[c.CHURN])} apart)"
    return [d.bars(rows, key, title=title, axis=unit, colour=colour, tooltip=[c.CHURN])]


GROWTH = Contract("growth", (
    Section("changes", "changed files", (
        f.CHANGE,
        f.PATH,
        Field(c.PREVIOUS_RELPATH, TEXT, "path in A of a renamed file, else null", "was", 1),
        replace(f.FORMAT, detail=4),
        f.FILE_SIZE_A,
        f.FILE_SIZE_B,
        f.DELTA,
    ), nothing="no file differs"),
    Section("formats", "by format", (f.GROUP_FORMAT, *f.GROUP), nothing="neither release has files"),
    Section("folders", "by folder", (
        Field(c.FOLDER, TEXT, "folder of the files, `.` at the top of the data folder"),
        *f.GROUP,
    ), nothing="neither release has files"),
    Section("kinds", "growth", (
        Field(c.CHANGE, f"Enum({', '.join((*c.CHANGES, c.TOTAL))})", "what happened to the files"),
        Field(c.FILES_A, INT, "files of this kind in A"),
        Field(c.FILES_B, INT, "files of this kind in B"),
        Field(c.BYTES_A, INT, "their bytes in A"),
        Field(c.BYTES_B, INT, "their bytes in B"),
        f.NET,
        f.CHURN,
    ), whole=True),
    Section("summary", "growth", (
        Field("a", TEXT, "version_id of A"),
        Field("b", TEXT, "version_id of B"),
        *f.GROUP,
        *GROWN,
    ), shown=False),
), order=("kinds",), draw=draw)  # fmt: skip


BY = ("path", "format", "folder")
# what of a change is looked at, for each way to group
_CHANGE = {
    "path": (c.CHANGE, c.RELPATH, c.PREVIOUS_RELPATH, c.FORMAT, c.SIZE_A, c.SIZE_B),
    "format": (c.CHANGE, c.FORMAT, c.SIZE_A, c.SIZE_B),
    "folder": (c.CHANGE, c.RELPATH, c.SIZE_A, c.SIZE_B),
}
SECTIONS = {c.FORMAT: "formats", c.FOLDER: "folders"}


def growth(
    catalog: CatalogLike,
    *,
    a: str | None = None,
    b: str | None = None,
    by: str = "path",
    all: bool = False,  # noqa: A002 - named like its option
    series: str | None = None,
    last: int | str | None = None,
    every: str | None = None,
    anyway: bool = False,
) -> ReportResult:
    """Return what changed from release `a` to release `b`, or over a series; churn apart from net growth.

    Args:
        a: The earlier release; None for the one before `b` in its series.
        b: The later release; None for the latest one of the series of `a`, or of the only series. If that is `a`
            itself, it is held against the release before it.
        by: What the main frame is about: `path`, `format` or `folder`.
        all: Whether unchanged files are listed too.
        series: Asks for a time line over this series instead, see `growth_series`.
        last: Asks for a time line over so many releases.
        every: Asks for a time line by `week` or `month`.
        anyway: Whether releases of two series are compared.

    Raises:
        VersionUnknown, AmbiguousVersion: A name means no release or several, or there is none before `b`.
        UsageError: `by` is none of the three, releases and a series are both named, or they are of two series.
    """
    if (series, last, every) != (None, None, None):
        _check_time_line(pair=bool(a or b or all or by != "path"))
        return growth_series(catalog, series=series, last=last, every=every)
    return _compare(catalog, a, b, by=by, everything=all, anyway=anyway)


def _compare(
    catalog: CatalogLike, a: str | None, b: str | None, *, by: str, everything: bool, anyway: bool
) -> ReportResult:
    """Return what changed between two releases."""
    group = c.FOLDER if check_choice("--by", by, BY) == "folder" else c.FORMAT
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader, Releases.NEWEST)
        earlier, later = releases.pair(a, b, anyway=anyway)
        changes = reader.changes([(earlier, later)], _CHANGE[by], unchanged=everything and by == "path")
        totals = reader.totals(group, [earlier, later])
        terms = grown_terms(catalog, reader, [(earlier, later)])
    sides = pipelines.sides(totals, earlier, later)
    total = pipelines.growth_total(changes, sides)
    placed = pipelines.with_folder(changes) if group == c.FOLDER else changes
    frames = {
        **({"changes": pipelines.file_changes(changes)} if by == "path" else {}),
        SECTIONS[group]: pipelines.growth_by(placed, sides, group),
        "kinds": pipelines.growth_kinds(total),
        "summary": total.with_columns(pl.lit(earlier).alias("a"), pl.lit(later).alias("b")).join(
            terms, left_on="b", right_on=c.VERSION_ID, how="left"
        ),
    }
    result = make_result(catalog, GROWTH, frames, {"a": earlier, "b": later, "by": by, "all": everything}, held=True)
    renamed = int(result["summary"][c.RENAMED_FILES].item())
    hidden = {} if renamed else {"changes": (c.PREVIOUS_RELPATH,)}
    return replace(result, hidden=hidden, titles={"kinds": f"growth from {earlier} to {later}"})


def _check_time_line(*, pair: bool) -> None:
    """Refuse what is about two releases beside a time line."""
    if pair:
        raise UsageError(
            "A time line goes over a series, not from A to B.",
            subject="--series",
            hint="Leave out --a, --b, --by and --all, or --series, --last and --every.",
        )

"""Own the report `growth`: which rows it reads and which frames it makes of them."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from ...errors import UsageError
from .. import columns as c
from ..catalog import Catalog
from ..contracts import GROWTH
from ..polars_pipelines import growth as pipelines
from ..results import ReportResult
from .common import Releases, check_choice, make_result
from .timeline import timeline

BY = ("path", "format", "folder")
# what of a change is looked at, for each way to group
_CHANGE = {
    "path": (c.CHANGE, c.RELPATH, c.PREVIOUS_RELPATH, c.FORMAT, c.SIZE_A, c.SIZE_B),
    "format": (c.CHANGE, c.FORMAT, c.SIZE_A, c.SIZE_B),
    "folder": (c.CHANGE, c.RELPATH, c.SIZE_A, c.SIZE_B),
}
SECTIONS = {c.FORMAT: "formats", c.FOLDER: "folders"}


def growth(
    catalog: Catalog,
    *,
    a: str | None = None,
    b: str | None = None,
    by: str = "path",
    all: bool = False,  # noqa: A002 - named like its option
    series: str | None = None,
    last: int | str | None = None,
    every: str | None = None,
) -> ReportResult:
    """Return what changed from release `a` to release `b`, or over a series; churn apart from net growth.

    Args:
        catalog: The catalog.
        a: The earlier release; None for the one before `b` in its series.
        b: The later release; None for the latest one of the only series.
        by: What the main frame is about: `path`, `format` or `folder`.
        all: Whether unchanged files are listed too.
        series: Asks for a time line over this series instead, see `timeline.timeline`.
        last: Asks for a time line over so many releases.
        every: Asks for a time line by `week` or `month`.

    Raises:
        VersionUnknown, AmbiguousVersion: A name means no release or several, or there is none before `b`.
        UsageError: `by` is none of the three, or releases and a series are both named.
    """
    if (series, last, every) != (None, None, None):
        if a or b or all or by != "path":
            raise UsageError(
                "A time line goes over a series, not from A to B.",
                subject="--series",
                hint="Leave out --a, --b, --by and --all, or --series, --last and --every.",
            )
        return timeline(catalog, series=series, last=last, every=every)
    group = c.FOLDER if check_choice("--by", by, BY) == "folder" else c.FORMAT
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader, Releases.NEWEST)
        later = releases.one(b)
        earlier = releases.one(a) if a else releases.before(later, "--a")
        changes = reader.changes([(earlier, later)], _CHANGE[by], unchanged=all and by == "path")
        totals = reader.totals(group, [earlier, later])
    sides = pipelines.sides(totals, earlier, later)
    total = pipelines.growth_total(changes, sides)
    placed = pipelines.with_folder(changes) if group == c.FOLDER else changes
    frames = {
        **({"changes": pipelines.file_changes(changes)} if by == "path" else {}),
        SECTIONS[group]: pipelines.growth_by(placed, sides, group),
        "kinds": pipelines.growth_kinds(total),
        "summary": total.with_columns(pl.lit(earlier).alias("a"), pl.lit(later).alias("b")),
    }
    result = make_result(catalog, GROWTH, frames, {"a": earlier, "b": later, "by": by, "all": all})
    renamed = int(result["summary"][c.RENAMED_FILES].item())
    hidden = {} if renamed else {"changes": (c.PREVIOUS_RELPATH,)}
    return replace(result, hidden=hidden, titles={"kinds": f"growth from {earlier} to {later}"})

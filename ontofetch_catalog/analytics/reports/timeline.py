"""Own the report `growth` for a series: which rows it reads and which frames it makes of them."""

from __future__ import annotations

from .. import columns as c
from ..catalog import Catalog
from ..contracts import TIMELINE
from ..execution import collect
from ..polars_pipelines import timeline as pipelines
from ..results import ReportResult
from .common import Releases, check_choice, make_result, pairs_of, parse_count


def timeline(
    catalog: Catalog, *, series: str | None = None, last: int | str | None = None, every: str | None = None
) -> ReportResult:
    """Return what changed from release to release of a series, or per week or month.

    Args:
        catalog: The catalog.
        series: The series; None for the only one.
        last: Only that many of its newest releases; None for all.
        every: `week` or `month` to sum up by time; None for release by release.

    Raises:
        VersionUnknown, AmbiguousVersion: `series` means none or several.
        UsageError: `every` is neither, or `last` no count.
    """
    count = parse_count("--last", last)
    if every is not None:
        check_choice("--every", every, tuple(pipelines.EVERY))
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader, Releases.DATES)
        slot = reader.resolve_series(series or "")
        timed = pipelines.release_times(releases.series(slot).lazy())
        chosen = collect({"releases": timed.tail(count) if count else timed}, catalog.tell)["releases"]
        sums, totals = reader.change_sums(pairs_of(chosen)), reader.totals(c.FORMAT, chosen[c.VERSION_ID].to_list())
    line = pipelines.timeline(chosen.lazy(), sums, totals)
    frames = {
        "timeline": line,
        "formats": pipelines.formats_over_time(chosen.lazy(), totals),
    }
    if every is not None:
        frames = {"bins": pipelines.bins(line, every), **frames}
    return make_result(catalog, TIMELINE, frames, {"series": slot, "last": count, "every": every})

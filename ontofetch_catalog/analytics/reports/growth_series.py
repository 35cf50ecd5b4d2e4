"""The report `growth` over a series: its columns, its chart, and which rows it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from .. import columns as c
from .. import drawing as d
from .. import fields as f
from ..collect import collect
from ..fields import INT, TEXT, TIME, Contract, Field, Section
from ..polars_pipelines import timeline as pipelines
from ..results import ReportResult
from ..sources import CatalogLike, pairs_of
from ..terms.grown import GROWN, grown_terms
from .common import Releases, check_choice, make_result, parse_count, times_told

if TYPE_CHECKING:
    import altair as alt

_KIND = "kind"
_FLOWS = {c.ADDED_BYTES: "added", c.REMOVED_BYTES: "removed", c.CHURN: "rewritten (churn)"}


def draw(result: Mapping[str, pl.DataFrame], parameters: Mapping[str, object]) -> list[d.Drawn]:
    """Return what releases hold and what changed in each, release by release or over time."""
    import altair as alt

    line = d.short_versions(result["timeline"])
    if line.is_empty():
        return []
    names = list(line[d.LABEL])
    charts = [
        d.stacked_formats(result["formats"], names, "Bytes by format, release by release", lying=False),
        _changed(line, d.release_axis(names), "Changed bytes, release by release"),
    ]
    if "bins" in result:
        start = alt.X(f"{c.START}:T", title=None, axis=alt.Axis(format="%Y-%m-%d"), scale=alt.Scale(type="utc"))
        bins = result["bins"].with_columns(pl.col(c.START).dt.epoch("ms"), pl.col(c.VERSION_ID).alias(d.LABEL))
        charts = [_over_time(bins, start), _changed(bins, start, f"Changed bytes by {parameters['every']}")]
    return charts


def _over_time(bins: pl.DataFrame, start: alt.X) -> d.Drawn:
    import altair as alt

    rows, unit = d.in_units(bins.select(c.START, d.LABEL, c.SIZE, c.RELEASES), c.SIZE)
    base = alt.Chart(d.data_of(rows), width=d.WIDTH, height=240)
    hints = [alt.Tooltip(f"{name}:N") for name in (d.LABEL, d.SHOWN, c.RELEASES)]
    line = base.mark_line(interpolate="step-after", color=d.PLAIN).encode(x=start, y=alt.Y(f"{d.AMOUNT}:Q", title=unit))
    points = base.transform_filter(f"datum.{c.RELEASES} > 0").mark_point(filled=True, size=60, color=d.PLAIN)
    shown = points.encode(x=start, y=f"{d.AMOUNT}:Q", tooltip=hints)
    return alt.layer(line, shown, title="Bytes of the last release")


def _changed(line: pl.DataFrame, x: alt.X, title: str) -> d.Drawn:
    import altair as alt

    place = c.START if c.START in line.columns else d.LABEL
    flows = line.select(place, *_FLOWS).with_columns(-pl.col(c.REMOVED_BYTES)).rename(_FLOWS)
    long = flows.unpivot(index=place, variable_name=_KIND, value_name=c.SIZE).drop_nulls(c.SIZE)
    rows, unit = d.in_units(long, c.SIZE, pl.col(place))
    width: dict[str, Any] = {"width": 8} if place == c.START else {}
    return (
        alt.Chart(d.data_of(rows), title=title, width=d.WIDTH, height=200)
        .mark_bar(**width)
        .encode(
            x=x,
            y=alt.Y(f"{d.AMOUNT}:Q", title=unit),
            color=alt.Color(f"{_KIND}:N", title=None, scale=d.colours_of([*_FLOWS.values()])),
            tooltip=[alt.Tooltip(f"{name}:N") for name in (_KIND, d.SHOWN)],
        )
    )


_TIME = Field(
    c.RELEASE_TIME,
    TIME,
    "its release date at midnight UTC if every release of the series has one, else when it was recorded",
    "released",
)
_CHANGED = (
    *(replace(field, detail=1) if field.name == c.RENAMED_FILES else field for field in f.COUNTS),
    *(field for field in f.BYTES if field.name != c.RENAMED_BYTES),
)
_NULL = "; null where there is no release before"

GROWTH_SERIES = Contract("growth", (
    Section("timeline", "growth release by release", (
        f.VERSION,
        replace(f.INCOMPLETE, detail=4),
        replace(_TIME, detail=2),
        replace(f.FILES, detail=3),
        f.SIZE,
        *(replace(field, meaning=field.meaning + _NULL) for field in (*_CHANGED, f.UNCHANGED)),
        *GROWN,
    ), newest_last=True),
    Section("bins", "growth over time", (
        Field(c.START, TIME, "start of the week (Monday) or month, UTC"),
        Field(c.RELEASES, INT, "number of releases in it"),
        Field(c.VERSION_ID, TEXT, "the last release in it or before it", "last release", 4),
        replace(f.FILES, meaning="files of that release", detail=3),
        replace(f.SIZE, meaning="bytes of that release"),
        *_CHANGED,
    ), newest_last=True),
    Section("formats", "formats release by release", (f.VERSION, _TIME, f.GROUP_FORMAT, f.FILES, f.SIZE), shown=False),
), order=("bins", "timeline"), draw=draw)  # fmt: skip


def growth_series(
    catalog: CatalogLike, *, series: str | None = None, last: int | str | None = None, every: str | None = None
) -> ReportResult:
    """Return what changed from release to release of a series, or per week or month.

    Args:
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
        releases = Releases(catalog, reader, Releases.DATES + Releases.STATE)
        slot = reader.resolve_series(series or "")
        series_rows = releases.series(slot)
        told = times_told(series_rows)
        timed = pipelines.release_times(series_rows.lazy())
        chosen = collect({"releases": timed.tail(count) if count else timed}, catalog.tell, held=True)["releases"]
        sums, totals = reader.change_sums(pairs_of(chosen)), reader.totals(c.FORMAT, chosen[c.VERSION_ID].to_list())
        terms = grown_terms(catalog, reader, pairs_of(chosen))
        reader.has_asked()
        line = pipelines.timeline(chosen.lazy(), sums, totals)
        shown = line.join(terms, on=c.VERSION_ID, how="left", maintain_order="left")
        frames = {"timeline": shown, "formats": pipelines.formats_over_time(chosen.lazy(), totals)}
        if every is not None:
            frames = {"bins": pipelines.bins(line, every), **frames}
        result = make_result(
            catalog, GROWTH_SERIES, frames, {"series": slot, "last": count, "every": every, "times": told}, held=True
        )
    return replace(result, headings={"timeline": {c.RELEASE_TIME: told}, "formats": {c.RELEASE_TIME: told}})

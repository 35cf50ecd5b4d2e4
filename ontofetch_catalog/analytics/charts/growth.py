"""Own the charts of the report `growth`: net growth by group, and a series release by release or over time."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from ...rendering.text import human_size
from .. import columns as c
from ..results import ReportResult
from .common import (
    AMOUNT,
    CALM,
    LABEL,
    LESS,
    MORE,
    RANK,
    SHOWN,
    WIDTH,
    Drawn,
    bars,
    data_of,
    fold,
    format_colour,
    in_units,
    largest,
    release_axis,
    short_versions,
)

_KIND = "kind"
_FLOWS = {c.ADDED_BYTES: "added", c.REMOVED_BYTES: "removed", c.CHURN: "rewritten (churn)"}
_COLOURS = {"added": MORE, "removed": LESS, "rewritten (churn)": CALM}


def draw(result: ReportResult) -> list[Drawn]:
    """Return net growth by format or folder; of a time line what releases hold and what changed in each."""
    if "timeline" in result:
        return _line(result)
    key, section = (c.FOLDER, "folders") if "folders" in result else (c.FORMAT, "formats")
    groups = result[section].filter((pl.col(c.NET) != 0) | (pl.col(c.CHURN) != 0))
    if groups.is_empty():
        return []
    summary = result["summary"].row(0, named=True)
    rows, unit = in_units(largest(groups, key, c.NET, c.CHURN), c.NET)
    colour = alt.condition(f"datum.{AMOUNT} < 0", alt.value(LESS), alt.value(MORE))
    title = f"Net growth by {key}, {summary['a']} to {summary['b']} (churn of {human_size(summary[c.CHURN])} apart)"
    return [bars(rows, key, title=title, axis=unit, colour=colour, tooltip=[c.CHURN])]


def _line(result: ReportResult) -> list[Drawn]:
    line = short_versions(result["timeline"])
    if line.is_empty():
        return []
    names = list(line[LABEL])
    charts = [_held(result["formats"], names), _changed(line, release_axis(names), "Changed bytes, release by release")]
    if "bins" in result:
        start = alt.X(f"{c.START}:T", title=None, axis=alt.Axis(format="%Y-%m-%d"), scale=alt.Scale(type="utc"))
        bins = result["bins"].with_columns(pl.col(c.START).dt.epoch("ms"), pl.col(c.VERSION_ID).alias(LABEL))
        charts = [_over_time(bins, start), _changed(bins, start, f"Changed bytes by {result.parameters['every']}")]
    return charts


def _held(formats: pl.DataFrame, names: list[str]) -> Drawn:
    folded, kinds = fold(formats)
    rows, unit = in_units(short_versions(folded), c.SIZE, pl.col(c.VERSION_ID))
    return (
        alt.Chart(data_of(rows), title="Bytes by format, release by release", width=WIDTH, height=240)
        .mark_bar()
        .encode(
            x=release_axis(names),
            y=alt.Y(f"{AMOUNT}:Q", title=unit),
            color=format_colour(kinds),
            order=alt.Order(f"{RANK}:Q"),
            tooltip=[alt.Tooltip(f"{name}:N") for name in (LABEL, c.FORMAT, SHOWN)],
        )
    )


def _over_time(bins: pl.DataFrame, start: alt.X) -> Drawn:
    rows, unit = in_units(bins.select(c.START, LABEL, c.SIZE, c.RELEASES), c.SIZE)
    base = alt.Chart(data_of(rows), width=WIDTH, height=240)
    hints = [alt.Tooltip(f"{name}:N") for name in (LABEL, SHOWN, c.RELEASES)]
    line = base.mark_line(interpolate="step-after", color=MORE).encode(x=start, y=alt.Y(f"{AMOUNT}:Q", title=unit))
    points = base.transform_filter(f"datum.{c.RELEASES} > 0").mark_point(filled=True, size=60, color=MORE)
    shown = points.encode(x=start, y=f"{AMOUNT}:Q", tooltip=hints)
    return alt.layer(line, shown, title="Bytes of the last release")


def _changed(line: pl.DataFrame, x: alt.X, title: str) -> Drawn:
    place = c.START if c.START in line.columns else LABEL
    flows = line.select(place, *_FLOWS).with_columns(-pl.col(c.REMOVED_BYTES)).rename(_FLOWS)
    long = flows.unpivot(index=place, variable_name=_KIND, value_name=c.SIZE).drop_nulls(c.SIZE)
    rows, unit = in_units(long, c.SIZE, pl.col(place))
    colours = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    width: dict[str, Any] = {"width": 8} if place == c.START else {}
    return (
        alt.Chart(data_of(rows), title=title, width=WIDTH, height=200)
        .mark_bar(**width)
        .encode(
            x=x,
            y=alt.Y(f"{AMOUNT}:Q", title=unit),
            color=alt.Color(f"{_KIND}:N", title=None, scale=colours),
            tooltip=[alt.Tooltip(f"{name}:N") for name in (_KIND, SHOWN)],
        )
    )

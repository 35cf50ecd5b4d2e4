"""Own the charts of the report `latest`: the bytes of each format."""

from __future__ import annotations

import altair as alt
import polars as pl

from .. import columns as c
from ..results import ReportResult
from .common import (
    AMOUNT,
    BAR,
    LABEL,
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
    short_versions,
)


def draw(result: ReportResult) -> list[Drawn]:
    """Return bytes by format: of one release as bars, of several as one stacked bar each."""
    formats = result["formats"].filter(pl.col(c.SIZE) > 0)
    if formats.is_empty():
        return []
    releases = list(result["summary"][c.VERSION_ID])
    if len(releases) > 1:
        return [_stacked(formats, releases)]
    rows, unit = in_units(largest(formats, c.FORMAT, c.SIZE, c.FILES), c.SIZE)
    return [
        bars(
            rows,
            c.FORMAT,
            title=f"Bytes by format, {releases[0]}",
            axis=unit,
            colour=alt.value(MORE),
            tooltip=[c.FILES],
        )
    ]


def _stacked(formats: pl.DataFrame, releases: list[str]) -> Drawn:
    folded, names = fold(formats)
    rows, unit = in_units(short_versions(folded), c.SIZE, pl.col(c.VERSION_ID))
    return (
        alt.Chart(data_of(rows), title="Bytes by format", width=WIDTH, height=BAR * len(releases))
        .mark_bar(height=BAR - 8)
        .encode(
            x=alt.X(f"{AMOUNT}:Q", title=unit),
            y=alt.Y(f"{LABEL}:N", sort=None, title=None),
            color=format_colour(names),
            order=alt.Order(f"{RANK}:Q"),
            tooltip=[alt.Tooltip(f"{name}:N") for name in (LABEL, c.FORMAT, SHOWN)],
        )
    )

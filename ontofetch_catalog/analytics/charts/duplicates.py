"""Own the chart of the report `duplicates`: how much of each release is stored elsewhere too."""

from __future__ import annotations

import altair as alt
import polars as pl

from .. import columns as c
from ..results import ReportResult
from .common import AMOUNT, BAR, LABEL, LESS, MORE, SHOWN, WIDTH, Drawn, data_of, in_units, short_versions

_KIND = "kind"
_COLOURS = {"only here": "#c3cad1", "in other releases too": MORE, "copies inside the release": LESS}
RELEASES = 40  # bars of a chart that can still be read


def draw(result: ReportResult) -> list[Drawn]:
    """Return the bytes of each release: only here, in other releases too, copies inside the release."""
    held = short_versions(result["versions"].filter(pl.col(c.SIZE) > 0).head(RELEASES))
    if held.is_empty():
        return []
    alone = pl.col(c.SIZE) - pl.col(c.REPEATED) - pl.col(c.SHARED)
    named = dict(zip(_COLOURS, (alone, pl.col(c.SHARED), pl.col(c.REPEATED)), strict=True))
    long = held.select(LABEL, *(part.alias(name) for name, part in named.items())).unpivot(
        index=LABEL, variable_name=_KIND, value_name=c.SIZE
    )
    rows, unit = in_units(long, c.SIZE, pl.col(LABEL))
    order = pl.col(_KIND).replace_strict({name: at for at, name in enumerate(_COLOURS)})
    chart = alt.Chart(
        data_of(rows.with_columns(order.alias("at"))),
        title="Bytes stored more than once, by release",
        width=WIDTH,
        height=BAR * held.height,
    )
    colours = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    return [
        chart.mark_bar(height=BAR - 8).encode(
            x=alt.X(f"{AMOUNT}:Q", title=unit),
            y=alt.Y(f"{LABEL}:N", sort=None, title=None),
            color=alt.Color(f"{_KIND}:N", title=None, scale=colours),
            order=alt.Order("at:Q"),
            tooltip=[alt.Tooltip(f"{name}:N") for name in (LABEL, _KIND, SHOWN)],
        )
    ]

"""The picture of the costs by size: a chart per axis, a line per command, both axes logarithmic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import polars as pl

from ontofetch_catalog.analytics import drawing
from ontofetch_catalog.rendering import figures

from .scale_costs import Cost


def draw(costs: Sequence[Cost]) -> bytes:
    """Return the picture as SVG."""
    charts = [chart_of(axis, costs) for axis in dict.fromkeys(cost.axis for cost in costs)]
    return figures.draw([drawing.finish(chart) for chart in charts], "svg", "cost by size")


def chart_of(axis: str, costs: Sequence[Cost]) -> drawing.Drawn:
    """Return a chart of one axis; the commands stand beside it in the order of what they cost at last."""
    import altair as alt

    frame = pl.DataFrame([asdict(cost) for cost in costs if cost.axis == axis])
    last = frame.filter(pl.col("size") == pl.col("size").max()).sort("seconds", descending=True)
    logarithmic = alt.Scale(type="log")
    chart = alt.Chart(drawing.data_of(frame), width=drawing.WIDTH, height=320, title=f"processor time by {axis}")
    return chart.mark_line(point=True).encode(
        alt.X("size:Q", scale=logarithmic, title=axis, axis=alt.Axis(format="~s")),
        alt.Y("seconds:Q", scale=logarithmic, title="seconds of all processors"),
        alt.Color("command:N", sort=last["command"].to_list(), title=None, legend=alt.Legend(symbolLimit=0, columns=2)),
    )

"""Own the charts of the report `hotspots`: who dominates, and what the top rows hold together."""

from __future__ import annotations

import altair as alt
import polars as pl

from .. import columns as c
from ..results import ReportResult
from .common import AMOUNT, CALM, MORE, SHOWN, WIDTH, Drawn, bars, data_of, in_units, largest

_METRICS = {"bytes": c.SIZE, "files": c.FILES, "failures": c.FAILED_FILES}


def draw(result: ReportResult) -> list[Drawn]:
    """Return the largest groups as bars, and the curve of cumulative shares."""
    key, metric = str(result.parameters["by"]), str(result.parameters["metric"])
    rows, measure = result.main, _METRICS[metric]
    if not rows[measure].sum():
        return []
    groups = largest(rows.filter(pl.col(measure) > 0), key, measure)
    if metric == "bytes":
        shown, unit = in_units(groups, measure)
    else:
        amount = pl.col(measure)
        shown, unit = groups.with_columns(amount.alias(AMOUNT), amount.cast(pl.String).alias(SHOWN)), metric
    charts: list[Drawn] = [bars(shown, key, title=f"{metric.capitalize()} by {key}", axis=unit, colour=alt.value(MORE))]
    return [*charts, _curve(rows, key, metric)] if rows.height > 1 else charts


def _curve(rows: pl.DataFrame, key: str, metric: str) -> Drawn:
    columns = [c.TOP_SHARE, c.CUMULATIVE_SHARE]
    start = pl.DataFrame({name: [0.0] for name in columns}).with_columns(pl.lit("none").alias(key))
    points = pl.concat([start, rows.select(*columns, pl.col(key).cast(pl.String))])
    x = alt.X(f"{c.TOP_SHARE}:Q", title=f"top of {rows.height:,} by {key}", axis=alt.Axis(format=".0%"))
    y = alt.Y(f"{c.CUMULATIVE_SHARE}:Q", title=f"hold of all {metric}", axis=alt.Axis(format=".0%"))
    base = alt.Chart(data_of(points), width=WIDTH, height=260)
    hints = [alt.Tooltip(f"{key}:N"), *(alt.Tooltip(f"{name}:Q", format=".1%") for name in columns)]
    even = alt.Chart(alt.InlineData(values=[dict.fromkeys(columns, at) for at in (0, 1)]))
    diagonal = even.mark_line(strokeDash=[4, 4], color=CALM).encode(x=x, y=y)
    dots = 50 if rows.height <= 60 else 0
    return alt.layer(
        diagonal,
        base.mark_line(color=MORE).encode(x=x, y=y),
        base.mark_point(filled=True, size=dots, color=MORE).encode(x=x, y=y, tooltip=hints),
        title=f"What the top holds of all {metric}",
    )

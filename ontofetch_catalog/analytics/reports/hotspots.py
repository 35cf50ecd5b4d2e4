"""The report `hotspots`: its columns, its chart, and which rows it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from .. import columns as c
from .. import drawing as d
from .. import fields as f
from ..fields import CATEGORY, FLOAT, INT, TEXT, Contract, Field, Section
from ..polars_pipelines.hotspots import concentration
from ..results import ReportResult
from ..sources import CatalogLike
from .common import Releases, check_choice, make_result

METRICS = {"bytes": c.SIZE, "files": c.FILES, "failures": c.FAILED_FILES}


def draw(result: Mapping[str, pl.DataFrame], parameters: Mapping[str, object]) -> list[d.Drawn]:
    """Return the largest groups as bars, and the curve of cumulative shares."""
    import altair as alt

    key, metric = str(parameters["by"]), str(parameters["metric"])
    rows, measure = result[SECTIONS[key]], METRICS[metric]
    if not rows[measure].sum():
        return []
    groups = d.largest(rows.filter(pl.col(measure) > 0), key, measure)
    if metric == "bytes":
        shown, unit = d.in_units(groups, measure)
    else:
        amount = pl.col(measure)
        shown, unit = groups.with_columns(amount.alias(d.AMOUNT), amount.cast(pl.String).alias(d.SHOWN)), metric
    charts: list[d.Drawn] = [
        d.bars(shown, key, title=f"{metric.capitalize()} by {key}", axis=unit, colour=alt.value(d.PLAIN))
    ]
    return [*charts, _curve(rows, key, metric)] if rows.height > 1 else charts


def _curve(rows: pl.DataFrame, key: str, metric: str) -> d.Drawn:
    import altair as alt

    columns = [c.TOP_SHARE, c.CUMULATIVE_SHARE]
    start = pl.DataFrame({name: [0.0] for name in columns}).with_columns(pl.lit("none").alias(key))
    points = pl.concat([start, rows.select(*columns, pl.col(key).cast(pl.String))])
    x = alt.X(f"{c.TOP_SHARE}:Q", title=f"top of {rows.height:,} by {key}", axis=alt.Axis(format=".0%"))
    y = alt.Y(f"{c.CUMULATIVE_SHARE}:Q", title=f"hold of all {metric}", axis=alt.Axis(format=".0%"))
    base = alt.Chart(d.data_of(points), width=d.WIDTH, height=260)
    hints = [alt.Tooltip(f"{key}:N"), *(alt.Tooltip(f"{name}:Q", format=".1%") for name in columns)]
    even = alt.Chart(alt.InlineData(values=[dict.fromkeys(columns, at) for at in (0, 1)]))
    diagonal = even.mark_line(strokeDash=[4, 4], color=d.CALM).encode(x=x, y=y)
    dots = 50 if rows.height <= 60 else 0
    return alt.layer(
        diagonal,
        base.mark_line(color=d.PLAIN).encode(x=x, y=y),
        base.mark_point(filled=True, size=dots, color=d.PLAIN).encode(x=x, y=y, tooltip=hints),
        title=f"What the top holds of all {metric}",
    )


_KEYS = {
    c.SERVICE: Field(c.SERVICE, CATEGORY, "where the releases came from"),
    c.HOST: Field(c.HOST, CATEGORY, "host of the artifact's URL, `file` for local ones"),
    c.FOLDER: Field(c.FOLDER, TEXT, "folder of the files, `.` at the top of the data folder"),
    c.FORMAT: f.GROUP_FORMAT,
    c.EXTENSION: Field(c.EXTENSION, CATEGORY, "what follows the last dot of the file's name, lower case, else `none`"),
}
_NUMBERS = (
    f.FILES,
    f.SIZE,
    Field(c.FAILED_FILES, INT, "files that some validator failed"),
    Field(c.SHARE, FLOAT, "part of all of the metric, 0 to 1"),
    Field(c.CUMULATIVE_SHARE, FLOAT, "part that this row and those above it hold, 0 to 1", "so far"),
    Field(c.TOP_SHARE, FLOAT, "part of the rows that this one and those above it are, 0 to 1", "top", 1),
)
SECTIONS = {c.SERVICE: "services", c.HOST: "hosts", c.FOLDER: "folders", c.FORMAT: "formats", c.EXTENSION: "extensions"}

HOTSPOTS = Contract("hotspots", tuple(
    Section(SECTIONS[key], f"hotspots by {key}", (
        Field(c.RANK, INT, "1 for the most"), replace(field, detail=0), *_NUMBERS,
    ))
    for key, field in _KEYS.items()
), draw=draw)  # fmt: skip


def hotspots(
    catalog: CatalogLike, *, by: str = "service", metric: str = "bytes", version: str | None = None
) -> ReportResult:
    """Return who dominates, with cumulative shares: what the top rows hold.

    Args:
        by: `service`, `host`, `folder`, `format` or `extension`.
        metric: `bytes`, `files` or `failures` (files that some validator failed).
        version: Only this release, or all releases of this series; None for everything recorded.

    Raises:
        VersionUnknown, AmbiguousVersion: `version` means nothing or several things.
        UsageError: `by` or `metric` is not one of those.
    """
    key = check_choice("--by", by, tuple(SECTIONS))
    measure = METRICS[check_choice("--metric", metric, tuple(METRICS))]
    with catalog.source.open() as reader:
        scope = Releases(catalog, reader).scope(version) if version else None
        totals = reader.hotspots(key, scope)
    frames = {SECTIONS[key]: concentration(totals, key, measure)}
    result = make_result(catalog, HOTSPOTS, frames, {"by": by, "metric": metric, "version": version})
    return replace(result, titles={SECTIONS[key]: f"{metric} by {by}"})

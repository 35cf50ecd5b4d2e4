"""Own the charts of the report `validation`: what passed and failed, and the rates release by release."""

from __future__ import annotations

import altair as alt
import polars as pl

from .. import columns as c
from ..results import ReportResult
from .common import BAD, BAR, GOOD, LABEL, UNKNOWN, WIDTH, Drawn, data_of, largest, release_axis, short_versions

_OUTCOME, _COUNT = "outcome", "results"
_COLOURS = {"passed": GOOD, "failed": BAD, "not validated": UNKNOWN}


def draw(result: ReportResult) -> list[Drawn]:
    """Return outcomes by validator or format, else of all files; with a history the rates of each release first."""
    charts: list[Drawn] = []
    if "history" in result and not result["history"].is_empty():
        charts += _history(result["history"])
    release = result["summary"][c.VERSION_ID].item()
    for section, key in (("validators", c.VALIDATOR), ("formats", c.FORMAT)):
        if section in result and not result[section].is_empty():
            groups = largest(result[section], key, c.RESULTS, c.PASSED_FILES, c.FAILED_FILES)
            charts.append(_outcomes(groups, key, f"Results by {key}, {release}", "results"))
    if not charts and result["summary"][c.FILES].item():
        columns = [c.VERSION_ID, c.PASSED_FILES, c.FAILED_FILES, c.UNVALIDATED_FILES]
        charts.append(_outcomes(result["summary"].select(columns), c.VERSION_ID, "Files by outcome", "files"))
    return charts


def _outcomes(groups: pl.DataFrame, key: str, title: str, what: str) -> Drawn:
    names = {c.PASSED_FILES: "passed", c.FAILED_FILES: "failed", c.UNVALIDATED_FILES: "not validated"}
    here = {column: name for column, name in names.items() if column in groups.columns}
    long = groups.select(key, *here).rename(here).unpivot(index=key, variable_name=_OUTCOME, value_name=_COUNT)
    shown = [name for name in _COLOURS if name in here.values()]
    return (
        alt.Chart(data_of(long), title=title, width=WIDTH, height=BAR * groups.height)
        .mark_bar(height=BAR - 8)
        .encode(
            x=alt.X(f"{_COUNT}:Q", title=what, axis=alt.Axis(format=",d", tickMinStep=1)),
            y=alt.Y(f"{key}:N", sort=None, title=None),
            color=alt.Color(
                f"{_OUTCOME}:N", title=None, scale=alt.Scale(domain=shown, range=[_COLOURS[name] for name in shown])
            ),
            order=alt.Order(f"{_OUTCOME}:N", sort="descending"),
            tooltip=[alt.Tooltip(f"{name}:N") for name in (key, _OUTCOME, _COUNT)],
        )
    )


def _history(history: pl.DataFrame) -> list[Drawn]:
    rows = short_versions(history).select(LABEL, c.VALIDATOR, c.RESULTS, c.FAILED_FILES, c.RATE)
    x = release_axis(list(rows[LABEL].unique(maintain_order=True)))
    base = alt.Chart(data_of(rows), width=WIDTH)
    colour = alt.Color(f"{c.VALIDATOR}:N", title=None, scale=alt.Scale(scheme="tableau10"))
    rate = alt.Y(f"{c.RATE}:Q", title="passed", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1]))
    hints = [alt.Tooltip(f"{name}:N") for name in (LABEL, c.VALIDATOR, c.RESULTS, c.FAILED_FILES)]
    hints.append(alt.Tooltip(f"{c.RATE}:Q", format=".1%"))
    rates = base.mark_line(point=True).encode(x=x, y=rate, color=colour, tooltip=hints)
    failed = base.mark_bar().encode(
        x=x, y=alt.Y(f"{c.FAILED_FILES}:Q", title="failed results", axis=alt.Axis(format=",d", tickMinStep=1)),
        color=colour, tooltip=hints,
    )  # fmt: skip
    return [
        rates.properties(title="Validation, release by release", height=220),
        failed.properties(title="Failures, release by release", height=140),
    ]

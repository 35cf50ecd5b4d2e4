"""The report `validation`: its columns, its chart, and which rows it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from ...catalog.repo.naming import refuse_two_series
from ...rendering.palette import name_colours
from .. import columns as c
from .. import drawing as d
from .. import fields as f
from ..fields import BOOL, CATEGORY, FLOAT, INT, TEXT, TIME, Contract, Field, Section
from ..polars_pipelines import validation as pipelines
from ..polars_pipelines.timeline import release_times
from ..results import ReportResult
from ..sources import CatalogLike
from .common import Releases, check_choice, make_result, parse_count

_OUTCOME, _COUNT = "outcome", "results"
_OUTCOMES = ("passed", "failed", "not judged", "not validated")


def draw(result: Mapping[str, pl.DataFrame], _: Mapping[str, object]) -> list[d.Drawn]:
    """Return outcomes by validator or format, else of all files; with a history the rates of each release first."""
    charts: list[d.Drawn] = []
    if "history" in result and not result["history"].is_empty():
        charts += _history(result["history"])
    release = result["summary"][c.VERSION_ID].item()
    for section, key in (("validators", c.VALIDATOR), ("formats", c.FORMAT)):
        if section in result and not result[section].is_empty():
            groups = d.largest(result[section], key, c.RESULTS, c.PASSED_FILES, c.FAILED_FILES, c.UNJUDGED_FILES)
            charts.append(_outcomes(groups, key, f"Results by {key}, {release}", "results"))
    if not charts and result["summary"][c.FILES].item():
        columns = [c.VERSION_ID, c.PASSED_FILES, c.FAILED_FILES, c.UNJUDGED_FILES, c.UNVALIDATED_FILES]
        charts.append(_outcomes(result["summary"].select(columns), c.VERSION_ID, "Files by outcome", "files"))
    return charts


def _outcomes(groups: pl.DataFrame, key: str, title: str, what: str) -> d.Drawn:
    import altair as alt

    names = dict(zip((c.PASSED_FILES, c.FAILED_FILES, c.UNJUDGED_FILES, c.UNVALIDATED_FILES), _OUTCOMES, strict=True))
    here = {column: name for column, name in names.items() if column in groups.columns}
    long = groups.select(key, *here).rename(here).unpivot(index=key, variable_name=_OUTCOME, value_name=_COUNT)
    shown = [name for name in _OUTCOMES if name in here.values()]
    # a step between whole numbers would be called like its neighbour
    most = int(groups.select(pl.max_horizontal(pl.sum_horizontal(*here).max(), pl.lit(1))).item())
    long = long.with_columns(pl.col(_OUTCOME).replace_strict({name: at for at, name in enumerate(shown)}).alias("at"))
    return (
        alt.Chart(d.data_of(long), title=title, width=d.WIDTH, height=d.BAR * groups.height)
        .mark_bar(height=d.BAR - 8)
        .encode(
            x=alt.X(f"{_COUNT}:Q", title=what, axis=alt.Axis(format=",d", tickCount=min(most, 10))),
            y=alt.Y(f"{key}:N", sort=None, title=None),
            color=alt.Color(f"{_OUTCOME}:N", title=None, scale=d.colours_of(shown)),
            order=alt.Order("at:Q"),
            tooltip=[alt.Tooltip(f"{name}:N") for name in (key, _OUTCOME, _COUNT)],
        )
    )


def _history(history: pl.DataFrame) -> list[d.Drawn]:
    import altair as alt

    rows = d.short_versions(history).select(d.LABEL, c.VALIDATOR, c.RESULTS, c.FAILED_FILES, c.RATE)
    x = d.release_axis(list(rows[d.LABEL].unique(maintain_order=True)))
    base = alt.Chart(d.data_of(rows), width=d.WIDTH)
    validators = sorted(map(str, rows[c.VALIDATOR].unique()))
    scale = alt.Scale(domain=validators, range=name_colours(validators))
    colour = alt.Color(f"{c.VALIDATOR}:N", title=None, scale=scale)
    rate = alt.Y(f"{c.RATE}:Q", title="passed", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1]))
    hints = [alt.Tooltip(f"{name}:N") for name in (d.LABEL, c.VALIDATOR, c.RESULTS, c.FAILED_FILES)]
    hints.append(alt.Tooltip(f"{c.RATE}:Q", format=".1%"))
    rates = base.mark_line(point=True).encode(x=x, y=rate, color=colour, tooltip=hints)
    failed = base.mark_bar().encode(
        x=x, y=alt.Y(f"{c.FAILED_FILES}:Q", title="failed results", axis=alt.Axis(format=",d", tickMinStep=1)),
        color=colour, tooltip=hints,
    )  # fmt: skip
    charts = [rates.properties(title="Validation, release by release", height=220)]
    if rows[c.FAILED_FILES].sum():
        charts.append(failed.properties(title="Failures, release by release", height=140))
    return charts


_VALIDATOR = Field(c.VALIDATOR, CATEGORY, "name of the validator")
_KIND = f"Enum({', '.join(c.RESULT_CHANGES)})"
_RESULTS = Field(c.RESULTS, INT, "number of results, one per validator and file")
_PASSED = Field(c.PASSED_FILES, INT, "results that passed")
_FAILED = Field(c.FAILED_FILES, INT, "results that failed")
_UNJUDGED = Field(c.UNJUDGED_FILES, INT, "results of validators that could not judge", "not judged")
_RATE = Field(c.RATE, FLOAT, "passed results per judged result, 0 to 1; null if none is")
_CHANGED = (
    Field(c.FIXED_RESULTS, INT, "results that failed before and pass now; null without `against`"),
    Field(c.REGRESSED_RESULTS, INT, "results that passed before and fail now; null without `against`"),
    Field(c.NEW_RESULTS, INT, "results that were not there before; null without `against`"),
    Field(c.REMOVED_RESULTS, INT, "results that are no longer there; null without `against`"),
)
_GROUP = (
    _RESULTS,
    _PASSED,
    _FAILED,
    _UNJUDGED,
    _RATE,
    Field(c.REUSED, INT, "results taken over from another release with the same bytes", detail=1),
    Field(c.RUN_AT, TIME, "when the last of them was run", "last run", 2),
    *_CHANGED,
)
_CHANGE = Field(c.CHANGE, _KIND, "what became of the result since `against`; null if nothing")
_REASON = Field(c.REASON, TEXT, "first line of why it failed or was not judged")
_LINE = Field(c.LINE, INT, "line at which it fails, from 1 on; null if unknown", detail=3)
_COLUMN = Field(c.COLUMN, INT, "column of that line, from 1 on; null if unknown", detail=4)
_VERSION = Field(c.VALIDATOR_VERSION, CATEGORY, "version of the validator", "version", 2)

_NO_RESULT = "no validator has looked at a file"

VALIDATION = Contract("validation", (
    Section("validators", "by validator", (_VALIDATOR, *_GROUP), nothing=_NO_RESULT),
    Section("formats", "by format", (f.GROUP_FORMAT, *_GROUP), nothing=_NO_RESULT),
    Section("paths", "by path", (
        replace(f.PATH, meaning="path of the file; of a removed result, the one in `against`"),
        _VALIDATOR,
        replace(f.FORMAT, detail=3),
        Field(c.PASSED, BOOL, "whether it passed; null where it was not judged, or the result is gone"),
        _CHANGE,
        replace(_REASON, detail=2),
        _LINE,
        _COLUMN,
    ), nothing=_NO_RESULT),
    Section("changes", "changed results", (
        _CHANGE,
        _VALIDATOR,
        f.PATH,
        Field(c.PREVIOUS_RELPATH, TEXT, "path in `against` of a renamed file, else null", "was", 3),
        f.FORMAT,
        replace(_REASON, detail=2),
    ), nothing="every result is what it was"),
    Section("failures", "failing files", (f.PATH, _VALIDATOR, _VERSION, f.FORMAT, _REASON, _LINE, _COLUMN)),
    Section("not_judged", "files that were not judged", (f.PATH, _VALIDATOR, _VERSION, f.FORMAT, _REASON)),
    Section("history", "validation release by release", (
        f.VERSION,
        Field(c.RELEASE_TIME, TIME, "its release date, else when it was recorded", "released", 1),
        _VALIDATOR,
        _RESULTS,
        _PASSED,
        _FAILED,
        _UNJUDGED,
        _RATE,
    ), newest_last=True),
    Section("summary", "validation", (
        f.VERSION,
        Field("against", TEXT, "the release it is compared with; null without"),
        Field(c.FILES, INT, "number of files"),
        *f.OUTCOMES,
        _RESULTS,
        _RATE,
        *_CHANGED,
    ), record=True, whole=True),
), order=("summary",), draw=draw)  # fmt: skip


BY = ("validator", "format", "path")
_LISTED = (c.RELPATH, c.FORMAT, c.VALIDATOR, c.VALIDATOR_VERSION, c.PASSED, c.REASON, c.LINE, c.COLUMN)
_RESULT = dict.fromkeys(("validator", "format"), (*_LISTED, c.RUN_AT, c.REUSED_FROM)) | {"path": _LISTED}


def validation(
    catalog: CatalogLike,
    *,
    version: str | None = None,
    against: str | None = None,
    by: str = "validator",
    last: int | str | None = None,
    anyway: bool = False,
) -> ReportResult:
    """Return how the files of a release fared: rates, what became of results since another release, failing files.

    Args:
        version: The release; None for the latest one of the only series.
        against: The release to compare with; None for no comparison.
        by: What the main frame is about: `validator`, `format` or `path`.
        last: Also the rates of that many releases of the series, up to this one.
        anyway: Whether `against` may be of another series.

    Raises:
        VersionUnknown, AmbiguousVersion: A name means no release or several.
        UsageError: `by` is none of the three, `last` no count, or the releases are of two series.
    """
    check_choice("--by", by, BY)
    count = parse_count("--last", last)
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader, Releases.NEWEST + (Releases.DATES if count else ()))
        now = releases.one(version)
        before = releases.one(against) if against else None
        if before:
            refuse_two_series(before, now, anyway=anyway)
        results, held = reader.results(now, _RESULT[by]), reader.file_count(now)
        changes = reader.result_changes(before, now) if before else None
        past = releases.up_to(now, count) if count else None
        past_totals = reader.result_totals(past[c.VERSION_ID].to_list()) if past is not None else None
    frames: dict[str, pl.LazyFrame] = {}
    if by == "path":
        frames["paths"] = pipelines.results_by_path(results, changes)
    else:
        frames[f"{by}s"] = pipelines.rates_by(results, changes, by)
    if changes is not None:
        frames["changes"] = pipelines.result_changes(results, changes)
    frames["failures"] = pipelines.failing_files(results)
    frames["not_judged"] = pipelines.unjudged_files(results)
    if past is not None and past_totals is not None:
        frames["history"] = pipelines.history(release_times(past.lazy()), past_totals)
    frames["summary"] = pipelines.validation_summary(results, changes, held, (now, before))
    asked = {"version": now, "against": before, "by": by, "last": count}
    result = make_result(catalog, VALIDATION, frames, asked)
    return replace(result, hidden=_hidden(result) if changes is None else {}, nothing=_nothing(result))


def _nothing(result: ReportResult) -> dict[str, str]:
    """Return why there are no failures and nothing unjudged: all is well, or nobody has looked."""
    summary = result["summary"].row(0, named=True)
    if not summary[c.FILES]:
        return dict.fromkeys(("failures", "not_judged"), "the release has no files")
    if not summary[c.RESULTS]:
        return dict.fromkeys(("failures", "not_judged"), "no validator has looked at a file")
    judged = summary[c.PASSED_FILES] + summary[c.FAILED_FILES]
    return {
        "failures": "no file failed" if judged else "nothing was judged",
        "not_judged": "all that was looked at was judged",
    }


def _hidden(result: ReportResult) -> dict[str, tuple[str, ...]]:
    compared = (c.FIXED_RESULTS, c.REGRESSED_RESULTS, c.NEW_RESULTS, c.REMOVED_RESULTS, c.CHANGE, "against")
    return {name: compared for name in result if name != "changes"}

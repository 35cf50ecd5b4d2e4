"""Own the report `validation`: which rows it reads and which frames it makes of them."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from .. import columns as c
from ..catalog import Catalog
from ..contracts import VALIDATION
from ..polars_pipelines import validation as pipelines
from ..polars_pipelines.timeline import release_times
from ..results import ReportResult
from .common import Releases, check_choice, make_result, parse_count

BY = ("validator", "format", "path")
_LISTED = (c.RELPATH, c.FORMAT, c.VALIDATOR, c.VALIDATOR_VERSION, c.PASSED, c.REASON)
_RESULT = dict.fromkeys(("validator", "format"), (*_LISTED, c.RUN_AT, c.REUSED_FROM)) | {"path": _LISTED}


def validation(
    catalog: Catalog,
    *,
    version: str | None = None,
    against: str | None = None,
    by: str = "validator",
    last: int | str | None = None,
) -> ReportResult:
    """Return how the files of a release fared: rates, what became of results since another release, failing files.

    Args:
        catalog: The catalog.
        version: The release; None for the latest one of the only series.
        against: The release to compare with; None for no comparison.
        by: What the main frame is about: `validator`, `format` or `path`.
        last: Also the rates of that many releases of the series, up to this one.

    Raises:
        VersionUnknown, AmbiguousVersion: A name means no release or several.
        UsageError: `by` is none of the three, or `last` no count.
    """
    check_choice("--by", by, BY)
    count = parse_count("--last", last)
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader, Releases.NEWEST + (Releases.DATES if count else ()))
        now = releases.one(version)
        before = releases.one(against) if against else None
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
    if past is not None and past_totals is not None:
        frames["history"] = pipelines.history(release_times(past.lazy()), past_totals)
    frames["summary"] = pipelines.validation_summary(results, changes, held, (now, before))
    asked = {"version": now, "against": before, "by": by, "last": count}
    result = make_result(catalog, VALIDATION, frames, asked)
    return replace(result, hidden=_hidden(result) if changes is None else {})


def _hidden(result: ReportResult) -> dict[str, tuple[str, ...]]:
    compared = (c.FIXED_RESULTS, c.REGRESSED_RESULTS, c.NEW_RESULTS, c.REMOVED_RESULTS, c.CHANGE, "against")
    return {name: compared for name in result if name != "changes"}

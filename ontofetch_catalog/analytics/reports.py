"""Own the built-in reports: which rows each one reads and which frames it makes of them.

It knows neither SQL nor files nor how a report is shown; the pipelines themselves are in `polars_pipelines`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl

from ..errors import UsageError, VersionUnknown
from . import columns as c
from . import polars_pipelines as pipelines
from .catalog import Catalog
from .contracts import GROWTH, LATEST, Contract, conform
from .execution import collect
from .results import ReportResult
from .sources import Reader

MOST = 10  # largest files and growth contributors of a release
KEYS = {"path": "changes", "format": "formats", "folder": "folders"}


def latest(catalog: Catalog, *, version: str | None = None, as_of: date | str | None = None) -> ReportResult:
    """Return what releases hold: files, bytes, formats, validation, the largest files, growth since the one before.

    Args:
        catalog: The catalog.
        version: A release or a series; None for the latest release of each series. Where no latest pointer is set,
            the newest release of a series counts.
        as_of: The day to which ages are counted, UTC; None for today.

    Raises:
        VersionUnknown, AmbiguousVersion: `version` means no release or several.
    """
    day = _day(as_of)
    with catalog.source.open() as reader:
        chosen = _choose(reader, _versions(catalog, reader), version)
        ids = chosen[c.VERSION_ID].to_list()
        pairs = chosen.drop_nulls(c.PREVIOUS_VERSION_ID).select(c.PREVIOUS_VERSION_ID, c.VERSION_ID).rows()
        files, changes = reader.files(ids), reader.changes(pairs)
    frames = {
        "summary": pipelines.release_summary(chosen.lazy(), files, changes, day),
        "formats": pipelines.format_totals(files),
        "largest": pipelines.largest_files(files, MOST),
        "growth": pipelines.growth_contributors(changes, MOST),
    }
    lone = len(ids) == 1
    hidden = {name: (c.VERSION_ID,) for name in frames if lone and name != "summary"}
    return _result(catalog, LATEST, frames, {"versions": ids, "as_of": day.isoformat()}, hidden)


def growth(
    catalog: Catalog,
    *,
    a: str | None = None,
    b: str | None = None,
    by: str = "path",
    all: bool = False,  # noqa: A002 - named like its option
) -> ReportResult:
    """Return what changed from release `a` to release `b`, churn apart from net growth.

    Args:
        catalog: The catalog.
        a: The earlier release; None for the one before `b` in its series.
        b: The later release; None for the latest one of the only series.
        by: What the main frame is about: `path`, `format` or `folder`.
        all: Whether unchanged files are listed too.

    Raises:
        VersionUnknown, AmbiguousVersion: A name means no release or several, or there is none before `b`.
        UsageError: `by` is none of the three.
    """
    if by not in KEYS:
        raise UsageError(f"Growth is by {', '.join(KEYS)}, not by {by!r}.", subject="by")
    group = "folder" if by == "folder" else "format"
    with catalog.source.open() as reader:
        later = reader.resolve(b) if b else _only_latest(reader, _versions(catalog, reader))
        earlier = reader.resolve(a) if a else _before(_versions(catalog, reader), later)
        changes = reader.changes([(earlier, later)], unchanged=all)
        sides = reader.sides(earlier, later, group)
    total = pipelines.growth_total(changes, sides)
    frames = {
        "changes": pipelines.file_changes(changes),
        KEYS[group]: pipelines.growth_by(_keyed(changes, group), sides, group),
        "kinds": pipelines.growth_kinds(total),
        "summary": total.with_columns(pl.lit(earlier).alias("a"), pl.lit(later).alias("b")),
    }
    if by != "path":
        del frames["changes"]
    result = _result(catalog, GROWTH, frames, {"a": earlier, "b": later, "by": by, "all": all})
    hidden = {"changes": (c.PREVIOUS_RELPATH,)} if by == "path" and not _any_renamed(result) else {}
    return replace(result, hidden=hidden, titles={"kinds": f"growth from {earlier} to {later}"})


def _any_renamed(result: ReportResult) -> bool:
    return int(result["summary"][c.RENAMED_FILES].item()) > 0


def _result(
    catalog: Catalog,
    contract: Contract,
    frames: Mapping[str, pl.LazyFrame],
    parameters: Mapping[str, object],
    hidden: Mapping[str, tuple[str, ...]] | None = None,
) -> ReportResult:
    typed = {name: conform(frame, contract.section(name)) for name, frame in frames.items()}
    return ReportResult(collect(typed, catalog.tell), parameters, contract, hidden or {})


def _versions(catalog: Catalog, reader: Reader) -> pl.DataFrame:
    return collect({"versions": reader.versions()}, catalog.tell)["versions"]


def _keyed(changes: pl.LazyFrame, key: str) -> pl.LazyFrame:
    return changes.with_columns(pipelines.parent_folder(c.RELPATH).alias(c.FOLDER)) if key == c.FOLDER else changes


def _day(as_of: date | str | None) -> date:
    if isinstance(as_of, date):
        return as_of
    try:
        return date.fromisoformat(as_of) if as_of else datetime.now(UTC).date()
    except ValueError as error:
        raise UsageError(f"{as_of!r} is not a date like 2026-01-31.", subject="as_of") from error


def _choose(reader: Reader, versions: pl.DataFrame, name: str | None) -> pl.DataFrame:
    """Return the rows of `versions` that `name` means: a release, the latest one of a series, or of each series."""
    if name is None:
        return _newest(versions)
    try:
        slot = reader.resolve_series(name)
    except VersionUnknown:
        return versions.filter(pl.col(c.VERSION_ID) == reader.resolve(name))
    return _newest(versions.filter(pl.col(c.SLOT) == slot))


def _newest(versions: pl.DataFrame) -> pl.DataFrame:
    """Return the latest release of each series; where no pointer is set, the one that comes before no other."""
    last = ~pl.col(c.VERSION_ID).is_in(versions[c.PREVIOUS_VERSION_ID].drop_nulls().implode())
    return versions.filter(pl.when(pl.col(c.IS_LATEST).any().over(c.SLOT)).then(c.IS_LATEST).otherwise(last))


def _only_latest(reader: Reader, versions: pl.DataFrame) -> str:
    slot = reader.resolve_series("")
    return str(_newest(versions.filter(pl.col(c.SLOT) == slot))[c.VERSION_ID].item())


def _before(versions: pl.DataFrame, version_id: str) -> str:
    previous = versions.filter(pl.col(c.VERSION_ID) == version_id)[c.PREVIOUS_VERSION_ID].item()
    if previous is None:
        raise VersionUnknown(
            f"{version_id} is the first release of its series.",
            subject=version_id,
            hint="Name another one with --a.",
        )
    return str(previous)

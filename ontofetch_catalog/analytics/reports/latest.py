"""The report `latest`: its columns, its chart, and which rows it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import polars as pl

from .. import columns as c
from .. import drawing as d
from .. import fields as f
from ..fields import BOOL, DATE, INT, TEXT, TIME, Contract, Field, Section
from ..polars_pipelines import latest as pipelines
from ..results import ReportResult
from ..sources import CatalogLike, pairs_of
from .common import Releases, make_result, parse_day


def draw(result: Mapping[str, pl.DataFrame], _: Mapping[str, object]) -> list[d.Drawn]:
    """Return bytes by format: of one release as bars, of several as one stacked bar each."""
    formats = result["formats"].filter(pl.col(c.SIZE) > 0)
    if formats.is_empty():
        return []
    releases = list(result["summary"][c.VERSION_ID])
    if len(releases) > 1:
        return [d.stacked_formats(formats, releases, "Bytes by format", lying=True)]
    rows, unit = d.in_units(d.largest(formats, c.FORMAT, c.SIZE, c.FILES), c.SIZE)
    return [
        d.bars(
            rows,
            c.FORMAT,
            title=f"Bytes by format, {releases[0]}",
            axis=unit,
            colour=d.by_format(rows[c.FORMAT].to_list()),
            tooltip=[c.FILES],
        )
    ]


_EMPTY = "the releases have no files"

LATEST = Contract("latest", (
    Section("summary", "releases", (
        f.VERSION,
        Field(c.IS_LATEST, BOOL, "whether the latest pointer of its series names it", "latest", 3),
        f.INCOMPLETE,
        Field(c.RELEASED, DATE, "its release date, if known", detail=7),
        Field(c.CREATED_AT, TIME, "when it was recorded", "recorded", 8),
        Field(c.AGE_DAYS, INT, "days from its release date, else from its recording, to `as_of`"),
        Field(c.LAST_VERIFIED, TIME, "when its least recently verified file was verified; null if one never was",
              detail=9),
        f.FILES,
        f.SIZE,
        Field(c.FORMATS, INT, "number of formats", detail=4),
        *f.OUTCOMES,
        Field(c.PREVIOUS_VERSION_ID, TEXT, "the release before it in its series; null if none", "previous", 10),
        *(replace(count, detail=5) for count in f.COUNTS),
        replace(f.NET, detail=1),
        replace(f.CHURN, detail=2),
    ), record=True),
    Section("formats", "formats", (f.VERSION, f.GROUP_FORMAT, f.FILES, f.SIZE, f.SHARE, *f.OUTCOMES), nothing=_EMPTY),
    Section("largest", "largest files", (f.VERSION, f.PATH, f.FORMAT, f.SIZE, f.SHARE), nothing=_EMPTY),
    Section("growth", "largest growth against the release before", (
        f.VERSION,
        f.CHANGE,
        f.PATH,
        f.FORMAT,
        f.FILE_SIZE_A,
        replace(f.SIZE, detail=2),
        f.DELTA,
    ), nothing="no release before has other files"),
), draw=draw)  # fmt: skip


_CHANGE = (c.VERSION_ID, c.CHANGE, c.RELPATH, c.FORMAT, c.SIZE_A, c.SIZE_B)
MOST = 10  # largest files and growth contributors of a release


def latest(catalog: CatalogLike, *, version: str | None = None, as_of: date | str | None = None) -> ReportResult:
    """Return what releases hold: files, bytes, formats, validation, the largest files, growth since the one before.

    Args:
        version: A release or a series; None for the latest release of each series. Where no latest pointer is set,
            the newest release of a series counts.
        as_of: The day to which ages are counted, UTC; None for today.

    Raises:
        VersionUnknown, AmbiguousVersion: `version` means no release or several.
        UsageError: `as_of` is no date.
    """
    day = parse_day(as_of)
    with catalog.source.open() as reader:
        chosen = Releases(catalog, reader, Releases.NEWEST + Releases.DATES + Releases.STATE).choose(version)
        ids = chosen[c.VERSION_ID].to_list()
        files, changes = reader.files(ids), reader.changes(pairs_of(chosen), _CHANGE)
    frames = {
        "summary": pipelines.release_summary(chosen.lazy(), files, changes, day),
        "formats": pipelines.format_totals(files),
        "largest": pipelines.largest_files(files, MOST),
        "growth": pipelines.growth_contributors(changes, MOST),
    }
    lone = len(ids) == 1
    hidden = {name: (c.VERSION_ID,) for name in frames if lone and name != "summary"}
    return make_result(catalog, LATEST, frames, {"versions": ids, "as_of": day.isoformat()}, hidden)

"""Own the report `latest`: which rows it reads and which frames it makes of them."""

from __future__ import annotations

from datetime import date

from .. import columns as c
from ..catalog import Catalog
from ..contracts import LATEST
from ..polars_pipelines import latest as pipelines
from ..results import ReportResult
from .common import Releases, make_result, pairs_of, parse_day

_CHANGE = (c.VERSION_ID, c.CHANGE, c.RELPATH, c.FORMAT, c.SIZE_A, c.SIZE_B)
MOST = 10  # largest files and growth contributors of a release


def latest(catalog: Catalog, *, version: str | None = None, as_of: date | str | None = None) -> ReportResult:
    """Return what releases hold: files, bytes, formats, validation, the largest files, growth since the one before.

    Args:
        catalog: The catalog.
        version: A release or a series; None for the latest release of each series. Where no latest pointer is set,
            the newest release of a series counts.
        as_of: The day to which ages are counted, UTC; None for today.

    Raises:
        VersionUnknown, AmbiguousVersion: `version` means no release or several.
        UsageError: `as_of` is no date.
    """
    day = parse_day(as_of)
    with catalog.source.open() as reader:
        chosen = Releases(catalog, reader, Releases.NEWEST + Releases.DATES).choose(version)
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

"""Own the report `hotspots`: which rows it reads and which frames it makes of them."""

from __future__ import annotations

from dataclasses import replace

from .. import columns as c
from ..catalog import Catalog
from ..contracts import HOTSPOTS
from ..contracts.hotspots import SECTIONS
from ..polars_pipelines.hotspots import concentration
from ..results import ReportResult
from .common import Releases, check_choice, make_result

METRICS = {"bytes": c.SIZE, "files": c.FILES, "failures": c.FAILED_FILES}


def hotspots(
    catalog: Catalog, *, by: str = "service", metric: str = "bytes", version: str | None = None
) -> ReportResult:
    """Return who dominates, with cumulative shares: what the top rows hold.

    Args:
        catalog: The catalog.
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

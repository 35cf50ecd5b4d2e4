"""Own the report `duplicates`: which rows it reads and which frames it makes of them."""

from __future__ import annotations

from ..catalog import Catalog
from ..contracts import DUPLICATES
from ..polars_pipelines import duplicates as pipelines
from ..results import ReportResult
from .common import Releases, make_result


def duplicates(catalog: Catalog, *, version: str | None = None) -> ReportResult:
    """Return what is stored more than once, within and across releases, and what deduplication would save.

    Files are counted as the catalog knows them; that a file system already shares blocks or links is not looked at.

    Args:
        catalog: The catalog.
        version: Only this release, or all releases of this series; None for everything recorded.

    Raises:
        VersionUnknown, AmbiguousVersion: `version` means nothing or several things.
    """
    with catalog.source.open() as reader:
        scope = Releases(catalog, reader).scope(version) if version else None
        copies, shared = reader.copies(scope), reader.shared(scope)
    frames = {
        "contents": pipelines.contents(copies),
        "versions": pipelines.releases(shared),
        "summary": pipelines.duplicate_summary(copies, shared),
    }
    return make_result(catalog, DUPLICATES, frames, {"version": version})

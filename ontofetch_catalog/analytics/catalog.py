"""Own the face of the reports for Python and notebooks: a catalog, its rows as lazy frames, its reports as objects.

It knows neither SQL nor pipelines nor the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .results import ReportResult

if TYPE_CHECKING:
    from datetime import date

    from .execution import Teller
    from .sources import Source


class Catalog:
    """The catalog of a store, open for reports.

    Every report opens the database read-only, reads, and closes it again, so that a catalog at hand
    keeps nobody waiting.

    Args:
        source: Where the rows come from.
        tell: Prints plans and times; None for none.
    """

    def __init__(self, source: Source, tell: Teller | None = None) -> None:
        self.source = source
        self.tell = tell

    @classmethod
    def open(
        cls, root: str | Path, *, settings: Mapping[str, object] | None = None, tell: Teller | None = None
    ) -> Catalog:
        """Return the catalog of the store at `root`.

        Args:
            root: The store.
            settings: Name → value, as in `ontofetch.toml`; what is missing has its default.
            tell: Prints plans and times; None for none.

        Raises:
            CatalogMissing, CatalogLocked, CatalogUnreadable, SchemaError: At the first read, as their names say.
        """
        from ..catalog.connection import Store
        from .sources import CatalogSource

        return cls(CatalogSource(Store(Path(root).absolute(), dict(settings or {})), tell), tell)

    def latest(self, version: str | None = None, *, as_of: date | None = None) -> ReportResult:
        """Return what the latest release of each series holds; see `reports.latest`."""
        from .reports import latest

        return latest(self, version=version, as_of=as_of)

    def growth(
        self,
        a: str | None = None,
        b: str | None = None,
        *,
        by: str = "path",
        all: bool = False,  # noqa: A002 - named like its option
    ) -> ReportResult:
        """Return what changed from release `a` to release `b`; see `reports.growth`."""
        from .reports import growth

        return growth(self, a=a, b=b, by=by, all=all)

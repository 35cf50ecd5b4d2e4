"""The analytics as a plugin: contributes the command `report` and the built-in reports.

It imports no report before one runs; other plugins add their own reports in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ontofetch_hookspecs import Command, hookimpl

if TYPE_CHECKING:
    from ontofetch_hookspecs import CatalogCommitted, Report

PLUGIN_NAME = "analytics"


@hookimpl
def on_catalog_committed(event: CatalogCommitted) -> None:
    """Warn of files that kept their version and say something else, once it is recorded what they say."""
    if event.type == "validate.done" and event.version_id and not event.recovered:
        from ontofetch_catalog.catalog.oddities import warn_of_oddities

        warn_of_oddities(event.root, event.version_id)


@hookimpl
def register_commands() -> Iterable[Command]:
    """Contribute `report`, and what shows a catalog to others."""
    return [
        Command("report", "what is there, what grew, what broke", "ontofetch_catalog.cli.analytics_cmd:main"),
        Command("site", "write a static site of the whole catalog", "ontofetch_catalog.cli.site_cmd:main"),
        Command("export", "describe a release in the words of a standard", "ontofetch_catalog.cli.export_cmd:main"),
    ]


@hookimpl
def register_reports() -> Iterable[Report]:
    """Contribute the built-in reports."""
    from ontofetch_catalog.plugins.built_in_reports import REPORTS

    return REPORTS

"""The analytics as a plugin: contributes the command `report` and the built-in reports.

It imports no report before one runs; other plugins add their own reports in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable

from ontofetch_hookspecs import Command, Parameter, Report, hookimpl

PLUGIN_NAME = "analytics"
_REPORTS = "ontofetch_catalog.analytics.reports"


@hookimpl
def register_commands() -> Iterable[Command]:
    """Contribute `report`."""
    return [Command("report", "what is there, what grew, what broke", "ontofetch_catalog.cli.analytics_cmd:main")]


@hookimpl
def register_reports() -> Iterable[Report]:
    """Contribute the built-in reports."""
    return [
        Report(
            "latest",
            "what releases hold: files, bytes, formats, validation, the largest files, growth since the one before",
            f"{_REPORTS}:latest",
            (
                Parameter("version", "a release or a series (default: the latest release of each series)"),
                Parameter("as-of", "the day ages are counted to, like 2026-01-31 (default: today, UTC)"),
            ),
            ("", "--version hp", "--version obo/hp/2025-09-15 --json"),
        ),
        Report(
            "growth",
            "what changed from one release to another, churn apart from net growth",
            f"{_REPORTS}:growth",
            (
                Parameter("a", "the earlier release (default: the one before B)"),
                Parameter("b", "the later release (default: the latest one, if there is only one series)"),
                Parameter("by", "what the main rows are about", default="path", choices=("path", "format", "folder")),
                Parameter("all", "list unchanged files too", flag=True),
                Parameter("series", "a time line over the releases of this series instead"),
                Parameter("last", "a time line over the newest so many releases"),
                Parameter("every", "a time line by time instead of by release", choices=("week", "month")),
            ),
            (
                "--a hp/previous --b hp/latest",
                "--a 2025-08-01 --b 2025-09-15 --by format --top 5",
                "--out growth.parquet",
            ),
        ),
    ]

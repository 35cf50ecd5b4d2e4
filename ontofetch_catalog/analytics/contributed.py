"""The reports of plugins: found among what is installed, called with an open catalog, their tables collected.

It does not know what a report is about, nor who asked for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import pluggy
import polars as pl

from ontofetch_hookspecs import PROJECT, PluginFailed, Report, ask_contribution, specs
from ontofetch_hookspecs import collect as collect_contributions
from ontofetch_hookspecs.names import quote

from ..errors import UsageError
from ..guesses import did_you_mean
from ..rendering.encode import to_frame
from .collect import collect
from .results import ReportResult

if TYPE_CHECKING:
    from .sources import CatalogLike


@cache
def installed_reports() -> Mapping[str, tuple[str, Report]]:
    """Return name → (plugin, report) of the plugins that are installed; they are loaded once in a process."""
    from ontofetch_hookspecs import load_plugins

    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    load_plugins(manager)
    return collect_contributions(manager, "register_reports", Report)


def run_installed(name: str, catalog: CatalogLike, given: Mapping[str, object]) -> ReportResult:
    """Return a report that an installed plugin contributes.

    Args:
        given: Its parameters; what is not given has its default.

    Raises:
        UsageError: There is no such report, or it has no such parameter.
        PluginFailed: It failed, or gave no tables.
    """
    reports = installed_reports()
    if name not in reports:
        raise UsageError(f"There is no report {quote(name)}.", subject=name, hint=did_you_mean(name, sorted(reports)))
    plugin, report = reports[name]
    known = {parameter.name.replace("-", "_"): parameter for parameter in report.parameters}
    for word in given:
        if word not in known:
            raise UsageError(
                f"The report {name} has no parameter {quote(word)}.", subject=word, hint=did_you_mean(word, known)
            )
    for word, parameter in known.items():
        if parameter.required and given.get(word) is None:
            raise UsageError(f"The report {name} needs {word}.", subject=word, hint=f"{word}: {parameter.help}.")
    usual = {word: False if parameter.flag else parameter.default for word, parameter in known.items()}
    values = {**usual, **given}
    found = run(plugin, report, catalog, values)
    return found if isinstance(found, ReportResult) else ReportResult(found, values)


def run(
    plugin: str, report: Report, catalog: CatalogLike, given: Mapping[str, object]
) -> ReportResult | dict[str, pl.DataFrame]:
    """Return the sections of a report, the main one first; what is lazy is collected.

    Raises:
        PluginFailed: It failed, or gave no tables.
        OntofetchError: What it raised, if that has a sentence.
    """
    title = f"its report {report.name}"

    def read(found: object) -> ReportResult | dict[str, pl.DataFrame]:
        if not isinstance(found, Mapping) or not found:
            raise PluginFailed(
                f"The plugin {quote(plugin)} returned {type(found).__name__} from {title}, not a mapping of tables.",
                subject=plugin,
            )
        return found if isinstance(found, ReportResult) else _as_tables(found)

    return ask_contribution(plugin, title, report.target, catalog, read=read, **given)


def _as_tables(found: Mapping[str, object]) -> dict[str, pl.DataFrame]:
    lazy = {name: table for name, table in found.items() if isinstance(table, pl.LazyFrame)}
    collected = collect(lazy)
    return {name: collected[name] if name in lazy else to_frame(table) for name, table in found.items()}  # type: ignore[arg-type]

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from ontofetch_catalog.plugins import analytics
from ontofetch_hookspecs import Report, load_target
from ontofetch_hookspecs.testing import make_manager

REPORTS = list(analytics.register_reports())


def test_the_plugin_fits_the_contract() -> None:
    """Every hook it implements is one of the contract, and it contributes the command and the reports."""
    manager = make_manager(analytics)
    commands = [command for contributed in manager.hook.register_commands() for command in contributed]
    reports = [report for contributed in manager.hook.register_reports() for report in contributed]
    assert [command.name for command in commands] == ["report", "site", "export"]
    assert callable(load_target(commands[0].target))
    assert [report.name for report in reports] == [
        *("latest", "growth", "meaning", "impact", "quality", "imports", "validation", "hotspots", "duplicates"),
    ]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_options_are_the_arguments_of_the_function(report: Report) -> None:
    """Each option of a built-in report is an argument of its function and the other way round, with examples."""
    function = load_target(report.target)
    assert callable(function)
    arguments = dict(inspect.signature(function).parameters)
    assert arguments.pop("catalog")
    assert {parameter.name.replace("-", "_") for parameter in report.parameters} == set(arguments)
    for parameter in report.parameters:
        default = arguments[parameter.name.replace("-", "_")].default
        assert default == (False if parameter.flag else parameter.default)
    assert report.examples


def test_loading_the_plugin_is_cheap() -> None:
    """A host that loads the plugin and asks what it contributes imports no heavy package."""
    program = (
        "import sys; from ontofetch_catalog.plugins import analytics;"
        " analytics.register_commands(); analytics.register_reports();"
        " import ontofetch_catalog.cli.analytics_cmd; print(*sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"duckdb", "polars", "pyarrow", "rich", "structlog"} & set(found)

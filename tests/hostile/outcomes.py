"""Be a plugin of pytest that writes down at once which test begins and how it ends: a run may be killed on its way."""

from __future__ import annotations

import json
import os

import pytest

VARIABLE = "ONTOFETCH_OUTCOMES"


def _write(*words: str) -> None:
    with open(os.environ[VARIABLE], "a", encoding="utf-8") as stream:
        stream.write(json.dumps(words) + "\n")


def pytest_runtest_logstart(nodeid: str) -> None:
    """Write down that a test begins."""
    _write(nodeid, "begins", "")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write down how the call of a test ended, and what kept it from being called."""
    if report.when == "call" or report.outcome != "passed":
        _write(report.nodeid, f"{report.when} {report.outcome}", report.longreprtext[-2000:])

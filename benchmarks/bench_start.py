"""How long a user waits before anything happens, beside what any such process has to load."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs.testing import make_manager, sample_set_latest

from . import data
from .children import SCRIPT, run
from .harness import Race, Side

HELP = "import argparse, pluggy\nfrom importlib.metadata import entry_points\nlist(entry_points(group='ontofetch'))"
LIBRARIES = "import duckdb, polars"
CATALOG = "import argparse, pluggy, duckdb, pyarrow, rich.console"
# the file is judged in a process of its own, which has the parser
PULL = (
    f"{CATALOG}\nimport pyarrow.compute, subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import pyoxigraph'])"
)


@pytest.fixture(scope="module")
def small(scratch: Path) -> Path:
    """Return a store with one release of a hundred files."""
    root = data.make_store(scratch / "small")
    data.make_folders(root / data.VERSION / "data", 100)
    data.write_tree(root / data.VERSION / "data", 100)
    manager = make_manager(CatalogPlugin(), root=root)
    manager.hook.on_extract_done(event=data.extract_event(root, data.files_table(100), None))
    manager.hook.on_set_latest(event=sample_set_latest(root))
    return root


def test_help(race: Race, small: Path) -> None:
    """The help of the whole program, plugins loaded."""
    race(
        "start.help",
        Side(lambda _: run([SCRIPT, "--help"], small)),
        Side(lambda _: run([sys.executable, "-c", HELP])),
    )


def test_bare(race: Race, small: Path) -> None:
    """What do I have: the table of the series."""
    assert len(run([SCRIPT], small).stdout.splitlines()) == 3
    race(
        "start.bare",
        Side(lambda _: run([SCRIPT], small)),
        Side(lambda _: run([sys.executable, "-c", CATALOG])),
    )


def test_pull(race: Race, scratch: Path) -> None:
    """A pull of one small file: fetched, unpacked, judged, recorded four times, latest."""
    source, numbers = scratch / "tiny.ttl", itertools.count(1)
    source.write_text("@prefix : <http://example.org/> .\n:a :b :c .\n")
    words = [SCRIPT, "pull", source, "--service", "bench", "--ontology", "tiny", "-q", "--version"]
    race(
        "start.pull",
        Side(lambda _: run([*words, str(next(numbers))], scratch / "tiny")),
        Side(lambda _: run([sys.executable, "-c", PULL])),
    )


def test_report_latest(race: Race, small: Path) -> None:
    """A report, from the shell's prompt to the last line of its table."""
    assert "100" in run([SCRIPT, "report", "latest"], small).stdout
    race(
        "start.report",
        Side(lambda _: run([SCRIPT, "report", "latest"], small)),
        Side(lambda _: run([sys.executable, "-c", LIBRARIES])),
    )

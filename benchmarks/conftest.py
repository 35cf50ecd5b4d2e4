"""What the benchmarks share: a folder on the real disk, the race, and the table at the end of a run."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from . import harness
from .machine import describe_machine

LEDGER = pytest.StashKey[harness.Results]()
_number = itertools.count(1)
SCRATCH = Path(__file__).parent.parent / ".build" / "bench"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin a ledger, and keep pytest-benchmark's own table away: it has no yardstick."""
    config.stash[LEDGER] = harness.Results()
    config.option.benchmark_quiet = True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    ledger = config.stash[LEDGER]
    if not ledger.results:
        return
    terminalreporter.section("benchmarks" + (" (short form, limits twice as wide)" if harness.SHORT else ""))
    for line in [*describe_machine(SCRATCH), "", *harness.table(ledger)]:
        terminalreporter.write_line(line)


@pytest.fixture
def race(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> harness.Race:
    """Return the race of this test."""
    return harness.Race(benchmark, request.config.stash[LEDGER])


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """Return a folder on the disk of the checkout for what is slow to make; empty at first, gone at the end."""
    folder = SCRATCH / f"run-{os.getpid()}"
    folder.mkdir(parents=True)
    yield folder
    # it may be more than a million files: nobody has to wait until all of them are gone
    subprocess.run(["sh", "-c", 'nice -n 19 rm -rf "$0" >/dev/null 2>&1 &', folder], check=True)


@pytest.fixture
def room(scratch: Path) -> Path:
    """Return a folder on the same disk for one benchmark, which stays until the end.

    Whoever removes many files makes whoever makes some in the next minutes slow: ext4 without a journal looks at every
    inode that was given back lately, for each new file, and passes it by (recently_deleted in fs/ext4/ialloc.c).
    """
    folder = scratch / f"room-{next(_number)}"
    folder.mkdir()
    return folder

"""What the benchmarks share: a folder on the real disk, the race, and the table at the end of a run."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
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
    shutil.rmtree(folder)


@pytest.fixture
def room(scratch: Path) -> Path:
    """Return a folder on the same disk for one benchmark, which stays until the end.

    Whoever removes many files makes whoever makes some in the next minutes slow: ext4 without a journal looks at every
    inode that was given back lately, for each new file, and passes it by (recently_deleted in fs/ext4/ialloc.c).
    """
    folder = scratch / f"room-{next(_number)}"
    folder.mkdir()
    return folder


@pytest.fixture
def clearing(scratch: Path) -> Iterator[None]:
    """Remove what those before have left, beside a benchmark that measures no time; that one comes last."""
    left = list(scratch.iterdir())

    def remove() -> None:
        for folder in left:
            shutil.rmtree(folder)

    thread = threading.Thread(target=remove)
    thread.start()
    yield
    thread.join()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what clears the room last."""
    items.sort(key=lambda item: "clearing" in getattr(item, "fixturenames", ()))

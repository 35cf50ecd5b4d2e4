"""Fixtures that many tests share: a store with a catalog behind the contract's hooks."""

from __future__ import annotations

import compileall
import gc
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ontofetch_catalog
import ontofetch_hookspecs
from tests import WRITES_NO_BYTECODE, levels, schemas
from tests.children import quick_children
from tests.releases import Releases, Templates

# projects of their own, whose tests run in environments of their own
collect_ignore = ["third_party"]
# single tests of many seconds: begun first, for what is left at the end is shared by all cores only if it is short
LONG = ("test_documents", "test_interrupts", "test_distribution", "test_new_plugin", "crash/test_loop")


def pytest_configure(config: pytest.Config) -> None:
    """Draw as many inputs as belong to the run."""
    levels.begin(config.option.markexpr)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out before it is imported what `make quick` and `make test` leave out."""
    return True if levels.is_left_out(collection_path, config.option.markexpr) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what only longer runs have, and put what takes longest first."""
    levels.mark(items)
    long = {path for path in {item.path for item in items} if levels.begins_with(path, LONG)}
    items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores: now and then a test waits for a server, a disk or a clock."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return (cores or 1) + 1


def pytest_collection_finish() -> None:
    """Compile what all processes import, and leave what stays for the whole run out of the search for garbage."""
    sys.dont_write_bytecode = WRITES_NO_BYTECODE
    for package in (ontofetch_catalog, ontofetch_hookspecs):
        compileall.compile_dir(package.__path__[0], quiet=2)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the settings and the log handlers of whoever runs the tests out of them."""
    for name in ("ONTOFETCH_ROOT", "ONTOFETCH_WAIT", "ONTOFETCH_NO_PLUGINS", "ONTOFETCH_DURABILITY", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ONTOFETCH_CONFIG", "")
    # a fixture of a whole module may have run a command, too, before this test began
    _as_it_was()
    yield
    _as_it_was()


_OURS, _ALL = logging.getLogger("ontofetch"), logging.getLogger()
_HANDLERS, _PROPAGATE, _LEVELS = _OURS.handlers[:], _OURS.propagate, (_OURS.level, _ALL.level)


def _as_it_was() -> None:
    """Take back what a command does to the log of its process."""
    _OURS.handlers[:], _OURS.propagate = _HANDLERS, _PROPAGATE
    for logger, level in zip((_OURS, _ALL), _LEVELS, strict=True):
        logger.setLevel(level)


@pytest.fixture(autouse=True, scope="session")
def _templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make a store that several tests begin with only once."""
    Releases.templates = Templates(tmp_path_factory.mktemp("templates"))
    yield
    Releases.templates = None


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """Return a host for tests: it stages releases below a fresh store and calls the hooks, the catalog listening."""
    return Releases(tmp_path / "store", settings={"durability": "off"})


@pytest.fixture
def quick_databases() -> Iterator[None]:
    """Attach databases to one instance of DuckDB, which takes a tenth of the time.

    For tests whose subject is not the opening itself, nor what DuckDB is forbidden, nor its settings.
    """
    with schemas.quick_databases(), quick_children():
        yield


@pytest.fixture
def quickest_databases() -> Iterator[None]:
    """Attach databases as `quick_databases` does, to an instance that looks for no better plan of a statement.

    For tests that repeat commands over a sound catalog whose subject are files alone.
    """
    with schemas.quick_databases(optimizing=False), quick_children():
        yield

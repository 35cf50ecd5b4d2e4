"""Fixtures for the tests of prune."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from ontofetch_catalog.catalog.prune import planning
from tests.catalog.prune.stores import MONTH, make_store


@pytest.fixture(autouse=True)
def _a_month_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plans be made a month from now: the ctime of a file can't be set."""
    monkeypatch.setattr(planning, "clock", lambda: time.time_ns() + MONTH)


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the store that each test gets a copy of."""
    return make_store(tmp_path_factory.mktemp("small") / "store").root


@pytest.fixture
def root(small_store: Path, tmp_path: Path) -> Path:
    """Return a store with one release that is in step with its catalog."""
    return shutil.copytree(small_store, tmp_path / "store")

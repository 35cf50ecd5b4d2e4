"""Fixtures that many tests share: a store with a catalog behind the contract's hooks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.releases import Releases, Templates

settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the settings and the log handlers of whoever runs the tests out of them."""
    for name in ("ONTOFETCH_ROOT", "ONTOFETCH_WAIT", "ONTOFETCH_NO_PLUGINS", "ONTOFETCH_DURABILITY", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ONTOFETCH_CONFIG", "")
    logger = logging.getLogger("ontofetch")
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.propagate = handlers, propagate
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

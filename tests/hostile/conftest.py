"""Fixtures of the attackers' bench."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile.places import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Return the one server of commands of this run."""
    started = Bench(tmp_path_factory.mktemp("hostile"))
    yield started
    started.close()

"""The stores that maintenance finds: what is lost or spoilt in them, in the same ways as in the tests of doctor.

Which command mends it, and what must hold, is not known here.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.catalog.doctor.conftest import pull
from tests.catalog.doctor.damage import FOLDER, TEXTS, Damage

from . import scenarios
from .scenarios import Facts


def harmed(*harms: Damage) -> Callable[[Path], Facts]:
    """Return a builder of a store with two releases of equal content out of real archives, harmed so."""

    def built(home: Path) -> Facts:
        host = scenarios.host(home)
        # the later one is the latest; what is damaged is the other one
        for version in ("1.0", "2.0"):
            pull(host, version, TEXTS)
        for harm in harms:
            harm(home / "store")
        return {}

    return built


def files_gone(root: Path) -> None:
    """Lose two extracted files in two folders."""
    (root / FOLDER / "data/a.ttl").unlink()
    (root / FOLDER / "data/d/b.ttl").unlink()


def artifact_gone(root: Path) -> None:
    """Lose an artifact; the other release has the same."""
    (root / FOLDER / "src/a.zip").unlink()


def database_lost(home: Path) -> Facts:
    """Lose the database with its log, and the record of it."""
    for path in (home / "store/.catalog").glob("ontofetch.duckdb*"):
        path.unlink()
    (home / "store/.catalog/generation.json").unlink()
    return {}


def all_lost(home: Path) -> Facts:
    """Build a store of two whole releases whose database is lost."""
    scenarios.latest(home)
    return database_lost(home)


def database_lost_of(build: Callable[[Path], Facts]) -> Callable[[Path], Facts]:
    """Return a builder of a store whose database is lost after it was built."""

    def built(home: Path) -> Facts:
        build(home)
        return database_lost(home)

    return built


def never_had_a_catalog(home: Path) -> Facts:
    """Build a tree of two releases that no catalog has written anything about but where the latest is."""
    scenarios.latest(home)
    shutil.rmtree(home / "store/.catalog")
    for version in ("1.0", "2.0"):
        for name in ("manifest.json", ".extract.audit.json", ".validation.audit.json"):
            (home / "store/example/sample" / version / name).unlink()
    return {}

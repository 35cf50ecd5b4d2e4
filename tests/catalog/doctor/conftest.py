"""A sound store for the tests of doctor: three releases of one series out of real archives, two of equal content."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.catalog.doctor.damage import TEXTS
from tests.releases import Releases, results_table

FAST = {"durability": "off", "duckdb_threads": 1}


def archive(texts: Mapping[str, str]) -> bytes:
    """Return a zip with one top folder around these files, the same bytes for the same texts."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as zipped:
        for name, text in sorted(texts.items()):
            zipped.writestr(zipfile.ZipInfo(f"release/{name}", (2025, 1, 2, 3, 4, 4)), text)
    return target.getvalue()


def pull(releases: Releases, version: str, texts: Mapping[str, str]) -> None:
    """Record a whole release out of an archive."""
    data = archive(texts)
    releases.download(version, data)
    releases.extract(version, data, texts, strip=1)
    releases.validate(version, results_table(texts))
    releases.set_latest(version)


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of a sound store, not to be changed."""
    root = tmp_path_factory.mktemp("sound") / "store"
    releases = Releases(root, settings=FAST)
    pull(releases, "0.9", TEXTS)
    pull(releases, "1.0", TEXTS)
    pull(releases, "2.0", TEXTS | {"a.ttl": "ALPHA"})
    return root


@pytest.fixture
def root(sound: Path, tmp_path: Path) -> Path:
    """Return the root of a sound store of the test's own."""
    shutil.copytree(sound, tmp_path / "store")
    return tmp_path / "store"

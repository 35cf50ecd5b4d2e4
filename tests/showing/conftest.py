"""A store whose names, texts and states are those that a site and a document have to get right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ontofetch_catalog.host.app import main
from tests.releases import Releases, results_table

FIRST = {"a.ttl": "one", "d/old.ttl": "two", "<script>alert(1)</script>.ttl": "three", "same.ttl": "same"}
SECOND = {"a.ttl": "ONE!", "d/new.ttl": "two", "come &amp; 'go' \".ttl": "four", "same.ttl": "same"}
STATED = {
    "title": "A <b>sample</b>",
    "licence": "https://creativecommons.org/publicdomain/zero/1.0/",
    "version_iri": "https://example.org/sample/2.0",
}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the store that each test gets a copy of."""
    root = tmp_path_factory.mktemp("made") / "store"
    releases = Releases(root, settings={"durability": "off"})
    releases.pull("1.0", FIRST)
    releases.download("2.0", b"second", source_url="https://example.org/two.zip", released=date(2025, 9, 15), **STATED)
    releases.extract("2.0", b"second", SECOND)
    releases.validate("2.0", results_table(SECOND, failing=("a.ttl",)))
    releases.download("3.0", b"third", source_url="file:///home/alice/my/own/file.zip")
    releases.extract("3.0", b"third", SECOND)
    return root


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """Return a store of three releases, two of which are validated; a file of the second fails."""
    shutil.copytree(made, tmp_path / "store", symlinks=True)
    return tmp_path / "store"


@pytest.fixture
def run(store: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the program over the store: words → exit code, stdout, stderr."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")

    def call(*words: str, root: Path = store) -> tuple[int, str, str]:
        code = main([*words, "--root", str(root)])
        out, err = capfd.readouterr()
        return code, out, err

    return call

"""A small store for the verbs, and the verbs called as the program calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.host.app import main
from tests.releases import Releases

A = {"a.ttl": "one", "d/old.ttl": "two", "gone.ttl": "three", "same.ttl": "same"}
B = {"a.ttl": "ONE!", "d/new.ttl": "two", "come.ttl": "four", "same.ttl": "same"}
Run = Callable[..., tuple[int, str, str]]


def make_store(root: Path) -> Path:
    """Make a store with two releases of one series: one file modified, one renamed, one gone, one added."""
    releases = Releases(root, settings={"durability": "off"})
    releases.pull("1.0", A)
    releases.pull("2.0", B)
    return root


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return such a store."""
    return make_store(tmp_path / "store")


@pytest.fixture
def run(store: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the program over the store: words → exit code, stdout, stderr."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    monkeypatch.setenv("COLUMNS", "80")

    def call(*words: str, root: Path = store) -> tuple[int, str, str]:
        monkeypatch.setenv("ONTOFETCH_ROOT", str(root))
        code = main([*words])
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture
def rows(run: Run) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that runs a verb and returns its rows."""

    def call(*words: str, section: str = "rows", **options: Any) -> list[dict[str, Any]]:
        code, out, err = run(*words, "--json", **options)
        assert code == 0, err
        found = json.loads(out)
        return found["rows"] if section == "rows" else found["sections"][section]

    return call

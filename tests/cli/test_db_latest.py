"""`db latest` shows, sets and lists latest pointers; setting one is a boundary like any other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.releases import Releases, assert_consistent, results_table

pytestmark = pytest.mark.usefixtures("quick_databases")

Rows = Callable[..., list[dict[str, Any]]]


def test_setting_moves_pointer_and_file(store: Path, rows: Rows) -> None:
    """The row and LATEST.json name the release; the former pointer stays in the history."""
    (row,) = rows("db", "latest", "set", "sample/1.0")
    assert row["version_id"] == "example/sample/1.0"
    assert json.loads((store / "example/sample/LATEST.json").read_text())["version_id"] == "example/sample/1.0"
    history = [row["version_id"] for row in rows("db", "latest", "history", "sample")]
    assert history == [f"example/sample/{version}" for version in ("1.0", "2.0", "1.0")]
    assert_consistent(store)


def test_setting_what_is_latest_already_says_so(run: Run, rows: Rows) -> None:
    """Nothing is added to the history."""
    code, _, err = run("db", "latest", "set", "2.0")
    assert code == 0
    assert err.endswith("example/sample/2.0 is the latest already.\n")
    assert len(rows("db", "latest", "history")) == 2


def test_a_release_with_failures_needs_consent(store: Path, run: Run) -> None:
    """It is refused with a sentence, and set with --accept-failures."""
    releases = Releases(store, settings={"durability": "off"})
    releases.validate("1.0", results_table({"a.ttl": "one"}, failing=("a.ttl",), validator="picky"))
    code, _, err = run("db", "latest", "set", "1.0")
    assert code == 1
    assert "1 of its files fail" in err
    assert "--accept-failures" in err
    assert run("db", "latest", "set", "1.0", "--accept-failures")[0] == 0


def test_set_needs_a_release(run: Run) -> None:
    """Without one it is a usage error."""
    code, _, err = run("db", "latest", "set")
    assert code == 2
    assert "VERSION" in err

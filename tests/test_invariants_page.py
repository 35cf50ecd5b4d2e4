"""docs/invariants.md names exactly the invariants that the loop judges by, and every test that it names is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.crash.invariants import INVARIANTS
from tests.crash.states import MODES

CHECKOUT = Path(__file__).parents[1]
PAGE = (CHECKOUT / "docs/invariants.md").read_text(encoding="utf-8")


def test_the_page_lists_the_invariants_of_the_loop() -> None:
    """Name, level and sentence stand in the page as in the code."""
    rows = re.findall(r"^\| ([a-z-]+) \| (MUST|SHOULD) \| (.+?) \| `", PAGE, re.MULTILINE)
    told = {name: (level, sentence.replace("`", "")) for name, level, sentence in rows}
    assert told == INVARIANTS


def test_every_named_test_is_there() -> None:
    """What follows `::` is a function of that file."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > len(INVARIANTS)
    for path, name in named:
        assert f"def {name}(" in (CHECKOUT / path).read_text(encoding="utf-8"), (path, name)


def test_the_page_explains_every_mode() -> None:
    """Each mode of the loop stands in the page."""
    assert [mode for mode in MODES if not re.search(rf"\b{mode}\b", PAGE)] == []


def test_every_named_commit_is_there() -> None:
    """Whatever the loop found names the commit that mended it, by hash and subject, and that is in the history."""
    rows = [line.split(" | ")[1] for line in PAGE.partition("## What the loop found")[2].splitlines() if "::" in line]
    assert len(rows) >= 9
    if not (CHECKOUT / ".git").exists():
        pytest.skip("no checkout: there is no history to look at")
    if _git("rev-parse", "--is-shallow-repository") != "false":
        pytest.skip("a shallow checkout: its history has no beginning")
    commits = _git("log", "--format=%H %s").splitlines()
    for row in rows:
        digest, _, subject = row.partition(" ")
        assert re.fullmatch("[0-9a-f]{7,}", digest), row
        assert any(line.startswith(digest) and line.endswith(f" {subject}") for line in commits), row


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.strip()

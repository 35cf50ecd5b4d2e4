"""What the documents show is what the program prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents import CHECKOUT, comparable, differences, read_commands, rewrite

WITH_COMMANDS = [path for path in (CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md")))
                 if read_commands(path.read_text(encoding="utf-8"))]  # fmt: skip


@pytest.mark.parametrize("path", WITH_COMMANDS, ids=lambda path: path.name)
def test_documents_show_what_is_printed(path: Path, tmp_path: Path) -> None:
    """Every command of the README and of the documents prints what stands below it."""
    assert not differences(path, tmp_path)


def test_the_readme_has_commands() -> None:
    """The README is among the documents that are run."""
    assert "README.md" in [path.name for path in WITH_COMMANDS]


def test_another_output_is_noticed(tmp_path: Path) -> None:
    """A document that shows something else than is printed is refused, and rewriting it mends it."""
    path = tmp_path / "page.md"
    path.write_text("text\n\n```console\n$ echo one\none\n$ echo two\nthree\n```\n\ntext\n")
    (difference,) = differences(path, tmp_path)
    assert difference.startswith("`echo two` prints")
    rewrite(path, tmp_path)
    assert differences(path, tmp_path) == []
    assert path.read_text().startswith("text\n\n```console\n$ echo one\none\n")


def test_only_what_differs_from_run_to_run_is_folded() -> None:
    """Times and identifiers are compared by their form, all else by its letters."""
    assert comparable("at 2026-01-02T03:04:05Z") == comparable("at 2025-06-07T08:09:10Z")
    assert comparable("a" * 32) == comparable("b" * 32)
    assert comparable("89 files") != comparable("88 files")

"""What the documents show is what the program prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.documents import CHECKOUT, comparable, differences, read_commands, rewrite
from tests.programs import Program, install

WITH_COMMANDS = [path for path in (CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md")))
                 if read_commands(path.read_text(encoding="utf-8"))]  # fmt: skip


@pytest.mark.parametrize("path", WITH_COMMANDS, ids=lambda path: path.name)
def test_documents_show_what_is_printed(path: Path, tmp_path: Path) -> None:
    """Every command of the README and of the documents prints what stands below it."""
    found = differences(path, tmp_path)
    # as a message of our own, since pytest would leave out the middle
    assert not found, "\n\n".join(found)


def test_the_readme_has_commands() -> None:
    """The README is among the documents that are run."""
    assert "README.md" in [path.name for path in WITH_COMMANDS]


def test_the_readme_names_every_document() -> None:
    """Who begins at the README finds each page, as the manual page says."""
    said = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted((CHECKOUT / "docs").glob("*.md")) if f"(docs/{path.name})" not in said] == []


def test_another_output_is_noticed(tmp_path: Path) -> None:
    """A document that shows something else than is printed is refused, and rewriting it mends it."""
    path = tmp_path / "page.md"
    path.write_text("text\n\n```console\n$ echo one\none\n$ echo two\nthree\n```\n\ntext\n")
    (difference,) = differences(path, tmp_path)
    assert difference.splitlines()[0] == "`echo two` prints something else:"
    assert difference.splitlines()[-2:] == ["-three", "+two"]
    rewrite(path, tmp_path)
    assert differences(path, tmp_path) == []
    assert path.read_text().startswith("text\n\n```console\n$ echo one\none\n")


def test_only_what_differs_from_run_to_run_is_folded() -> None:
    """Times and identifiers are compared by their form, all else by its letters."""
    assert comparable("at 2026-01-02T03:04:05Z") == comparable("at 2025-06-07T08:09:10Z")
    assert comparable("a" * 32) == comparable("b" * 32)
    assert comparable("89 files") != comparable("88 files")


def test_the_plugin_of_the_readme_runs(tmp_path: Path) -> None:
    """It has ten lines of code, refuses an empty artifact, and prints a line for each committed step, on stderr."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", (CHECKOUT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 10
    program = Program(tmp_path / "store", install(tmp_path / "site", "readme-plugin", code))
    names = ("--service", "s", "--ontology", "o", "--version", "1")
    empty, small = tmp_path / "empty.nt", tmp_path / "small.nt"
    empty.write_bytes(b"")
    small.write_text("<urn:a> <urn:b> <urn:c> .\n")
    refused = program.run("pull", str(empty), *names)
    assert refused.returncode == 1
    assert "empty.nt is empty. Ask the publisher." in refused.stderr
    done = program.run("pull", str(small), *names, "--out", str(tmp_path / "row.json"))
    assert done.returncode == 0, done.stderr
    steps = ["download.done", "extract.done", "validate.done", "latest.set"]
    # what a hook prints goes to stderr
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if line.endswith(" s/o/1")] == [f"{step} s/o/1" for step in steps]

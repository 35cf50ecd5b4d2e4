"""How often a pull opens the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontofetch_catalog.catalog import fsops, kept, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.host.app import main

TURTLE = "@prefix : <http://example.org/> .\n:a :b :c .\n"


def pull(store: Path, source: Path, version: str) -> None:
    """Pull one file as a release."""
    words = ["pull", str(source), "--service", "here", "--ontology", "small", "--version", version]
    assert main([*words, "--root", str(store), "--quiet"]) == 0


def state_of(root: Path) -> list[tuple[int, int, int]]:
    """Return what tells that nobody has written: inode, size and time of the catalog's files."""
    found = [
        path.lstat() for path in sorted((root / ".catalog").glob("*")) if path.suffix in (".duckdb", ".wal", ".json")
    ]
    return [(state.st_ino, state.st_size, state.st_mtime_ns) for state in found]


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Note each opening of a database: whether it is for reading."""
    found: list[bool] = []
    really = fsops.open_database

    def opening(*args: object, read_only: bool, **options: object) -> object:
        found.append(read_only)
        return really(*args, read_only=read_only, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(fsops, "open_database", opening)
    return found


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is open for as long as it takes on a busy machine."""
    monkeypatch.setattr(kept, "IDLE_SECONDS", 60.0)
    monkeypatch.setattr(kept, "MOST_SECONDS", 60.0)


def test_a_pull_opens_the_database_once(tmp_path: Path, openings: list[bool]) -> None:
    """The first makes it before; what the next asks at its beginning, and its four boundaries, find it open."""
    source = tmp_path / "small.ttl"
    source.write_text(TURTLE)
    pull(tmp_path / "store", source, "1")
    assert openings == [False] * 2
    openings.clear()
    source.write_text(TURTLE + ":a :b :d .\n")
    pull(tmp_path / "store", source, "2")
    assert openings == [False]


def test_facts_of_many_releases_open_the_database_twice(tmp_path: Path, openings: list[bool]) -> None:
    """Once to ask which releases lack some, once for all that is recorded then; where none lacks any, once."""
    source = tmp_path / "small.ttl"
    for version in "123":
        source.write_text(TURTLE + f":a :b :c{version} .\n")
        words = ["--service", "here", "--ontology", "small", "--version", version, "--no-facts", "--quiet"]
        assert main(["pull", str(source), *words, "--root", str(tmp_path / "store")]) == 0
    openings.clear()
    assert main(["db", "facts", "--quiet", "--root", str(tmp_path / "store")]) == 0
    assert openings == [True, False]
    openings.clear()
    assert main(["db", "facts", "--quiet", "--root", str(tmp_path / "store")]) == 0
    assert openings == [True]
    with sessions.reading(Store(tmp_path / "store")) as connection:
        assert connection.execute("SELECT count(*) FROM file_facts WHERE reason IS NULL").fetchall() == [(3,)]


def test_many_validators_ask_without_opening(tmp_path: Path, openings: list[bool]) -> None:
    """A release with files of several syntaxes, of which some contents are known, opens it no more often."""
    import zipfile

    archive = tmp_path / "some.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.ttl", TURTLE)
        packed.writestr("a.nt", "<http://e.org/a> <http://e.org/b> <http://e.org/c> .\n")
        packed.writestr("a.obo", "format-version: 1.2\n\n[Term]\nid: A:1\nname: a\n")
    pull(tmp_path / "store", archive, "1")
    openings.clear()
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("b.ttl", TURTLE + ":a :b :d .\n")
    pull(tmp_path / "store", archive, "2")
    assert openings == [False]
    with sessions.reading(Store(tmp_path / "store")) as connection:
        reused = connection.execute(
            "SELECT relpath, reused_from FROM validations WHERE version_id = 'here/small/2' ORDER BY relpath"
        ).fetchall()
    assert [(name, origin is not None) for name, origin in reused] == [
        ("a.nt", True),
        ("a.obo", True),
        ("a.ttl", True),
        ("b.ttl", False),
    ]


def test_a_pull_that_is_refused_leaves_no_trace(tmp_path: Path, openings: list[bool]) -> None:
    """To ask, the catalog is opened as whoever writes next needs it; without anything to record it stays as it was."""
    source, root = tmp_path / "small.ttl", tmp_path / "store"
    source.write_text(TURTLE)
    pull(root, source, "1")
    before = state_of(root)
    openings.clear()
    words = ["pull", str(tmp_path / "none.ttl"), "--service", "here", "--ontology", "small", "--version", "2"]
    assert main([*words, "--root", str(root), "--quiet"]) == 1
    assert openings == [False]
    assert state_of(root) == before


def test_a_question_ends_nothing_that_is_open(tmp_path: Path, openings: list[bool]) -> None:
    """Where a boundary is open, who asks only reads, and what records next ends it."""
    source, root = tmp_path / "small.ttl", tmp_path / "store"
    source.write_text(TURTLE)
    pull(root, source, "1")
    openings.clear()
    (root / ".catalog" / "intents" / f"{'0' * 32}.json").write_text("{}")
    pull(root, source, "2")
    assert openings == [True, False]

"""What is remembered of a catalog between two boundaries is what it says: our own writing is heard, others' seen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ontofetch_catalog.catalog import fsops, kept, lookups, remembering, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.remembering import Memory, ask, note
from ontofetch_catalog.catalog.repo import images, latest, notes, releases, result_tables
from ontofetch_catalog.host.app import main
from ontofetch_hookspecs import OntofetchError
from ontofetch_hookspecs.together import recording_together

from ..releases import Releases, results_table

FAST = {"durability": "off", "wait": 20.0}
TEXTS = {"a.ttl": "a", "b.ttl": "b"}


def rows_of(answer: remembering.Rows | pa.Table) -> list[str]:
    """Return the rows of an answer, in an order of their own."""
    rows = (
        answer if isinstance(answer, list) else [tuple(row[name] for name in sorted(row)) for row in answer.to_pylist()]
    )
    return sorted(map(repr, rows))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ask again whatever is remembered, and compare; return the statements of which something was remembered."""
    found: list[str] = []
    expected: dict[object, Any] = {}
    recall, remember = Memory.recall, Memory.remember

    def forget_it(memory: Memory, key: Any) -> Any:
        if key[1] == remembering._AS_TABLE:
            return recall(memory, key)
        expected[key] = recall(memory, key)
        return None

    def compare(memory: Memory, key: Any, tables: Iterable[str], rows: remembering.Rows | pa.Table) -> None:
        known = expected.pop(key, None)
        if known is not None:
            found.append(key[0])
            assert rows_of(known) == rows_of(rows), key
        remember(memory, key, tables, rows)

    recall_table = remembering.recall_table

    def compare_table(connection: Any, sql: str) -> pa.Table | None:
        known = recall_table(connection, sql)
        if known is not None:
            found.append(sql)
            assert rows_of(known) == rows_of(connection.connection.sql(sql).to_arrow_table()), sql
        return known

    for module in (remembering, images, result_tables):
        monkeypatch.setattr(module, "recall_table", compare_table)
    monkeypatch.setattr(Memory, "recall", forget_it)
    monkeypatch.setattr(Memory, "remember", compare)
    return found


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run keep its store open for as long as nobody waits."""
    monkeypatch.setattr(kept, "IDLE_SECONDS", 60.0)
    monkeypatch.setattr(kept, "MOST_SECONDS", 60.0)


def record_all(host: Releases, version: str, data: bytes, texts: dict[str, str], **changes: Any) -> None:
    """Record a release as a pull does."""
    host.download(version, data, **changes)
    host.extract(version, data, texts)
    host.validate(version, results_table(texts))
    host.set_latest(version)


@pytest.mark.usefixtures("patient")
def test_what_is_remembered_is_what_the_catalog_says(tmp_path: Path, asked: list[str]) -> None:
    """Releases are recorded, replaced, repeated, joined by an artifact, in runs and one by one."""
    host = Releases(tmp_path / "store", settings=FAST)
    with recording_together():
        record_all(host, "1", b"one", TEXTS)
        record_all(host, "2", b"two", {"a.ttl": "A"})
        record_all(host, "1", b"one", TEXTS)
        record_all(host, "2", b"three", {"a.ttl": "A", "c.ttl": "c"}, replace=True)
        host.download("2", b"more", artifact="b.zip", source_url="https://example.org/more")
        host.extract("2", b"more", {"d.ttl": "d"}, artifact="b.zip")
        host.validate("2", results_table({"d.ttl": "d"}, failing=("d.ttl",)))
        for version in ("1", "2", "3"):
            lookups.lookup_version(Store(host.root, FAST), f"example/sample/{version}")
    # each of the questions that boundaries have in common was answered from memory, and truly
    for table in ("versions", "artifacts", "origins", "notes", "latest_pointer", "events", "validations"):
        assert any(f"FROM {table}" in statement for statement in asked), table
    assert main(["db", "doctor", "--hash", "-q", "--root", str(host.root)]) == 0


@pytest.mark.usefixtures("asked")
def test_commands_remember_within_a_boundary_what_is_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removal, other names, notes, pins, undo: each asks again what it remembers."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    host = Releases(tmp_path / "store", settings=FAST)
    for version in ("1", "2"):
        record_all(host, version, version.encode(), TEXTS)
    release = "example/sample/2"
    for words in (
        ["note", release, "so it is"],
        ["tag", release, "good"],
        ["db", "pin", "example/sample/1"],
        ["mv", "example/sample", "example/other", "--yes"],
        ["undo"],
        ["rm", release, "--yes"],
        ["undo"],
        ["db", "latest", "set", "example/sample/1"],
        ["db", "doctor", "--hash", "-q"],
    ):
        assert main([*words, "--root", str(host.root)]) == 0, words


@pytest.mark.usefixtures("patient")
def test_a_run_sees_what_another_process_writes_between_two_boundaries(tmp_path: Path) -> None:
    """Notes, another latest: nothing that was read before the other's turn is told after it."""
    host = Releases(tmp_path / "store", settings=FAST)
    release, store = "example/sample/2", Store(tmp_path / "store", FAST)
    with recording_together():
        record_all(host, "1", b"one", TEXTS)
        record_all(host, "2", b"two", TEXTS)
        found = lookups.lookup_version(store, release)
        assert found is not None
        assert found.latest == release
        for words in (
            ["note", release, "by another"],
            ["db", "latest", "set", "example/sample/1"],
            ["db", "pin", release],
        ):
            others = [sys.executable, "-m", "ontofetch_catalog", *words, "--root", str(host.root)]
            subprocess.run(others, check=True, timeout=60, capture_output=True)
        found = lookups.lookup_version(store, release)
        assert found is not None
        assert found.latest == "example/sample/1"
        host.download("2", b"two", source_url="https://example.org/elsewhere")
    manifest = (host.root / "example/sample/2/manifest.json").read_text()
    assert "by another" in manifest
    assert '"pinned_at": null' not in manifest
    assert main(["db", "doctor", "-q", "--root", str(host.root)]) == 0


@pytest.mark.usefixtures("patient", "asked")
def test_what_was_taken_back_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A boundary that fails after it has recorded rows leaves nothing of them in what is answered next."""
    host = Releases(tmp_path / "store", settings=FAST)
    with recording_together():
        host.download("1", b"one")
        with monkeypatch.context() as broken:

            def refuse(*_: object, **__: object) -> None:
                raise OSError(5, "the disk refuses")

            broken.setattr(fsops, "rename", refuse)
            with pytest.raises(OntofetchError):
                host.extract("1", b"one", TEXTS)
        found = lookups.lookup_version(Store(host.root, FAST), "example/sample/1")
        assert found is not None
        assert found.artifacts[0].strip is None
        record_all(host, "1", b"one", TEXTS)
    assert main(["db", "doctor", "--hash", "-q", "--root", str(host.root)]) == 0


VERSIONS, PLACES, NOTES = "SELECT 1 FROM versions", "SELECT 2 FROM versions", "SELECT 1 FROM notes"


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ("SELECT * FROM versions, notes", {VERSIONS, PLACES, NOTES}),
        ("BEGIN TRANSACTION", {VERSIONS, PLACES, NOTES}),
        ("COMMIT", {VERSIONS, PLACES, NOTES}),
        ("UPDATE versions SET extract_audit = ? WHERE version_id = ?", {PLACES, NOTES}),
        ("UPDATE versions SET plan_hash = ?, released = ? WHERE version_id = ?", {NOTES}),
        ("UPDATE versions SET released = plan_hash WHERE true", {NOTES}),
        ("INSERT INTO versions SELECT * FROM given_rows", {NOTES}),
        ("INSERT INTO notes SELECT * FROM versions", set()),
        ("DELETE FROM notes WHERE true", {VERSIONS, PLACES}),
        ("WITH given AS (SELECT 1) SELECT * FROM versions", {VERSIONS, PLACES, NOTES}),
        ("WITH given AS (SELECT 1)\nINSERT INTO notes FROM given", {VERSIONS, PLACES}),
        ("ROLLBACK", set()),
        ("DROP TABLE given", set()),
    ],
)
def test_a_statement_is_heard(statement: str, left: set[str]) -> None:
    """What it may change is forgotten, and nothing else."""
    memory = Memory()
    for asked, table in ((VERSIONS, "versions"), (PLACES, "versions.released"), (NOTES, "notes")):
        memory.remember((asked, ()), [table], [])
    memory.hear(statement)
    assert {asked for asked in (VERSIONS, PLACES, NOTES) if memory.recall((asked, ())) is not None} == left


def test_whatever_a_connection_may_do_is_heard() -> None:
    """What is neither asked nor run as a statement makes it forget all; a table that nobody hears of is refused."""
    with duckdb.connect() as plain:
        memory = Memory()
        connection = remembering.remembering(plain, memory)
        connection.execute("CREATE TABLE notes (text VARCHAR)")
        assert ask(connection, NOTES, of=("notes",)) == []
        connection.executemany("INSERT INTO notes VALUES (?)", [["x"]])
        assert ask(connection, NOTES, of=("notes",)) == [(1,)]
        connection.sql("DELETE FROM notes")
        assert ask(connection, NOTES, of=("notes",)) == []
        note(connection, NOTES, (), [(1,)], of=("notes",))
        assert ask(connection, NOTES, of=("notes",)) == [(1,)]
        assert ask(plain, NOTES, of=("notes",)) == []
        with pytest.raises(LookupError):
            ask(connection, "SELECT 1", of=("others",))


def test_no_more_is_remembered_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows beyond the most make it forget what there was."""
    monkeypatch.setattr(remembering, "MOST_ROWS", 10)
    memory = Memory()
    for number in range(100):
        memory.remember((str(number), ()), ["notes"], [(number,)])
        assert memory.recall((str(number), ())) == [(number,)]
    assert sum(memory.recall((str(number), ())) is not None for number in range(100)) <= 5
    memory.remember(("many", ()), ["notes"], [(number,) for number in range(remembering.MOST_OF_ONE + 1)])
    assert memory.recall(("many", ())) is None


def test_questions_of_one_release_are_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside a session a row is read from the database once, until it is written."""
    host = Releases(tmp_path / "store", settings=FAST)
    host.download("1", b"one")
    count: list[str] = []
    really: Callable[..., remembering.Rows] = remembering._fetch

    def fetch(connection: Any, sql: str, parameters: Any) -> remembering.Rows:
        count.append(sql)
        return really(connection, sql, parameters)

    monkeypatch.setattr(remembering, "_fetch", fetch)
    release = "example/sample/1"
    with sessions.writing(Store(host.root, FAST)) as session:
        count.clear()
        for _ in range(3):
            row = releases.find_version(session.connection, release)
            releases.find_artifacts(session.connection, release)
            notes.find_notes(session.connection, release)
            latest.find_latest(session.connection, "example/sample")
        assert len(count) == len(set(count)) == 4
        assert row is not None
        releases.update_version(session.connection, release, {"plan_hash": "of this one"})
        changed = releases.find_version(session.connection, release)
        assert changed is not None
        assert changed.plan_hash == "of this one"
        assert len(count) == 4

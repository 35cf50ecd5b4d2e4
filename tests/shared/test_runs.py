"""A run of boundaries on one machine keeps its copy and the log open, and keeps no other machine waiting for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ontofetch_catalog.catalog import fsops, kept, locks, lookups, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.kept import Hold
from ontofetch_catalog.catalog.shared import kept_lines
from ontofetch_catalog.catalog.shared.log_schema import LOCK
from ontofetch_hookspecs.together import recording_together
from tests.releases import Releases, results_table

from .copies import Copies, copies, release, rows_of

__all__ = ["copies"]
TEXTS = {"a.ttl": "alpha", "d/b.ttl": "beta"}
_HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s"


@pytest.fixture
def run(copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Releases:
    """Return a host on machine `a`, whose runs end only when a test says so; `b` is another machine."""
    monkeypatch.setattr(kept, "IDLE_SECONDS", 600.0)
    monkeypatch.setattr(kept, "MOST_SECONDS", 600.0)
    # then the cost of entering alone says how long a turn is, and a test says what that was
    monkeypatch.setattr(kept, "LEAST_SECONDS", 0.0)
    copies.join("a", "b")
    return Releases(tmp_path / "a", settings={"wait": 20.0})


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note each opening of a database, and each connection to the server."""
    found: list[str] = []

    def noting(owner: Any, name: str, what: str) -> None:
        really = getattr(owner, name)

        def noted(*args: object, **options: object) -> object:
            found.append(what)
            return really(*args, **options)

        monkeypatch.setattr(owner, name, noted)

    noting(fsops, "open_database", "database")
    noting(psycopg, "connect", "server")
    return found


def hold_of(copies: Copies, root: str) -> Hold:
    """Return what a run keeps of a machine's copy."""
    found = locks.gate_of(copies.folder / root)._kept
    assert found is not None
    return found


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_held(copies: Copies) -> bool:
    """Say whether anybody holds the log."""
    with psycopg.connect(copies.catalog) as connection:
        found = connection.execute(_HELD, [LOCK >> 32, LOCK & 0xFFFFFFFF]).fetchone()
    return found is not None and found[0] > 0


def test_a_run_opens_its_copy_once(copies: Copies, run: Releases, openings: list[str]) -> None:
    """Database and line are opened for the first boundary, and closed with the run."""
    with recording_together():
        run.download("1", b"1")
        openings.clear()
        run.extract("1", b"1", TEXTS)
        run.validate("1", results_table(TEXTS))
        run.download("2", b"2")
        assert openings == []
    assert not is_held(copies)
    assert locks.gate_of(run.root)._kept is None
    copies.check_same("a", "b")


def test_the_log_is_held_for_a_turn(
    copies: Copies, run: Releases, monkeypatch: pytest.MonkeyPatch, openings: list[str]
) -> None:
    """From boundary to boundary, but for no longer than the pause in which others are not to wait."""
    with recording_together():
        run.download("1", b"1")
        run.extract("1", b"1", TEXTS)
        hold = hold_of(copies, "a")
        hold.cost = 600.0
        run.validate("1", results_table(TEXTS))
        assert is_held(copies)
        openings.clear()
        monkeypatch.setattr(hold, "cost", 0.0)
        wait_until(lambda: not is_held(copies))
        # the copy itself stays open: nobody waits for it
        assert hold_of(copies, "a") is hold
        copies.run("b", "note", "example/sample/1", "of b")
        openings.clear()
        run.validate("1", results_table(TEXTS, failing=("a.ttl",)))
        assert openings == []
    copies.check_same("a", "b")
    assert "of b" in str(rows_of(run.root)["notes"])


def test_who_waited_for_others_has_a_whole_turn(copies: Copies, run: Releases) -> None:
    """What counts is for how long others wait for it, not for how long it waited inside for them."""
    with psycopg.connect(copies.catalog, autocommit=True) as other, recording_together():
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        began = time.monotonic()
        leaving = threading.Timer(1.0, other.execute, ["SELECT pg_advisory_unlock_all()"])
        leaving.start()
        run.download("1", b"1")
        leaving.join()
        hold = hold_of(copies, "a")
        assert hold._since - began > 0.5
        assert 0 < hold.cost < time.monotonic() - began - 0.5


def test_a_question_of_a_run_knows_what_others_have_recorded(copies: Copies, run: Releases, tmp_path: Path) -> None:
    """As any reading of the copy does, although its database is open all the time."""
    store = Store(run.root, {"wait": 20.0})
    with recording_together():
        run.download("1", b"1")
        hold_of(copies, "a").cost = 0.0
        wait_until(lambda: not is_held(copies))
        copies.pull("b", release(tmp_path, 7), "7")
        assert lookups.lookup_version(store, "s/o/7") is not None


def test_a_run_whose_line_is_broken_goes_on(copies: Copies, run: Releases) -> None:
    """Between two boundaries nothing was begun: the next one connects anew."""
    with recording_together():
        run.download("1", b"1")
        with psycopg.connect(copies.catalog, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'ontofetch%'"
            )
        hold_of(copies, "a").cost = 0.0
        run.download("2", b"2")
    copies.check_same("a", "b")
    assert len(rows_of(run.root)["versions"]) == 2


def test_what_is_told_is_known_before_it_is_committed_here(
    copies: Copies, run: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A boundary without a run lets others write as soon as the log has it; the rest is its machine's own affair."""
    held: list[bool] = []
    really = fsops.commit

    def committing(connection: Any) -> None:
        held.append(is_held(copies))
        really(connection)

    monkeypatch.setattr(fsops, "commit", committing)
    run.download("1", b"1")
    assert held == [False]


def test_many_boundaries_are_taken_in_as_one(
    copies: Copies, run: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that missed ten takes as many steps as one that missed two, and gets what one gets that missed none."""
    statements: list[str] = []
    really = fsops.execute

    def executing(connection: Any, sql: str, *more: Any, **options: Any) -> int:
        statements.append(sql)
        return really(connection, sql, *more, **options)

    def steps(count: int) -> int:
        for number in range(count):
            run.validate("1", results_table(TEXTS, failing=("a.ttl",) if number % 2 else ()))
        with monkeypatch.context() as patch:
            patch.setattr(fsops, "execute", executing)
            statements.clear()
            copies.run("b", "db", "versions")
            return len(statements)

    copies.join("c")
    run.download("1", b"1")
    run.extract("1", b"1", TEXTS)
    copies.run("b", "db", "versions")
    few = steps(2)
    for number in range(3):
        copies.run("c", "note", "example/sample/1", f"{number} of c")
    copies.run("c", "tag", "example/sample/1", "tagged")
    copies.pull("c", release(tmp_path, 1), "1")
    copies.run("b", "db", "versions")
    copies.run("a", "db", "versions")
    assert 0 < steps(10) == few
    copies.check_same("a", "b", "c")


def test_who_reads_beside_a_writer_of_its_own_machine_takes_nothing_in(
    copies: Copies, run: Releases, openings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A boundary is in the log before it is in the copy: who sees that waits, and finds it there."""
    run.download("1", b"1")
    told, goes_on = threading.Event(), threading.Event()
    really = fsops.commit

    def commit(connection: Any) -> None:
        told.set()
        assert goes_on.wait(60)
        really(connection)

    seen: list[int] = []

    def read() -> None:
        with sessions.reading(Store(run.root, {"wait": 60.0})) as connection:
            seen.extend(connection.execute("SELECT count(*) FROM versions").fetchone() or ())

    writer, reader = threading.Thread(target=run.download, args=("2", b"2")), threading.Thread(target=read)
    with monkeypatch.context() as patch:
        patch.setattr(fsops, "commit", commit)
        writer.start()
        assert told.wait(60)
        openings.clear()
        reader.start()
        wait_until(lambda: len(locks.gate_of(run.root)._turns) == 2)
        goes_on.set()
        for thread in (writer, reader):
            thread.join(60)
    # once, to read: entered to take something in, it would be opened twice
    assert (seen, openings.count("database")) == ([2], 1)
    copies.run("b", "note", "example/sample/1", "of b")
    openings.clear()
    read()
    assert openings.count("database") == 2
    copies.check_same("a", "b")


def test_who_waited_for_the_gate_for_long_asks_anew(
    copies: Copies, run: Releases, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the session of whoever says nothing; that is no reason to read what is old."""
    run.download("1", b"1")
    copies.run("b", "note", "example/sample/1", "of b")
    seen: list[int] = []

    def read() -> None:
        with sessions.reading(Store(run.root, {"wait": 60.0, "shared_silence": 1.0})) as connection:
            seen.extend(connection.execute("SELECT count(*) FROM notes").fetchone() or ())

    def sessions_of_others() -> int:
        with psycopg.connect(copies.catalog) as connection:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'ontofetch %'"
            return (connection.execute(asked).fetchone() or (0,))[0]

    kept_lines.close_all()
    reader = threading.Thread(target=read)
    with locks.gate_of(run.root).exclusive(60.0):
        reader.start()
        wait_until(lambda: sessions_of_others() == 1)
        wait_until(lambda: sessions_of_others() == 0)
    reader.join(60)
    assert seen == [1]
    assert "is shown is as of" not in caplog.text

"""What is kept open between the boundaries of a run: opened once, and closed as soon as anybody else wants to enter."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from ontofetch_catalog.catalog import fsops, holders, kept, locks, lookups, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_hookspecs import OntofetchError
from ontofetch_hookspecs.together import recording_together

from ..releases import Releases

FAST = {"durability": "off", "wait": 20.0}
WRITE = (
    "import sys; from pathlib import Path; from ontofetch_catalog.catalog import sessions;"
    "from ontofetch_catalog.catalog.connection import Store\n"
    "with sessions.{how}(Store(Path(sys.argv[1]), {{'wait': 20.0}})): pass"
)


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """Return a host with an empty store."""
    return Releases(tmp_path / "store", settings=FAST)


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Note each opening of a database: whether it is for reading."""
    found: list[bool] = []
    really = fsops.open_database

    def opening(*args: object, read_only: bool) -> object:
        found.append(read_only)
        return really(*args, read_only=read_only)  # type: ignore[arg-type]

    monkeypatch.setattr(fsops, "open_database", opening)
    return found


def record(releases: Releases, *versions: str) -> None:
    """Record an artifact of each of some releases."""
    for version in versions:
        releases.download(version, version.encode())


def is_open(root: Path) -> bool:
    """Say whether this process has the database open, so that nobody else can."""
    code = "import sys, duckdb; duckdb.connect(sys.argv[1], read_only=True)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(Store(root).database)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or "lock" in done.stderr
    return done.returncode != 0


def count(root: Path) -> int:
    """Return how many releases are recorded."""
    with duckdb.connect(str(Store(root).database), read_only=True) as connection:
        ((found,),) = connection.execute("SELECT count(*) FROM versions").fetchall()
    return int(found)


def test_the_boundaries_of_a_run_open_it_once(
    releases: Releases, openings: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked between them does not open it either, and at the end it is closed; without a run each opens it."""
    monkeypatch.setattr(kept, "IDLE_SECONDS", 60.0)
    monkeypatch.setattr(kept, "MOST_SECONDS", 60.0)
    record(releases, "0")
    openings.clear()
    with recording_together():
        record(releases, "1", "2", "3")
        assert lookups.lookup_version(Store(releases.root, FAST), "example/sample/1") is not None
    assert openings == [False]
    assert not is_open(releases.root)
    assert count(releases.root) == 4
    openings.clear()
    record(releases, "4", "5")
    assert openings == [False, False]


@pytest.mark.parametrize("how", ["writing", "reading"])
def test_who_waits_is_let_in(releases: Releases, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Another process enters in the middle of a run that does nothing for a while, and the run goes on after it."""
    monkeypatch.setattr(kept, "IDLE_SECONDS", 60.0)
    monkeypatch.setattr(kept, "MOST_SECONDS", 60.0)
    with recording_together():
        record(releases, "1")
        assert is_open(releases.root)
        subprocess.run([sys.executable, "-c", WRITE.format(how=how), str(releases.root)], check=True, timeout=60)
        record(releases, "2")
    assert count(releases.root) == 2


def test_who_waits_lets_a_turn_end(releases: Releases, openings: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Boundaries that follow each other at once go on until the turn is over, and no longer."""
    monkeypatch.setattr(kept, "IDLE_SECONDS", 60.0)
    monkeypatch.setattr(kept, "MOST_SECONDS", 60.0)
    with recording_together():
        record(releases, "1")
        hold = locks.gate_of(releases.root)._kept
        assert hold is not None
        hold.cost = 60.0
        waiting = subprocess.Popen([sys.executable, "-c", WRITE.format(how="writing"), str(releases.root)])
        end = time.monotonic() + 60
        while not holders.is_awaited(hold._descriptor):
            assert time.monotonic() < end
            time.sleep(0.01)
        openings.clear()
        record(releases, "2", "3")
        assert openings == []
        assert waiting.poll() is None
        hold.cost = 0.0
        assert waiting.wait(60) == 0
        record(releases, "4")
        assert openings == [False]
    assert count(releases.root) == 4


@pytest.mark.parametrize("how", ["writing", "reading"])
def test_nobody_waits_for_a_run_longer_than_a_turn(releases: Releases, how: str) -> None:
    """Boundaries follow each other at once, and end only when the other process has been in: it is let in between."""
    with recording_together():
        record(releases, "0")
        waiting = subprocess.Popen([sys.executable, "-c", WRITE.format(how=how), str(releases.root)])
        number = 0
        while waiting.poll() is None:
            number += 1
            assert number < 1_000
            record(releases, str(number))
        assert waiting.returncode == 0
    assert count(releases.root) == number + 1


def test_a_turn_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Half a second where entering was quick, five times as long as it took where it was slow, two seconds at most."""
    path = tmp_path / "lock"
    path.touch()
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(holders, "is_awaited", lambda _: awaited)
    descriptor = os.open(path, os.O_RDWR)
    try:
        for cost, turn in ((0.0, kept.LEAST_SECONDS), (0.2, 1.0), (60.0, kept.MOST_SECONDS)):
            now, awaited = 100.0, True
            hold = kept.Hold(descriptor)
            hold.cost = cost
            assert hold.turn == turn
            now += turn - 0.01
            assert not hold.is_due()
            now += 0.02
            assert hold.is_due()
            awaited = False
            assert hold.is_due() is (turn == kept.MOST_SECONDS)
    finally:
        os.close(descriptor)


def test_a_reader_of_this_process_is_let_in(releases: Releases) -> None:
    """A session that may not write closes what could."""
    with recording_together():
        record(releases, "1")
        with sessions.reading(Store(releases.root, FAST)) as connection, pytest.raises(duckdb.Error):
            connection.execute("DELETE FROM versions")
        record(releases, "2")
    assert count(releases.root) == 2


@pytest.mark.parametrize("name", ["IDLE_SECONDS", "MOST_SECONDS"])
def test_it_is_kept_for_moments_only(releases: Releases, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Somebody whom nobody sees waiting gets in too: it is closed while the run does something else."""
    monkeypatch.setattr(kept, name, 0.01)
    with recording_together():
        record(releases, "1")
        end = time.monotonic() + 20
        while locks.gate_of(releases.root)._kept is not None:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert not is_open(releases.root)


def test_the_end_of_a_run_waits_for_whoever_closes(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ended while another thread closes the database would be aborted in the middle of that."""
    monkeypatch.setattr(kept, "IDLE_SECONDS", 0.01)
    record(releases, "0")
    begun, goes_on = threading.Event(), threading.Event()
    closed: list[str] = []
    really = fsops.close_database

    def closing(connection: duckdb.DuckDBPyConnection) -> None:
        begun.set()
        goes_on.wait(20)
        really(connection)
        closed.append(threading.current_thread().name)

    with recording_together():
        # before it is recorded: it may be closed at once
        monkeypatch.setattr(fsops, "close_database", closing)
        record(releases, "1")
        assert begun.wait(20)
        threading.Timer(0.2, goes_on.set).start()
    assert closed == ["gate"]


def test_what_failed_is_not_kept(releases: Releases, openings: list[bool]) -> None:
    """After a boundary that was refused, the next one begins as after a start."""
    with recording_together():
        record(releases, "1")
        openings.clear()
        with pytest.raises(OntofetchError):
            releases.extract("nope", b"1", {"a.ttl": ""})
        assert locks.gate_of(releases.root)._kept is None
        record(releases, "2")
    assert openings[-1:] == [False]
    assert count(releases.root) == 2


def test_the_entry_of_the_log_is_made_durable_once(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """From boundary to boundary the log grows; a new one in its place, or none, is another entry of its folder."""
    monkeypatch.setattr(kept, "IDLE_SECONDS", 60.0)
    monkeypatch.setattr(kept, "MOST_SECONDS", 60.0)
    synced: list[str] = []
    really = fsops.sync_folder

    def sync(path: fsops.Anywhere) -> None:
        synced.append(path.name)
        really(path)

    monkeypatch.setattr(fsops, "sync_folder", sync)

    def syncs(version: str) -> int:
        synced.clear()
        record(releases, version)
        return synced.count(".catalog")

    with recording_together():
        record(releases, "0")
        hold = locks.gate_of(releases.root)._kept
        assert hold is not None
        fsops.checkpoint(hold.what.connection)
        # with the generation record, whose entry is a new one each time
        assert [syncs("1"), syncs("2"), syncs("3")] == [2, 1, 1]
        fsops.checkpoint(hold.what.connection)
        assert [syncs("4"), syncs("5")] == [2, 1]
    assert [syncs("6"), syncs("7")] == [2, 2]


def test_what_a_boundary_replaces_needs_no_folders(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that gives way lies beside the new one until the boundary is done: one folder is made, and removed."""
    record(releases, "1")
    made: list[str] = []
    really = fsops.make_folder

    def make(path: fsops.Anywhere, mode: int = 0o777) -> None:
        made.append(str(path).rpartition("/")[0].rpartition("/")[2])
        really(path, mode)

    monkeypatch.setattr(fsops, "make_folder", make)
    releases.extract("1", b"1", {"a.ttl": "alpha"})
    assert made.count("intents") == 1
    assert not [name for name in made if name == "old"]
    assert Store(releases.root).intents.names() == []

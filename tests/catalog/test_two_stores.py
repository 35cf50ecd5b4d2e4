"""Two stores in one process, from threads: what the settings of one say does not touch the other."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import fsops, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.profile import Profiler
from ontofetch_catalog.catalog.repo import events, queries
from tests.releases import Releases

FULL, OFF = {"durability": "full"}, {"durability": "off"}
SECONDS = 60.0  # after which a thread that waits for the other gives up


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counter[str]:
    """Return store → how often a file or folder of it was really made durable; the store is named by its folder."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only /proc says which file a descriptor is of")
    counts: Counter[str] = Counter()
    fsync = os.fsync

    def counting(descriptor: int) -> None:
        fsync(descriptor)
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        counts[path.relative_to(tmp_path).parts[0]] += 1

    monkeypatch.setattr(os, "fsync", counting)
    # else one call makes the whole file system durable, whosever files are on it
    monkeypatch.setattr(fsops, "sync_filesystem", lambda path: not fsops.is_durable(path))
    return counts


def test_durability_belongs_to_the_store(tmp_path: Path, synced: Counter[str]) -> None:
    """A store that is entered with `off` while another is open takes nothing from the other's commit."""
    for name in ("careful", "careless"):
        Releases(tmp_path / name, settings=OFF).pull("1.0", {"a.ttl": "a"})
    synced.clear()
    careful_is_open, careless_is_open = threading.Event(), threading.Event()

    def careless() -> None:
        assert careful_is_open.wait(SECONDS)
        with sessions.writing(Store(tmp_path / "careless", OFF)) as session:
            careless_is_open.set()
            session.commit_event(event("careless"))

    def careful() -> None:
        with sessions.writing(Store(tmp_path / "careful", FULL)) as session:
            careful_is_open.set()
            assert careless_is_open.wait(SECONDS)
            session.commit_event(event("careful"))

    together(careful, careless)
    # the folder of the database; the generation record and its folder
    assert synced == {"careful": 3}


def test_whole_releases_of_two_stores_at_once(tmp_path: Path, synced: Counter[str]) -> None:
    """Boundaries in two threads make durable as much as they would alone: all of one store, nothing of the other."""

    def pull(name: str, settings: dict[str, str]) -> None:
        releases = Releases(tmp_path / name, settings=settings)
        for number in range(3):
            releases.pull(f"{number}.0", {"a.ttl": str(number), "d/b.ttl": "b"})

    pull("alone", FULL)
    together(lambda: pull("careful", FULL), lambda: pull("careless", OFF))
    assert synced["alone"] > 100
    assert {name: synced[name] for name in ("careful", "careless")} == {"careful": synced["alone"], "careless": 0}


def test_profiles_do_not_mix(tmp_path: Path) -> None:
    """Each profiler sees the queries of its own store, whoever else asks at the same time; a third store has none."""
    names = ("one", "two", "three")
    for name in names:
        Releases(tmp_path / name, settings=OFF).pull("1.0", {f"{name}.ttl": name})
    profilers = {"one": Profiler(), "two": Profiler()}
    all_are_open = threading.Barrier(len(names), timeout=SECONDS)

    def ask(name: str) -> None:
        watch = profilers[name].watch if name in profilers else None
        with sessions.reading(Store(tmp_path / name, OFF, watch=watch)) as connection:
            all_are_open.wait()
            for _ in range(3):
                assert queries.find_content(connection, name).num_rows == 0
                connection.execute(f"SELECT '{name}'").fetchall()
            all_are_open.wait()

    together(*(lambda name=name: ask(name) for name in names))  # type: ignore[misc]
    for name, profiler in profilers.items():
        asked = [profile.sql for profile in profiler.profiles]
        assert len(asked) == 6
        assert asked.count(f"SELECT '{name}'") == 3


def together(*tasks: Callable[[], None]) -> None:
    """Run each task in a thread of its own, at once, and raise what one raises."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        for done in [pool.submit(task) for task in tasks]:
            done.result()


def event(name: str) -> events.EventRow:
    """Return an event that changes nothing."""
    return events.EventRow(
        boundary_id=sessions.new_boundary_id(),
        run_id=name,
        config_hash="",
        ts=sessions.utc_now(),
        type="refresh.unchanged",
        payload={},
    )

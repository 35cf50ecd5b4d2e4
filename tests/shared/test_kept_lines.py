"""A line to the log that was just used serves whoever asks next, holds nothing meanwhile, and is gone in a moment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.shared import kept_lines
from ontofetch_catalog.errors import CatalogBehind

from .copies import Copies, copies, release
from .test_runs import is_held, openings, wait_until

__all__ = ["copies", "openings"]
_HOLD = (
    "import sys; from pathlib import Path; from ontofetch_catalog.catalog.locks import gate_of\n"
    "with gate_of(Path(sys.argv[1])).exclusive(20):\n"
    "    print('inside', flush=True)\n"
    "    sys.stdin.readline()"
)


@pytest.fixture
def store(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a machine's copy; what is kept stays so, however slow the test is."""
    copies.join("a", "b")
    monkeypatch.setattr(kept_lines, "KEPT_SECONDS", 600.0)
    kept_lines.close_all()
    return Store(copies.folder / "a", {"wait": 20.0})


def count(store: Store) -> int:
    """Return how many releases a reader sees."""
    with sessions.reading(store) as connection:
        ((found,),) = connection.execute("SELECT count(*) FROM versions").fetchall()
    return int(found)


def sessions_of(copies: Copies) -> int:
    """Return how many sessions of ours the server has."""
    with psycopg.connect(copies.catalog) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'ontofetch%'"
        ).fetchone()
    return int(found[0]) if found else 0


def test_who_reads_again_connects_once(copies: Copies, store: Store, openings: list[str], tmp_path: Path) -> None:
    """Whatever others have recorded meanwhile is seen; the database itself is opened each time."""
    count(store)
    openings.clear()
    assert count(store) == 0
    assert openings == ["database"]
    copies.pull("b", release(tmp_path, 1), "1")
    openings.clear()
    assert count(store) == 1
    assert "server" not in openings
    assert not is_held(copies)


def test_a_line_is_kept_for_a_moment(copies: Copies, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the server has no session of this process any more, and the thread that closed it is gone."""
    monkeypatch.setattr(kept_lines, "KEPT_SECONDS", 0.0)
    count(store)
    wait_until(lambda: sessions_of(copies) == 0)
    assert kept_lines._kept == {}
    wait_until(lambda: "ontofetch-lines" not in [thread.name for thread in threading.enumerate()])
    assert count(store) == 0


def test_a_line_that_the_server_has_ended_is_opened_anew(copies: Copies, store: Store, openings: list[str]) -> None:
    """Nobody hears of it."""
    count(store)
    with psycopg.connect(copies.catalog, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'ontofetch%'"
        )
    openings.clear()
    assert count(store) == 0
    assert openings == ["server", "database"]


def test_another_catalog_in_its_place_is_noticed(copies: Copies, store: Store) -> None:
    """Over a line that is open already as over a new one."""
    count(store)
    with psycopg.connect(copies.catalog) as other:
        other.execute("UPDATE ontofetch.store SET identity = repeat('0', 32)")
    with pytest.raises(CatalogBehind, match="Another shared catalog"):
        count(store)


def test_a_writer_keeps_a_line_that_holds_nothing(copies: Copies, store: Store, openings: list[str]) -> None:
    """The next one goes on with it, whatever went wrong inside; one over which something is left begun is closed."""
    with sessions.writing(store):
        assert is_held(copies)
    assert not is_held(copies)
    assert len(kept_lines._kept) == 1
    openings.clear()
    with sessions.writing(store):
        assert openings == ["database"]
        assert is_held(copies)
    with pytest.raises(ZeroDivisionError), sessions.writing(store):
        raise ZeroDivisionError
    assert not is_held(copies)
    with sessions.writing(store) as session:
        assert session.copy is not None
        session.copy.log.in_use().execute("BEGIN")
    assert not is_held(copies)
    assert kept_lines._kept == {}


def test_a_child_has_none_of_the_lines(copies: Copies, store: Store) -> None:
    """What it closes is its own; that of its parent is still good."""
    count(store)
    child = os.fork()
    if not child:
        code = 1
        try:
            kept_lines.close_all()
            code = len(kept_lines._kept)
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    (kept,) = kept_lines._kept.values()
    assert kept.log.is_good()
    assert sessions_of(copies) == 1


def test_who_waits_for_others_connects_meanwhile(copies: Copies, store: Store, openings: list[str]) -> None:
    """So those that wait behind it don't wait for that; where it comes to nothing, the line is kept."""

    def write() -> None:
        with sessions.writing(store):
            pass

    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(store.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "inside\n"
        writer = threading.Thread(target=write)
        writer.start()
        wait_until(lambda: openings == ["server"])
        holder.stdin.write("\n")
        holder.stdin.close()
        writer.join()
    assert [what for what in openings if what == "database"] == ["database"]
    assert len(kept_lines._kept) == 1

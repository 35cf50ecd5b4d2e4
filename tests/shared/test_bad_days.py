"""The server is away, an answer is lost, a machine dies or stands still: one catalog all the same, and a sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from ontofetch_catalog.host.app import main

from .copies import Copies, copies, release, rows_of
from .machines import CHECKOUT
from .proxies import TcpProxy

__all__ = ["copies"]


def events_of(copies: Copies) -> list[tuple[int, str, str | None]]:
    """Return number, type and release of all events in the log, by the copy of a machine that is up to date."""
    import duckdb

    with duckdb.connect(str(copies.folder / "b/.catalog/ontofetch.duckdb"), read_only=True) as connection:
        return connection.execute("SELECT event_id, type, version_id FROM events ORDER BY event_id").fetchall()


@pytest.fixture
def apart(copies: Copies, bad_line: TcpProxy, postgres_server: object) -> Copies:
    """Give machines of which `a` has a line to the server that can be made bad, and `b` a good one."""
    port = copies.catalog.rpartition(":")[2].partition("/")[0]
    line = Copies(copies.folder, copies.catalog.replace(f":{port}/", f":{bad_line.port}/"), copies.objects)
    line.join("a")
    copies.join("b")
    return copies


@pytest.mark.parametrize(("what", "code"), [("cut", 1), ("lose", 0)])
def test_the_line_is_cut_at_commit_with_either_outcome(
    apart: Copies, bad_line: TcpProxy, tmp_path: Path, what: str, code: int
) -> None:
    """What was recorded is said to be, what was not is not; it is told once, and never twice."""
    rule = bad_line.on("(?<!ON )COMMIT", what)
    apart.pull("a", release(tmp_path, 1), "1", code=code)
    assert rule.hits == 1
    apart.pull("a", tmp_path / "release-1.zip", "1")
    apart.check_same("a", "b")
    kinds = [kind for _, kind, version in events_of(apart) if version == "s/o/1" and kind.endswith(".done")]
    assert kinds == ["download.done", "extract.done", "validate.done"]


def test_the_server_is_away(
    apart: Copies, bad_line: TcpProxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Readers say of when their rows are; a pull keeps its stage and goes on when the server is back."""
    apart.pull("a", release(tmp_path, 1), "1")
    bad_line.down = True
    bad_line.cut_all()
    capsys.readouterr()
    assert main(["db", "versions", "--root", str(tmp_path / "a")]) == 0
    said = capsys.readouterr()
    assert "s/o/1" in said.out
    assert "as of event" in said.err
    apart.pull("a", release(tmp_path, 2), "2", code=1)
    said = capsys.readouterr()
    assert "Run the same command again when the server answers" in said.err
    assert any((tmp_path / "a/.catalog/staging").iterdir())
    # who is quiet hears that what is shown may be old; and what a name means is nothing of yesterday's
    apart.run("a", "db", "versions")
    assert "as of event" in capsys.readouterr().err
    for words in (
        ["mv", "s/o/7", "s/o/8"],
        ["undo", "2"],
        ["rm", "s/o/7"],
        ["note", "s/o/7", "x"],
        ["db", "pin", "s/o/7"],
    ):
        apart.run("a", *words, code=1)
        assert "Run the same command again when the server answers" in capsys.readouterr().err
    bad_line.down = False
    apart.pull("a", tmp_path / "release-2.zip", "2")
    apart.check_same("a", "b")


def test_a_copy_leaves_a_catalog_that_is_gone(
    apart: Copies, bad_line: TcpProxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has to answer for it where that is said, and others go on without it."""
    apart.pull("a", release(tmp_path, 1), "1")
    bad_line.down = True
    bad_line.cut_all()
    capsys.readouterr()
    apart.run("a", "db", "move", "--to", "local", code=1)
    assert "db move --to local --as-is` goes without" in capsys.readouterr().err
    assert (tmp_path / "a/.catalog/store.toml").exists()
    apart.run("a", "db", "move", "--to", "local", "--as-is")
    apart.pull("a", release(tmp_path, 2), "2")
    apart.run("a", "db", "doctor", "--hash")
    assert not (tmp_path / "a/.catalog/store.toml").exists()
    bad_line.down = False
    apart.pull("b", tmp_path / "release-2.zip", "other")
    apart.run("b", "db", "doctor", "--hash")


def test_a_database_from_before_is_refused(copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that was brought back from an older backup changes no copy, and is said to be behind."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1")
    copies.run("b", "db", "versions")
    before = rows_of(tmp_path / "a")
    with psycopg.connect(copies.catalog) as connection:
        connection.execute("DELETE FROM ontofetch.boundaries WHERE type = 'latest.set'")
    for words in (("db", "versions"), ("note", "s/o/1", "x")):
        copies.run("a", *words, code=1)
        assert "brought back from before it" in capsys.readouterr().err
    assert rows_of(tmp_path / "a") == before
    # other events in their place are noticed too
    with psycopg.connect(copies.catalog) as connection:
        connection.execute("UPDATE ontofetch.store SET identity = %s", ["0" * 32])
    copies.run("b", "db", "versions", code=1)
    assert "Another shared catalog" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("UPDATE ontofetch.boundaries SET schema = 9999", "newer"),
        ("UPDATE ontofetch.boundaries SET changes = 'xx'", "rows are none"),
        ("UPDATE ontofetch.boundaries SET digest = repeat('a', 64) WHERE type = 'download.done'", "without its events"),
        ("""UPDATE ontofetch.boundaries SET moves = '[["move", "../../etc/passwd", "x"]]'""", "as no boundary does"),
        ("""UPDATE ontofetch.boundaries SET moves = '[["drop", "/etc/passwd"]]'""", "as no boundary does"),
        ("""UPDATE ontofetch.boundaries SET moves = '[["put", "../x", "a", 1, 1, 1]]'""", "as no boundary does"),
        ("""UPDATE ontofetch.boundaries SET moves = '{"a": 1}'""", "no boundary"),
        ("UPDATE ontofetch.contents SET key = '../../etc/passwd'", "key"),
    ],
)
def test_a_log_that_lies_changes_nothing(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str], sql: str, word: str
) -> None:
    """Whoever may write to the server does not reach beyond the store, and what is false is not taken in."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1", "--no-validate")
    before = rows_of(tmp_path / "b")
    with psycopg.connect(copies.catalog) as connection:
        connection.execute(sql.encode())
    capsys.readouterr()
    copies.run("b", "db", "versions", code=(1, 2))
    said = capsys.readouterr().err
    assert "error: " in said
    assert word in said
    assert rows_of(tmp_path / "b") == before
    assert [place.name for place in (tmp_path / "b").iterdir()] == [".catalog"]
    assert not list((tmp_path / "b/.catalog/intents").glob("*"))


def test_a_machine_that_stands_still_is_let_go(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_server: object
) -> None:
    """Stopped for longer than it may be silent it loses the log: others go on, and what it then tries is refused."""
    monkeypatch.setenv("ONTOFETCH_SHARED_SILENCE", "1")
    copies.join("a", "b")
    code = (
        "import sys; from tests.shared.states import dying, main; import signal\n"
        "dying(1, signal.SIGSTOP, sys.argv[1]); sys.exit(main(sys.argv[2:]))"
    )
    words = ["note", "s/o/1", "of a", "--root", str(tmp_path / "a"), "-q"]
    copies.pull("b", release(tmp_path, 1), "1")
    copies.run("a", "db", "versions")
    stopped = subprocess.Popen(
        [sys.executable, "-c", code, "_write", *words], cwd=CHECKOUT, stderr=subprocess.PIPE, text=True
    )
    while "State:\tT" not in Path(f"/proc/{stopped.pid}/status").read_text():
        assert stopped.poll() is None, stopped.communicate()
        time.sleep(0.02)
    copies.run("b", "note", "s/o/1", "of b")
    os.kill(stopped.pid, signal.SIGCONT)
    said = stopped.communicate(timeout=60)[1]
    assert stopped.returncode == 1, said
    assert "Run the same command again" in said
    copies.check_same("a", "b")
    assert "of a" not in str(rows_of(tmp_path / "b")["notes"])
    assert "of b" in str(rows_of(tmp_path / "b")["notes"])


def test_a_machine_is_killed_before_any_step(copies: Copies, tmp_path: Path) -> None:
    """Some of the steps; `python -m tests.shared.states` has all of them."""
    words = [copies.catalog, copies.objects, str(tmp_path / "states"), "23"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.shared.states", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"at"')]
    assert len(found) > 3
    assert [state for state in found if (state["other"], state["again"], state["same"]) != (0, 0, 0)] == [], done.stderr
    assert [state["code"] for state in found[:-1]] == [-signal.SIGKILL] * (len(found) - 1)


@pytest.mark.parametrize("step", ["commit", "forget"])
def test_a_machine_is_killed_while_it_catches_up(copies: Copies, tmp_path: Path, step: str) -> None:
    """Before its COMMIT everything is taken back, after it nothing is: rows and files come together."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1")
    code = (
        "import sys; from tests.shared.states import dying, main\n"
        "dying(1, only=sys.argv[1]); sys.exit(main(sys.argv[2:]))"
    )
    words = [step, "db", "versions", "--root", str(tmp_path / "b"), "-q"]
    killed = subprocess.run([sys.executable, "-c", code, *words], cwd=CHECKOUT, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    # the next writer ends what is open; `db recover` would bring lost files back and hide it
    copies.run("b", "note", "s/o/1", "of b")
    copies.check_same("a", "b")


def test_many_machines_write_at_once(copies: Copies, tmp_path: Path) -> None:
    """Each event has one number, none is lost, and all copies are the same."""
    roots = ("a", "b", "c")
    copies.join(*roots)
    copies.pull("a", release(tmp_path, 1), "1")
    code = (
        "import sys; from ontofetch_catalog.host.app import main\n"
        "root, name = sys.argv[1:]\n"
        "for number in range(5): assert main(['note', 's/o/1', f'{name}{number}', '--root', root, '-q']) == 0"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / root), root], cwd=CHECKOUT, stderr=subprocess.PIPE)
        for root in roots
    ]
    for process in running:
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said
    copies.check_same(*roots)
    found = events_of(copies)
    assert [number for number, *_ in found] == list(range(1, len(found) + 1))
    assert sum(kind == "note.added" for _, kind, _ in found) == 15


@pytest.mark.parametrize("fault", ["no head check", "blind repeat"])
def test_the_order_of_the_log_is_the_servers(copies: Copies, tmp_path: Path, fault: str) -> None:
    """Even a program without its own checks can't give an event's number twice, or record a boundary twice."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1", "--no-validate")
    more, name = (1000, "boundary_id") if fault == "blind repeat" else (0, "'another'")
    sql = (
        f"INSERT INTO ontofetch.boundaries SELECT first_event + {more}, last_event + {more}, {name}, type, version_id,"
        " former, digest, schema, machine, recorded_at, changes, moves FROM ontofetch.boundaries LIMIT 1"
    )
    with psycopg.connect(copies.catalog) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(sql.encode())

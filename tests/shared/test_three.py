"""Three machines, one an hour ahead: one is killed, stands still, is interrupted or loses the server at a step.

Some of the steps; `python -m tests.shared.three` has all of them, `python -m tests.shared.bad_objects` all requests.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from ontofetch_catalog.errors import EXIT_INTERRUPTED

from .labs import Broken
from .postgres import Postgres
from .three import Lab, lab_of, try_step


@pytest.fixture(scope="module")
def lab(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Give three machines that the tests of this file go on with."""
    with postgres_server.database() as name, lab_of(tmp_path_factory.mktemp("three"), postgres_server, name) as found:
        yield found


@pytest.mark.parametrize(
    ("how", "operation", "step", "at"),
    [
        ("kill", "replace", "publish", 1),
        ("kill", "rm", "_write", 1),
        ("kill", "sweep", "delete", 1),
        ("stop", "pull", "put", 1),
        ("stop", "mv", "commit", 1),
        ("stop", "catch-up", "publish", 1),
        ("int", "pull", "hold", 2),
        ("int", "catch-up", "get", 1),
    ],
)
def test_one_machine_goes_wrong_and_the_others_go_on(lab: Lab, how: str, operation: str, step: str, at: int) -> None:
    """Nothing is lost, nothing is there twice, all machines have the same, and the same command again ends it."""
    assert try_step(lab, operation, how, at, step), "it did not come that far"


@pytest.mark.parametrize("step", ["_write", "publish"])
def test_who_stood_still_with_the_lock_is_fenced(lab: Lab, step: str) -> None:
    """It held the log when it stopped, and others have written since: what it then tries is refused."""
    lab.numbers += 1
    number = lab.numbers
    a, silent = lab.workers["a"], {"ONTOFETCH_SHARED_SILENCE": "1"}
    stopped = a.run(*lab.pulling(number), "-q", happens="stop", at=1, only=step, environment=silent)
    assert stopped.code is None, stopped.err
    lab.pull("b", number)
    ended = a.go_on()
    assert ended.code == 1, ended.err
    assert "Run the same command again" in ended.err
    told = a.run(*lab.pulling(number))
    assert told.code == 0, told.err
    lab.check("a", "b", "c")
    done = lab.ask("SELECT machine FROM ontofetch.boundaries WHERE type = 'download.done' AND version_id = %s",
                   f"s/o/{number}")  # fmt: skip
    assert len(done) == 1


@pytest.mark.parametrize(
    ("operation", "step", "at"),
    [("pull", "_write", 1), ("sweep", "delete", 1)],
)
def test_the_server_crashes_at_a_step(
    own_postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, operation: str, step: str, at: int
) -> None:
    """Readers say it is away, writers what to type, and that ends it once the server is back."""
    with lab_of(tmp_path_factory.mktemp("crash"), own_postgres, "postgres") as found:
        assert try_step(found, operation, "crash", at, step), "it did not come that far"


def test_a_fault_is_seen(lab: Lab) -> None:
    """What holds log, objects and machines to each other notices a path of other bytes, and a boundary that is gone."""
    lab.numbers += 1
    lab.pull("a", lab.numbers)
    path = lab.workers["a"].root / f"s/o/{lab.numbers}/data/own.txt"
    text = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(b"other")
    with pytest.raises(Broken, match="the files of a differ"):
        lab.check("a", "b", "c")
    path.unlink()
    lab.run("a", "db", "recover")
    assert path.read_bytes() == text
    lab.check("a", "b", "c")


@pytest.mark.parametrize("command", ["note", "pull"])
def test_who_waits_for_another_machine_is_interrupted(lab: Lab, command: str) -> None:
    """Ctrl-C ends it at once, and its session is gone; the same command again does all of it."""
    lab.numbers += 1
    number = lab.numbers
    a = lab.workers["a"]
    words = lab.pulling(number) if command == "pull" else ("note", "s/p/1", f"interrupted {number}")
    writing = lab.workers["b"].run("note", "s/p/1", "of b", happens="stop", at=1, only="_write")
    assert writing.code is None, writing.err
    a.begin(*words, "-q")
    waits = "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted"
    while not (found := lab.ask(waits)):
        pass
    pid = int(found[0][0].rpartition("(")[2].rstrip(")"))
    began = time.monotonic()
    os.kill(pid, signal.SIGINT)
    ended = a.end()
    assert ended.code == EXIT_INTERRUPTED, ended.err
    assert time.monotonic() - began < 15
    assert "Traceback" not in ended.err
    lab.wait_until_let_go(pid)
    assert not lab.ask(waits)
    ended = lab.workers["b"].go_on()
    assert ended.code == 0, ended.err
    lab.run("a", *words)
    lab.check("a", "b", "c")

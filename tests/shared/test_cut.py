"""The line between a machine and the server is cut at any message: what happened is told once, and only then."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from .postgres import Postgres
from .proxies import TcpProxy
from .three import NEXT, Lab, lab_of

COMMIT = "(?<!ON )COMMIT"  # not that of a table that is dropped then


@pytest.fixture(scope="module")
def line(postgres_server: Postgres) -> Iterator[TcpProxy]:
    """Give the line of machine `a`."""
    proxy = TcpProxy(postgres_server.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def lab(postgres_server: Postgres, line: TcpProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Give three machines that the tests of this file go on with."""
    folder = tmp_path_factory.mktemp("cut")
    with postgres_server.database() as name, lab_of(folder, postgres_server, name, line=line) as found:
        yield found


def done(lab: Lab, number: int, kind: str) -> int:
    """Return how often the log has something of a release."""
    sql = "SELECT count(*) FROM ontofetch.boundaries WHERE version_id = %s AND type = %s"
    return int(lab.ask(sql, f"s/o/{number}", f"{kind}.done")[0][0])


@pytest.mark.parametrize(("what", "code"), [("cut", 1), ("lose", 0)])
@pytest.mark.parametrize("which", [0, 1])
def test_the_line_is_cut_at_a_commit(lab: Lab, line: TcpProxy, what: str, code: int, which: int) -> None:
    """Of the first boundary of a pull and of a later one, with either outcome: it is looked up, not repeated."""
    lab.numbers += 1
    number = lab.numbers
    rule = line.on(COMMIT, what, skip=which)
    ended = lab.workers["a"].run(*lab.pulling(number), "-q")
    line.clear()
    assert (ended.code, rule.hits) == (code, 1), ended.err
    assert not code or "Run the same command again" in ended.err
    before = [done(lab, number, kind) for kind in ("download", "extract")]
    assert before == ([int(which > 0), int(which > 1)] if code else [1, 1])
    lab.pull("a", number)
    assert [done(lab, number, kind) for kind in ("download", "extract")] == [1, 1]
    lab.check("a", "b", "c")


@pytest.mark.parametrize("happened", [True, False])
def test_nobody_answers_after_a_commit(lab: Lab, line: TcpProxy, happened: bool) -> None:
    """It says that it does not know, or that nothing happened; another machine and the next command know."""
    lab.numbers += 1
    number = lab.numbers
    line.on(COMMIT, "away" if happened else "cut")
    if not happened:
        line.on("advisory_lock", "cut", times=-1, skip=1)
    try:
        ended = lab.workers["a"].run(*lab.pulling(number), "-q")
    finally:
        line.down = False
        line.clear()
    assert ended.code == 1, ended.err
    assert "is not known" in ended.err
    assert "Run the same command again" in ended.err
    assert done(lab, number, "download") == int(happened)
    lab.run("b", "note", "s/p/1", "meanwhile")
    lab.pull("a", number)
    assert done(lab, number, "download") == 1
    lab.check("a", "b", "c")


@pytest.mark.parametrize("at", [3, 24])
def test_the_line_is_cut_at_any_message(lab: Lab, line: TcpProxy, at: int) -> None:
    """Whatever the machine was about to ask or to tell."""
    lab.numbers += 1
    number = lab.numbers
    rule = line.on(".", "cut", skip=at)
    ended = lab.workers["a"].run(*lab.pulling(number), "-q")
    line.clear()
    assert rule.hits == 1
    assert ended.code in (0, 1), ended.err
    assert not ended.code or any(words in ended.err for words in NEXT), ended.err
    lab.pull("a", number)
    assert done(lab, number, "download") == 1
    lab.check("a", "b", "c")


def test_rows_that_do_not_come_keep_nobody_waiting(lab: Lab, line: TcpProxy) -> None:
    """A machine that stops in the middle of telling what it did, holding the log, is let go like any other one."""
    lab.numbers += 1
    number = lab.numbers
    rule = line.on(f"s/o/{number}/src", "delay", seconds=12)
    a, silent = lab.workers["a"], {"ONTOFETCH_SHARED_SILENCE": "1"}
    a.begin(*lab.pulling(number), "-q", environment=silent)
    end = time.monotonic() + 60
    while not rule.hits and time.monotonic() < end:
        time.sleep(0.01)
    assert rule.hits == 1
    lab.run("b", "note", "s/p/1", f"while {number} does not come", "--wait", "8")
    ended = a.end()
    line.clear()
    assert ended.code == 1, ended.err
    assert "Run the same command again" in ended.err
    lab.pull("a", number)
    lab.check("a", "b", "c")

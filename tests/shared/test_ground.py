"""What the other tests stand on does what it says: databases are fresh, lines are bad on demand, clocks differ."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable

import psycopg
import pytest

from .machines import Machine
from .postgres import Postgres
from .proxies import HttpProxy, TcpProxy
from .s3 import S3Server


def test_each_database_is_fresh_and_may_begin_with_a_template(postgres_server: Postgres) -> None:
    """What one test writes no other sees; a template is filled once."""
    calls = []

    def prepare(address: str) -> None:
        calls.append(address)
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS number")

    for _ in range(2):
        template = postgres_server.template("of this test", prepare)
        with postgres_server.database(template) as name, psycopg.connect(postgres_server.dsn(name)) as connection:
            assert connection.execute("SELECT number FROM kept").fetchall() == [(1,)]
            connection.execute("INSERT INTO kept VALUES (2)")
    assert len(calls) == 1


def test_passwords_are_asked_for(postgres_server: Postgres) -> None:
    """A wrong password is refused, so tests of it mean something."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_server.dsn(password="wrong"))


def test_a_crash_of_the_server_keeps_what_was_committed(own_postgres: Postgres) -> None:
    """A durable server that is stopped at once comes back on the same port with all that was committed."""
    with psycopg.connect(own_postgres.dsn()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    connection = psycopg.connect(own_postgres.dsn())
    connection.execute("INSERT INTO kept VALUES (2)")
    own_postgres.stop("immediate")
    with pytest.raises(psycopg.OperationalError):
        connection.commit()
    own_postgres.start()
    with psycopg.connect(own_postgres.dsn()) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(1,)]


@pytest.mark.parametrize(("what", "done"), [("cut", 0), ("lose", 1)])
def test_a_line_is_cut_at_commit_with_either_outcome(
    postgres_server: Postgres, database: str, bad_line: TcpProxy, what: str, done: int
) -> None:
    """Whoever commits learns nothing; in one case it was done, in the other it was not."""
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE kept (number integer)")
    rule = bad_line.on("COMMIT", what)
    name = database.rpartition("/")[2]
    connection = psycopg.connect(postgres_server.dsn(name, port=bad_line.port))
    connection.execute("INSERT INTO kept VALUES (1)")
    with pytest.raises(psycopg.OperationalError):
        connection.commit()
    assert rule.hits == 1
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchall() == [(done,)]


def test_a_line_is_slow_cut_and_away_on_demand(postgres_server: Postgres, bad_line: TcpProxy) -> None:
    """Words are delayed once, all connections are cut at once, and new ones are refused for as long as it is down."""
    address = postgres_server.dsn(port=bad_line.port)
    connection = psycopg.connect(address)
    bad_line.on("SELECT 7", "delay", seconds=0.3)
    began = time.monotonic()
    assert connection.execute("SELECT 7").fetchall() == [(7,)]
    assert time.monotonic() - began > 0.25
    bad_line.down = True
    bad_line.cut_all()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)
    bad_line.down = False
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_requests_are_counted_and_answered_badly_on_demand(s3_server: S3Server, s3_line: HttpProxy) -> None:
    """The line to the S3 server answers in its place, cuts, loses an answer, damages one, and passes on all else."""
    address = f"{s3_line.endpoint}/{s3_server.new_bucket()}/thing"

    def ask(method: str = "GET", data: bytes | None = None) -> bytes:
        request = urllib.request.Request(
            address, data, {"x-amz-acl": "public-read", "Content-Type": "a/b"}, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())

    s3_line.on("PUT", "lose")
    with pytest.raises(OSError, match=r"."):
        ask("PUT", b"abcd")
    assert ask() == b"abcd"
    s3_line.on("GET", 503)
    with pytest.raises(urllib.error.HTTPError, match="503"):
        ask()
    s3_line.on("GET", "cut")
    with pytest.raises(OSError, match=r"."):
        ask()
    s3_line.on("GET", "flip", skip=1)
    assert [ask(), ask(), ask()] == [b"abcd", b"`bcd", b"abcd"]
    assert (s3_line.count("^PUT"), s3_line.count("^GET")) == (1, 6)


def test_machines_have_folders_and_clocks_of_their_own(machine: Callable[..., Machine]) -> None:
    """What one machine runs sees its own home, its own store and its own time."""
    code = "import os, time; print(os.environ['HOME'], os.environ['ONTOFETCH_ROOT'], time.time(), sep='|')"
    told = [machine(name, skew=skew).python(code) for name, skew in (("here", 0.0), ("there", 3600.0))]
    rows = [one.stdout.strip().split("|") for one in told]
    assert [one.returncode for one in told] == [0, 0], told
    assert rows[0][0] != rows[1][0]
    assert rows[0][1] != rows[1][1]
    assert 3500 < float(rows[1][2]) - float(rows[0][2]) < 3700


def test_the_program_runs_on_a_machine_with_another_clock(machine: Callable[..., Machine]) -> None:
    """A command ends as it does elsewhere: no time-out goes by the clock that is set."""
    done = machine("late", skew=-3600.0).run("--version")
    assert (done.returncode, done.stderr) == (0, "")

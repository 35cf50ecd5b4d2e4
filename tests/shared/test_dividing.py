"""Machines that divide work: every item has one of them, who dies or stands still loses its items, and all is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.shared.address import Address, read_address
from ontofetch_catalog.catalog.shared.log_making import create
from ontofetch_catalog.catalog.shared.log_work import WorkLine, list_leases
from ontofetch_catalog.errors import CatalogUnavailable, UsageError
from ontofetch_catalog.host.updating.dividing import Divided
from ontofetch_catalog.host.updating.jobs import Job, Wishes, job_of
from ontofetch_catalog.series_file import read_series_file
from ontofetch_hookspecs.dividing import Shares, read_outcome

from .copies import Copies, copies, release, without_password
from .machines import CHECKOUT

__all__ = ["copies"]
Join = Callable[..., WorkLine]
Started = subprocess.Popen[str]


@pytest.fixture
def catalog(database: str, monkeypatch: pytest.MonkeyPatch) -> Address:
    """Give a shared catalog that is there and empty."""
    address = Address(without_password(database, monkeypatch), "file:///nowhere", "0" * 32)
    create(address, b"key")
    return address


@pytest.fixture
def join(catalog: Address) -> Iterator[Join]:
    """Return what gives a machine its share in some work until the end of the test."""
    with ExitStack() as stack:
        yield lambda work="verify", silence=20.0: stack.enter_context(
            WorkLine(catalog, work, "verify", silence).joined()
        )


def end_session(catalog: Address, line: WorkLine) -> None:
    """End a machine's session of the server, as the server does when it was silent for too long."""
    assert line._connection is not None
    with psycopg.connect(catalog.catalog) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [line._connection.info.backend_pid])


_started: list[Started] = []


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    """End what a test has started and not ended, also what stands still."""
    yield
    while _started:
        process = _started.pop()
        process.kill()
        process.communicate()


# --- leases -----------------------------------------------------------------------------------------------------------


def test_each_item_has_one_machine(join: Join) -> None:
    """What one has taken no other gets, until all are taken; nobody gets what is done."""
    first, second = join(), join()
    assert first.take(["a", "b", "c"], 2) == ["a", "b"]
    assert second.take(["a", "b", "c"], 3) == ["c"]
    assert second.take(["a", "b", "c"]) == []
    first.done({"a": "{}"})
    assert second.take(["a", "b", "c"]) == []
    assert {item: (held.who, held.outcome) for item, held in second.states(["a", "b", "d"]).items()} == {
        "a": (first.who, "{}"),
        "b": (first.who, None),
    }


def test_other_work_is_other_work(join: Join) -> None:
    """The same item of something else is free."""
    assert join("verify").take(["a"]) == ["a"]
    assert join("update").take(["a"]) == ["a"]


def test_who_is_gone_loses_what_it_has_and_keeps_what_it_has_done(catalog: Address, join: Join) -> None:
    """A session that ended has no items; what it took is taken over, and it is told when it comes back."""
    first, second = join(), join()
    first.take(["a", "b"], 2)
    first.done({"a": "{}"})
    end_session(catalog, first)
    assert second.take(["a", "b"], 2) == ["b"]
    for act in (first.require_held, lambda: first.take(["c"]), lambda: first.done({"b": "{}"})):
        with pytest.raises(CatalogUnavailable, match="no longer has its share"):
            act()


def test_what_is_given_back_is_free_at_once(catalog: Address, join: Join) -> None:
    """The end of a `with` frees what is not done, also after an interrupt."""
    second = join()

    def interrupted() -> None:
        with WorkLine(catalog, "verify", "verify", 20.0).joined() as first:
            first.take(["a", "b"], 2)
            first.done({"b": "{}"})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert second.take(["a", "b"], 2) == ["a"]


def test_a_run_ends_with_its_machines(catalog: Address, join: Join) -> None:
    """Who begins when nobody is at it any more begins anew."""
    with WorkLine(catalog, "verify", "verify", 20.0).joined() as first:
        first.take(["a"])
        first.done({"a": "{}"})
        began = first.began_at
    second = join()
    assert second.began_at > began
    assert second.take(["a"]) == ["a"]


def test_who_comes_when_all_has_been_taken_long_ago_begins_anew(catalog: Address, join: Join) -> None:
    """Such a machine does what is done again, and waits for what is being done."""
    first = join()
    first.take(["a", "b"], 2)
    first.done({"a": "{}"})
    first.close_run()
    with psycopg.connect(catalog.catalog) as connection:
        connection.execute("UPDATE ontofetch.works SET began_at = now() - interval '1 hour'")
    second = join()
    assert second.take(["a", "b"], 2) == ["a"]
    assert second.states(["b"])["b"].who == first.who
    first.done({"b": "{}"})
    assert second.take(["b"]) == ["b"]


def test_leases_are_seen(catalog: Address, join: Join) -> None:
    """Who looks sees what is being done, by whom, and nothing of those that are gone."""
    first = join("verify {}")
    first.take(["a", "b"], 2)
    first.done({"b": "{}"})
    gone = join()
    gone.take(["c"])
    end_session(catalog, gone)
    assert [(found.work, found.item, found.who) for found in list_leases(first)] == [("verify {}", "a", first.who)]


def test_a_catalog_from_before_is_a_sentence(catalog: Address) -> None:
    """The tables may be missing in one that was made by an earlier version; the same `init` makes them."""
    with psycopg.connect(catalog.catalog) as connection:
        connection.execute("DROP TABLE ontofetch.leases, ontofetch.workers, ontofetch.works")
    with pytest.raises(UsageError, match="before machines divided"), WorkLine(catalog, "w", "w", 20.0).joined():
        pass
    create(catalog, b"other")
    with WorkLine(catalog, "w", "w", 20.0).joined() as line:
        assert line.take(["a"]) == ["a"]


def test_shares_wait_for_others_and_take_over(catalog: Address, join: Join) -> None:
    """Nothing is left after the last portion: it was done here, or by others, or taken over from the dead."""
    first, second = join(), join()
    items = [f"item-{number}" for number in range(600)]
    dead = Shares(first, items)
    assert dead.take(3) == items[:3]
    first.done(dict.fromkeys(items[:2], '{"files": 1}'))
    shares = Shares(second, items)
    found: list[str] = []

    def waiting() -> bool:
        if shares.held:
            end_session(catalog, first)
        return False

    for portion in shares.portions(lambda _: 100, waiting):
        found += portion
        second.done(dict.fromkeys(portion, "{}"))
    assert found == [*items[3:], items[2]]
    assert list(shares.elsewhere) == items[:2]
    assert read_outcome(shares.elsewhere[items[0]]) == {"files": 1}
    assert shares.is_over


@pytest.mark.parametrize("text", ["", "[", "[1]", "NaN", '"a"', "[" * 5000])
def test_an_outcome_that_is_none_is_empty(join: Join, text: str) -> None:
    """What another machine wrote is looked at before it is believed."""
    line = join()
    line.take(["a"])
    line.done({"a": text})
    assert read_outcome(line.states(["a"])["a"]) == {}


# --- machines ---------------------------------------------------------------------------------------------------------

_VERIFY = 'verify {"sample": 1.0, "seed": 0}'
# what a machine does to itself the first time that it is about to do something
_PATCHED = """
import importlib, os, sys
module, owner, name, how = sys.argv[1:5]
owner = getattr(importlib.import_module(module), owner)
act = getattr(owner, name)
def patched(*args, **options):
    setattr(owner, name, act)
    os.kill(os.getpid(), int(how))
    return act(*args, **options)
setattr(owner, name, patched)
from ontofetch_catalog.host.app import main
sys.exit(main(sys.argv[5:]))
"""


def start(
    copies: Copies, root: str, *words: str, first: tuple[str, str, str, int] | None = None, silence: int = 20
) -> Started:
    """Start a command on a machine, which sends itself a signal before it does something `first`, if that is given."""
    code = ["-m", "ontofetch_catalog"] if first is None else ["-c", _PATCHED, *map(str, first)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "ONTOFETCH_SHARED_SILENCE": str(silence)}
    process = subprocess.Popen(
        [sys.executable, *code, *words, "--root", str(copies.folder / root)],
        cwd=copies.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _started.append(process)
    return process


def told(process: Started, code: int | tuple[int, ...] = 0) -> dict[str, Any]:
    """Return the document that a command has printed."""
    out, err = process.communicate(timeout=400)
    assert process.returncode in (code if isinstance(code, tuple) else (code,)), err
    found = json.loads(out)
    sections: dict[str, Any] = found.get("sections", found)
    return sections


@pytest.fixture
def releases(copies: Copies, tmp_path: Path) -> Copies:
    """Give three machines with a catalog of four releases."""
    copies.join("a")
    for number in range(4):
        copies.pull("a", release(tmp_path, number), str(number))
    copies.join("b", "c")
    return copies


def at(copies: Copies, work: str) -> WorkLine:
    """Return a line of the test itself to some work: as long as it is open, all who come join the same run."""
    address = read_address(Store(copies.folder / "a"))
    assert address is not None
    return WorkLine(address, work, "test", 20.0)


def test_three_machines_verify_each_release_once(releases: Copies) -> None:
    """Their shares are all there is, and none of it twice; each ends when all is done, and says by whom."""
    with at(releases, _VERIFY).joined():
        started = [start(releases, root, "db", "verify", "--format", "json") for root in "abc"]
        found = [told(process) for process in started]
    items = {row["item"] for row in found[0]["shared"]}
    assert len(items) == 5  # one is the tables of terms
    here = [row["item"] for one in found for row in one["shared"] if row["state"] == "here"]
    assert sorted(here) == sorted(items)
    for one in found:
        assert {row["state"] for row in one["shared"]} <= {"here", "done"}
        assert one["summary"][0]["left_files"] == 0
        assert one["summary"][0]["recent_percent"] == 100
    with sessions.reading(Store(releases.folder / "a")) as connection:
        verified = connection.execute(
            "SELECT count(*), count(verified_at) FROM (SELECT verified_at FROM extracted_files UNION ALL"
            " SELECT verified_at FROM artifacts)"
        ).fetchall()[0]
    assert verified[0] == verified[1]
    terms = sum(row["files"] for row in found[0]["shared"] if row["item"] == "tables of terms")
    assert sum(one["summary"][0]["checked_files"] for one in found) == verified[0] + terms
    releases.check_same("a", "b", "c")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_another_machine_takes_over_what_one_has_not_recorded(releases: Copies, how: int) -> None:
    """One that is gone, or stands still, loses what it has; when it goes on it records nothing of it."""
    record = ("ontofetch_catalog.catalog.verify.boundary", "VerifyBatch", "record", int(how))
    with at(releases, _VERIFY).joined() as line:
        first = start(releases, "a", "db", "verify", "--format", "json", first=record, silence=3)
        wait_for(lambda: len(list_leases(line)) == 1)
        if how == signal.SIGSTOP:
            wait_for(lambda: Path(f"/proc/{first.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        found = told(start(releases, "b", "db", "verify", "--format", "json"))
        assert [row["state"] for row in found["shared"]] == ["here"] * 5
        if how == signal.SIGSTOP:
            first.send_signal(signal.SIGCONT)
        _, err = first.communicate(timeout=400)
    if how == signal.SIGSTOP:
        assert first.returncode == 1
        assert "silent for too long" in err
    releases.check_same("a", "b")


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + 200
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_findings_of_others_are_findings(releases: Copies) -> None:
    """Who had no share in a damaged file ends with 3, too, and says whose it is; an interrupt gives all back."""
    damaged = releases.folder / "b/s/o/2/data/only-2.txt"
    damaged.chmod(0o600)
    damaged.write_text("y")
    with at(releases, _VERIFY).joined() as line:
        line.take(["s/o/0"])
        other = start(releases, "c", "db", "verify", "--format", "json")
        wait_for(lambda: len(list_leases(line)) == 1 and bool(line.states(["s/o/3"])))
        found = start(releases, "b", "db", "verify", "--format", "json")
        other.send_signal(signal.SIGINT)
        other.communicate(timeout=400)
        assert other.returncode == 130
        line.done({"s/o/0": '{"files": 1, "findings": 2, "bytes": "x"}'})
        one = told(found, 3)
    assert [row for row in one["shared"] if row["item"] == "s/o/0"] == [
        {"item": "s/o/0", "state": "done", "who": line.who, "files": 1, "bytes": None, "findings": 2}
    ]


# --- other work -------------------------------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """A server on loopback that counts what it is asked for, and waits as long as `open` is not set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.asked: list[str] = []
        self.open = threading.Event()
        self.open.set()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Asked(BaseHTTPRequestHandler):
    """Answer with a document of its own for each path."""

    def do_GET(self) -> None:
        """Answer."""
        server = cast(Server, self.server)
        server.asked.append(self.path)
        server.open.wait(60)
        data = f"<http://e.org{self.path}> <http://e.org/p> <http://e.org/o> .\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def sources(copies: Copies) -> Iterator[Server]:
    """Give a server, and three machines whose sources file names six series of it."""
    server = Server()
    copies.join("a", "b", "c")
    for root in "abc":
        (copies.folder / root / "ontofetch.toml").write_text(
            "".join(
                f'[s.o{number}]\nurl = "http://127.0.0.1:{server.server_port}/{number}.nt"\nversion = "1"\n'
                for number in range(6)
            )
        )
    yield server
    server.shutdown()
    server.server_close()


_UPDATE = Wishes().work(check=False)


def test_three_machines_fetch_each_source_once(copies: Copies, sources: Server) -> None:
    """All of them tell of all series; each series was fetched and recorded by one of them."""
    with at(copies, _UPDATE).joined():
        started = [start(copies, root, "update", "--jobs", "1", "--format", "json") for root in "abc"]
        found = [told(process)["rows"] for process in started]
    assert sorted(sources.asked) == [f"/{number}.nt" for number in range(6)]
    for rows in found:
        assert [(row["series"], row["status"], row["latest"]) for row in rows] == [
            (f"s/o{number}", "new", True) for number in range(6)
        ]
    assert sum(row["by"] is None for rows in found for row in rows) == 6
    copies.check_same("a", "b", "c")


def test_a_series_of_a_machine_that_is_gone_is_fetched_by_another(copies: Copies, sources: Server) -> None:
    """What it had fetched and not recorded is fetched once more; nobody waits for long."""
    sources.open.clear()
    with at(copies, _UPDATE).joined() as line:
        first = start(copies, "a", "update", "--jobs", "2", "--format", "json")
        wait_for(lambda: len(sources.asked) == 2)
        other = start(copies, "b", "update", "--jobs", "4", "--format", "json")
        wait_for(lambda: len(sources.asked) == 6)
        first.kill()
        first.communicate()
        sources.open.set()
        rows = told(other)["rows"]
        assert list_leases(line) == []
    assert [(row["status"], row["by"]) for row in rows] == [("new", None)] * 6
    assert len(sources.asked) == 8


def test_what_failed_on_one_machine_is_tried_on_another(copies: Copies, sources: Server) -> None:
    """A machine without a network fails all that it takes; whoever goes on brings it nevertheless."""
    with at(copies, _UPDATE).joined() as line:
        number = next(iter(Divided([job_of_first(copies)], line)._numbers))
        line.take([number])
        line.done({number: '{"status": "failed", "reason": "no network"}'})
        rows = told(start(copies, "b", "update", "--format", "json"))["rows"]
    assert [(row["status"], row["by"]) for row in rows] == [("new", None)] * 6


def job_of_first(copies: Copies) -> Job:
    """Return the job of the first series, which is the same on each machine."""
    series = read_series_file(copies.folder / "a", None).series["s/o0"]
    return job_of(series, cast(Any, None), Wishes())


def test_three_machines_find_the_facts_of_each_release_once(copies: Copies, tmp_path: Path) -> None:
    """What one has found the others have too, and tell by whom."""
    copies.join("a")
    for number in range(3):
        copies.pull("a", release(tmp_path, number), str(number), "--no-facts")
    copies.join("b", "c")
    with at(copies, 'facts {"again": false}').joined():
        started = [start(copies, root, "db", "facts", "--format", "json") for root in "abc"]
        found = [told(process)["rows"] for process in started]
    for rows in found:
        assert [row["version_id"] for row in rows] == ["s/o/0", "s/o/1", "s/o/2"]
    assert sum(row["by"] is None for rows in found for row in rows) == 3
    assert all(row["made"] for row in found[0])
    copies.check_same("a", "b", "c")

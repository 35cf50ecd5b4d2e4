"""Days of machines that share a catalog: who is far behind, who stands still, who sweeps, who may do what."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune import planning
from ontofetch_catalog.catalog.repo.events import EventRow
from ontofetch_catalog.catalog.shared import log_sweep
from ontofetch_catalog.catalog.shared.address import read_address
from ontofetch_catalog.catalog.shared.log import Log, Record, log_of
from ontofetch_catalog.catalog.shared.log_lock import Head
from ontofetch_catalog.catalog.shared.log_schema import LOCK
from ontofetch_catalog.catalog.shared.packs import Place
from ontofetch_catalog.catalog.shared.places import Put
from ontofetch_catalog.errors import CatalogUnavailable
from ontofetch_catalog.host.app import main

from .copies import LARGE, Copies, copies, release, rows_of, tree_of, without_password
from .machines import CHECKOUT, Machine
from .states import before_step, forked

if TYPE_CHECKING:
    from .postgres import Postgres

__all__ = ["copies"]
OLD = time.time() - 3 * 86_400


Stopped = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def stopped_before() -> Iterator[Stopped]:
    """Start a command that stands still before its first step of a name, and return it once it does."""
    code = (
        "import sys; from tests.shared.states import dying, main; import signal\n"
        "dying(1, signal.SIGSTOP, sys.argv[1]); sys.exit(main(sys.argv[2:]))"
    )
    started: list[subprocess.Popen[str]] = []

    def start(step: str, *words: str) -> subprocess.Popen[str]:
        arguments = [sys.executable, "-c", code, step, *words]
        found = subprocess.Popen(arguments, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        started.append(found)
        while "State:\tT" not in Path(f"/proc/{found.pid}/status").read_text():
            assert found.poll() is None, found.communicate()
            time.sleep(0.02)
        return found

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
            one.communicate()


def objects_of(copies: Copies) -> set[Path]:
    """Return the objects that there are."""
    return {place for place in (copies.folder / "objects").rglob("*") if place.is_file() and len(place.name) > 30}


def age(copies: Copies) -> None:
    """Let all objects, and all that is condemned, be three days old."""
    for place in objects_of(copies):
        os.utime(place, (OLD, OLD))
    with psycopg.connect(copies.catalog) as connection:
        connection.execute("UPDATE ontofetch.contents SET condemned_at = condemned_at - interval '3 days'")


@contextmanager
def held(copies: Copies) -> Iterator[None]:
    """Hold the log as a machine does that writes."""
    with psycopg.connect(copies.catalog, application_name="ontofetch pull on elsewhere (1)") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield


# --- readers and writers ----------------------------------------------------------------------------------------------


def test_who_reads_does_not_wait_for_who_writes(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a machine writes, others take in what there is, join, and are told who it is if they write."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1")
    with held(copies):
        copies.run("b", "db", "versions", "--wait", "1")
        copies.run("c", "init", "--catalog", copies.catalog, "--objects", copies.objects, "--wait", "1")
        capsys.readouterr()
        copies.run("b", "note", "s/o/1", "x", "--wait", "1", code=4)
        assert "'ontofetch pull on elsewhere (1)'" in capsys.readouterr().err
        copies.run("b", "db", "status", "--json")
        (row,) = json.loads(capsys.readouterr().out)["rows"]
        assert (row["held_by"], row["events_behind"]) == ("ontofetch pull on elsewhere (1)", 0)
    assert tree_of(tmp_path / "b") == tree_of(tmp_path / "c") == tree_of(tmp_path / "a")


def test_what_is_pulled_is_put_before_others_have_to_wait(
    copies: Copies, tmp_path: Path, stopped_before: Stopped
) -> None:
    """A machine that stands still while it puts what it pulled keeps nobody from writing."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1")
    source = str(release(tmp_path, 2))
    words = ["pull", source, "--service", "s", "--ontology", "o", "--version", "2", "--root", str(tmp_path / "a"), "-q"]
    pulling = stopped_before("put", *words)
    copies.run("b", "note", "s/o/1", "of b", "--wait", "2")
    os.kill(pulling.pid, signal.SIGCONT)
    said = pulling.communicate(timeout=60)[1]
    assert pulling.returncode == 0, said
    copies.check_same("a", "b")


def test_a_copy_that_is_300_boundaries_behind(copies: Copies, tmp_path: Path) -> None:
    """It catches up by pages, and what moved to and fro meanwhile is where it belongs."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1")
    with sessions.writing(Store(tmp_path / "a", {"durability": "off"})) as session:
        for number in range(300):
            session.commit_event(
                EventRow(
                    boundary_id=sessions.new_boundary_id(),
                    run_id="",
                    config_hash="",
                    ts=sessions.utc_now(),
                    type="verify.done",
                    payload={"number": number},
                )
            )
    copies.run("a", "mv", "s/o/1", "s/o/0")
    copies.pull("a", release(tmp_path, 2), "1")
    copies.check_same("a", "b")


def test_a_copy_takes_longer_than_it_may_be_silent(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While files come and go the server hears of it: a copy that is slow gets all of it in one go."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1")
    copies.run("a", "mv", "s/o/1", "s/o/0")
    copies.pull("a", release(tmp_path, 2), "1")
    copies.run("a", "mv", "s/o/1", "s/o/2")
    monkeypatch.setenv("ONTOFETCH_SHARED_SILENCE", "1")

    def slowly() -> int:
        before_step(0, lambda: time.sleep(1.5), "publish")
        return main(["db", "versions", "--root", str(tmp_path / "b"), "-q"])

    assert forked(slowly) == 0
    assert rows_of(tmp_path / "b") == rows_of(tmp_path / "a")


def test_what_is_pruned_and_restored_reaches_who_is_far_behind(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prune, its restore and its purge are taken in one after the other, or all at once."""
    # the ctime of a file can't be set
    monkeypatch.setattr(planning, "clock", lambda: time.time_ns() + 2 * 86_400 * 10**9)
    copies.join("a", "b")
    for number in (1, 2, 3):
        copies.pull("a", release(tmp_path, number), str(number))
    copies.run("b", "db", "versions")
    copies.run("a", "db", "prune", "--keep-last", "1", "--override", "large-plan")
    (plan,) = os.listdir(tmp_path / "a/.catalog/plans")
    copies.run("a", "db", "prune", "--apply", plan)
    copies.run("c", "init", "--catalog", copies.catalog, "--objects", copies.objects)
    copies.run("c", "db", "prune", "--restore", plan)
    copies.check_same("a", "b", "c")
    copies.pull("b", release(tmp_path, 4), "4")
    copies.check_same("c", "b", "a")


# --- what is freed ----------------------------------------------------------------------------------------------------


def test_a_sweep_that_stands_still_takes_nothing_that_came_back(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_before: Stopped
) -> None:
    """Its rows are gone before its objects: who pulls the same bytes puts them anew, under another key."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1, large=LARGE), "1")
    copies.pull("a", release(tmp_path, 2), "2")
    copies.run("a", "rm", "s/o/1", "--yes")
    (plan,) = os.listdir(tmp_path / "a/.catalog/plans")
    copies.run("a", "db", "prune", "--purge", plan)
    copies.run("a", "db", "sweep")
    age(copies)
    monkeypatch.setenv("ONTOFETCH_SHARED_SILENCE", "1")
    before = objects_of(copies)
    sweeping = stopped_before("delete", "db", "sweep", "--grace", "1d", "--root", str(tmp_path / "a"), "-q")
    copies.pull("b", release(tmp_path, 1, large=LARGE), "1")
    os.kill(sweeping.pid, signal.SIGCONT)
    said = sweeping.communicate(timeout=60)[1]
    assert sweeping.returncode == 0, said
    assert before - objects_of(copies)
    copies.check_same("a", "b")
    copies.join("c")
    copies.check_same("a", "c")


def test_a_copy_that_fetches_what_is_being_freed_goes_on(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_before: Stopped
) -> None:
    """What it fetches was removed, purged and swept meanwhile: it looks again, and ends where the others are."""
    monkeypatch.setenv("ONTOFETCH_SHARED_SILENCE", "300")
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1, large=LARGE), "1")
    fetching = stopped_before("get", "db", "versions", "--root", str(tmp_path / "b"), "-q")
    copies.run("a", "rm", "s/o/1", "--yes")
    (plan,) = os.listdir(tmp_path / "a/.catalog/plans")
    copies.run("a", "db", "prune", "--purge", plan)
    copies.run("a", "db", "sweep", "--grace", "1s")
    age(copies)
    copies.run("a", "db", "sweep", "--grace", "1s")
    os.kill(fetching.pid, signal.SIGCONT)
    said = fetching.communicate(timeout=60)[1]
    assert fetching.returncode == 0, said
    copies.check_same("a", "b")


def test_objects_of_what_never_happened_are_found(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pull that was killed, and a sweep that was, leave objects without rows: a sweep frees them alone."""
    copies.join("a")
    copies.pull("a", release(tmp_path, 1, large=LARGE), "1")
    kept = objects_of(copies)
    source = str(release(tmp_path, 2, large=LARGE + 1))
    words = ["pull", source, "--service", "s", "--ontology", "o", "--version", "2", "--root", str(tmp_path / "a"), "-q"]

    def killed() -> int:
        before_step(1, lambda: os.kill(os.getpid(), signal.SIGKILL), "_write")
        return main(words)

    assert forked(killed) == -signal.SIGKILL
    left = objects_of(copies) - kept
    assert left
    # they may be of a boundary that is about to happen
    copies.run("a", "db", "sweep", "--grace", "1s")
    assert objects_of(copies) >= left | kept
    age(copies)
    capsys.readouterr()
    copies.run("a", "db", "sweep", "--grace", "1d", "--dry-run", "--json")
    (told,) = json.loads(capsys.readouterr().out)["rows"]
    assert told["orphaned_objects"] == len(left)
    assert objects_of(copies) >= left
    copies.run("a", "db", "sweep", "--grace", "1d")
    assert not objects_of(copies) & left
    with psycopg.connect(copies.catalog) as connection:
        rows = connection.execute("SELECT DISTINCT key FROM ontofetch.paths JOIN ontofetch.contents USING (sha256)")
        assert {place.name for place in objects_of(copies)} >= {key.rpartition("/")[2] for (key,) in rows}
    copies.run("a", "pull", *words[1:-3])
    copies.join("b")
    copies.check_same("a", "b")


# --- the lock and the head --------------------------------------------------------------------------------------------


def log_at(copies: Copies, root: str) -> Log:
    """Return the log as a machine sees it."""
    store = Store(copies.folder / root, {"wait": 5.0})
    address = read_address(store)
    assert address is not None
    return log_of(store, address)


def record_after(head: Head) -> Record:
    """Return a boundary that changes nothing."""
    return Record(
        first_event=head.event_id + 1,
        last_event=head.event_id + 1,
        boundary_id=sessions.new_boundary_id(),
        type="verify.done",
        version_id=None,
        former=head.digest,
        digest="0" * 64,
        schema=1,
        changes=b"",
        moves=(),
    )


def test_who_has_lost_the_lock_appends_nothing(copies: Copies) -> None:
    """The server looks whether this very session holds it, though nobody else has written yet."""
    copies.join("a")
    with log_at(copies, "a").opened() as log:
        before = log.head()
        with pytest.raises(CatalogUnavailable, match="no longer holds"):
            log.append(record_after(before), ())
        assert log.head() == before
        log.hold()
        log.append(record_after(before), ())
        assert log.head().event_id == before.event_id + 1


def test_who_has_lost_the_lock_sweeps_nothing(copies: Copies) -> None:
    """Nor does it condemn anything."""
    copies.join("a")
    with log_at(copies, "a").opened() as log:
        found = log_sweep.find_unnamed(log)
        with pytest.raises(CatalogUnavailable, match="no longer holds"):
            log_sweep.condemn(log, found, 0)
        log.hold()
        log_sweep.condemn(log, found, 0)


def test_what_comes_back_while_a_sweep_looks_is_not_condemned(copies: Copies, tmp_path: Path) -> None:
    """Others write while it looks: whatever a path got meanwhile, put anew or still there, it leaves alone."""
    copies.join("a", "b")
    plans: set[str] = set()
    for number in (1, 2):
        copies.pull("a", release(tmp_path, number, large=LARGE), str(number))
        copies.run("a", "rm", f"s/o/{number}", "--yes")
        (plan,) = set(os.listdir(tmp_path / "a/.catalog/plans")) - plans
        copies.run("a", "db", "prune", "--purge", plan)
        plans.add(plan)
        if number == 1:
            copies.run("a", "db", "sweep")
    with log_at(copies, "a").opened() as log, log_sweep.alone(log):
        found = log_sweep.find_unnamed(log)
        # what was condemned is put anew, and what is only unnamed is used as it is
        for number in (1, 2):
            copies.pull("b", release(tmp_path, number, large=LARGE), str(number))
        log.hold()
        log_sweep.condemn(log, found, 0)
        log.let_go()
    with psycopg.connect(copies.catalog) as connection:
        named = "SELECT count(*), count(condemned_at) FROM ontofetch.paths LEFT JOIN ontofetch.contents USING (sha256)"
        ((paths, condemned),) = connection.execute(named).fetchall()
        assert paths
        assert condemned == 0
    copies.run("a", "db", "sweep")
    copies.check_same("a", "b")


def test_one_machine_sweeps_at_a_time(copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who comes second waits, and is told who does; who writes does not wait for it."""
    copies.join("a", "b")
    with log_at(copies, "a").opened() as log, log_sweep.alone(log):
        copies.run("b", "db", "sweep", "--wait", "0.2", code=4)
        assert "is being swept by ontofetch" in capsys.readouterr().err
        copies.pull("b", release(tmp_path, 1), "1", "--wait", "5")
    copies.run("b", "db", "sweep", "--wait", "5")


def test_a_boundary_goes_on_from_the_head_alone(copies: Copies) -> None:
    """Numbers that leave a gap, or another digest before, are refused also of whoever holds the lock."""
    copies.join("a")
    with log_at(copies, "a").held() as log:
        head = log.head()
        for wrong in (Head(head.event_id + 1, head.digest, 1), Head(head.event_id, "1" * 64, 1)):
            with pytest.raises(CatalogUnavailable, match="no longer holds"):
                log.append(record_after(wrong), ())
        assert log.head() == head


def test_a_path_has_no_content_that_is_nowhere(copies: Copies) -> None:
    """What a boundary does not bring has to be there, whatever it was told before; else nothing of it is appended."""
    copies.join("a")
    known, brought = "a" * 64, "b" * 64
    moves = [Put(f"s/o/1/{sha256[:1]}", sha256, 1, 1, 0o644) for sha256 in (known, brought)]
    with log_at(copies, "a").held() as log:
        head, new = log.head(), [Place(brought, 1, f"{brought}.{'c' * 32}", 0)]
        with pytest.raises(CatalogUnavailable, match="has lost a content"):
            log.append(replace(record_after(head), moves=moves), new)
        assert (log.head(), log.all_paths(), log.places([brought])) == (head, [], {})
        log.append(replace(record_after(head), moves=moves), [*new, Place(known, 1, f"{known}.{'c' * 32}", 0)])
        # the next one may use both
        log.append(replace(record_after(log.head()), moves=moves), ())
        assert log.all_paths() == moves


def test_bytes_that_were_exchanged_are_not_taken_in(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever may write to the folder of objects changes no release of another machine."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1")
    for place in objects_of(copies):
        text = place.read_bytes()
        place.chmod(0o600)
        place.write_bytes(text[:-1] + bytes([text[-1] ^ 1]))
    copies.run("b", "db", "versions", code=1)
    assert "has other bytes" in capsys.readouterr().err
    assert [place.name for place in (tmp_path / "b").iterdir()] == [".catalog"]


# --- who may do what --------------------------------------------------------------------------------------------------


def test_the_rights_that_the_page_names_are_enough_and_no_more(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers read, writers write, keepers sweep; none of them may change what is in the log."""
    copies.join("a")
    copies.pull("a", release(tmp_path, 1), "1")
    page = (CHECKOUT / "docs/shared.md").read_text(encoding="utf-8")
    (statements,) = re.findall(r"^```sql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    names = ("reader", "writer", "keeper")
    with psycopg.connect(copies.catalog) as connection:
        connection.execute(statements.encode())
        for name in names:
            connection.execute(f"CREATE ROLE one_{name} LOGIN PASSWORD 'hidden-too' IN ROLE ontofetch_{name}".encode())
    monkeypatch.setenv("PGPASSWORD", "hidden-too")
    place = copies.catalog.rpartition("@")[2]
    may = {"reader": (2, 2), "writer": (0, 2), "keeper": (0, 0)}
    for number, name in enumerate(names):
        user = Copies(tmp_path, f"postgresql://one_{name}@{place}", copies.objects)
        user.join(name)
        user.run(name, "report", "latest")
        user.run(name, "db", "status")
        capsys.readouterr()
        user.pull(name, release(tmp_path, 2 + number), str(2 + number), code=may[name][0])
        user.run(name, "db", "sweep", code=may[name][1])
        said = capsys.readouterr().err
        assert ("docs/shared.md" in said) == (may[name] != (0, 0))
        assert (f"`GRANT ontofetch_writer TO one_{name}`" in said) == (may[name][0] != 0)
        assert (f"`GRANT ontofetch_keeper TO one_{name}`" in said) == (may[name][1] != 0)
        # what is verified is recorded
        user.run(name, "db", "verify", code=may[name][0])
        assert (f"written by the user 'one_{name}'" in capsys.readouterr().err) == (may[name][0] != 0)
        with psycopg.connect(user.catalog) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM ontofetch.boundaries")
    copies_seen = rows_of(tmp_path / "keeper")["versions"]
    assert ["s/o/2" in str(copies_seen), "s/o/3" in str(copies_seen), "s/o/4" in str(copies_seen)] == [
        False,
        True,
        True,
    ]


def test_a_wrong_or_expired_password_is_a_sentence_without_it(
    copies: Copies, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the command, however much it logs: no password is told, and what is here can still be read."""
    copies.join("a")
    copies.pull("a", release(tmp_path, 1), "1")
    with psycopg.connect(copies.catalog) as connection:
        connection.execute("CREATE ROLE late LOGIN PASSWORD 'hidden-late' VALID UNTIL '2001-01-01'")
    expired = copies.catalog.replace("://keeper@", "://late@")
    for password, catalog in (("hidden-wrong", copies.catalog), ("hidden-late", expired)):
        monkeypatch.setenv("PGPASSWORD", password)
        capfd.readouterr()
        words = ["init", "--catalog", catalog, "--objects", copies.objects, "--root", str(tmp_path / "n"), "-vv"]
        assert main(words) == 1
        assert main(["db", "versions", "--root", str(tmp_path / "a"), "-vv"]) == 0
        assert main(["note", "s/o/1", "x", "--root", str(tmp_path / "a"), "-vv"]) in (0, 1)
        told = capfd.readouterr()
        assert "password authentication failed" in told.err
        assert "into ~/.pgpass or PGPASSWORD" in told.err
        assert "hidden" not in told.out + told.err
    assert not (tmp_path / "n/.catalog/store.toml").exists()


@pytest.mark.parametrize(
    ("mistyped", "code", "said"),
    [
        ("{}-x", 1, "Correct the address, or make the database with `createdb {}-x`"),
        ("{}?foo=1", 2, "is no address of a PostgreSQL database"),
    ],
)
def test_a_mistyped_address_of_the_catalog(
    copies: Copies, capsys: pytest.CaptureFixture[str], mistyped: str, code: int, said: str
) -> None:
    """What can't be opened is said, and what to do about it, which is not to wait for the server."""
    place, _, name = copies.catalog.rpartition("/")
    words = ("--catalog", f"{place}/{mistyped.format(name)}", "--objects", copies.objects)
    copies.run("a", "init", *words, code=code)
    told = capsys.readouterr().err
    assert said.format(name) in told
    assert "when the server answers" not in told
    copies.run("a", "init", "--catalog", f"{place}:x/{name}", "--objects", copies.objects, code=2)
    assert "is no address of a PostgreSQL database" in capsys.readouterr().err


def test_a_mistyped_target_of_a_move(copies: Copies, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, and what there is."""
    copies.join("a")
    copies.run("a", "db", "move", "--to", "lokal", code=2)
    assert "'lokal', neither `local` nor an address" in capsys.readouterr().err


def test_what_a_copy_has_lost_comes_back_by_what_is_said(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What mends a copy is said, and does: lost files come back, and those with other bytes."""
    copies.join("a")
    copies.pull("a", release(tmp_path, 1), "1")
    lost, damaged = sorted(place for place in (tmp_path / "a/s/o/1/data").rglob("*") if place.is_file())[:2]
    before = damaged.read_bytes()
    damaged.chmod(0o644)
    lost.unlink()
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    for words in (("db", "verify"), ("db", "doctor", "--hash")):
        capsys.readouterr()
        copies.run("a", *words, code=3)
        assert "--fix` " in capsys.readouterr().err
    copies.run("a", "db", "recover")
    assert (lost.exists(), damaged.read_bytes()[:1]) == (True, b"x")
    copies.run("a", "db", "doctor", "--hash", "--fix", "--yes")
    assert damaged.read_bytes() == before
    copies.run("a", "db", "verify")


def test_a_mistyped_address_of_the_objects_names_the_one_that_is_known(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shared catalog knows where its bytes are, and a copy where its catalog is."""
    copies.join("a")
    copies.run("b", "init", "--catalog", copies.catalog, "--objects", copies.objects + "x", code=2)
    assert f"keeps its bytes at '{copies.objects}'" in capsys.readouterr().err
    for more in (("x", ""), ("", "x")):
        words = ("--catalog", copies.catalog + more[0], "--objects", copies.objects + more[1])
        copies.run("a", "init", *words, code=1)
        said = capsys.readouterr().err
        assert f"with its bytes at '{copies.objects}'. `ontofetch " in said
        assert "db move --to local` makes it one of its own" in said


def test_a_mistyped_address_of_the_objects_of_a_new_catalog_is_corrected(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As long as nobody has joined, the next `init` may name another place; then nobody may."""
    copies.run("a", "init", "--catalog", copies.catalog, "--objects", "file:///proc/nothing", code=1)
    capsys.readouterr()
    copies.join("a", "b")
    copies.run("c", "init", "--catalog", copies.catalog, "--objects", "file:///proc/nothing", code=2)
    assert f"keeps its bytes at '{copies.objects}'" in capsys.readouterr().err
    copies.pull("a", release(tmp_path, 1), "1")
    copies.check_same("a", "b")


def test_a_copy_that_was_moved_is_agreed_to_anew(copies: Copies, tmp_path: Path) -> None:
    """It is not believed at another place, until somebody types the addresses that it names."""
    copies.join("a")
    copies.pull("a", release(tmp_path, 1), "1")
    (tmp_path / "a").rename(tmp_path / "elsewhere")
    copies.run("elsewhere", "db", "versions", code=2)
    copies.join("elsewhere", "b")
    copies.check_same("elsewhere", "b")


# --- bad days ---------------------------------------------------------------------------------------------------------


def test_the_server_crashes_before_any_step(
    own_postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was answered before is kept, whatever was not is done by the same command again."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    address = without_password(own_postgres.dsn(), monkeypatch)
    copies = Copies(tmp_path, address, f"file://{tmp_path / 'objects'}")
    forked(lambda: copies.join("a", "b") or 0)
    at, crashed = 1, 0
    while True:
        source = str(release(tmp_path, at))
        words = ["pull", source, "--service", "s", "--ontology", "o", "--version", str(at)]
        words += ["--root", str(tmp_path / "a"), "-q"]

        def crash(at: int = at, words: list[str] = words) -> int:
            before_step(at, own_postgres.crash)
            return main(words)

        code = forked(crash)
        assert code in (0, 1), at
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError:
            crashed += 1
            own_postgres.stop()
            own_postgres.start()
        else:
            break
        assert forked(lambda words=words: main(words)) == 0, at  # type: ignore[misc]
        at += 29
    assert crashed > 1
    assert forked(lambda: copies.check_same("a", "b") or 0) == 0


def test_the_server_goes_away_while_a_reader_catches_up(
    own_postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It shows what it has, and says of when that is, as where the server was away from the beginning."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    copies = Copies(tmp_path, without_password(own_postgres.dsn(), monkeypatch), f"file://{tmp_path / 'objects'}")
    forked(lambda: copies.join("a", "b") or 0)
    words = ("--service", "s", "--ontology", "o", "--version", "1", "--root", str(tmp_path / "a"), "-q")
    assert forked(lambda: main(["pull", str(release(tmp_path, 1)), *words])) == 0

    def read() -> int:
        real = Log.records

        def records(*args: Any) -> Any:
            own_postgres.crash()
            return real(*args)

        setattr(Log, "records", records)  # noqa: B010 - it is this process's alone
        return main(["db", "versions", "--root", str(tmp_path / "b")])

    capfd.readouterr()
    assert forked(read) == 0
    assert "What is shown is as of event 1." in capfd.readouterr().err
    own_postgres.stop()
    own_postgres.start()
    assert forked(lambda: copies.check_same("a", "b") or 0) == 0


def test_the_folder_of_the_objects_goes_away(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pull keeps its stage, a copy stays where it was; both go on when it is back."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1")
    (tmp_path / "objects").rename(tmp_path / "away")
    before = rows_of(tmp_path / "b")
    copies.run("b", "db", "versions", code=1)
    assert "Is it mounted?" in capsys.readouterr().err
    assert rows_of(tmp_path / "b") == before
    copies.pull("a", release(tmp_path, 2), "2", code=1)
    (tmp_path / "away").rename(tmp_path / "objects")
    copies.pull("a", tmp_path / "release-2.zip", "2")
    copies.check_same("a", "b")


def test_a_machine_whose_clock_is_an_hour_off(
    copies: Copies, tmp_path: Path, machine: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes and is read by others; the order of events is the log's, and a sweep goes by the server's clock."""
    password = os.environ["PGPASSWORD"]
    ahead = machine("ahead", skew=3600.0, PGPASSWORD=password)
    copies.join("a")
    done = ahead.run("init", "--catalog", copies.catalog, "--objects", copies.objects)
    assert done.returncode == 0, done.stderr
    source = release(tmp_path, 1)
    done = ahead.run("pull", source, "--service", "s", "--ontology", "o", "--version", "1")
    assert done.returncode == 0, done.stderr
    copies.run("a", "rm", "s/o/1", "--yes")
    (plan,) = os.listdir(tmp_path / "a/.catalog/plans")
    copies.run("a", "db", "prune", "--purge", plan)
    copies.run("a", "db", "sweep")
    before = objects_of(copies)
    done = ahead.run("db", "sweep", "--grace", "30m")
    assert done.returncode == 0, done.stderr
    assert objects_of(copies) == before
    assert rows_of(ahead.root) == rows_of(tmp_path / "a")
    copies.run("a", "db", "doctor", code=(0, 3))


@pytest.mark.parametrize("seed", [1, 2])
def test_every_report_says_what_it_says_of_a_store_of_its_own(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    """The same random releases, pulled, replaced, renamed and removed here and there: the same answers."""
    random = Random(seed)
    copies.join("a", "b")
    for step, number in enumerate((1, 2, 3, 3)):
        place = tmp_path / f"{step}/random-{number}"
        place.mkdir(parents=True)
        for name in random.sample(range(12), 8):
            terms = random.sample(range(9), 5)
            text = "".join(
                f'<http://e.org/{term}> <http://www.w3.org/2000/01/rdf-schema#label> "{random.choice("xy")}" .\n'
                for term in terms
            )
            (place / f"{name}.nt").write_text(text)
        source = Path(shutil.make_archive(str(place), "zip", place))
        more = ("--replace",) if step == 3 else ()
        copies.pull("local", source, str(number), *more)
        copies.pull("ab"[step % 2], source, str(number), *more)
    for root, words in (("a", ("mv", "s/o/3", "s/o/4")), ("b", ("rm", "s/o/1", "--yes"))):
        copies.run("local", *words)
        copies.run(root, *words)
    (tmp_path / "mine.txt").write_text("http://e.org/1\nhttp://e.org/7\n")
    pair = ("--a", "s/o/2", "--b", "s/o/4")
    asked = (("latest",), ("growth", *pair), ("meaning", *pair), ("validation",), ("hotspots",), ("duplicates",),
             ("quality",), ("imports",), ("impact", "--mine", str(tmp_path / "mine.txt"), *pair))  # fmt: skip
    for words in asked:
        told = []
        for root in ("local", "a", "b"):
            capsys.readouterr()
            copies.run(root, "report", *words, "--format", "json", code=(0, 3))
            out = capsys.readouterr().out.replace(str(tmp_path / root), "ROOT")
            told.append(re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)?", "TIME", out))
        assert told[1:] == [told[0]] * 2, words

"""The loop's own parts do what they say: the seam kills and fails, the shadow loses, the recount notices damage."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.plan import REPAIRS
from ontofetch_catalog.catalog.fsops import whole
from ontofetch_catalog.catalog.prune.entries import entries_of
from ontofetch_catalog.catalog.prune.plan import list_plans, read_entries, read_plan
from tests import instance
from tests.crash import loop, maintenance, maintenance_variants, scenarios
from tests.crash.children import run_child
from tests.crash.disk_model import Shadow
from tests.crash.frozen import freeze, thaw
from tests.crash.recount import Recounter
from tests.crash.seam import Board, Die, Fail, FailSync, Failure, LosePower, Outage, PowerLost, Seam
from tests.crash.states import State, is_as_before
from tests.crash.variants import VARIANTS
from tests.crash.worker import Workshop
from tests.facts import record_facts
from tests.releases import Releases


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with a store that holds one durable file."""
    (tmp_path / "home/store").mkdir(parents=True)
    (tmp_path / "home/store/old").write_bytes(b"old")
    return tmp_path / "home"


def _work(store: Path) -> dict[str, Any]:
    """Write a file and rename it: make_folder, create, write, sync, rename, sync_folder, sync_folder."""
    fsops.make_folder(store / "folder")
    whole.write_new(store / "new", [b"content"])
    fsops.rename(store / "new", store / "folder/kept")
    fsops.sync_folder(store)
    fsops.sync_folder(store / "folder")
    return {}


def test_the_seam_wraps_every_named_function_and_only_those() -> None:
    """What FAULT_POINTS names is there and is counted; so the numbers of calls mean something."""
    board = Board()

    def work() -> dict[str, Any]:
        before = {name: getattr(fsops, name) for name in fsops.FAULT_POINTS}
        Seam(board).install()
        return {"same": [name for name in fsops.FAULT_POINTS if getattr(fsops, name) is before[name]]}

    assert run_child(work, Path(os.devnull)).answer["same"] == []
    assert board.get("calls") == 0


@pytest.mark.parametrize("at", [1, 4, 7])
def test_an_armed_kill_kills_there(home: Path, at: int) -> None:
    """The child dies of SIGKILL in front of the call, and the calls before it have happened."""
    board = Board()

    def work() -> dict[str, Any]:
        seam = Seam(board)
        seam.take(Die(board, at))
        seam.install()
        return _work(home / "store")

    ended = run_child(work, home.parent / "stderr")
    assert (ended.signal, board.get("acted"), board.get("calls")) == (signal.SIGKILL, at, at)
    assert (home / "store/folder").exists() == (at > 1)
    assert (home / "store/folder/kept").exists() == (at > 5)


@pytest.mark.parametrize("happened", [False, True])
def test_an_armed_failure_fails_there_and_only_there(home: Path, happened: bool) -> None:
    """The call raises the error it was told to, having done its work or not, and later calls go through."""
    board = Board()

    def work() -> dict[str, Any]:
        seam = Seam(board)
        seam.take(Fail(board, Failure(1, errno.ENOSPC, happened=happened)))
        seam.install()
        try:
            fsops.make_folder(home / "store/a")
        except OSError as error:
            fsops.make_folder(home / "store/b")
            return {"errno": error.errno}
        return {}

    assert run_child(work, home.parent / "stderr").answer == {"errno": errno.ENOSPC}
    assert (home / "store/a").exists() == happened
    assert (home / "store/b").exists()


def test_a_failure_for_good_lets_nothing_through(home: Path) -> None:
    """From the call on every call raises."""
    board = Board()

    def work() -> dict[str, Any]:
        seam = Seam(board)
        seam.take(Fail(board, Failure(2, errno.EIO, forever=True)))
        seam.install()
        fsops.make_folder(home / "store/a")
        failed = 0
        for name in ("b", "c"):
            try:
                fsops.make_folder(home / "store" / name)
            except OSError:
                failed += 1
        return {"failed": failed}

    assert run_child(work, home.parent / "stderr").answer == {"failed": 2}
    assert sorted(path.name for path in (home / "store").iterdir()) == ["a", "old"]


def _lose(home: Path, at: int, seed: int) -> dict[str, bytes]:
    """Let power fail in front of a call of `_work` and return what is left of the store's files."""
    board = Board()

    def work() -> dict[str, Any]:
        seam = Seam(board)
        seam.shadow = Shadow(home, home.with_name("grave"))
        seam.take(LosePower(board, Outage(at, seed), seam.shadow))
        seam.install()
        _work(home / "store")
        seam.end(well=True)
        return {}

    assert run_child(work, home.parent / "stderr").signal == signal.SIGKILL
    store = home / "store"
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in store.rglob("*") if path.is_file()}


def test_power_takes_what_was_not_synced(home: Path) -> None:
    """Before the second folder is synced the rename may be lost as a whole: the file has its former name."""
    assert _lose(home, 7, 0) == {"old": b"old", "new": b"content"}


def test_power_leaves_what_was_synced(home: Path) -> None:
    """When both folders are synced, the renamed file stays, whatever the seed."""
    inode = (home / "store/old").stat().st_ino
    assert _lose(home, 8, 0) == {"old": b"old", "folder/kept": b"content"}
    assert (home / "store/old").stat().st_ino == inode


@pytest.mark.parametrize("seed", range(12))
def test_power_never_leaves_half_a_rename(home: Path, seed: int) -> None:
    """A file that was renamed is under one of its names, or was never there; never under both."""
    left = _lose(home, 6, seed)
    assert left["old"] == b"old"
    assert len(left) < 3
    assert set(left) <= {"old", "new", "folder/kept"}
    assert left.get("folder/kept", b"content") == b"content"


@pytest.mark.parametrize("seed", range(8))
def test_power_spoils_contents_that_were_not_synced(home: Path, seed: int) -> None:
    """Before its fsync a file may be absent, empty, cut or zeros: some seed shows each, none shows other bytes."""
    left = _lose(home, 4, seed)
    assert left.get("new", b"") in (b"", b"con", bytes(7), b"content")


def test_power_brings_back_what_was_removed(home: Path) -> None:
    """A removal that was not synced may be lost: the file is there again, with its inode."""
    board = Board()
    inode = (home / "store/old").stat().st_ino

    def work() -> dict[str, Any]:
        seam = Seam(board)
        seam.shadow = Shadow(home, home.with_name("grave"))
        seam.take(LosePower(board, Outage(2, 0), seam.shadow))
        seam.install()
        fsops.unlink(home / "store/old")
        fsops.make_folder(home / "store/folder")
        return {}

    assert run_child(work, home.parent / "stderr").signal == signal.SIGKILL
    assert (home / "store/old").stat().st_ino == inode


def test_a_sync_that_failed_once_is_not_healed_by_another(home: Path) -> None:
    """After a failed fsync a second one succeeds, and the content is lost all the same."""
    board = Board()

    def work() -> dict[str, Any]:
        seam = Seam(board)
        seam.shadow = Shadow(home, home.with_name("grave"))
        seam.take(FailSync(board, Outage(3, 0, sync=True), seam.shadow))
        seam.install()
        descriptor = fsops.create_file(home / "store/new")
        fsops.write(descriptor, b"content")
        with pytest.raises(OSError, match="Input/output"):
            fsops.sync_file(descriptor)
        fsops.sync_file(descriptor)
        fsops.sync_folder(home / "store")
        seam.end(well=True)
        return {}

    assert run_child(work, home.parent / "stderr").signal == signal.SIGKILL
    assert (home / "store/new").read_bytes() == b""


@pytest.fixture(scope="module")
def recounter() -> Iterator[Recounter]:
    """Start one recount for all tests here."""
    found = Recounter()
    yield found
    found.close()


def _flip(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])


DAMAGES = {
    "rows-have-files": lambda root: (root / "example/sample/1.0/data/a.ttl").unlink(),
    "files-have-rows": lambda root: (root / "example/sample/1.0/data/stray").write_text("x"),
    "facts-have-tables": lambda root: min((root / ".catalog/facts").rglob("*.parquet")).unlink(),
    "tables-have-facts": lambda root: (root / ".catalog/facts/stray").write_text("x"),
    "latest-equals-pointer": lambda root: (root / "example/sample/LATEST.json").unlink(),
    "documents-agree": lambda root: _flip(root / "example/sample/1.0/.extract.audit.json"),
    "generation-is-current": lambda root: (root / ".catalog/generation.json").unlink(),
    "generation-is-not-ahead": lambda root: (root / ".catalog/generation.json").write_text('{"events": 99}'),
}


@pytest.mark.parametrize("invariant", [None, *DAMAGES])
def test_the_recount_notices_damage(tmp_path: Path, recounter: Recounter, invariant: str | None) -> None:
    """A sound store has no fault; each planted damage is told under its invariant."""
    releases = Releases(tmp_path / "store", settings={"durability": "off"})
    releases.pull("1.0", {"a.ttl": "alpha", "d/b.ttl": "beta"})
    record_facts(releases, "1.0", {"a.ttl": "alpha", "d/b.ttl": "beta"})
    if invariant:
        DAMAGES[invariant](releases.root)
    found = recounter.look(releases.root)
    assert {name for name, _ in found["faults"]} == ({invariant} if invariant else set())


@pytest.mark.parametrize(
    ("invariant", "sql"),
    [
        ("keys-are-unique", "INSERT INTO versions SELECT * FROM versions"),
        ("keys-are-unique", "INSERT INTO origins SELECT * FROM origins"),
        ("documents-agree", "UPDATE origins SET source_url = 'https://example.org/other'"),
        ("rows-have-releases", "UPDATE latest_pointer SET version_id = 'a/b/c'"),
        ("results-have-files", "UPDATE validations SET relpath = 'gone.ttl'"),
        ("events-are-chained", "UPDATE events SET level = 'warning' WHERE event_id = 2"),
    ],
)
def test_the_recount_notices_wrong_rows(tmp_path: Path, recounter: Recounter, invariant: str, sql: str) -> None:
    """Rows that contradict each other are told under their invariant."""
    import duckdb

    releases = Releases(tmp_path / "store", settings={"durability": "off"})
    releases.pull("1.0", {"a.ttl": "alpha"})
    connection = duckdb.connect(str(releases.root / ".catalog/ontofetch.duckdb"))
    connection.execute(sql)
    connection.close()
    assert invariant in {name for name, _ in recounter.look(releases.root)["faults"]}


def test_a_rebuild_leads_to_the_rows_that_were_lost() -> None:
    """What the variants of rebuild are compared with is the catalog from before the loss, but for verification."""
    with loop.workers(1) as pool:
        before, after = pool.map(loop.rows_of, ["latest/identical", "rebuild/lost"])
    assert after == before
    assert len(after["extracted_files"]) == 5


def test_every_fix_of_doctor_is_in_the_loop() -> None:
    """Each class of repair is carried out by a variant."""
    words = " ".join(word for variant in maintenance_variants.FIXES for word in variant.words)
    asked = {tuple(pair.split("=")) for pair in re.findall(r"CAT\d+(?:=[a-z-]+)?", words)}
    fixes = {pair for pair in REPAIRS if pair in asked or (pair[0],) in asked}
    # `--fix` alone: LATEST.json and manifests from the catalog
    fixes |= {("CAT019", "catalog"), ("CAT020", "rewrite")}
    assert {REPAIRS[pair] for pair in fixes} == set(REPAIRS.values())


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    """The next run removes folders whose process is gone, and no others."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    for name in (f"{loop.PREFIX}{pid}-old", f"{loop.PREFIX}{os.getpid()}-mine", f"{loop.PREFIX}else"):
        (tmp_path / name / "inner").mkdir(parents=True)
    loop.remove_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f"{loop.PREFIX}{os.getpid()}-mine", f"{loop.PREFIX}else"]
    )


def test_a_run_that_is_ended_removes_its_folder() -> None:
    """SIGTERM ends the lead and its workers, and nothing is left on the memory file system."""
    words = [sys.executable, "-m", "tests.crash", "run", "--variant", "latest/moved", "--processes", "1"]
    process = subprocess.Popen(words, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    place = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir())
    pattern = f"{loop.PREFIX}{process.pid}-*/worker-*/home"
    try:
        deadline = time.monotonic() + 60
        # looked at once: the folder of a state is cleared and made again
        while not (begun := any(place.glob(pattern))) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert begun
        process.terminate()
        assert process.wait(60) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.communicate()
    assert list(place.glob(f"{loop.PREFIX}{process.pid}-*")) == []


def test_what_was_frozen_names_the_inodes_of_its_copy(tmp_path: Path) -> None:
    """A folder comes back as it was, with new inodes; an open intent names these, also one that is half written."""
    home, kept = tmp_path / "home", tmp_path / "kept"
    intents = home / "store/.catalog/intents"
    intents.mkdir(parents=True)
    moved = home / "store/a.ttl"
    moved.write_text("alpha")
    inode = moved.stat().st_ino
    (intents / "whole.json").write_text(f'{{"moves": [{{"inode": {inode}, "size": 5}}, {{"inode": 1}}]}}')
    (intents / "torn.json").write_text(f'{{"moves": [{{"inode": {inode}, "si')
    freeze(home, kept)
    for name in ("first", "second"):
        back = tmp_path / name
        thaw(kept, back)
        now = (back / "store/a.ttl").stat().st_ino
        assert now != inode
        assert (back / "store/a.ttl").read_text() == "alpha"
        told = (back / "store/.catalog/intents/whole.json").read_text()
        assert told == f'{{"moves": [{{"inode": {now}, "size": 5}}, {{"inode": 1}}]}}'
        assert (back / "store/.catalog/intents/torn.json").read_text() == f'{{"moves": [{{"inode": {now}, "si'


def test_a_plan_that_was_frozen_is_one_of_its_copy(tmp_path: Path) -> None:
    """A plan names the inodes of the copy and proves its entries; the copy may be the last one."""
    home, kept = tmp_path / "home", tmp_path / "kept"
    home.mkdir()
    maintenance.planned(home)
    freeze(home, kept)
    for name, once in (("first", False), ("second", True)):
        back = tmp_path / name
        thaw(kept, back, once=once)
        store = Store(back / "store", scenarios.SETTINGS)
        (plan,) = [read_plan(store, name) for name in list_plans(store)]
        told = [entry for batch in plan.batches for entry in entries_of(read_entries(store, plan), batch)]
        assert told
        assert all(entry.inode == (back / "store" / entry.path).lstat().st_ino for entry in told)
    assert not (kept / "home").exists()


def test_a_recovery_passes_through_what_a_second_kill_leaves() -> None:
    """What is kept in front of a call of a recovery is what a process leaves that is killed there."""
    with loop.workers(1) as pool:
        _, calls = pool.apply(loop.calls_of, ("latest/moved",))
        at = calls.index("commit") + 1
        _, _, recovery = pool.apply(loop.attempt, (State("latest/moved", "kill", at),))
        thens = [then for then in range(1, len(recovery) + 1) if not is_as_before(recovery, then)]
        seen = [pool.apply(_left_by_second_kill, ("latest/moved", at, then)) for then in thens]
    assert len(thens) > 3
    assert all(passed == killed for passed, killed in seen)
    # and it is not the same everywhere
    assert len({json.dumps(passed, sort_keys=True) for passed, _ in seen}) > 2


def _left_by_second_kill(name: str, at: int, then: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is left in both ways; runs in a worker."""
    variant, workshop = VARIANTS[name], loop.here()
    pictures = []
    for alone in (False, True):
        if alone:
            facts = workshop.kill(variant, at)
            assert workshop.lead_on(variant, facts, lambda seam: seam.take(Die(workshop.board, then))).signal
        else:
            workshop.kill_twice(variant, at, then)
        pictures.append(_picture(workshop))
    return pictures[0], pictures[1]


def _picture(workshop: Workshop) -> dict[str, Any]:
    """Return what is in the place of a workshop, without the ids that differ from run to run."""
    seen = workshop.look()
    told = {key: seen[key] for key in ("rows", "files", "documents", "staged")}
    counts = {key: len(seen[key]) for key in ("intents", "folders", "kept", "odd")}
    entries = sorted(path.name.startswith(".") for path in workshop.home.rglob("*"))
    events = [kind for kind, _ in seen["events"]]
    return {**told, **counts, "events": events, "faults": len(seen["faults"]), "entries": entries}


def test_who_unwinds_when_power_fails_leaves_what_the_dead_leave() -> None:
    """Behind the power cut nothing changes any more, whatever the operation tries on its way out."""
    name = "latest/moved"
    with loop.workers(1) as pool:
        _, calls = pool.apply(loop.calls_of, (name,))
        cuts = [Outage(at, at % 2) for at in range(1, len(calls) + 2, 2)]
        cuts += [Outage(at, 0, sync=True) for at, call in enumerate(calls, 1) if call.startswith("sync_")]
        seen = [pool.apply(_left_by_outage, (name, cut)) for cut in cuts]
    assert all(unwound == dead for unwound, dead in seen)
    assert len({json.dumps(dead, sort_keys=True) for _, dead in seen}) > 3


def _left_by_outage(name: str, cut: Outage) -> list[dict[str, Any]]:
    """Return what is left by a process that unwinds and by one that dies; runs in a worker."""
    variant, workshop = VARIANTS[name], loop.here()
    pictures = []
    for dies in (False, True):
        facts = workshop.copy(variant)
        steady = workshop.steady_pid
        assert workshop.operate(variant, facts, replace(cut, dies=dies)).signal == signal.SIGKILL
        assert workshop.board.get("acted") == cut.at
        # it unwound in the child that goes on, and left nothing open there
        assert workshop.steady_pid == steady
        pictures.append(_picture(workshop))
    return pictures


def test_whoever_calls_on_behind_a_power_cut_changes_nothing(home: Path) -> None:
    """An operation that catches everything and tries again gets nothing through."""
    board = Board()

    def work() -> dict[str, Any]:
        seam = Seam(board)
        seam.shadow = Shadow(home, home.with_name("grave"))
        cut = LosePower(board, Outage(1, 0, dies=False), seam.shadow)
        seam.take(cut)
        lost = 0
        with seam.installed():
            for name in ("a", "b"):
                try:
                    fsops.make_folder(home / "store" / name)
                except PowerLost:
                    lost += 1
        return {"lost": lost, "stopped": cut.stopped}

    assert run_child(work, home.parent / "stderr").answer == {"lost": 2, "stopped": True}
    assert [path.name for path in (home / "store").iterdir()] == ["old"]


def test_a_child_in_which_something_stays_open_ends() -> None:
    """The steady child goes on after a failure, even one that leaves its database open, but not with an open file."""
    with loop.workers(1) as pool:
        _, calls = pool.apply(loop.calls_of, ("latest/moved",))
        state = State("latest/moved", "fail", calls.index("close_database") + 1, error="EIO")
        assert not pool.apply(_is_renewed_by, (state,))
        assert pool.apply(_is_renewed_by, (state,), {"leaks": True})


def _is_renewed_by(state: State, *, leaks: bool = False) -> bool:
    """Try one state, maybe with an operation that leaves a file open, and say whether the steady child ended."""
    workshop = loop.here()
    carry_out = Workshop._carry_out

    def leak(*args: Any) -> dict[str, Any]:
        os.open(os.devnull, os.O_RDONLY)
        return carry_out(*args)

    workshop.renew()
    with pytest.MonkeyPatch.context() as patch:
        if leaks:
            patch.setattr(Workshop, "_carry_out", leak)
        workshop.recover()
        before = workshop.steady_pid
        _, broken, _ = loop.attempt(state)
    assert not broken
    return workshop.steady_pid != before


def test_a_catalog_begins_with_a_log_or_without() -> None:
    """Both kinds of a template hold the same rows; in one the log is there, in the other it was written away."""
    with loop.workers(1) as pool:
        (kept, rows), (written, same) = (pool.apply(_begin_with, (True,)), pool.apply(_begin_with, (False,)))
    assert (kept, written) == (True, False)
    assert rows == same


def _begin_with(log: bool) -> tuple[bool, dict[str, Any]]:
    """Return whether a copy of the template of that kind has a log, and its rows; runs in a worker."""
    workshop = loop.here()
    workshop.with_log = log
    workshop.copy(VARIANTS["extract/new"])
    return (workshop.home / "store/.catalog/ontofetch.duckdb.wal").exists(), workshop.look()["rows"]


def test_a_workshop_is_for_workers_alone(tmp_path: Path) -> None:
    """A worker is changed for good (its garbage, its plugins, its DuckDB); the process of the tests must not be."""
    with pytest.raises(AssertionError, match="workers"):
        Workshop(tmp_path)


def test_plans_are_taken_as_they_are() -> None:
    """No connection to the instance that children inherit makes a plan better: what a pragma says, cursors forget."""
    query = "EXPLAIN SELECT number FROM (SELECT unnest([1, 2]) AS number) WHERE false"
    usual, ours = (
        connection.cursor().execute(query).fetchall() for connection in (duckdb.connect(), instance.instance())
    )
    assert usual != ours

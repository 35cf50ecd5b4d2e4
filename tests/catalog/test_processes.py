"""Many processes and threads at one store: in order, whole, and with a sentence for whoever has to give up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog import holders, locks, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.errors import EXIT_LOCKED, CatalogLocked
from ontofetch_hookspecs import CatalogCommitted, DownloadDone, hookimpl
from ontofetch_hookspecs.layout import LOCK
from ontofetch_hookspecs.processes import this_process
from tests.catalog.many_processes import overtaken
from tests.programs import SCRIPT, Program
from tests.releases import Releases, assert_consistent

CHECKOUT = Path(__file__).parents[2]
FAST: dict[str, object] = {"durability": "off", "wait": 60.0}
A = {"a.ttl": "alpha", "d/b.ttl": "beta"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of a store with one release."""
    root = tmp_path_factory.mktemp("template") / "store"
    Releases(root, settings=FAST).pull("1.0", A)
    return root


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Store:
    """Return a store with one release, for this test alone."""
    shutil.copytree(template, tmp_path / "store")
    return Store(tmp_path / "store", dict(FAST))


class Child:
    """A process that runs a piece of code and says a word on standard output when it has come to `say()`."""

    def __init__(self, root: Path, code: str) -> None:
        start = (
            "import os, sys\nfrom pathlib import Path\nfrom ontofetch_catalog.catalog import locks, sessions\n"
            "from ontofetch_catalog.catalog.connection import Store\nfrom tests.releases import Releases\n"
            f"store = Store(Path({str(root)!r}), {FAST!r})\n"
            "def say(): print('here', flush=True)\ndef pause(): say(); sys.stdin.readline()\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", start + code],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), *filter(None, sys.path)])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until_here(self) -> None:
        """Wait until the child says that it has come so far."""
        line = self.process.stdout.readline()  # type: ignore[union-attr]
        assert line == "here\n", self.process.communicate()[1]

    def end(self) -> None:
        """Let the child go on and end well."""
        _, errors = self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0, errors

    def kill(self) -> None:
        """End the child as the system would."""
        self.process.kill()
        self.process.communicate()
        assert self.process.returncode == -signal.SIGKILL


@contextmanager
def child(root: Path, code: str) -> Iterator[Child]:
    """Start a child, wait until it has come to `say()`, and end it in any case."""
    started = Child(root, code)
    try:
        started.wait_until_here()
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


HOLD = "with sessions.writing(store): pause()"
READ = "with sessions.reading(store): pause()"


def _refused(store: Store, enter: Callable[[Store], Any] = sessions.writing) -> CatalogLocked:
    with pytest.raises(CatalogLocked) as refused, enter(Store(store.root, {**FAST, "wait": 0.2})):
        pass
    assert refused.value.subject == str(store.root)
    return refused.value


# --- in order and whole -----------------------------------------------------------------------------------------------


def test_many_processes_lose_nothing_and_overtake_nobody(tmp_path: Path) -> None:
    """8 writers and 8 readers: the rows are the acknowledged boundaries, readers see whole ones, turns are kept.

    `python -m tests.catalog.many_processes` does the same for a minute and also looks at the clock.
    """
    ended = subprocess.run(
        [sys.executable, "-m", "tests.catalog.many_processes", "--boundaries", "3", "--kills", "1", "--root", tmp_path],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    figures = json.loads(ended.stdout)
    assert figures["broken"] == []
    assert (figures["boundaries"], figures["fewest_per_writer"]) == (24, 3)
    assert figures["looks"] >= 8


def test_an_overtaking_would_be_noticed() -> None:
    """The verdict on the order of turns counts a writer that entered before an earlier one had left."""
    first = {"kind": "write", "ticket": 1, "entered": 1.0, "left": 2.0}
    reader = {"kind": "read", "ticket": 2, "entered": 2.1, "left": 3.0}
    second = {"kind": "write", "ticket": 3, "entered": 3.1, "left": 4.0}
    assert overtaken([second, first, reader]) == 0
    assert overtaken([first, {**reader, "entered": 1.5}, second]) == 1
    assert overtaken([first, reader, {**second, "entered": 2.5}]) == 1
    assert overtaken([first, {**reader, "ticket": 3}, {**reader, "ticket": 2}]) == 0


def test_threads_of_one_host_lose_nothing(tmp_path: Path) -> None:
    """16 threads at once: each boundary is recorded, and readers among them see whole ones."""
    releases = Releases(tmp_path / "store", settings=FAST)
    releases.download("start", b"start")
    together = threading.Barrier(16)

    def work(number: int) -> int:
        together.wait()
        if number % 2:
            return int(releases.download(f"{number}", f"{number}".encode()).changed)
        with sessions.reading(Store(releases.root, FAST)) as connection:
            rows = connection.execute("SELECT count(*) FROM versions UNION ALL SELECT count(*) FROM artifacts")
            return len({count for (count,) in rows.fetchall()})

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))) == [1] * 16
    releases.check()
    assert releases.rows("SELECT count(*) FROM versions") == [(9,)]


def test_a_writer_does_not_wait_for_readers_that_came_later(store: Store) -> None:
    """As long as a writer waits, later readers stand behind it; the one that reads already is let out first."""
    with child(store.root, READ) as reader:
        writer = Child(store.root, "say()\nwith sessions.writing(store): pass\nsay()")
        writer.wait_until_here()
        _until(lambda: _counter(store) == 2)
        assert "reads, or waits" in str(_refused(store, sessions.reading))
        reader.end()
        writer.wait_until_here()
        writer.end()


def _counter(store: Store) -> int:
    """Return how many tickets were drawn since the store's release was recorded, without a lock of our own."""
    # in a child: a descriptor of the lock file that this process closed would take its locks away
    code = f"import os; print(os.pread(os.open({str(store.root / locks.LOCK)!r}, os.O_RDONLY), 2048, 0).decode())"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return int(json.loads(shown)["next"]) - _DRAWN_BY_A_PULL


_DRAWN_BY_A_PULL = 4


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never came to that")


# --- who holds it -----------------------------------------------------------------------------------------------------


def test_whoever_gives_up_is_told_who_holds_it(store: Store) -> None:
    """The sentence names process, command, host, state and since when, and what to type next."""
    with child(store.root, HOLD) as holder:
        refused = str(_refused(store))
        assert f"process {holder.process.pid} ('-c') on '{socket.gethostname()}', which is running" in refused
        assert "has held it since 20" in refused
        assert " UTC." in refused
        assert "--wait SECONDS" in refused
        assert f"kill {holder.process.pid}" in refused
        assert str(_refused(store, sessions.reading)).startswith(refused[:60])
        holder.end()


def test_a_command_that_gives_up_ends_with_its_own_exit_code(store: Store) -> None:
    """A held store is exit 4 and one sentence, for readers and writers."""
    with child(store.root, HOLD):
        for words in (("report", "latest", "--version", "1.0"), ("db", "migrate"), ("db", "versions")):
            ended = Program(store.root).run(*words, "--wait", "0.2")
            assert ended.returncode == EXIT_LOCKED, ended.stderr
            assert ended.stderr.startswith("error: The catalog below ")
            assert ended.stderr.count("\n") == 1


def test_a_reader_that_is_in_the_way_is_named_by_the_system(store: Store) -> None:
    """A reader writes no text into the lock file; its number and program come from the system."""
    with child(store.root, READ) as reader:
        refused = str(_refused(store))
        assert f"process {reader.process.pid} ('python" in refused
        assert "reads, or waits" in refused


def test_a_thread_that_is_in_the_way_is_not_to_be_killed(store: Store) -> None:
    """Whoever waits for another thread of the same process is told so, and not to end the process."""
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with sessions.writing(store):
            inside.set()
            leave.wait(30)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        inside.wait(30)
        refused = str(_refused(store))
        leave.set()
        held.result()
    assert f"another thread of this process ({os.getpid()})" in refused
    assert "kill" not in refused


TEXTS: dict[str, dict[str, object]] = {
    "a dead process": {"pid": 2**22 + 1, "token": "boot:1", "host": socket.gethostname(), "command": "old"},
    "a reused number": {"pid": os.getpid(), "token": "another start", "host": socket.gethostname(), "command": "old"},
    "another host": {"pid": 1, "token": "x", "host": "elsewhere.example", "command": "far", "since": "2025-01-02"},
    "escape sequences": {"pid": 1, "token": "x", "host": "\x1b[2Jhost", "command": "\x1b]0;x\x07", "since": "\x1b"},
    "no sense": {"pid": [], "token": None, "host": {}, "command": 5},
}
GARBAGE = [
    b"",
    b"\xff" * 5000,
    b"{" * 4096,
    b"[" * 4096,
    b"null",
    b'{"next": -5}',
    b'{"next": 1e400}',
    b'{"next": true}',
    b'{"next": 18446744073709551616}',
]


def _write(store: Store, data: bytes, offset: int = 0) -> None:
    with (store.root / locks.LOCK).open("r+b") as stream:
        stream.seek(offset)
        stream.write(data)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_alone_keeps_nobody_out(store: Store, text: dict[str, object]) -> None:
    """Only a lock that the system knows counts: a text that was left behind does not."""
    _write(store, json.dumps(text).encode().ljust(holders.TEXT_BYTES), holders.TEXT_BYTES)
    with sessions.writing(Store(store.root, {**FAST, "wait": 5.0})):
        pass
    with sessions.reading(Store(store.root, {**FAST, "wait": 5.0})):
        pass


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_wrong_text_is_not_believed_against_the_system(store: Store, text: dict[str, object]) -> None:
    """While somebody else holds the lock, the sentence names whom the system names."""
    with child(store.root, HOLD) as holder:
        content = {**text, "pid": holder.process.pid} if text["command"] == "old" else text
        script = (
            f"import os; d = os.open({str(store.root / locks.LOCK)!r}, os.O_WRONLY); "
            f"os.pwrite(d, {json.dumps(content).encode().ljust(holders.TEXT_BYTES)!r}, {holders.TEXT_BYTES})"
        )
        subprocess.run([sys.executable, "-c", script], check=True)
        refused = str(_refused(store))
        assert f"process {holder.process.pid} ('python" in refused
        assert refused.isprintable()


def test_a_holder_that_nobody_can_look_at_is_told_as_what_it_is(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system names no process (another machine, another container), the text is all there is."""
    with child(store.root, HOLD):
        # the system of this machine would name it
        find = holders.find_conflict
        monkeypatch.setattr(
            holders, "find_conflict", lambda *args: (found := find(*args)) and holders.Conflict(0, found.end)
        )
        monkeypatch.setattr(holders, "_read_text", lambda *_: TEXTS["another host"])
        refused = str(_refused(store))
        assert "process 1 ('far') on 'elsewhere.example', which can't be looked at from here" in refused
        assert "since 2025-01-02 00:00:00 UTC" in refused
        assert "where it runs" in refused
        monkeypatch.setattr(holders, "_read_text", lambda *_: {})
        assert "in use by another process." in str(_refused(store))


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_damaged_lock_file_costs_nobody_the_entry(store: Store, garbage: bytes) -> None:
    """Whatever stands in the lock file, writers and readers get in, and one at a time."""
    path = store.root / locks.LOCK
    path.write_bytes(garbage)
    Releases(store.root, settings=FAST).download("2.0", b"bytes")
    path.write_bytes(garbage)
    with sessions.reading(store) as connection:
        assert connection.execute("SELECT count(*) FROM versions").fetchall() == [(2,)]
    assert json.loads(path.read_bytes()[: holders.TEXT_BYTES])["next"] >= 1


def test_a_lost_lock_file_is_made_anew(store: Store) -> None:
    """Without its lock file a store is entered as one that never had one."""
    (store.root / locks.LOCK).unlink()
    with sessions.reading(store):
        pass
    assert (store.root / locks.LOCK).is_file()


def test_a_counter_that_went_back_keeps_writers_apart(store: Store) -> None:
    """A counter that names tickets in use again is corrected by those who hold them, however many they hold."""
    _write(store, json.dumps({"next": 50_000_000}).encode().ljust(holders.TEXT_BYTES))
    with child(store.root, HOLD) as holder:
        script = f"import os; os.pwrite(os.open({str(store.root / locks.LOCK)!r}, os.O_WRONLY), b' ' * 2048, 0)"
        subprocess.run([sys.executable, "-c", script], check=True)
        assert f"process {holder.process.pid} " in str(_refused(store))
        assert f"process {holder.process.pid} " in str(_refused(store, sessions.reading))
        holder.end()
    with sessions.writing(store):
        pass


def test_an_interrupt_on_the_way_out_lets_the_lock_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ctrl-C while the holder's text is cleared must not leave the store held by a host that goes on."""

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(holders, "clear_holder", interrupted)
        with pytest.raises(KeyboardInterrupt), locks.gate_of(store.root).exclusive(5.0):
            pass
    with child(store.root, HOLD) as other:
        other.end()


# --- the dead ---------------------------------------------------------------------------------------------------------


def test_a_killed_holder_is_in_nobodys_way(store: Store) -> None:
    """A holder that dies inside a transaction lets the one that waits in, and what it began never happened."""
    code = "with sessions.writing(store) as session:\n session.connection.execute('BEGIN')\n session.connection.execute"
    with child(store.root, code + "('DELETE FROM versions')\n pause()") as holder:
        waiter = Child(store.root, "say()\nwith sessions.writing(store): say()")
        waiter.wait_until_here()
        holder.kill()
        waiter.wait_until_here()
        waiter.end()
    assert_consistent(store.root)


def test_a_killed_waiter_is_in_nobodys_way(store: Store) -> None:
    """A ticket whose owner died is not waited for."""
    with child(store.root, HOLD) as holder:
        waiter = Child(store.root, "say()\nwith sessions.writing(store): say()")
        waiter.wait_until_here()
        _until(lambda: _counter(store) == 2)
        waiter.kill()
        holder.end()
    with sessions.writing(Store(store.root, {**FAST, "wait": 5.0})):
        pass


def test_a_stopped_holder_is_alive(store: Store) -> None:
    """A process that stands still keeps its lock, and the sentence says that it runs."""
    with child(store.root, HOLD) as holder:
        holder.process.send_signal(signal.SIGSTOP)
        assert "which is running" in str(_refused(store))
        holder.process.send_signal(signal.SIGCONT)
        holder.end()


# --- DuckDB's own lock ------------------------------------------------------------------------------------------------

NO_GATE = """
from contextlib import contextmanager
from ontofetch_catalog.catalog.kept import Hold
@contextmanager
def nothing(self, wait, **_): yield Hold(-1)
locks.Gate.exclusive = locks.Gate.shared = nothing
"""


def test_without_our_lock_duckdbs_own_refuses_the_second_writer(store: Store) -> None:
    """Even a writer that passes no gate can't tear anything, its recovery included: DuckDB keeps it out."""
    code = (
        "from ontofetch_catalog.catalog import moving\npublish = moving.publish\n"
        "def slowly(*args):\n publish(*args)\n pause()\nmoving.publish = slowly\n"
        f"Releases(store.root, settings={FAST!r}).download('2.0', b'bytes')"
    )
    with child(store.root, NO_GATE + code) as holder:
        # the first has published and not committed: a recovery now would undo it
        assert (store.root / "example/sample/2.0/src/a.zip").is_file()
        second = Child(
            store.root,
            NO_GATE
            + f"from ontofetch_catalog.errors import CatalogLocked\ntry:\n Releases(store.root, settings={FAST!r})"
            ".download('3.0', b'other')\nexcept CatalogLocked as refused: sys.stderr.write(str(refused))",
        )
        _, told = second.process.communicate(timeout=60)
        assert second.process.returncode == 0, told
        assert told.startswith("DuckDB can't lock ")
        assert "another program has it open" in told
        holder.end()
    assert_consistent(store.root)
    with sessions.reading(store) as connection:
        rows = connection.execute("SELECT version FROM versions ORDER BY version").fetchall()
    assert rows == [("1.0",), ("2.0",)]


# --- hooks ------------------------------------------------------------------------------------------------------------


class _Asks:
    """Starts `ontofetch report latest` when it is asked to vote and when it is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.answers: list[tuple[str, int, str]] = []

    def _ask(self, when: str) -> None:
        ended = subprocess.run(
            [SCRIPT, "report", "latest", "--version", "1.0", "--json", "--wait", "20"],
            env=Program(self.root).environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.answers.append((when, ended.returncode, ended.stdout or ended.stderr))

    @hookimpl
    def on_download_done(self, event: DownloadDone) -> None:
        self._ask("vote")

    @hookimpl
    def on_catalog_committed(self, event: CatalogCommitted) -> None:
        self._ask("told")


def test_a_report_started_inside_a_hook_answers(store: Store) -> None:
    """While plugins vote and while they are told, the store is free: a process that they start can read it."""
    plugin = _Asks(store.root)
    Releases(store.root, plugin, settings=FAST).download("2.0", b"bytes")
    assert [(when, code) for when, code, _ in plugin.answers] == [("vote", 0), ("told", 0)]
    assert all(json.loads(shown)["rows"] for _, _, shown in plugin.answers)


def test_a_thread_that_a_hook_starts_gets_in(tmp_path: Path) -> None:
    """A hook that waits for a boundary in another thread waits for no lock of its own."""

    class Delegates:
        releases: Releases | None = None

        @hookimpl
        def on_download_done(self, event: DownloadDone) -> None:
            inner, self.releases = self.releases, None
            if inner is not None:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(inner.download, "2.0", b"other").result(60)

    plugin = Delegates()
    releases = Releases(tmp_path / "store", plugin, settings=FAST)
    plugin.releases = releases
    releases.download("1.0", b"bytes")
    releases.check()
    assert releases.rows("SELECT version FROM versions ORDER BY 1") == [("1.0",), ("2.0",)]


def test_this_process_is_told_by_its_command() -> None:
    """The owner that the lock file names has this process's number, host and program."""
    owner = this_process()
    assert (owner.pid, owner.host, owner.state()) == (os.getpid(), socket.gethostname(), "alive")


# --- a store that is somebody else's ----------------------------------------------------------------------------------


# the super-user may write everywhere, so a child gives that up first: capset(2)
NO_POWERS = """
import ctypes
if sys.platform.startswith("linux"):
    ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
try:
    os.open(str(store.database), os.O_RDWR)
    sys.exit("it may write here")
except PermissionError:
    pass
"""


@contextmanager
def _read_only(root: Path) -> Iterator[None]:
    """Take away all rights to write below `root`, for as long as it lasts."""
    modes = {path: path.stat().st_mode for path in [root, *root.rglob("*")]}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.mark.parametrize("lock_file", [True, False], ids=["with its lock file", "without"])
def test_a_store_that_may_not_be_written_can_be_read(store: Store, lock_file: bool) -> None:
    """Whoever may only read gets the rows, and leaves nothing behind."""
    if not lock_file:
        (store.root / locks.LOCK).unlink()
    before = sorted(store.root.rglob("*"))
    code = NO_POWERS + "with sessions.reading(store) as connection: assert connection.sql('FROM versions').fetchall()\n"
    with _read_only(store.root), child(store.root, code + "pause()") as reader:
        reader.end()
    assert sorted(store.root.rglob("*")) == before


def test_a_store_that_may_not_be_written_says_so_to_a_writer(store: Store) -> None:
    """A command that writes ends with a sentence and exit 1 where nothing may be written."""
    code = NO_POWERS + "from ontofetch_catalog.host.app import main\nsay()\n"
    with _read_only(store.root):
        writer = Child(store.root, code + f"sys.exit(main(['db', 'recover', '--root', {str(store.root)!r}]))")
        writer.wait_until_here()
        _, told = writer.process.communicate(timeout=60)
    assert writer.process.returncode == 1
    assert told.startswith("error: ")
    assert "Permission denied" in told
    assert told.count("\n") == 1


def test_a_reader_without_a_ticket_keeps_its_place(store: Store) -> None:
    """Whoever may only read keeps writers out while it reads, stops nobody from queueing, and waits for a writer."""
    with _read_only(store.root):
        reader = Child(store.root, NO_POWERS + READ)
        reader.wait_until_here()
    refused = str(_refused(store))
    assert f"process {reader.process.pid} ('python" in refused
    assert "reads, or waits" in refused
    with sessions.reading(Store(store.root, {**FAST, "wait": 5.0})):
        pass
    reader.end()
    with locks.gate_of(store.root).exclusive(5.0), _read_only(store.root):
        reader = Child(store.root, NO_POWERS + "store.settings['wait'] = 0.2\n" + READ)
        _, told = reader.process.communicate(timeout=60)
    assert f"process {os.getpid()} " in told
    assert "has held it since 20" in told


def test_a_link_that_leads_elsewhere_later_is_not_the_way_to_the_lock(tmp_path: Path) -> None:
    """A store is locked in its own folder, whatever the link by which it was entered first leads to by then."""
    for name in ("one", "other"):
        (tmp_path / name / ".catalog").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "one")
    with locks.gate_of(link).exclusive(5.0):
        pass
    link.unlink()
    link.symlink_to(tmp_path / "other")
    assert str(locks.gate_of(tmp_path / "one").path) == str(tmp_path / "one" / LOCK)
    with locks.gate_of(tmp_path / "one").exclusive(5.0):
        assert not (tmp_path / "other" / LOCK).exists()

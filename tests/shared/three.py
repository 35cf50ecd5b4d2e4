"""Three machines with one catalog, one of them an hour ahead; what one does goes wrong at a step, the others go on.

`python -m tests.shared.three [--operation NAME] [--how kill|stop|int|crash] [--first N] [--every N] [--objects s3]`
runs the steps and prints a line of JSON for each; without a name all operations, and all ways, `--jobs N` labs side by
side. Exit status 1 where one is broken.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from ontofetch_catalog.catalog.shared.objects import open_objects
from ontofetch_catalog.catalog.shared.places import parse_ops
from ontofetch_catalog.catalog.shared.signs import is_pointer

from . import machines
from .copies import LARGE, rows_of, tree_of
from .labs import Broken, Ground, Names, Part, Trial, new_folder, parser_of, run
from .machines import Machine
from .postgres import PASSWORD, USER, Postgres
from .proxies import TcpProxy
from .s3 import S3Server
from .workers import Ended, Worker

HOURS = {"c": 3600.0}  # by which clocks are ahead
WAYS = ("kill", "stop", "int", "crash")
# what says how a command goes on, of which each error has one
NEXT = ("Run the same command again", "`ontofetch ", "--wait")
# what one machine alone may have: a plan that nobody has carried out, and what lay where it brought something back
_BESIDE = (".catalog/plans/", ".catalog/quarantine/copy-", ".catalog/quarantine/back-")
_ENDED = 60.0  # seconds within which a session that is silent for one has ended, also on a machine with much to do


@dataclass
class Lab:
    """Three machines, their server, and their objects.

    Args:
        folder: What is theirs.
        server: The server of the catalog.
        catalog: Address of the database in it.
        objects: Address of the objects.
        environment: What machines are told of the objects.
        bad: What a command of `a` is told of a bad line to them.
        addresses: Of the catalog for machines that reach it over a line of their own.
    """

    folder: Path
    server: Postgres
    catalog: str
    objects: str
    environment: dict[str, str] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    numbers: int = 1  # of the newest release: the first is that of another series
    _line: psycopg.Connection[Any] | None = None

    def start(self, *names: str) -> None:
        """Start machines and make each a copy."""
        variables = {"PGPASSWORD": PASSWORD, "ONTOFETCH_OBJECTS_DURABILITY": "off", **self.environment}
        for name in names:
            skew = HOURS.get(name, 0.0) if machines.clock_library() else 0.0
            self.workers[name] = Worker(Machine(name, self.folder / "machines" / name, skew, variables))
        for name in names:
            self.run(name, "init", "--catalog", self.addresses.get(name, self.catalog), "--objects", self.objects)
        # what the others write about, whatever becomes of the rest
        self.run("b", *self.pulling(1, series="p"))

    def close(self) -> None:
        """End all machines."""
        for worker in self.workers.values():
            worker.close()
        if self._line is not None:
            self._line.close()

    def run(self, name: str, *words: str, **options: Any) -> Ended:
        """Run a command on a machine to its end; it has to succeed.

        Raises:
            Broken: It does not.
        """
        ended = self.workers[name].run(*words, "-q", **options)
        if ended.code != 0:
            raise Broken(f"{name}: {' '.join(words)}: {ended.code}\n{ended.err}")
        return ended

    def release(self, number: int, text: str = "") -> str:
        """Make the archive of a release, if there is none, and return where it is: what all have, what is its own."""
        # of the same name: other bytes of the same artifact
        path = self.folder / f"archives{text}/release-{number}.zip"
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            large = f"{number} {text} ".ljust(LARGE, "x")
            contents = {"same": "the same in each", "own": f"{number} {text}", "large": large}
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in contents.items():
                    archive.writestr(zipfile.ZipInfo(f"{name}.txt"), content)
        return str(path)

    def pull(self, name: str, number: int, text: str = "", *more: str) -> None:
        """Pull a release on a machine."""
        self.run(name, *self.pulling(number, text), *more)

    def pulling(self, number: int, text: str = "", *, series: str = "o") -> tuple[str, ...]:
        """Return the command that pulls a release."""
        words = ("--service", "s", "--ontology", series, "--version", str(number), "--no-validate")
        return ("pull", self.release(number, text), *words)

    # --- what is known of the server ----------------------------------------------------------------------------------

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what the server answers."""
        if self._line is None or self._line.closed:
            self._line = psycopg.connect(self.catalog, password=PASSWORD, autocommit=True)
        try:
            return self._line.execute(sql.encode(), list(values) or None).fetchall()
        except psycopg.OperationalError:
            # the server has crashed, and whoever asks next finds it again
            self._line.close()
            raise

    def crash(self) -> None:
        """Let the server go through a crash."""
        if self._line is not None:
            self._line.close()
        self.server.stop()
        self.server.start()

    def last_event(self, kind: str) -> int:
        """Return the number of the newest boundary of a kind."""
        return int(self.ask("SELECT max(last_event) FROM ontofetch.boundaries WHERE type = %s", kind)[0][0])

    def wait_until_let_go(self, pid: int) -> None:
        """Wait until the server has no session of a process any more."""
        end = time.monotonic() + _ENDED
        while self.ask("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE %s", f"%({pid})"):
            if time.monotonic() > end:
                raise Broken(f"the session of {pid} has not ended")
            time.sleep(0.05)

    def check(self, *names: str) -> None:
        """Let machines catch up, and hold log, objects and machines to each other.

        Raises:
            Broken: They don't agree.
        """
        for name in names:
            self.run(name, "db", "versions")
        self.check_caught_up(*names)
        rows = rows_of(self.workers[names[0]].root)
        for name in names[1:]:
            if rows_of(self.workers[name].root) != rows:
                raise Broken(f"{name} has other rows than {names[0]}")

    def check_caught_up(self, *names: str) -> None:
        """Hold log, objects, and the files of machines that have caught up to each other.

        Raises:
            Broken: They don't agree.
        """
        self._check_log()
        paths = self._check_objects()
        self._check_signs(paths)
        for name in names:
            root = self.workers[name].root
            found = tree_of(root)
            here = {
                path: (hashlib.sha256(data).hexdigest(), time_ns, mode & 0o777)
                for path, (data, time_ns, mode) in found.items()
            }
            beside = {path for path in here.keys() - paths.keys() if path.startswith(_BESIDE)}
            if any(here.get(path) != paths.get(path) for path in (here.keys() | paths.keys()) - beside):
                raise Broken(f"the files of {name} differ: {sorted(here.items() ^ paths.items())[:6]}")
            left = list((root / ".catalog/intents").glob("*"))
            if left:
                raise Broken(f"{name} has left open: {left}")

    def _check_log(self) -> None:
        found = self.ask(
            "SELECT first_event, last_event, former, digest, boundary_id FROM ontofetch.boundaries ORDER BY first_event"
        )
        last, digest = 0, "0" * 64
        for first_event, last_event, former, own, _ in found:
            if (first_event, former) != (last + 1, digest):
                raise Broken(f"event {first_event} does not follow event {last}")
            last, digest = last_event, own
        if len({row[4] for row in found}) != len(found):
            raise Broken("a boundary is recorded twice")

    def _check_objects(self) -> dict[str, tuple[str, int, int]]:
        """Hold each path's bytes to be among the objects; return path → (sha256, time, permissions)."""
        rows = self.ask(
            "SELECT path, mtime_ns, mode, sha256, size, key, position FROM ontofetch.paths JOIN ontofetch.contents"
            " USING (sha256, size)"
        )
        if [(len(rows),)] != self.ask("SELECT count(*) FROM ontofetch.paths"):
            raise Broken("a path has no content")
        objects = open_objects(self.objects, options=self.options)
        known: set[str] = set()
        for path, _, _, sha256, size, key, position in rows:
            if sha256 not in known:
                known.add(sha256)
                data = b"".join(objects.get(key, position, size))
                if hashlib.sha256(data).hexdigest() != sha256:
                    raise Broken(f"{path} has other bytes among the objects")
        return {path: (sha256, time_ns, mode) for path, time_ns, mode, sha256, *_ in rows}

    def _check_signs(self, paths: dict[str, tuple[str, int, int]]) -> None:
        """Hold the record among the objects to name an event of the log, as of which each LATEST.json is right."""
        objects = open_objects(self.objects, options=self.options)
        known = self.record()
        if self.ask("SELECT digest FROM ontofetch.boundaries WHERE last_event = %s", known["event"]) != [
            (known["digest"],)
        ]:
            raise Broken(f"the record is ahead of the log: {known}")
        since = self.ask("SELECT moves FROM ontofetch.boundaries WHERE last_event > %s", known["event"])
        behind = {path for (moves,) in since for op in parse_ops(moves) for path in op if isinstance(path, str)}
        ever = self.ask("SELECT moves FROM ontofetch.boundaries WHERE moves LIKE '%%/LATEST.json%%' AND %s", True)
        every = {path for (moves,) in ever for op in parse_ops(moves) for path in op if is_pointer(str(path))}
        for path in sorted(every - behind):
            told = objects.sign(f"latest/{path}")
            is_gone = told is not None and json.loads(told[0])["version_id"] is None
            found = hashlib.sha256(told[0]).hexdigest() if told is not None and not is_gone else None
            if found != paths.get(path, (None,))[0]:
                raise Broken(f"{path} among the objects says {told}")

    def record(self) -> dict[str, Any]:
        """Return what the record among the objects says."""
        found = open_objects(self.objects, options=self.options).sign("generation.json")
        if found is None:
            raise Broken("there is no record among the objects")
        return dict(json.loads(found[0]))

    def latest(self, series: str) -> str | None:
        """Return which release of a series is the latest, as its LATEST.json among the objects says."""
        found = open_objects(self.objects, options=self.options).sign(f"latest/s/{series}/LATEST.json")
        return None if found is None else json.loads(found[0])["version_id"]

    @property
    def options(self) -> dict[str, str]:
        """Return how the objects are reached from here."""
        names = {"AWS_ENDPOINT_URL": "endpoint", "AWS_ACCESS_KEY_ID": "access_key_id",
                 "AWS_SECRET_ACCESS_KEY": "secret_access_key"}  # fmt: skip
        return {names[name]: value for name, value in self.environment.items() if name in names}


# --- what goes wrong --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Act:
    """What machine `a` does: the command, and how often it has to have happened in the log by then.

    Args:
        words: The command.
        kind: Of the event that says so.
        times: How often there has to be one for this release.
        version: The release; empty: of any.
    """

    words: tuple[str, ...]
    kind: str = ""
    version: str = ""


def _pull(lab: Lab, number: int) -> Act:
    return Act(lab.pulling(number), "download.done", f"s/o/{number}")


def _replace(lab: Lab, number: int) -> Act:
    lab.pull("a", number)
    return Act((*lab.pulling(number, "other"), "--replace"), "extract.done", f"s/o/{number}")


def _remove(lab: Lab, number: int) -> Act:
    lab.pull("b", number)
    return Act(("rm", f"s/o/{number}", "--yes"), "rm.done")


def _restore(lab: Lab, number: int) -> Act:
    lab.pull("b", number)
    lab.run("b", "rm", f"s/o/{number}", "--yes")
    return Act(("undo", str(lab.last_event("rm.done"))))


def _from_backup(lab: Lab, number: int) -> Act:
    lab.pull("b", number)
    place = str(lab.folder / f"backup-{number}.tar.zst")
    lab.run("a", "db", "backup", "--to", place, "--hold", "1d")
    lab.run("b", "rm", f"s/o/{number}", "--yes")
    lab.pull("c", number + 1)
    return Act(("db", "restore", place), "backup.restored")


def _rename(lab: Lab, number: int) -> Act:
    lab.pull("b", number)
    return Act(("mv", f"s/o/{number}", f"s/o/{number}-other"), "mv.done")


def _catch_up(lab: Lab, number: int) -> Act:
    lab.pull("b", number)
    lab.pull("c", number, "other", "--replace")
    return Act(("db", "versions"))


def _sweep(lab: Lab, number: int) -> Act:
    lab.pull("b", number)
    lab.run("b", "rm", f"s/o/{number}", "--yes")
    root = lab.workers["b"].root
    for plan in (root / ".catalog/plans").glob("*"):
        if (root / ".catalog/quarantine" / plan.name).exists():
            lab.run("b", "db", "prune", "--purge", plan.name)
    lab.run("b", "db", "sweep", "--grace", "1d")
    lab.ask("UPDATE ontofetch.contents SET condemned_at = condemned_at - interval '3 days' RETURNING 1")
    return Act(("db", "sweep", "--grace", "1d"))


def _note(lab: Lab, number: int) -> Act:
    return Act(("note", "s/p/1", f"a{number}"), "note.added")


OPERATIONS: dict[str, Callable[[Lab, int], Act]] = {
    "pull": _pull,
    "replace": _replace,
    "rm": _remove,
    "undo": _restore,
    "mv": _rename,
    "restore": _from_backup,
    "catch-up": _catch_up,
    "sweep": _sweep,
    "note": _note,
}


def try_step(lab: Lab, operation: str, how: str, at: int, only: str = "", *, all_of_it: bool = True) -> bool:
    """Let a command of machine `a` go wrong before a step and the others go on; say whether it came that far.

    Args:
        lab: The machines.
        operation: Of `OPERATIONS`.
        how: Of `WAYS`.
        at: Before which step, counted from 1.
        only: Of which name; empty: of any.
        all_of_it: Whether the others catch up, and all are compared; if not, `a` alone with log and objects.

    Raises:
        Broken: Something is lost, there twice, or not said.
    """
    lab.numbers += 1
    number = lab.numbers
    act = OPERATIONS[operation](lab, number)
    a = lab.workers["a"]
    happens = f"crash {lab.server.pid} {lab.server.port}" if how == "crash" else how
    environment = {"ONTOFETCH_SHARED_SILENCE": "1"} if how == "stop" else {}
    begun = a.run(*act.words, "-q", happens=happens, at=at, only=only, environment=environment)
    reached = begun.steps >= at
    if how == "stop" and reached:
        lab.wait_until_let_go(begun.pid)
    if how == "crash" and reached:
        _read_without(lab)
        lab.crash()
    # the others go on, whatever it has left: in turns the one whose clock is right and the other
    lab.run("bc"[number % 2], "note", "s/p/1", f"other {number}")
    if how == "stop" and reached:
        begun = a.go_on()
    _check_ending(how, reached, begun)
    again = a.run(*act.words, "-q")
    # what was done the first time may be refused the second
    if again.code not in (0, 1, 2, 3):
        raise Broken(f"the same command again: {again.code}\n{again.err}")
    if operation in ("pull", "replace", "catch-up", "sweep", "note") and again.code != 0:
        raise Broken(f"the same command again: {again.code}\n{again.err}")
    if all_of_it or not reached:
        lab.check("a", "b", "c")
    else:
        lab.check_caught_up("a")
    _check_done(lab, operation, act, number)
    return reached


def _read_without(lab: Lab) -> None:
    """Who reads while the server is away sees what the copy has, and is told so; who writes is told what to do."""
    ended = lab.workers["b"].run("db", "versions")
    if ended.code != 0 or "as of event" not in ended.err:
        raise Broken(f"a reader without the server: {ended.code}\n{ended.err}")
    ended = lab.workers["c"].run("note", "s/p/1", "x", "-q")
    if ended.code == 0 or not any(words in ended.err for words in NEXT):
        raise Broken(f"a writer without the server: {ended.code}\n{ended.err}")


def _check_ending(how: str, reached: bool, ended: Ended) -> None:
    """Hold a command that was disturbed to how such a command ends."""
    if "Traceback" in ended.err:
        raise Broken(ended.err)
    if not reached:
        if ended.code != 0:
            raise Broken(f"without any trouble: {ended.code}\n{ended.err}")
        return
    expected: dict[str, tuple[int, ...]] = {"kill": (-9,), "int": (130,), "stop": (0, 1), "crash": (0, 1)}
    if ended.code not in expected[how]:
        raise Broken(f"{how}: {ended.code}\n{ended.err}")
    if ended.code == 1 and not any(words in ended.err for words in NEXT):
        raise Broken(f"{how}: it does not say what to do\n{ended.err}")


def _check_done(lab: Lab, operation: str, act: Act, number: int) -> None:
    """Hold what was done to have happened, and once."""
    if act.kind and operation != "replace":
        sql = "SELECT count(*) FROM ontofetch.boundaries WHERE type = %s AND (version_id = %s OR %s = '')"
        found = lab.ask(sql, act.kind, act.version, act.version)[0][0]
        if act.version and found != 1:
            raise Broken(f"{act.kind} of {act.version} is recorded {found} times")
    if operation == "note":
        found = sum(f"'a{number}'" in row for row in rows_of(lab.workers["a"].root)["notes"])
        if found not in (1, 2):
            raise Broken(f"the note is there {found} times")
    folder = f"s/o/{number}"
    there = {path for (path,) in lab.ask("SELECT path FROM ontofetch.paths WHERE path LIKE %s", f"{folder}%")}
    expected = {"pull": folder, "replace": folder, "undo": folder, "mv": folder + "-other", "catch-up": folder,
                "restore": folder}  # fmt: skip
    if operation in expected:
        if f"{expected[operation]}/data/own.txt" not in there:
            raise Broken(f"{expected[operation]} is not there: {sorted(there)}")
    elif operation in ("rm", "sweep") and any(path.startswith(folder + "/") for path in there):
        raise Broken(f"{folder} is still there")


# --- all of them ------------------------------------------------------------------------------------------------------


@contextmanager
def lab_of(
    folder: Path, server: Postgres, database: str, s3: S3Server | None = None, line: TcpProxy | None = None
) -> Iterator[Lab]:
    """Give three machines that are copies of an empty catalog; `a` reaches it over a line, if there is one."""
    environment: dict[str, str] = {}
    objects = f"file://{folder / 'objects'}"
    if s3 is not None:
        keys = {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "hidden", "NO_PROXY": "127.0.0.1"}
        environment = {**keys, "AWS_ENDPOINT_URL": s3.endpoint}
        objects = f"s3://{s3.new_bucket()}/x"
    catalog, over = (
        f"postgresql://{USER}@127.0.0.1:{port}/{database}" for port in (server.port, line.port if line else 0)
    )
    addresses = {"a": over} if line else {}
    with closing(Lab(folder, server, catalog, objects, environment, addresses=addresses)) as lab:
        lab.start("a", "b", "c")
        yield lab


@contextmanager
def _opened(objects: str, ground: Ground, names: Names) -> Iterator[Lab]:
    # only what the server forgets in a crash has to be durable
    server = ground.server(durable=names[0] == "crash")
    with ExitStack() as ending:
        folder = new_folder(ending, "three-")
        database = ending.enter_context(server.database())
        yield ending.enter_context(lab_of(folder, server, database, ground.s3() if objects == "s3" else None))


def main(words: list[str]) -> int:
    """Run the steps and return the exit code."""
    parser = parser_of("tests.shared.three", __doc__, "steps")
    parser.add_argument("--operation", choices=OPERATIONS, action="append")
    parser.add_argument("--how", choices=WAYS, action="append")
    parser.add_argument("--objects", choices=("file", "s3"), default="file")
    asked = parser.parse_args(words)
    names = [(how, operation) for how in asked.how or WAYS for operation in asked.operation or OPERATIONS]
    trial = Trial(
        words=("how", "operation"),
        opened=partial(_opened, asked.objects),
        tried=lambda lab, names, at, all_of_it: try_step(lab, names[1], names[0], at, all_of_it=all_of_it),
        alike=lambda names: names[0] == "crash",
    )
    return run(trial, [Part(one, asked.first, asked.last) for one in names], asked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

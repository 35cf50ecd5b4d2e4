"""Machines that have loaded the program once: each command is a fork of a process with its own home, root and clock.

These processes are forks, too: to load the whole program takes longer than most commands, so one process does it for
all machines with its clock.

Before a step of a command, of those that `states.SEAM` counts, something may happen: its process dies, stands still or
is interrupted, or the server of the catalog crashes.
"""

from __future__ import annotations

import atexit
import functools
import gc
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.migrations import available_migrations
from ontofetch_catalog.host import manager
from ontofetch_catalog.host.app import main
from ontofetch_catalog.host.installed import entry_points
from tests import instance
from tests.hostile import forks

from .machines import CHECKOUT, Machine, common_variables
from .postgres import crash
from .states import before_step

_FORK = "import sys; from tests.shared.workers import fork_machines; fork_machines(int(sys.argv[1]))"
_DRIVERS = ("psycopg", "obstore", "obstore.store")
_MOST = 1 << 16  # bytes of what is told of a machine
_AS_EVER = 20  # of so many commands one opens its database as the program does


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, or that it stands still.

    Args:
        pid: Its process.
        code: Exit code, negative for a signal; None while it stands still.
        out, err: What it said.
        steps: How many steps it came to.
    """

    pid: int
    code: int | None
    out: str
    err: str
    steps: int


class Worker:
    """A machine whose program is loaded; close it with `close`.

    Args:
        machine: Which one.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        read, told = os.pipe()
        answers, write = os.pipe()
        self._told, self._answers = os.fdopen(told, "w"), os.fdopen(answers)
        with open(self._said, "wb") as said:
            _loaded(machine.skew).fork(machine, read, write, said.fileno())
        for theirs in (read, write):
            os.close(theirs)

    @property
    def root(self) -> Path:
        """Return its store."""
        return self.machine.root

    def begin(
        self, *words: str, happens: str = "", at: int = 1, only: str = "", environment: Mapping[str, str] | None = None
    ) -> None:
        """Begin a command; `end` waits for it.

        Args:
            words: The command and its arguments.
            happens: `kill`, `stop`, `int`, `sleep SECONDS`, `until FILE` (for its one thread), or
                `crash PID PORT` for a server; empty: nothing.
            at: Before which step, counted from 1; 0: before each.
            only: Of which name; empty: of any.
            environment: Beside that of the machine.
        """
        told = {"words": words, "happens": happens, "at": at, "only": only, "environment": dict(environment or {})}
        self._tell(told)

    def run(self, *words: str, **options: Any) -> Ended:
        """Run a command to its end, or until it stands still; options are those of `begin`."""
        self.begin(*words, **options)
        return self.end()

    def go_on(self) -> Ended:
        """Let a command that stands still go on to its end."""
        self._tell({"continue": True})
        return self.end()

    def end(self) -> Ended:
        """Return how a command ended, once it did."""
        line = self._answers.readline()
        assert line, self._said.read_text()
        return Ended(**json.loads(line))

    def close(self) -> None:
        """End the machine, and what stands still on it."""
        # a worker ends its command where nobody listens any more, and what it could say itself with it
        self._told.close()
        with self._answers:
            self._answers.read()

    @property
    def _said(self) -> Path:
        return self.machine.folder / "said"

    def _tell(self, told: object) -> None:
        self._told.write(json.dumps(told) + "\n")
        self._told.flush()


class _Loaded:
    """A process that has loaded the program, of which machines are forks.

    Args:
        environment: Which clock it has.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _FORK, str(theirs.fileno())],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.close)

    def fork(self, machine: Machine, *streams: int) -> None:
        """Let a machine begin, with these descriptors as its standard input, output and error."""
        told = {"folder": str(machine.work), "environment": machine.variables()}
        socket.send_fds(self._socket, [json.dumps(told).encode()], streams)
        # it has them once it answers
        assert self._socket.recv(1), "the process that machines are forks of has ended"

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait(60)


@functools.cache
def _loaded(skew: float) -> _Loaded:
    """Return the one of this run whose clock is ahead by so many seconds."""
    return _Loaded(common_variables(skew))


def fork_machines(descriptor: int) -> None:
    """Load the program, and be a machine in a fork for each that is told of, until nobody tells any more."""
    forks.load(*_DRIVERS)
    _do_what_is_done_once()
    with socket.socket(fileno=descriptor) as ours:
        while True:
            told, streams, _, _ = socket.recv_fds(ours, _MOST, 3)
            # how a machine has ended is nobody's business here
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not told:
                return
            if not os.fork():
                ours.close()
                _begin(json.loads(told), streams)
            for stream in streams:
                os.close(stream)
            ours.send(b".")


def _do_what_is_done_once() -> None:
    """Do here what each command would do again, and what costs a fork a copy of its pages."""
    available_migrations()
    # nothing is installed meanwhile
    found = entry_points()
    setattr(manager, "entry_points", lambda: found)  # noqa: B010 - as the module has it for itself alone
    instance.instance().execute("SELECT 1").fetchall()
    gc.collect()
    gc.freeze()


def _begin(told: Mapping[str, Any], streams: list[int]) -> None:
    """Be a machine; never returns."""
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(told["folder"])
        os.environ.clear()
        os.environ.update(told["environment"])
        serve()
    finally:
        sys.stderr.flush()
        os._exit(0)


def serve() -> None:
    """Run commands as they come by standard input, one at a time, until it ends."""
    running = 0
    for number, line in enumerate(sys.stdin, 1):
        told = json.loads(line)
        if "continue" in told:
            os.kill(running, signal.SIGCONT)
        else:
            running = os.fork()
            if not running:
                _run(told, as_ever=number % _AS_EVER == 0)
        status = os.waitpid(running, os.WUNTRACED)[1]
        stopped = os.WIFSTOPPED(status)
        out, err, steps = (_read(name) for name in ("out", "err", "steps"))
        found = Ended(running, None if stopped else os.waitstatus_to_exitcode(status), out, err, len(steps))
        print(json.dumps({name: getattr(found, name) for name in Ended.__slots__}), flush=True)
        if not stopped:
            running = 0
    if running:
        os.kill(running, signal.SIGKILL)


def _read(name: str) -> str:
    return Path(name).read_text(errors="replace") if Path(name).exists() else ""


def _run(told: Mapping[str, Any], *, as_ever: bool) -> None:
    """Be the process of a command, which attaches its database to the instance that is there unless it is `as_ever`.

    It never returns.
    """
    code = 70
    try:
        os.environ.update(told["environment"])
        # as in a shell's foreground, wherever this runs: behind `&` it would be ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, name in ((1, "out"), (2, "err")):
            with open(name, "wb") as stream:
                os.dup2(stream.fileno(), number)
        steps = os.open("steps", os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        happens = _happening(told["happens"])
        # objects are put by several threads, and each step has a number of its own
        numbers = itertools.count(1)

        def step() -> None:
            number = next(numbers)
            # each at its own place: of two threads the second may come here first
            os.pwrite(steps, b".", number - 1)
            if told["happens"] and told["at"] in (0, number):
                happens()

        before_step(0, step, told["only"])
        with ExitStack() as ending:
            if not as_ever:
                gc.disable()
                ending.enter_context(instance.attaching(fsops, optimizing=False))
            code = main(list(told["words"]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _happening(what: str) -> Callable[[], object]:
    kind, *numbers = what.split() or [""]
    if kind == "until":
        return lambda: _wait_for(Path(numbers[0]))
    if kind == "crash":
        return lambda: crash(int(numbers[0]), int(numbers[1]))
    if kind == "sleep":
        # sleep() goes by a clock that a machine whose clock is set does not have
        return lambda: threading.Event().wait(float(numbers[0]))
    number = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "int": signal.SIGINT}.get(kind, signal.SIGKILL)
    return lambda: os.kill(os.getpid(), number)


def _wait_for(place: Path) -> None:
    while not place.exists():
        threading.Event().wait(0.02)

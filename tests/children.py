"""Processes that unpack and judge, forked from ones that have imported what they need: a tenth of the time of a start.

What they are told, their pipes, limits, environment and parent are those of a process that is started; what an
interpreter does at its start is not there. For tests whose subject is neither their start nor what they hold of the
machine. Linux alone knows how to give a process to another parent; elsewhere they are started as ever.

usage: python tests/children.py FD (for this module: be the process that is forked)
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NoReturn
from unittest.mock import patch

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_MOST = 1 << 20  # bytes of what a process is told
_UNPACKER, _WORKER = "ontofetch_catalog.host.unpacker", "ontofetch_catalog.host.worker"
# what those that judge import when the first file of a format comes
_CHECKS = tuple(f"ontofetch_catalog.host.checks.{name}" for name in ("graphs", "obo", "owl", "rdf"))
_JUDGES = ("fastobo", "pyhornedowl", "pyoxigraph", "pyarrow", *_CHECKS)


# --- the side of the tests --------------------------------------------------------------------------------------------


class _Source:
    """A process that has imported what a module of ours imports, and is forked whenever one is to be started."""

    def __init__(self, options: list[str], told: str) -> None:
        self._maker = os.getpid()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [os.path.abspath(sys.executable), *options, os.path.abspath(__file__), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )
        theirs.close()
        for size in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            ours.setsockopt(socket.SOL_SOCKET, size, _MOST)
        self._socket = ours
        ours.send(told.encode())
        atexit.register(self._end)

    def _end(self) -> None:
        # a fork that ends has not made it
        if os.getpid() == self._maker:
            self._socket.close()
            self._process.kill()
            self._process.wait()

    @property
    def is_ours(self) -> bool:
        """Say whether this process made it: children of one that was forked are not its own."""
        return os.getpid() == self._maker

    def fork(self, words: list[str], environment: dict[str, str], *, quiet: bool) -> subprocess.Popen[bytes]:
        """Return a child of this process that does what one would do that was started with these words."""
        inner, given = os.pipe()
        told, outer = os.pipe()
        errors = os.open(os.devnull, os.O_WRONLY) if quiet else os.dup(2)
        try:
            with _adopting():
                asked = json.dumps({"told": words[-1], "environment": environment, "parent": os.getpid()})
                socket.send_fds(self._socket, [asked.encode()], [inner, outer, errors])
                pid = int(self._socket.recv(64))
        finally:
            for end in (inner, outer, errors):
                os.close(end)
        return _Child(words, pid, given, told)


@contextmanager
def _adopting() -> Iterator[None]:
    """Let whoever loses its parent below this process become its child meanwhile, of one thread at a time."""
    prctl = ctypes.CDLL(None).prctl
    with _forking:
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            yield
        finally:
            prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


class _Child(subprocess.Popen[bytes]):
    """A child as the standard library has one that it has started."""

    def __init__(self, words: list[str], pid: int, given: int, told: int) -> None:
        self._forked = pid
        super().__init__(words)
        self.stdin, self.stdout = os.fdopen(given, "wb"), os.fdopen(told, "rb")

    def _execute_child(self, *_: object) -> None:
        self.pid, self._child_created = self._forked, True


_sources: dict[str, _Source] = {}
_making, _forking = threading.Lock(), threading.Lock()


@contextmanager
def quick_children() -> Iterator[None]:
    """Let the processes that unpack and judge be forks meanwhile."""
    from ontofetch_catalog.children import start

    started = start._start

    def fork(words: list[str], *, quiet: bool = False, stdin: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        told = json.loads(words[-1]) if len(words) == 2 and quiet else {}
        if told.get("module") not in (_UNPACKER, _WORKER) or stdin != subprocess.PIPE:
            return started(words, quiet=quiet, stdin=stdin)
        options = ["-I", *(["-B"] if sys.dont_write_bytecode else [])]
        with _making:
            source = _sources.get(told["module"])
            if source is None or not source.is_ours:
                source = _sources[told["module"]] = _Source(options, words[-1])
        return source.fork(words, start.environment(), quiet=quiet)

    with patch.object(start, "_start", fork if sys.platform == "linux" else started):
        yield


# --- the side of what is forked ---------------------------------------------------------------------------------------


def _serve(number: int) -> NoReturn:
    """Be the process that is forked, until nobody asks any more."""
    with socket.socket(fileno=number) as asked:
        boot = _prepare(json.loads(asked.recv(_MOST)))
        while True:
            data, ends, _, _ = socket.recv_fds(asked, _MOST, 3)
            if not data:
                os._exit(0)
            asked.send(str(_fork(boot, json.loads(data), ends, asked)).encode())
            for end in ends:
                os.close(end)


def _prepare(told: dict[str, Any]) -> Any:
    """Import what the module imports, and leave the path and the module itself as they are at a start."""
    import gc
    from types import ModuleType

    before = list(sys.path)
    sys.path += [entry for entry in told["path"] if entry not in sys.path]
    for name, folder in told["bare"].items():
        package = sys.modules[name] = ModuleType(name)
        package.__path__ = [folder]
    import_module(told["module"])
    for name in () if told["bare"] else _JUDGES:
        with suppress(ImportError):
            import_module(name)
    # what is known when it is imported, as who the parent is, each process finds out by itself
    del sys.modules[told["module"]]
    from ontofetch_catalog.children import boot

    sys.path[:] = before
    gc.collect()
    gc.freeze()
    return boot


def _fork(boot: Any, asked: dict[str, Any], ends: list[int], channel: socket.socket) -> int:
    """Return the number of a new process whose parent is who asked: the one between them ends at once."""
    read, write = os.pipe()
    wait, begin = os.pipe()
    between = os.fork()
    if not between:
        pid = os.fork()
        if not pid:
            for end in (read, write, begin, channel.detach()):
                os.close(end)
            os.read(wait, 1)
            os.close(wait)
            _become(boot, asked, ends)
        os.write(write, str(pid).encode())
        os._exit(0)
    for end in (write, wait):
        os.close(end)
    with os.fdopen(read) as told:
        pid = int(told.read())
    # when it has ended, the child has its new parent, and begins
    os.waitpid(between, 0)
    os.close(begin)
    return pid


def _become(boot: Any, asked: dict[str, Any], ends: list[int]) -> NoReturn:
    """Be the process."""
    if os.getppid() != asked["parent"]:
        # it has ended meanwhile
        os._exit(1)
    for number, end in enumerate(ends):
        os.dup2(end, number)
    for end in ends:
        os.close(end)
    os.environ.clear()
    os.environ.update(asked["environment"])
    code = 1
    try:
        code = boot.main(asked["told"])
        sys.stdout.flush()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - as an interpreter ends
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))

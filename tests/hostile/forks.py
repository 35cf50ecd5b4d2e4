"""Be a server that has imported the program once and runs one command after the other, each in a process of its own.

usage: python -m tests.hostile.forks [PREPARE]: one line of JSON each way. What a command's outcome means is not known
here. A command is forked from this process (fast) or is the installed console script (`"how": "program"`); both are
led by a session of their own, watched for memory, and killed with all that they started when they take too much.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import re
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import ontofetch_catalog

SCRIPT = Path(sys.executable).with_name("ontofetch")
PROGRAM = "ontofetch_catalog.host.app:main"
KILL_BYTES = 3_000_000_000  # what nobody may take on a machine that others use, too
LARGEST_FILE = 6_000_000_000
_POLL_SECONDS = 0.03
_HEAVY = ("duckdb", "polars", "pyarrow", "pyarrow.compute", "pyoxigraph", "fastobo", "httpx", "structlog", "rich.table")
# what only `export` imports takes as long as all else together
_UNUSED = re.compile(r"\.showing\.documents\.|\.__main__$")


def main() -> int:
    """Serve until standard input ends."""
    load()
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line))), flush=True)
    return 0


def load(*more: str) -> None:
    """Import all that commands need, and these modules, so that no child has to."""
    for name in (*_HEAVY, *more, *_ours()):
        importlib.import_module(name)
    _do_what_is_done_once()
    # no child looks there for garbage, which would also copy each page of it
    gc.collect()
    gc.freeze()


def _ours() -> Iterator[str]:
    """Yield the modules of the program, so that no child has to import what its command needs."""
    for module in pkgutil.walk_packages(ontofetch_catalog.__path__, f"{ontofetch_catalog.__name__}."):
        if not _UNUSED.search(module.name):
            yield module.name


def _do_what_is_done_once() -> None:
    """Let the libraries do here what each child would do again: DuckDB reads its grammar, Arrow notes its casts."""
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.sql("SELECT ? AS number", params=[1]).to_arrow_table()
    pc.cast(pa.array(["1"]), pa.int64())


def carry_out(asked: dict[str, Any]) -> dict[str, Any]:
    """Run a command to its end.

    Args:
        asked: `words`; `how` (`fork` or `program`); `target` (`module:function` that takes the words); `folder` (where
            it runs, and where its output is kept, in files); `together`, if what goes to stderr goes to stdout as well;
            `environment`; `seconds` that it may take; `watched` false, if nobody wants to know what memory it takes:
            what was looked at below /proc, thread by thread, the kernel has to forget when all of them end at once,
            for which it was seen to spin for seconds on a busy machine.
    """
    began = time.monotonic()
    process = os.fork()
    if process == 0:
        _become(asked)
    handle = os.pidfd_open(process) if sys.platform == "linux" else None
    deadline = began + float(asked["seconds"])
    watched, looks = _Watched(process), asked.get("watched", True)
    why = ""
    while True:
        ended, status, usage = os.wait4(process, os.WNOHANG)
        if ended:
            break
        if looks:
            watched.look()
        why = "late" if time.monotonic() > deadline else "memory" if watched.most > KILL_BYTES else ""
        if why:
            watched.kill()
            _, status, usage = os.wait4(process, 0)
            break
        # its end is seen at once where the system tells of it
        waits = _POLL_SECONDS if looks or handle is None else max(0.0, deadline - time.monotonic())
        select.select([handle] if handle is not None else [], [], [], waits)
    if handle is not None:
        os.close(handle)
    watched.kill()
    code = os.waitstatus_to_exitcode(status)
    factor = 1 if sys.platform == "darwin" else 1024
    return {
        "code": code,
        "why": why,
        # of the process and of those it has waited for, and of those that were seen while they lived
        "peak": max(usage.ru_maxrss * factor, watched.most),
        "seconds": time.monotonic() - began,
    }


def _become(asked: dict[str, Any]) -> None:
    """Be the command; never returns."""
    os.setsid()
    folder = asked["output"]
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
    if asked.get("together"):
        os.dup2(1, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(asked["folder"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # as in a shell's foreground, wherever the tests run
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if asked["how"] == "program":
        os.execve(SCRIPT, [str(SCRIPT), *asked["words"]], asked["environment"])
    code = 70
    try:
        os.environ.clear()
        os.environ.update(asked["environment"])
        # the working folder is not on the path of the installed program
        sys.path[:] = [path for path in sys.path if path not in ("", asked["folder"])]
        # what an interpreter would do when it starts
        sys.path[:0] = [path for path in asked["environment"].get("PYTHONPATH", "").split(os.pathsep) if path]
        module, _, name = asked["target"].partition(":")
        function = getattr(importlib.import_module(module), name)
        if asked["target"] == PROGRAM:
            # as the console script does it: what a process does for itself alone belongs to the program
            sys.argv = [str(SCRIPT), *asked["words"]]
            code = int(function())
        else:
            code = int(function(asked["words"]))
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 70
    except BaseException:  # noqa: BLE001 - what leaves main() would end the process with a traceback
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


class _Watched:
    """A command's session: the most that one of its processes was seen to hold, and its end."""

    def __init__(self, leader: int) -> None:
        self.leader = leader
        self.most = 0
        self._seen: set[int] = {leader}
        self._looks = 0

    def look(self) -> None:
        """Look at the memory of every process of it, now and then at who belongs to it."""
        self._looks += 1
        if self._looks % 2 == 1:
            self._seen |= set(_descendants(self.leader))
        for process in tuple(self._seen):
            self.most = max(self.most, _peak(process))

    def kill(self) -> None:
        """End what is left of it."""
        for process in self._seen:
            if process == self.leader or _session(process) == self.leader:
                _quietly(lambda process=process: os.kill(process, signal.SIGKILL))  # type: ignore[misc]
        _quietly(lambda: os.killpg(self.leader, signal.SIGKILL))


def _quietly(act: Callable[[], None]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        act()


def _descendants(process: int) -> Iterator[int]:
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            for child in Path(f"/proc/{process}/task/{thread}/children").read_text().split():
                yield int(child)
                yield from _descendants(int(child))
    except OSError:
        return


def _session(process: int) -> int:
    try:
        return os.getsid(process)
    except ProcessLookupError:
        return 0


def _peak(process: int) -> int:
    """Return the most bytes a process has held; 0 where it can't be seen (it is gone, or the system is no Linux)."""
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

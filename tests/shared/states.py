"""Kill a machine before each of its steps, and look whether all machines agree afterwards.

`python -m tests.shared.states CATALOG OBJECTS FOLDER [EVERY]` runs them and prints one line of JSON each; commands run
in forks of a process that has imported everything.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ontofetch_catalog.catalog import fsops, intents, moving
from ontofetch_catalog.catalog.fsops import whole
from ontofetch_catalog.catalog.shared import object_store
from ontofetch_catalog.catalog.shared.log import Log
from ontofetch_catalog.host.app import main

from .copies import Copies, release

# what is counted: every effect on the log and the objects, and those on the disk that a boundary consists of
SEAM: tuple[tuple[Any, str], ...] = (
    (Log, "hold"),
    (Log, "let_go"),
    (Log, "_write"),
    (Log, "close"),
    (object_store.ObjectStore, "put"),
    (object_store.ObjectStore, "get"),
    (object_store.ObjectStore, "delete"),
    (object_store.ObjectStore, "set_sign"),
    (intents, "write_intent"),
    (moving, "publish"),
    (moving, "forget"),
    (fsops, "commit"),
    (fsops, "rename"),
    (whole, "write_new"),
    (fsops, "unlink"),
)


def forked(act: Callable[[], int]) -> int:
    """Do something in a process of its own and return how it ended, as `Popen.returncode` says it."""
    number = os.fork()
    if not number:
        code = 70
        try:
            code = act()
        finally:
            os._exit(code)
    status = os.waitpid(number, 0)[1]
    return os.waitstatus_to_exitcode(status)


def dying(at: int, how: int = signal.SIGKILL, only: str = "") -> None:
    """Let this process die, or stop, before its step of this number, counted from 1, of all or of those of a name."""
    before_step(at, lambda: os.kill(os.getpid(), how), only)


def before_step(at: int, happens: Callable[[], object], only: str = "") -> None:
    """Let something happen before the step of this number, counted from 1; 0: before each of them."""
    # objects are put by several threads, and each step has a number of its own
    numbers = itertools.count(1)

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            if at in (0, next(numbers)):
                happens()
            return act(*args, **options)

        return run

    for owner, name in SEAM:
        if only not in ("", name):
            continue
        setattr(owner, name, counted(getattr(owner, name)))


def states(copies: Copies, every: int) -> Iterator[dict[str, Any]]:
    """Yield for each step what became of a pull that was killed before it."""
    at = 1
    while True:
        source = release(copies.folder, at)
        words = ["pull", str(source), "--service", "s", "--ontology", "o", "--version", str(at)]
        words += ["--root", str(copies.folder / "a"), "-q"]

        def killed(at: int = at, words: list[str] = words) -> int:
            dying(at)
            return main(words)

        code = forked(killed)
        # before anything is repaired another machine reads, and writes
        other = forked(lambda: _quietly(lambda: copies.run("b", "db", "versions")))
        again = forked(lambda words=words: main(words))  # type: ignore[misc]
        same = forked(lambda: _quietly(lambda: copies.check_same("a", "b")))
        yield {"at": at, "code": code, "other": other, "again": again, "same": same}
        source.unlink()
        if code != -signal.SIGKILL:
            return
        at += every


def _quietly(act: Callable[[], object]) -> int:
    try:
        act()
    except AssertionError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run(catalog: str, objects: str, folder: str, every: str = "1") -> int:
    """Run the states and print them; return 1 if one is broken."""
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    copies = Copies(Path(folder), catalog, objects)
    forked(lambda: _quietly(lambda: copies.join("a", "b")))
    broken = 0
    for state in states(copies, int(every)):
        print(json.dumps(state), flush=True)
        broken += (state["other"], state["again"], state["same"]) != (0, 0, 0)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))

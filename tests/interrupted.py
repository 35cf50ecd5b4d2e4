"""Interrupt a command at the k-th call of a function of ours, in a process of its own, and run it again.

usage: python -m tests.interrupted ROOT SIGNAL POINTS -- WORDS…    (`{k}` in a word becomes the number of the call)

POINTS is `count`, or numbers with commas between. The processes are forked from one that has loaded everything; for
each point a line of JSON says how both runs ended, and what was there between them. Below ROOT every point has a
store of its own, a copy of ROOT/template if there is one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from ontofetch_catalog.host import app
from ontofetch_hookspecs.layout import STAGING
from ontofetch_hookspecs.stage_records import read_record
from ontofetch_hookspecs.store_paths import below_root

PACKAGES = (str(Path(app.__file__).parents[1]), str(Path(read_record.__code__.co_filename).parent))
SECOND = 0.003  # seconds from the first signal to the second


def load_everything() -> None:
    """Import what a run imports, so that a forked process begins at once; no database is opened here."""
    import duckdb  # noqa: F401
    import httpx  # noqa: F401
    import httpx_retries  # noqa: F401
    import polars  # noqa: F401
    import pyarrow.compute  # noqa: F401
    import pyoxigraph  # noqa: F401
    import structlog  # noqa: F401

    import ontofetch_catalog.analytics.catalog
    import ontofetch_catalog.analytics.reports.latest
    import ontofetch_catalog.catalog.boundaries
    import ontofetch_catalog.cli.analytics_cmd
    import ontofetch_catalog.cli.db_cmd
    import ontofetch_catalog.host.pull_cmd
    import ontofetch_catalog.rendering.tables  # noqa: F401


class Calls:
    """Counts the calls of our functions in the main thread, and sends the signal at one of them."""

    def __init__(self, at: int, number: int, *, twice: bool = False) -> None:
        self.count = 0
        self.at = at
        self.number = number
        self.twice = twice
        self.place = ""

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Be called by sys.setprofile."""
        code = frame.f_code
        # an interpreter that is being started or clears away a generator tells of interrupts in its own way
        if event != "call" or not code.co_filename.startswith(PACKAGES) or code.co_name == "<genexpr>":
            return
        if not self.count and code is not app._run.__code__:
            return
        self.count += 1
        if self.count == self.at:
            self.place = f"{Path(code.co_filename).name}:{code.co_name}"
            if self.twice:
                signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(self.number))
                signal.setitimer(signal.ITIMER_REAL, SECOND)
            signal.raise_signal(self.number)


def run(words: list[str], store: Path, log: Path, calls: Calls | None) -> dict[str, Any]:
    """Run a command in a forked process; return its exit code, what it printed, and where the signal met it."""
    pid = os.fork()
    if not pid:
        code = 99
        try:
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            sys.argv = ["ontofetch", *words, "--root", str(store)]
            sys.setprofile(calls)
            code = app.main()
            sys.setprofile(None)
            if calls is not None:
                os.write(1, f"\nat {calls.count} {calls.place}".encode())
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    shown, _, told = log.read_text(errors="replace").rpartition("\nat ")
    return {"code": os.waitstatus_to_exitcode(status), "shown": shown or told, "at": told}


def kept(store: Path) -> bool:
    """Say whether the artifact is staged whole, or published."""
    staging = store / STAGING
    stages = [read_record(below_root(store, path)) for path in staging.iterdir()] if staging.is_dir() else []
    return any(found is not None and found.complete for found in stages) or any(store.glob("*/*/*/src/*"))


def main(root: str, name: str, points: str, *words: str) -> None:
    """Run the command at each point and print a line of JSON for each."""
    load_everything()
    base, number = Path(root), getattr(signal, name)
    template = base / "template"
    for point in [0] if points == "count" else map(int, points.split(",")):
        store = base / f"store-{name}-{point}"
        if template.is_dir():
            shutil.copytree(template, store)
        mine = [word.replace("{k}", str(point)) for word in words]
        calls = Calls(point, number, twice=point % 3 == 0)
        first = run(mine, store, base / f"log-{name}-{point}", calls)
        between = kept(store)
        second = {} if points == "count" else run(mine, store, base / f"log-{name}-{point}-again", None)
        print(json.dumps({"k": point, "first": first, "kept": between, "second": second, "store": str(store)}))


if __name__ == "__main__":
    main(*(word for word in sys.argv[1:] if word != "--"))

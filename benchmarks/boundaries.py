"""Many processes that record boundaries of one catalog beside others that read it, from when all of them are ready.

What they do with the catalog is given by name: the program's own way, or the bare one of `bare_boundaries`.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa

from . import data

ROWS = 1000  # of each boundary
_HERE = Path(__file__).parents[1]
_POLL_SECONDS = 0.005
_CHILD = "import sys; from benchmarks.boundaries import child; child(*sys.argv[1:])"

Record = Callable[[pa.Table], None]
Recording = Callable[[Path], AbstractContextManager[Record]]
Look = Callable[[Path], tuple[int, int, int]]


def run(module: str, root_of: Sequence[Path], writers: int, each: int, room: Path) -> float:
    """Return how many seconds it takes until all writers are done, once everybody is ready.

    Args:
        module: Which one of here has `recording` and `look`.
        root_of: The root of each process, those that write first; the others read until all is written.
        writers: How many of them write.
        each: How many boundaries each of those records, beside one before.
        room: A folder, in which another is made for what tells them to begin and to end.
    """
    # another for each run: where an earlier one has told its processes to begin, nobody would wait, and nobody read
    signs = Path(tempfile.mkdtemp(prefix=f"{module}-", dir=room))
    begin, end = signs / "begin", signs / "end"
    environment = {**os.environ, "PYTHONPATH": str(_HERE)}
    ready = [signs / str(number) for number in range(len(root_of))]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, module, str(each if number < writers else 0), root, mine, begin, end],
            cwd=room,
            env=environment,
        )
        for number, (root, mine) in enumerate(zip(root_of, ready, strict=True))
    ]
    while not all(mine.exists() for mine in ready):
        if any(one.poll() for one in children):
            raise RuntimeError("a child has ended before it began")
        time.sleep(_POLL_SECONDS)
    start = time.perf_counter()
    begin.touch()
    codes = [one.wait() for one in children[:writers]]
    seconds = time.perf_counter() - start
    end.touch()
    codes += [one.wait() for one in children[writers:]]
    if any(codes):
        raise RuntimeError(f"the children ended with {codes}")
    return seconds


def child(module: str, each: str, *places: str) -> None:
    """Record boundaries, or read until the end, once all that is needed for it is imported."""
    found = importlib.import_module(f"benchmarks.{module}")
    root, ready, begin, end = map(Path, places)
    if int(each):
        _write(found.recording, root, int(each), ready, begin)
    else:
        _read(found.look, root, ready, begin, end)


def _write(recording: Recording, root: Path, each: int, ready: Path, begin: Path) -> None:
    files = data.files_table(ROWS)
    with recording(root) as record:
        record(_results(files, 0))
    _wait(ready, begin)
    with recording(root) as record:
        for number in range(1, each + 1):
            record(_results(files, number))


def _read(look: Look, root: Path, ready: Path, begin: Path, end: Path) -> None:
    """Look again and again: the events that are seen have no gap and never become fewer."""
    first, last, count = look(root)
    _wait(ready, begin)
    looks = 0
    while not end.exists():
        before, looks = last, looks + 1
        first, last, count = look(root)
        if last - first + 1 != count or last < before:
            raise RuntimeError(f"{count} events, the newest is {last}, before that it was {before}")
    if not looks:
        raise RuntimeError("all was written before anybody read")


def _wait(ready: Path, begin: Path) -> None:
    if begin.exists():
        raise RuntimeError("others have begun before")
    ready.touch()
    while not begin.exists():
        time.sleep(_POLL_SECONDS)


def _results(files: pa.Table, number: int) -> pa.Table:
    """Return a result for each file; no two boundaries have the same."""
    return pa.table(
        {
            "relpath": files["relpath"],
            "file_id": files["file_id"],
            "validator": pa.array(["bench"] * ROWS),
            "validator_version": pa.array(["1"] * ROWS),
            "passed": pa.array([True] * ROWS),
            "details": pa.array([f'{{"by": {os.getpid()}, "number": {number}}}'] * ROWS),
            "run_at": files["mtime"],
            "reused_from": pa.nulls(ROWS, pa.string()),
        }
    )

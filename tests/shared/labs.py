"""Labs side by side: processes that take one part after the other of what there is to try, each in labs of its own.

What is tried is not known here. A lab is made anew now and then, for what it has grows with every try, and whenever
something was broken in it. What was broken is tried once more in the end, alone, so that what a machine with much to do
breaks is told from a fault.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, TypeVar

from .postgres import QUICK, Postgres
from .s3 import S3Server

_MEMORY = Path("/dev/shm")
_ROOM = 4_000_000_000  # bytes that have to be free there
_SMALL = {"shared_buffers": "16MB", "max_wal_size": "64MB"}
_IN_A_ROW = 3  # so many that are broken end a part: those that follow would only say it again
_NO_END = 1 << 30
_FORK = get_context("fork")
T = TypeVar("T")
Names = tuple[str, ...]
Told = dict[str, Any]


class Broken(AssertionError):
    """Something that has to hold does not."""


@dataclass(frozen=True)
class Part:
    """What one process tries, one after the other, until nothing is left of it.

    Args:
        names: What is tried.
        first, last: Numbers of tries.
    """

    names: Names
    first: int
    last: int = _NO_END


@dataclass(frozen=True)
class Trial(Generic[T]):
    """How something is tried.

    Args:
        words: What the names of a part are called.
        opened: Opens a lab for a part.
        tried: Tries one number of a part in a lab and says whether there are more; it is told whether all machines are
            to be compared then, which they are before a lab is closed and after every N-th try.
        alike: What parts have in common that may go on in a lab of each other.
    """

    words: Sequence[str]
    opened: Callable[[Ground, Names], AbstractContextManager[T]]
    tried: Callable[[T, Names, int, bool], bool]
    alike: Callable[[Names], Hashable]


class Ground:
    """What the labs of one process stand on, in memory where there is room; close it with `close`."""

    def __init__(self) -> None:
        self._ending = ExitStack()
        self._servers: dict[bool, Postgres] = {}
        self._s3: list[S3Server] = []

    def server(self, *, durable: bool = False) -> Postgres:
        """Return a server, which may forget the latest in a crash unless it is to be durable."""
        if durable not in self._servers:
            self._servers[durable] = Postgres(_SMALL if durable else {**_SMALL, **QUICK})
            self._ending.callback(self._servers[durable].remove)
        return self._servers[durable]

    def s3(self) -> S3Server:
        """Return an S3 server."""
        if not self._s3:
            self._s3.append(S3Server())
            self._ending.callback(self._s3[0].stop)
        return self._s3[0]

    def close(self) -> None:
        """End it."""
        self._ending.close()


class _Kept(Generic[T]):
    """The lab that a process goes on with."""

    def __init__(self, trial: Trial[T], ground: Ground, renew: int) -> None:
        self._trial, self._ground, self._renew = trial, ground, renew
        self._open = ExitStack()
        self._used = renew
        self._lab: T | None = None
        self._alike: Hashable = None

    def lab(self, names: Names) -> T:
        """Return it, or a new one."""
        alike = self._trial.alike(names)
        if self._lab is None or self._used >= self._renew or alike != self._alike:
            self.close()
            self._lab = self._open.enter_context(self._trial.opened(self._ground, names))
            self._used, self._alike = 0, alike
        self._used += 1
        return self._lab

    @property
    def is_used(self) -> bool:
        """Say whether the next try has a new one."""
        return self._used >= self._renew

    def close(self) -> None:
        """End it."""
        self._lab = None
        self._open.close()


def _try_part(trial: Trial[T], kept: _Kept[T], part: Part, asked: argparse.Namespace) -> Iterator[Told]:
    at, more, in_a_row = part.first, True, 0
    while more and at <= part.last and in_a_row < _IN_A_ROW:
        told: Told = {**dict(zip(trial.words, part.names, strict=True)), "at": at}
        began = time.monotonic()
        try:
            lab = kept.lab(part.names)
            all_of_it = kept.is_used or at + asked.every > part.last or at % asked.compare == 0
            more = trial.tried(lab, part.names, at, all_of_it)
            in_a_row = 0
        except Exception as error:  # noqa: BLE001 - whatever it is, it has to be told
            told["broken"] = str(error) if isinstance(error, Broken) else traceback.format_exc()
            in_a_row += 1
            kept.close()
        yield {**told, "seconds": round(time.monotonic() - began, 2)}
        at += asked.every


def _work(trial: Trial[Any], ours: Connection, others: Sequence[Connection], asked: argparse.Namespace) -> None:
    """Be a process that takes parts until there are no more, or nobody listens."""
    for other in others:
        other.close()
    _keep_in_memory()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    gone = suppress(BrokenPipeError, EOFError)
    with gone, closing(Ground()) as ground, closing(_Kept(trial, ground, asked.renew)) as kept:
        while True:
            ours.send(None)
            part = ours.recv()
            if part is None:
                return
            for told in _try_part(trial, kept, part, asked):
                ours.send(told)


def _side_by_side(trial: Trial[Any], parts: Sequence[Part], jobs: int, asked: argparse.Namespace) -> Iterator[Told]:
    """Yield what is told of each try, while that many processes are at it."""
    waiting = deque(parts)
    workers: dict[Connection, Any] = {}
    at: dict[Connection, Part] = {}
    for _ in range(min(jobs, len(parts))):
        ours, theirs = _FORK.Pipe()
        workers[ours] = _FORK.Process(target=_work, args=(trial, theirs, [*workers, ours], asked))
        workers[ours].start()
        theirs.close()
    while workers:
        for found in wait(list(workers)):
            assert isinstance(found, Connection)
            try:
                told = found.recv()
            except EOFError:
                workers.pop(found).join()
                if found in at:
                    names = dict(zip(trial.words, at[found].names, strict=True))
                    yield {**names, "at": at[found].first, "broken": "the process that tried it has ended"}
                continue
            if told is not None:
                yield told
                continue
            at.pop(found, None)
            part = waiting.popleft() if waiting else None
            if part is not None:
                at[found] = part
            found.send(part)


def parser_of(module: str, doc: str | None, what: str) -> argparse.ArgumentParser:
    """Return a parser of what all runs have in common.

    Args:
        module: Of the run.
        doc: Its docstring.
        what: What is counted.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=doc)
    parser.add_argument("--every", type=int, default=1, metavar="N", help=f"every how many {what}")
    parser.add_argument("--first", type=int, default=1, metavar="N", help=f"the first of the {what}")
    parser.add_argument("--last", type=int, default=_NO_END, metavar="N", help=f"the last of the {what}")
    parser.add_argument("--after", type=Path, metavar="FILE", help="go on after what an earlier run has printed")
    parser.add_argument(
        "--compare", type=int, default=1, metavar="N", help=f"all machines after every N-th of the {what}"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="labs side by side")
    parser.add_argument("--renew", type=int, default=20, metavar="N", help=f"a new lab after so many {what}")
    return parser


def run(trial: Trial[Any], parts: Sequence[Part], asked: argparse.Namespace) -> int:
    """Try all parts, print a line of JSON for each try, and return the exit code: 1 where one was broken."""
    if asked.after is not None:
        parts = _left_of(trial, parts, asked)
    began = time.monotonic()
    tried: list[Told] = []
    for told in _side_by_side(trial, parts, asked.jobs, asked):
        tried.append(told)
        print(json.dumps(told), flush=True)
    broken = [told for told in tried if "broken" in told]
    once_more = [replace(parts[0], names=tuple(told[word] for word in trial.words), first=told["at"], last=told["at"])
                 for told in broken]  # fmt: skip
    again = 0
    for told in _side_by_side(trial, once_more, 1, asked):
        again += "broken" in told
        print(json.dumps({**told, "again": True}), flush=True)
    seconds = time.monotonic() - began
    print(f"{len(tried)} tried in {seconds:.0f} s, {len(broken)} broken, {again} of them also alone")
    return 1 if broken else 0


def _left_of(trial: Trial[Any], parts: Sequence[Part], asked: argparse.Namespace) -> list[Part]:
    """Return what is left of parts: all from the first try on that did not go well."""
    lines = [json.loads(line) for line in asked.after.read_text().splitlines() if line.startswith("{")]
    well = {(*(told[word] for word in trial.words), told["at"]) for told in lines if "broken" not in told}
    left = []
    for part in parts:
        first = part.first
        while (*part.names, first) in well:
            first += asked.every
        left.append(replace(part, first=first))
    return [part for part in left if part.first <= part.last]


def new_folder(ending: ExitStack, prefix: str) -> Path:
    """Make a folder that is removed at the end of a `with`."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    ending.callback(shutil.rmtree, folder)
    return folder


def _keep_in_memory() -> None:
    """Let all folders be in memory, unless TMPDIR names another place or there is no room."""
    if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        tempfile.tempdir = str(_MEMORY)

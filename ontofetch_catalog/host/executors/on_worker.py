"""What a worker of an executor does with a job: start the same limited process as at home, and answer in bytes.

The engine's own worker reads nothing of a stranger's file but its bytes: what looks into it is a process with limits.
The engine imports this module by its name.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Any

from ontofetch_hookspecs import EventError
from ontofetch_hookspecs.file_checks import has_bytes
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.store_paths import StorePath

from ...children.limits import Allowance
from ...content.packed.bounds import Limits
from ..facts_room import UNUSABLE
from ..inside_copies import lay_down
from ..validator_process import Patience, Worker
from .jobs import Answer, Job
from .likeness import difference

IDLE = 30.0  # seconds that a process waits for the next job
_POLL = 0.5  # seconds between two looks at whether a job is still wanted


@dataclass(slots=True)
class Given:
    """Collect what a process says of one file, in the place of a room of facts of a store."""

    max_bytes: int
    facts: dict[str, Any] | None = None
    content_id: str | None = None
    table: bytes = b""
    too_large: int | None = None
    refused: str | None = None

    def takes(self, size: int) -> bool:
        """Say whether there are to be facts of a content of `size` bytes."""
        if size > self.max_bytes:
            self.too_large = size
        return size <= self.max_bytes

    def take(self, about: dict[str, Any], relpath: str, facts: dict[str, Any], table: str) -> None:
        """Take what a process wrote, unread: whoever has asked looks at it."""
        del relpath
        self.facts, self.content_id = facts, about["content_id"]
        try:
            place = StorePath(Path(table).parent, Path(table).name)
            # its size is bounded by the limit of the process that wrote it
            with os.fdopen(place.open_file(), "rb") as stream:
                self.table = stream.read()
        except (OSError, EventError) as error:
            told = error.strerror if isinstance(error, OSError) else error
            self.facts, self.refused = None, f"{UNUSABLE}: {told}"


@dataclass(slots=True)
class Kept:
    """Processes that are kept for the next job, for it takes a moment to start one; they end when none comes."""

    idle: list[tuple[Allowance, Limits, Worker]] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)
    # Linux ends a process with the thread that has started it, and those of an engine come and go
    starter: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "start"))
    timer: threading.Timer | None = None

    @contextmanager
    def one(self, allowance: Allowance, limits: Limits) -> Iterator[Worker]:
        """Yield a worker with these limits that nobody else asks meanwhile."""
        with self.guard:
            mine = next((item for item in self.idle if item[:2] == (allowance, limits)), None)
            if mine is not None:
                self.idle.remove(mine)
        worker = mine[2] if mine is not None else Worker(allowance, limits, self.starter)
        try:
            yield worker
        except BaseException:
            worker.close()
            raise
        with self.guard:
            self.idle.append((allowance, limits, worker))
            if self.timer is not None:
                self.timer.cancel()
            self.timer = threading.Timer(IDLE, self.end)
            self.timer.daemon = True
            self.timer.start()

    def end(self) -> None:
        """End those that nobody asks."""
        with self.guard:
            idle, self.idle = self.idle, []
        for _, _, worker in idle:
            worker.close()


_kept = Kept()


def run(job: bytes, content: bytes | None) -> tuple[bytes, bytes]:
    """Do a job; return the answer and the table of terms, both as bytes.

    Args:
        job: A job, as bytes.
        content: The bytes of its file; None: the file is where the job says, or this worker does not see it.
    """
    asked = Job.from_bytes(job)
    with _wanted(asked) as (at, given_up):
        unlike = difference(asked.likeness)
        if unlike is not None:
            return Answer(at=at, unlike=unlike).to_bytes(), b""
        if content is None:
            folder = StorePath(Path(asked.root), asked.folder)
            if not _sees(folder, asked):
                return Answer(at=at, unseen=True).to_bytes(), b""
            return _ask(asked, folder, at, given_up)
        with tempfile.TemporaryDirectory(prefix="ontofetch-", ignore_cleanup_errors=True) as place:
            folder = StorePath(Path(place), "")
            lay_down(folder / asked.task.relpath, content)
            return _ask(asked, folder, at, given_up)


def _ask(asked: Job, folder: StorePath, at: str, given_up: threading.Event) -> tuple[bytes, bytes]:
    given = Given(asked.facts)
    with _kept.one(asked.allowance, asked.limits) as worker:
        wait = Patience(asked.timeout, given_up, given if asked.facts >= 0 else None)
        judged = worker.ask(asked.task, folder, wait)
    if "refused" in judged:
        about, _, given.refused = judged.pop("refused")
        given.content_id = about["content_id"]
    answer = Answer(
        at=at,
        judged=judged,
        refused=given.refused and str(given.refused)[:4000],
        facts=given.facts,
        content_id=given.content_id,
        too_large=given.too_large,
    )
    return answer.to_bytes(), given.table


def _sees(folder: StorePath, asked: Job) -> bool:
    """Say whether the file that a job is about is there: these bytes, and not others under the same name."""
    try:
        return has_bytes(folder / asked.task.relpath, asked.size, asked.task.file_id)
    except EventError:
        return False


@contextmanager
def _wanted(asked: Job) -> Iterator[tuple[str, threading.Event]]:
    """Tell whoever has asked that the job begins; yield where this is, and what says that nobody wants it any more."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    worker.log_event(asked.run, {"job": asked.number})
    given_up, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(_POLL):
            state = worker.state.tasks.get(key)
            # a job that was called off, or whose asker has gone, goes on in the eyes of the engine until it ends itself
            if state is None or state.state == "cancelled":
                given_up.set()
                return

    watcher = threading.Thread(target=watch, name="wanted", daemon=True)
    watcher.start()
    try:
        yield worker.address, given_up
    finally:
        over.set()
        watcher.join()

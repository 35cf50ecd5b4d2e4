"""Workers elsewhere, asked as those of this machine are: how a file gets there, how long is waited, what comes back.

What an answer says is looked at before it counts; which engine carries the jobs is not known here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...children.limits import Allowance
from ...content.packed.bounds import Limits
from ...errors import ExecutorFailed
from ...rendering.text import safe_text
from ..inside_copies import lay_down, table_place
from ..validator_process import Patience, Task, look, unfinished
from ..workers import Workers
from .engine import Engine, EngineJob
from .jobs import Answer, BadAnswer, Job, WorkerDied
from .likeness import likeness_for
from .passage import POLL, Passage

AT_A_TIME = 64  # jobs that are with an engine, where no setting says how many
TELL = 30.0  # seconds without a worker after which that is said
# A process is asked three times for one file (unpack, facts, judge), and each again if it died: the worker itself
# counts the time of each. This is for a worker that says nothing any more.
ROUNDS, GRACE = 6, 60.0
_MOST_BEGINNINGS = 2  # whatever takes two workers with it, takes the next as well


class AwayWorker:
    """One worker of an executor, whichever it is; asked as one of this machine is.

    Args:
        here: The processes of this machine, for what does not go there.
        allowance: What a process may take for one file.
        limits: What may come out of a compressed file.
    """

    def __init__(self, passage: Passage, here: Workers, allowance: Allowance, limits: Limits) -> None:
        self._passage = passage
        self._here = here
        self._allowance = allowance
        self._limits = limits

    def bytes_read(self) -> int:
        """Return 0: how far a file is read elsewhere, nobody tells."""
        return 0

    def ask(self, task: Task, folder: StorePath, wait: Patience) -> dict[str, Any]:
        """Return the answer of a worker, or a failed result that says why there is none; as `Worker.ask` does.

        Raises:
            ExecutorFailed: The executor does not answer, or a worker is not as this machine is.
        """
        way = self._passage
        likeness = likeness_for(task.validator)
        if likeness is None:
            way.tell_once(
                f"the validator {task.validator.name} belongs to nothing that is installed, so that nobody can say "
                f"whether {way.shown} has the same one: it is asked on this machine"
            )
            return self._ask_here(task, folder, wait)
        try:
            size, _ = look(folder / task.relpath)
            job = self._job(task, folder, wait, size, likeness)
            answer, table = self._do(job, None, wait.given_up) if way.seen else (Answer(unseen=True), b"")
            if answer.unseen and size > way.most:
                way.tell_once(
                    f"files of more than {way.most:,} bytes (the setting executor_max_bytes) are looked at on this "
                    f"machine, for {way.shown} does not see them where they are"
                )
                return self._ask_here(task, folder, wait)
            if answer.unseen:
                with way.on_the_way(size, wait.given_up):
                    content = (folder / task.relpath).read_bytes(size)
                    # the file is here, and was not there
                    way.seen = False
                    answer, table = self._do(job, content, wait.given_up)
        except OSError as error:
            return unfinished(f"it can't be read: {error.strerror}")
        return self._taken(task, wait, answer, table)

    def _ask_here(self, task: Task, folder: StorePath, wait: Patience) -> dict[str, Any]:
        with self._here.one(wait.given_up) as worker:
            if worker is None:
                return unfinished("it was given up")
            return worker.ask(task, folder, wait)

    def _job(self, task: Task, folder: StorePath, wait: Patience, size: int, likeness: Mapping[str, str]) -> Job:
        return Job(
            run=self._passage.run,
            number=0,
            root=str(folder.root),
            folder=folder.relpath,
            task=task,
            size=size,
            timeout=wait.timeout,
            allowance=self._allowance,
            limits=self._limits,
            facts=-1 if wait.facts is None else wait.facts.max_bytes,
            likeness=likeness,
        )

    def _do(self, job: Job, content: bytes | None, given_up: threading.Event) -> tuple[Answer, bytes]:
        """Have a job done, and return what was answered, and the table of terms."""
        number = next(self._passage.numbers)
        engine = self._passage.engine
        given = engine.submit(number, replace(job, number=number).to_bytes(), content)
        try:
            reason = self._wait(engine, given, job.timeout, given_up)
            if reason:
                return Answer(judged=unfinished(reason)), b""
            return self._read(given.result())
        except WorkerDied:
            return Answer(judged=unfinished(self._died())), b""
        finally:
            given.cancel()

    def _died(self) -> str:
        return f"the workers of {self._passage.shown} that looked at it died"

    def _wait(self, engine: Engine, given: EngineJob, timeout: float, given_up: threading.Event) -> str:
        """Wait for a job; return why nobody waits any longer, empty where it has ended."""
        asked = time.monotonic()
        while not given.wait(POLL):
            if given_up.is_set():
                return "it was given up"
            engine.require_connection()
            begun, now = given.begun, time.monotonic()
            if len(begun) > _MOST_BEGINNINGS:
                return self._died()
            if begun and now - begun[-1] > ROUNDS * timeout + GRACE:
                return f"the validator took longer than {timeout:g} seconds"
            if not begun and now - asked > TELL and not engine.workers:
                self._passage.tell_once(
                    f"{self._passage.shown} has no worker; its first is waited for", logging.WARNING
                )
        return ""

    def _read(self, result: object) -> tuple[Answer, bytes]:
        parts = result if isinstance(result, tuple) and len(result) == 2 else (None, None)
        try:
            answer, table = Answer.from_bytes(parts[0]), parts[1]
            if not isinstance(table, bytes):
                raise BadAnswer("it has no table")  # noqa: TRY301 - one sentence for all that is no answer
        except BadAnswer as error:
            raise ExecutorFailed(
                f"A worker of {self._passage.shown} answered what can't be used: {error}.",
                subject=self._passage.shown,
                hint="Install the same ontofetch-catalog there as here, or leave --executor away.",
            ) from error
        if answer.unlike is not None:
            name, ours, theirs = (safe_text(text)[:200] for text in answer.unlike)
            raise ExecutorFailed(
                f"The worker {quote(answer.at)} of {self._passage.shown} has {theirs} of {name}, and this machine has "
                f"{ours}: the two may say other things of the same file.",
                subject=self._passage.shown,
                hint="Install the same versions there as here, or leave --executor away.",
            )
        return answer, table

    def _taken(self, task: Task, wait: Patience, answer: Answer, table: bytes) -> dict[str, Any]:
        """Return an answer as a process of this machine gives it, after its facts were put where they are collected."""
        room = wait.facts
        found = dict(answer.judged or {})
        if not found and not task.is_judged:
            raise ExecutorFailed(
                f"A worker of {self._passage.shown} said nothing of {quote(task.relpath)}.", subject=self._passage.shown
            )
        if room is None or not task.facts_version or wait.given_up.is_set():
            return found
        if answer.too_large is not None:
            room.takes(max(answer.too_large, room.max_bytes + 1))
        about = {
            "file_id": task.file_id,
            "content_id": answer.content_id or task.file_id,
            "facts_version": task.facts_version,
        }
        if answer.facts is not None:
            with table_place() as path:
                lay_down(StorePath(Path(path).parent, Path(path).name), table)
                room.take(about, task.relpath, dict(answer.facts), path)
        elif answer.refused is not None:
            found["refused"] = about, task.relpath, answer.refused
        return found


class AwayWorkers:
    """The workers of an executor, in the place of processes of this machine; a context, as these are.

    Args:
        count: How many jobs it has at a time; 0: as many as is usual.
        here: The processes of this machine, for what does not go there.
        allowance: What a process may take for one file.
        limits: What may come out of a compressed file.
    """

    def __init__(self, passage: Passage, count: int, here: Workers, allowance: Allowance, limits: Limits) -> None:
        self.count = count or AT_A_TIME
        self._passage = passage
        self._here = here
        self._worker = AwayWorker(passage, here, allowance, limits)
        self._free = threading.Semaphore(self.count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._here.__exit__(*raised)
        self._passage.close()

    def get_ready(self) -> None:
        """Do nothing: what starts processes is elsewhere, and may have better to do."""

    @contextmanager
    def one(self, given_up: threading.Event) -> Iterator[AwayWorker | None]:
        """Yield a worker; None if the run was given up while as many as may be were busy."""
        while not self._free.acquire(timeout=POLL):
            if given_up.is_set():
                yield None
                return
        try:
            yield self._worker
        finally:
            self._free.release()

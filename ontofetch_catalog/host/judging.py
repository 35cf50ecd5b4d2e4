"""The judging of contents beside other work: who is asked what, where the files lie meanwhile, what was answered.

A validator that hangs or dies costs its own file and no more. Which files need one and what becomes of the answers is
not known here.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Self

from ontofetch_hookspecs import OntofetchError
from ontofetch_hookspecs.store_paths import StorePath

from .empty_files import content_of
from .facts_room import FactsRoom
from .validator_process import Patience, Task
from .workers import AnyWorker, Pool

Key = tuple[str, str]  # name of the validator, what it judges once: the content
_TELL_SECONDS = 0.3
_log = logging.getLogger("ontofetch.validators")


class Judging:
    """Some contents that are judged; a context, whose end gives up what is not judged yet.

    Args:
        workers: The workers that are asked, which others may ask as well.
        timeout: Seconds one validator may take for one file.
        facts: Collects what the files say, where that is wanted.

    Attributes:
        judged: What was answered: file_id (of an empty file with its format), passed, details, run_at, and the path
            that was looked at.
    """

    def __init__(self, workers: Pool, *, timeout: float = 600.0, facts: FactsRoom | None = None) -> None:
        self.facts = facts
        self.judged: dict[Key, dict[str, Any]] = {}
        self._workers = workers
        self._folder: StorePath | None = None
        self._moves = 0
        self._moving = False
        self._changed = threading.Condition()
        self._waiting: deque[Task] = deque()
        self._held: list[Task] = []  # what is looked at again once the files have moved
        self._asked: dict[Key, str] = {}  # with the version of facts that were wanted
        self._threads: list[threading.Thread] = []
        self._looking: list[AnyWorker] = []
        self._given_up = threading.Event()
        self._wait = Patience(timeout, self._given_up, facts)
        self._unusable: dict[str, dict[str, Any]] = {}
        self._error: BaseException | None = None
        self._open = self._busy = 0
        self._done = self._total = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._given_up.set()
        for thread in self._threads:
            thread.join()

    def ask(self, tasks: Iterable[Task], folder: StorePath) -> None:
        """Begin to judge what nobody was asked yet; `folder` is where the files lie from now on."""
        with self._changed:
            self._folder = folder
            self._moves += self._moving
            self._moving = False
            self._waiting += self._held
            self._held = []
            for task in tasks:
                key = task.validator.name, content_of(task.file_id, task.format)
                # nobody wanted facts as long as there was no catalog
                if key not in self._asked or task.facts_version > self._asked[key]:
                    self._asked[key] = task.facts_version
                    self._waiting.append(task)
                    self._open += 1
                    self._total += task.size_bytes
            self._begin()

    def tell_of_moving(self) -> None:
        """Tell that the files move between now and the next `ask`.

        What ends otherwise than well meanwhile may have been moved away before it was opened: it is looked at again.
        """
        with self._changed:
            self._moving = True

    def wait(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Wait until all that was asked is answered; `progress` is called with the bytes done and of all."""
        with self._changed:
            while True:
                if self._error is not None:
                    raise self._error
                if progress is not None:
                    progress(min(self._done + self._bytes_read(), self._total), self._total)
                if not self._open:
                    break
                # what is read of a large file is told meanwhile; without an end some systems would notice no signal
                self._changed.wait(_TELL_SECONDS)
        for name, answer in sorted(self._unusable.items()):
            _log.error("the validator %s can't be used and judged nothing: %s", name, answer["unusable"])
        self._unusable.clear()

    def _bytes_read(self) -> int:
        """Return how many bytes are read of the files that are looked at now."""
        return sum(worker.bytes_read() for worker in self._looking)

    def _begin(self) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        for _ in range(min(len(self._waiting), self._workers.count - self._busy)):
            self._busy += 1
            self._threads.append(threading.Thread(target=self._serve, name="validate", daemon=True))
            self._threads[-1].start()

    def _serve(self) -> None:
        try:
            with self._workers.one(self._given_up) as worker:
                while worker is not None and (given := self._next()) is not None:
                    task, folder, moves = given
                    answer = self._unusable.get(task.validator.name)
                    if answer is None:
                        self._looking.append(worker)
                        try:
                            answer = worker.ask(task, folder, self._wait)
                        finally:
                            self._looking.remove(worker)
                    self._take(task, answer, moves)
        except OntofetchError as error:
            self._end_with(error)
        except BaseException as error:
            self._end_with(error)
            raise SystemExit from error

    def _end_with(self, error: BaseException) -> None:
        """Let it be raised where somebody waits for the answers; this thread ends without a word."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def _next(self) -> tuple[Task, StorePath, int] | None:
        """Return what is to be asked next; None, and this thread is not busy any more, if there is nothing."""
        with self._changed:
            if self._given_up.is_set() or self._folder is None or not self._waiting:
                self._busy -= 1
                return None
            return self._waiting.popleft(), self._folder, self._moves

    def _take(self, task: Task, answer: dict[str, Any], moves: int) -> None:
        name, refused = task.validator.name, answer.get("refused")
        well = answer.get("passed") is True and refused is None
        with self._changed:
            if "unusable" in answer:
                self._unusable[name] = answer
            elif not well and self._moving:
                self._held.append(task)
                return
            elif not well and moves != self._moves:
                self._waiting.append(task)
                self._begin()
                return
            elif not task.is_judged and not self._given_up.is_set():
                content = content_of(task.file_id, task.format)
                self.judged[name, content] = {
                    "file_id": content,
                    "passed": answer["passed"],
                    "details": json.dumps(answer["details"], sort_keys=True),
                    "run_at": datetime.now(UTC),
                    "relpath": task.relpath,
                }
            if refused is not None and self.facts is not None and not self._given_up.is_set():
                self.facts.refuse(*refused)
            self._open -= 1
            self._done += task.size_bytes
            if not self._open:
                # whoever waits looks at how far it is by the clock: not at each of many small files
                self._changed.notify_all()

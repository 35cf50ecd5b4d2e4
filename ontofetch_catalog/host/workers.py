"""The worker processes of the validators: so many at a time, kept between files and between the releases of a run.

What they are asked, and by whom, is not known here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, Self

from ontofetch_hookspecs.store_paths import StorePath

from ..children.limits import Allowance
from ..content.packed.bounds import Limits
from .validator_process import Patience, Task, Worker

_POLL_SECONDS = 0.2  # how soon who waits for a worker notices that the run was given up


class AnyWorker(Protocol):
    """What can be asked about a file: a process of this machine, or one elsewhere."""

    def ask(self, task: Task, folder: StorePath, wait: Patience) -> dict[str, Any]:
        """Return an answer; as `Worker.ask`."""

    def bytes_read(self) -> int:
        """Return how many bytes of its present file it has read."""


class Pool(Protocol):
    """Workers, of which so many can be asked at a time."""

    count: int

    def one(self, given_up: threading.Event) -> AbstractContextManager[AnyWorker | None]:
        """Yield a worker that nobody else asks meanwhile; None if the run was given up while all were busy."""


class Workers:
    """Worker processes; a context, at the end of which they end.

    Args:
        count: How many there may be at a time; 0: one per core.
        allowance: What each of them may take of the machine for one file.
        limits: What may come out of a compressed file.
    """

    def __init__(self, count: int = 0, allowance: Allowance | None = None, limits: Limits | None = None) -> None:
        self.count = count or os.cpu_count() or 1
        self._allowance = allowance or Allowance()
        self._limits = limits or Limits()
        self._free = threading.Semaphore(self.count)
        self._idle: list[Worker] = []
        self._guard = threading.Lock()
        self._closed = False
        self._starter = ThreadPoolExecutor(1, "start")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()
        self._starter.shutdown(wait=False)

    def get_ready(self) -> None:
        """Begin to start a process, for it takes a moment and something will be asked soon."""
        worker = Worker(self._allowance, self._limits, self._starter)
        with self._guard:
            self._idle.append(worker)
        worker.get_ready()

    @contextmanager
    def one(self, given_up: threading.Event) -> Iterator[Worker | None]:
        """Yield a worker that nobody else asks meanwhile; None if the run was given up while all were busy."""
        while not self._free.acquire(timeout=_POLL_SECONDS):
            if given_up.is_set():
                yield None
                return
        try:
            with self._guard:
                worker = self._idle.pop() if self._idle else Worker(self._allowance, self._limits, self._starter)
            try:
                yield worker
            finally:
                self._put_back(worker)
        finally:
            self._free.release()

    def _put_back(self, worker: Worker) -> None:
        """Keep a worker for the next one; where what it was busy with was given up, it has ended its process itself."""
        with self._guard:
            if not self._closed:
                self._idle.append(worker)
                return
        worker.close()

"""The threads that prepare the pulls of a run side by side: what they fetch is unpacked and judged ahead of its turn.

They record nothing. What a killed run has fetched stays staged, and the next one goes on with it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from ontofetch_hookspecs import OntofetchError
from ontofetch_hookspecs.light_dataclasses import dataclass

from ..copies import Copy
from ..pipeline import Ahead, Pull
from ..pulling.state import Tools
from ..request import Request
from ..transport import Connections
from .jobs import Job, Task
from .looking import look

LAST_WORDS = 3.0  # seconds that threads have to end in


@dataclass(frozen=True, slots=True)
class Brought:
    """One artifact: the copy of it, and what was done with it ahead, None if that is to be done in its turn."""

    copy: Copy
    ahead: Ahead | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a thread hands over: what it brought of a task, or what went wrong."""

    number: int
    job: Job
    task: Task | None = None
    copies: Sequence[Brought] = ()
    seen: Mapping[str, Any] | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class Hands:
    """The threads that fetch, unpack and judge, each with connections of its own.

    Args:
        tools: What the run shares.
        check: Whether it is only looked what there is.
    """

    tools: Tools
    check: bool
    asked: queue.SimpleQueue[tuple[int, Job] | None] = field(default_factory=queue.SimpleQueue)
    brought: queue.SimpleQueue[Fetched] = field(default_factory=queue.SimpleQueue)
    threads: list[threading.Thread] = field(default_factory=list)
    connections: list[Connections] = field(default_factory=list)

    def start(self, count: int) -> None:
        """Start so many of them."""
        for _ in range(count):
            self.connections.append(Connections())
            # a daemon, so that no server that keeps silent keeps the process
            thread = threading.Thread(target=self._work, args=(self.connections[-1],), name="fetch", daemon=True)
            self.threads.append(thread)
            thread.start()

    def _work(self, connections: Connections) -> None:
        while (given := self.asked.get()) is not None:
            self.brought.put(self._fetch(*given, connections))
        connections.close()

    def _fetch(self, number: int, job: Job, connections: Connections) -> Fetched:
        copies: list[Brought] = []
        try:
            task = job.prepare(connections)
            requests = [replace(request, connections=connections) for request in task.requests]
            if self.check:
                seen = look(self.tools.contract, self.tools.host, replace(task, requests=requests))
                return Fetched(number, job, seen=seen)
            copies += (self._bring(request) for request in requests)
        except (OntofetchError, OSError) as error:
            let_go(copies)
            return Fetched(number, job, error=error)
        except BaseException as error:
            # it is raised where somebody waits for it; this thread ends without a word
            let_go(copies)
            self.brought.put(Fetched(number, job, error=error))
            raise SystemExit from error
        return Fetched(number, job, task, copies)

    def _bring(self, request: Request) -> Brought:
        pull = Pull(self.tools, request)
        copy = pull.fetch()
        try:
            return Brought(copy, pull.go_ahead(copy))
        except BaseException:
            let_go([Brought(copy)])
            raise

    def stop(self, *, at_once: bool) -> None:
        """Let the threads end; `at_once` interrupts what they fetch."""
        for connections in self.connections if at_once else ():
            connections.stop()
        for _ in self.threads:
            self.asked.put(None)
        end = time.monotonic() + LAST_WORDS
        for thread in self.threads:
            thread.join(max(end - time.monotonic(), 0.0))
        while not self.brought.empty():
            let_go(self.brought.get().copies)


def let_go(copies: Iterable[Brought]) -> None:
    """Let go of what was fetched: what is still staged, the next run goes on with; what was taken is gone already."""
    for brought in copies:
        if brought.ahead is not None:
            brought.ahead.close()
        if brought.copy.stage is not None:
            brought.copy.stage.close()

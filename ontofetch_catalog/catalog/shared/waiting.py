"""Wait for what a library does in the background, so that Ctrl-C ends it at once and not after its time-outs.

One loop in one thread of the background serves all stores of a process. Whoever waits can be interrupted, and so can
the threads of a `Crew`, which end with the one that they work for.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any, TypeVar

_T = TypeVar("_T")
_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}  # process → its loop: a fork has none of its parent's threads
_mine = threading.local()


class Crew:
    """Threads that do the same with many things, and stop together.

    Args:
        jobs: How many.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = max(1, jobs)
        self._stopped = False
        self._waiting: set[Future[Any]] = set()

    def do(self, act: Callable[[_T], object], items: Iterable[_T]) -> None:
        """Do something with each of the items, a few of them at a time; `items` is read only as far as it is needed.

        Raises:
            BaseException: The first error of any of them, or an interrupt; the others are ended first.
        """
        with ThreadPoolExecutor(self._jobs, "objects", self._begin) as pool:
            running: deque[Future[object]] = deque()
            try:
                for item in items:
                    running.append(pool.submit(act, item))
                    if len(running) > self._jobs:
                        running.popleft().result()
                while running:
                    running.popleft().result()
            except BaseException:
                self._stop()
                for future in running:
                    future.cancel()
                raise

    def begin_to_wait(self, future: Future[Any]) -> None:
        """Remember what one of the threads waits for.

        Raises:
            CancelledError: They are told to stop.
        """
        with _lock:
            self._waiting.add(future)
            stopped = self._stopped
        if stopped:
            future.cancel()
            raise CancelledError

    def end_to_wait(self, future: Future[Any]) -> None:
        """Forget it."""
        with _lock:
            self._waiting.discard(future)

    def _begin(self) -> None:
        _mine.crew = self

    def _stop(self) -> None:
        with _lock:
            self._stopped = True
            waiting = list(self._waiting)
        for future in waiting:
            future.cancel()


def wait_for(act: Callable[[], Awaitable[_T]]) -> _T:
    """Begin something in the background and return what it yields; raises what it raises.

    Interrupted, it is cancelled, and nobody waits for it any longer.
    """

    async def run() -> _T:
        return await act()

    future = asyncio.run_coroutine_threadsafe(run(), _loop())
    crew: Crew | None = getattr(_mine, "crew", None)
    try:
        if crew is not None:
            crew.begin_to_wait(future)
        return future.result()
    except BaseException:
        future.cancel()
        raise
    finally:
        if crew is not None:
            crew.end_to_wait(future)


def _loop() -> asyncio.AbstractEventLoop:
    with _lock:
        found = _loops.get(os.getpid())
        if found is None:
            found = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=found.run_forever, name="objects", daemon=True).start()
        return found

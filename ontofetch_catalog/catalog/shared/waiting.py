"""Wait for calls of a library that nothing interrupts, so that Ctrl-C ends them at once and not after their time-outs.

Each runs in a thread that nobody has to wait for; the threads of a `Crew` end with the one that they work for. No call
is asynchronous: the threads of obstore would then need the interpreter, also while it ends, and take the process down.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

_T = TypeVar("_T")
_lock = threading.Lock()
_mine = threading.local()


class Crew:
    """Threads that do the same with many things, and stop together."""

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


def wait_for(act: Callable[[], _T]) -> _T:
    """Do something in a thread of its own and return what it returns; raises what it raises.

    Interrupted, nobody waits for it any longer: it ends when it ends, and the process does not wait for it either.
    """
    future: Future[_T] = Future()
    crew: Crew | None = getattr(_mine, "crew", None)
    try:
        if crew is not None:
            crew.begin_to_wait(future)
        threading.Thread(target=_run, args=(act, future), name="objects", daemon=True).start()
        return future.result()
    finally:
        future.cancel()
        if crew is not None:
            crew.end_to_wait(future)


def _run(act: Callable[[], _T], future: Future[_T]) -> None:
    # nobody may be waiting any longer
    with suppress(InvalidStateError):
        try:
            found = act()
        except BaseException as error:  # noqa: BLE001 (raised by whoever waits)
            future.set_exception(error)
        else:
            future.set_result(found)

"""The way to an executor that all workers of a run share: its connection, the room for bytes, what was told of it.

What goes that way is not known here.
"""

from __future__ import annotations

import itertools
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...errors import ExecutorFailed, OntofetchError
from .engine import Engine

POLL = 0.2  # seconds after which whoever waits notices that the run was given up
_log = logging.getLogger("ontofetch.validators")


class Passage:
    """The way to an executor; `close` ends it.

    Args:
        shown: How the executor is called in sentences.
        start: Connects to the engine, when the first job is there; it is given the name of the run.
        most: Bytes of files that are on their way at a time.

    Attributes:
        run: The name of the run.
        numbers: Numbers for its jobs.
        seen: Whether workers may see the files where they are; the first that does not says so.
    """

    def __init__(self, shown: str, start: Callable[[str], Engine], *, most: int) -> None:
        self.shown = shown
        self.most = most
        self.run = f"ontofetch-{uuid.uuid4().hex}"
        self.numbers = itertools.count(1)
        self.seen = True
        self._start = start
        self._engine: Engine | None = None
        self._error: OntofetchError | None = None
        self._guard = threading.Lock()
        self._room = threading.Condition()
        self._under_way = 0
        self._told: set[str] = set()

    @property
    def engine(self) -> Engine:
        """Return the engine, which the first that wants it connects to.

        Raises:
            ExecutorFailed: It does not answer; nobody waits for it a second time.
        """
        with self._guard:
            if self._error is not None:
                raise self._error
            if self._engine is None:
                try:
                    self._engine = self._start(self.run)
                except OntofetchError as error:
                    self._error = error
                    raise
            return self._engine

    @contextmanager
    def on_the_way(self, size: int, given_up: threading.Event) -> Iterator[None]:
        """Wait until there is room for so many bytes on the way, and keep it."""
        with self._room:
            while self._under_way and self._under_way + size > self.most and not given_up.is_set():
                self._room.wait(POLL)
            self._under_way += size
        try:
            yield
        finally:
            with self._room:
                self._under_way -= size
                self._room.notify_all()

    def tell_once(self, sentence: str, level: int = logging.INFO) -> None:
        """Say something that holds for many files, once."""
        with self._room:
            news = sentence not in self._told
            self._told.add(sentence)
        if news:
            _log.log(level, "%s", sentence)

    def close(self) -> None:
        """Call off what is not done, and end the connection."""
        with self._guard:
            engine, self._engine = self._engine, None
            self._error = self._error or ExecutorFailed(f"The executor {self.shown} was let go.", subject=self.shown)
        if engine is not None:
            engine.close()

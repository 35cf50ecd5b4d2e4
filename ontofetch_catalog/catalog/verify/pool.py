"""The processes that hash, one per core: giving each its next list of files, gathering answers, ending them.

Processes, because threads share one interpreter: with files of a few kilobytes two threads are slower than one
(measured). Which files they are and what becomes of the answers is not known here.
"""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from ontofetch_hookspecs.light_dataclasses import dataclass

from ...children.limits import count_cores
from ...children.start import start_script
from ...errors import OntofetchError
from . import hasher

AHEAD = 6  # lists waiting per process, so that none is idle while results are recorded
NEARLY_BYTES = 16 << 20  # are hashed in less than the time that a database takes to be opened
_POLL_SECONDS = 0.25
T = TypeVar("T")
HashList = tuple[T, Sequence[str], Sequence[str], Sequence[int]]  # name, paths, sha256 and sizes of its files


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What one list came to: its own name, the faults with the `number` of their file in it, and its size in bytes."""

    name: T
    faults: list[dict[str, Any]]
    size_bytes: int


class Pool(Generic[T]):
    """Processes that hash below `root`; a context.

    Args:
        root: Where the paths begin.
        count: How many processes; 0: one per core this process may use.
        progress: Called with the number of bytes read since the last call, a few times a second.
    """

    def __init__(self, root: Path, count: int, progress: Callable[[int], None]) -> None:
        self._root = root
        self.count = count or count_cores()
        self._progress = progress
        # a signal that raises between two lines of a queue written in Python leaves its lock locked; these are in C
        self._lists: queue.SimpleQueue[tuple[T, list[tuple[str, str, int]]] | None] = queue.SimpleQueue()
        self._heard: queue.SimpleQueue[int | Answer[T] | OntofetchError] = queue.SimpleQueue()
        self._seen = hasher.Seen()
        self._seen_lock = threading.Lock()
        self._processes: list[Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._open = self._open_bytes = 0
        self._waiting: Iterator[HashList[T]] | None = None

    def __enter__(self) -> Self:
        try:
            for _ in range(self.count):
                process = start_script(hasher.__file__, os.path.abspath(self._root))
                self._processes.append(process)
                thread = threading.Thread(target=self._serve, args=(process,), daemon=True)
                self._threads.append(thread)
                thread.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for process in self._processes:
            process.kill()
        for _ in self._threads:
            self._lists.put(None)
        for thread in self._threads:
            # one that a signal kept from starting has nothing to end
            if thread.ident is not None:
                thread.join()
        for process in self._processes:
            for stream in (process.stdin, process.stdout):
                # what was not sent to a process that is gone can't be sent any more
                with suppress(OSError):
                    if stream is not None:
                        stream.close()
            process.wait()

    @property
    def is_nearly_done(self) -> bool:
        """Say whether no list is left to be handed out, and little to be hashed of those that are."""
        return self._waiting is None and self._open_bytes <= NEARLY_BYTES

    def begin(self, lists: Iterable[HashList[T]]) -> None:
        """Hand out the first lists; `answers` goes on.

        Args:
            lists: Name, paths, and the sha256 and the size in bytes that each should have; asked for a few at a time.
        """
        self._waiting = iter(lists)
        self._hand_out()

    def run(self, lists: Iterable[HashList[T]], stop: Callable[[], bool]) -> Iterator[Answer[T]]:
        """Yield the answers of some lists: `begin` and `answers` in one."""
        self.begin(lists)
        yield from self.answers(stop)

    def answers(self, stop: Callable[[], bool]) -> Iterator[Answer[T]]:
        """Yield the answer of each list as it comes; once `stop` says so, no list is begun.

        Args:
            stop: Asked a few times a second.

        Raises:
            OntofetchError: A process died.
        """
        while True:
            if stop():
                self._drop_waiting()
                self._waiting = None
            self._hand_out()
            if not self._open:
                return
            yield from self._hear()

    def _hand_out(self) -> None:
        while self._waiting is not None and self._open < AHEAD * self.count:
            following = next(self._waiting, None)
            if following is None:
                self._waiting = None
                return
            name, paths, contents, sizes = following
            self._open += 1
            self._open_bytes += sum(sizes)
            self._lists.put((name, list(zip(paths, contents, sizes, strict=True))))

    def _drop_waiting(self) -> None:
        with suppress(queue.Empty):
            while True:
                dropped = self._lists.get_nowait()
                self._open -= 1
                self._open_bytes -= 0 if dropped is None else sum(size for *_, size in dropped[1])

    def _hear(self) -> Iterator[Answer[T]]:
        """Wait a moment for whatever comes, and yield it if it is an answer."""
        try:
            heard = self._heard.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            self._progress(0)
            return
        if isinstance(heard, OntofetchError):
            raise heard
        if isinstance(heard, int):
            self._progress(heard)
            return
        self._open -= 1
        self._open_bytes -= heard.size_bytes
        yield heard

    def _serve(self, process: Popen[bytes]) -> None:
        """Hand lists to one process and pass on what it says, in a thread of its own."""
        if process.stdin is None or process.stdout is None:
            return
        while (task := self._lists.get()) is not None:
            name, files = task
            try:
                process.stdin.write(json.dumps({"files": files, "seen": self._seen_of(files)}).encode() + b"\n")
                process.stdin.flush()
            except OSError:
                # its end is heard below
                pass
            for line in process.stdout:
                said = json.loads(line)
                self._heard.put(int(said["bytes"]))
                if "faults" in said:
                    with self._seen_lock:
                        self._seen.add(said["seen"])
                    self._heard.put(Answer(name, said["faults"], sum(size for *_, size in files)))
                    break
            else:
                self._heard.put(_ended(process))
                return

    def _seen_of(self, files: list[tuple[str, str, int]]) -> dict[str, list[int]]:
        """Return what other processes have found of the contents in a list."""
        with self._seen_lock:
            known = self._seen.known
            return {content: known[content] for _, content, _ in files if content in known} if known else {}


def _ended(process: Popen[bytes]) -> OntofetchError:
    return OntofetchError(
        f"A process that hashes files ended with {process.wait()}, before it was done.",
        subject=str(process.pid),
        hint="What was verified is recorded; `ontofetch db verify --resume` goes on.",
    )

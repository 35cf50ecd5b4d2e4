"""Small files of an archive on their way into a stage: written, hashed and looked at, here and by processes beside.

Whoever reads the archive checks names, bounds and checksums before anything comes here; what is in an archive is not
known. A process beside is a fork of the one that reads, with its limits, and ends when that one does.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import select
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from typing import IO, Any, NoReturn

from ontofetch_hookspecs.errors import OntofetchError, StageError
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.stages import StageFolder

from ..children.limits import count_cores
from ..content.formats import HEAD_BYTES
from ..content.packed.insides import format_inside
from .unpacked import Row

BESIDE_FROM = 500  # files that are written here before a process is started for more
MOST_WRITERS = 3  # one that reads keeps no more of them busy
_FILES = 128  # handed over at once
_FEW = 8  # written here before it is looked again whether somebody else could
_BYTES = 1 << 20  # likewise; a file that is handed over has no more
_LENGTH = 8

Item = tuple[str, bytes, float, str | None]  # path, content, time, what the server said of it


def write_file(stage: StageFolder, folder: str, item: Item) -> Row:
    """Write one file below a folder of a stage, and return what is told of it.

    Raises:
        StageError: The disk refuses.
    """
    path, data, mtime, said = item
    place = f"{folder}/{path}"
    stage.write_whole(place, data, mtime=mtime)
    found = format_inside(path, data[:HEAD_BYTES], lambda: os.fdopen((stage.place / place).open_file(), "rb"), said)
    return path, hashlib.sha256(data).hexdigest(), found, len(data), mtime


@dataclass(slots=True)
class _Writer:
    """A process beside, and the pipes to and from it; it has at most one portion that it has not answered."""

    pid: int
    given: IO[bytes]
    told: IO[bytes]
    busy: bool = False

    def has_answered(self) -> bool:
        """Say whether an answer, or the end, is there to be read."""
        looking = select.poll()
        looking.register(self.told, select.POLLIN)
        return bool(looking.poll(0))


@dataclass(slots=True)
class Writers:
    """The writing of small files into a stage.

    Args:
        folder: Below which folder of it.
        take: Called with the rows of files that are written.
    """

    stage: StageFolder
    folder: str
    take: Callable[[list[Row]], None]
    _count: int = 0
    _waiting: list[Item] = field(default_factory=list)
    _bytes: int = 0
    _writers: list[_Writer] = field(default_factory=list)
    _alone: bool = False

    def write(self, item: Item) -> None:
        """Write a file now or soon.

        Raises:
            StageError: The disk refuses, this file or one before it.
            MemoryError: A process beside has no more memory.
        """
        self._count += 1
        if self._alone or self._count <= BESIDE_FROM:
            self.take([write_file(self.stage, self.folder, item)])
            return
        self._waiting.append(item)
        self._bytes += len(item[1])
        if len(self._waiting) >= _FILES or self._bytes >= _BYTES:
            self._hand_over()

    def finish(self) -> None:
        """Wait until all that was given is written; raises as `write` does."""
        if self._waiting:
            self._hand_over()
        for writer in self._writers:
            self._receive(writer)

    def close(self) -> None:
        """End the processes."""
        for writer in self._writers:
            with suppress(BrokenPipeError):
                writer.given.close()
            writer.told.close()
            os.waitpid(writer.pid, 0)
        self._writers = []

    def _hand_over(self) -> None:
        items, self._waiting, self._bytes = self._waiting, [], 0
        while items:
            writer = None if self._alone else self._free_writer()
            if writer is not None:
                self._give(writer, items)
                return
            # to write takes longer than to read: whoever would wait does some of it
            some, items = items[:_FEW], items[_FEW:]
            self.take([write_file(self.stage, self.folder, item) for item in some])

    def _give(self, writer: _Writer, items: list[Item]) -> None:
        # it has answered, so it reads: neither waits for the other
        self._receive(writer)
        try:
            _send(writer.given, items)
        except BrokenPipeError:
            self._ended(writer)
        writer.busy = True

    def _free_writer(self) -> _Writer | None:
        """Return a process that has answered, or a new one where there may be more; None if all are busy."""
        for writer in self._writers:
            if not writer.busy or writer.has_answered():
                return writer
        started = None
        if len(self._writers) < min(count_cores() - 1, MOST_WRITERS):
            started = self._start()
        if started is not None:
            self._writers.append(started)
        self._alone = not self._writers
        return started

    def _start(self) -> _Writer | None:
        """Start a process; None where the system has no room for one."""
        ends: list[int] = []
        try:
            ends += os.pipe()
            ends += os.pipe()
            pid = os.fork()
        except OSError:
            for end in ends:
                os.close(end)
            return None
        inner, given, told, outer = ends
        if not pid:
            os.close(given)
            os.close(told)
            _serve(self.stage, self.folder, os.fdopen(inner, "rb"), os.fdopen(outer, "wb"))
        os.close(inner)
        os.close(outer)
        return _Writer(pid, os.fdopen(given, "wb"), os.fdopen(told, "rb"))

    def _receive(self, writer: _Writer) -> None:
        if not writer.busy:
            return
        found = _read(writer.told)
        writer.busy = False
        match found:
            case list():
                self.take([tuple(row) for row in found])
            case ("refused", str(message), str(subject), str(hint)):
                raise StageError(message, subject=subject, hint=hint)
            case ("memory",):
                raise MemoryError
            case _:
                self._ended(writer)

    def _ended(self, writer: _Writer) -> NoReturn:
        """End as a process beside has ended: who started us says why."""
        _, status = os.waitpid(writer.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            os.kill(os.getpid(), -code)
        os._exit(code or 1)


def _serve(stage: StageFolder, folder: str, given: IO[bytes], told: IO[bytes]) -> NoReturn:
    """Be the process beside: write portions until nobody gives any; nothing of the one before runs any more."""
    code = 1
    try:
        # the folders that are open belong to both, their places in a cache do not
        own = StageFolder(stage.place.root, stage.name)
        while (items := _read(given)) is not None:
            _send(told, _answer(own, folder, items))
        code = 0
    except BrokenPipeError:
        pass
    finally:
        os._exit(code)


def _answer(stage: StageFolder, folder: str, items: list[Item]) -> list[Row] | tuple[str, ...]:
    try:
        return [write_file(stage, folder, item) for item in items]
    except MemoryError:
        return ("memory",)
    except OntofetchError as error:
        return ("refused", error.message, error.subject, error.hint)


def _send(pipe: IO[bytes], content: list[Item] | list[Row] | tuple[str, ...]) -> None:
    data = marshal.dumps(content)
    pipe.write(len(data).to_bytes(_LENGTH, "little") + data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> Any:
    """Return what was sent; None at the end."""
    length = pipe.read(_LENGTH)
    if len(length) < _LENGTH:
        return None
    size = int.from_bytes(length, "little")
    data = pipe.read(size)
    return marshal.loads(data) if len(data) == size else None  # noqa: S302 - from a process of ours

"""One worker of the validators: what it is asked and may take of the machine, and what its end says of a file.

Which files are validated and what becomes of the results is not known here.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from concurrent.futures import Executor
from dataclasses import asdict
from typing import Any, Protocol

from ontofetch_hookspecs import Validator
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ..children.limits import Allowance, is_end_of_memory
from ..children.reading import bytes_read
from ..content.packed.bounds import Limits
from ..content.packed.signatures import compression_of
from .checks import READ_WHOLE, WHOLE_FORMATS
from .inside_copies import CopyRoom, table_place
from .line_process import LineProcess

UNFINISHED = "unfinished"  # in the details of a failed result: there was no judgement
_OWN = "ontofetch_catalog."
_ROOM, _ROOM_PER_BYTE = 64 << 20, 10  # bytes of a file that a validator may write for itself, and for each of its file
_log = logging.getLogger("ontofetch.validators")


@dataclass(frozen=True, slots=True)
class Task:
    """One content for one validator, at the first path that has it.

    Args:
        file_id, relpath, format: The file.
        facts_version: Of the facts that are wanted too; empty if none are.
        is_judged: Whether the facts are all that is wanted.
    """

    validator: Validator
    file_id: str
    relpath: str
    format: str
    size_bytes: int = 0
    facts_version: str = ""
    is_judged: bool = False


@dataclass(slots=True)
class _At:
    """What the process looks at: the file itself, or what is inside of it; its size, and how far it was seen read."""

    task: Task
    path: str
    size: int
    read: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer is waited for, and where facts go.

    Args:
        timeout: Seconds that are waited for each answer.
        given_up: Says that nobody wants it any more.
        facts: Where facts are collected; None: nobody wants any.
    """

    timeout: float
    given_up: threading.Event
    facts: Room | None = None


class Room(Protocol):
    """Where facts go: a room of a store, or what stands for one where a store is not.

    Attributes:
        max_bytes: Of larger contents there are none.
    """

    max_bytes: int

    def takes(self, size: int) -> bool:
        """Say whether there are to be facts of a content of `size` bytes."""

    def take(self, about: dict[str, Any], relpath: str, facts: dict[str, Any], table: str) -> None:
        """Take what a worker wrote."""


class Worker:
    """One worker process, started when it is needed and again after it was lost.

    Args:
        allowance: What it may take of the machine for one file.
        limits: What may come out of a compressed file.
        starter: Starts it. Linux ends it with the thread that has started it, which is to live as long as the run.
    """

    def __init__(self, allowance: Allowance, limits: Limits, starter: Executor) -> None:
        self._allowance = allowance
        self._limits = limits
        self._process = LineProcess(starter, memory=allowance.max_memory)
        self._room = CopyRoom()
        self._at: _At | None = None

    def ask(self, task: Task, folder: StorePath, wait: Patience) -> dict[str, Any]:
        """Return the worker's answer, or a failed result that says why there is none.

        Args:
            folder: The folder the file lies below.
        """
        self._at = None
        try:
            # what a stranger put there in the meantime is not opened: neither a link nor a pipe
            size, compression = look(folder / task.relpath)
        except OSError as error:
            return unfinished(f"it can't be read: {error.strerror}")
        path = str(folder / task.relpath)
        if not compression:
            return self._look_at(task, path, size, wait, content_id=task.file_id)
        with self._room.copy_of(task.relpath) as copy:
            request = {
                "inflate": compression,
                "path": path,
                "copy": copy,
                "name": task.relpath,
                "limits": asdict(self._limits),
                "file": self._limits.max_bytes,
            }
            found = self._answer(request, self._allowance, size, task, wait)
            if "inflated" not in found:
                return found | _no_facts_inside(found, task, wait)
            return self._look_at(task, copy, found["inflated"], wait, content_id=found["content_id"])

    def _look_at(self, task: Task, path: str, size: int, wait: Patience, *, content_id: str) -> dict[str, Any]:
        """Return the judgement, after the facts are put where they are collected, if some are wanted."""
        if wait.facts is not None and task.facts_version and wait.facts.takes(size):
            found = self._find_facts(task, path, size, wait, content_id=content_id, room=wait.facts)
            if "passed" in found:
                return found
            refused = {name: found[name] for name in ("refused",) if name in found}
            return refused if task.is_judged else self._judge(task, path, size, wait) | refused
        return {} if task.is_judged else self._judge(task, path, size, wait)

    def _find_facts(
        self, task: Task, path: str, size: int, wait: Patience, *, content_id: str, room: Room
    ) -> dict[str, Any]:
        with table_place() as table:
            request = {
                "facts": task.validator.facts,
                "facts_version": task.facts_version,
                "path": path,
                "format": task.format,
                "table": table,
                "file": _ROOM + _ROOM_PER_BYTE * size,
            }
            allowed = self._allowance
            if str(task.validator.facts).startswith(_OWN):
                allowed = allowed.for_parser(size, whole=task.format in WHOLE_FORMATS, facts=True)
            found = self._answer(request, allowed, size, task, wait)
            if wait.given_up.is_set():
                return found
            about = {"file_id": task.file_id, "content_id": content_id, "facts_version": task.facts_version}
            if "facts" in found:
                room.take(about, task.relpath, found.pop("facts"), table)
            else:
                reason = found.pop("no_facts", None) or found.get("details", {}).get("error", "it can't be used")
                # whether it counts is for whoever asked to say: the file may have been moved away meanwhile
                found["refused"] = about, task.relpath, reason
        # without a judgement, or where it came to none, the file is judged as if nobody had asked for facts
        if found.get("details", {}).get(UNFINISHED):
            return {name: value for name, value in found.items() if name == "refused"}
        return found

    def _judge(self, task: Task, path: str, size: int, wait: Patience) -> dict[str, Any]:
        allowed = self._allowance
        if task.validator.target.startswith(_OWN):
            allowed = allowed.for_parser(size, whole=task.format in WHOLE_FORMATS)
        request = {
            "target": task.validator.target,
            "path": path,
            "format": task.format,
            "file": _ROOM + _ROOM_PER_BYTE * size,
        }
        return self._answer(request, allowed, size, task, wait)

    def _answer(
        self, request: dict[str, Any], allowed: Allowance, size: int, task: Task, wait: Patience
    ) -> dict[str, Any]:
        request |= {"memory": allowed.max_memory, "data": allowed.max_data, "cpu": allowed.cpu_for(size)}
        self._at = _At(task, request["path"], size)
        was_new = not self._process.answered
        found, code = self._exchange(request, wait)
        if code is not None and allowed.reason(code, size) is None:
            # the file may be without blame: short of memory, the kernel kills whom it likes
            _log.info("a validator's process died (%s) and is asked again: %s", _cause(code), quote(task.relpath))
            found, code = self._exchange(request, wait)
        elif not was_new and ("memory" in found or is_end_of_memory(code)):
            # what is kept of the files before counts too: the limit is meant for this one alone
            found, code = self._exchange(request, wait)
        if "memory" in found:
            return unfinished(f"the validator needs {allowed.memory_limit_text()} for {quote(task.relpath)}")
        if found:
            return found
        if code is None:
            return unfinished(f"the validator took longer than {wait.timeout:g} seconds")
        reason = allowed.reason(code, size)
        if reason is not None:
            return unfinished(f"the validator's process {reason}, with {quote(task.relpath)}")
        return unfinished(f"the validator's process died twice ({_cause(code)})")

    def _exchange(self, request: dict[str, Any], wait: Patience) -> tuple[dict[str, Any], int | None]:
        """Return the answer of the process, or how it ended; what lacks memory has ended afterwards."""
        line, code = self._process.exchange(request, wait.timeout, wait.given_up)
        found: dict[str, Any] = json.loads(line) if line else {}
        if "memory" in found:
            self._process.stop()
        return found, code

    def bytes_read(self) -> int:
        """Return how many bytes of its present file, as it is counted on the disk, the process has read.

        0 where the system does not tell, and of what is read whole before anything is done with it.
        """
        at, pid = self._at, self._process.pid
        if at is None or pid is None or not at.size or at.task.format in READ_WHOLE:
            return 0
        place = bytes_read(pid, at.path)
        if place is not None:
            at.read = min(place, at.size)
        elif at.read:
            # it is read to its end and closed, while something is still made of it
            at.read = at.size
        return at.task.size_bytes * at.read // at.size

    def close(self) -> None:
        """End the process, and remove what was unpacked for it."""
        self._process.stop()
        self._room.close()

    def get_ready(self) -> None:
        """Begin to start the process."""
        self._process.get_ready()


def _no_facts_inside(found: dict[str, Any], task: Task, wait: Patience) -> dict[str, Any]:
    """Return what refuses the facts of a compressed file that can't be read, if some were wanted; it stays so."""
    reason = found.get("details", {}).get("error")
    if wait.facts is None or not task.facts_version or not reason or found["details"].get(UNFINISHED):
        return {}
    about = {"file_id": task.file_id, "content_id": task.file_id, "facts_version": task.facts_version}
    return {"refused": (about, task.relpath, reason)}


def look(place: StorePath) -> tuple[int, str]:
    """Return the size of a file in bytes, and how it is compressed."""
    descriptor = place.open_file()
    try:
        return os.fstat(descriptor).st_size, compression_of(os.pread(descriptor, 16, 0))
    finally:
        os.close(descriptor)


def unfinished(reason: str) -> dict[str, Any]:
    """Return the result of a file that came to no judgement."""
    return {"passed": False, "details": {"error": reason, UNFINISHED: True}}


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"

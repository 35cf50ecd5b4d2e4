"""Own the gate through which every reader and writer of a catalog passes, in order, so that nobody starves.

It knows processes and threads, not what they do inside. The lock file is divided into byte ranges (POSIX record locks,
fcntl(2)): who arrives takes the next ticket n and locks byte n, a writer exclusively, a reader shared; a writer then
waits until it can lock all bytes up to n, a reader until no writer has locked one of them. So turns are taken in the
order of arrival, readers in a row read together, and the system itself forgets whoever dies. The text of the file says
who holds it and has no say in who may enter.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from ontofetch_hookspecs.layout import LOCK
from ontofetch_hookspecs.processes import Owner, start_token, this_process

from ..errors import CatalogLocked, NestedBoundary
from . import effects

_TEXT_BYTES = 2048
_EVERY_TICKET = 1 << 40
_POLL_SECONDS = 0.002
_DESK_SUFFIX = ".desk"


class Gate:
    """The gate of one store in this process; get it with `gate_of`."""

    def __init__(self, root: Path) -> None:
        self.path = root / LOCK
        self._turns: deque[threading.Event] = deque()
        self._guard = threading.Lock()
        self._thread: int | None = None
        self._kind = ""
        self._depth = 0

    @contextmanager
    def exclusive(self, wait: float) -> Iterator[None]:
        """Hold the store alone.

        Args:
            wait: Seconds to wait for others.

        Raises:
            CatalogLocked: Others did not let go in time.
            NestedBoundary: This thread is inside already.
        """
        self._refuse_nested()
        deadline = time.monotonic() + wait
        with self._turn(deadline, "exclusive"):
            descriptor = self._enter(fcntl.LOCK_EX, deadline)
            try:
                _write_text(descriptor, _TEXT_BYTES, {**asdict(this_process()), "since": _now()})
                yield
            finally:
                # the text only informs, and closing is what lets the next one in
                with suppress(OSError):
                    _write_text(descriptor, _TEXT_BYTES, {})
                os.close(descriptor)

    @contextmanager
    def shared(self, wait: float) -> Iterator[None]:
        """Hold the store together with other readers; a thread may do so again inside.

        Raises:
            CatalogLocked: A writer did not let go in time.
            NestedBoundary: This thread is writing.
        """
        if self._thread == threading.get_ident() and self._kind == "shared":
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self._refuse_nested()
        deadline = time.monotonic() + wait
        with self._turn(deadline, "shared"):
            descriptor = self._enter(fcntl.LOCK_SH, deadline)
            try:
                yield
            finally:
                if descriptor >= 0:
                    os.close(descriptor)

    def _refuse_nested(self) -> None:
        if self._thread == threading.get_ident():
            raise NestedBoundary(
                "A hook called back into the catalog while a boundary of the same thread was open.",
                subject=str(self.path),
                hint="Do it after the boundary, in on_catalog_committed's host or another process.",
            )

    @contextmanager
    def _turn(self, deadline: float, kind: str) -> Iterator[None]:
        """Take turns among the threads of this process, first come, first served."""
        mine = threading.Event()
        with self._guard:
            self._turns.append(mine)
            if self._turns[0] is mine:
                mine.set()
        try:
            if not mine.wait(max(0.0, deadline - time.monotonic())):
                raise self._locked(this_process(), "another thread of this process")
            self._thread, self._kind, self._depth = threading.get_ident(), kind, 1
            try:
                yield
            finally:
                self._thread, self._kind, self._depth = None, "", 0
        finally:
            with self._guard:
                self._turns.remove(mine)
                if self._turns:
                    self._turns[0].set()

    def _enter(self, kind: int, deadline: float) -> int:
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except OSError as error:
            if kind == fcntl.LOCK_SH and error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOENT):
                return self._enter_unseen(deadline)
            raise
        try:
            ticket = self._draw_ticket(descriptor, kind, deadline)
            self._poll(descriptor, kind, ticket + 1, deadline)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _enter_unseen(self, deadline: float) -> int:
        """Read below a root where this user may not write: wait for writers, without a ticket."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return -1
        try:
            self._poll(descriptor, fcntl.LOCK_SH, _EVERY_TICKET, deadline)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _draw_ticket(self, descriptor: int, kind: int, deadline: float) -> int:
        """Take the next free number under the desk's lock; a damaged counter costs fairness once, never safety."""
        from filelock import FileLock, Timeout

        desk = FileLock(
            f"{self.path}{_DESK_SUFFIX}", timeout=max(0.0, deadline - time.monotonic()), poll_interval=0.001
        )
        try:
            with desk:
                counter = _read_text(descriptor, 0).get("next")
                ticket = counter if isinstance(counter, int) and 0 <= counter < _EVERY_TICKET - 1 else 0
                while not _try_lock(descriptor, kind, 1, ticket):
                    ticket += 1
                _write_text(descriptor, 0, {"next": (ticket + 1) % (_EVERY_TICKET - 1)})
                return ticket
        except Timeout as error:
            raise self._locked(None, "the queue before it") from error

    def _poll(self, descriptor: int, kind: int, length: int, deadline: float) -> None:
        while not _try_lock(descriptor, kind, length, 0):
            if time.monotonic() >= deadline:
                raise self._locked(self._holder(descriptor, kind, length), "another process")
            time.sleep(_POLL_SECONDS)

    def _holder(self, descriptor: int, kind: int, length: int) -> Owner | None:
        """Return who is in the way: what the text says if that is who holds the lock, else what the system knows."""
        pid = _conflicting_pid(descriptor, kind, length)
        text = _read_text(descriptor, _TEXT_BYTES)
        if text.get("pid") == pid or (pid is None and text):
            try:
                return Owner(int(str(text["pid"])), str(text["token"]), str(text["host"]), str(text["command"]))
            except (KeyError, TypeError, ValueError):
                pass
        if pid is None:
            return None
        return Owner(pid, start_token(pid) or "", this_process().host, "a process that reads or waits")

    def _locked(self, holder: Owner | None, otherwise: str) -> CatalogLocked:
        store = self.path.parent.parent
        if holder is None:
            who, hint = otherwise, "Run the same command again, or wait longer with --wait SECONDS."
        else:
            state = {"alive": "which is running", "dead": "which has ended", "unknown": "on another machine"}
            who = f"process {holder.pid} ({holder.command}) on {holder.host}, {state[holder.state()]}"
            hint = "Wait longer with --wait SECONDS, or end that process."
        return CatalogLocked(f"The catalog below {store} is in use by {who}.", subject=str(store), hint=hint)


_gates: dict[str, Gate] = {}
_gates_guard = threading.Lock()


def gate_of(root: Path) -> Gate:
    """Return the one gate of `root` in this process."""
    with _gates_guard:
        return _gates.setdefault(os.path.realpath(root), Gate(root))


def _forget_gates() -> None:
    # a forked child has none of its parent's threads and none of its record locks
    global _gates_guard  # noqa: PLW0603 - the parent may have held it at the fork
    _gates_guard = threading.Lock()
    _gates.clear()


os.register_at_fork(after_in_child=_forget_gates)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _try_lock(descriptor: int, kind: int, length: int, start: int) -> bool:
    try:
        fcntl.lockf(descriptor, kind | fcntl.LOCK_NB, length, start)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _conflicting_pid(descriptor: int, kind: int, length: int) -> int | None:
    """Ask the system which process holds a lock in the way: F_GETLK, fcntl(2)."""
    wanted = fcntl.F_WRLCK if kind == fcntl.LOCK_EX else fcntl.F_RDLCK
    if sys.platform == "darwin":
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack("qqihh", 0, length, 0, wanted, 0))
        _, _, pid, found, _ = struct.unpack("qqihh", answer)
    else:
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack("hhqqi4x", wanted, 0, 0, length, 0))
        found, _, _, _, pid = struct.unpack("hhqqi4x", answer)
    return None if found == fcntl.F_UNLCK or pid <= 0 else int(pid)


def _read_text(descriptor: int, offset: int) -> dict[str, object]:
    try:
        found = json.loads(os.pread(descriptor, _TEXT_BYTES, offset).rstrip(b"\0 \n").decode())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_text(descriptor: int, offset: int, content: dict[str, object]) -> None:
    data = json.dumps(content).encode()[: _TEXT_BYTES - 1]
    effects.write_at(descriptor, data.ljust(_TEXT_BYTES - 1) + b"\n", offset)

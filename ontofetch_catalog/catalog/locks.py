"""The gate through which every reader and writer of a catalog passes, in order, so that nobody starves.

It knows processes and threads, not what they do inside. The lock file is divided into byte ranges (POSIX record locks,
fcntl(2)): who arrives takes the next ticket n and locks byte n, a writer exclusively, a reader shared; a writer then
waits until it can lock all bytes up to n, a reader until no writer has locked one of them. So turns are taken in the
order of arrival, readers in a row read together, and the system itself forgets whoever dies. The text of the file says
who holds it and has no say in who may enter.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ontofetch_hookspecs.layout import LOCK
from ontofetch_hookspecs.store_paths import StorePath

from ..errors import CatalogUnreadable, NestedBoundary
from . import byte_locks, holders
from .kept import POLL_SECONDS, Hold, Wanted

_DESK_POLL_SECONDS = 0.001
_DESK_SUFFIX = ".desk"


class Gate:
    """The gate of one store in this process; get it with `gate_of`.

    Args:
        root: The store as it is called in sentences.
        real: The same without links: a link that leads elsewhere later must not lead to another store's lock.

    Attributes:
        is_keeping: Whether a run goes on, between whose boundaries the store is kept open.
    """

    def __init__(self, root: Path, real: str) -> None:
        self.path = StorePath(Path(real), LOCK)
        self._store = str(root)
        self._turns: deque[threading.Event] = deque()
        self._guard = threading.Lock()
        self._thread: int | None = None
        self._kind = ""
        self._depth = 0
        self.is_keeping = False
        self._kept: Hold | None = None
        self._watcher: threading.Thread | None = None

    @contextmanager
    def exclusive(
        self, wait: float, *, wanted: Wanted | None = None, meanwhile: Callable[[], None] | None = None
    ) -> Iterator[Hold]:
        """Hold the store alone.

        Args:
            wait: Seconds to wait for others.
            wanted: Says whether what was kept open since the last time is of use; None: it is not.
            meanwhile: Called once, in the queue, where other processes have to be waited for.

        Raises:
            CatalogLocked: Others did not let go in time.
            NestedBoundary: This thread is inside already.
        """
        self._refuse_nested()
        deadline = time.monotonic() + wait
        with self._turn(deadline, "exclusive"):
            hold = self._take_kept(wanted) or self._hold(deadline, meanwhile)
            try:
                yield hold
                if hold.stays:
                    self._kept = hold
            finally:
                # whatever comes in between: the lock is let go
                if self._kept is not hold:
                    hold.let_go()
        if self._kept is hold:
            self._watch()

    @contextmanager
    def kept(self, wait: float, wanted: Wanted) -> Iterator[Hold | None]:
        """Hold what was kept open since the last time, None if nothing is or it is of no use; it stays kept.

        Raises:
            CatalogLocked, NestedBoundary: As `exclusive`.
        """
        self._refuse_nested()
        with self._turn(time.monotonic() + wait, "exclusive"):
            hold = self._take_kept(wanted)
            try:
                yield hold
            finally:
                self._kept = hold
        if hold is not None:
            self._watch()

    def let_go(self) -> None:
        """Close what is kept and let others in; a thread that is inside does so itself."""
        # looked at in this order: the watcher has its turn before it takes what is kept
        is_kept = self._kept is not None
        watcher = self._watcher
        # a process that ends while a thread of its is inside DuckDB is aborted
        is_closed_now = watcher is not None and self._thread == watcher.ident
        if (is_kept or is_closed_now) and self._thread != threading.get_ident():
            with self._turn(float("inf"), "exclusive"):
                self._take_kept(None)

    def _hold(self, deadline: float, meanwhile: Callable[[], None] | None) -> Hold:
        descriptor = self._enter(fcntl.LOCK_EX, deadline, meanwhile)
        holders.write_holder(descriptor)
        return Hold(descriptor)

    def _take_kept(self, wanted: Wanted | None) -> Hold | None:
        """Return what is kept, if it is wanted and no turn of others; else let it go. It is this thread's turn."""
        hold, self._kept = self._kept, None
        if hold is None or (wanted is not None and wanted(hold.what) and not hold.is_due()):
            return hold
        hold.let_go()
        return None

    def _watch(self) -> None:
        """Let go of what is kept as soon as another process waits, whatever this thread does in the meantime."""
        if self._watcher is None or not self._watcher.is_alive():
            self._watcher = threading.Thread(target=self._let_go_when_due, name="gate", daemon=True)
            self._watcher.start()

    def _let_go_when_due(self) -> None:
        while (hold := self._kept) is not None or self._turns:
            time.sleep(POLL_SECONDS)
            if hold is None or self._turns:
                continue
            with self._turn(float("inf"), "exclusive"):
                if self._kept is not None and not self._kept.rests():
                    self._take_kept(None)

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
            self._take_kept(None)
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
        try:
            with self._guard:
                self._turns.append(mine)
                if self._turns[0] is mine:
                    mine.set()
            left = deadline - time.monotonic()
            if not mine.wait(None if left == float("inf") else max(0.0, left)):
                raise holders.locked_by(self._store, f"another thread of this process ({os.getpid()})")
            self._thread, self._kind, self._depth = threading.get_ident(), kind, 1
            try:
                yield
            finally:
                self._thread, self._kind, self._depth = None, "", 0
        finally:
            with self._guard:
                # an interrupt may come before it was appended
                with suppress(ValueError):
                    self._turns.remove(mine)
                if self._turns:
                    self._turns[0].set()

    def _enter(self, kind: int, deadline: float, meanwhile: Callable[[], None] | None = None) -> int:
        try:
            descriptor = self.path.open(os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EINVAL, errno.ENXIO, errno.EISDIR):
                raise self._no_lock() from error
            if kind == fcntl.LOCK_SH and error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOENT):
                return self._enter_unseen(deadline)
            raise
        try:
            ticket = self._draw_ticket(descriptor, kind, deadline)
            if meanwhile is not None and not byte_locks.try_lock(descriptor, kind, ticket + 1, 0):
                meanwhile()
            self._poll(descriptor, kind, ticket + 1, deadline)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _enter_unseen(self, deadline: float) -> int:
        """Read below a root where this user may not write: wait for the writers that are there, without a ticket.

        Byte 0 alone keeps writers out; the bytes of those who wait already keep the order.
        """
        try:
            descriptor = self.path.open(os.O_RDONLY)
        except FileNotFoundError:
            return -1
        try:
            self._poll(descriptor, fcntl.LOCK_SH, holders.read_counter(descriptor) or 1, deadline)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _draw_ticket(self, descriptor: int, kind: int, deadline: float) -> int:
        """Take the next free number under the desk's lock; a damaged counter costs fairness once, never safety."""
        desk = self.path.with_name(self.path.name + _DESK_SUFFIX).open(os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._wait_for_desk(desk, deadline)
            ticket = holders.read_counter(descriptor) or 0
            while not byte_locks.try_lock(descriptor, kind, 1, ticket):
                # who is in the way may hold many numbers: the one behind them is tried next
                taken = holders.find_conflict(descriptor, kind, ticket, 1)
                ticket = taken.end if taken else ticket
            holders.write_counter(descriptor, ticket + 1)
            return ticket
        finally:
            # the system lets go of flock(2) with the last descriptor
            os.close(desk)

    def _wait_for_desk(self, desk: int, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(desk, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise holders.locked_by(self._store, "those who wait before this one") from error
                time.sleep(_DESK_POLL_SECONDS)
            else:
                return

    def _no_lock(self) -> CatalogUnreadable:
        return CatalogUnreadable(
            f"The lock {self.path} of the store is a link, or no regular file in a folder.",
            subject=str(self.path),
            hint="Somebody may have put it there: look where it comes from, and move it away.",
        )

    def _poll(self, descriptor: int, kind: int, length: int, deadline: float) -> None:
        def is_next() -> bool:
            return holders.is_next(descriptor, kind, length)

        if not byte_locks.wait_for(descriptor, kind, length, deadline, is_next=is_next):
            raise holders.locked_by_another(descriptor, kind, length, self._store)


_gates: dict[str, Gate] = {}
_of_parents: list[Gate] = []  # what is kept there is the parent's to close
_gates_guard = threading.Lock()


def gate_of(root: Path) -> Gate:
    """Return the one gate of `root` in this process."""
    real = os.path.realpath(root)
    with _gates_guard:
        return _gates.setdefault(real, Gate(root, real))


def _forget_gates() -> None:
    # a forked child has none of its parent's threads and none of its record locks
    global _gates_guard  # noqa: PLW0603 - the parent may have held it at the fork
    _gates_guard = threading.Lock()
    _of_parents.extend(_gates.values())
    _gates.clear()


os.register_at_fork(after_in_child=_forget_gates)

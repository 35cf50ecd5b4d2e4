"""Number the calls of the functions named in `fsops.FAULT_POINTS`, and let something happen at one of them.

It knows no operation; what happens is an `Act`, what is remembered goes to a `Board` that outlives the process.
"""

from __future__ import annotations

import errno
import functools
import mmap
import os
import signal
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ontofetch_catalog.catalog import fsops

if TYPE_CHECKING:
    from .disk_model import Shadow

DATABASE = ("open_database", "close_database", "execute", "begin", "commit", "rollback", "checkpoint")
SYNCS = ("sync_file", "sync_folder", "sync_filesystem")


class Board:
    """A few numbers in memory that a child shares with its parent, so that they are there when the child is not."""

    _FIELDS = ("calls", "acted", "settled", "acknowledged")

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 4096)

    def reset(self) -> None:
        """Forget everything."""
        self._memory[: 8 * len(self._FIELDS)] = bytes(8 * len(self._FIELDS))

    def get(self, field: str) -> int:
        """Return one number."""
        return int(struct.unpack_from("q", self._memory, 8 * self._FIELDS.index(field))[0])

    def set(self, field: str, value: int) -> None:
        """Write one number down."""
        struct.pack_into("q", self._memory, 8 * self._FIELDS.index(field), value)


class Act:
    """What happens at a call: nothing, in this base."""

    def before(self, number: int, name: str, args: tuple[Any, ...]) -> None:
        """Act before call `number`; may end the process or raise."""

    def after(self, number: int, name: str, args: tuple[Any, ...]) -> None:
        """Act after the call returned."""

    def end(self, calls: int) -> None:
        """Act when the operation is over after so many calls."""


class Seam:
    """Count the calls of this process from now on and let `act` happen."""

    def __init__(self, board: Board, act: Act | None = None, shadow: Shadow | None = None) -> None:
        self.board = board
        self.names: list[str] = []
        self.act = act or Act()
        self.shadow = shadow

    def install(self) -> None:
        """Put the seam around the functions; meant for a child that serves for this alone."""
        for name in fsops.FAULT_POINTS:
            setattr(fsops, name, functools.partial(self._call, name, getattr(fsops, name)))

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Put the seam around the functions and take it away again."""
        kept = {name: getattr(fsops, name) for name in fsops.FAULT_POINTS}
        self.install()
        try:
            yield
        finally:
            for name, original in kept.items():
                setattr(fsops, name, original)

    def take(self, act: Act) -> None:
        """Let `act` happen from now on."""
        self.act = act

    def _call(self, name: str, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.names.append(name)
        number = len(self.names)
        self.board.set("calls", number)
        self.act.before(number, name, args)
        if self.shadow is None:
            result = original(*args, **kwargs)
        else:
            result = self.shadow.carry_out(name, original, args, kwargs)
        self.act.after(number, name, args)
        return result

    def end(self, *, well: bool) -> None:
        """Tell the act that the operation has returned, `well` or with an error."""
        self.board.set("acknowledged", int(well))
        self.act.end(len(self.names))


class Die(Act):
    """End the process by SIGKILL in front of call `at`."""

    def __init__(self, board: Board, at: int) -> None:
        self._board = board
        self._at = at

    def before(self, number: int, name: str, args: tuple[Any, ...]) -> None:
        """Die, if it is time."""
        if number == self._at:
            self._board.set("acted", number)
            os.kill(os.getpid(), signal.SIGKILL)


class Keep(Act):
    """Let `keep` look at the disk in front of each call, with the calls so far; end the process behind the last one."""

    def __init__(self, keep: Callable[[int], None]) -> None:
        self._keep = keep

    def before(self, number: int, name: str, args: tuple[Any, ...]) -> None:
        """Look, before the call changes anything."""
        self._keep(number)

    def end(self, calls: int) -> None:
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Failure:
    """What fails: call `at`, with `forever` every call from there on, with the error of that number.

    With `happened` the call does what it should, and the error comes all the same.
    """

    at: int
    code: int
    forever: bool = False
    happened: bool = False


class Fail(Act):
    """Let a call fail with an error of the system."""

    def __init__(self, board: Board, failure: Failure) -> None:
        self._board = board
        self._at = failure.at
        self._code = failure.code
        self._forever = failure.forever
        self._happened = failure.happened

    def before(self, number: int, name: str, args: tuple[Any, ...]) -> None:
        """Raise, if it is time."""
        if self._is_due(number) and not self._happened:
            if name == "commit":
                # a failed COMMIT leaves a connection that answers nothing any more
                args[0].close()
            self._raise(number, name, args)

    def after(self, number: int, name: str, args: tuple[Any, ...]) -> None:
        """Raise although it happened, if it is time."""
        if self._is_due(number) and self._happened:
            if name == "commit":
                args[0].close()
            self._raise(number, name, args)

    def _is_due(self, number: int) -> bool:
        return number == self._at or (self._forever and number > self._at)

    def _raise(self, number: int, name: str, args: tuple[Any, ...]) -> None:
        import duckdb

        self._board.set("acted", self._board.get("acted") or number)
        text = os.strerror(self._code)
        if name == "commit":
            raise duckdb.TransactionException(f"TransactionContext Error: Failed to commit: {text}")
        if name in DATABASE:
            raise duckdb.IOException(f"IO Error: Could not write file: {text}")
        raise OSError(self._code, text, str(args[0]))


class PowerLost(BaseException):
    """The machine has stopped: what raises it, or runs after it, changes nothing any more."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A power cut in front of call `at`, or, with `sync`, at the end, where the sync at call `at` has failed.

    Args:
        at: Number of the call; one more than there are stands for the end.
        seed: What it leaves: see `Shadow.lose`.
        sync: Whether call `at` is a sync that fails.
        volatile: What nobody has synced before: see `Shadow`.
        dies: Whether its process dies there; else it unwinds, and no call changes anything on the way.
    """

    at: int
    seed: int
    sync: bool = False
    volatile: tuple[str, ...] = ()
    dies: bool = True


class Stop(Act):
    """Let the machine stop: what is not durable is lost as `shadow` says."""

    def __init__(self, board: Board, outage: Outage, shadow: Shadow) -> None:
        self._board = board
        self._at = outage.at
        self._seed = outage.seed
        self._dies = outage.dies
        self._shadow = shadow
        self.stopped = False

    def _stop(self) -> None:
        self.stopped = True
        self._board.set("settled", int(self._shadow.is_settled))
        if self._dies:
            self.lose()
            os.kill(os.getpid(), signal.SIGKILL)
        raise PowerLost

    def lose(self) -> None:
        """Turn what is on disk into what the cut leaves, when the process has unwound and let go of the database."""
        self._shadow.lose(self._seed)


class LosePower(Stop):
    """Let the machine stop in front of call `at`."""

    def before(self, number: int, name: str, args: tuple[Any, ...]) -> None:
        """Stop, if it is time; whatever is called after that does not happen."""
        if self.stopped:
            raise PowerLost
        if number == self._at:
            self._board.set("acted", number)
            self._stop()

    def end(self, calls: int) -> None:
        """Stop, if it is time: behind the last call."""
        if self._at == calls + 1:
            self._board.set("acted", self._at)
            self._stop()


class FailSync(Stop):
    """Let the sync at call `at` fail, so that what it should have saved never becomes durable; then power fails."""

    def before(self, number: int, name: str, args: tuple[Any, ...]) -> None:
        """Fail, if it is time."""
        if number == self._at:
            assert name in SYNCS, f"call {number} is {name}, not a sync"
            self._board.set("acted", number)
            self._shadow.fail_sync(name, args)
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(args[0]))

    def end(self, calls: int) -> None:
        """Stop."""
        self._stop()

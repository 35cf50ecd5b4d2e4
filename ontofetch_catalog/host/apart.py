"""What a process has once, kept from the hooks of plugins: its streams, umask, working folder and handlers of signals.

What a hook changes there is put back, and its plugin is named, for everybody after it would have it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from ontofetch_hookspecs.commands import describe
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.surround import Context

from .interrupts import Terminated
from .prints import PrintsAside

_ENDS = (KeyboardInterrupt, Terminated, SystemExit, GeneratorExit)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_log = logging.getLogger("ontofetch.host")


class Surroundings:
    """What the process has before a plugin is loaded; made while one thread is there."""

    def __init__(self) -> None:
        self._mask = os.umask(0o077)
        os.umask(self._mask)
        self._folder: int | None = None
        with suppress(OSError):
            self._folder = os.open(os.curdir, os.O_RDONLY | os.O_CLOEXEC)
        self._depth = sys.getrecursionlimit()

    def context_for(self, plugin: str, hook: str) -> Context:
        """Return what makes the context of one call of a plugin's hook."""
        return partial(self._call, plugin, hook)

    @contextmanager
    def _call(self, plugin: str, hook: str) -> Iterator[None]:
        with self.kept(plugin, hook):
            try:
                yield
            except (Exception, *_ENDS):
                raise
            except BaseException as error:
                # the panic of a library, say: nobody would take it for a failure of this plugin
                raise RuntimeError(describe(error)) from error

    @contextmanager
    def kept(self, plugin: str, what: str) -> Iterator[None]:
        """Put back at the end what a plugin has changed; what it prints goes to stderr.

        A process that it forked and that comes out of it ends here: it would go on with the host's own work.
        """
        process = os.getpid()
        streams = _hold_streams()
        handlers = [signal.getsignal(number) for number in _SIGNALS]
        try:
            with PrintsAside():
                yield
        finally:
            if os.getpid() != process:
                os._exit(0)  # nothing is flushed: what is buffered is the host's
            for changed in filter(None, self._put_back(streams, handlers)):
                _log.warning("plugin %s changed %s in %s, which is put back", quote(plugin), changed, what)

    def _put_back(self, streams: Mapping[int, int], handlers: Sequence[object]) -> Iterator[str]:
        """Put everything back and yield what was changed; the streams first, for what is told goes there."""
        yield _put_streams(streams)
        yield self._put_mask()
        yield self._put_folder()
        yield self._put_depth()
        yield _put_handlers(handlers)

    def _put_depth(self) -> str:
        """Put back how deep calls may lie in each other, where it is less than it was."""
        if sys.getrecursionlimit() >= self._depth:
            return ""
        sys.setrecursionlimit(self._depth)
        return "the recursion limit"

    def _put_mask(self) -> str:
        return "the umask" if os.umask(self._mask) != self._mask else ""

    def _put_folder(self) -> str:
        if self._folder is None:
            return ""
        with suppress(OSError):
            if os.path.samestat(os.stat(os.curdir), os.fstat(self._folder)):
                return ""
        try:
            os.fchdir(self._folder)
        except OSError:
            return ""
        return "the working folder"


def _hold_streams() -> dict[int, int]:
    """Return descriptor 0, 1 and 2, as far as they are open, each with another one of its file."""
    held = {}
    for number in range(3):
        with suppress(OSError):
            held[number] = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
    return held


def _put_streams(streams: Mapping[int, int]) -> str:
    """Put back what has changed, and close what was held for that."""
    changed = False
    for number, held in streams.items():
        if not _is_same(number, held):
            changed = True
            with suppress(OSError):
                os.dup2(held, number)
        with suppress(OSError):
            os.close(held)
    return "stdin, stdout or stderr" if changed else ""


def _is_same(one: int, other: int) -> bool:
    """Say whether two descriptors are of one file."""
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False


def _put_handlers(handlers: Sequence[object]) -> str:
    """Put back the handlers of signals; only the main thread can change them, and put them back."""
    if threading.current_thread() is not threading.main_thread():
        return ""
    changed = [
        number for number, handler in zip(_SIGNALS, handlers, strict=True) if signal.getsignal(number) != handler
    ]
    for number in changed:
        handler = handlers[_SIGNALS.index(number)]
        if handler is not None:
            signal.signal(number, handler)  # type: ignore[arg-type]
    return "the handlers of signals" if changed else ""

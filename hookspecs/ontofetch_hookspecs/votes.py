"""What plugins raise while a transactional hook is called, kept, so that no wrapper between can lose a veto."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from .specs import TRANSACTIONAL
from .surround import surround

if TYPE_CHECKING:
    import pluggy


@dataclass(frozen=True, slots=True)
class Raised:
    """What a plugin raised: its name and the exception."""

    plugin: str
    error: BaseException


class Votes:
    """The votes of one manager.

    Args:
        manager: Whose implementations of the transactional hooks are watched.
        apart: Name of the plugin that asks for the votes; it has none itself.
    """

    def __init__(self, manager: pluggy.PluginManager, apart: str) -> None:
        self._manager = manager
        self._apart = apart
        self._local = threading.local()
        self._watched: list[pluggy.HookImpl] = []
        self._lock = threading.Lock()

    @contextmanager
    def asked(self) -> Iterator[list[Raised]]:
        """Yield a list to which is added whatever a plugin raises in this thread until the end, in its order."""
        self._watch()
        raised: list[Raised] = []
        before = getattr(self._local, "raised", None)
        self._local.raised = raised
        try:
            yield raised
        finally:
            self._local.raised = before

    def _watch(self) -> None:
        """Watch everybody, those too who were registered since the last time."""
        with self._lock:
            for name in TRANSACTIONAL:
                for impl in getattr(self._manager.hook, name).get_hookimpls():
                    if impl.plugin_name != self._apart and impl not in self._watched:
                        self._watched.append(impl)
                        surround(impl, partial(_Noting, self._local, impl.plugin_name))


class _Noting:
    """Note what leaves its body, but for the end of a generator."""

    def __init__(self, local: threading.local, plugin: str) -> None:
        self._local = local
        self._plugin = plugin

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        raised: list[Raised] | None = getattr(self._local, "raised", None)
        if raised is None or error is None or isinstance(error, StopIteration | GeneratorExit):
            return
        # on its way out it passes the wrappers around its origin
        if all(error is not other.error for other in raised):
            raised.append(Raised(self._plugin, error))

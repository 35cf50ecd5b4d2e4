"""What plugins raise while a transactional hook is called, kept, so that no wrapper between can lose a veto.

The time that each vote takes is kept as well.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from .names import quote
from .specs import TRANSACTIONAL
from .surround import surround

if TYPE_CHECKING:
    import pluggy


SLOW_MILLISECONDS = 1000.0  # a vote that takes longer is named
_log = logging.getLogger("ontofetch.votes")


@dataclass(frozen=True, slots=True)
class Raised:
    """What a plugin raised: its name and the exception."""

    plugin: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class Ballot:
    """What came of asking once: what was raised, in its order, and plugin → milliseconds that its vote took."""

    raised: list[Raised] = field(default_factory=list)
    milliseconds: dict[str, float] = field(default_factory=dict)


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
    def asked(self, hook: str) -> Iterator[Ballot]:
        """Yield what is filled with whatever plugins raise and spend in this thread until the end; name slow ones.

        Args:
            hook: What is called.
        """
        self._watch()
        ballot = Ballot()
        before = getattr(self._local, "ballot", None)
        self._local.ballot = ballot
        try:
            yield ballot
        finally:
            self._local.ballot = before
            for plugin, spent in ballot.milliseconds.items():
                if spent > SLOW_MILLISECONDS:
                    _log.warning(
                        "plugin %s took %.1f s in %s; a vote should be quick", quote(plugin), spent / 1000, hook
                    )

    def _watch(self) -> None:
        """Watch everybody, those too who were registered since the last time."""
        with self._lock:
            for name in TRANSACTIONAL:
                for impl in getattr(self._manager.hook, name).get_hookimpls():
                    if impl.plugin_name != self._apart and impl not in self._watched:
                        self._watched.append(impl)
                        surround(impl, partial(_Noting, self._local, impl.plugin_name))


class _Noting:
    """Note what leaves its body, but for the end of a generator, and how long it took."""

    def __init__(self, local: threading.local, plugin: str) -> None:
        self._local = local
        self._plugin = plugin
        self._start = 0.0

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        ballot: Ballot | None = getattr(self._local, "ballot", None)
        if ballot is None:
            return
        spent = (time.perf_counter() - self._start) * 1000
        ballot.milliseconds[self._plugin] = ballot.milliseconds.get(self._plugin, 0.0) + spent
        if error is None or isinstance(error, StopIteration | GeneratorExit):
            return
        # on its way out it passes the wrappers around its origin
        if all(error is not other.error for other in ballot.raised):
            ballot.raised.append(Raised(self._plugin, error))

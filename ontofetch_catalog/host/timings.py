"""The account of what plugins spend and raise: milliseconds of each plugin, and in whose code an error began.

It stands between pluggy and a plugin's functions; what the hooks are about is not known here.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from functools import partial
from types import TracebackType

import pluggy

from ontofetch_hookspecs.surround import surround

IMPORT = "import"


class PluginTimings:
    """Milliseconds by plugin, and by plugin and hook; the last error with its plugin and hook, per thread."""

    def __init__(self) -> None:
        self.milliseconds: defaultdict[str, float] = defaultdict(float)
        self.by_hook: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._local = threading.local()

    def spending(self, plugin: str, hook: str = "") -> _Spending:
        """Return a context that charges its time to `plugin`; time that others spend inside is theirs."""
        return _Spending(self, plugin, hook)

    def watch(self, impl: pluggy.HookImpl, hook: str) -> None:
        """Put an implementation of a hook under observation."""
        surround(impl, partial(self.spending, impl.plugin_name, hook))

    def hooks_of(self, plugin: str) -> dict[str, float]:
        """Return hook → milliseconds of a plugin, the longest first; its import is called that."""
        spent = {hook or IMPORT: ms for (name, hook), ms in self.by_hook.items() if name == plugin}
        return dict(sorted(spent.items(), key=lambda item: (-item[1], item[0])))

    def failing_plugin(self, error: BaseException) -> tuple[str, str] | None:
        """Return (plugin, hook) in whose code `error` was raised last in this thread, None if it was nobody's."""
        raised = getattr(self._local, "raised", None)
        return raised[1:] if raised is not None and raised[0] is error else None

    def _charge(self, plugin: str, hook: str, seconds: float, error: BaseException | None) -> None:
        self.milliseconds[plugin] += seconds * 1000
        self.by_hook[plugin, hook] += seconds * 1000
        # on its way out the error passes the wrappers around its origin
        if error is not None and self.failing_plugin(error) is None:
            self._local.raised = (error, plugin, hook)

    def _nested(self) -> list[float]:
        found: list[float] | None = getattr(self._local, "nested", None)
        if found is None:
            found = self._local.nested = [0.0]
        return found


class _Spending:
    """Measures its body without what nested bodies spend."""

    def __init__(self, ledger: PluginTimings, plugin: str, hook: str) -> None:
        self._ledger = ledger
        self._plugin = plugin
        self._hook = hook
        self._start = 0.0

    def __enter__(self) -> None:
        self._ledger._nested().append(0.0)
        self._start = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        spent = time.perf_counter() - self._start
        nested = self._ledger._nested()
        inside = nested.pop()
        nested[-1] += spent
        # the end of a generator is no error
        real = None if isinstance(error, StopIteration | GeneratorExit) else error
        self._ledger._charge(self._plugin, self._hook, spent - inside, real)

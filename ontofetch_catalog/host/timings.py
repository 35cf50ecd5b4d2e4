"""The account of what plugins spend: milliseconds of each plugin.

It stands between pluggy and a plugin's functions; what the hooks are about is not known here.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pluggy

from ontofetch_hookspecs.surround import surround

IMPORT = "import"


class PluginTimings:
    """Milliseconds by plugin, and by plugin and hook."""

    def __init__(self) -> None:
        self.milliseconds: defaultdict[str, float] = defaultdict(float)
        self.by_hook: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._local = threading.local()

    @contextmanager
    def spending(self, plugin: str, hook: str = "") -> Iterator[None]:
        """Charge the time of a `with` to `plugin`; time that others spend inside is theirs."""
        inside: list[float] = vars(self._local).setdefault("inside", [0.0])
        inside.append(0.0)
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            own = (spent - inside.pop()) * 1000
            inside[-1] += spent
            self.milliseconds[plugin] += own
            self.by_hook[plugin, hook] += own

    def watch(self, impl: pluggy.HookImpl, hook: str) -> None:
        """Put an implementation of a hook under observation."""
        surround(impl, partial(self.spending, impl.plugin_name, hook))

    def hooks_of(self, plugin: str) -> dict[str, float]:
        """Return hook → milliseconds of a plugin, the longest first; its import is called that."""
        spent = {hook or IMPORT: ms for (name, hook), ms in self.by_hook.items() if name == plugin}
        return dict(sorted(spent.items(), key=lambda item: (-item[1], item[0])))

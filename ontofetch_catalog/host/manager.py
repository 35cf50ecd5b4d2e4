"""Own the loading of plugins: one that is broken is reported in a line, and everything else works.

It is the one place beside `notify` that catches everything a plugin raises. What plugins do is not known here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from ontofetch_hookspecs import ENTRY_POINT_GROUP, PROJECT, TRANSACTIONAL, HostInfo, specs
from ontofetch_hookspecs.names import quote

from ..errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType

CATALOG = "catalog"


@dataclass(slots=True, kw_only=True)
class PluginState:
    """One plugin: its name, the version of its distribution, its hooks, `active`, `off` or `failed`, milliseconds."""

    name: str
    version: str = ""
    hooks: tuple[str, ...] = ()
    state: str = "active"
    reason: str = ""
    milliseconds: float = 0.0


@dataclass(slots=True)
class Plugins:
    """The manager with what is loaded, and the state of every plugin that was found."""

    manager: pluggy.PluginManager
    states: dict[str, PluginState] = field(default_factory=dict)
    report: Callable[[str], None] = print

    def fail(self, name: str, error: BaseException) -> None:
        """Leave a plugin out from now on, and say so in one line."""
        state = self.states.setdefault(name, PluginState(name=name))
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        state.state, state.reason = "failed", reason
        if self.manager.has_plugin(name):
            self.manager.unregister(name=name)
        self.report(f"plugin {quote(name)} is left out: {reason}")

    def each(self, hook: str) -> Iterator[tuple[str, Any]]:
        """Yield (plugin, item) of what the plugins contribute through `hook`, each plugin isolated and timed."""
        for contributor in list(getattr(self.manager.hook, hook).get_hookimpls())[::-1]:
            name, start = contributor.plugin_name, time.perf_counter()
            try:
                items: Iterable[Any] = list(contributor.function())
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything; it is reported and left out
                self.fail(name, error)
                continue
            self._spend(name, start)
            for item in items:
                yield name, item

    def ready(self, host: HostInfo) -> None:
        """Tell every plugin which host this is; one that raises is left out."""
        failed: list[tuple[str, Exception]] = []
        for listener in self.manager.hook.on_host_ready.get_hookimpls():
            listener.function = self._guarded(listener.plugin_name, listener.function, failed)  # type: ignore[misc]
        self.manager.hook.on_host_ready.call_historic(kwargs={"host": host})
        for name, error in failed:
            self.fail(name, error)

    def _guarded(self, name: str, function: Any, failed: list[tuple[str, Exception]]) -> Any:
        def guarded(*args: Any) -> None:
            start = time.perf_counter()
            try:
                function(*args)
            except Exception as error:  # noqa: BLE001 - likewise; the others must still be told
                failed.append((name, error))
            self._spend(name, start)

        return guarded

    def _spend(self, name: str, start: float) -> None:
        self.states.setdefault(name, PluginState(name=name)).milliseconds += (time.perf_counter() - start) * 1000


def load_plugins(off: Sequence[str], report: Callable[[str], None]) -> Plugins:
    """Load the plugins of the installed distributions, the catalog last so that its wrappers are outermost.

    Args:
        off: Names of plugins to leave out.
        report: Is given one line for each plugin that can't be used.

    Raises:
        UsageError: `off` names a plugin that is not installed.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    plugins = Plugins(manager, report=report)
    found = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: (point.name == CATALOG, point.name))
    unknown = sorted(set(off) - {point.name for point in found})
    if unknown:
        known = ", ".join(sorted({point.name for point in found}))
        raise UsageError(
            f"There is no plugin {quote(unknown[0])} to leave out.", subject=unknown[0], hint=f"Installed are: {known}."
        )
    for point in found:
        _load(plugins, point, off=point.name in off)
    _check_hooks(plugins)
    outside = check_outermost(manager)
    if outside:
        report(outside)
    return plugins


def _load(plugins: Plugins, point: EntryPoint, *, off: bool) -> None:
    version = point.dist.version if point.dist else ""
    if point.name in plugins.states:
        plugins.report(f"a second plugin called {quote(point.name)} ({quote(point.value)}) is left out")
        return
    state = plugins.states[point.name] = PluginState(name=point.name, version=version, state="off" if off else "active")
    if off:
        return
    start = time.perf_counter()
    try:
        plugin = point.load()
        plugins.manager.register(plugin, name=point.name)
        callers = plugins.manager.get_hookcallers(plugin) or []
        state.hooks = tuple(sorted(caller.name for caller in callers))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an import may raise anything, even an exit; it is reported
        plugins.fail(point.name, error)
    state.milliseconds += (time.perf_counter() - start) * 1000


def _check_hooks(plugins: Plugins) -> None:
    """Leave out a plugin that implements a hook nobody calls: most likely it is misspelled."""
    while True:
        try:
            plugins.manager.check_pending()
        except pluggy.PluginValidationError as error:
            name = plugins.manager.get_name(error.plugin) or str(error.plugin)
            plugins.fail(name, error)
            if plugins.manager.has_plugin(name):
                return
        else:
            return


def check_outermost(manager: pluggy.PluginManager) -> str:
    """Return a sentence about the first plugin whose wrapper is outside the catalog's, empty if there is none."""
    if not manager.has_plugin(CATALOG):
        return ""
    for hook in TRANSACTIONAL:
        # the last of the list is called first, so it is outermost
        outermost = getattr(manager.hook, hook).get_hookimpls()[-1]
        if outermost.plugin_name != CATALOG:
            return (
                f"the plugin {quote(outermost.plugin_name)} wraps {hook} outside of the catalog: what it raises after "
                "the catalog's commit looks to the host as if nothing had been recorded"
            )
    return ""


def blame(manager: pluggy.PluginManager, error: BaseException) -> str:
    """Return the name of the plugin in whose code `error` was raised, empty if it was the catalog's or nobody's."""
    owners = {_module_of(plugin): name for name, plugin in manager.list_name_plugin() if plugin is not None}
    traceback: TracebackType | None = error.__traceback__
    found = ""
    while traceback is not None:
        found = owners.get(traceback.tb_frame.f_globals.get("__name__", ""), found)
        traceback = traceback.tb_next
    return "" if found == CATALOG else found


def _module_of(plugin: object) -> str:
    return str(getattr(plugin, "__name__", None) or type(plugin).__module__)

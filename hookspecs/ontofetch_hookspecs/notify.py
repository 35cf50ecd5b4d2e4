"""Tell observers and ask for contributions, one plugin at a time, so that none can harm another or what is committed.

It is the one place beside the host's loading of plugins that catches everything: it times, logs and returns what
was raised.
"""

from __future__ import annotations

import logging
import time
from itertools import islice
from typing import TYPE_CHECKING

from .commands import describe
from .light_dataclasses import dataclass

if TYPE_CHECKING:
    import pluggy

    from .commands import HostInfo
    from .events import CatalogCommitted, CatalogRolledBack

MOST_CONTRIBUTIONS = 1_000  # of one plugin through one hook; a generator without an end has more
FAILURES = (Exception, SystemExit)  # `sys.exit` in a hook would end the host without a word
_log = logging.getLogger("ontofetch.notify")


@dataclass(frozen=True, slots=True)
class ObserverError:
    """What one plugin raised: its name, the hook, the boundary (empty if none), the exception, the milliseconds."""

    plugin: str
    hook: str
    boundary_id: str
    error: BaseException
    milliseconds: float


def notify(manager: pluggy.PluginManager, event: CatalogCommitted | CatalogRolledBack) -> list[ObserverError]:
    """Tell each plugin, one at a time, what was committed or given up, and return what went wrong; raises nothing."""
    from .events import CatalogCommitted

    hook = "on_catalog_committed" if isinstance(event, CatalogCommitted) else "on_boundary_failed"
    about = f"boundary {event.boundary_id}" if isinstance(event, CatalogCommitted) else event.version_id
    errors = []
    for plugin_impl in getattr(manager.hook, hook).get_hookimpls():
        name = plugin_impl.plugin_name
        others = [plugin for other, plugin in manager.list_name_plugin() if plugin is not None and other != name]
        start = time.perf_counter()
        try:
            manager.subset_hook_caller(hook, others)(event=event)
        except FAILURES as error:  # an observer's failure must not undo or stop anything; it is logged
            spent = (time.perf_counter() - start) * 1000
            errors.append(ObserverError(name, hook, getattr(event, "boundary_id", ""), error, spent))
            _log.error("plugin %s failed in %s for %s: %s", name, hook, about, describe(error))
            _log.debug("traceback of plugin %s", name, exc_info=error)
    return errors


def gather(manager: pluggy.PluginManager, hook: str) -> tuple[list[tuple[str, object]], list[ObserverError]]:
    """Return what plugins contribute through `hook` (`register_commands` …) and what went wrong; raises nothing.

    Args:
        manager: The host's manager.
        hook: Name of a hook that takes no arguments and returns an iterable.

    Returns:
        (plugin name, contribution) in the order of registration, and the errors.
    """
    found: list[tuple[str, object]] = []
    errors = []
    for plugin_impl in getattr(manager.hook, hook).get_hookimpls():
        name = plugin_impl.plugin_name
        start = time.perf_counter()
        try:
            items = list(islice(plugin_impl.function(), MOST_CONTRIBUTIONS + 1))
            if len(items) > MOST_CONTRIBUTIONS:
                raise ValueError(f"it contributes more than {MOST_CONTRIBUTIONS:,}, maybe without an end")
            found += [(name, item) for item in items]
        except FAILURES as error:  # a broken plugin must not take the others' contributions away
            spent = (time.perf_counter() - start) * 1000
            errors.append(ObserverError(name, hook, "", error, spent))
            _log.error("plugin %s failed in %s: %s", name, hook, describe(error))
            _log.debug("traceback of plugin %s", name, exc_info=error)
    return found, errors


def tell_ready(manager: pluggy.PluginManager, host: HostInfo) -> dict[str, BaseException]:
    """Tell every plugin which host this is; one that raises is left out from now on, and the others hear of it.

    Returns:
        Name → what was raised, of those that are left out.
    """
    failures: dict[str, BaseException] = {}
    for plugin_impl in manager.hook.on_host_ready.get_hookimpls():
        _isolate(plugin_impl, failures)
    manager.hook.on_host_ready.call_historic(kwargs={"host": host})
    for name in failures:
        manager.unregister(name=name)
    return failures


def _isolate(plugin_impl: pluggy.HookImpl, failures: dict[str, BaseException]) -> None:
    function = plugin_impl.function

    def isolated(*args: object, **kwargs: object) -> None:
        try:
            function(*args, **kwargs)
        except FAILURES as error:  # whoever calls `tell_ready` reports it
            failures[plugin_impl.plugin_name] = error

    plugin_impl.function = isolated  # type: ignore[misc] # as in `surround`

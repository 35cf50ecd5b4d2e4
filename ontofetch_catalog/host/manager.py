"""The loading of plugins: one that is broken is reported in a line and left out, and everything else works.

Beside `ontofetch_hookspecs.notify` it is the one place that catches whatever a plugin raises. What plugins do is not
known here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable
from contextlib import nullcontext
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import pluggy

from ontofetch_hookspecs import (
    ENTRY_POINT_GROUP,
    PROJECT,
    REQUIRED_GROUP,
    Command,
    HostInfo,
    Report,
    Validator,
    gather,
    specs,
)
from ontofetch_hookspecs.commands import describe
from ontofetch_hookspecs.errors import UsageError
from ontofetch_hookspecs.loading import (
    AROUND,
    CATALOG,
    NO_HOOK,
    find_outside,
    leave_out_misspelled,
    register,
    wrong_groups,
)
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.notify import tell_ready
from ontofetch_hookspecs.surround import surround

from ..guesses import did_you_mean
from .installed import Point, Points, entry_points
from .timings import PluginTimings

if TYPE_CHECKING:
    from ontofetch_hookspecs import SourceScheme

    from .apart import Surroundings

_log = logging.getLogger("ontofetch.host")
Contribution = TypeVar("Contribution")
_OWN_PACKAGE = __name__.partition(".")[0]


class PluginRecord:
    """What is known of one plugin that was found, whether it works or is left out.

    Attributes:
        name: Its name, by which `--no-plugin` leaves it out.
        point: Where it was found.
        hooks: The hooks it implements, sorted.
        state: `active`, `off`, `partial` (a contribution of it failed) or `failed` (it is left out).
        reason: Why it is partial or failed, one line.
    """

    def __init__(self, point: Point) -> None:
        self.name = point.name
        self.point = point
        self.hooks: tuple[str, ...] = ()
        self.state = "active"
        self.reason = ""

    @property
    def built_in(self) -> bool:
        """Return whether it comes with this package; then nobody takes its name or its commands' names."""
        return self.point.value.partition(":")[0].partition(".")[0] == _OWN_PACKAGE

    @property
    def distribution(self) -> tuple[str, str]:
        """Return name and version of the distribution it comes with, empty where there is none."""
        found = self.point.dist
        return found.told if found else ("", "")


class Plugins:
    """The manager with what is loaded, and a record of every plugin that was found, in the order of their names."""

    def __init__(self, manager: pluggy.PluginManager, records: list[PluginRecord]) -> None:
        self.manager = manager
        self.records = records
        self.ledger = PluginTimings()
        self.missing: dict[str, str] = {}
        self._required: frozenset[str] = frozenset()
        self._owners: dict[tuple[type, str], str] = {}

    def find(self, name: str) -> PluginRecord | None:
        """Return the record of the plugin that has this name; of two the first, None if there is none."""
        return next((record for record in self.records if record.name == name), None)

    def fail(self, record: PluginRecord, reason: str) -> None:
        """Leave a plugin out from now on, and say so in one line."""
        record.state, record.reason = "failed", reason
        _log.error("plugin %s is left out: %s", quote(record.name), reason)
        if record.name in self._required and self.find(record.name) is record:
            self.missing[record.name] = reason

    def require(self, names: Iterable[str], declared: Collection[str]) -> None:
        """Name the plugins that must be loaded; one that is not is `missing`, now or when it fails later.

        Args:
            names: Those that the user requires; they may not be left out either.
            declared: Those that say it of themselves; whoever leaves one of them out by name means it.
        """
        required = set(names)
        self._required = frozenset(required | set(declared))
        for name in sorted(self._required):
            record = self.find(name)
            if record is None:
                self.missing[name] = "it is not installed"
            elif record.state == "failed":
                self.missing[name] = record.reason
            elif record.state == "off" and name in required:
                self.missing[name] = "it is left out by --no-plugin"

    def ready(self, host: HostInfo) -> None:
        """Tell every plugin which host this is; one that raises is left out. Then check the order of the wrappers."""
        for name, error in tell_ready(self.manager, host).items():
            record = self.find(name)
            if record is not None:
                self.fail(record, f"on_host_ready: {describe(error)}")
        for name, hook in find_outside(self.manager).items():
            _log.warning("plugin %s wraps %s %s", quote(name), hook, AROUND)

    def contributions(self, hook: str, kind: type[Contribution], taken: Iterable[Contribution]) -> list[Contribution]:
        """Return what is `taken` already and what plugins contribute through `hook`; a name taken twice is refused.

        Args:
            hook: Name of the hook, e.g. `register_commands`.
            kind: The type of a contribution; it has a `name`.
            taken: The host's own.
        """
        found, errors = gather(self.manager, hook)
        for error in errors:
            self.mark_partial(error.plugin, f"{hook}: {describe(error.error)}")
        kept = {str(getattr(item, "name", "")): item for item in taken}
        ours = {record.name for record in self.records if record.built_in}
        for plugin, item in sorted(found, key=lambda pair: pair[0] not in ours):
            if not isinstance(item, kind) or not isinstance(getattr(item, "name", None), str):
                self.mark_partial(plugin, f"{hook} gave a {type(item).__name__}, not a {kind.__name__}")
                _log.warning("plugin %s: %s gave a %s", quote(plugin), hook, type(item).__name__)
                continue
            name = str(getattr(item, "name", ""))
            if name in kept:
                holder = self._owners.get((kind, name), "the host")
                reason = f"its {_words(kind)} {name} is left out: the name is {holder}'s"
                self.mark_partial(plugin, reason)
                _log.warning("plugin %s: %s", quote(plugin), reason)
            else:
                kept[name] = item
                self._owners[kind, name] = plugin
        return list(kept.values())

    def owner(self, contribution: Command | Report | Validator | SourceScheme) -> str:
        """Return the name of the plugin that contributes this, empty for the host's own."""
        return self._owners.get((type(contribution), contribution.name), "")

    def contributed_by(self, plugin: str) -> list[tuple[str, str]]:
        """Return kind and name of what a plugin contributes, as far as it was asked for, sorted."""
        return sorted((_words(kind), name) for (kind, name), owner in self._owners.items() if owner == plugin)

    def mark_partial(self, plugin: str, reason: str) -> None:
        """Note that something of a plugin is left out, and why."""
        record = self.find(plugin)
        if record is not None:
            record.state, record.reason = "partial", reason


def others_hear(manager: pluggy.PluginManager) -> bool:
    """Return whether a plugin that does not come with this package votes, observes or answers questions."""
    return any(
        not caller.name.startswith("register_")
        for plugin in manager.get_plugins()
        if not _is_ours(plugin)
        for caller in manager.get_hookcallers(plugin) or ()
    )


def _is_ours(plugin: object) -> bool:
    if isinstance(plugin, ModuleType):
        module = plugin.__name__
    else:
        module = (plugin if isinstance(plugin, type) else type(plugin)).__module__
    return module.partition(".")[0] == _OWN_PACKAGE


def _words(kind: type[Contribution]) -> str:
    """Return what a contribution is called in a sentence: `source scheme`."""
    return re.sub("(?<!^)(?=[A-Z])", " ", kind.__name__).lower()


def load_plugins(off: Collection[str], required: Collection[str] = (), installed: Points | None = None) -> Plugins:
    """Load the plugins of all installed distributions but those named in `off`.

    Args:
        off: Names of those to leave out.
        required: Names of those without which nothing may be recorded.
        installed: What is installed, where somebody has looked already.

    Raises:
        UsageError: `off` names a plugin that is not installed.
    """
    installed = installed or entry_points()
    for name, fault in wrong_groups(installed):
        _log.warning("plugin %s %s", quote(name), fault)
    points = sorted(installed.select(group=ENTRY_POINT_GROUP), key=lambda point: (point.name, point.value))
    _refuse_unknown(off, {point.name for point in points})
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    # of two plugins with one name ours stays
    records = sorted(map(PluginRecord, points), key=lambda it: not it.built_in)
    plugins = Plugins(manager, sorted(records, key=lambda record: record.name))
    surroundings = None
    if not all(record.built_in for record in records):
        from .apart import Surroundings

        surroundings = Surroundings()
    for record in sorted(plugins.records, key=lambda it: it.name == CATALOG):
        if record.name in off:
            record.state = "off"
        elif record is not plugins.find(record.name):
            plugins.fail(record, f"its name is taken ({quote(record.point.value)} comes second)")
        else:
            kept = surroundings and not record.built_in and surroundings.kept(record.name, "its import")
            with plugins.ledger.spending(record.name), kept or nullcontext():
                _load(plugins, record)
    for name, reason in leave_out_misspelled(plugins.manager):
        misspelled = plugins.find(name)
        if misspelled is not None:
            plugins.fail(misspelled, reason)
    for record in plugins.records:
        if record.state == "active":
            _watch(plugins, record, surroundings)
    plugins.require(required, {point.name for point in installed.select(group=REQUIRED_GROUP)})
    return plugins


def _refuse_unknown(off: Collection[str], known: set[str]) -> None:
    unknown = sorted(set(off) - known)
    if unknown:
        raise UsageError(
            f"There is no plugin {quote(unknown[0])} to leave out.",
            subject=unknown[0],
            hint=did_you_mean(
                unknown[0],
                sorted(known),
                f"Installed are: {', '.join(sorted(known))}." if known else "No plugin is installed.",
            ),
        )


def _load(plugins: Plugins, record: PluginRecord) -> None:
    def tell(what: str) -> None:
        _log.warning("plugin %s: %s", quote(record.name), what)

    own = record.name == CATALOG and record.built_in
    # one catalog for each manager: what the entry point names is the same object for all of them
    reason = register(plugins.manager, record.point, tell, prepare=(lambda found: type(found)()) if own else None)
    if reason:
        plugins.fail(record, reason)


def _watch(plugins: Plugins, record: PluginRecord, surroundings: Surroundings | None) -> None:
    plugin = plugins.manager.get_plugin(record.name)
    callers = plugins.manager.get_hookcallers(plugin) or []
    record.hooks = tuple(sorted(caller.name for caller in callers))
    if not callers:
        record.state, record.reason = "partial", NO_HOOK
        _log.warning("plugin %s: %s", quote(record.name), record.reason)
    for caller in callers:
        for impl in caller.get_hookimpls():
            if impl.plugin is plugin and caller.has_spec():
                if surroundings is not None and not record.built_in:
                    surround(impl, surroundings.context_for(record.name, caller.name))
                plugins.ledger.watch(impl, caller.name)

"""The registering of single plugins: their import, and what is wrong with how they write their hooks.

That is found before a plugin is registered, for a vote that never runs lets everything pass.

Every host does it in the same way; what it says of a plugin that is left out, and to whom, is the host's affair.
"""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable, Iterator
from types import MethodType
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from . import specs
from .commands import describe
from .names import quote
from .notify import FAILURES
from .requirements import contract_fault, is_released_together
from .specs import ENTRY_POINT_GROUP, REQUIRED_GROUP, TRANSACTIONAL, RetiredArgument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .requirements import Told

CATALOG = "catalog"  # the plugin that records; registered last, so that its wrappers enclose everybody's vote
NO_HOOK = "it implements no hook: mark its functions with ontofetch_hookspecs.hookimpl"
AROUND = "outside of the catalog: what it raises after the commit looks as if nothing had been recorded"
SLOW_SECONDS = 1.0  # an import that takes longer is named
Tell = Callable[[str], None]


class Point(Protocol):
    """An entry point, as `importlib.metadata` has it, or whoever reads what is installed by himself."""

    @property
    def name(self) -> str:
        """Return the name of the plugin."""

    @property
    def dist(self) -> Told | None:
        """Return the distribution that it comes with."""

    def load(self) -> Any:
        """Import and return what it names."""


class Points(Protocol):
    """All entry points that are installed."""

    @property
    def groups(self) -> set[str]:
        """Return the names of their groups."""

    def select(self, *, group: str) -> Iterable[Point]:
        """Return those of a group."""


def register(
    manager: pluggy.PluginManager, point: Point, tell: Tell, *, prepare: Callable[[object], object] | None = None
) -> str:
    """Import and register the plugin of an entry point; return why it is left out, empty if it is not.

    One that was written for another contract is not imported at all.

    Args:
        manager: With the contract's hooks.
        point: Where it was found.
        tell: Called with what the plugin should change, e.g. an argument that is retired.
        prepare: Turns what was imported into what is registered.
    """
    # what comes with the contract fits it, as its tests say
    ours = is_released_together(point.dist)
    fault = "" if ours else contract_fault(point.dist)
    if fault:
        return fault
    began = time.perf_counter()
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", RetiredArgument)
            plugin = point.load()
            took = time.perf_counter() - began
            found = plugin if prepare is None else prepare(plugin)
            fault = "" if ours else find_fault(manager, found)
            if fault:
                return fault
            manager.register(found, name=point.name)
    except FAILURES as error:  # an import may raise anything, even an exit
        # pluggy before 1.7 leaves a plugin half registered when one of its hooks does not fit
        if manager.has_plugin(point.name):
            manager.unregister(name=point.name)
        return describe(error)
    for warning in told:
        if issubclass(warning.category, RetiredArgument):
            tell(str(warning.message))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    if took > SLOW_SECONDS and not ours:
        tell(f"it takes {took:.1f} s to import, at every command: import what is heavy inside of its functions")
    return ""


def find_fault(manager: pluggy.PluginManager, plugin: object) -> str:
    """Return the first thing that is wrong with a plugin's hooks, as a clause that says what to do; empty if nothing.

    Hooks that do not exist are looked for elsewhere, once everybody is registered.

    Args:
        manager: It knows what is marked as an implementation.
        plugin: What its entry point names.
    """
    if inspect.isclass(plugin):
        return f"its entry point names the class {quote(plugin.__name__)}: let it name an object of that class"
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None:
            continue
        hook = str(options.get("specname") or name)
        wraps = bool(options.get("wrapper") or options.get("hookwrapper"))
        fault = _fault_of(getattr(plugin, name), hook, wraps=wraps)
        if fault:
            return fault
    return ""


def _fault_of(function: Callable[..., Any], hook: str, *, wraps: bool) -> str:
    inner = inspect.unwrap(function)
    if inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner):
        return f"its {hook} is async, and nobody awaits it: write it as a plain `def`"
    if inspect.isgeneratorfunction(inner) and not wraps and not hook.startswith("register_"):
        return (
            f"its {hook} has a `yield` and is no wrapper, so nothing of it would run: mark it with "
            "hookimpl(wrapper=True), or take the yield out"
        )
    specified = getattr(specs, hook, None)
    return "" if specified is None else _fault_of_arguments(inner, hook, list(inspect.signature(specified).parameters))


def _fault_of_arguments(function: Callable[..., Any], hook: str, known: list[str]) -> str:
    bound = isinstance(function, MethodType)
    plain = function.__func__ if isinstance(function, MethodType) else function
    found = list(inspect.signature(plain).parameters.values())
    if bound and found and found[0].name in known:
        return f"its {hook} has no `self`: write `def {hook}({', '.join(['self', *known])})`"
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    # one with a default is the plugin's own: it is never passed
    wanted = [it.name for it in found[bound:] if it.kind in positional and it.default is inspect.Parameter.empty]
    strange = [name for name in wanted if name not in known]
    if not strange:
        return ""
    takes = f"the hook takes {', '.join(known)}" if known else "the hook takes no argument"
    return f"its {hook} wants an argument {quote(strange[0])}: {takes}"


def has_hooks(manager: pluggy.PluginManager, name: str) -> bool:
    """Say whether a registered plugin implements any hook; `NO_HOOK` says what to do where it does not."""
    return bool(manager.get_hookcallers(manager.get_plugin(name)))


def wrong_groups(installed: Points) -> Iterator[tuple[str, str]]:
    """Yield name and fault of each plugin that nobody will find, for it is in a group that only looks like ours."""
    for group in sorted(installed.groups):
        if group.startswith(ENTRY_POINT_GROUP) and group not in (ENTRY_POINT_GROUP, REQUIRED_GROUP):
            for point in installed.select(group=group):
                where = f"is in the entry-point group {quote(group)}, where nobody looks"
                yield point.name, f"{where}: the group is {ENTRY_POINT_GROUP}"


def leave_out_misspelled(manager: pluggy.PluginManager) -> Iterator[tuple[str, str]]:
    """Unregister every plugin that implements a hook which does not exist; yield its name and why."""
    while True:
        try:
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            name = manager.get_name(error.plugin) or ""
            manager.unregister(error.plugin)
            # the rest of the sentence is where the plugin's object lies in memory
            reason = str(error).partition(" in plugin ")[0]
            wrong = reason.rpartition("unknown hook ")[2].strip("'")
            import difflib

            close = difflib.get_close_matches(wrong, _hooks(), n=1)
            yield name, f"{reason}, did you mean {close[0]}?" if close else reason
        else:
            return


def find_outside(manager: pluggy.PluginManager) -> dict[str, str]:
    """Return plugin → hook of each whose wrapper encloses the catalog's, sorted; `AROUND` says why that is wrong."""
    found: dict[str, str] = {}
    for hook in TRANSACTIONAL:
        # the last of the list is called first
        names = [impl.plugin_name for impl in getattr(manager.hook, hook).get_hookimpls()]
        for name in names[names.index(CATALOG) + 1 :] if CATALOG in names else ():
            found.setdefault(name, hook)
    return dict(sorted(found.items()))


def _hooks() -> list[str]:
    return [name for name in vars(specs) if name.startswith(("on_", "lookup_", "register_"))]

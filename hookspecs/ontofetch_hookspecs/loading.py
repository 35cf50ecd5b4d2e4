"""The registering of single plugins: their import, and hooks that do not exist.

Every host does it in the same way; what it says of a plugin that is left out, and to whom, is the host's affair.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import pluggy

from . import specs
from .commands import describe
from .notify import FAILURES
from .specs import RetiredArgument

if TYPE_CHECKING:
    from collections.abc import Iterable

CATALOG = "catalog"  # the plugin that records; registered last, so that its wrappers enclose everybody's vote
Tell = Callable[[str], None]


def register(
    manager: pluggy.PluginManager, point: EntryPoint, tell: Tell, *, prepare: Callable[[object], object] | None = None
) -> str:
    """Import and register the plugin of an entry point; return why it is left out, empty if it is not.

    Args:
        manager: With the contract's hooks.
        point: Where it was found.
        tell: Called with what the plugin should change, e.g. an argument that is retired.
        prepare: Turns what was imported into what is registered.
    """
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", RetiredArgument)
            plugin = point.load()
            manager.register(plugin if prepare is None else prepare(plugin), name=point.name)
    except FAILURES as error:  # an import may raise anything, even an exit
        # pluggy before 1.7 leaves a plugin half registered when one of its hooks does not fit
        if manager.has_plugin(point.name):
            manager.unregister(name=point.name)
        return describe(error)
    _tell_of(told, tell)
    return ""


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
            close = difflib.get_close_matches(wrong, _hooks(), n=1)
            yield name, f"{reason}, did you mean {close[0]}?" if close else reason
        else:
            return


def _tell_of(told: Iterable[warnings.WarningMessage], tell: Tell) -> None:
    for warning in told:
        if issubclass(warning.category, RetiredArgument):
            tell(str(warning.message))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def _hooks() -> list[str]:
    return [name for name in vars(specs) if name.startswith(("on_", "lookup_", "register_"))]

"""What plugins contribute, by name, and the call of one of them whose answer is read at once.

Whoever asks need not know which plugin it was: every error names it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, TypeVar

from .commands import call_contribution, leave_out, naming_plugin
from .errors import PluginFailed
from .names import quote
from .notify import gather

if TYPE_CHECKING:
    import pluggy

BUILT_IN = (
    "analytics",
    "catalog",
    "formats",
    "sources",
)  # what they contribute comes first, so that nobody takes a name of theirs
Kind = TypeVar("Kind")
Answer = TypeVar("Answer")
_log = logging.getLogger("ontofetch.notify")


def collect(manager: pluggy.PluginManager, hook: str, kind: type[Kind]) -> dict[str, tuple[str, Kind]]:
    """Return name → (plugin, contribution) of all plugins, those of the built-in ones first.

    What is of another type, or has a name that is taken, is left out and logged; raises nothing.

    Args:
        manager: The host's manager.
        hook: Name of the hook, e.g. `register_reports`.
        kind: The type of its contributions.
    """
    found, _ = gather(manager, hook)
    word = kind.__name__.lower()
    kept: dict[str, tuple[str, Kind]] = {}
    for plugin, item in sorted(found, key=lambda contribution: contribution[0] not in BUILT_IN):
        if not isinstance(item, kind):
            _log.warning(
                "plugin %s contributes a %s that is a %s; it is left out", quote(plugin), word, type(item).__name__
            )
            continue
        name = str(getattr(item, "name", ""))
        if name in kept:
            holder = kept[name][0]
            _log.warning("plugin %s: its %s %s is left out: the name is %s's", quote(plugin), word, quote(name), holder)
        else:
            kept[name] = plugin, item
    return kept


def ask_contribution(
    plugin: str, title: str, target: str, *args: Any, read: Callable[[Any], Answer], **values: Any
) -> Answer:
    """Call what a plugin has contributed and return its answer as `read` understands it.

    What it prints goes to stderr, and a `sys.exit` in it is a failure like any other.

    Args:
        plugin: Name of the plugin.
        title: What is called, e.g. "its retention keep-last".
        target: `package.module:function`.
        *args: What it is called with.
        read: Turns the answer into what the caller wants; what is wrong with it is an error of the plugin too.
        **values: What it is called with, by name.

    Raises:
        PluginFailed: It, or reading its answer, raised what is no OntofetchError, or it can't be loaded.
        OntofetchError: It raised that.
    """
    try:
        with redirect_stdout(sys.stderr):
            answer = call_contribution(plugin, title, target, *args, **values)
            # an answer may do its work as it is read
            with naming_plugin(plugin, title):
                return read(answer)
    except SystemExit as ended:
        raise PluginFailed(
            f"The plugin {quote(plugin)} failed in {title}: it called sys.exit({ended.code!r}).",
            subject=plugin,
            hint=leave_out(plugin),
        ) from ended

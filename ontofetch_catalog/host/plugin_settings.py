"""The settings of plugins' own: what each declares, held against what the settings file says.

How a value is read is known to `settings`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ontofetch_hookspecs import PluginSetting, UsageError, gather
from ontofetch_hookspecs.names import quote

from ..guesses import did_you_mean
from ..settings import read_plugin_settings
from .manager import Plugins


def settings_of(plugins: Plugins, given: Mapping[str, object], file: str) -> dict[str, dict[str, object]]:
    """Return the settings of each plugin that has some.

    Args:
        given: What the settings file says below `[plugin.NAME]`, by name.
        file: The settings file, for errors.

    Raises:
        UsageError: A value is of the wrong kind, or nobody has such a setting.
    """
    found, _ = gather(plugins.manager, "register_settings")
    declared: dict[str, list[PluginSetting]] = {}
    for plugin, item in found:
        if isinstance(item, PluginSetting):
            declared.setdefault(plugin, []).append(item)
        else:
            plugins.mark_partial(plugin, f"register_settings gave a {type(item).__name__}, not a PluginSetting")
    for name in sorted(given):
        record = plugins.find(name)
        if record is None:
            names = sorted({one.name for one in plugins.records})
            raise UsageError(
                f"{file} has settings of a plugin {quote(name)}, which is not installed.",
                subject=name,
                hint=did_you_mean(name, names, f"Installed are: {', '.join(names)}."),
            )
        if record.state not in ("off", "failed"):
            declared.setdefault(name, [])
    return {name: read_plugin_settings(name, settings, given.get(name), file) for name, settings in declared.items()}

"""A host as the settings want it: its plugins loaded, its store known, everybody told."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ontofetch_hookspecs import HostInfo, PluginSetting, UsageError, gather
from ontofetch_hookspecs.loading import CATALOG
from ontofetch_hookspecs.names import quote

from ..errors import OntofetchError
from ..guesses import did_you_mean
from ..settings import Settings, read_plugin_settings
from .installed import Points
from .manager import Plugins, load_plugins

NAME = "ontofetch"


def load_wanted(settings: Settings, installed: Points | None = None) -> Plugins:
    """Return the plugins that are installed, but for those that a setting leaves out.

    Args:
        installed: What is installed, where somebody has looked already.
    """
    return load_plugins(_names(settings.values["no_plugins"]), _names(settings.values["required_plugins"]), installed)


def make_ready(plugins: Plugins, settings: Settings, *, quiet: bool = False) -> HostInfo:
    """Return what the plugins of a host were told of it, after telling them; `quiet`: only what is wrong is said."""
    host = HostInfo(
        name=NAME,
        manager=plugins.manager,
        root=settings.root,
        run_id=os.urandom(16).hex(),
        config_hash=settings.config_hash,
        settings={**settings.values, "quiet": True} if quiet else settings.values,
        plugin_settings=_settings_of(plugins, settings.of_plugins, settings.file),
        missing_plugins=plugins.missing,
    )
    plugins.ready(host)
    return host


def open_installed(settings: Settings) -> tuple[HostInfo, Plugins]:
    """Return a host with its plugins."""
    plugins = load_wanted(settings)
    # names that two plugins contribute are found out here, as on the command line
    return make_ready(plugins, settings), plugins


def refuse_broken_catalog(plugins: Plugins) -> None:
    """Refuse to go on where a catalog is installed and does not work.

    Raises:
        OntofetchError: So it is.
    """
    record = plugins.find(CATALOG)
    if record is not None and record.state == "failed":
        raise OntofetchError(
            f"The plugin {CATALOG} is installed but does not work: {record.reason}.",
            subject=CATALOG,
            hint=f"Mend it; with `--no-plugin {CATALOG}` a release is published without being recorded.",
        )


def _settings_of(plugins: Plugins, given: Mapping[str, object], file: str) -> dict[str, dict[str, object]]:
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


def _names(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()

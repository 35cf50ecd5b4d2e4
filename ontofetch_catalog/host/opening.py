"""A host as the settings want it: its plugins loaded, its store known, everybody told."""

from __future__ import annotations

import os

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.loading import CATALOG

from ..errors import OntofetchError
from ..settings import Settings
from .installed import Points
from .manager import Plugins, load_plugins
from .plugin_settings import settings_of

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
        plugin_settings=settings_of(plugins, settings.of_plugins, settings.file),
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


def _names(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()

"""The checks of plugins that `db doctor` makes beside the catalog's own, and the catalog that they read."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs import Finding, HostInfo, collect
from ontofetch_hookspecs.names import quote

if TYPE_CHECKING:
    from ..catalog.doctor.of_plugins import PluginChecks

CATALOG = "catalog"  # the plugin whose checks are those of the catalog itself
PREFIX = "CAT"
Checks = Sequence[tuple[str, Finding]]
_log = logging.getLogger("ontofetch.catalog")


def find_checks(host: HostInfo) -> Checks:
    """Return (plugin, check) of other plugins than the catalog's; one with the catalog's code, or a fix, is logged."""
    kept = []
    for plugin, check in collect(host.manager, "register_findings", Finding).values():
        if plugin == CATALOG:
            continue
        if check.code.startswith(PREFIX):
            _log.warning(
                "plugin %s: its finding %s is left out: these codes are the catalog's", quote(plugin), check.code
            )
        elif check.fixes:
            _log.warning(
                "plugin %s: its finding %s is left out: it names fixes, which only the catalog's own can have",
                quote(plugin),
                check.code,
            )
        else:
            kept.append((plugin, check))
    return kept


def open_checks(host: HostInfo, checks: Checks) -> PluginChecks | None:
    """Return the checks with the catalog that they read, which opens the database read-only for each read."""
    if not checks:
        return None
    from ..analytics import Catalog
    from ..catalog.doctor.of_plugins import PluginChecks

    return PluginChecks(checks, Catalog.open(host.root, settings=host.settings))

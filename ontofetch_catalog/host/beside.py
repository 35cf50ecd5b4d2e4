"""The downloader that may be installed beside us and has the same name on the command line: found, and called.

It is looked for without importing anything of it; what its words mean is its own affair.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import PathFinder

from ontofetch_hookspecs import OntofetchError
from ontofetch_hookspecs.commands import describe

from ..settings import Settings
from .installed import Points

NAME = "ontofetch"
OWN = "ontofetch_catalog"
PACKAGE = ("DocsToKG", "OntologyDownload", "cli")
FUNCTION = "cli_main"


def find_other(installed: Points) -> str:
    """Return `module:function` of its command line; empty if it is not installed."""
    for point in installed.select(group="console_scripts"):
        if point.name == NAME and point.module.partition(".")[0] != OWN:
            return point.value
    try:
        # of a package at the top nothing is imported for this
        found = importlib.util.find_spec(PACKAGE[0])
    except (ImportError, ValueError):
        return ""
    name = PACKAGE[0]
    for part in PACKAGE[1:]:
        if found is None or found.submodule_search_locations is None:
            return ""
        name = f"{name}.{part}"
        found = PathFinder.find_spec(name, list(found.submodule_search_locations))
    return f"{name}:{FUNCTION}" if found is not None else ""


def run_other(target: str, words: Sequence[str], settings: Settings) -> int:
    """Run its command line and return its exit code; its pulls are recorded in the store of our settings.

    Args:
        target: `module:function`.
        words: Its words.
        settings: In force here: what our options said reaches the bridge, and its processes, by the environment.

    Raises:
        OntofetchError: It can't be loaded.
        SystemExit: Its parser is done.
    """
    os.environ["ONTOFETCH_ROOT"] = str(settings.root)
    os.environ["ONTOFETCH_WAIT"] = str(settings.values["wait"])
    off = settings.values["no_plugins"]
    os.environ["ONTOFETCH_NO_PLUGINS"] = ",".join(off) if isinstance(off, tuple) else ""
    module, _, name = target.partition(":")
    try:
        function = getattr(import_module(module), name.partition("[")[0].strip())
    except Exception as error:
        raise OntofetchError(
            f"The downloader beside this one, {target}, can't be loaded: {describe(error)}.",
            subject=target,
            hint="Mend its installation; ONTOFETCH_BRIDGE_COMMANDS=off brings back the commands of ontofetch-catalog.",
        ) from error
    former, sys.argv = sys.argv, [NAME, *words]
    try:
        code = function()
    finally:
        sys.argv = former
    return code if isinstance(code, int) else 0

"""The options that every command of every host understands."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .commands import HostInfo
from .errors import UsageError
from .names import quote


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command of every host understands to `parser`.

    The host reads them before it loads a plugin, wherever they stand on the line; here they are for `--help`.
    """
    group = parser.add_argument_group("options of every command")
    group.add_argument("--root", metavar="DIR", help="the store (default: ONTOFETCH_ROOT, else the user's data folder)")
    group.add_argument("--wait", metavar="SECONDS", help="how long to wait for another process (default: 60)")
    group.add_argument("--no-plugin", metavar="NAME", action="append", help="leave out a plugin; may be repeated")
    group.add_argument("-v", "--verbose", action="count", help="say more; may be repeated")
    group.add_argument("-q", "--quiet", action="store_true", help="print nothing but what is wrong")


def take_common_options(argv: Sequence[str], host: HostInfo) -> tuple[list[str], HostInfo]:
    """Take the options of every command out of the words of one: a host that mounts it may not have read them.

    Args:
        argv: The words after the command's own.
        host: The host.

    Returns:
        The other words, and a host whose root and settings are those that were asked for; with `-q` the setting
        `quiet` is true.

    Raises:
        UsageError: A plugin should be left out that is loaded already, or an option lacks its value.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add_common_options(parser)
    end = list(argv).index("--") if "--" in argv else len(argv)
    try:
        common, rest = parser.parse_known_args(argv[:end])
    except argparse.ArgumentError as error:
        raise UsageError(f"{str(error)[:1].upper()}{str(error)[1:]}.", subject=error.argument_name or "") from error
    loaded = [name for name in common.no_plugin or () if host.manager.has_plugin(name)]
    if loaded:
        raise UsageError(
            f"{host.name} has loaded the plugin {quote(loaded[0])} already.",
            subject="--no-plugin",
            hint=f"Leave it out where {host.name} loads its plugins.",
        )
    settings = dict(host.settings)
    if common.quiet:
        settings["quiet"] = True
    if common.wait is not None:
        try:
            settings["wait"] = float(common.wait)
        except ValueError as error:
            raise UsageError(f"--wait is {quote(common.wait)}, not a number.", subject="--wait") from error
    if common.root == "":
        raise UsageError("--root is empty.", subject="--root", hint="Give it a value, or leave it away.")
    root = host.root if common.root is None else Path(os.path.abspath(os.path.expanduser(common.root)))
    return [*rest, *argv[end:]], replace(host, root=root, settings=settings)

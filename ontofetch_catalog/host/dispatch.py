"""The way from the words of the command line to the one command that runs: settings, plugins, commands.

What a command does is not known here; it is imported when it runs.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from ontofetch_hookspecs import Command, HostInfo, PluginFailed, call_contribution, load_target
from ontofetch_hookspecs.errors import EXIT_OK, UsageError
from ontofetch_hookspecs.names import quote

from ..console.quiet import quietly
from ..console.told_commands import name_store
from ..guesses import close_names
from ..rendering.text import safe_text
from ..settings import Settings, read_settings
from ..settings_file import VARIABLE
from . import logs
from .argv import HOST_COMMANDS, overview, split_common
from .beside import find_other, run_other
from .installed import entry_points
from .manager import Plugins
from .opening import NAME, load_wanted, make_ready

DISTRIBUTION = "ontofetch-catalog"
OTHERS = frozenset({"pull"})  # commands of this host that another downloader beside it has, too
_HELP = ("-h", "--help", "help")
_log = logging.getLogger("ontofetch.host")


def run(words: Sequence[str]) -> int:
    """Run the command that `words` name and return its exit code.

    Raises:
        OntofetchError: It failed.
        SystemExit: A parser is done (`--help`).
    """
    common, rest = split_common(NAME, list(words))
    name_store(common.root)
    first = rest[0] if rest else ""
    if first == "--version":
        return _show_version()
    asks_help = first in _HELP
    if asks_help:
        logs.configure_plain()
    else:
        logs.configure(common.verbose or 0, quiet=common.quiet)
    off = None if common.no_plugin is None else ",".join(common.no_plugin)
    # help needs no store, so nobody has to look for the platform's folder
    root = os.curdir if asks_help else common.root
    settings = read_settings({"root": root, "wait": common.wait, "no_plugins": off})
    _tell_of_found_file(settings)
    installed = entry_points()
    other = find_other(installed) if settings.values["bridge_commands"] == "on" else ""
    plugins = load_wanted(settings, installed)
    if other or not all(record.built_in for record in plugins.records):
        logs.configure_structlog()
    commands = plugins.contributions("register_commands", Command, HOST_COMMANDS)
    if asks_help:
        print(overview(NAME, commands, other), end="")  # noqa: T201 - it is what was asked for
        return EXIT_OK
    ours = {command.name for command in commands} - OTHERS
    if other and first and not first.startswith("-") and first not in ours:
        return run_other(other, rest, settings)
    command = _choose(commands, first, plugins)
    if command is None:
        print(overview(NAME, commands), end="")  # noqa: T201 - no plugin shows anything without a command
        return EXIT_OK
    argv = rest if first.startswith("-") else rest[1:]
    with quietly(common.quiet):
        return _run_command(command, argv, plugins, make_ready(plugins, settings, quiet=common.quiet))


def _tell_of_found_file(settings: Settings) -> None:
    """Say which settings come from a file that nobody named, also with `-q`: whoever unpacked it may not know of it."""
    names = ", ".join(settings.from_found_file)
    if names:
        name = settings.found_file
        sys.stderr.write(f"settings: ./{name} of this folder sets {names} (silent if named: {VARIABLE}={name})\n")


def _show_version() -> int:
    from importlib.metadata import version

    print(NAME, version(DISTRIBUTION))  # noqa: T201 - it is what was asked for
    return EXIT_OK


def _choose(commands: Sequence[Command], word: str, plugins: Plugins) -> Command | None:
    """Return the command called `word`, or without one the first that is meant to run then; None if there is none."""
    if not word or word.startswith("-"):
        return next((command for command in commands if command.default), None)
    for command in commands:
        if command.name == word:
            return command
    names = [command.name for command in commands]
    close = close_names(word, names)
    if not close:
        from .parsers import list_verbs

        close = [name.replace("/", " ") for name in close_names(word, list_verbs(commands, plugins))]
    meant = " or ".join(f"`{NAME} {name}`" for name in close)
    hint = f"Did you mean {meant}?" if meant else f"There are: {', '.join(names)}."
    raise UsageError(f"There is no `{NAME} {safe_text(word)}`.", subject=word, hint=hint)


def _run_command(command: Command, argv: list[str], plugins: Plugins, host: HostInfo) -> int:
    try:
        plugin = plugins.owner(command)
        record = plugins.find(plugin)
        if command in HOST_COMMANDS:
            # they also see how the plugins were loaded
            code = load_target(command.target)(argv, host, plugins)  # type: ignore[operator]
        elif record is not None and record.built_in:
            code = load_target(command.target)(argv, host)  # type: ignore[operator]
        else:
            code = call_contribution(plugin, f"its command {command.name}", command.target, argv, host)
            _check_code(code, plugin, command)
    finally:
        for name, spent in sorted(plugins.ledger.milliseconds.items()):
            _log.debug("plugin %s took %.1f ms", name, spent)
    return int(code or EXIT_OK)


def _check_code(code: object, plugin: str, command: Command) -> None:
    if code is not None and not isinstance(code, int):
        raise PluginFailed(
            f"The plugin {quote(plugin)} returned a {type(code).__name__} from its command {command.name}, not an exit "
            "code.",
            subject=plugin,
        )

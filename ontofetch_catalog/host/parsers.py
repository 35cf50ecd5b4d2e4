"""The parsers of all commands in one tree: what the completion of shells and the manual are made of.

A command of ours hands its parser out before it does anything. One of another plugin is never run for it: its options
are known where the plugin says who makes its parser.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from ontofetch_hookspecs import (
    Command,
    HostInfo,
    OntofetchError,
    add_common_options,
    ask_contribution,
    load_target,
)

from ..console.output import warn
from ..console.parser import Family, handed_out
from .argv import HOST_COMMANDS
from .manager import Plugins
from .pull_cmd import MANY

Below = argparse._SubParsersAction  # what argparse calls the commands of a parser


def whole_parser(host: HostInfo, plugins: Plugins) -> argparse.ArgumentParser:
    """Return one parser with all commands, verbs and reports below it; what can't be asked is there by its name."""
    commands = plugins.contributions("register_commands", Command, HOST_COMMANDS)
    asked = {command: _ask(command, host, plugins) for command in commands}
    root = argparse.ArgumentParser(
        host.name,
        description="Keep releases of ontologies: fetched, unpacked, validated, recorded, compared.",
        parents=[
            parser
            for command, found in asked.items()
            if command.default
            for parser in found
            if isinstance(parser, argparse.ArgumentParser)
        ],
        add_help=False,
        allow_abbrev=False,
    )
    root.add_argument("--version", action="store_true", help="show the version of the program")
    below = root.add_subparsers(metavar="COMMAND", parser_class=argparse.ArgumentParser)
    for command, found in asked.items():
        _add(below, command.name, command.help, *found)
    return root


def walk(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Yield every parser below one with its line of help, each before those below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            lines = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, found in action.choices.items():
                yield found, lines[name]
                yield from walk(found)


def list_verbs(commands: Iterable[Command], plugins: Plugins) -> list[str]:
    """Return what there is below the commands that come with this package, as `db/verify`; no other one is asked."""
    host = HostInfo(name="", manager=plugins.manager, root=Path(os.sep), run_id="", config_hash="", settings={})
    found = []
    for command in commands:
        record = plugins.find(plugins.owner(command))
        if command not in HOST_COMMANDS and record is not None and record.built_in:
            below = handed_out(partial(_call, command.target, [], host))
            if isinstance(below, Family):
                found += [f"{command.name}/{name}" for name, _, _ in below.members]
    return found


def _ask(command: Command, host: HostInfo, plugins: Plugins) -> list[argparse.ArgumentParser | Family]:
    """Return the parsers of a command, the one whose words count first, or its family."""
    plugin = plugins.owner(command)
    record = plugins.find(plugin)
    if command in HOST_COMMANDS:
        variants = [[], [MANY[0]]] if command.name == "pull" else [[]]
        return [handed_out(partial(_call, command.target, words, host, plugins)) for words in variants]
    if record is not None and record.built_in:
        return [handed_out(partial(_call, command.target, [], host))]
    if command.parser is None:
        return [_bare()]
    title = f"the parser of its command {command.name}"
    try:
        return [ask_contribution(plugin, title, command.parser, host, read=_read)]
    except OntofetchError as error:
        warn(error)
        return [_bare()]


def _call(target: str, *values: object) -> object:
    return load_target(target)(*values)  # type: ignore[operator]


def _read(parser: object) -> argparse.ArgumentParser:
    if not isinstance(parser, argparse.ArgumentParser):
        raise TypeError(f"a {type(parser).__name__} was returned, not a parser of argparse")
    return parser


def _bare() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_common_options(parser)
    return parser


def _add(
    below: Below[argparse.ArgumentParser],
    name: str,
    text: str,
    first: argparse.ArgumentParser | Family,
    *others: argparse.ArgumentParser | Family,
) -> None:
    """Add a command with the options of its first parser, and those of the others that it lacks."""
    parent = _bare() if isinstance(first, Family) else first
    made = below.add_parser(
        name,
        help=text.replace("%", "%%"),
        description=parent.description,
        epilog=parent.epilog,
        parents=[parent],
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for other in others:
        for action in other._actions if isinstance(other, argparse.ArgumentParser) else ():
            if action.option_strings and not set(action.option_strings) & set(made._option_string_actions):
                made._add_action(action)
    if isinstance(first, Family):
        inner = made.add_subparsers(metavar=first.metavar)
        for member, line, run in first.members:
            found: argparse.ArgumentParser | Family
            try:
                found = handed_out(run)
            except OntofetchError as error:
                warn(error)
                found = _bare()
            _add(inner, member, line, found)

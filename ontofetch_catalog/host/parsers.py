"""The parsers of all commands in one tree: what the completion of shells and the manual are made of.

A command of ours hands its parser out before it does anything. One of another plugin is never run for it: its options
are known where the plugin says who makes its parser.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator

from ontofetch_hookspecs import (
    Command,
    HostInfo,
    OntofetchError,
    Report,
    add_common_options,
    ask_contribution,
    collect,
    load_target,
)

from ..cli.db_cmd import VERBS
from ..cli.output import warn
from ..cli.parser import handed_out
from .commands import HOST_COMMANDS
from .manager import Plugins
from .updating.pull_many import MANY

Parsers = list[argparse.ArgumentParser]


def whole_parser(host: HostInfo, plugins: Plugins) -> argparse.ArgumentParser:
    """Return one parser with all commands, verbs and reports below it; what can't be asked is there by its name."""
    commands = plugins.contributions("register_commands", Command, HOST_COMMANDS)
    root = argparse.ArgumentParser(
        host.name,
        description="Keep releases of ontologies: fetched, unpacked, validated, recorded, compared.",
        parents=[parser for item in commands if item.default for parser in _asked(item, host, plugins)],
        add_help=False,
        allow_abbrev=False,
    )
    root.add_argument("--version", action="store_true", help="show the version of the program")
    below = root.add_subparsers(metavar="COMMAND", parser_class=argparse.ArgumentParser)
    for command in commands:
        if command.name == "db":
            _add_family(below, command, _verbs(host))
        elif command.name == "report":
            _add_family(below, command, _reports(host))
        else:
            _add(below, command.name, command.help, _asked(command, host, plugins))
    return root


def walk(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Yield every parser below one with its line of help, each before those below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            lines = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, found in action.choices.items():
                yield found, lines[name]
                yield from walk(found)


def _verbs(host: HostInfo) -> Iterator[tuple[str, str, Parsers]]:
    for verb, (text, target) in VERBS.items():
        yield verb, text, _handed_out(target, [], host)


def _reports(host: HostInfo) -> Iterator[tuple[str, str, Parsers]]:
    from ..cli import analytics_cmd

    for name, (plugin, report) in collect(host.manager, "register_reports", Report).items():
        try:
            parsers = [analytics_cmd.make_parser(plugin, report, host)]
        except OntofetchError as error:
            warn(error)
            parsers = [_bare()]
        yield name, report.help, parsers


def _asked(command: Command, host: HostInfo, plugins: Plugins) -> Parsers:
    """Return the parsers of a command, the one whose words count first."""
    if command in HOST_COMMANDS:
        variants = [[], [MANY[0]]] if command.name == "pull" else [[]]
        return [parser for words in variants for parser in _handed_out(command.target, words, host, plugins)]
    plugin = plugins.owner(command)
    record = plugins.find(plugin)
    if record is not None and record.built_in:
        return _handed_out(command.target, [], host)
    if command.parser is None:
        return [_bare()]
    try:
        return [ask_contribution(plugin, f"the parser of its command {command.name}", command.parser, host, read=_read)]
    except OntofetchError as error:
        warn(error)
        return [_bare()]


def _read(parser: object) -> argparse.ArgumentParser:
    if not isinstance(parser, argparse.ArgumentParser):
        raise TypeError(f"a {type(parser).__name__} was returned, not a parser of argparse")
    return parser


def _bare() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_common_options(parser)
    return parser


def _handed_out(target: str, words: list[str], host: HostInfo, *more: object) -> Parsers:
    run = load_target(target)
    return [handed_out(lambda: run(words, host, *more))] if callable(run) else []


def _add_family(
    below: argparse._SubParsersAction[argparse.ArgumentParser],
    command: Command,
    members: Iterable[tuple[str, str, Parsers]],
) -> None:
    parser = _add(below, command.name, command.help, [_bare()])
    inner = parser.add_subparsers(metavar="VERB" if command.name == "db" else "NAME")
    for name, text, parsers in members:
        _add(inner, name, text, parsers)


def _add(
    below: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, parsers: Parsers
) -> argparse.ArgumentParser:
    first, *others = parsers
    made = below.add_parser(
        name,
        help=text.replace("%", "%%"),
        description=first.description,
        epilog=first.epilog,
        parents=[first],
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for action in (action for other in others for action in other._actions if action.option_strings):
        if not set(action.option_strings) & set(made._option_string_actions):
            made._add_action(action)
    return made

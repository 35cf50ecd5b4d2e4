"""The words of the command line: the host's own commands, the options of every command wherever they stand, the help.

What the commands do is not known here.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from ontofetch_hookspecs import Command, add_common_options

from ..console.parser import Parser
from ..rendering.text import safe_text

_UPDATING = "ontofetch_catalog.host.updating"
HOST_COMMANDS = (
    Command("pull", "fetch a release, unpack it, validate it, record it", "ontofetch_catalog.host.pull_cmd:main"),
    Command("update", "ask the sources of all series, pull what is new", f"{_UPDATING}.update_cmd:main"),
    Command("add", "name the source of a series once, for `update`", f"{_UPDATING}.add_cmd:main"),
    Command("plugins", "list the plugins: hooks, state, time spent", "ontofetch_catalog.host.plugins_cmd:main"),
    Command("completion", "print what lets a shell complete words", "ontofetch_catalog.host.completion_cmd:main"),
)
EXIT_CODES = """exit codes:
  0    fine
  1    an error, or the veto of a plugin
  2    wrong usage
  3    findings, e.g. a pull with files that fail validation
  4    another process holds the catalog
  5    something is new (`update --exit-code`)
  130  interrupted (SIGINT)
  143  terminated (SIGTERM)"""


def split_common(prog: str, words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Take the options of every command out of `words`, wherever they stand before `--`; return them and the rest.

    Raises:
        UsageError: One of them lacks its value.
    """
    parser = Parser(prog, "", with_help=False)
    add_common_options(parser)
    end = words.index("--") if "--" in words else len(words)
    common, rest = parser.parse_known_args(words[:end])
    return common, rest + words[end:]


def overview(prog: str, commands: Iterable[Command], other: str = "") -> str:
    """Return the help of the whole program: commands with one line each, common options, exit codes, an example.

    Args:
        other: Another downloader, to which all other words go, `pull` too; empty if there is none.
    """
    lines = {
        safe_text(command.name): safe_text(command.help) + (" (the default)" if command.default else "")
        for command in commands
    }
    if other:
        lines |= {"pull": f"goes to {safe_text(other)}", "…": "and so does any other word"}
    width = max(map(len, lines), default=0) + 2
    parser = argparse.ArgumentParser(
        prog=prog,
        usage=f"{prog} [COMMAND] [OPTION]…",
        description="Keep releases of ontologies: fetched, unpacked, validated, recorded, compared.",
        epilog=f"{EXIT_CODES}\n\n"
        f"example: {prog} pull ./hp.obo --service obo --ontology hp --version 2025-09-15\n"
        f"`{prog} COMMAND --help` shows the options of a command.",
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument_group("commands", "\n".join(f"{name:<{width}}{text}" for name, text in lines.items()))
    group = parser.add_argument_group("options before a command")
    group.add_argument("-h", "--help", action="store_true", help="show this help")
    group.add_argument("--version", action="store_true", help="show the version of the program")
    add_common_options(parser)
    return parser.format_help()

"""`ontofetch completion`: print the script by which a shell completes commands, options and choices."""

from __future__ import annotations

import argparse
import re

from ontofetch_hookspecs import HostInfo, add_common_options

from ..console.output import print_document
from ..console.parser import Parser
from ..errors import EXIT_OK
from ..rendering.text import safe_text
from .manager import Plugins

SHELLS = ("bash", "zsh", "fish")
_TEXT = """Print the script by which a shell completes commands, options and choices, those of plugins too.

For one shell:   source <({name} completion bash)                                     bash, in ~/.bashrc
                 {name} completion zsh > ~/.zfunc/_{name}                      zsh, a folder of $fpath
                 {name} completion fish > ~/.config/fish/completions/{name}.fish
Print it again when plugins are added or the program is updated."""
_FILES = ("FILE", "LIST", "LIST.csv", "LOCK", "PATH", "PATH|URL", "SOURCE", "PUB", "KEY")
_FOLDERS = ("DIR", "TREE")
_LISTED = re.compile(r"\{(.+)\}")
_PLAIN = re.compile(r"[\w.,:@%+=/-]+", re.ASCII)  # means nothing to a shell


def main(argv: list[str], host: HostInfo, plugins: Plugins) -> int:
    """Print the script for one shell."""
    parser = Parser(f"{host.name} completion", _TEXT.format(name=host.name), f"source <({host.name} completion bash)")
    parser.add_argument("shell", choices=SHELLS, help="for which shell")
    add_common_options(parser)
    shell = parser.parse_args(argv).shell
    print_document(script(host, plugins, shell).encode())
    return EXIT_OK


def script(host: HostInfo, plugins: Plugins, shell: str) -> str:
    """Return the script for one shell."""
    import shtab

    from .parsers import walk, whole_parser

    root = whole_parser(host, plugins)
    for parser, line in [(root, ""), *walk(root)]:
        # beside the name of a command there is room for one line
        parser.description = _one_line(line)
        for action in parser._actions:
            _prepare(action)
    return str(shtab.complete(root, shell=shell))


def _prepare(action: argparse.Action) -> None:
    """Say in the words of shtab what an argument takes, and leave nothing in it that a shell would obey."""
    if isinstance(action, argparse._SubParsersAction):
        return
    if action.help is not None and action.help != argparse.SUPPRESS:
        action.help = _one_line(action.help)
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    listed = _LISTED.fullmatch(metavar)
    if action.choices is None and listed:
        action.choices = listed[1].split(",")
    if action.choices is not None:
        action.choices = [choice for choice in map(str, action.choices) if _PLAIN.fullmatch(choice)]
    if metavar in _FILES:
        action.complete = _shtab("FILE")  # type: ignore[attr-defined]
    elif metavar in _FOLDERS:
        action.complete = _shtab("DIRECTORY")  # type: ignore[attr-defined]


def _shtab(name: str) -> dict[str, str]:
    import shtab

    found: dict[str, str] = getattr(shtab, name)
    return found


def _one_line(text: str) -> str:
    """Return a help in one line without what a shell or a terminal obeys, formats of argparse as they are."""
    return re.sub(r"[`$\\\"]", "'", safe_text(" ".join(text.split())))

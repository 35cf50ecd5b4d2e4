"""The manual page, `docs/ontofetch.1`, made of the parsers of all commands.

usage: python -m tests.manual        (writes it)
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ontofetch_catalog.host.argv import EXIT_CODES
from ontofetch_catalog.host.opening import open_installed
from ontofetch_catalog.host.parsers import walk, whole_parser
from ontofetch_catalog.settings import read_settings

PAGE = Path(__file__).parents[1] / "docs/ontofetch.1"
SHARED = ("options of every command", "output")  # groups that are told once
OURS = {"catalog", "analytics", "formats", "sources"}
_FORMATS = re.compile(r"%\((\w+)\)s|%%")


def make_page() -> str:
    """Return the page in the language of man, of the commands of this distribution alone."""
    host, plugins = open_installed(read_settings({"root": "/nonexistent"}))
    foreign = {record.name for record in plugins.records} - OURS
    if foreign:
        host, plugins = open_installed(read_settings({"root": "/nonexistent", "no_plugins": ",".join(sorted(foreign))}))
    root = whole_parser(host, plugins)
    parsers = [parser for parser, _ in walk(root)]
    lines = [
        '.\\" by `python -m tests.manual`, from the parsers of the commands',
        ".TH ONTOFETCH 1",
        ".SH NAME",
        "ontofetch \\- keep releases of ontologies",
        ".SH SYNOPSIS",
        ".B ontofetch",
        "[\\fICOMMAND\\fR] [\\fIOPTION\\fR]...",
        ".SH DESCRIPTION",
        *_text(root.description or ""),
        ".PP",
        "Without a command it shows what there is, a line for each series.",
        ".SH OPTIONS OF EVERY COMMAND",
        *_options(_group(parsers[0], SHARED[0])),
        ".SH OPTIONS OF OUTPUT",
        "Commands that print rows have these; \\fB\\-q\\fR leaves out rows that tell no more than that all is well,",
        "unless a format or a file is named.",
        *_options(_group(next(parser for parser in parsers if _group(parser, SHARED[1])), SHARED[1])),
        ".SH COMMANDS",
    ]
    for parser, line in walk(root):
        lines += _command(parser, line)
    codes = (line.split(None, 1) for line in EXIT_CODES.splitlines()[1:])
    lines += [".SH EXIT STATUS", *(text for code, told in codes for text in (".TP", _escape(code), _escape(told)))]
    lines += [".SH ENVIRONMENT", ".TP", "ONTOFETCH_ROOT", "The store."]
    lines += [".TP", "ONTOFETCH_...", "Every setting; docs/settings.md lists them.", ".SH SEE ALSO"]
    lines += ["The documents beside the program, docs/, of which README.md names each."]
    return "\n".join(lines) + "\n"


def _command(parser: argparse.ArgumentParser, line: str) -> Iterator[str]:
    names = [item for action in parser._actions if not action.option_strings for item in _positional(action)]
    yield f'.SS "{_escape(" ".join([parser.prog, *names]))}"'
    yield from _text(parser.description or f"{line[:1].upper()}{line[1:]}.")
    own = [
        action
        for group in parser._action_groups
        if group.title not in SHARED
        for action in group._group_actions
        if "--help" not in action.option_strings and not isinstance(action, argparse._SubParsersAction)
    ]
    loose = [action for action in parser._actions if action.option_strings and not _is_grouped(parser, action)]
    yield from _options([*own, *(action for action in loose if action not in own)])
    if parser.epilog:
        yield ".PP"
        yield from _text(parser.epilog)


def _is_grouped(parser: argparse.ArgumentParser, action: argparse.Action) -> bool:
    return any(action in group._group_actions for group in parser._action_groups)


def _group(parser: argparse.ArgumentParser, title: str) -> list[argparse.Action]:
    return [action for group in parser._action_groups if group.title == title for action in group._group_actions]


def _positional(action: argparse.Action) -> list[str]:
    if isinstance(action, argparse._SubParsersAction):
        return [str(action.metavar)]
    name = _value(action)
    return [{"?": f"[{name}]", "*": f"[{name}]..."}.get(str(action.nargs), name)]


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


def _options(actions: list[argparse.Action]) -> Iterator[str]:
    for action in actions:
        yield ".TP"
        value = "" if action.nargs == 0 else f" \\fI{_escape(_value(action))}\\fR"
        names = ", ".join(f"\\fB{_escape(name)}\\fR" for name in action.option_strings)
        yield (names + value).strip()
        yield from _text(_FORMATS.sub(partial(_shown, action), action.help or ""))


def _shown(action: argparse.Action, found: re.Match[str]) -> str:
    return "%" if found[1] is None else str(getattr(action, found[1]))


def _text(text: str) -> Iterator[str]:
    """Yield lines of running text; those that are indented stay as they stand."""
    plain = True
    for line in inspect.cleandoc(text).splitlines():
        aligned = line.startswith("  ") or "   " in line
        if aligned == plain:
            yield ".nf" if aligned else ".fi"
            plain = not aligned
        yield _escape(line) if line else ".PP"
    if not plain:
        yield ".fi"


def _escape(text: str) -> str:
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("…", "...")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")

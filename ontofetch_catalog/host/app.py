"""Own the program `ontofetch`: its options, its commands, and how every error becomes a sentence and an exit code.

What a command does is not known here; it is imported when it runs.
"""

from __future__ import annotations

import argparse
import signal
import sys
import uuid
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from ontofetch_hookspecs import Command, HostInfo, OntofetchError, UsageError, load_target
from ontofetch_hookspecs.errors import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_OK, EXIT_TERMINATED

from .manager import Plugins, load_plugins

if TYPE_CHECKING:
    from ..settings import Settings

NAME = "ontofetch"
_COMMANDS = (
    Command("pull", "fetch a release, unpack it, validate it, record it", "ontofetch_catalog.host.pull_cmd:main"),
    Command("plugins", "list the plugins that are installed", "ontofetch_catalog.host.plugins_cmd:main"),
)
_EXIT_CODES = """exit codes:
  0  fine                       3  findings (pull: files that fail validation)
  1  an error, or a veto        4  another process holds the catalog
  2  wrong usage                130, 143  interrupted, terminated"""


class Terminated(BaseException):
    """SIGTERM arrived; what is open is closed on the way out."""


_INTERRUPTS = {KeyboardInterrupt: ("interrupted", EXIT_INTERRUPTED), Terminated: ("terminated", EXIT_TERMINATED)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code.

    Args:
        argv: The words after the program's name; None: those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if sys.platform not in ("linux", "darwin"):
        return _fail(UsageError(f"{NAME} runs on Linux and macOS; this is {sys.platform}."), verbose=False)
    verbose = any(word in ("-v", "-vv", "--verbose") for word in words)
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        return _run(words)
    except (KeyboardInterrupt, Terminated) as error:
        ended, code = _INTERRUPTS[type(error)]
        sys.stderr.write(f"{ended}; what is staged is kept, and the next run goes on from there\n")
        return code
    except BrokenPipeError:
        return EXIT_OK
    except Exception as error:  # noqa: BLE001 - the last place: a user gets a sentence, with -v the traceback
        return _fail(error, verbose=verbose)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise Terminated


def _fail(error: Exception, *, verbose: bool) -> int:
    from ..rendering.text import safe_lines, safe_text

    if isinstance(error, OntofetchError):
        text, code = str(error), error.exit_code
    else:
        text, code = f"An unexpected {type(error).__name__}: {error}", EXIT_ERROR
        text += "" if verbose else f" (`{NAME} -v …` shows where)"
    if verbose:
        import traceback

        sys.stderr.write(safe_lines("".join(traceback.format_exception(error))))
    sys.stderr.write(f"error: {safe_text(text)}\n")
    return code


def _run(words: list[str]) -> int:
    common, words = _split(words)
    command = words[0] if words else ""
    if command in ("--version", "-V"):
        from importlib.metadata import version

        print(f"{NAME} {version('ontofetch-catalog')}")  # noqa: T201 - it is what was asked for
        return EXIT_OK
    from ..settings import read_settings

    flags = {"root": common.root, "wait": common.wait, "no_plugins": common.no_plugin}
    settings = read_settings(flags)
    off = settings.values["no_plugins"]
    plugins = load_plugins(off if isinstance(off, tuple) else (), _report(quiet=common.quiet))
    commands = _commands(plugins)
    if command in ("-h", "--help", "help"):
        print(_help(commands))  # noqa: T201 - likewise
        return EXIT_OK
    chosen = _choose(commands, command)
    if chosen is None:
        print(_help(commands))  # noqa: T201 - without a catalog there is nothing else to show
        return EXIT_OK
    return _call(chosen, words[1:], plugins, settings, common)


def _split(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Take the options that every command understands out of the words, wherever they stand."""
    parser = argparse.ArgumentParser(prog=NAME, add_help=False, allow_abbrev=False)
    parser.add_argument("--root")
    parser.add_argument("--wait")
    parser.add_argument("--no-plugin", action="append")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    parser.add_argument("-q", "--quiet", action="store_true")
    end = words.index("--") if "--" in words else len(words)
    common, rest = parser.parse_known_args(words[:end])
    return common, rest + words[end:]


def _report(*, quiet: bool) -> Callable[[str], None]:
    from ..rendering.text import safe_text

    def report(line: str) -> None:
        if not quiet:
            sys.stderr.write(f"warning: {safe_text(line)}\n")

    return report


def _commands(plugins: Plugins) -> dict[str, Command]:
    commands = {command.name: command for command in _COMMANDS}
    for plugin, command in plugins.each("register_commands"):
        if not isinstance(command, Command):
            plugins.fail(plugin, TypeError(f"register_commands gave a {type(command).__name__}, not a Command"))
        elif command.name in commands:
            plugins.report(f"the command {command.name!r} of the plugin {plugin!r} is left out: the name is taken")
        else:
            commands[command.name] = command
    return commands


def _choose(commands: dict[str, Command], word: str) -> Command | None:
    if word and not word.startswith("-"):
        if word not in commands:
            known = ", ".join(sorted(commands))
            raise UsageError(f"There is no `{NAME} {word}`.", subject=word, hint=f"There are: {known}.")
        return commands[word]
    if word and word not in ("--json", "--format", "--out", "--top", "--bytes", "--profile"):
        raise UsageError(f"{NAME} has no option {word!r}.", subject=word, hint=f"`{NAME} --help` lists what there is.")
    return next((command for command in commands.values() if command.default), None)


def _call(command: Command, words: list[str], plugins: Plugins, settings: Settings, common: argparse.Namespace) -> int:
    from .logs import configure

    configure(common.verbose, quiet=common.quiet)
    host = HostInfo(
        name=NAME,
        manager=plugins.manager,
        root=settings.root,
        run_id=uuid.uuid4().hex,
        config_hash=settings.config_hash,
        settings={**settings.values, "quiet": common.quiet},
    )
    plugins.ready(host)
    target = load_target(command.target)
    if not callable(target):
        raise UsageError(f"The command {command.name!r} can't be called.", subject=command.name)
    if command in _COMMANDS:
        # the host's own commands also see how the plugins were loaded
        return int(target(words, host, plugins))
    return int(target(words, host))


def _help(commands: dict[str, Command]) -> str:
    width = max(len(name) for name in commands) + 2
    return "\n".join(
        [
            f"usage: {NAME} [COMMAND] [OPTION]…",
            "",
            "Keep releases of ontologies: fetched, unpacked, validated, recorded, compared.",
            f"Without a command, {NAME} shows what there is.",
            "",
            "commands:",
            *(f"  {command.name:<{width}}{command.help}" for command in commands.values() if not command.default),
            "",
            "options of every command:",
            "  --root DIR        the store (default: ONTOFETCH_ROOT, else the user's data folder)",
            "  --wait SECONDS    how long to wait for another process (default: 60)",
            "  --no-plugin NAME  leave out a plugin; may be repeated",
            "  -v, -q            say more; say only errors",
            "  --version         show the version of this program (before a command)",
            "",
            _EXIT_CODES,
            "",
            f"example: {NAME} pull ./hp.obo --service obo --ontology hp --version 2025-09-15",
            f"`{NAME} COMMAND --help` says more.",
        ]
    )

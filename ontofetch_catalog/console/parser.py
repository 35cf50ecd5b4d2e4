"""The parser of every command: what is mistyped is a sentence with the next step, no usage and no exit of its own.

Which options there are is not known here.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, NoReturn

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote, shell_word

from ..errors import UsageError
from ..guesses import close_names

# whether a parser is wanted, and not what its command does
_wanted: ContextVar[bool] = ContextVar("wanted", default=False)


@dataclass(frozen=True, slots=True)
class Family:
    """A command whose first word names what it does.

    Args:
        metavar: What that word is called.
        members: Word, line of help, and what makes the parser.
    """

    metavar: str
    members: Sequence[tuple[str, str, Callable[[], object]]]


class _HandedOut(BaseException):
    """A parser or a family, on its way to who asked for it: nothing that a command catches."""

    def __init__(self, found: Parser | Family) -> None:
        super().__init__()
        self.found = found


def handed_out(run: Callable[[], object]) -> Parser | Family:
    """Return the parser that a command makes, or its family; the command goes no further.

    Raises:
        LookupError: It has none.
    """
    before = _wanted.set(True)
    try:
        run()
    except _HandedOut as handed:
        return handed.found
    finally:
        _wanted.reset(before)
    raise LookupError("the command has no parser")


def hand_out(found: Parser | Family) -> None:
    """Go no further where it is this that is wanted of a command."""
    if _wanted.get():
        raise _HandedOut(found)


class Parser(argparse.ArgumentParser):
    """A parser without abbreviations whose complaints are errors like all others.

    Attributes:
        called: How sentences name it, its `prog` unless told otherwise.
    """

    def __init__(self, prog: str, text: str, example: str = "", *, epilog: str = "", with_help: bool = True) -> None:
        super().__init__(
            prog=prog,
            description=text,
            epilog=epilog or (f"example: {example}" if example else None),
            add_help=with_help,
            allow_abbrev=False,
            exit_on_error=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.called = prog
        self._given: Sequence[str] = ()

    def parse_args(  # type: ignore[override] # a namespace of its own kind is as good, which overloads alone could say
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """Return the values of the words.

        Raises:
            UsageError: One of them means nothing.
        """
        hand_out(self)
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            raise self._unknown(rest[0])
        return found

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Return the values of the words, and the words that are not known.

        Raises:
            UsageError: A value is none that its option takes, or one is missing.
        """
        self._given = args or ()
        try:
            found, rest = super().parse_known_args(args, namespace)
        except argparse.ArgumentError as error:
            raise self._refused(error) from error
        if "" in self._given or any(word.endswith("=") for word in self._given):
            self._refuse_empty(found)
        return found, rest

    def _refuse_empty(self, found: Any) -> None:
        """Refuse a word without a letter, as of a variable of the shell that is not set: it would mean all, or none.

        Raises:
            UsageError: One is.
        """
        words = [word for action in self._actions if not action.option_strings for word in _words_of(action, found)]
        name = next((name for name, word in words if word == ""), "")
        for before, word in zip(["", *self._given], self._given, strict=False):
            option = word[:-1] if word.endswith("=") else before if word == "" else ""
            action = self._option_string_actions.get(option)
            if action is not None and action.nargs is None:
                name = option
                break
        if name:
            raise UsageError(f"{name} is empty. Give it a value, or leave it away.", subject=name, hint=self._help)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found as a sentence."""
        raise self._found(message)

    def _found(self, message: str) -> UsageError:
        """Return what argparse found, of no argument that is there, as a sentence."""
        missing = message.partition("the following arguments are required: ")[2]
        if missing:
            mistyped = self._mistyped()
            if mistyped:
                return self._unknown(mistyped)
            return UsageError(
                f"`{self.called}` needs {missing.replace(', ', ' and ')}.",
                subject=missing,
                hint=self._behind_dashes(self._given) or self.epilog_example() or self._help,
            )
        return UsageError(f"{message[:1].upper()}{message[1:]}.", hint=self._help)

    def epilog_example(self) -> str:
        """Return the example of its help, or the first, as the beginning of a sentence, empty where it has none."""
        found = re.match(r"examples?:\s+(.+)", self.epilog or "")
        return f"For example: `{found[1]}`" if found else ""

    @property
    def _help(self) -> str:
        return f"`{self.called} --help` lists what there is."

    def _behind_dashes(self, words: Sequence[str]) -> str:
        """Return how a name is typed that begins with a dash; empty where none of some words may be one."""
        known = self._option_string_actions
        name = next((word for word in words if re.match(r"-[^-]", word) and word[:2] not in known), "")
        if not name or "--" in words:
            return ""
        return f"What begins with a dash and is no option stands behind two: `{self.called} -- {shell_word(name)}`."

    def _mistyped(self) -> str:
        """Return the first word that looks like an option and is none, empty where there is no such word.

        What is missing may well be what it was to say, so it is told first.
        """
        for word in self._given:
            if word == "--":
                return ""
            if word.startswith("--") and word.partition("=")[0] not in self._option_string_actions:
                return word
        return ""

    def _unknown(self, word: str) -> UsageError:
        name = word.partition("=")[0]
        if not word.startswith("-") or word == "-":
            example = self.epilog_example()
            return UsageError(
                f"`{self.called}` does not know what to do with {quote(word)}.",
                subject=word,
                hint=f"{example}; {self._help}" if example else self._help,
            )
        options = [option for action in self._actions for option in action.option_strings if option.startswith("--")]
        # the dashes are typed right, and would count as letters
        close = close_names(name.lstrip("-"), [option.removeprefix("--") for option in options])
        meant = " or ".join(f"--{option}" for option in close)
        return UsageError(
            f"`{self.called}` has no option {quote(name)}.",
            subject=name,
            hint=f"Did you mean {meant}?" if meant else self._behind_dashes([word]) or self._help,
        )

    def _refused(self, error: argparse.ArgumentError) -> UsageError:
        if error.argument_name is None:
            # as Python 3.13 says that one is missing
            return self._found(error.message)
        name = error.argument_name or ""
        action = next((one for one in self._actions if name and name == _name_of(one)), None)
        option = name.rpartition("/")[2] or self.prog
        if action is not None and action.choices is not None and "invalid choice" in error.message:
            given = _without_quotes(error.message.partition("invalid choice: ")[2].partition(" (choose from")[0])
            choices = [str(choice) for choice in action.choices]
            close = close_names(given, choices)
            return UsageError(
                f"{option} is one of {', '.join(choices)}, not {quote(given)}.",
                subject=option,
                hint=f"Did you mean {' or '.join(close)}?" if close else self._help,
            )
        if error.message.startswith("expected "):
            return UsageError(f"{option} needs a value after it.", subject=option, hint=self._help)
        text = error.message.removesuffix(".")
        return UsageError(f"{option}: {text}.", subject=option, hint=self._help)


def _name_of(action: argparse.Action) -> str:
    """Return what argparse calls an argument in its complaints."""
    if action.option_strings:
        return "/".join(action.option_strings)
    metavar = action.metavar
    return metavar if isinstance(metavar, str) else action.dest


def _words_of(action: argparse.Action, found: Any) -> list[tuple[str, object]]:
    """Return the words of an argument without a dash, each with the argument's name."""
    value = getattr(found, action.dest, None)
    return [(_name_of(action), word) for word in (value if isinstance(value, list) else [value])]


def _without_quotes(told: str) -> str:
    """Return the word that argparse shows as Python writes it."""
    from ast import literal_eval

    with suppress(ValueError, SyntaxError):
        return str(literal_eval(told))
    return told

"""Words: the options of every command count wherever they stand, and complaints are sentences."""

from __future__ import annotations

import pytest

from ontofetch_catalog.console.parser import Parser
from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.host.argv import overview, split_common
from ontofetch_hookspecs import Command


@pytest.mark.parametrize(
    "words",
    [
        ["--root", "r", "-v", "db", "files", "--wait=3"],
        ["db", "--root=r", "files", "--wait", "3", "-v"],
        ["db", "files", "-v", "--wait", "3", "--root", "r"],
    ],
)
def test_common_options_count_anywhere(words: list[str]) -> None:
    """Before, between and behind the words of a command they are taken out, and the rest stays in order."""
    common, rest = split_common("t", words)
    assert (common.root, common.wait, common.verbose, rest) == ("r", "3", 1, ["db", "files"])


def test_nothing_is_taken_behind_two_dashes() -> None:
    """What follows `--` belongs to the command."""
    common, rest = split_common("t", ["db", "-q", "--", "-v", "--root", "r"])
    assert (common.quiet, common.verbose, common.root) == (True, None, None)
    assert rest == ["db", "--", "-v", "--root", "r"]


def test_abbreviations_are_not_guessed() -> None:
    """`--ro` is none of ours, so it is left to the command."""
    common, rest = split_common("t", ["--ro", "x"])
    assert (common.root, rest) == (None, ["--ro", "x"])


def test_a_missing_value_is_a_sentence() -> None:
    """The option is named, and what lists the options."""
    with pytest.raises(UsageError, match=r"--root needs a value after it. `t --help` lists"):
        split_common("t", ["--root"])
    with pytest.raises(UsageError, match=r"has no option '--nope'"):
        Parser("t", "").parse_args(["--nope"])


def test_the_overview_names_everything() -> None:
    """Commands with their lines, the default, options, every exit code and an example."""
    text = overview("t", [Command("one", "first", "a:b"), Command("two", "second", "a:b", default=True)])
    assert "one  first\n" in text
    assert "two  second (the default)\n" in text
    for option in ("--root", "--wait", "--no-plugin", "--verbose", "--quiet", "--version", "--help"):
        assert option in text
    for code in (0, 1, 2, 3, 4, 130, 143):
        assert f"\n  {code} " in text
    assert "example: t pull" in text

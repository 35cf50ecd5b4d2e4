"""Contributions: plain values that name their code, imported when it runs."""

from __future__ import annotations

import argparse
import dataclasses

import pytest

from ontofetch_hookspecs import Command, Parameter, Report, UsageError, Validator, add_common_options, load_target


def test_a_target_is_imported_when_it_is_asked_for() -> None:
    """`package.module:name` is imported and returned; anything else is a sentence, a missing module an ImportError."""
    assert load_target("json:dumps").__name__ == "dumps"  # type: ignore[attr-defined]
    for text in ("json", "json:", ":dumps", "", "json.dumps"):
        with pytest.raises(UsageError, match="form package"):
            load_target(text)
    with pytest.raises(UsageError, match=r"'json' has nothing called 'nope'"):
        load_target("json:nope")
    with pytest.raises(ImportError):
        load_target("no_such_module_here:main")


@pytest.mark.parametrize(
    "contribution",
    [
        Command("mine", "a line", "a.b:c"),
        Report("mine", "a line", "a.b:c", (Parameter("by", "a line"),)),
        Validator("mine", "1", ("turtle",), "a.b:c"),
    ],
)
def test_contributions_are_values(contribution: object) -> None:
    """They are frozen, equal when their fields are, can be kept in a set, and import nothing."""
    fields = {field.name: getattr(contribution, field.name) for field in dataclasses.fields(contribution)}  # type: ignore[arg-type]
    same = type(contribution)(**fields)
    assert {same, contribution} == {contribution}
    with pytest.raises(dataclasses.FrozenInstanceError):
        contribution.name = "other"  # type: ignore[attr-defined]


def test_the_options_of_every_command_are_understood() -> None:
    """A plugin's own parser that adds them accepts what the host accepts."""
    parser = argparse.ArgumentParser()
    add_common_options(parser)
    line = ["--root", "r", "--wait", "1", "--no-plugin", "a", "--no-plugin", "b", "-vv", "-q"]
    found = parser.parse_args(line)
    assert (found.root, found.wait, found.no_plugin, found.verbose, found.quiet) == ("r", "1", ["a", "b"], 2, True)

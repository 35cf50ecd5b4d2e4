"""The options of `db prune` that ask for rules of retention: which rules there are, which one a word means.

What a rule chooses is not known here.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo, Retention
from ontofetch_hookspecs.names import quote

from ..console.output import say
from ..errors import UsageError
from ..series_file import read_series_file

if TYPE_CHECKING:
    from ..catalog.prune.policy import AskedRetention

SHORT = {"keep-last": "N", "older-than": "AGE"}  # rules that have an option of their own


def add_rule_options(group: argparse._ArgumentGroup) -> None:
    """Add `--retention` and the options of its own that a rule has; all of them collect into `retention`."""
    group.add_argument(
        "--retention",
        metavar="RULE[=VALUE]",
        action="append",
        default=[],
        help="releases that this rule chooses; may be repeated: only those that all of them choose",
    )
    for rule, value in SHORT.items():
        group.add_argument(
            f"--{rule}",
            metavar=value,
            dest="retention",
            action="append",
            type=partial(_given, rule),
            help=f"short for --retention {rule}={value}",
        )


def _given(rule: str, value: str) -> str:
    return f"{rule}={value}"


def rules_of_sources(host: HostInfo, named: str | None) -> list[str]:
    """Return the rule that the `keep` of a sources file stands for, and say so; none where it keeps all.

    Raises:
        UsageError: The file can't be read, or something in it is wrong.
    """
    found = read_series_file(host.root, named)
    kept = [f"{one.name}:{one.keep}" for one in found.series.values() if one.keep is not None]
    if not kept:
        return []
    say(f"{found.path} says how many releases of {len(kept):,} series are kept.")
    return [f"keep-by-series={','.join(kept)}"]


def describe_rules(rules: Mapping[str, tuple[str, Retention]]) -> str:
    """Return the rules of retention that there are, for the help."""
    shown = {f"{rule.name}={rule.metavar}".removesuffix("="): rule.help for _, rule in rules.values()}
    width = max(map(len, shown), default=0) + 2
    return "\n".join(["rules of retention:", *(f"  {name:<{width}}{text}" for name, text in shown.items())])


def find_rule(text: str, rules: Mapping[str, tuple[str, Retention]]) -> AskedRetention:
    """Return the rule that `NAME[=VALUE]` asks for.

    Raises:
        UsageError: There is none of that name, or it needs or takes no value.
    """
    from ..catalog.prune.policy import AskedRetention

    name, equals, value = text.partition("=")
    if name not in rules:
        raise UsageError(
            f"There is no retention {quote(name)}.", subject="--retention", hint=f"There are: {', '.join(rules)}."
        )
    plugin, rule = rules[name]
    if bool(equals) != bool(rule.metavar):
        needs = f"needs a value: {name}={rule.metavar}" if rule.metavar else "takes no value"
        raise UsageError(f"The retention {name} {needs}.", subject="--retention")
    return AskedRetention(plugin, name, rule.target, value if equals else None)

"""The options of `db prune` that ask for rules of retention: which rules there are, which one a word means.

What a rule chooses is not known here.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo, Retention
from ontofetch_hookspecs.names import quote

from ..console.output import say, warn
from ..errors import UsageError, VersionUnknown
from ..guesses import perhaps
from ..series_file import read_series_file

if TYPE_CHECKING:
    import duckdb

    from ..catalog.prune.policy import AskedRetention

BY_SERIES = "keep-by-series"
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
    return [f"{BY_SERIES}={','.join(kept)}"]


def with_whole_names(rule: AskedRetention, connection: duckdb.DuckDBPyConnection) -> AskedRetention:
    """Return a rule that somebody typed with each series in it named whole, and say which are not known.

    Raises:
        AmbiguousVersion: A name may be several series.
    """
    from ..catalog.prune.retention import read_kept
    from ..catalog.repo.naming import resolve_series

    if (rule.plugin, rule.name) != ("catalog", BY_SERIES):
        return rule
    kept: dict[str, int] = {}
    for name, number in read_kept(rule.value).items():
        try:
            kept[resolve_series(connection, name)] = number
        except VersionUnknown as error:
            warn(f"{error.message} {error.hint}".strip())
            kept[name] = number
    return replace(rule, value=",".join(f"{name}:{number}" for name, number in kept.items()))


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
            f"There is no retention {quote(name)}.",
            subject="--retention",
            hint=f"{perhaps(name, rules)}There are: {', '.join(rules)}.",
        )
    plugin, rule = rules[name]
    if bool(equals) != bool(rule.metavar):
        needs = f"needs a value: {name}={rule.metavar}" if rule.metavar else "takes no value"
        raise UsageError(f"The retention {name} {needs}.", subject="--retention")
    return AskedRetention(plugin, name, rule.target, value if equals else None)

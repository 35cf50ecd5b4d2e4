"""What a plugin requires of the contract, beside the contract that is installed.

The contract's own releases are plain numbers joined by dots, so numbers are all that is compared here: nothing but the
standard library is needed, and what can't be read is taken to fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

CONTRACT = "ontofetch-hookspecs"  # the distribution whose version is that of the contract
RELEASED_TOGETHER = "ontofetch-catalog"  # it comes with its contract
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;()]*)\)?\s*(?:;(.*))?")
_CLAUSE = re.compile(r"(~=|===?|!=|<=|>=|<|>)\s*v?(\d+(?:\.\d+)*)((?:\.\*)?)")
_Numbers = tuple[int, ...]


class Told(Protocol):
    """What a distribution tells of itself."""

    @property
    def name(self) -> str:
        """Return its name."""

    @property
    def requires(self) -> list[str] | None:
        """Return what it requires, None if it says nothing of that."""


def contract_fault(distribution: Told | None) -> str:
    """Return why a plugin does not fit this contract, by what its distribution requires; empty if it fits."""
    if distribution is None:
        return ""
    from importlib.metadata import PackageNotFoundError, version

    try:
        text = version(CONTRACT)
    except PackageNotFoundError:
        # a copy of the contract that nobody installed has no version
        return ""
    for line in distribution.requires or ():
        found = _REQUIREMENT.fullmatch(line)
        if found is None or _plain(found[1]) != CONTRACT or "extra" in (found[3] or ""):
            continue
        fault = _find_fault(_numbers(text), found[2])
        if fault:
            step = "upgrade ontofetch-catalog" if fault == "newer" else "install a newer release of the plugin"
            return f"it needs {CONTRACT}{found[2].strip()}, and this is {text}: {step}"
    return ""


def is_released_together(distribution: Told | None) -> bool:
    """Say whether a distribution is the one that comes with its contract."""
    return distribution is not None and _plain(distribution.name or "") == RELEASED_TOGETHER


def _find_fault(here: _Numbers, specifier: str) -> str:
    """Return whether a `newer` or an `older` contract is wanted, empty if this one will do."""
    for part in filter(None, (part.strip() for part in specifier.split(","))):
        clause = _CLAUSE.fullmatch(part)
        if clause is None:
            continue
        sign, wanted = clause[1], _numbers(clause[2])
        if not _fits(here, sign, wanted, any_below=bool(clause[3])):
            return "newer" if _compare(here, wanted) < 0 or sign == ">" else "older"
    return ""


def _fits(here: _Numbers, sign: str, wanted: _Numbers, *, any_below: bool) -> bool:
    order = _compare(here, wanted)
    same = order == 0 or (any_below and _begins(here, wanted))
    simple: Mapping[str, Callable[[], bool]] = {
        "==": lambda: same,
        "===": lambda: same,
        "!=": lambda: not same,
        "<": lambda: order < 0,
        "<=": lambda: order <= 0,
        ">": lambda: order > 0,
        ">=": lambda: order >= 0,
        "~=": lambda: order >= 0 and _begins(here, wanted[:-1]),
    }
    return simple[sign]()


def _begins(here: _Numbers, wanted: _Numbers) -> bool:
    """Say whether a version is one of those that begin in this way, `1.4` of `1.*`."""
    return (here + (0,) * len(wanted))[: len(wanted)] == wanted


def _compare(one: _Numbers, other: _Numbers) -> int:
    """Return -1, 0 or 1; 1.0 and 1 are the same."""
    most = max(len(one), len(other))
    padded = [numbers + (0,) * (most - len(numbers)) for numbers in (one, other)]
    return (padded[0] > padded[1]) - (padded[0] < padded[1])


def _numbers(text: str) -> _Numbers:
    """Return the numbers that a version begins with; its letters say nothing here."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(number) for number in found[0].split(".")) if found else ()


def _plain(name: str) -> str:
    """Return the name of a distribution as PEP 503 compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()

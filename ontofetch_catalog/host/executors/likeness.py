"""What has to be the same here and on a worker, so that both say the same of a file: versions, and nothing else.

Who compares them, and what becomes of a difference, is not known here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version

from ontofetch_hookspecs import Validator

from ...content.facts import FORMATS, facts_version
from ..checks import builtin_validators

OURS = "ontofetch_catalog"
NOTHING = "nothing"  # the version of what is not installed
# ours, what writes tables of terms, and the parsers, which are in the versions below too and read better by themselves
_LIBRARIES = ("ontofetch-catalog", "pyarrow", "pyoxigraph", "fastobo", "py-horned-owl")


@lru_cache(maxsize=1)
def likeness() -> dict[str, str]:
    """Return name → version of all that our validators' answers and facts depend on."""
    libraries = {name: _version(name) for name in _LIBRARIES}
    python = {"Python": ".".join(map(str, sys.version_info[:2]))}
    checks = {f"the validator {one.name}": one.version for one in builtin_validators()}
    facts = {f"the finding of facts in {name}": facts_version(name) for name in sorted(FORMATS)}
    return libraries | python | checks | facts


def likeness_for(validator: Validator) -> dict[str, str] | None:
    """Return the same for one validator; None if nobody can say which version of a stranger's code this is."""
    found = likeness()
    for target in filter(None, (validator.target, validator.facts)):
        top = target.partition(":")[0].partition(".")[0]
        if top == OURS:
            continue
        owners = _owners().get(top)
        if not owners:
            return None
        found = found | {owner: _version(owner) for owner in sorted(set(owners))}
    return found


def difference(wanted: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Return the first name whose version here is another: name, wanted, own; None if there is none."""
    own = likeness()
    for name, value in wanted.items():
        mine = own[name] if name in own else _version(name)
        if mine != value:
            return name, value, mine
    return None


@lru_cache(maxsize=1)
def _owners() -> Mapping[str, list[str]]:
    return packages_distributions()


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return NOTHING

"""The policy of a prune in short words, for tests that call the functions behind the program."""

from __future__ import annotations

from typing import Any

from ontofetch_catalog.catalog.prune.policy import AskedRetention, Policy
from ontofetch_catalog.plugins.catalog import CatalogPlugin

RULES = {rule.name: rule for rule in CatalogPlugin().register_retention()}


def policy_of(*, keep_last: int | None = None, older_than: int | None = None, **others: Any) -> Policy:
    """Return a policy with the built-in rules; `older_than` is in nanoseconds."""
    values = {
        "keep-last": None if keep_last is None else str(keep_last),
        "older-than": None if older_than is None else f"{older_than // 10**9}s",
    }
    asked = [
        AskedRetention("catalog", name, RULES[name].target, value)
        for name, value in values.items()
        if value is not None
    ]
    return Policy(retentions=tuple(asked), **others)

"""Regular expressions that are compiled when they are used first, for most of those of a module never are."""

from __future__ import annotations

import re
from typing import Any, AnyStr

_USED = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer", "pattern", "flags")


class _Later:
    """Stands for a compiled expression, and becomes one.

    Args:
        asked: What `re.compile` gets.
    """

    def __init__(self, *asked: Any) -> None:
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        """Compile it; from then on nothing is looked up here."""
        if name not in _USED:
            raise AttributeError(f"a pattern that is compiled later has no attribute {name!r}")
        made = re.compile(*self._asked)
        vars(self).update({used: getattr(made, used) for used in _USED})
        return getattr(made, name)


def late_pattern(text: AnyStr, flags: int | re.RegexFlag = 0) -> re.Pattern[AnyStr]:
    """Return what has the methods of a compiled expression; one that is wrong raises `re.error` when it is used."""
    made: Any = _Later(text, flags)
    found: re.Pattern[AnyStr] = made
    return found

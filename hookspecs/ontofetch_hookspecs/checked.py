"""Checks that contributions have in common, made when one is made, so that the plugin learns of it at once."""

from __future__ import annotations

import re
from typing import Protocol

from .errors import EventError
from .names import quote

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TARGET = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")


class _Named(Protocol):
    @property
    def name(self) -> str:
        """Return its name."""

    @property
    def target(self) -> str:
        """Return where its code is."""


def check_word(kind: str, name: str, value: object) -> None:
    """Check that a field is one plain word.

    Raises:
        EventError: It is not.
    """
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        article = "an" if kind[:1] in "aeiou" else "a"
        raise EventError(
            f"The {name} of {article} {kind} is {quote(value)}, not a word of letters, digits, `.`, `_` and `-`.",
            subject=name,
        )


def check_contribution(kind: str, item: _Named) -> None:
    """Check name and target, which most contributions have.

    Raises:
        EventError: One of them is off.
    """
    check_word(kind, "name", item.name)
    check_target(f"{kind} {item.name}", item.target)


def check_target(title: str, target: object) -> None:
    """Check that the code of a contribution is named as `package.module:name`.

    Raises:
        EventError: It is not.
    """
    if not isinstance(target, str) or not _TARGET.fullmatch(target):
        raise EventError(
            f"The target of the {title} is {quote(target)}, not of the form package.module:name.", subject="target"
        )


def check_tuple(kind: str, name: str, value: object, of: type) -> None:
    """Check that a field is a tuple of one type.

    Raises:
        EventError: It is not.
    """
    if not isinstance(value, tuple) or not all(isinstance(item, of) for item in value):
        wanted = "names" if of is str else f"{of.__name__}s"
        raise EventError(
            f"The {name} of the {kind} are a {type(value).__name__}, not a tuple of {wanted}.",
            subject=name,
            hint=f"Write ({quote(value)},)." if isinstance(value, str) else "",
        )

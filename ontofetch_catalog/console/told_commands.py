"""The commands that a sentence tells to type, with the store that was named on the command line."""

from __future__ import annotations

import re
from contextvars import ContextVar

from ontofetch_hookspecs.names import shell_word

_COMMAND = r"`(ontofetch)( (?:(?!--root|--help)[^`])*)`"
_named: ContextVar[str] = ContextVar("named", default="")


def name_store(root: str | None) -> None:
    """Remember the value of `--root`, None where a setting names the store: then a told command finds it by itself."""
    _named.set(f" --root {shell_word(root)}" if root else "")


def with_store(sentence: str) -> str:
    """Return `sentence` with `--root` in each command of it that is meant for the store of this one."""
    named = _named.get()
    return re.sub(_COMMAND, lambda found: f"`{found[1]}{named}{found[2]}`", sentence) if named else sentence

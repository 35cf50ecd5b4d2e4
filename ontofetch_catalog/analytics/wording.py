"""Words that help whoever mistypes: what is near to a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from ontofetch_hookspecs.names import quote

_MOST = 5
_LOOKED_AT = 10_000


def near(word: str, known: Sequence[str]) -> str:
    """Return a sentence with the names that are most like `word`, or with some of those that there are."""
    if not known:
        return "There is none."
    found = difflib.get_close_matches(word, known[:_LOOKED_AT], n=_MOST, cutoff=0.5) or sorted(known)[:_MOST]
    more = " …" if len(known) > len(found) else ""
    return f"There are: {', '.join(map(quote, found))}{more}."

"""The sentence of a report that needs to know what files say, where nothing is known."""

from __future__ import annotations

from ..errors import UsageError


def nothing_known(subject: str) -> UsageError:
    """Return the error of a report about terms in a store without any facts."""
    return UsageError(
        "What the files say is not known: no facts are recorded.",
        subject=subject,
        hint="`ontofetch db facts` makes them from the files that are there.",
    )

"""The sentence of a report that needs to know what files say, where nothing is known: why, and what to type.

How that was counted is not known here.
"""

from __future__ import annotations

from ontofetch_hookspecs.light_dataclasses import dataclass

from ..errors import UsageError

_NOTHING = "What the files say is not known:"
TOO_LARGE = "larger than the setting facts_max_bytes allows"
_MADE = "`ontofetch db facts` makes them from the files that are there."


@dataclass(frozen=True, slots=True)
class Missing:
    """What is known of contents that have no facts, of all formats of which there can be some.

    Args:
        contents: How many there are.
        failed: Of how many a reason is recorded.
        reason: One of these, the most frequent.
        too_large: How many others are larger than `most_bytes`.
        most_bytes: What the setting facts_max_bytes says.
        is_off: Whether the setting facts is.
    """

    contents: int
    failed: int
    reason: str
    too_large: int
    most_bytes: int
    is_off: bool


def nothing_known(subject: str, missing: Missing) -> UsageError:
    """Return the error of a report about terms in a store without any facts."""
    what, hint = _why(missing)
    return UsageError(f"{_NOTHING} {what}.", subject=subject, hint=hint)


def _why(missing: Missing) -> tuple[str, str]:
    if not missing.contents:
        return (
            "no file is in a format whose terms are read",
            "`ontofetch report hotspots --by format` shows which formats there are.",
        )
    left = missing.contents - missing.failed
    which = "other content" if missing.failed else "content"
    if not left:
        which = "the only content has" if missing.contents == 1 else f"all {missing.contents:,} contents have"
        return f"{which} none, most often because: {missing.reason}", "`ontofetch db facts --again` tries once more."
    if missing.too_large == left:
        return (
            f"each {which} is larger than the {missing.most_bytes:,} bytes of the setting facts_max_bytes",
            "Give it a larger value, in ontofetch.toml or as ONTOFETCH_FACTS_MAX_BYTES, and type `ontofetch db facts`.",
        )
    if missing.is_off:
        return 'the setting facts is "off"', f'{_MADE} With `facts = "on"` each pull does.'
    return "no facts are recorded", _MADE

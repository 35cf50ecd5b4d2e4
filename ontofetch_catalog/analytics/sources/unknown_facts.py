"""The sentence of a report that needs to know what files say, where nothing is known: why, and what to type.

How that was counted is not known here.
"""

from __future__ import annotations

from ...errors import UsageError

TOO_LARGE = "larger than the setting facts_max_bytes allows"
_MADE = "`ontofetch db facts` makes them from the files that are there."


def nothing_known(
    subject: str, *, contents: int, failed: int, reason: str, too_large: int, most_bytes: int, is_off: bool
) -> UsageError:
    """Return the error of a report about terms in a store without any facts.

    Args:
        subject: What the report is about.
        contents: How many contents have none, of all formats of which there can be some.
        failed: Of how many a reason is recorded.
        reason: One of these, the most frequent.
        too_large: How many others are larger than `most_bytes`.
        most_bytes: What the setting facts_max_bytes says.
        is_off: Whether the setting facts is.
    """
    what, hint = _why(contents, contents - failed, reason, too_large, most_bytes, is_off=is_off)
    return UsageError(f"What the files say is not known: {what}.", subject=subject, hint=hint)


def _why(contents: int, left: int, reason: str, too_large: int, most_bytes: int, *, is_off: bool) -> tuple[str, str]:
    if not contents:
        return (
            "no file is in a format whose terms are read",
            "`ontofetch report hotspots --by format` shows which formats there are.",
        )
    which = "other content" if left < contents else "content"
    if not left:
        which = "the only content has" if contents == 1 else f"all {contents:,} contents have"
        return f"{which} none, most often because: {reason}", "`ontofetch db facts --again` tries once more."
    if too_large == left:
        return (
            f"each {which} is larger than the {most_bytes:,} bytes of the setting facts_max_bytes",
            "Give it a larger value, in ontofetch.toml or as ONTOFETCH_FACTS_MAX_BYTES, and type `ontofetch db facts`.",
        )
    if is_off:
        return 'the setting facts is "off"', f'{_MADE} With `facts = "on"` each pull does.'
    return "no facts are recorded", _MADE

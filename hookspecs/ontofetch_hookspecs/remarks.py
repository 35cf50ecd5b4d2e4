"""What is to be said of an archive that was unpacked all the same: a part of the event that tells of it.

It refuses to know archives: whoever reads them says what is odd.
"""

from __future__ import annotations

from .errors import EventError
from .light_dataclasses import dataclass
from .names import check_size, check_text, quote

MOST_REMARKS = 16  # reasons that are kept of one archive
MOST_REMARK_NAMES = 10  # names that are kept of each
_REMARK_KINDS = ("left_out", "warning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What is to be said of an archive that was unpacked all the same, and how often.

    Args:
        kind: `left_out` for entries that were not unpacked and that nobody misses, `warning` for all else.
        reason: What it is, one line of text that can follow a number.
        count: How many entries it concerns.
        names: The first of them, MOST_REMARK_NAMES at most; one that can't be shown is quoted.
    """

    kind: str
    reason: str
    count: int
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in _REMARK_KINDS:
            raise EventError(f"The kind of a remark is {quote(self.kind)}, none of {_REMARK_KINDS}.", subject="remarks")
        check_text("reason", self.reason, most=500, optional=False)
        check_size("count", self.count)
        if not isinstance(self.names, tuple) or not len(self.names) <= min(self.count, MOST_REMARK_NAMES):
            raise EventError(
                f"The names of a remark are no tuple of at most {MOST_REMARK_NAMES} names.", subject="remarks"
            )
        for name in self.names:
            check_text("names", name, most=1024, optional=False)

    def __str__(self) -> str:
        """Return it as a part of a sentence, with a few of its names."""
        shown = [name if name.startswith("'") else quote(name) for name in self.names[:3]]
        more = [] if self.count <= len(shown) or not shown else ["…"]
        return f"{self.count:,} {self.reason}" + (": " if shown else "") + ", ".join(shown + more)

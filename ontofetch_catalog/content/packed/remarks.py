"""What is worth saying of an archive that is read all the same: counted by reason, the first names of each kept.

What a reason means is decided by whoever remarks; who is told, and how, is not known here.
"""

from __future__ import annotations

from ontofetch_hookspecs.characters import printable
from ontofetch_hookspecs.names import unsafe_character
from ontofetch_hookspecs.remarks import MOST_REMARK_NAMES, MOST_REMARKS, Remark

LEFT_OUT, WARNING = "left_out", "warning"
METADATA = "file(s) that macOS or Windows keep for themselves, left out"
BACKSLASH = "name(s) with a backslash, taken for a separator"
OTHER_NAME = "name(s) that differ between the directory and the entry, the directory's taken"
TWICE = "entry(s) there again with the same bytes, taken once"
AGAIN = "entry(s) there again, the last one taken"
FOLDED = "name(s) that meet another one where case or normal forms are folded: not portable"
BEHIND = "file(s) with other bytes behind the end, left out"
UNWANTED = "entry(s) that nobody asked for, left out; asked for, each would be refused: it"
_OTHERS = "entry(s) with a remark of yet another kind"
_NAME = 1024  # characters of a name that are kept
_SHOWN = 200  # and of one that can't be shown as it is


class Remarks:
    """What was remarked of one archive: at most MOST_REMARKS reasons, and MOST_REMARK_NAMES names of each."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[int, list[str]]] = {}

    def add(self, reason: str, name: str, kind: str = WARNING) -> None:
        """Count one more name with this reason."""
        if (kind, reason) not in self._found and len(self._found) >= MOST_REMARKS - 1:
            kind, reason = WARNING, _OTHERS
        count, names = self._found.get((kind, reason), (0, []))
        if len(names) < MOST_REMARK_NAMES:
            names.append(_shown(name))
        self._found[kind, reason] = (count + 1, names)

    def list(self) -> list[Remark]:
        """Return them in the order in which they came up."""
        return [
            Remark(kind=kind, reason=reason, count=count, names=tuple(names))
            for (kind, reason), (count, names) in self._found.items()
        ]


def _shown(name: str) -> str:
    if len(name) <= _NAME and unsafe_character(name) is None:
        return name
    # documents have it: who unpacks the same archive again must write the same
    shown = printable(name[:_NAME])
    return repr(shown if len(shown) <= _SHOWN else shown[:120] + "…" + shown[-60:])

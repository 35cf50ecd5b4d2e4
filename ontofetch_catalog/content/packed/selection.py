"""The choice among an archive's entries: what is asked for, what systems keep for themselves, whose bytes a link has.

It looks at names and kinds; whether what is chosen may be unpacked is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .tars import HARD_LINK

if TYPE_CHECKING:
    from .archives import Entry

# AppleDouble (RFC 1740) and what else the Finder, Spotlight and the Explorer write beside the files of a person
_METADATA = re.compile(
    r"(?:^|/)(?:"
    r"(?:__MACOSX|\.AppleDouble|\.Spotlight-V100|\.Trashes|\.fseventsd|\.TemporaryItems)(?:/.*)?"
    r"|\._[^/]*|\.DS_Store|Icon\r|(?i:thumbs\.db|ehthumbs\.db|desktop\.ini)"
    r")\Z",
    re.DOTALL,
)


class Selection:
    """Which entries are asked for.

    Args:
        include: Globs over whole names (`*` crosses `/`); empty: everything.
        exclude: Globs of what is taken out of that.
    """

    def __init__(self, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        self._include = tuple(include)
        self._exclude = tuple(exclude)

    def wants(self, name: str) -> bool:
        """Say whether an entry of this name is asked for."""
        included = not self._include or any(fnmatchcase(name, pattern) for pattern in self._include)
        return included and not any(fnmatchcase(name, pattern) for pattern in self._exclude)

    def is_metadata(self, name: str) -> bool:
        """Say whether a system keeps such a file for itself, and nobody asks for it by exactly this name."""
        return _METADATA.search(name) is not None and name not in self._include


def find_sources(entries: Iterable[Entry]) -> dict[str, int]:
    """Return path → number of the entry that has its bytes: the last of that name, or what a hard link stands for."""
    found: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if entry.kind == "file":
            found[entry.path] = number
        elif entry.kind == HARD_LINK and entry.target in found:
            found[entry.path] = found[entry.target]
        elif entry.kind != "folder":
            found.pop(entry.path, None)
    return found

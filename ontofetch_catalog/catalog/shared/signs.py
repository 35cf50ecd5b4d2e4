"""The few objects that are replaced: each only by who has just seen what is there, so that nothing newer is lost.

What they say is not known here, and how they are kept neither.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.names import SEGMENT, quote

from ...errors import ObjectsRefused

GENERATION = "generation.json"
POINTERS = "latest"  # the folder of the pointers, each below it where a store has it
MOST = 1 << 20  # bytes of one
Sign = tuple[bytes, str]  # what it says, and a tag that what is put in its place has to name


class Signs(ABC):
    """A place that has such objects beside those that are written once."""

    def sign(self, name: str) -> Sign | None:
        """Return what an object says and the tag of just that; None if there is none.

        Raises:
            ObjectsRefused: The name is none, or the store refuses.
            ObjectsUnavailable: The store does not answer.
        """
        return self._sign(check_name(name))

    def set_sign(self, name: str, data: bytes, former: str | None) -> bool:
        """Put an object in the place of the one that was seen, whole; say whether that one was still there.

        If not, or if that isn't known, it is to be looked at again.

        Args:
            name: Which one.
            data: What it is to say.
            former: The tag of what was seen; None where nothing was.

        Raises:
            ObjectsRefused, ObjectsUnavailable: As `sign` does.
        """
        return self._set_sign(check_name(name), data, former)

    def pointers(self) -> set[str]:
        """Return of which LATEST.json of a store there is one here; raises as `sign` does."""
        return {path for path in self._pointers() if is_pointer(path)}

    @abstractmethod
    def _pointers(self) -> Iterable[str]: ...

    @abstractmethod
    def _sign(self, name: str) -> Sign | None: ...

    @abstractmethod
    def _set_sign(self, name: str, data: bytes, former: str | None) -> bool: ...


def check_name(name: str) -> str:
    """Return the name of such an object, if it is one: the record, or the LATEST.json of a series.

    Raises:
        ObjectsRefused: It is none; names come from rows that strangers may write.
    """
    if name != GENERATION and not is_pointer(name.removeprefix(f"{POINTERS}/")):
        raise ObjectsRefused(f"{quote(name)} is no object that is replaced.", subject=name)
    return name


def is_pointer(path: str) -> bool:
    """Say whether a path of a store is that of the LATEST.json of a series."""
    parts = path.split("/")
    return len(parts) == 3 and parts[2] == layout.LATEST and all(map(SEGMENT.fullmatch, parts[:2]))

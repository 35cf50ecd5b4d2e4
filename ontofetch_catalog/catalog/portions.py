"""Releases in portions that memory holds: each has so many files, as far as one release fits into it.

What is done with a portion is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")


def in_portions(items: Sequence[_T], files_of: Callable[[_T], int], most: int) -> list[list[_T]]:
    """Return things in portions of `most` files, in their order; one that has more is a portion by itself."""
    portions, room = list[list[_T]](), 0
    for item in items:
        files = files_of(item)
        if not portions or files > room:
            portions.append([])
            room = most
        portions[-1].append(item)
        room -= files
    return portions

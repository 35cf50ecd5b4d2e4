"""Releases in portions that memory holds: each has so many files, or bytes, as far as one release fits into it.

What is done with a portion is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")


def in_portions(
    items: Iterable[_T], size_of: Callable[[_T], int], most: int, *, count: int | None = None
) -> Iterator[list[_T]]:
    """Yield things in portions of a size of `most`, in their order; one that has more is a portion by itself.

    Args:
        items: The things.
        size_of: Returns the size of one.
        most: What those of a portion have together.
        count: How many a portion may have at most.
    """
    portion, size = list[_T](), 0
    for item in items:
        mine = size_of(item)
        if portion and (size + mine > most or len(portion) == count):
            yield portion
            portion, size = [], 0
        portion.append(item)
        size += mine
    if portion:
        yield portion

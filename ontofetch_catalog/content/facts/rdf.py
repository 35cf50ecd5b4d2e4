"""Facts of files of RDF, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol

from .trig import count_of

_STEP = 1024  # statements at a time, written as text by the library


class Kept(Protocol):
    """Where statements are kept; `parsed` says how many there were."""

    parsed: int

    def add(self, text: bytes, number: int) -> None:
        """Take so many statements as TriG that the library has written."""


def keep(quads: Iterator[Any], kept: Kept) -> int:
    """Add what a parser of pyoxigraph yields, whose errors pass through; return how many statements there were."""
    text = _write(quads)
    while text:
        following = _write(quads)
        # all but the last are full, and to count costs more than to look ahead
        kept.add(text, _STEP if following else count_of(text))
        text = following
    return kept.parsed


def _write(quads: Iterator[Any]) -> bytes:
    """Return the next statements as TriG, which has those of one subject together, each spelled in one way only."""
    import pyoxigraph

    return pyoxigraph.serialize(islice(quads, _STEP), format=pyoxigraph.RdfFormat.TRIG) or b""

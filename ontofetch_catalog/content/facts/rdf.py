"""Facts of files of RDF, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from .statements import Statements

_STEP = 256  # statements at a time, written as text by the library; more of them no longer lie in the processor's cache


def keep(quads: Iterator[Any], kept: Statements) -> int:
    """Add what a parser of pyoxigraph yields, whose errors pass through; return how many statements there were."""
    import pyoxigraph

    while some := list(islice(quads, _STEP)):
        # TriG has statements of one subject together, each spelled in one way only
        kept.add(pyoxigraph.serialize(some, format=pyoxigraph.RdfFormat.TRIG), len(some))
    return kept.parsed

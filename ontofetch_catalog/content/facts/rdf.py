"""Facts of files of RDF, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from .statements import Statements

_STEP = 4096  # statements at a time, written as text by the library


def keep(quads: Iterator[Any], kept: Statements) -> int:
    """Add what a parser of pyoxigraph yields, whose errors pass through; return how many statements there were."""
    import pyoxigraph

    while text := pyoxigraph.serialize(islice(quads, _STEP), format=pyoxigraph.RdfFormat.N_QUADS):
        kept.add(text)
    kept.finish()
    return kept.parsed

"""Facts of files of RDF, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from .statements import Statements

_STEP = 4096  # statements at a time, written as text by the library


def read_statements(quads: Iterator[Any]) -> Statements:
    """Return the statements of a graph.

    Args:
        quads: What a parser of pyoxigraph yields; its errors pass through.
    """
    import pyoxigraph

    found = Statements()
    while text := pyoxigraph.serialize(islice(quads, _STEP), format=pyoxigraph.RdfFormat.N_QUADS):
        lines = text.removesuffix(b" .\n").split(b" .\n")
        found.add(lines)
    found.finish()
    return found

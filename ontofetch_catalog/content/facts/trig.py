"""Statements as TriG without prefixes, as pyoxigraph writes it: taken apart into those of each subject."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_END = b" .\n"  # of the statements of a subject
BETWEEN = b" ;\n\t"  # two of them
COMMA = b" , "  # between two objects
_COMMAS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"| , ', re.DOTALL)
_GRAPH = b" {\n\t"  # between the name of a graph and its statements
_GRAPH_END = b"}\n"


def count_of(text: bytes) -> int:
    """Return the number of statements of TriG that the library has written."""
    return sum(spread(group.partition(b" ")[2]).count(BETWEEN) + 1 for group in groups_of(text))


def groups_of(text: bytes) -> Iterable[bytes]:
    """Return the statements of TriG, subject by subject."""
    # no literal has a line feed in it; and a single byte is found much faster than several
    return _out_of_graphs(text) if b"{" in text and _GRAPH in text else text.split(_END)[:-1]


def spread(text: bytes) -> bytes:
    """Return statements of a subject with the predicate before each object."""
    found = []
    for rest in text.split(BETWEEN):
        if COMMA not in rest:
            found.append(rest)
            continue
        predicate, space, objects = rest.partition(b" ")
        found += [predicate + space + value for value in _objects(objects)]
    return BETWEEN.join(found)


def _objects(text: bytes) -> list[bytes]:
    """Return objects that have commas between them; in a text a comma is none."""
    if b'"' not in text:
        return text.split(COMMA)
    ends = [place.span() for place in _COMMAS.finditer(text) if place[0] == COMMA]
    starts = [0, *(end for _, end in ends)]
    return [text[start:end] for start, end in zip(starts, [*(start for start, _ in ends), len(text)], strict=True)]


def _out_of_graphs(text: bytes) -> Iterator[bytes]:
    """Yield the statements of TriG, subject by subject, each with the graph it is in behind it."""
    graph = b""
    for found in text.split(_END):
        group = found
        if group.startswith(_GRAPH_END):
            graph, group = b"", group.removeprefix(_GRAPH_END)
        if _GRAPH in group:
            name, _, group = group.partition(_GRAPH)
            graph = b" " + name
        if not group:
            continue
        if not graph:
            yield group
        else:
            subject, space, rest = group.removeprefix(b"\t").partition(b" ")
            rests = spread(rest.replace(BETWEEN + b"\t", BETWEEN)).split(BETWEEN)
            yield subject + space + BETWEEN.join([each + graph for each in rests])

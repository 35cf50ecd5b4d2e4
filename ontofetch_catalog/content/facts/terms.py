"""Facts of a graph: its digest, its terms, its ontology headers, made of its statements.

A term is whatever has a name and is spoken of as a subject. To it belong its statements, those of the blank nodes that
only it leads to, and those of annotations about it. Which syntax the graph was written in is not known here.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import chain
from operator import itemgetter
from typing import Any

from . import texts, vocabulary
from .blanks import read_blanks
from .schema import GENERAL
from .spelling import TYPE
from .spoken import NONE, Column, Spoken
from .statements import Grown, Statements, grow, put_in, rests_of
from .table import TermsFile

MOST_HEADS = 1000
_MOST_IMPORTS = 100
_MOST_NAMES = 2048  # that are told at a time
_MOST_WEIGHT = 4 << 20  # bytes of their statements
_HEADS = tuple(f"{TYPE} <{iri}>".encode() for iri in vocabulary.HEADS)


class _Graph:
    """Statements and blank nodes, subject by subject."""

    def __init__(self, statements: Statements) -> None:
        self.blanks = read_blanks(statements)
        self._kept = statements.kept
        self._refs = statements.refs
        self._below: Grown = self.blanks.below
        self._annotations: dict[bytes, list[bytes]] = {}
        self.rest: list[bytes] = list(self.blanks.signatures)
        self._sort_blanks()
        self.heads = [name for name in sorted(statements.heads) if self._is_head(name)]

    def _sort_blanks(self) -> None:
        """Find the statements of the blank nodes, and the roots among these, by the term that they belong to."""
        blanks, below = self.blanks, self._below
        for node, lines in blanks.lines.items():
            owner = blanks.owners.get(node, b"")
            if owner in below:
                grow(below, owner, lines, b"")
            else:
                below[owner] = lines
        for node in blanks.roots:
            owner = blanks.owners.get(node, b"")
            if owner:
                self._annotations.setdefault(owner, []).append(blanks.tokens[node])
            elif node not in blanks.hard:
                self.rest.append(blanks.tokens[node])
        blanks.owners.clear()
        blanks.lines.clear()

    def _is_head(self, name: bytes) -> bool:
        return any(rest.startswith(_HEADS) for rest in rests_of(self._kept.get(name, b"")))

    def take_rest(self) -> array[int]:
        """Return a hash for each statement that belongs to no name."""
        return array("Q", self._below.pop(b"", b""))

    def names(self) -> list[bytes]:
        """Return the subjects that were not taken, sorted as they are without brackets."""
        return sorted({*self._kept, *self._refs, *self._below}, key=itemgetter(slice(1, -1)))

    def tell(self, names: Iterable[bytes]) -> Iterator[Spoken]:
        """Yield what is said of names, of some at a time, each once."""
        kept, refs, below, annotations = self._kept, self._refs, self._below, self._annotations
        tokens = self.blanks.tokens
        spoken = Spoken()
        for name in names:
            packed = refs.pop(name, b"")
            # those that lead to two nodes that are alike stay two
            behind = sorted([put_in(rest, tokens) for rest in rests_of(packed)]) if packed else []
            about = sorted(annotations.pop(name)) if name in annotations else []
            spoken.add(name, bytes(kept.pop(name, b"")), behind, about, below.pop(name, b""))
            if len(spoken.names) >= _MOST_NAMES or spoken.weight >= _MOST_WEIGHT:
                spoken.read()
                yield spoken
                spoken = Spoken()
        spoken.read()
        yield spoken


class _Whole:
    """The digest of a graph: of what belongs to no name, then of each name.

    Args:
        rest: The digest of the former.
    """

    def __init__(self, rest: bytes) -> None:
        self._hash = sha256(rest)

    def add(self, spoken: Spoken) -> None:
        """Take some names; each has to come in its turn."""
        self._hash.update(b"".join(chain.from_iterable(zip(spoken.names, spoken.digests, strict=True))))

    def digest(self) -> str:
        """Return the digest of all that has come."""
        return self._hash.hexdigest()


def write_facts(statements: Statements, version: str, kind: str, table: str) -> dict[str, Any]:
    """Write the table of terms of a graph and return its small facts. The statements are gone afterwards.

    Args:
        statements: All of the graph, finished.
        version: Of the facts.
        kind: Of the digest.
        table: Path of the table, where nothing may be.
    """
    graph = _Graph(statements)
    blanks = graph.blanks
    lines = graph.take_rest()
    rest_digest = sha256(b"".join(sorted(graph.rest))).digest()
    whole = _Whole(rest_digest)
    facts: dict[str, Any] = {
        "facts_version": version,
        "digest_kind": kind,
        "triples_parsed": statements.parsed,
        "bnodes": len(blanks.tokens),
        "shared_bnodes": blanks.shared,
        "cyclic_bnodes": blanks.cyclic,
        "digest_exact": blanks.exact and statements.exact,
        "general_triples": len(lines),
        "general_digest": rest_digest[:16].hex(),
        "heads_found": len(graph.heads),
        "heads": [],
    }
    for spoken in graph.tell(graph.heads):
        whole.add(spoken)
        lines += spoken.lines
        facts["heads"] += _heads(spoken, MOST_HEADS - len(facts["heads"]))
    triples = len(lines)
    names = graph.names()
    facts["terms"] = len(names)
    with TermsFile(table) as file:
        file.add(array("Q", sorted(lines)), [len(lines)], _general(len(lines), rest_digest[:16]))
        for spoken in graph.tell(names):
            whole.add(spoken)
            triples += len(spoken.lines)
            file.add(spoken.lines, spoken.sizes, spoken.columns())
    return {**facts, "triples": triples, "digest": whole.digest()}


def _general(statements: int, digest: bytes) -> list[Column]:
    row = ["", GENERAL, None, None, None, None, False, *[NONE] * 4, statements, digest, digest]
    return [[value] for value in row]


def _heads(spoken: Spoken, most: int) -> list[dict[str, Any]]:
    """Return what is told of at most so many ontologies and schemes."""
    bits = spoken.bits()
    titles, labels = spoken.best(vocabulary.TITLE), spoken.best(vocabulary.LABEL)
    versions, infos = spoken.best(vocabulary.VERSION_IRI), spoken.best(vocabulary.VERSION_INFO)
    licenses, imports = spoken.best(vocabulary.LICENSE), spoken.listed(vocabulary.IMPORT)
    return [
        {
            "ontology_iri": texts.iri_of(spoken.names[number]),
            "kind": next(name for name, bit in vocabulary.HEAD_BITS.items() if bits[number] & bit),
            "version_iri": versions[number],
            "version_info": infos[number],
            "title": titles[number] or labels[number],
            "license": licenses[number],
            "imports": imports[number][:_MOST_IMPORTS],
            "statements": spoken.sizes[number],
            "digest": spoken.digests[number][:16].hex(),
        }
        for number in range(min(len(spoken.names), most))
    ]

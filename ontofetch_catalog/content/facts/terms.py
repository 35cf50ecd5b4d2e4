"""Facts of a graph: its digest, its terms, its ontology headers, made of its statements.

A term is whatever has a name and is spoken of as a subject. To it belong its statements, those of the blank nodes that
only it leads to, and those of annotations about it. Which syntax the graph was written in is not known here.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain, islice
from typing import Any, cast

from . import texts, vocabulary
from .blanks import read_blanks, tell_leaf, tell_leaves
from .schema import GENERAL
from .spelling import TYPE
from .spoken import NONE, Column, Spoken
from .statements import Statements, Text, put_in, rests_of
from .table import TermsFile

MOST_HEADS = 1000
_MOST_IMPORTS = 100
_MOST_NAMES = 256  # that are told at a time, few enough for the caches of a processor
_MOST_WEIGHT = 1 << 20  # bytes of their statements
_NONE: list[bytes] = []  # which nobody changes
_HEADS = tuple(f"{TYPE} <{iri}>".encode() for iri in vocabulary.HEADS)


class _Graph:
    """Statements and blank nodes, subject by subject."""

    def __init__(self, statements: Statements) -> None:
        self.blanks = read_blanks(statements)
        above = statements.above
        # those that lie with a name, all others to which an arrow leads, those to which none does
        tokens = self.blanks.tokens
        self.nodes = len(statements.inlined) + len(above) + len(tokens) - sum(map(above.__contains__, tokens))
        statements.inlined.clear()
        above.clear()
        self._kept = statements.kept
        self._arrows = statements.arrows
        self._refs = statements.refs
        self._leaves = statements.blanks
        self._below: dict[bytes, bytearray] = {}
        self._annotations: dict[bytes, list[bytes]] = {}
        self.rest: list[bytes] = list(self.blanks.signatures)
        self._sort_blanks()
        self.heads = [name for name in sorted(statements.heads) if self._is_head(name)]

    def _sort_blanks(self) -> None:
        """Find the statements of the blank nodes, and the roots among these, by the term that they belong to."""
        blanks, below = self.blanks, self._below
        owners, told = blanks.owners, blanks.lines
        # those of no term are many at once or none
        if free := [lines for node, lines in told.items() if not owners.get(node)]:
            below[b""] = bytearray(b"".join(free))
        for node, owner in owners.items():
            if not owner or node not in told:
                continue
            if owner in below:
                below[owner] += told[node]
            else:
                below[owner] = bytearray(told[node])
        for node in blanks.roots:
            owner = blanks.owners.get(node, b"")
            if owner:
                self._annotations.setdefault(owner, []).append(blanks.tokens[node])
            elif node not in blanks.hard:
                self.rest.append(blanks.tokens[node])
        blanks.owners.clear()
        blanks.lines.clear()

    def _is_head(self, name: bytes) -> bool:
        found = self._kept.get(name, b"")
        return any(rest.startswith(_HEADS) for rest in rests_of(found[0] if isinstance(found, list) else found))

    def take_rest(self) -> array[int]:
        """Return a hash for each statement that belongs to no name."""
        return array("Q", bytes(self._below.pop(b"", b"")))

    def tell_heads(self) -> Iterator[Spoken]:
        """Yield what is said of the heads, sorted, of some at a time, each once."""
        return self._tell((name, self._kept.pop(name, b"")) for name in self.heads)

    def tell(self) -> Iterator[Spoken]:
        """Yield what is said of all names that were not told, of some at a time, each once, in no order."""
        return self._tell(self._take()) if self._has_more() else self._tell_kept()

    def _has_more(self) -> bool:
        """Say whether anything is said otherwise than by statements that lie with their names."""
        return bool(self._arrows or self._refs or self._below or self._annotations)

    def _tell_kept(self) -> Iterator[Spoken]:
        """Yield the same where it lies with the names: with hardly a step for each."""
        taken = iter(self._kept.items())
        while some := list(islice(taken, _MOST_NAMES)):
            names, found = zip(*some, strict=True)
            packs, behind, below = _with_leaves(found)
            if sum(map(len, packs)) > _MOST_WEIGHT:
                yield from self._tell(some)
                continue
            spoken = Spoken()
            spoken.read_some(list(names), packs, behind, below)
            yield spoken

    def _take(self) -> Iterator[tuple[bytes, Text | list[Text]]]:
        # as they lie in memory, for to look a name up takes longer than all else
        yield from self._kept.items()
        for name in {*self._arrows, *self._refs, *self._below}:
            yield name, b""

    def _tell(self, taken: Iterable[tuple[bytes, Text | list[Text]]]) -> Iterator[Spoken]:
        spoken = Spoken()
        is_all = not self._has_more()
        for name, found in taken:
            behind: list[bytes] = []
            lines: list[int] = []
            if isinstance(found, list):
                packed = found[0]
                for at in range(1, len(found), 2):
                    token, hashes = tell_leaf(found[at + 1])
                    behind.append(bytes(found[at].partition(b" ")[0] + token))
                    lines += hashes
            else:
                packed = found
            about = _NONE if is_all else self._tell_others(name, behind, lines)
            if len(behind) > 1:
                behind.sort()
            spoken.add(name, bytes(packed), behind, about, lines)
            if len(spoken.given) >= _MOST_NAMES or spoken.weight >= _MOST_WEIGHT:
                spoken.read()
                yield spoken
                spoken = Spoken()
        spoken.read()
        yield spoken

    def _tell_others(self, name: bytes, behind: list[bytes], lines: list[int]) -> list[bytes]:
        """Append what leads from a name to blank nodes, and hashes of what is said of these; return annotations."""
        tokens = self.blanks.tokens
        # those that lead to two nodes that are alike stay two
        for rest in rests_of(self._arrows.pop(name, b"")):
            predicate, _, node = rest.partition(b" ")
            token = tokens.get(node)
            if token is None:
                token, hashes = tell_leaf(self._leaves.pop(node, b""))
                lines += hashes
                behind.append(predicate + token)
            else:
                behind.append(predicate + b" " + token)
        behind += [put_in(rest, tokens) for rest in rests_of(self._refs.pop(name, b""))]
        lines += memoryview(self._below.pop(name, b"")).cast("Q")
        return sorted(self._annotations.pop(name, ()))


def _with_leaves(
    found: Sequence[Text | list[Text]],
) -> tuple[list[bytes], list[list[bytes]], list[list[int]]]:
    """Return of some names the statements without blank nodes, those with, and hashes of the statements of these nodes.

    Args:
        found: What `Statements` keeps of each; of some of them blank nodes lie with it.
    """
    if list not in map(type, found):
        nothing: list[list[Any]] = [NONE] * len(found)
        return list(map(bytes, cast("Sequence[Text]", found))), nothing, nothing
    packs: list[bytes] = []
    leading: list[Text] = []
    leaves: list[Text] = []
    numbers: list[int] = []
    for each in found:
        if isinstance(each, list):
            packs.append(bytes(each[0]))
            leading += each[1::2]
            leaves += each[2::2]
            numbers.append(len(each) >> 1)
        else:
            packs.append(bytes(each))
            numbers.append(0)
    tokens, hashes = tell_leaves(leaves)
    behind, below, start = [], [], 0
    rests = [bytes(rest).partition(b" ")[0] + token for rest, token in zip(leading, tokens, strict=True)]
    for number in numbers:
        end = start + number
        behind.append(sorted(rests[start:end]))
        below.append(list(chain.from_iterable(hashes[start:end])))
        start = end
    return packs, behind, below


class _Whole:
    """The digest of a graph: of what belongs to no name, then of each name.

    Args:
        rest: The digest of the former.
    """

    def __init__(self, rest: bytes) -> None:
        self._hash = sha256(rest)

    def add(self, names: Iterable[bytes], digests: Iterable[bytes]) -> None:
        """Take some names and their digests; each has to come in its turn."""
        self._hash.update(b"".join(chain.from_iterable(zip(names, digests, strict=True))))

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
        "bnodes": graph.nodes,
        "shared_bnodes": blanks.shared,
        "cyclic_bnodes": blanks.cyclic,
        "digest_exact": blanks.exact and statements.exact,
        "general_triples": len(lines),
        "general_digest": rest_digest[:16].hex(),
        "heads_found": len(graph.heads),
        "heads": [],
    }
    for spoken in graph.tell_heads():
        whole.add(spoken.names, spoken.digests)
        lines += spoken.lines
        facts["heads"] += _heads(spoken, MOST_HEADS - len(facts["heads"]))
    triples = len(lines)
    names: list[bytes] = []
    digests: list[bytes] = []
    with TermsFile(table) as file:
        file.add(array("Q", sorted(lines)), [len(lines)], [0], _general(len(lines), rest_digest[:16]))
        for spoken in graph.tell():
            names += spoken.names
            digests += spoken.digests
            triples += len(spoken.lines)
            file.add(spoken.lines, spoken.sizes, spoken.weights, spoken.columns())
        facts["terms"] = len(names)
        order = _order(names)
        whole.add([names[row] for row in order], [digests[row] for row in order])
        del names, digests
        file.write(order)
    return {**facts, "triples": triples, "digest": whole.digest()}


def _order(names: list[bytes]) -> list[int]:
    """Return where names are that come sorted, as they are without brackets."""
    iris = b"\n".join(names)[1:-1].split(b">\n<") if names else []
    return sorted(range(len(iris)), key=iris.__getitem__)


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

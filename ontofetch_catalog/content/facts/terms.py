"""Facts of a graph: its digest, its terms, its ontology headers, made of its statements.

A term is whatever has a name and is spoken of as a subject. To it belong its statements, those of the blank nodes that
only it leads to, and those of annotations about it. Which syntax the graph was written in is not known here.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from hashlib import sha256
from itertools import repeat
from typing import Any

from xxhash import xxh3_64_intdigest

from . import texts, vocabulary
from .blanks import LINE, read_blanks
from .schema import GENERAL
from .spelling import TYPE
from .statements import Grown, Statements, grow, put_in, rests_of
from .table import TermsFile

MOST_HEADS = 1000
_MOST_IMPORTS = 100
_STEP = 4096  # names and digests that are hashed at a time
_CLASS = -1
_CODES = {
    TYPE.encode(): _CLASS,
    **{f"<{iri}>".encode(): code for iri, code in vocabulary.SAYS.items()},
}
_BITS = {f"<{iri}>".encode(): bits for iri, bits in vocabulary.BITS.items()}
_HEAD_BITS = sum(vocabulary.HEAD_BITS.values())
_TRUE = ("true", "1")
_SHOWN = (
    vocabulary.LABEL, vocabulary.DEFINITION, vocabulary.DEPRECATED, vocabulary.REPLACED, vocabulary.CONSIDER,
    vocabulary.PARENT,
)  # fmt: skip
_SHOWN_BY = {code: frozenset({*_SHOWN, code}) for code in (vocabulary.DEFINITION, vocabulary.COMMENT)}
_NONE: list[str] = []

Told = dict[int, list[tuple[bytes, bytes]]]  # what is told → (the statement, its object), sorted


@dataclass(slots=True)
class _Subject:
    """What is said of one name.

    Attributes:
        name: As it stands in statements.
        rests: Its statements, with what stands for blank nodes: sorted, those without such nodes first.
        told: Those of which something is read.
        others: All others, in that order.
        bits: Its classes, as `vocabulary` counts them.
        below: LINE bytes for each statement of the blank nodes that belong to it.
        annotations: What stands for the annotations about it, sorted.
        size: The number of its statements.
    """

    name: bytes
    rests: list[bytes]
    told: Told
    others: list[bytes]
    bits: int
    below: bytes | bytearray
    annotations: list[bytes]
    size: int

    def digest(self) -> bytes:
        """Return the digest of all that is said of it."""
        return sha256(b"\n".join([self.name, *self.rests, *self.annotations])).digest()

    def other_digest(self, shown: frozenset[int]) -> bytes:
        """Return the digest of all that is said of it but for what is shown."""
        others = self.others + self.annotations
        if not self.told.keys() <= shown:
            for code, statements in self.told.items():
                if code not in shown:
                    others += [rest for rest, _ in statements]
        return sha256(b"\n".join(others)).digest()

    def lines(self) -> array[int]:
        """Return a hash of each statement that belongs to it."""
        lines = array("Q", self.below)
        # the name goes into each: one statement of two terms is two
        lines.extend(map(xxh3_64_intdigest, self.rests, repeat(xxh3_64_intdigest(self.name))))
        return lines

    def values(self, code: int) -> list[tuple[str, str]]:
        """Return what is told, with the languages."""
        found = self.told.get(code)
        return [texts.read_value(value) for _, value in found] if found else []

    def names(self, code: int) -> list[str]:
        """Return what is told, sorted, each once."""
        found = {texts.shortened_iri(text) for text, _ in self.values(code) if text}
        return sorted(found)[: texts.MOST_LISTED]

    def shown(self, code: int, most: int) -> tuple[str | None, bytes | None]:
        """Return the best text of all that tells something, cut, and the digest of them all; None where nothing does.

        The digest is of the values alone, whichever predicate says so.
        """
        found = self.told.get(code)
        if found is None:
            return None, None
        if len(found) == 1:
            value = found[0][1]
            text = texts.read_value(value)[0]
        else:
            value = b"\n".join(sorted([value for _, value in found]))
            text = texts.best(self.values(code)) or ""
        return text if len(text) <= most else texts.cut(text, most), sha256(value).digest()[:16]


class _Graph:
    """Statements and blank nodes, subject by subject."""

    def __init__(self, statements: Statements) -> None:
        self._kept = statements.kept
        self._refs = statements.refs
        self.blanks = read_blanks(statements)
        self._below: Grown = {}
        self._annotations: dict[bytes, list[bytes]] = {}
        self.rest: list[bytes] = list(self.blanks.signatures)
        self.heads: list[_Subject] = []
        self._sort_blanks()
        for name in sorted(statements.heads):
            if name in self._kept:
                self._try_head(name)

    def _sort_blanks(self) -> None:
        """Find the statements of the blank nodes, and the roots among these, by the term that they belong to."""
        blanks, below = self.blanks, self._below
        for node, lines in blanks.lines.items():
            grow(below, blanks.owners.get(node, b""), lines, b"")
        for node in blanks.roots:
            owner = blanks.owners.get(node, b"")
            if owner:
                self._annotations.setdefault(owner, []).append(blanks.tokens[node])
            elif node not in blanks.hard:
                self.rest.append(blanks.tokens[node])
        blanks.owners.clear()
        blanks.lines.clear()

    def _try_head(self, name: bytes) -> None:
        packed, refs = self._kept[name], self._refs.get(name)
        head = self.take(name)
        if head.bits & _HEAD_BITS:
            self.heads.append(head)
            return
        # only its text looks like one
        self._kept[name], self._below[name], self._annotations[name] = packed, head.below, head.annotations
        if refs is not None:
            self._refs[name] = refs

    def take_rest(self) -> array[int]:
        """Return a hash for each statement that belongs to no name."""
        return array("Q", self._below.pop(b"", b""))

    def names(self) -> list[bytes]:
        """Return the subjects that are no ontologies and no schemes, sorted, without brackets."""
        return sorted([name[1:-1] for name in self._kept.keys() | self._refs.keys() | self._below.keys()])

    def take(self, name: bytes) -> _Subject:
        """Return what is said of a name, once."""
        rests = sorted(rests_of(self._kept.pop(name, b"")))
        bits = 0
        told: Told = {}
        others: list[bytes] = []
        for rest in rests:
            predicate, _, value = rest.partition(b" ")
            code = _CODES.get(predicate)
            if code is None:
                others.append(rest)
            elif code == _CLASS:
                # behind the class may stand a graph
                bits |= _BITS.get(value.partition(b" ")[0], vocabulary.INDIVIDUAL)
                others.append(rest)
            elif code == vocabulary.PARENT and (value[:1] != b"<" or value[:2] == b"<<"):
                others.append(rest)
            elif code in told:
                told[code].append((rest, value))
            else:
                told[code] = [(rest, value)]
        packed = self._refs.pop(name, b"")
        if packed:
            tokens = self.blanks.tokens
            # those that lead to two nodes that are alike stay two
            refs = sorted([put_in(rest, tokens) for rest in rests_of(packed)])
            others += refs
            rests += refs
        below = self._below.pop(name, b"")
        annotations = sorted(self._annotations.pop(name)) if name in self._annotations else []
        return _Subject(name, rests, told, others, bits, below, annotations, len(rests) + len(below) // LINE)


class _Whole:
    """The digest of a graph: of what belongs to no name, then of each name.

    Args:
        rest: The digest of the former.
    """

    def __init__(self, rest: bytes) -> None:
        self._hash = sha256(rest)
        self._parts: list[bytes] = []

    def add(self, name: bytes, digest: bytes) -> None:
        """Take a name; each has to come in its turn."""
        self._parts += (name, digest)
        if len(self._parts) >= _STEP:
            self.digest()

    def digest(self) -> str:
        """Return the digest of all that has come."""
        self._hash.update(b"".join(self._parts))
        self._parts.clear()
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
    names = graph.names()
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
        "terms": len(names),
        "heads_found": len(graph.heads),
        "heads": [],
    }
    for head in graph.heads:
        digest = head.digest()
        whole.add(head.name, digest)
        lines += head.lines()
        if len(facts["heads"]) < MOST_HEADS:
            facts["heads"].append(_head(head, digest))
    triples = len(lines)
    with TermsFile(table) as file:
        file.add(lines, _general(len(lines), rest_digest[:16]))
        for inside in names:
            term = graph.take(b"<" + inside + b">")
            digest = term.digest()
            whole.add(term.name, digest)
            triples += term.size
            file.add(term.lines(), _row(term, digest[:16]))
    return {**facts, "triples": triples, "digest": whole.digest()}


def _general(statements: int, digest: bytes) -> tuple[Any, ...]:
    return "", GENERAL, None, None, None, None, False, _NONE, _NONE, _NONE, _NONE, statements, digest, digest


def _row(term: _Subject, digest: bytes) -> tuple[Any, ...]:
    """Return the columns of the table of terms, in their order, but for `lines`."""
    told, bits = term.told, term.bits
    defining = vocabulary.DEFINITION if vocabulary.DEFINITION in told else vocabulary.COMMENT
    deprecated = bits & vocabulary.DEPRECATED_BIT != 0
    if vocabulary.DEPRECATED in told and not deprecated:
        deprecated = any(text in _TRUE for text, _ in term.values(vocabulary.DEPRECATED))
    return (
        texts.iri_of(term.name),
        vocabulary.kind_of(bits),
        *term.shown(vocabulary.LABEL, texts.MOST_TEXT),
        *term.shown(defining, texts.MOST_DEFINITION),
        deprecated,
        term.names(vocabulary.REPLACED) if vocabulary.REPLACED in told else _NONE,
        term.names(vocabulary.CONSIDER) if vocabulary.CONSIDER in told else _NONE,
        term.names(vocabulary.PARENT) if vocabulary.PARENT in told else _NONE,
        term.names(vocabulary.ALTERNATIVE) if vocabulary.ALTERNATIVE in told else _NONE,
        term.size,
        digest,
        term.other_digest(_SHOWN_BY[defining])[:16],
    )


def _head(head: _Subject, digest: bytes) -> dict[str, Any]:
    def first(*codes: int) -> str | None:
        found = next((text for code in codes if (text := texts.best(head.values(code)))), None)
        return found and texts.cut(found)

    return {
        "ontology_iri": texts.iri_of(head.name),
        "kind": next(name for name, bit in vocabulary.HEAD_BITS.items() if head.bits & bit),
        "version_iri": first(vocabulary.VERSION_IRI),
        "version_info": first(vocabulary.VERSION_INFO),
        "title": first(vocabulary.TITLE, vocabulary.LABEL),
        "license": first(vocabulary.LICENSE),
        "imports": head.names(vocabulary.IMPORT)[:_MOST_IMPORTS],
        "statements": head.size,
        "digest": digest[:16].hex(),
    }

"""Facts of a graph: its digest, its terms, its ontology headers, made of its statements.

A term is whatever has a name and is spoken of as a subject. To it belong its statements, those of the blank nodes that
only it leads to, and those of annotations about it. Which syntax the graph was written in is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from . import texts, vocabulary
from .blanks import read_blanks
from .schema import GENERAL
from .statements import Grown, Statements, digests_of, grow, put_in, rests_of
from .table import LINE, TermsFile

MOST_HEADS = 1000
_MOST_IMPORTS = 100
_CODES = {f"<{iri}>".encode(): code for iri, code in vocabulary.SAYS.items()}
_HEAD_BITS = sum(vocabulary.HEAD_BITS.values())
_TRUE = ("true", "1")
_SHOWN = (
    vocabulary.LABEL, vocabulary.DEFINITION, vocabulary.DEPRECATED, vocabulary.REPLACED, vocabulary.CONSIDER,
    vocabulary.PARENT,
)  # fmt: skip
_SHOWN_BY = {code: frozenset({*_SHOWN, code}) for code in (vocabulary.DEFINITION, vocabulary.COMMENT)}

Told = dict[int, list[tuple[bytes, bytes]]]  # what is told → (digest of the statement, its object)


@dataclass(slots=True)
class _Subject:
    """What is said of one name.

    Attributes:
        name: As it stands in statements.
        told: Statements of which more than the digest is known.
        others: Digests of its other statements.
        below: LINE bytes for each statement of the blank nodes that belong to it.
        annotations: What stands for the annotations about it.
    """

    name: bytes
    told: Told
    others: list[bytes]
    below: bytes
    annotations: Sequence[bytes]

    @property
    def size(self) -> int:
        """Return the number of its statements."""
        return len(self.others) + len(self.below) // LINE + sum(map(len, self.told.values()))

    def digests(self, but: Iterable[int] = ()) -> list[bytes]:
        """Return the digests of all its own statements but for those that tell something."""
        found = [*self.others, *self.annotations]
        for code, statements in self.told.items():
            if code not in but:
                found += [digest for digest, _ in statements]
        return found

    def lines(self) -> bytes:
        """Return LINE bytes for each statement that belongs to it."""
        lines = [digest[:LINE] for digest in self.others]
        for found in self.told.values():
            lines += [digest[:LINE] for digest, _ in found]
        return self.below + b"".join(lines)

    def values(self, code: int) -> list[tuple[str, str]]:
        """Return what is told, with the languages."""
        found = self.told.get(code)
        return [texts.read_value(value) for _, value in found] if found else []

    def names(self, code: int) -> list[str]:
        """Return what is told, sorted, each once."""
        if code not in self.told:
            return []
        found = self.told[code]
        if len(found) == 1:
            text = texts.read_value(found[0][1])[0]
            return [texts.shortened_iri(text)] if text else []
        return sorted({texts.shortened_iri(text) for text, _ in self.values(code) if text})[: texts.MOST_LISTED]

    def digest_of(self, code: int) -> bytes | None:
        """Return the digest of all that tells something, None where nothing does."""
        # of the values alone, whichever predicate says so
        found = self.told.get(code)
        if not found:
            return None
        values = found[0][1] if len(found) == 1 else b"\n".join(sorted([value for _, value in found]))
        return sha256(values).digest()[:16]


class _Graph:
    """Statements and blank nodes, subject by subject."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.blanks = read_blanks(statements)
        self._below: Grown = {}
        self._annotations: dict[bytes, list[bytes]] = {}
        self.rest: list[bytes] = list(self.blanks.signatures)
        self._sort_blanks()

    def _sort_blanks(self) -> None:
        """Find the statements of the blank nodes, and the roots among these, by the term that they belong to."""
        blanks, statements = self.blanks, self._statements
        tokens, below = blanks.tokens, self._below
        for node, token in tokens.items():
            own = digests_of(statements.hashes.pop(node, b""))
            lines = [sha256(token + digest).digest()[:LINE] for digest in own]
            packed = statements.refs.pop(node, None)
            if packed:
                digests = [sha256(put_in(rest, tokens)).digest() for rest in rests_of(packed)]
                lines += [sha256(token + digest).digest()[:LINE] for digest in digests]
            grow(below, blanks.owners.get(node, b""), b"".join(lines))
        for node in blanks.roots:
            owner = blanks.owners.get(node, b"")
            token = sha256(blanks.tokens[node]).digest()
            if owner:
                self._annotations.setdefault(owner, []).append(token)
            elif node not in blanks.hard:
                self.rest.append(token)
        blanks.owners.clear()

    def take_rest(self) -> bytes:
        """Return LINE bytes for each statement that belongs to no name."""
        return bytes(self._below.pop(b"", b""))

    def names(self) -> tuple[list[bytes], list[bytes]]:
        """Return the subjects that are ontologies or schemes, and the others, both sorted."""
        bits = self._statements.bits
        heads = {name for name, found in bits.items() if found & _HEAD_BITS}
        others = (self._statements.hashes.keys() | self._below.keys()) - heads
        return sorted(heads), sorted(name[1:-1] for name in others)

    def take(self, name: bytes) -> _Subject:
        """Return what is said of a name, once."""
        statements = self._statements
        others = list(digests_of(statements.hashes.pop(name, b"")))
        start = name + b" "
        told: Told = {}
        packed = statements.told.pop(name, None)
        if packed:
            for rest in rests_of(packed):
                predicate, _, value = rest.partition(b" ")
                code = _CODES[predicate]
                digest = sha256(start + rest).digest()
                if code == vocabulary.PARENT and (value[:1] != b"<" or value[:2] == b"<<"):
                    others.append(digest)
                else:
                    told.setdefault(code, []).append((digest, value))
        packed = statements.refs.pop(name, None)
        if packed:
            others += [sha256(start + put_in(rest, self.blanks.tokens)).digest() for rest in rests_of(packed)]
        below = bytes(self._below.pop(name, b""))
        return _Subject(name, told, others, below, self._annotations.pop(name, ()))


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
    rest = graph.take_rest()
    rest_digest = _digest(graph.rest)
    whole = sha256(rest_digest)
    head_names, names = graph.names()
    facts: dict[str, Any] = {
        "facts_version": version,
        "digest_kind": kind,
        "triples_parsed": statements.parsed,
        "bnodes": len(blanks.tokens),
        "shared_bnodes": blanks.shared,
        "cyclic_bnodes": blanks.cyclic,
        "digest_exact": blanks.exact and statements.exact,
        "general_triples": len(rest) // LINE,
        "general_digest": rest_digest[:16].hex(),
        "terms": len(names),
        "heads_found": len(head_names),
        "heads": [],
    }
    for name in head_names:
        head = graph.take(name)
        digest = _digest(head.digests())
        whole.update(name + b" " + digest)
        rest += head.lines()
        if len(facts["heads"]) < MOST_HEADS:
            facts["heads"].append(_head(head, statements.bits[name], digest))
    triples = len(rest) // LINE
    with TermsFile(table) as file:
        file.add(rest, _nothing(GENERAL, triples, rest_digest[:16]))
        for inside in names:
            term = graph.take(b"<" + inside + b">")
            digest = _digest(term.digests())
            whole.update(term.name + b" " + digest)
            triples += term.size
            file.add(term.lines(), _row(term, statements.bits.pop(term.name, 0), digest))
    return {**facts, "triples": triples, "digest": whole.hexdigest()}


def _digest(digests: list[bytes]) -> bytes:
    return sha256(b"".join(sorted(digests))).digest()


def _nothing(kind: str, statements: int, digest: bytes) -> dict[str, Any]:
    return {
        "iri": "", "kind": kind, "label": None, "label_digest": None, "definition": None, "definition_digest": None,
        "deprecated": False, "replaced_by": [], "consider": [], "parents": [], "alt_ids": [],
        "statements": statements, "digest": digest, "other_digest": digest,
    }  # fmt: skip


def _row(term: _Subject, bits: int, digest: bytes) -> dict[str, Any]:
    defining = vocabulary.DEFINITION if vocabulary.DEFINITION in term.told else vocabulary.COMMENT
    label = texts.best(term.values(vocabulary.LABEL))
    definition = texts.best(term.values(defining))
    return {
        "iri": texts.iri_of(term.name),
        "kind": vocabulary.kind_of(bits),
        "label": label and texts.cut(label),
        "label_digest": term.digest_of(vocabulary.LABEL),
        "definition": definition and texts.cut(definition, texts.MOST_DEFINITION),
        "definition_digest": term.digest_of(defining),
        "deprecated": bool(bits & vocabulary.DEPRECATED_BIT)
        or any(text in _TRUE for text, _ in term.values(vocabulary.DEPRECATED)),
        "replaced_by": term.names(vocabulary.REPLACED),
        "consider": term.names(vocabulary.CONSIDER),
        "parents": term.names(vocabulary.PARENT),
        "alt_ids": term.names(vocabulary.ALTERNATIVE),
        "statements": term.size,
        "digest": digest[:16],
        "other_digest": _digest(term.digests(_SHOWN_BY[defining]))[:16],
    }


def _head(head: _Subject, bits: int, digest: bytes) -> dict[str, Any]:
    def first(*codes: int) -> str | None:
        found = next((text for code in codes if (text := texts.best(head.values(code)))), None)
        return found and texts.cut(found)

    return {
        "ontology_iri": texts.iri_of(head.name),
        "kind": next(name for name, bit in vocabulary.HEAD_BITS.items() if bits & bit),
        "version_iri": first(vocabulary.VERSION_IRI),
        "version_info": first(vocabulary.VERSION_INFO),
        "title": first(vocabulary.TITLE, vocabulary.LABEL),
        "license": first(vocabulary.LICENSE),
        "imports": head.names(vocabulary.IMPORT)[:_MOST_IMPORTS],
        "statements": head.size,
        "digest": digest[:16].hex(),
    }

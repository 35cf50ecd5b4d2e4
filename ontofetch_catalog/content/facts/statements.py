"""The statements of a graph, subject by subject: as hashes, but for those whose text is needed again.

They come as lines of canonical N-Quads. A hash takes 32 bytes whatever it is of, so that large graphs stay small here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from . import vocabulary

SIZE = 32  # bytes of a digest
_LONG = 1 << 16  # bytes of a line that is kept as a hash and its beginning
_KEPT = 48_000  # bytes of that beginning; more than is ever shown
_NODE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|<[^<>\s]*>|(_:[^\s]+)', re.DOTALL)
_SAYS = {f"<{iri}>".encode(): code for iri, code in vocabulary.SAYS.items()}
_TYPE = f"<{vocabulary.TYPE}>".encode()
_BITS = {f"<{iri}>".encode(): bits for iri, bits in vocabulary.BITS.items()}
_OWNERS = tuple(f"<{iri}>".encode() for iri in vocabulary.OWNERS)
_BLANK = ord("_")

Grown = dict[bytes, bytes | bytearray]


class Statements:
    """The statements of one file.

    Attributes:
        parsed: How many lines there were, with repeats.
        hashes: Subject → digests of those of its statements that no other attribute has, one after the other, with
            repeats. Of a subject with a name they are those of whole lines, of a blank node those of the rest.
        told: Subject with a name → statements whose predicate is known, without the subject, each behind a line feed.
        refs: Subject → statements in which blank nodes occur beside the subject, likewise.
        bits: Subject with a name → its classes, as `vocabulary` counts them.
        owners: Blank node → the least name of a term it speaks of.
        exact: Whether nothing was left out.
    """

    def __init__(self) -> None:
        self.parsed = 0
        self.exact = True
        self.hashes: Grown = {}
        self.told: Grown = {}
        self.refs: Grown = {}
        self.bits: dict[bytes, int] = {}
        self.owners: dict[bytes, bytes] = {}
        self._last = b""
        self._digests: list[bytes] = []
        self._texts: list[bytes] = []
        self._refs: list[bytes] = []

    def add(self, lines: Iterable[bytes]) -> None:
        """Take some lines."""
        last, is_blank = self._last, self._last[:1] == b"_"
        digests, texts, refs, says = self._digests, self._texts, self._refs, _SAYS
        number = 0
        for line in lines:
            number += 1
            subject, _, rest = line.partition(b" ")
            if subject != last:
                self._flush()
                self._last = last = subject
                is_blank = subject[0] == _BLANK
                digests, texts, refs = self._digests, self._texts, self._refs
            if len(rest) > _LONG:
                rest = shortened(rest)
                line = subject + b" " + rest  # noqa: PLW2901 - it stands for the same
            if b"_:" in rest and nodes_of(rest):
                refs.append(rest)
            elif is_blank:
                if rest.startswith(_OWNERS):
                    self._own(subject, rest)
                digests.append(sha256(rest).digest())
            else:
                predicate = rest.partition(b" ")[0]
                if predicate in says:
                    texts.append(rest)
                else:
                    if predicate == _TYPE:
                        self._classify(subject, rest)
                    digests.append(sha256(line).digest())
        self.parsed += number

    def add_clauses(self, subject: bytes, rests: Iterable[bytes]) -> None:
        """Take statements of one name in which there are no blank nodes, whatever their text looks like."""
        self._flush()
        self._last = subject
        for rest in rests:
            kept = rest if len(rest) <= _LONG else shortened(rest, blanks=False)
            self.parsed += 1
            self._add_named(subject, kept)

    def _add_named(self, subject: bytes, rest: bytes) -> None:
        predicate = rest.partition(b" ")[0]
        if predicate in _SAYS:
            self._texts.append(rest)
            return
        if predicate == _TYPE:
            self._classify(subject, rest)
        self._digests.append(sha256(subject + b" " + rest).digest())

    def _classify(self, subject: bytes, rest: bytes) -> None:
        # behind the class may stand a graph
        found = _BITS.get(rest.split(b" ", 2)[1], vocabulary.INDIVIDUAL)
        self.bits[subject] = self.bits.get(subject, 0) | found

    def finish(self) -> None:
        """Take no more."""
        self._flush()
        self._last = b""

    def _flush(self) -> None:
        subject = self._last
        if self._digests or (subject and subject not in self.hashes):
            grow(self.hashes, subject, b"".join(self._digests))
            self._digests = []
        if self._texts:
            grow(self.told, subject, b"\n" + b"\n".join(self._texts))
            self._texts = []
        if self._refs:
            grow(self.refs, subject, b"\n" + b"\n".join(self._refs))
            self._refs = []

    def _own(self, subject: bytes, rest: bytes) -> None:
        term = rest.split(b" ", 2)[1]
        if term[:1] == b"<":
            self.owners[subject] = min(self.owners.get(subject, term), term)


def grow(texts: Grown, key: bytes, more: bytes) -> None:
    """Append to a value; one that grows again is made so that this costs no more than what is appended."""
    found = texts.get(key)
    if found is None:
        texts[key] = more
    elif isinstance(found, bytearray):
        found += more
    else:
        texts[key] = bytearray(found) + more


def rests_of(packed: bytes | bytearray) -> set[bytes]:
    """Return the statements that stand each behind a line feed."""
    found = set(bytes(packed).split(b"\n"))
    found.discard(b"")
    return found


def nodes_of(rest: bytes) -> list[bytes]:
    """Return the blank nodes of a statement without its subject."""
    if b'"' not in rest:
        return [word for word in rest.split(b" ") if word[:2] == b"_:"]
    return [node[1] for node in _NODE.finditer(rest) if node[1]]


def put_in(rest: bytes, names: dict[bytes, bytes]) -> bytes:
    """Return a statement with blank nodes replaced by what stands for them; others stay."""
    if b'"' not in rest:
        return b" ".join([names.get(word, word) for word in rest.split(b" ")])
    return _NODE.sub(lambda node: names.get(node[1], node[1]) if node[1] else node[0], rest)


def digests_of(packed: bytes | bytearray) -> set[bytes]:
    """Return the digests that stand one after the other."""
    found = bytes(packed)
    return {found[at : at + SIZE] for at in range(0, len(found), SIZE)}


def shortened(rest: bytes, *, blanks: bool = True) -> bytes:
    """Return a long statement as its predicate, the beginning of its object, and a hash; no statement looks like it."""
    predicate, _, value = rest.partition(b" ")
    digest = sha256(rest).hexdigest().encode()
    if blanks and b"_:" in value and nodes_of(value):
        return rest
    kept = value[:_KEPT].decode(errors="ignore").encode()
    if kept[:1] == b'"':
        slashes = len(kept) - len(kept.rstrip(b"\\"))
        kept = kept[: len(kept) - slashes % 2] + b'"'
    return b" ".join([predicate[:_KEPT], kept, b"#" + digest])

"""The statements of a graph, subject by subject, as text.

They come as lines of canonical N-Quads, most of them with those of the same subject. What is done once per subject
costs little, what is done once per statement is nearly all that facts cost: this is why nothing is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from . import vocabulary

_LARGE = 4096  # bytes of a subject's statements among which long ones are looked for
_LONG = 1 << 16  # bytes of a statement that is kept as a hash and its beginning
_UNREAD = 512  # bytes of one that is kept as a hash alone, where its object is never shown
_KEPT = 48_000  # bytes of that beginning; more than is ever shown
_NODE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|<[^<>\s]*>|(_:[^\s]+)', re.DOTALL)
OWNERS = tuple(f"<{iri}>".encode() for iri in vocabulary.OWNERS)
_READ = frozenset([*OWNERS, *(f"<{iri}>".encode() for iri in (*vocabulary.SAYS, vocabulary.TYPE))])
_HEADS = tuple(f"<{iri}>".encode() for iri in vocabulary.HEADS)
NAMED = ord("<")

Grown = dict[bytes, bytes | bytearray]


class Statements:
    """The statements of one file.

    Args:
        has_blanks: Whether there are blank nodes. Where there are none, a text may look like one.

    Attributes:
        parsed: How many there were, with repeats.
        kept: Subject → its statements without the subject, a line feed between them, with repeats.
        heads: Subjects that may be ontologies or schemes.
        exact: Whether nothing was left out.
    """

    def __init__(self, *, has_blanks: bool = True) -> None:
        self.has_blanks = has_blanks
        self.parsed = 0
        self.exact = True
        self.kept: Grown = {}
        self.heads: set[bytes] = set()
        self._last = b""
        self._rests: list[bytes] = []

    def add(self, lines: Iterable[bytes]) -> None:
        """Take some lines; those of one subject are put together once another one comes."""
        last, rests = self._last, self._rests
        number = 0
        for line in lines:
            number += 1
            subject, _, rest = line.partition(b" ")
            if subject != last:
                self._keep(last, rests)
                last, rests = subject, []
            rests.append(rest)
        self._last, self._rests = last, rests
        self.parsed += number

    def add_clauses(self, subject: bytes, rests: Iterable[bytes]) -> None:
        """Take the statements of one name."""
        found = list(rests)
        self.parsed += len(found)
        self._keep(subject, found)

    def finish(self) -> None:
        """Take no more."""
        self._keep(self._last, self._rests)
        self._last, self._rests = b"", []

    def _keep(self, subject: bytes, rests: list[bytes]) -> None:
        text = b"\n".join(rests)
        if len(text) > _LARGE:
            text = b"\n".join(map(self._shortened, rests))
        known = self.kept.get(subject)
        if known is None:
            if subject:
                self.kept[subject] = text
        elif isinstance(known, bytearray):
            known += b"\n" + text
        else:
            # one that grows again is made so that this costs no more than what is appended
            self.kept[subject] = bytearray(known) + b"\n" + text
        if _HEADS[0] in text or _HEADS[1] in text:
            self.heads.add(subject)

    def _shortened(self, rest: bytes) -> bytes:
        """Return a statement; a long one as its predicate, the beginning of its object if that is shown, and a hash.

        No statement looks like the latter. One with a blank node stays what it is.
        """
        if len(rest) <= _UNREAD:
            return rest
        predicate, _, value = rest.partition(b" ")
        if (predicate in _READ and len(rest) <= _LONG) or (self.has_blanks and nodes_of(rest)):
            return rest
        kept = value[:_KEPT].decode(errors="ignore").encode() if predicate in _READ else b""
        if kept[:1] == b'"':
            slashes = len(kept) - len(kept.rstrip(b"\\"))
            kept = kept[: len(kept) - slashes % 2] + b'"'
        return b" ".join([predicate[:_KEPT], kept, b"#" + sha256(rest).hexdigest().encode()])


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
    """Return the statements of a subject."""
    return set(bytes(packed).split(b"\n")) if packed else set()


def nodes_of(rest: bytes) -> list[bytes]:
    """Return the blank nodes of a statement without its subject."""
    if b"_:" not in rest:
        return []
    if b'"' not in rest:
        return [word for word in rest.split(b" ") if word[:2] == b"_:"]
    return [node[1] for node in _NODE.finditer(rest) if node[1]]


def put_in(rest: bytes, names: dict[bytes, bytes]) -> bytes:
    """Return a statement with blank nodes replaced by what stands for them; others stay."""
    if b'"' not in rest:
        return b" ".join([names.get(word, word) for word in rest.split(b" ")])
    return _NODE.sub(lambda node: names.get(node[1], node[1]) if node[1] else node[0], rest)

"""The statements of a graph, subject by subject, as text.

They come as lines of canonical N-Quads, most of them with those of the same subject. What is done once per subject
costs little, what is done once per statement is nearly all that facts cost: this is why nothing is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
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
_BLANK = b" _:"
_END = b" .\n"

Grown = dict[bytes, bytes | bytearray]


class Statements:
    """The statements of one file.

    Args:
        has_blanks: Whether there are blank nodes. Where there are none, a text may look like one.

    Attributes:
        parsed: How many there were, with repeats.
        kept: Subject → its statements without the subject, a line feed between them, with repeats.
        refs: Likewise, those in which blank nodes occur beside the subject.
        heads: Subjects that may be ontologies or schemes.
        exact: Whether nothing was left out.
    """

    def __init__(self, *, has_blanks: bool = True) -> None:
        self.has_blanks = has_blanks
        self.parsed = 0
        self.exact = True
        self.kept: Grown = {}
        self.refs: Grown = {}
        self.heads: set[bytes] = set()
        self._last = b""
        self._rests: list[bytes] = []

    def add(self, text: bytes) -> None:
        """Take some lines, each with its end; those of one subject are put together once another one comes."""
        # no literal has a line feed in it
        lines = text.removesuffix(_END).split(_END)
        self.parsed += len(lines)
        has_head = _may_be_head(text)
        last, rests = self._last, self._rests
        for line in lines:
            subject, _, rest = line.partition(b" ")
            if subject != last:
                self._keep(last, rests, has_head=has_head)
                last, rests = subject, []
            rests.append(rest)
        self._last, self._rests = last, rests

    def add_clauses(self, subject: bytes, rests: Iterable[bytes]) -> None:
        """Take the statements of one name."""
        found = list(rests)
        self.parsed += len(found)
        self._keep(subject, found)

    def finish(self) -> None:
        """Take no more."""
        self._keep(self._last, self._rests)
        self._last, self._rests = b"", []

    def _keep(self, subject: bytes, rests: list[bytes], *, has_head: bool = True) -> None:
        if not subject:
            return
        text = b"\n".join(rests)
        if has_head and _may_be_head(text):
            self.heads.add(subject)
        if len(text) > _LARGE:
            rests = list(map(self._shortened, rests))
            text = b"\n".join(rests)
        if b"_:" in text and self.has_blanks:
            refs = [rest for rest in rests if b"_:" in rest and nodes_of(rest)]
            if len(refs) == len(rests):
                grow(self.refs, subject, text)
                return
            if refs:
                grow(self.refs, subject, b"\n".join(refs))
                named = set(refs)
                text = b"\n".join([rest for rest in rests if rest not in named])
        if subject in self.kept:
            grow(self.kept, subject, text)
        else:
            self.kept[subject] = text

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


def _may_be_head(text: bytes) -> bool:
    return _HEADS[0] in text or _HEADS[1] in text


def grow(texts: Grown, key: bytes, more: bytes, between: bytes = b"\n") -> None:
    """Append to a value; one that grows again is made so that this costs no more than what is appended."""
    found = texts.get(key)
    if found is None:
        texts[key] = more
    elif isinstance(found, bytearray):
        found += between + more
    else:
        texts[key] = bytearray(found) + between + more


def rests_of(packed: bytes | bytearray) -> Collection[bytes]:
    """Return the statements of a subject, each once."""
    if b"\n" in packed:
        return set(bytes(packed).split(b"\n"))
    return (bytes(packed),) if packed else ()


def nodes_of(rest: bytes) -> list[bytes]:
    """Return the blank nodes of a statement without its subject."""
    if b'"' in rest:
        return [node[1] for node in _NODE.finditer(rest) if node[1]]
    start = rest.find(_BLANK)
    if start < 0:
        return []
    if rest.find(_BLANK, start + 3) < 0:
        return [rest[start + 1 :].partition(b" ")[0]]
    return [word for word in rest.split(b" ") if word[:2] == b"_:"]


def put_in(rest: bytes, names: dict[bytes, bytes]) -> bytes:
    """Return a statement with blank nodes replaced by what stands for them; others stay."""
    if b'"' in rest:
        return _NODE.sub(lambda node: names.get(node[1], node[1]) if node[1] else node[0], rest)
    start = rest.find(_BLANK) + 1
    if start and rest.find(_BLANK, start) < 0:
        node, space, end = rest[start:].partition(b" ")
        return rest[:start] + names.get(node, node) + space + end
    return b" ".join([names.get(word, word) for word in rest.split(b" ")])

"""The statements of a graph, subject by subject, as text.

They come as TriG without prefixes, as pyoxigraph writes it, most of them with those of the same subject: each statement
is spelled in one way only. What is done once per subject costs little, what is done once per statement is nearly all
that facts cost: this is why hardly anything is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from hashlib import sha256
from itertools import repeat

from . import vocabulary
from .spelling import TYPE
from .trig import BETWEEN, COMMA, groups_of, spread

_LONG = 1 << 16  # bytes of a statement that is kept as a hash and its beginning
_LONG_UNREAD = 2048  # bytes of one that is kept as a hash alone, where its object is never shown
_KEPT = 48_000  # bytes of that beginning; more than is ever shown
_NODE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|<[^<>\s]*>|(_:[^\s]+)', re.DOTALL)
OWNERS = tuple(f"<{iri}>".encode() for iri in vocabulary.OWNERS)
_READ = frozenset([TYPE.encode(), *OWNERS, *(f"<{iri}>".encode() for iri in vocabulary.SAYS)])
# short ones: of names with a long common beginning many are looked at in vain
_HEADS = tuple(f"{iri[iri.rindex('#') :]}>".encode() for iri in vocabulary.HEADS)
NAMED = ord("<")

Text = bytes | bytearray
Grown = dict[bytes, Text]


class Statements:
    """The statements of one file.

    Args:
        has_blanks: Whether there are blank nodes. Where there are none, a text may look like one.

    Attributes:
        parsed: How many there were, with repeats.
        kept: Name → its statements without the subject, BETWEEN them, with repeats: those without blank nodes. Where
            those of blank nodes came with them, a list: the former, then by twos the statement that leads to a node,
            and what is said of that node, in which there are no others.
        inlined: The nodes in these lists.
        blanks: Blank node → all else that is said of it without other blank nodes.
        arrows: Name → likewise, the statements that lead to other nodes: with a blank node as the object, and no other.
        above: Blank node → the name from which one of these leads to it, the first that came.
        doubtful: Blank nodes which came again, as a subject or as an object.
        refs: Subject → likewise, all others in which blank nodes occur beside the subject.
        led: The blank nodes in these.
        heads: Subjects that may be ontologies or schemes.
        exact: Whether nothing was left out.
    """

    def __init__(self, *, has_blanks: bool = True) -> None:
        self.has_blanks = has_blanks
        self.parsed = 0
        self.exact = True
        self.kept: dict[bytes, Text | list[Text]] = {}
        self.inlined: set[bytes] = set()
        self.blanks: Grown = {}
        self.arrows: Grown = {}
        self.above: dict[bytes, bytes] = {}
        self.doubtful: set[bytes] = set()
        self.refs: Grown = {}
        self.led: set[bytes] = set()
        self.heads: set[bytes] = set()
        self._node, self._below = b"", b""  # a blank node, and what is said of it, until it is known what follows

    def add(self, text: bytes, number: int) -> None:
        """Take some statements as TriG that the library has written.

        Args:
            text: All of them, from their beginning to their end.
            number: How many these are.
        """
        self.parsed += number
        has_head, has_comma = _may_be_head(text), COMMA in text
        kept = self.kept
        last, below = self._node, self._below
        for subject, _, packed in map(bytes.partition, groups_of(text), repeat(b" ")):
            rests = spread(packed) if has_comma and COMMA in packed else packed
            if has_head or len(rests) > _LONG_UNREAD:
                self._sort(subject, rests)
            elif b"_" in rests and b"_:" in rests:
                if rests.partition(b" ")[2] == last and self._inline(subject, rests, last, below):
                    last = b""
                else:
                    self._part(subject, rests)
            elif subject[0] != NAMED:
                if last:
                    self._keep(last, below)
                last, below = subject, rests
            # most come once, and one call finds that out
            elif kept.setdefault(subject, rests) is not rests:
                self._keep(subject, rests)
        self._node, self._below = last, below

    def finish(self) -> None:
        """Say that there are no more. What was kept with names and came again is then kept for itself."""
        if self._node:
            self._keep(self._node, self._below)
            self._node = b""
        if not self.doubtful.isdisjoint(self.inlined):
            self._take_out(self.doubtful)

    def _inline(self, subject: bytes, rest: bytes, node: bytes, below: bytes) -> bool:
        """Keep a node with the name of which the next statement leads to it, if it is new; return whether it was."""
        if subject[0] != NAMED:
            return False
        if node in self.inlined or node in self.blanks or node in self.above or node in self.refs or node in self.led:
            return False
        self.inlined.add(node)
        found = self.kept.get(subject, b"")
        if isinstance(found, list):
            found += (rest, below)
        else:
            self.kept[subject] = [found, rest, below]
        return True

    def _take_out(self, nodes: set[bytes]) -> None:
        """Keep nodes for themselves that were kept with names."""
        for name, found in self.kept.items():
            if not isinstance(found, list):
                continue
            stay = found[:1]
            for rest, below in zip(map(bytes, found[1::2]), found[2::2], strict=True):
                node = rest.partition(b" ")[2]
                if node not in nodes:
                    stay += (rest, below)
                    continue
                grow(self.blanks, node, below)
                grow(self.arrows, name, rest)
            self.kept[name] = stay
        self.inlined -= nodes

    def add_clauses(self, subject: bytes, rests: Iterable[bytes]) -> None:
        """Take the statements of one name."""
        found = list(rests)
        self.parsed += len(found)
        self._sort(subject, BETWEEN.join(found))

    def add_many(self, subjects: list[bytes], packed: list[bytes], number: int) -> None:
        """Take the statements of some names, BETWEEN those of each, where there are no blank nodes.

        Args:
            subjects: The names.
            packed: The statements of each.
            number: How many these are, all together.
        """
        self.parsed += number
        kept, has_head = self.kept, _may_be_head(b"".join(packed))
        for subject, text in zip(subjects, packed, strict=True):
            if len(text) > _LONG_UNREAD or has_head or subject in kept:
                self._sort(subject, text)
            else:
                kept[subject] = text

    def _sort(self, subject: bytes, text: bytes) -> None:
        """Keep statements, those with blank nodes apart, and note a subject that may be an ontology or a scheme."""
        if _may_be_head(text):
            self.heads.add(subject)
        if len(text) > _LONG_UNREAD:
            text = BETWEEN.join(map(self._shortened, text.split(BETWEEN)))
        if self.has_blanks and b"_:" in text:
            self._part(subject, text)
        else:
            self._keep(subject, text)

    def _keep(self, subject: bytes, text: bytes) -> None:
        """Keep statements without blank nodes."""
        if subject[0] != NAMED and self.has_blanks:
            if subject in self.inlined:
                self.doubtful.add(subject)
            grow(self.blanks, subject, text)
            return
        found = self.kept.get(subject, b"")
        if isinstance(found, list):
            found[0] = grown(found[0], text)
        else:
            self.kept[subject] = grown(found, text)

    def _part(self, subject: bytes, text: bytes) -> None:
        """Keep statements, those with blank nodes apart."""
        if subject[0] != NAMED and (target := only_node_of(text)):
            if self.refs.setdefault(subject, text) is not text:
                grow(self.refs, subject, text)
            self.led.add(target)
            if self.inlined:
                self.doubtful |= self.inlined.intersection((subject, target))
            return
        plain, refs = [], []
        for rest in text.split(BETWEEN):
            nodes = nodes_of(rest) if b"_:" in rest else None
            if not nodes:
                plain.append(rest)
            elif subject[0] == NAMED and rest.partition(b" ")[2] == nodes[0]:
                self._lead(subject, rest, nodes[0])
            else:
                refs.append(rest)
                self.led.update(nodes)
                self.doubtful |= self.inlined.intersection((subject, *nodes))
        if refs:
            grow(self.refs, subject, BETWEEN.join(refs))
        if plain:
            self._keep(subject, BETWEEN.join(plain))

    def _lead(self, name: bytes, rest: bytes, node: bytes) -> None:
        """Keep the statement that leads from a name to a blank node."""
        grow(self.arrows, name, rest)
        if node in self.above or node in self.inlined:
            self.doubtful.add(node)
        else:
            self.above[node] = name

    def _shortened(self, rest: bytes) -> bytes:
        """Return a statement; a long one as its predicate, the beginning of its object if that is shown, and a hash.

        No statement looks like the latter. One with a blank node stays what it is.
        """
        if len(rest) <= _LONG_UNREAD:
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


def grow(texts: Grown, key: bytes, more: Text) -> None:
    """Append statements to a value."""
    texts[key] = grown(texts.get(key, b""), more)


def grown(text: Text, more: Text) -> Text:
    """Return statements and more; those that grow again are made so that this costs no more than what is appended."""
    if not text:
        return more
    found = text if isinstance(text, bytearray) else bytearray(text)
    found += BETWEEN + more
    return found


def rests_of(packed: bytes | bytearray) -> Collection[bytes]:
    """Return the statements of a subject, each once."""
    if BETWEEN in packed:
        return set(bytes(packed).split(BETWEEN))
    return (bytes(packed),) if packed else ()


def only_node_of(packed: Text) -> bytes:
    """Return the blank node that is the object of the only statement of a subject; nothing where it is otherwise."""
    value = packed.partition(b" ")[2]
    return bytes(value) if value[:2] == b"_:" and b" " not in value else b""


def nodes_of(rest: bytes) -> list[bytes]:
    """Return the blank nodes of a statement without its subject."""
    node = only_node_of(rest)
    if node:
        return [node]
    if b'"' in rest:
        return [node[1] for node in _NODE.finditer(rest) if node[1]]
    return [word for word in rest.split(b" ") if word[:2] == b"_:"]


def put_in(rest: bytes, names: dict[bytes, bytes]) -> bytes:
    """Return a statement with blank nodes replaced by what stands for them; others stay."""
    predicate, _, value = rest.partition(b" ")
    if value in names:
        return b"%b %b" % (predicate, names[value])
    if b'"' in rest:
        return _NODE.sub(lambda node: names.get(node[1], node[1]) if node[1] else node[0], rest)
    return b" ".join([names.get(word, word) for word in rest.split(b" ")])

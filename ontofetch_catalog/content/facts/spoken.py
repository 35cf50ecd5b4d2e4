"""What is said of some names, many at a time, as columns of the table of terms.

What is done name by name or statement by statement in Python is nearly all that facts cost. Where it can be done by one
call for all of them, it is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import chain, compress, islice, repeat
from typing import Any

from xxhash import xxh3_64_intdigest

from . import texts, vocabulary
from .spelling import TYPE
from .statements import BETWEEN

_OTHER, _CLASS = 0, 1  # codes of predicates; what else they say is counted from _FIRST
_FIRST = 2
_PREDICATES = {
    TYPE.encode(): _CLASS,
    **{f"<{iri}>".encode(): code + _FIRST for iri, code in vocabulary.SAYS.items()},
}
_BITS = {f"<{iri}>".encode(): bits for iri, bits in vocabulary.BITS.items()}
_TRUE = ("true", "1")
# of these a column shows what is said
_SHOWN = frozenset(
    code + _FIRST
    for code in (
        vocabulary.LABEL, vocabulary.DEFINITION, vocabulary.COMMENT, vocabulary.DEPRECATED, vocabulary.REPLACED,
        vocabulary.CONSIDER, vocabulary.PARENT,
    )
)  # fmt: skip
_CODES = range(_FIRST + len(set(vocabulary.SAYS.values())))
_UNSHOWN = bytes(code not in _SHOWN for code in range(256))  # for `translate`: code → whether no column shows it
_IS = [bytes(each == code for each in range(256)) for code in _CODES]
NONE: list[str] = []  # which nobody changes

Column = list[Any]
Pairs = Iterable[tuple[int, bytes]]  # the number of a name, and what is said of it


class Spoken:
    """What is said of some names, in the order in which they come.

    Attributes:
        names: As they stand in statements.
        digests: Of all that is said of each.
        lines: Hashes of the statements of each, sorted.
        sizes: How many these are.
    """

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self.digests: list[bytes] = []
        self.lines = array("Q")
        self.sizes: list[int] = []
        self.weight = 0  # bytes of statements
        self._rests: list[bytes] = []
        self._counts: list[int] = []
        self._behind: list[list[bytes]] = []
        self._codes = bytearray()
        self._values: list[bytes] = []
        self._numbers: list[int] = []

    def add(self, name: bytes, packed: bytes, behind: list[bytes], annotations: list[bytes], below: bytes) -> None:
        """Take a name.

        Args:
            name: The name.
            packed: Its statements without blank nodes.
            behind: Those with, and what stands for the nodes in them; sorted.
            annotations: What stands for the annotations about it, sorted.
            below: Hashes of the statements of blank nodes that belong to it.
        """
        if BETWEEN in packed:
            rests = sorted(set(packed.split(BETWEEN)))
        else:
            rests = [packed] if packed else []
        self.weight += len(packed)
        self._rests += rests
        self._counts.append(len(rests))
        if behind:
            rests += behind
        # the name goes into each: one statement of two terms is two
        lines = sorted(map(xxh3_64_intdigest, rests, repeat(xxh3_64_intdigest(name))))
        if below:
            lines = sorted([*lines, *array("Q", below)])
        self.lines.extend(lines)
        self.sizes.append(len(lines))
        behind = behind + annotations if annotations else behind
        self._behind.append(behind)
        self.names.append(name)
        if annotations:
            rests += annotations
        self.digests.append(sha256(b"\n".join([name, *rests])).digest())

    def read(self) -> None:
        """Look at the statements, once all names are there."""
        parts = list(map(bytes.partition, self._rests, repeat(b" ")))
        self._codes = bytearray([_PREDICATES.get(part[0], _OTHER) for part in parts])
        self._values = [part[2] for part in parts]
        self._numbers = list(chain.from_iterable(map(repeat, range(len(self.names)), self._counts)))

    def best(self, code: int) -> Column:
        """Return for each name the best text of what is told, cut; None where there is none."""
        return [text or None for text in self._shown(self._told(code), texts.MOST_TEXT)[0]]

    def bits(self) -> list[int]:
        """Return the classes of each name, as `vocabulary` counts them."""
        bits = [0] * len(self.names)
        for number, value in self._where(_CLASS):
            # behind the class may stand a graph
            bits[number] |= _BITS.get(value.partition(b" ")[0], vocabulary.INDIVIDUAL)
        return bits

    def columns(self) -> list[Column]:
        """Return the columns of the table of terms, in their order, but for `lines`."""
        labels = self._shown(self._told(vocabulary.LABEL), texts.MOST_TEXT)
        definitions = self._shown(self._defining(), texts.MOST_DEFINITION)
        bits = self.bits()
        deprecated = [each & vocabulary.DEPRECATED_BIT != 0 for each in bits]
        for number, value in self._told(vocabulary.DEPRECATED):
            deprecated[number] = deprecated[number] or texts.text_of(value) in _TRUE
        self._leave_nameless_parents()
        lists = [
            self.listed(code)
            for code in (vocabulary.REPLACED, vocabulary.CONSIDER, vocabulary.PARENT, vocabulary.ALTERNATIVE)
        ]
        others = self._other_digests()
        return [
            [texts.iri_of(name) for name in self.names],
            list(map(vocabulary.kind_of, bits)),
            *labels,
            *definitions,
            deprecated,
            *lists,
            self.sizes,
            [digest[:16] for digest in self.digests],
            others,
        ]

    def _where(self, code: int) -> Iterator[tuple[int, bytes]]:
        mask = self._codes.translate(_IS[code])
        return zip(compress(self._numbers, mask), compress(self._values, mask), strict=True)

    def _told(self, code: int) -> Iterator[tuple[int, bytes]]:
        return self._where(code + _FIRST) if code + _FIRST in self._codes else iter(())

    def _defining(self) -> Iterator[tuple[int, bytes]]:
        """Return the definitions; of names that have none the comments. Other comments are nothing that is shown."""
        found = list(self._told(vocabulary.DEFINITION))
        comment = vocabulary.COMMENT + _FIRST
        if comment not in self._codes:
            return iter(found)
        defined = {number for number, _ in found}
        for row in compress(range(len(self._codes)), self._codes.translate(_IS[comment])):
            if self._numbers[row] in defined:
                self._codes[row] = _OTHER
        return chain(found, self._told(vocabulary.COMMENT))

    def _leave_nameless_parents(self) -> None:
        """Count a parent that has no name to what no column shows."""
        values = self._values
        for row in compress(range(len(values)), self._codes.translate(_IS[vocabulary.PARENT + _FIRST])):
            if values[row][:1] != b"<" or values[row][:2] == b"<<":
                self._codes[row] = _OTHER

    def _shown(self, pairs: Pairs, most: int) -> tuple[Column, Column]:
        """Return the best text of all that tells something, cut, and the digest of them all; None where nothing does.

        The digest is of the values alone, whichever predicate says so.
        """
        shown: Column = [None] * len(self.names)
        digests: Column = [None] * len(self.names)
        several: dict[int, list[bytes]] = {}
        first: dict[int, bytes] = {}
        for number, value in pairs:
            if number in first:
                several.setdefault(number, [first[number]]).append(value)
            else:
                first[number] = value
        for number, value in first.items():
            text = texts.text_of(value)
            shown[number] = text if len(text) <= most else texts.cut(text, most)
            digests[number] = sha256(value).digest()[:16]
        for number, values in several.items():
            best = texts.best([texts.read_value(value) for value in values]) or ""
            shown[number] = texts.cut(best, most)
            digests[number] = sha256(b"\n".join(sorted(values))).digest()[:16]
        return shown, digests

    def listed(self, code: int) -> Column:
        """Return for each name what is told, sorted, each once."""
        column: Column = [NONE] * len(self.names)
        several: dict[int, set[str]] = {}
        for number, value in self._told(code):
            text = texts.shortened_iri(texts.text_of(value))
            if not text:
                continue
            if column[number]:
                several.setdefault(number, set(column[number])).add(text)
            else:
                column[number] = [text]
        for number, found in several.items():
            column[number] = sorted(found)[: texts.MOST_LISTED]
        return column

    def _other_digests(self) -> Column:
        """Return the digest of all that no column shows, of each name."""
        others = compress(self._rests, self._codes.translate(_UNSHOWN))
        counts = [0] * len(self.names)
        for number in compress(self._numbers, self._codes.translate(_UNSHOWN)):
            counts[number] += 1
        return [
            sha256(b"\n".join([*islice(others, count), *behind])).digest()[:16]
            for count, behind in zip(counts, self._behind, strict=True)
        ]

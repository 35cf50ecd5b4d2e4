"""What is said of some names, many at a time, as columns of the table of terms.

What is done name by name or statement by statement in Python is nearly all that facts cost. Where it can be done by one
call for all of them, it is.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate, chain, compress, islice, repeat
from operator import add, itemgetter
from typing import Any

from xxhash import xxh3_64_intdigest

from . import texts, vocabulary
from .spelling import TYPE
from .trig import BETWEEN

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

_PREDICATE, _VALUE = itemgetter(0), itemgetter(2)  # of a statement taken apart
_BEGINNING = itemgetter(0)
_SILENT = bytes(byte not in {name[0] for name in _PREDICATES} for byte in range(256))
_SOME = 100  # statements
_NOT = bytes([True, *[False] * 255])

Column = list[Any]
Told = tuple[list[int], list[bytes]]  # numbers of names, and what is said of each


class Spoken:
    """What is said of some names, in the order in which they come.

    Attributes:
        names: As they stand in statements.
        given: Those that were not yet looked at, with all that is said of each.
        digests: Of all that is said of each.
        lines: Hashes of the statements of each, sorted.
        sizes: How many these are.
        weight, weights: Bytes of the statements, of all names together and of each.
    """

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self.digests: list[bytes] = []
        self.lines = array("Q")
        self.sizes: list[int] = []
        self.weight = 0
        self.weights: list[int] = []
        self.given: list[tuple[bytes, bytes, list[bytes], list[bytes], list[int]]] = []
        self._behind: Sequence[list[bytes]] = []
        self._rests: list[bytes] = []
        self._counts: list[int] = []
        self._silent = b""  # whether their predicate is one of which nothing is known; empty where it may be any
        # of all others alone
        self._codes = bytearray()
        self._values: list[bytes] = []
        self._numbers: list[int] = []

    def add(self, name: bytes, packed: bytes, behind: list[bytes], annotations: list[bytes], below: list[int]) -> None:
        """Take a name.

        Args:
            name: The name.
            packed: Its statements without blank nodes.
            behind: Those with, and what stands for the nodes in them; sorted.
            annotations: What stands for the annotations about it, sorted.
            below: Hashes of the statements of blank nodes that belong to it.
        """
        self.given.append((name, packed, behind, annotations, below))
        self.weight += len(packed)

    def read(self) -> None:
        """Look at the statements, once all names are there."""
        if not self.given:
            return
        names, packs, behind, annotations, below = zip(*self.given, strict=True)
        self.given = []
        self._read(list(names), packs, behind, annotations, below)

    def read_some(
        self, names: list[bytes], packs: list[bytes], behind: list[list[bytes]], below: list[list[int]]
    ) -> None:
        """Take names about which there are no annotations, each with what `add` takes, and look at the statements."""
        self._read(names, packs, behind, [NONE] * len(names), below)

    def _read(self, names: list[bytes], packs: Sequence[bytes], *others: Sequence[list[Any]]) -> None:
        behind, annotations, below = others
        self.names, self._behind = names, behind
        self.weights = list(map(len, packs))
        # the name goes into each: one statement of two terms is two
        seeds = list(map(xxh3_64_intdigest, self.names))
        apart = [packed.split(BETWEEN) if packed else [] for packed in packs]
        counts, hashes = self._sort(apart, seeds)
        if len(set(hashes)) < len(hashes):
            # some are there twice
            apart = [list(set(rests)) for rests in apart]
            counts, hashes = self._sort(apart, seeds)
        self._count(counts, hashes, seeds, below)
        if any(annotations):
            self._behind = list(map(add, self._behind, annotations))
        self.digests = [
            sha256(b"\n".join([name, *rests, *behind])).digest()
            for name, rests, behind in zip(self.names, apart, self._behind, strict=True)
        ]
        self._counts = counts
        self._take_apart()

    def _take_apart(self) -> None:
        """Find what is said by the statements whose predicate may be known; others need no closer look."""
        rests = self._rests
        numbers = list(chain.from_iterable(map(repeat, range(len(self.names)), self._counts)))
        self._silent = b""
        # in RDF there are none, which some tell
        if True in bytes(map(_BEGINNING, rests[:_SOME])).translate(_SILENT):
            self._silent = bytes(map(_BEGINNING, rests)).translate(_SILENT)
            telling = self._silent.translate(_NOT)
            rests, numbers = list(compress(rests, telling)), list(compress(numbers, telling))
        parts = list(map(bytes.partition, rests, repeat(b" ")))
        self._codes = bytearray(map(_PREDICATES.get, map(_PREDICATE, parts), repeat(_OTHER)))
        self._values = list(map(_VALUE, parts))
        self._numbers = numbers

    def _sort(self, apart: list[list[bytes]], seeds: list[int]) -> tuple[list[int], list[int]]:
        """Sort the statements of each name; return how many these are, and a hash of each of all of them."""
        for rests in apart:
            rests.sort()
        counts = list(map(len, apart))
        self._rests = list(chain.from_iterable(apart))
        return counts, list(map(xxh3_64_intdigest, self._rests, chain.from_iterable(map(repeat, seeds, counts))))

    def _count(self, counts: list[int], hashes: list[int], seeds: list[int], below: Sequence[list[int]]) -> None:
        """Find the hashes of all statements of each name, sorted."""
        found: list[int] = []
        start = 0
        for count, seed, behind, others in zip(counts, seeds, self._behind, below, strict=True):
            end = start + count
            lines = hashes[start:end]
            start = end
            if behind:
                lines += map(xxh3_64_intdigest, behind, repeat(seed))
            if others:
                lines += others
            lines.sort()
            found += lines
            self.sizes.append(len(lines))
        self.lines = array("Q", found)

    def best(self, code: int) -> Column:
        """Return for each name the best text of what is told, cut; None where there is none."""
        return [text or None for text in self._shown(self._told(code), texts.MOST_TEXT)[0]]

    def bits(self) -> list[int]:
        """Return the classes of each name, as `vocabulary` counts them."""
        bits = [0] * len(self.names)
        for number, value in zip(*self._where(_CLASS), strict=True):
            # behind the class may stand a graph
            bits[number] |= _BITS.get(value.partition(b" ")[0], vocabulary.INDIVIDUAL)
        return bits

    def columns(self) -> list[Column]:
        """Return the columns of the table of terms, in their order, but for `lines`."""
        labels = self._shown(self._told(vocabulary.LABEL), texts.MOST_TEXT)
        definitions = self._shown(self._defining(), texts.MOST_DEFINITION)
        bits = self.bits()
        deprecated = [each & vocabulary.DEPRECATED_BIT != 0 for each in bits]
        numbers, values = self._told(vocabulary.DEPRECATED)
        for number, text in zip(numbers, texts.texts_of(values), strict=True):
            deprecated[number] = deprecated[number] or text in _TRUE
        self._leave_nameless_parents()
        lists = [
            self.listed(code)
            for code in (vocabulary.REPLACED, vocabulary.CONSIDER, vocabulary.PARENT, vocabulary.ALTERNATIVE)
        ]
        others = self._other_digests()
        return [
            texts.iris_of(self.names),
            list(map(vocabulary.kind_of, bits)),
            *labels,
            *definitions,
            deprecated,
            *lists,
            self.sizes,
            [digest[:16] for digest in self.digests],
            others,
        ]

    def _where(self, code: int) -> Told:
        if code not in self._codes:
            return [], []
        mask = self._codes.translate(_IS[code])
        return list(compress(self._numbers, mask)), list(compress(self._values, mask))

    def _told(self, code: int) -> Told:
        return self._where(code + _FIRST)

    def _defining(self) -> Told:
        """Return the definitions; of names that have none the comments. Other comments are nothing that is shown."""
        numbers, values = self._told(vocabulary.DEFINITION)
        comment = vocabulary.COMMENT + _FIRST
        defined = set(numbers)
        for row in compress(range(len(self._codes)), self._codes.translate(_IS[comment])):
            if self._numbers[row] in defined:
                self._codes[row] = _OTHER
        comments = self._told(vocabulary.COMMENT)
        return numbers + comments[0], values + comments[1]

    def _leave_nameless_parents(self) -> None:
        """Count a parent that has no name to what no column shows."""
        values = self._values
        if texts.are_iris(self._told(vocabulary.PARENT)[1]):
            return
        for row in compress(range(len(values)), self._codes.translate(_IS[vocabulary.PARENT + _FIRST])):
            if values[row][:1] != b"<" or values[row][:2] == b"<<":
                self._codes[row] = _OTHER

    def _shown(self, told: Told, most: int) -> tuple[Column, Column]:
        """Return the best text of all that tells something, cut, and the digest of them all; None where nothing does.

        The digest is of the values alone, whichever predicate says so.
        """
        numbers, values = told
        cut = texts.texts_of(values)
        if max(map(len, cut), default=0) > most:
            cut = [texts.cut(text, most) for text in cut]
        shown = self._scattered(numbers, cut)
        digests = self._scattered(numbers, [sha256(value).digest()[:16] for value in values])
        for number, several in self._several(numbers, values).items():
            best = texts.best([texts.read_value(value) for value in several]) or ""
            shown[number] = texts.cut(best, most)
            digests[number] = sha256(b"\n".join(sorted(several))).digest()[:16]
        return shown, digests

    def _scattered(self, numbers: list[int], values: list[Any]) -> Column:
        """Return a column with values at the numbers of their names, None elsewhere."""
        if len(numbers) == len(self.names) and numbers == list(range(len(numbers))):
            return values
        column = [None] * len(self.names)
        for number, value in zip(numbers, values, strict=True):
            column[number] = value
        return column

    def _several(self, numbers: list[int], values: list[Any]) -> dict[int, list[Any]]:
        """Return the values of those names that have several."""
        if len(set(numbers)) == len(numbers):
            return {}
        found: dict[int, list[Any]] = {}
        for number, value in zip(numbers, values, strict=True):
            found.setdefault(number, []).append(value)
        return {number: several for number, several in found.items() if len(several) > 1}

    def listed(self, code: int) -> Column:
        """Return for each name what is told, sorted, each once."""
        column: Column = [NONE] * len(self.names)
        numbers, values = self._told(code)
        names = texts.shortened(texts.texts_of(values))
        for number, name in zip(numbers, names, strict=True):
            column[number] = [name] if name else NONE
        for number, several in self._several(numbers, names).items():
            column[number] = sorted({name for name in several if name})[: texts.MOST_LISTED]
        return column

    def _other_digests(self) -> Column:
        """Return the digest of all that no column shows, of each name."""
        unshown = self._codes.translate(_UNSHOWN)
        if self._silent:
            flags, unshown = unshown, bytearray(self._silent)
            rows = compress(range(len(unshown)), self._silent.translate(_NOT))
            for row in compress(rows, flags):
                unshown[row] = True
        others = compress(self._rests, unshown)
        ends = list(accumulate(self._counts))
        counts = map(unshown.count, repeat(True), chain((0,), ends), ends)
        return [
            sha256(b"\n".join([*islice(others, count), *behind])).digest()[:16]
            for count, behind in zip(counts, self._behind, strict=True)
        ]

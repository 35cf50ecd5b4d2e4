"""What stands for a blank node: a hash of all that is said of it, the same whatever it is called.

A node that only one statement leads to is told by what lies below it. What several lead to, and what lies in a circle,
is told by `refining` as well. No step here calls itself, and none takes more than linear time. Most nodes lead nowhere,
and one statement about a name leads to them: `tell_leaves` tells these, where the names are told.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Iterable, Sequence
from dataclasses import field
from hashlib import sha256
from itertools import chain, islice
from operator import eq
from struct import Struct

from ontofetch_hookspecs.light_dataclasses import dataclass

from .arrows import Subjects, find_arrows
from .refining import MOST, Tangle, refine
from .statements import NAMED, OWNERS, Statements, Text, nodes_of, only_node_of, put_in, rests_of
from .trig import BETWEEN

LINE = 8  # bytes of a statement's hash
_NOTHING = sha256().digest()
_WORDS = sha256().digest_size // LINE
_words = Struct(f"={_WORDS}Q").unpack


@dataclass(slots=True)
class Blanks:
    """The blank nodes of a graph that are no leaves.

    Attributes:
        tokens: Node → what stands for it: `_#`, which no node is called, and a hash.
        lines: Node → LINE bytes for each of its statements. As the token is of all of them, its bytes will do.
        owners: Node → the term it belongs to, empty where it belongs to none.
        roots: Nodes that no statement leads to.
        signatures: Digests of what the tokens don't tell: which nodes are the same one.
        shared, cyclic: How many several statements lead to, or lie in a circle or above one.
        exact: Whether equal digests mean equal graphs.
    """

    tokens: dict[bytes, bytes] = field(default_factory=dict)
    lines: dict[bytes, bytes] = field(default_factory=dict)
    owners: dict[bytes, bytes] = field(default_factory=dict)
    roots: list[bytes] = field(default_factory=list)
    hard: set[bytes] = field(default_factory=set)
    signatures: list[bytes] = field(default_factory=list)
    shared: int = 0
    cyclic: int = 0
    exact: bool = True


def read_blanks(statements: Statements) -> Blanks:
    """Return what stands for the blank nodes of a graph, and to which terms they belong.

    The statements of those that are no leaves are gone afterwards.
    """
    found = Blanks()
    if not statements.has_blanks:
        return found
    statements.finish()
    left, more = find_arrows(statements)
    above = statements.above
    if not left:
        return found
    order = _tell(statements, left, above, more, found)
    found.roots = [node for node in left if node not in above]
    cyclic = left.keys() - found.tokens.keys()
    found.shared, found.cyclic = len(more), len(cyclic)
    _untangle(statements, more.keys() | cyclic, above, more, found)
    owners = found.owners
    for node in found.roots:
        packed = statements.blanks.get(node)
        owners[node] = _term_of(packed) if packed else b""
    for node in reversed(order):
        subject = above.get(node)
        if subject is not None and node not in more:
            owners[node] = subject if subject[0] == NAMED else owners.get(subject, b"")
    # to keep the rest takes a fraction of what it takes to take each out
    statements.blanks = {node: packed for node, packed in statements.blanks.items() if node not in left}
    statements.refs = {name: packed for name, packed in statements.refs.items() if name not in left}
    return found


def _untangle(
    statements: Statements,
    knots: set[bytes],
    above: Subjects,
    more: dict[bytes, list[bytes]],
    found: Blanks,
) -> None:
    """Find what tokens don't tell, and the tokens of the nodes in circles and above them."""
    if not knots:
        return
    found.hard = knots
    if len(knots) <= MOST // 3:
        found.hard = _and_above(knots, above, more)
    # each is a node, and each from which a line leads to another is two nodes of that line
    size = max(3 * len(knots), 3 * len(found.hard) - 2 * len(knots))
    # where refining would give up, nothing is made ready for it
    if size > MOST:
        tangle = Tangle(_own_colours(found, statements), size=size)
    else:
        tangle = _tangle(found, statements, _subjects(found.hard, above, more))
    refined = refine(tangle)
    found.exact, found.signatures = refined.exact, refined.signatures
    blanks, refs, colours = statements.blanks, statements.refs, refined.colours
    # of a million nodes in one circle all are alike
    alike: dict[tuple[bytes, int], tuple[bytes, bytes]] = {}
    for node in knots - found.tokens.keys():
        seen = colours[node], _number(blanks.get(node, b"")) + _number(refs[node])
        told = alike.get(seen) or alike.setdefault(seen, _told(*seen))
        found.tokens[node], found.lines[node] = told


def _own_colours(found: Blanks, statements: Statements) -> dict[bytes, bytes]:
    """Return a hash of what is said of each hard node; of one in no circle the token tells all that lies below it."""
    tokens, blanks = found.tokens, statements.blanks
    colours = {}
    for node in found.hard:
        said = tokens.get(node) or blanks.get(node)
        if not said:
            colours[node] = _NOTHING
        elif BETWEEN in said:
            colours[node] = sha256(b"\n".join(sorted(rests_of(said)))).digest()
        else:
            colours[node] = sha256(said).digest()
    return colours


def _number(packed: Text) -> int:
    """Return how many statements there are."""
    return len(rests_of(packed)) if BETWEEN in packed else 1 if packed else 0


def _term_of(packed: Text) -> bytes:
    """Return the least name of a term of which the root of some blank nodes speaks."""
    found = [rest.split(b" ", 2)[1] for rest in rests_of(packed) if rest.startswith(OWNERS)]
    return min((term for term in found if term[0] == NAMED), default=b"")


def _told(digest: bytes, statements: int) -> tuple[bytes, bytes]:
    """Return what stands for a node, and LINE bytes for each of its statements."""
    lines = digest[: statements * LINE] if statements <= _WORDS else _stretched(digest, statements)
    return b"_#" + hexlify(digest), lines


def _name(blanks: Blanks, node: bytes, digest: bytes, statements: int) -> None:
    blanks.tokens[node], blanks.lines[node] = _told(digest, statements)


def _stretched(digest: bytes, statements: int) -> bytes:
    """Return LINE bytes for each statement."""
    parts = [digest]
    while len(parts) * len(digest) < statements * LINE:
        parts.append(sha256(parts[-1]).digest())
    return b"".join(parts)[: statements * LINE]


def tell_leaf(packed: Text) -> tuple[bytes, Sequence[int]]:
    """Return what stands for a node that leads nowhere, behind a space, and a hash for each of its statements.

    Args:
        packed: These.
    """
    [token], [lines] = tell_leaves([packed])
    return token, lines


def tell_leaves(packs: Sequence[Text]) -> tuple[list[bytes], list[Sequence[int]]]:
    """Return the same of some nodes, with fewer steps for each."""
    apart = [bytes(packed).split(BETWEEN) if packed else [] for packed in packs]
    for rests in apart:
        rests.sort()
    every = list(chain.from_iterable(apart))
    if any(map(eq, every, islice(every, 1, None))):
        # one may be there twice
        apart = [sorted(set(rests)) for rests in apart]
    digests = [sha256(text).digest() for text in map(b"\n".join, apart)]
    return [b" _#" + hexlify(digest) for digest in digests], list(map(_lines_of, digests, map(len, apart)))


def _lines_of(digest: bytes, statements: int) -> Sequence[int]:
    if statements <= _WORDS:
        return _words(digest)[:statements]
    return memoryview(_stretched(digest, statements)).cast("Q")


def _tell(
    statements: Statements,
    left: dict[bytes, int],
    above: Subjects,
    more: dict[bytes, list[bytes]],
    found: Blanks,
) -> list[bytes]:
    """Find the tokens of the nodes that lie in no circle and above none; return these, those below first."""
    ready = [node for node, count in left.items() if not count]
    waiting = {node: count for node, count in left.items() if count}
    blanks, refs, tokens = statements.blanks, statements.refs, found.tokens
    for node in ready:  # which grows
        packed = refs.get(node)
        if packed is None:
            # most lead nowhere
            own = blanks.get(node, b"")
            text = b"\n".join(sorted(rests_of(own))) if BETWEEN in own else own
            _name(found, node, sha256(text).digest(), _number(own))
        else:
            only = only_node_of(packed)
            # of a long chain that is all
            rests: list[Text] = (
                [packed[: -len(only)] + tokens[only]] if only else [put_in(r, tokens) for r in rests_of(packed)]
            )
            if node in blanks:
                rests += rests_of(blanks[node])
            rests.sort()
            _name(found, node, sha256(b"\n".join(rests)).digest(), len(rests))
        subject = above.get(node)
        if subject is None:
            continue
        for each in (subject, *more[node]) if node in more else (subject,):
            if each in waiting:
                waiting[each] -= 1
                if not waiting[each]:
                    ready.append(each)
    return ready


def _and_above(some: set[bytes], above: Subjects, more: dict[bytes, list[bytes]]) -> set[bytes]:
    """Return some nodes and all blank nodes from which statements lead to them."""
    found = set(some)
    waiting = list(some)
    while waiting:
        node = waiting.pop()
        if node in above:
            for subject in (above[node], *more.get(node, ())):
                if subject[0] != NAMED and subject not in found:
                    found.add(subject)
                    waiting.append(subject)
    return found


def _subjects(some: set[bytes], above: Subjects, more: dict[bytes, list[bytes]]) -> Iterable[bytes]:
    """Return some nodes and all subjects from which statements lead to them, each once."""
    found = dict.fromkeys(some)
    for node in some:
        if node in above:
            found |= dict.fromkeys((above[node], *more.get(node, ())))
    return found


def _tangle(blanks: Blanks, statements: Statements, subjects: Iterable[bytes]) -> Tangle:
    """Return the part of the graph that tokens don't tell: of a large graph with few knots that is little.

    Args:
        blanks: What is told already.
        statements: All of the graph.
        subjects: Those of which a statement may belong to that part.
    """
    hard, tokens = blanks.hard, blanks.tokens
    tangle = Tangle(size=len(hard))
    refs, arrows = statements.refs, statements.arrows
    for subject in subjects:
        if tangle.size > MOST:
            break
        for rest in (*rests_of(refs.get(subject, b"")), *rests_of(arrows.get(subject, b""))):
            nodes = nodes_of(rest)
            inside = [target for target in dict.fromkeys(nodes) if target in hard]
            if inside or subject in hard:
                # only those that are not hard have one that may be put in
                easy = {node: tokens[node] for node in nodes if node not in hard}
                tangle.size += 1 + len(inside)
                tangle.lines.append((subject, put_in(rest, easy) if easy else rest, inside))
    tangle.colours = _own_colours(blanks, statements)
    return tangle

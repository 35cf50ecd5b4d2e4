"""What stands for a blank node: a hash of all that is said of it, the same whatever it is called.

A node that only one statement leads to is told by what lies below it. What several lead to, and what lies in a circle,
is told by `refining` as well. No step here calls itself, and none takes more than linear time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from .refining import Tangle, refine
from .statements import Statements, digests_of, nodes_of, put_in, rests_of

_NAMED = ord("<")
Subjects = dict[bytes, bytes]  # node → the subject of a statement that leads to it


@dataclass(slots=True)
class Blanks:
    """The blank nodes of a graph.

    Attributes:
        tokens: Node → what stands for it: `_#`, which no node is called, and a hash.
        owners: Node → the term it belongs to, empty where it belongs to none.
        roots: Nodes that no statement leads to.
        signatures: Digests of what the tokens don't tell: which nodes are the same one.
        shared, cyclic: How many several statements lead to, or lie in a circle or above one.
        exact: Whether equal digests mean equal graphs.
    """

    tokens: dict[bytes, bytes] = field(default_factory=dict)
    owners: dict[bytes, bytes] = field(default_factory=dict)
    roots: list[bytes] = field(default_factory=list)
    hard: set[bytes] = field(default_factory=set)
    signatures: list[bytes] = field(default_factory=list)
    shared: int = 0
    cyclic: int = 0
    exact: bool = True


def read_blanks(statements: Statements) -> Blanks:
    """Return what stands for the blank nodes of a graph, and to which terms they belong."""
    found = Blanks()
    left, above, more = _arrows(statements)
    order = _tell(statements, left, above, more, found.tokens)
    found.roots = [node for node in left if node not in above]
    cyclic = left.keys() - found.tokens.keys() if len(found.tokens) < len(left) else set()
    found.shared, found.cyclic = len(more), len(cyclic)
    found.hard = _and_above(more.keys() | cyclic, above, more)
    if found.hard:
        refined = refine(_tangle(found, statements))
        found.exact, found.signatures = refined.exact, refined.signatures
        for node in cyclic:
            found.tokens[node] = b"_#" + refined.colours[node].hex().encode()
    owners = found.owners
    for node in reversed(order):
        subject = above.get(node)
        if subject is None:
            owners[node] = statements.owners.get(node, b"")
        elif node not in more:
            owners[node] = subject if subject[0] == _NAMED else owners.get(subject, b"")
    return found


def _arrows(statements: Statements) -> tuple[dict[bytes, int], Subjects, dict[bytes, list[bytes]]]:
    """Return how many arrows begin at each blank node, and where those that lead to it begin: one, and the others."""
    left = dict.fromkeys((node for node in statements.hashes if node[0] != _NAMED), 0)
    above: Subjects = {}
    more: dict[bytes, list[bytes]] = {}
    for subject, packed in statements.refs.items():
        count = 0
        for rest in rests_of(packed):
            for target in {*nodes_of(rest)}:
                count += 1
                if target not in above:
                    above[target] = subject
                    left.setdefault(target, 0)
                else:
                    more.setdefault(target, []).append(subject)
        if subject[0] != _NAMED:
            left[subject] = count
    return left, above, more


def _tell(
    statements: Statements,
    left: dict[bytes, int],
    above: Subjects,
    more: dict[bytes, list[bytes]],
    tokens: dict[bytes, bytes],
) -> list[bytes]:
    """Find the tokens of the nodes that lie in no circle and above none; return these, those below first."""
    ready = [node for node, count in left.items() if not count]
    waiting = {node: count for node, count in left.items() if count}
    for node in ready:  # which grows
        digests = digests_of(statements.hashes.get(node, b""))
        packed = statements.refs.get(node)
        told = [*digests, *(sha256(put_in(rest, tokens)).digest() for rest in rests_of(packed))] if packed else digests
        tokens[node] = b"_#" + sha256(b"".join(sorted(told))).hexdigest().encode()
        if node not in above:
            continue
        for subject in (above[node], *more.get(node, ())):
            if subject in waiting:
                waiting[subject] -= 1
                if not waiting[subject]:
                    ready.append(subject)
    return ready


def _and_above(some: set[bytes], above: Subjects, more: dict[bytes, list[bytes]]) -> set[bytes]:
    """Return some nodes and all blank nodes from which statements lead to them."""
    found = set(some)
    waiting = list(some)
    while waiting:
        node = waiting.pop()
        if node in above:
            for subject in (above[node], *more.get(node, ())):
                if subject[0] != _NAMED and subject not in found:
                    found.add(subject)
                    waiting.append(subject)
    return found


def _tangle(blanks: Blanks, statements: Statements) -> Tangle:
    """Return the part of the graph that tokens don't tell."""
    hard = blanks.hard
    tangle = Tangle()
    for node in hard:
        # of one in no circle the token tells all that lies below it
        own = blanks.tokens.get(node)
        if own is None:
            own = b"".join(sorted(digests_of(statements.hashes.get(node, b""))))
        tangle.colours[node] = sha256(own).digest()
    for subject, packed in statements.refs.items():
        for rest in rests_of(packed):
            inside = [target for target in dict.fromkeys(nodes_of(rest)) if target in hard]
            if inside or subject in hard:
                # only those that are not hard have one that may be put in
                easy = {node: token for node in nodes_of(rest) if node not in hard and (token := blanks.tokens[node])}
                tangle.lines.append((subject, put_in(rest, easy) if easy else rest, inside))
    return tangle

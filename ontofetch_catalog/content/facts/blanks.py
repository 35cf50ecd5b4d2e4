"""What stands for a blank node: a hash of all that is said of it, the same whatever it is called.

A node that only one statement leads to is told by what lies below it. What several lead to, and what lies in a circle, is
told by `refining` as well. No step here calls itself, and none takes more than linear time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from .refining import Tangle, refine
from .statements import Statements, digests_of, nodes_of, put_in


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
    nodes = {node for node in statements.hashes if node[:1] == b"_"}
    below: dict[bytes, list[tuple[bytes, list[bytes]]]] = {}
    above: dict[bytes, list[bytes]] = {}
    for subject, rests in statements.refs.items():
        lines = [(rest, list(dict.fromkeys(nodes_of(rest)))) for rest in rests]
        below[subject] = lines
        for _, targets in lines:
            nodes.update(targets)
            for target in targets:
                above.setdefault(target, []).append(subject)
    order = _order(nodes, below, above)
    found.roots = [node for node in nodes if node not in above]
    for node in order:
        found.tokens[node] = _token(node, statements, below.get(node, ()), found.tokens)
    cyclic = nodes - found.tokens.keys()
    shared = {node for node, subjects in above.items() if len(subjects) > 1}
    found.shared, found.cyclic = len(shared), len(cyclic)
    found.hard = _and_above(shared | cyclic, above)
    if found.hard:
        tangle = _tangle(found, statements, below)
        refined = refine(tangle)
        found.exact, found.signatures = refined.exact, refined.signatures
        for node in cyclic:
            found.tokens[node] = b"_#" + refined.colours[node].hex().encode()
    for node in reversed(order):
        subjects = above.get(node, ())
        if not subjects:
            found.owners[node] = statements.owners.get(node, b"")
        elif len(subjects) == 1:
            found.owners[node] = subjects[0] if subjects[0][:1] == b"<" else found.owners.get(subjects[0], b"")
    return found


def _order(
    nodes: set[bytes], below: dict[bytes, list[tuple[bytes, list[bytes]]]], above: dict[bytes, list[bytes]]
) -> list[bytes]:
    """Return the nodes that lie in no circle and above none, those below first."""
    left = {node: sum(len(targets) for _, targets in below.get(node, ())) for node in nodes}
    ready = [node for node in nodes if not left[node]]
    for node in ready:  # which grows
        for subject in above.get(node, ()):
            if subject in left:
                left[subject] -= 1
                if not left[subject]:
                    ready.append(subject)
    return ready


def _token(
    node: bytes, statements: Statements, lines: list[tuple[bytes, list[bytes]]] | tuple[()], tokens: dict[bytes, bytes]
) -> bytes:
    digests = [sha256(put_in(rest, tokens)).digest() for rest, _ in lines]
    digests += digests_of(statements.hashes.get(node, b""))
    return b"_#" + sha256(b"".join(sorted(digests))).hexdigest().encode()


def _and_above(some: set[bytes], above: dict[bytes, list[bytes]]) -> set[bytes]:
    """Return some nodes and all blank nodes from which statements lead to them."""
    found = set(some)
    waiting = list(some)
    while waiting:
        for subject in above.get(waiting.pop(), ()):
            if subject[:1] == b"_" and subject not in found:
                found.add(subject)
                waiting.append(subject)
    return found


def _tangle(
    blanks: Blanks, statements: Statements, below: dict[bytes, list[tuple[bytes, list[bytes]]]]
) -> Tangle:
    """Return the part of the graph that tokens don't tell."""
    hard = blanks.hard
    tangle = Tangle()
    for node in hard:
        # of an acyclic one the token tells all that lies below it
        own = blanks.tokens.get(node)
        if own is None:
            own = b"".join(sorted(digests_of(statements.hashes.get(node, b""))))
        tangle.colours[node] = sha256(own).digest()
    for subject, lines in below.items():
        for rest, targets in lines:
            inside = [target for target in targets if target in hard]
            if inside or subject in hard:
                easy = {target: blanks.tokens[target] for target in targets if target not in hard}
                easy.update({target: target for target in inside})
                tangle.lines.append((subject, put_in(rest, easy) if len(inside) < len(targets) else rest, inside))
    return tangle

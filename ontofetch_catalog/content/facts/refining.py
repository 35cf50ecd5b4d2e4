"""Which of some tangled blank nodes is which: colours, refined by the neighbours until they don't change any more.

Where nodes stay alike, the canonical form of RDF datasets (RDFC-1.0) decides, as long as they are few: it takes
exponential time, and can't be interrupted. Otherwise it is said that the result is not exact: equal graphs have equal
signatures, others may.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from math import factorial

from .statements import put_in

_ROUNDS = 64
_WORK = 400_000  # looks at a line of one component
_MOST_ORDERS = 1000  # orders of the nodes that are alike
_MOST_NODES = 200  # of a component whose canonical form is looked for

_HERE = b"_*"  # the node that a line is seen from
Line = tuple[bytes, bytes, list[bytes]]


@dataclass(slots=True)
class Tangle:
    """Blank nodes and the lines that lead to or from them.

    Attributes:
        colours: Node → what is known of it alone.
        lines: (subject, rest of the statement, the nodes in it that are tangled); the subject may have a name.
    """

    colours: dict[bytes, bytes] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Refined:
    """The last colours, a sorted signature per component, whether they tell all."""

    colours: dict[bytes, bytes] = field(default_factory=dict)
    signatures: list[bytes] = field(default_factory=list)
    exact: bool = True


def refine(tangle: Tangle) -> Refined:
    """Refine the colours of all components."""
    found = Refined()
    for nodes, lines in _components(tangle):
        colours, ended = _settle({node: tangle.colours[node] for node in nodes}, lines)
        found.colours.update(colours)
        signature = sha256(b"".join(sorted(colours.values())))
        alike = [count for count in Counter(colours.values()).values() if count > 1]
        if alike or not ended:
            canonical = _canonical(colours, lines) if ended and _orders(alike) and len(nodes) <= _MOST_NODES else b""
            found.exact = found.exact and bool(canonical)
            signature.update(canonical)
        found.signatures.append(signature.digest())
    found.signatures.sort()
    return found


def _components(tangle: Tangle) -> list[tuple[list[bytes], list[Line]]]:
    """Return the nodes and lines of each component; two nodes are in one where a line has both."""
    parents = {node: node for node in tangle.colours}

    def top(node: bytes) -> bytes:
        while parents[node] != node:
            parents[node] = node = parents[parents[node]]
        return node

    for subject, _, inside in tangle.lines:
        first, *others = [subject, *inside] if subject in parents else inside
        for other in others:
            parents[top(other)] = top(first)
    found: dict[bytes, tuple[list[bytes], list[Line]]] = {}
    for node in parents:
        found.setdefault(top(node), ([], []))[0].append(node)
    for line in tangle.lines:
        found[top(line[0] if line[0] in parents else line[2][0])][1].append(line)
    return list(found.values())


def _settle(colours: dict[bytes, bytes], lines: list[Line]) -> tuple[dict[bytes, bytes], bool]:
    """Refine the colours of one component; say whether that came to an end."""
    kinds = len(set(colours.values()))
    if len(colours) == 1:
        return _once(colours, lines), True
    size = sum(1 + len(inside) for _, _, inside in lines) + len(colours)
    for _ in range(max(min(_ROUNDS, _WORK // size), 2)):
        colours = _once(colours, lines)
        found = len(set(colours.values()))
        if found == kinds:
            return colours, True
        kinds = found
    return colours, False


def _once(colours: dict[bytes, bytes], lines: list[Line]) -> dict[bytes, bytes]:
    near: dict[bytes, list[bytes]] = {node: [] for node in colours}
    for subject, rest, inside in lines:
        names = {node: b"_:" + colours[node] for node in inside}
        if subject in near:
            line = put_in(rest, names | {subject: _HERE})
            near[subject].append(sha256(b">" + line).digest())
        start = colours.get(subject, subject)
        for node in inside:
            if node != subject:
                line = put_in(rest, names | {node: _HERE})
                near[node].append(sha256(b"<" + start + b" " + line).digest())
    return {node: sha256(b"".join([colour, *sorted(near[node])])).digest() for node, colour in colours.items()}


def _orders(alike: list[int]) -> bool:
    """Say whether the nodes that are alike can be put in few orders."""
    orders = 1
    for count in alike:
        if count > _MOST_ORDERS:
            return False
        orders *= factorial(min(count, 7))
        if orders > _MOST_ORDERS:
            return False
    return True


def _canonical(colours: dict[bytes, bytes], lines: list[Line]) -> bytes:
    """Return the digest of the canonical form of a component; nothing where a line has several of its nodes."""
    from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, Literal, NamedNode, Quad

    nodes = {node: BlankNode(f"n{number}") for number, node in enumerate(colours)}
    graph = Dataset(
        Quad(nodes[node], NamedNode("urn:colour"), Literal(colour.hex())) for node, colour in colours.items()
    )
    for subject, rest, inside in lines:
        if len(inside) > 1:
            return b""
        if subject in nodes and inside:
            digest = sha256(put_in(rest, {inside[0]: _HERE})).hexdigest()
            graph.add(Quad(nodes[subject], NamedNode(f"urn:line:{digest}"), nodes[inside[0]]))
    graph.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return sha256("\n".join(sorted(map(str, graph))).encode()).digest()

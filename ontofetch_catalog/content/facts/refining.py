"""Which of some tangled blank nodes is which: colours, refined by the neighbours until they don't change any more.

Where nodes stay alike, the canonical form of RDF datasets (RDFC-1.0) decides, as long as they are few: it takes
exponential time, and can't be interrupted. Otherwise it is said that the result is not exact: equal graphs have equal
signatures, others may.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from hashlib import sha256
from math import factorial

from ontofetch_hookspecs.light_dataclasses import dataclass

from .statements import put_in

MOST = 100_000  # nodes, and nodes of lines, that are looked at; less than a second
_ROUNDS = 64
_WORK = 400_000  # looks at a node or a line, in all rounds together
_MOST_ORDERS = 1000  # orders of the nodes of a component that are alike
_ALL_ORDERS = 10_000  # of all components
_MOST_NODES = 200  # of a component whose canonical form is looked for

_HERE = b"_*"  # the node that a line is seen from
Line = tuple[bytes, bytes, list[bytes]]
_Seen = tuple[bytes, bytes, bytes, list[bytes]]
Colours = dict[bytes, bytes]


@dataclass(slots=True)
class Tangle:
    """Blank nodes and the lines that lead to or from them.

    Attributes:
        colours: Node → what is known of it alone.
        lines: (subject, rest of the statement, the nodes in it that are tangled); the subject may have a name.
        size: How many nodes there are, and nodes in lines; lines are no longer added where these are more than `MOST`.
    """

    colours: dict[bytes, bytes] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    size: int = 0


@dataclass(slots=True)
class Refined:
    """The last colours, a sorted signature per component, whether they tell all."""

    colours: dict[bytes, bytes] = field(default_factory=dict)
    signatures: list[bytes] = field(default_factory=list)
    exact: bool = True


def refine(tangle: Tangle) -> Refined:
    """Refine the colours of all components.

    What is left out where there is too much to do depends on all of them, so that it is the same in whatever order they
    come.
    """
    if tangle.size > MOST:
        every = sha256(b"".join(sorted(tangle.colours.values()))).digest()
        return Refined(tangle.colours, [every], exact=False)
    found = Refined()
    unsure: list[tuple[Colours, list[Line], bool]] = []
    rounds = max(min(_ROUNDS, _WORK // max(tangle.size, 1)), 2)
    for nodes, lines in _components(tangle):
        seen = _see(lines)
        colours, ended = _settle({node: tangle.colours[node] for node in nodes}, seen, rounds)
        found.colours.update(colours)
        if ended and (len(set(colours.values())) == len(colours) or _are_twins(colours, seen)):
            found.signatures.append(_signature(colours))
        else:
            unsure.append((colours, lines, ended))
    orders = [_orders(colours) if ended else 0 for colours, _, ended in unsure]
    few = sum(orders) <= _ALL_ORDERS
    for (colours, lines, _), count in zip(unsure, orders, strict=True):
        canonical = _canonical(colours, lines) if few and count and len(colours) <= _MOST_NODES else b""
        found.exact = found.exact and bool(canonical)
        found.signatures.append(_signature(colours, canonical))
    found.signatures.sort()
    return found


def _signature(colours: Colours, canonical: bytes = b"") -> bytes:
    return sha256(b"".join(sorted(colours.values())) + canonical).digest()


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


def _settle(colours: Colours, lines: list[_Seen], rounds: int) -> tuple[Colours, bool]:
    """Refine the colours of one component in at most so many rounds; say whether that came to an end."""
    kinds = len(set(colours.values()))
    if len(colours) == 1:
        return _once(colours, lines), True
    for _ in range(rounds):
        colours = _once(colours, lines)
        found = len(set(colours.values()))
        if found == kinds:
            return colours, True
        kinds = found
    return colours, False


def _once(colours: Colours, lines: list[_Seen]) -> Colours:
    near = _look(colours, lines)
    return {node: sha256(b"".join([colour, *sorted(near[node])])).digest() for node, colour in colours.items()}


def _look(colours: Colours, lines: list[_Seen]) -> dict[bytes, list[bytes]]:
    """Return what each node sees: along each line its direction, its form and the colour at the other end."""
    near: dict[bytes, list[bytes]] = {node: [] for node in colours}
    for subject, end, form, inside in lines:
        if len(inside) < 2 and subject not in inside:
            if subject in near:
                near[subject].append(b">" + form + (colours[inside[0]] if inside else b""))
            if inside:
                near[inside[0]].append(b"<" + form + (end or colours[subject]))
            continue
        for node in {subject, *inside} & near.keys():
            names = {other: b"_:" + colours[other] for other in inside} | {node: _HERE}
            start = _HERE if node == subject else end or colours[subject]
            near[node].append(b"=" + sha256(start + b" " + put_in(form, names)).digest())
    return near


def _see(lines: list[Line]) -> list[_Seen]:
    """Return lines with what stays the same in each round: the end that has a name, the form of what stands between."""
    found = []
    for subject, rest, inside in lines:
        end = sha256(subject).digest() if subject[:1] == b"<" else b""
        form = rest
        if len(inside) < 2 and subject not in inside:
            form = sha256(put_in(rest, dict.fromkeys(inside, _HERE))).digest()
        found.append((subject, end, form, inside))
    return found


def _are_twins(colours: Colours, lines: list[_Seen]) -> bool:
    """Say whether nodes of one colour have the very same neighbours, so that it is all one which is which."""
    seen = _look({node: node for node in colours}, lines)
    return len({(colour, *sorted(seen[node])) for node, colour in colours.items()}) == len(set(colours.values()))


def _orders(colours: Colours) -> int:
    """Return in how many orders the nodes that are alike can be put, 0 where these are too many."""
    orders = 1
    for count in Counter(colours.values()).values():
        if count > _MOST_ORDERS:
            return 0
        orders *= factorial(min(count, 7))
        if orders > _MOST_ORDERS:
            return 0
    return orders


def _canonical(colours: Colours, lines: list[Line]) -> bytes:
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

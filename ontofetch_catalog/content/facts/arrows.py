"""Which blank nodes statements lead to, and from where: the arrows of a graph, of which each statement may hold some.

What the nodes are told by is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from .statements import NAMED, Statements, Text, nodes_of, only_node_of, rests_of

Subjects = dict[bytes, bytes]  # node → the subject of a statement that leads to it


def find_arrows(statements: Statements) -> tuple[dict[bytes, int], dict[bytes, list[bytes]]]:
    """Return how many arrows begin at each blank node that is no leaf, and where the others begin that lead to one.

    Where the first of them begins is in `above` of the statements, here made right.
    """
    above, doubtful = statements.above, statements.doubtful
    left: dict[bytes, int] = {}
    more: dict[bytes, list[bytes]] = {}
    for node in doubtful:
        above.pop(node, None)
    if doubtful:
        for subject, packed in statements.arrows.items():
            # most have one
            only = only_node_of(packed)
            targets = [only] if only else [node for rest in rests_of(packed) for node in nodes_of(rest)]
            for target in targets:
                if target not in doubtful:
                    continue
                if target not in above:
                    above[target] = subject
                else:
                    more.setdefault(target, []).append(subject)
    for subject, packed in statements.refs.items():
        only = only_node_of(packed)
        if only and only not in above:
            above[only] = subject
            left[subject] = 1
            continue
        targets = [only] if only else _targets(packed)
        _lead(subject, targets, above, more)
        if subject[0] != NAMED:
            left[subject] = len(targets)
    ends = dict.fromkeys(chain(statements.led, doubtful, statements.blanks.keys() - above.keys()), 0)
    statements.led.clear()
    return ends | left, more


def _targets(packed: Text) -> list[bytes]:
    """Return the blank nodes in some statements, each once for each statement."""
    found = []
    for rest in rests_of(packed):
        value = rest.partition(b" ")[2]
        if value[:2] == b"_:" and b" " not in value:
            found.append(value)
        else:
            found += set(nodes_of(rest))
    return found


def _lead(subject: bytes, targets: Iterable[bytes], above: Subjects, more: dict[bytes, list[bytes]]) -> None:
    for target in targets:
        if target not in above:
            above[target] = subject
        else:
            more.setdefault(target, []).append(subject)

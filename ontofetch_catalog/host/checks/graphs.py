"""The validator of OBO graphs: JSON in which graphs have nodes and edges, as the schema of obographs says."""

from __future__ import annotations

import json
import os

from ...content.facts import facts_version
from .verdicts import Faulty, NotJudged, Told, Verdict, failed, not_judged, telling

_MOST = 32 << 20  # bytes: it is read whole, into a multiple of its size
_EDGE = ("sub", "pred", "obj")


def check_graphs(path: str, format: str) -> Verdict:  # noqa: A002 - the contract's word
    """Look at the structure of a file of OBO graphs; details: `nodes` and `edges`, or `error` and where it is."""
    del format
    try:
        return True, _count(json.loads(_read(path)))
    except NotJudged as error:
        return not_judged(error)
    except Faulty as error:
        return failed(error)
    except json.JSONDecodeError as error:
        return failed(Faulty(f"it is no JSON: {error.msg}", error.lineno, error.colno))
    except (OSError, ValueError) as error:
        return failed(Faulty(str(error)))


def tell_graphs(path: str, format: str, table: str) -> Told:  # noqa: A002 - the contract's word
    """Judge as `check_graphs` does, write the table of terms, and return the facts as well."""
    from ...content.facts.graphs import keep_graphs
    from ...content.facts.statements import Statements
    from ...content.facts.terms import write_facts

    with telling(lambda: check_graphs(path, format), table) as told:
        document = json.loads(_read(path))
        details = _count(document)
        statements = Statements(has_blanks=False)
        keep_graphs(document, statements)
        told.passed(details, write_facts(statements, facts_version(format), "obographs", table))
    return told.answer


def _read(path: str) -> str:
    if os.stat(path).st_size > _MOST:
        raise NotJudged(f"it has more than {_MOST:,} bytes, and is only read whole")
    with open(path, "rb") as stream:
        return stream.read().decode("utf-8-sig")


def _count(document: object) -> dict[str, object]:
    nodes = edges = 0
    for number, graph in enumerate(_list(document, "graphs", "the document"), start=1):
        where = f"graph {number}"
        for node in _list(graph, "nodes", where):
            nodes += 1
            if not isinstance(node, dict) or not isinstance(node.get("id"), str):
                raise Faulty(f"node {nodes} of {where} has no id")
        for edge in _list(graph, "edges", where):
            edges += 1
            if not isinstance(edge, dict) or not all(isinstance(edge.get(name), str) for name in _EDGE):
                raise Faulty(f"edge {edges} of {where} lacks its subject, predicate or object")
    return {"nodes": nodes, "edges": edges}


def _list(owner: object, name: str, where: str) -> list[object]:
    if not isinstance(owner, dict):
        raise Faulty(f"{where} is no object")
    found = owner.get(name, [])
    if not isinstance(found, list):
        raise Faulty(f"{name} of {where} is no list")
    return found

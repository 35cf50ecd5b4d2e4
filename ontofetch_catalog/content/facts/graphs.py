"""Facts of OBO graphs: what nodes, their `meta`, and edges say, told by the same predicates that say so in RDF.

Digests are of the JSON, and say nothing beside those of RDF and OBO; terms have the IRIs that they would have there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from . import vocabulary
from .obo import HEADER_PREDICATES, last_word
from .spelling import TYPE, literal, node
from .statements import Statements

_CLASSES = {
    "CLASS": f"{vocabulary.OWL}Class",
    "INDIVIDUAL": f"{vocabulary.OWL}NamedIndividual",
    "PROPERTY": f"{vocabulary.OWL}ObjectProperty",
}
_PROPERTIES = {
    "ANNOTATION": f"{vocabulary.OWL}AnnotationProperty",
    "DATA": f"{vocabulary.OWL}DatatypeProperty",
}
_PARTS = ("id", "meta", "nodes", "edges")
_PARENTS = ("is_a", "subPropertyOf", f"{vocabulary.RDFS}subClassOf", f"{vocabulary.RDFS}subPropertyOf")
_NAMES = {
    iri: f"<{iri}> "
    for iri, code in vocabulary.SAYS.items()
    if code in (vocabulary.REPLACED, vocabulary.CONSIDER, vocabulary.ALTERNATIVE)
}


def keep_graphs(document: dict[str, Any], kept: Statements) -> None:
    """Add what a document of OBO graphs says, whose structure was found to be right."""
    for graph in document.get("graphs", []):
        _keep(kept, str(graph.get("id") or ""), _header(graph))
        for found in graph.get("nodes", []):
            _keep(kept, found["id"], _node(found))
        for edge in graph.get("edges", []):
            _keep(kept, edge["sub"], _edge(edge))


def _keep(kept: Statements, name: str, statements: Iterator[str]) -> None:
    kept.add_clauses(node(name).encode(), (line.encode("utf-8", "replace") for line in statements))


def _header(graph: dict[str, Any]) -> Iterator[str]:
    yield f"{TYPE} <{vocabulary.OWL}Ontology>"
    meta = _meta(graph)
    version = meta.pop("version", None)
    if isinstance(version, str):
        yield f"<{vocabulary.OWL}versionIRI> {node(version)}"
    for found in _values(meta, "basicPropertyValues"):
        predicate = HEADER_PREDICATES.get(last_word(str(found.get("pred", ""))))
        value = found.get("val")
        yield predicate + literal(value) if predicate and isinstance(value, str) else _plain("property", found)
    yield from _others("meta", meta)
    yield from _others("graph", {name: value for name, value in graph.items() if name not in _PARTS})


def _node(found: dict[str, Any]) -> Iterator[str]:
    kind = _CLASSES.get(str(found.get("type")))
    if kind is not None:
        kind = _PROPERTIES.get(str(found.get("propertyType")), kind)
        yield f"{TYPE} <{kind}>"
    label = found.get("lbl")
    if isinstance(label, str):
        yield f"<{vocabulary.RDFS}label> {literal(label)}"
    meta = _meta(found)
    definition = meta.pop("definition", None)
    if isinstance(definition, dict):
        text = definition.pop("val", None)
        if isinstance(text, str):
            yield f"<{vocabulary.OBO}IAO_0000115> {literal(text)}"
        if any(definition.values()):
            yield _plain("definition", definition)
    if meta.pop("deprecated", False) is True:
        yield f'<{vocabulary.OWL}deprecated> "true"'
    for value in _values(meta, "basicPropertyValues"):
        predicate = _NAMES.get(str(value.get("pred", "")))
        name = value.get("val")
        yield predicate + node(name) if predicate and isinstance(name, str) else _plain("property", value)
    yield from _others("meta", meta)
    yield from _others("node", {name: value for name, value in found.items() if name not in ("id", "lbl", "meta")})


def _edge(edge: dict[str, Any]) -> Iterator[str]:
    if edge["pred"] in _PARENTS:
        yield f"<{vocabulary.RDFS}subClassOf> {node(edge['obj'])}"
        if any(value for name, value in edge.items() if name not in ("sub", "pred", "obj")):
            yield _plain("edge", edge)
    else:
        yield _plain("edge", edge)


def _meta(owner: dict[str, Any]) -> dict[str, Any]:
    found = owner.get("meta")
    return dict(found) if isinstance(found, dict) else {}


def _values(meta: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Take the objects of a list out of a `meta`."""
    found = meta.get(name)
    if not isinstance(found, list):
        return []
    objects = [value for value in found if isinstance(value, dict)]
    meta[name] = [value for value in found if not isinstance(value, dict)]
    return objects


def _others(kind: str, members: dict[str, Any]) -> Iterator[str]:
    """Yield the rest of an object, a line for each value of a list, whose order means nothing."""
    for name, value in members.items():
        for one in value if isinstance(value, list) else [value]:
            yield _plain(f"{kind} {name}", one)


def _plain(kind: str, value: object) -> str:
    return f"{kind} {json.dumps(value, sort_keys=True)}"

"""What an ontology in JSON-LD or OBO graphs says of its version, read token by token from its beginning.

Contexts are not resolved: what has a usual abbreviation, or the name of schema.org, is known by it.
"""

from __future__ import annotations

import re
from dataclasses import field

from ontofetch_hookspecs.light_dataclasses import dataclass

from .words import OWL, VERSION_INFO, VERSION_IRI, expand, is_ontology, property_of

_JSON = re.compile(r'"(?P<text>(?:[^"\\]|\\(?:.|\Z))*+)(?:"|\Z)|(?P<mark>[{}\[\]:,])|[^\s"{}\[\]:,]+', re.DOTALL)
_MOST_TOKENS = 60_000
_MOST_DEPTH = 64
_MOST_TOLD = 1000
_VALUES = ("@value", "@id")
_TYPES = ("@type", "type", "rdf:type")
_IN_GRAPHS = ["graphs", "meta", "basicPropertyValues"]


@dataclass(slots=True)
class _Open:
    """An object or array that is not closed yet: the key under which it stands, and what an object said so far."""

    key: str
    is_object: bool
    types: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    predicate: str = ""
    value: str = ""


class _Reader:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self._open: list[_Open] = []
        self._key = self._pending = ""

    def read(self, text: str) -> None:
        for number, token in enumerate(_JSON.finditer(text)):
            if number >= _MOST_TOKENS or len(self._open) > _MOST_DEPTH:
                break
            self._take(token)
        while self._open:
            # the beginning of a document need not have their ends
            self._close()

    def _take(self, token: re.Match[str]) -> None:
        mark = token["mark"]
        if mark in ("{", "["):
            self._open.append(_Open(self._key, mark == "{"))
            self._key = self._pending = ""
        elif mark in ("}", "]"):
            if self._open:
                self._close()
            self._key = self._pending = ""
        elif mark == ":":
            self._key, self._pending = self._pending, ""
        elif mark == ",":
            self._key = self._pending = ""
        elif token["text"] is not None:
            self._pending = token["text"]
            if self._key or (self._open and not self._open[-1].is_object):
                self._value(self._key, self._pending.replace("\\/", "/"))
        elif self._key:
            self._value(self._key, token[0])

    def _value(self, key: str, text: str) -> None:
        at = len(self._open) - 1
        if at >= 0 and key == "pred":
            self._open[at].predicate = text
        elif at >= 0 and key == "val":
            self._open[at].value = text
        name = "" if key in _VALUES else key
        while not name and at > 0:
            # an element of an array, or the value of an object: what counts is the key under which that stands
            name = self._open[at].key
            at -= 1
        if at < 0 or not name or not self._open[at].is_object:
            return
        owner = self._open[at]
        if name in _TYPES:
            owner.types.append(text)
        elif self._keys(name) == ["graphs", "meta", "version"]:
            self.told.append((VERSION_IRI, text))
        elif len(owner.told) < _MOST_TOLD and (what := _property(name)):
            owner.told.append((what, text))

    def _keys(self, *more: str) -> list[str]:
        return [*(one.key for one in self._open if one.key), *more]

    def _close(self) -> None:
        keys = self._keys()
        node = self._open.pop()
        if keys == _IN_GRAPHS and property_of(node.predicate) == VERSION_INFO:
            self.told.append((VERSION_INFO, node.value))
        is_one = any(is_ontology(_iri(kind)) for kind in node.types)
        # only an ontology has a version IRI, but a class may have a version info: those further inside are left
        is_outer = not node.types and len(keys) <= 1 and "@graph" not in keys
        self.told += [
            (what, text)
            for what, text in node.told
            if is_one or what == VERSION_IRI or (is_outer and what == VERSION_INFO)
        ]


def _property(name: str) -> str:
    return property_of(_iri(name))


def _iri(name: str) -> str:
    if "://" in name:
        return name
    if ":" in name:
        return expand(name, {})
    # a context may have given names of its own; those of schema.org and OWL are what they usually mean
    return next(
        (iri for iri in (f"{OWL}{name}", f"http://schema.org/{name}") if property_of(iri) or is_ontology(iri)), ""
    )


def read_json(text: str) -> list[tuple[str, str]]:
    """Return what a document of JSON-LD or OBO graphs says of its ontology."""
    reader = _Reader()
    reader.read(text)
    return reader.told

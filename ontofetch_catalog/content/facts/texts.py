"""Names and texts of statements, as a table of terms shows them: unescaped, cut where they are very long."""

from __future__ import annotations

import re
from hashlib import sha256

MOST_TEXT = 2_000  # characters
MOST_DEFINITION = 10_000
MOST_LISTED = 10_000  # values of one list
_MOST_IRI = 4_000
_LITERAL = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(?:@([A-Za-z0-9-]+))?', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def iri_of(node: bytes) -> str:
    """Return the IRI of a node, nothing of one that has none."""
    return shortened_iri(node[1:-1].decode()) if node[:1] == b"<" else ""


def iris_of(names: list[bytes]) -> list[str]:
    """Return the IRIs of nodes that have one each."""
    # with one call for all of them: no IRI has a line feed in it
    return shortened(b"\n".join(names).decode()[1:-1].split(">\n<") if names else [])


def shortened(iris: list[str]) -> list[str]:
    """Return IRIs, the enormous ones as `shortened_iri` says."""
    return list(map(shortened_iri, iris)) if max(map(len, iris), default=0) > _MOST_IRI else iris


def shortened_iri(iri: str) -> str:
    """Return an IRI; of an enormous one the beginning and a hash, so that it stays another one than others."""
    return iri if len(iri) <= _MOST_IRI else f"{iri[: _MOST_IRI // 2]}…{sha256(iri.encode()).hexdigest()}"


def cut(text: str, most: int = MOST_TEXT) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def read_value(value: bytes) -> tuple[str, str]:
    """Return the text and the language of a statement's object; of a node its IRI, and no language."""
    if value[:2] == b"<<":
        # a statement about a statement, which is neither
        return "", ""
    if value[:1] == b"<":
        return value[1 : value.index(b">")].decode(), ""
    text = value.decode()
    if text[:1] != '"':
        # a number, true or false; a node that has no name says nothing
        return "" if text[:1] == "_" else text.partition(" ")[0], ""
    if "\\" not in text:
        # nowhere else may a quotation mark stand
        text, _, end = text[1:].rpartition('"')
        return text, end[1:].partition(" ")[0].lower() if end[:1] == "@" else ""
    found = _LITERAL.match(text)
    if found is None:
        return iri_of(value.partition(b" ")[0]), ""
    said = found[1]
    return (_ESCAPE.sub(_unescaped, said) if "\\" in said else said), (found[2] or "").lower()


def are_iris(values: list[bytes]) -> bool:
    """Say whether the objects of statements are nodes that have names, in no graph that has one."""
    joined = b"\n".join(values)
    return (
        joined[:1] == b"<" and joined[-1:] == b">" and b" " not in joined and joined.count(b">\n<") + 1 == len(values)
    )


def texts_of(values: list[bytes]) -> list[str]:
    """Return the texts of the objects of statements, of nodes their IRIs."""
    if are_iris(values):
        return b"\n".join(values)[1:-1].decode().split(">\n<")
    joined = b"\n".join(values)
    if joined[:1] == b'"' and b"\\" not in joined and joined.count(b'\n"') + 1 == len(values):
        # of most of them, without a call for each: no value has a line feed in it
        return [value[1 : value.rindex('"')] for value in joined.decode().split("\n")]
    return [read_value(value)[0] for value in values]


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if not code:
        return _ESCAPED.get(found[3], found[3])
    number = int(code, 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


def best(values: list[tuple[str, str]]) -> str | None:
    """Return the text that is shown of several: English, else without language, else another; the least of those."""
    if len(values) < 2:
        return values[0][0] if values else None
    return min(values, key=lambda value: (_rank(value[1]), value[1], value[0]))[0]


def _rank(language: str) -> int:
    if language == "en" or language.startswith("en-"):
        return 0
    return 2 if language else 1

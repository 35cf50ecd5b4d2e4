"""The hostile ontology files that are tried by name: what a parser has to read, in every validated format."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .given_archives import pulled, pulled_sparse
from .oracles import Attack

MB = 1_000_000
PATIENCE = {"ONTOFETCH_VALIDATE_TIMEOUT": "15"}
_RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://example.org/">'
_END = "</rdf:RDF>"


def rdf(declarations: str, body: str) -> bytes:
    """Return RDF/XML with declarations in its document type."""
    return f'<?xml version="1.0"?><!DOCTYPE rdf:RDF [{declarations}]>{_RDF}{body}{_END}'.encode()


def thing(value: str) -> str:
    """Return a description with a literal."""
    return f'<rdf:Description rdf:about="http://example.org/s"><e:p>{value}</e:p></rdf:Description>'


def laughs(levels: int, fan: int = 10, *, first: str = "lol lol lol lol lol ", order: int = 1) -> str:
    """Return entities of which each stands for `fan` of the one before."""
    told = [f'<!ENTITY l0 "{first}">']
    told += [f'<!ENTITY l{level} "{f"&l{level - 1};" * fan}">' for level in range(1, levels + 1)]
    return "".join(told[::order])


def nested(start: str, piece: str, depth: int, end: str, close: str) -> Callable[[], bytes]:
    """Return what makes a text that is nested so deep."""
    return lambda: b"".join([start.encode(), piece.encode() * depth, end.encode(), close.encode() * depth])


def _entities() -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "laughs-8", lambda: rdf(laughs(8), thing("&l8;"))
    yield "laughs-12", lambda: rdf(laughs(12), thing("&l12;"))
    yield "laughs-few-wide", lambda: rdf(laughs(3, 600), thing("&l3;"))
    yield "laughs-many-narrow", lambda: rdf(laughs(30, 2, first="x" * 100), thing("&l30;"))
    yield "laughs-attribute", lambda: rdf(laughs(8), '<rdf:Description rdf:about="http://example.org/&l8;"/>')
    yield "laughs-property", lambda: rdf(laughs(8), '<rdf:Description rdf:about="http://example.org/s" e:p="&l8;"/>')
    yield "laughs-namespace", lambda: rdf(laughs(8), '<rdf:Description xmlns:x="http://example.org/&l8;" x:p="1"/>')
    yield (
        "laughs-literal",
        lambda: rdf(laughs(8), '<rdf:Description><e:p rdf:parseType="Literal"><e:q>&l8;</e:q></e:p></rdf:Description>'),
    )
    yield (
        "laughs-datatype",
        lambda: rdf(laughs(8), '<rdf:Description><e:p rdf:datatype="&l8;">1</e:p></rdf:Description>'),
    )
    yield "laughs-lang", lambda: rdf(laughs(8), '<rdf:Description><e:p xml:lang="&l8;">1</e:p></rdf:Description>')
    yield "laughs-base", lambda: rdf(laughs(8), '<rdf:Description xml:base="http://e.org/&l8;" rdf:about="x"/>')
    yield "laughs-never-used", lambda: rdf(laughs(12), thing("x"))
    yield "laughs-escaped", lambda: rdf(laughs(8).replace("&l", "&#38;l"), thing("&l8;"))
    yield "quadratic", lambda: rdf(f'<!ENTITY a "{"x" * 200_000}">', thing("&a;" * 20_000))
    yield "quadratic-spread", lambda: rdf(f'<!ENTITY a "{"x" * 200_000}">', thing("&a;" * 100) * 200)
    yield (
        "quadratic-attributes",
        lambda: rdf(f'<!ENTITY a "{"x" * 100_000}">', '<rdf:Description rdf:about="http://example.org/&a;"/>' * 20_000),
    )
    yield "entity-loop", lambda: rdf('<!ENTITY a "&b;"><!ENTITY b "&a;">', thing("&a;"))
    yield "parameter", lambda: rdf('<!ENTITY % a "xxxxxxxxxx"><!ENTITY % b "%a;%a;%a;">%b;', thing("x"))
    yield "parameter-file", lambda: rdf('<!ENTITY % a SYSTEM "../outside/secret.txt">%a;', thing("x"))
    yield "entity-file", lambda: rdf('<!ENTITY a SYSTEM "../outside/secret.txt">', thing("&a;"))
    yield "entity-pipe", lambda: rdf('<!ENTITY a SYSTEM "../outside/pipe">', thing("&a;"))
    yield "entity-device", lambda: rdf('<!ENTITY a SYSTEM "/dev/zero">', thing("&a;"))
    yield "many-entities", lambda: rdf("".join(f'<!ENTITY e{n} "x">' for n in range(500_000)), thing("&e1;"))


def _attributes(count: int) -> bytes:
    attributes = " ".join(f'e:p{number}="x"' for number in range(count))
    return f"{_RDF}<rdf:Description {attributes}/>{_END}".encode()


def _namespaces(count: int) -> bytes:
    starts = (f'<rdf:Description xmlns:n{number}="http://e.org/{number}"><e:p>' for number in range(count))
    return "".join([_RDF, *starts]).encode()


def _deep() -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    million = 1_000_000
    yield "turtle-blank", "a.ttl", nested("<a:s> <a:p> ", "[ <a:p> ", million, "<a:o>", " ]")
    yield "turtle-lists", "a.ttl", nested("<a:s> <a:p> ", "( ", million, "", " )")
    yield "turtle-open", "a.ttl", nested("<a:s> <a:p> ", "[ <a:p> ", million, "", "")
    yield "turtle-triples", "a.ttl", nested("", "<< ", million, "<a:s> <a:p> <a:o>", " >>")
    yield (
        "turtle-prefixes",
        "a.ttl",
        lambda: b"".join(b"@prefix p%d: <http://e.org/%d> .\n" % (n, n) for n in range(million)),
    )
    yield "trig-graphs", "a.trig", nested("", "<a:g> { ", million, "", "}")
    yield "n3-formulas", "a.n3", nested("<a:s> <a:p> ", "{ <a:s> <a:p> ", million, "<a:o>", " }")
    yield "n3-paths", "a.n3", nested("<a:s> <a:p> <a:o>", "!<a:x>", million, " .", "")
    yield "rdfxml-deep", "a.rdf", nested(_RDF, "<rdf:Description><e:p>", million, "", "")
    yield "rdfxml-closed", "a.rdf", nested(_RDF, "<rdf:Description><e:p>", 300_000, "", "</e:p></rdf:Description>")
    yield (
        "rdfxml-literal",
        "a.rdf",
        nested(_RDF + '<rdf:Description><e:p rdf:parseType="Literal">', "<e:q>", million, "", "</e:q>"),
    )
    yield "rdfxml-attributes", "a.rdf", lambda: _attributes(million)
    yield "rdfxml-namespaces", "a.rdf", lambda: _namespaces(100_000)
    yield "jsonld-lists", "a.jsonld", nested('{"@id": "a:s", "a:p": ', "[", million, "", "]")
    yield "jsonld-objects", "a.jsonld", nested("", '{"a:p": ', million, '"x"', "}")
    yield (
        "jsonld-contexts",
        "a.jsonld",
        lambda: b'{"@context": [' + b'{"a": "http://e.org/"},' * 500_000 + b'{}], "a": 1}',
    )
    yield (
        "jsonld-context-deep",
        "a.jsonld",
        nested('{"@context": ', '{"a": {"@id": "http://e.org/a", "@context": ', 200_000, "{}", "}}"),
    )
    yield "jsonld-remote", "a.jsonld", lambda: b'{"@context": "file:///etc/passwd", "a": 1}'
    yield "jsonld-included", "a.jsonld", nested("", '{"@included": [', 300_000, "", "]}")
    yield "owl-functional", "a.ofn", nested("Ontology(", "ObjectIntersectionOf(", million, "", ")")
    yield "owx", "a.owx", lambda: b"<Ontology>" + b"<ObjectIntersectionOf>" * million
    yield "obo-clauses", "a.obo", lambda: b"format-version: 1.4\n\n[Term]\nid: A:1\n" + b"is_a: A:2\n" * million
    yield (
        "obo-qualifiers",
        "a.obo",
        lambda: b"format-version: 1.4\n\n[Term]\nid: A:1\nis_a: A:2 {" + b'a="b", ' * million + b'c="d"}\n',
    )
    yield (
        "obo-xrefs",
        "a.obo",
        lambda: b'format-version: 1.4\n\n[Term]\nid: A:1\ndef: "x" [' + b"A:1, " * million + b"A:2]\n",
    )
    yield "obo-escapes", "a.obo", lambda: b"format-version: 1.4\n\n[Term]\nid: " + b"\\" * (5 * MB) + b"\n"
    yield "ntriples-escapes", "a.nt", lambda: b'<a:s> <a:p> "' + b"\\u0041" * (3 * MB) + b'" .\n'
    yield "ntriples-bad-lines", "a.nt", lambda: b"x\n" * (3 * MB)
    yield (
        "turtle-iri",
        "a.ttl",
        lambda: b"@base <http://e.org/" + b"a/" * MB + b"> . <../../x> <p> <" + b"../" * MB + b"> .",
    )


def _sparse() -> Iterator[tuple[str, str, bytes, int, bytes]]:
    yield "literal-500mb", "a.nt", b'<a:s> <a:p> "', 500 * MB, b'" .\n'
    yield "literal-open", "a.nt", b'<a:s> <a:p> "', 500 * MB, b""
    yield "turtle-literal", "a.ttl", b'<a:s> <a:p> """', 500 * MB, b'""" .\n'
    yield "turtle-comment", "a.ttl", b"# ", 500 * MB, b"\n"
    yield "turtle-zeros", "a.ttl", b"", 500 * MB, b""
    yield "rdfxml-text", "a.rdf", (_RDF + "<rdf:Description><e:p>").encode(), 500 * MB, b""
    yield "rdfxml-name", "a.rdf", b"<rdf", 500 * MB, b""
    yield "rdfxml-comment", "a.rdf", b"<!-- ", 500 * MB, b""
    yield "jsonld-text", "a.jsonld", b'{"@id": "a:s", "a:p": "', 500 * MB, b'"}'
    yield "obo-line", "a.obo", b"format-version: 1.4\n\n[Term]\nid: A:1\nname: ", 500 * MB, b"\n"
    yield "obo-zeros", "a.obo", b"format-version: 1.4\n", 500 * MB, b""


def _attacks() -> Iterator[Attack]:
    for name, make in _entities():
        yield Attack(name, "entities", pulled("a.rdf", make), environment=PATIENCE)
    for name, file, make in _deep():
        yield Attack(name, "deep", pulled(file, make), environment=PATIENCE)
    for name, file, start, count, end in _sparse():
        yield Attack(name, "long lines", pulled_sparse(file, start, count, end), environment=PATIENCE)


ATTACKS = tuple(_attacks())

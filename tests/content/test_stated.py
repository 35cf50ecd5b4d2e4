"""The version that a document states: found in every syntax, within bounds, whatever the document holds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ontofetch_catalog.content.stated import HEAD_BYTES, Stated, read_stated, stated_in
from ontofetch_catalog.content.version_names import version_in_iri, version_in_text
from ontofetch_hookspecs.names import SEGMENT

OWL = "http://www.w3.org/2002/07/owl#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ROOT = f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:owl="{OWL}">'
ENTITY = '<!DOCTYPE rdf:RDF [<!ENTITY obo "http://purl.obolibrary.org/obo/">]>'
SKOS, TERMS = "http://www.w3.org/2004/02/skos/core#", "http://purl.org/dc/terms/"
PREFIX = f"@prefix owl: <{OWL}> .\n"
IRI, INFO, DATA = "owl:versionIRI", "owl:versionInfo", "data-version"
DOCUMENTS = {
    "RDF/XML": (
        (f'<?xml version="1.0"?>\n<!-- <owl:versionInfo>0</owl:versionInfo> -->{ENTITY}{ROOT}'
        '<owl:Ontology rdf:about="&obo;hp.owl">'
        '<owl:versionInfo>x</owl:versionInfo><owl:versionIRI rdf:resource="&obo;hp/releases/2025-09-15/hp.owl"/>'
        "</owl:Ontology><owl:Class>"), "2025-09-15", IRI,
    ),
    "RDF/XML with single quotes and another prefix": (
        (f"<r:RDF xmlns:r='{RDF}' xmlns:o='{OWL}'><o:Ontology r:about='x'><o:versionInfo xml:lang='en'>Version 1.2 "
        "(2020)"
        "</o:versionInfo></o:Ontology>"), "1.2", INFO,
    ),
    "RDF/XML with an attribute": (f'{ROOT}<owl:Ontology owl:versionInfo="4.5"/>', "4.5", INFO),
    "RDF/XML with a description": (
        (f'{ROOT}<rdf:Description rdf:about="c"><owl:versionInfo>9</owl:versionInfo></rdf:Description>'
        f'<rdf:Description rdf:about="x"><rdf:type rdf:resource="{OWL}Ontology"/><owl:versionInfo>1.7</owl:versionInfo>'
        "</rdf:Description>"), "1.7", INFO,
    ),
    "OWL/XML": (f'<Ontology xmlns="{OWL}" ontologyIRI="a" versionIRI="http://x.org/1.2.3/x.owl"/>', "1.2.3", IRI),
    "OWL/XML with an annotation": (
        (f'<Ontology xmlns="{OWL}" ontologyIRI="a"><Prefix name="" IRI="a"/><Annotation><AnnotationProperty '
        'abbreviatedIRI="owl:versionInfo"/><Literal>3.1</Literal></Annotation><Declaration/>'), "3.1", INFO,
    ),
    "Turtle": (PREFIX + '<x> a owl:Ontology ; owl:versionInfo "1" ; owl:versionIRI <http://x/y#v3> .', "v3", IRI),
    "Turtle, a class first": (
        (f'@prefix o: <{OWL}> . # o:versionInfo "0.1"\n<http://c> a o:Class ; o:versionInfo "9.9" .\n'
        '<http://x> a o:Ontology ;\n  o:versionInfo """1.3.0"""@en .'), "1.3.0", INFO,
    ),
    "TriG": (PREFIX + 'GRAPH <g> { <http://x> a owl:Ontology ; owl:versionInfo "2.5" . }', "2.5", INFO),
    "N-Triples": (
        f'<http://x> <{OWL}versionInfo> "2.4" .\n<http://x> <{RDF}type> <{OWL}Ontology> .\n', "2.4", INFO,
    ),
    "functional syntax": (
        'Prefix(:=<http://x#>)\nOntology(<http://x> <http://x/2.0/y.owl>\nAnnotation(owl:versionInfo "3"))', "2.0", IRI,
    ),
    "functional syntax with an annotation": (
        'Ontology(<http://x>\nAnnotation(owl:versionInfo "2.0.1"))', "2.0.1", INFO,
    ),
    "Manchester syntax": (
        f"Prefix: owl: <{OWL}>\nOntology: <http://x> <http://x/2024-01-02/>\nClass: <z>", "2024-01-02", IRI,
    ),
    "Manchester syntax with an annotation": (
        f'Prefix: owl: <{OWL}>\nOntology: <http://x>\nAnnotations:\n  owl:versionInfo "7.5"\nClass: <z>', "7.5", INFO,
    ),
    "OBO": (
        "format-version: 1.2\ndata-version: hp/releases/2024-02-05\n\n[Term]\nid: a\n", "2024-02-05", DATA,
    ),
    "OBO with a number": ("format-version: 1.2\ndata-version: 4.1.0 ! the fourth\n", "4.1.0", DATA),
    "OBO graphs": (
        '{"graphs":[{"id":"x","meta":{"version":"http://x.org/hp/releases/2024-01-16/hp.json"}}]}', "2024-01-16", IRI,
    ),
    "JSON-LD": ('{"@id":"x","@type":"owl:Ontology","owl:versionIRI":{"@id":"http:\\/\\/x\\/1.1\\/"}}', "1.1", IRI),
    "RDF/XML with the ontology alone": (
        (f'<owl:Ontology xmlns:owl="{OWL}" xmlns:rdf="{RDF}" rdf:about="x"><owl:versionInfo>1.5</owl:versionInfo>'
        "</owl:Ontology>"), "1.5", INFO,
    ),
    "RDF/XML of a scheme of concepts": (
        (f'{ROOT}<s:ConceptScheme xmlns:s="{SKOS}"><d:hasVersion xmlns:d="{TERMS}">4.2</d:hasVersion>'
        "</s:ConceptScheme>"), "4.2", "dcterms:hasVersion",
    ),
    "RDF/XML with a date": (
        f'{ROOT}<owl:Ontology><d:modified xmlns:d="{TERMS}">2024-02-03T10:00:00Z</d:modified></owl:Ontology>',
        "2024-02-03", "dcterms:modified",
    ),
    "Turtle with a number": (f"{PREFIX}<x> a owl:Ontology ; owl:versionInfo 1.5.", "1.5", INFO),
    "Turtle with several": (
        f'{PREFIX}<x> a owl:Ontology ; owl:versionInfo "a draft"@en, "of 2.1" , "3.0"^^<y> .', "2.1", INFO,
    ),
    "Turtle of a scheme of concepts": (
        f'PREFIX s: <{SKOS}>\n{PREFIX}<x> a s:ConceptScheme ; owl:versionInfo "4.2" .', "4.2", INFO,
    ),
    "Turtle, schema.org": (
        f'@prefix z: <https://schema.org/> .\n{PREFIX}<x> a owl:Ontology ; z:version 3 ; z:dateModified "2020-01-01" .',
        "3", "schema:version",
    ),
    "Turtle with a date": (
        f'@prefix d: <{TERMS}> .\n{PREFIX}<x> a owl:Ontology ; d:modified "21 October 2015" .',
        "2015-10-21", "dcterms:modified",
    ),
    "OBO with other tags first": (
        "auto-generated-by: OBO-Edit\nremark: x\nformat-version: 1.2\ndata-version: 4.1\n", "4.1", DATA,
    ),
    "OBO 1.0": ("format-version: 1.0\nversion: 1.31\ndate: 05:02:2024 10:00\n", "1.31", DATA),
    "OBO with a date": ("format-version: 1.2\ndate: 05:02:2024 10:00\n[Term]\n", "2024-02-05", "date"),
    "OBO with a property": (
        f'format-version: 1.2\nproperty_value: {OWL}versionInfo "2.5" xsd:string\n', "2.5", INFO,
    ),
    "OBO graphs with a property": (
        f'{{"graphs":[{{"meta":{{"basicPropertyValues":[{{"pred":"{OWL}versionInfo","val":"2.5"}}]}}}}]}}', "2.5", INFO,
    ),
    "JSON-LD, a class first": (
        ('{"@graph":[{"@type":"owl:Class","owl:versionInfo":"9"},{"owl:versionInfo":{"@value":"1.5"},'
        '"@type":["owl:Ontology"]}]}'), "1.5", INFO,
    ),
    "JSON-LD, schema.org": (
        '{"@context":"https://schema.org/","@type":"DefinedTermSet","version":3.2}', "3.2", "schema:version",
    ),
    "JSON-LD, expanded": (
        f'[{{"@type":["{OWL}Ontology"],"{OWL}versionInfo":[{{"@value":"1.1.9"}}]}}]', "1.1.9", INFO,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("end", ["", "\n" * HEAD_BYTES])
def test_a_document_states_its_version(kind: str, end: str) -> None:
    """In every syntax the version of the ontology's header is found, and where it stands."""
    text, version, where = DOCUMENTS[kind]
    assert stated_in((text + end).encode()) == Stated(version, where)


@pytest.mark.parametrize("kind", ["RDF/XML", "Turtle", "OBO"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_of_byte_order_is_understood(kind: str, encoding: str) -> None:
    """A document may begin with one."""
    text, version, _ = DOCUMENTS[kind]
    found = stated_in(text.encode(encoding))
    assert found is not None
    assert found.version == version


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_document_is_read(pack: object) -> None:
    """A document that is compressed by itself is looked into; a cut one as far as it goes."""
    data = pack(DOCUMENTS["OBO"][0].encode() + b"\n" * HEAD_BYTES)  # type: ignore[operator]
    assert read_stated(io.BytesIO(data)) == Stated("2024-02-05", DATA)
    assert read_stated(io.BytesIO(data[: len(data) // 8] + b"\xff" * 40)) in (None, Stated("2024-02-05", DATA))


@pytest.mark.parametrize(
    "text",
    ["", "hello", "<html><body>1.0</body></html>", "a,b\n1.0,2\n", '{"version": "1.0"}', "format-version: 1.2\n[Term]",
     '{"@type":"Product","version":"1.0"}', '{"@graph":[{"@type":"owl:Class","owl:versionInfo":"1"}]}',
     f'@prefix d: <{TERMS}> .\n<c> a <{OWL}Class> ; d:modified "2020-01-01" .',
     PREFIX + '<c> a owl:Class ; owl:versionInfo "1.0" .', f'{ROOT}<owl:Class><owl:versionInfo>1</owl:versionInfo>',
     f'{ROOT}<owl:Ontology><owl:versionInfo>\x1b[31m</owl:versionInfo></owl:Ontology>',
     f'{ROOT}<owl:Ontology><owl:versionInfo>../../etc</owl:versionInfo></owl:Ontology>',
     "format-version: 1.2\ndata-version: latest\n"],
)  # fmt: skip
def test_what_states_none_states_none(text: str) -> None:
    """A document without a header, of another kind, or with what can't be a name, states nothing."""
    assert stated_in(text.encode()) is None


@pytest.mark.parametrize(
    ("iri", "version"),
    [("http://x.org/obo/hp/releases/2025-09-15/hp.owl", "2025-09-15"), ("http://x.org/1.2.3/x.owl", "1.2.3"),
     ("http://x.org/y#v3", "v3"), ("http://x.org/2024/05/01/a.owl", "2024-05-01"), ("http://x.org/time#2016", "2016"),
     ("http://x.org/2004/02/skos/core", None), ("http://x.org/hp-2024-01-01.owl", "2024-01-01"),
     ("http://x.org/schema/1.3/Brick", "1.3"), ("http://x.org/releases/5/x.owl", "5"),
     ("http://x.org/?version=2.1", "2.1"),
     ("http://x.org/v1.0-rc1/x.ttl", "v1.0-rc1"), ("http://x.org/latest/x.owl", None), ("http://[bad", None),
     ("http://x.org/iso-15926.owl", None), ("urn:x:o:2.0", "2.0"), ("http://x.org/%2e%2e/%0a1.0", None), ("", None)],
)  # fmt: skip
def test_an_iri_names_a_version(iri: str, version: str | None) -> None:
    """It stands in the fragment, in the query, or in the path, where a number alone may be anything."""
    assert version_in_iri(iri) == version


@pytest.mark.parametrize(
    ("text", "version"),
    [("$Revision: 1.5 $", "1.5"), ("Version 12", "12"), ("June 2020, somebody", None), ("05.02.2024", "05.02.2024"),
     ("release of 2024-02-05, v1.2", "2024-02-05"), ("releases/2024-02-05", "2024-02-05"), ("1.0 beta", "1.0"),
     ("Last modified 21 October 2015", "2015-10-21"), ("Oct. 3rd, 2015", "2015-10-03"), ("10/21/2015", "2015-10-21"),
     ("21/10/2015", "2015-10-21"), ("04/05/2015", None), ("1.2 of 3 May 2015", "1.2"), ("October 2015", None),
     ("http://x.org/1.4/", "1.4"), ("none yet", None), ("v2.0.1-rc.1", "v2.0.1-rc.1"), ("final", None)],
)  # fmt: skip
def test_a_text_names_a_version(text: str, version: str | None) -> None:
    """What is written for people names a version by a date or by numbers."""
    assert version_in_text(text) == version


BOMBS = {
    "open quotes": b'"""\\"""' * 40_000, "escapes": b'"\\' * 140_000, "apostrophes": b"'''" * 90_000,
    "entities": b"<!ENTITY" * 40_000, "braces": b"{" * 270_000, "brackets": b"[" * 270_000, "tags": b"<a " * 90_000,
    "one tag": b"<x " + b"a" * 270_000, "words": b"a:" * 140_000, "backslashes": b"\\" * 270_000,
    "one entity, used often":
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "' + b"y" * 500 + b'">]><a b="' + b"&x;" * 80_000,
    "laughs": b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">' + b"]><a>&b;</a>",
    "many versions": b"format-version: 1\n" + b"data-version: x\n" * 20_000, "dashes": b"1-" * 140_000,
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_a_hostile_document_costs_no_more_than_any_other(kind: str) -> None:
    """What would take an expression or a parser long takes processor time in proportion to the head and no more."""
    start = time.process_time()
    assert stated_in(BOMBS[kind][:HEAD_BYTES]) is None
    assert time.process_time() - start < 10


@given(st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode)))
@example(b"format-version: 1\ndata-version: ../1\n")
@example(b"format-version: 1\ndata-version: 1\x1b[31m\n")
def test_whatever_is_stated_is_a_legal_name(head: bytes) -> None:
    """Nothing that a document holds comes out but a name that the catalog can hold."""
    found = stated_in(head)
    assert found is None or SEGMENT.fullmatch(found.version)


@given(st.text(max_size=200))
@example("1:0")
def test_a_version_of_any_text_is_a_legal_name(text: str) -> None:
    """The same of IRIs and texts."""
    for found in (version_in_iri(text), version_in_iri(f"http://x.org/{text}"), version_in_text(text)):
        assert found is None or SEGMENT.fullmatch(found)

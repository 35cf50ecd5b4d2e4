"""Formats: what an ending says, and the first bytes where the ending is ambiguous."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontofetch_catalog.content.formats import BY_ENDING, UNKNOWN, format_of

RDF = b'<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.ttl", b"", "turtle"),
        ("d.nt/a.TTL", b"<html>", "turtle"),
        ("a.obo", b"", "obo"),
        ("a.owl", RDF, "rdfxml"),
        ("a.owl", b"\xef\xbb\xbf" + RDF, "rdfxml"),
        ("a.owl", b"# made by hand\n@prefix : <urn:x> .", "turtle"),
        ("a.owl", b"Prefix(:=<urn:x>)\nOntology(<urn:y>", "ofn"),
        ("a.owl", b'<Ontology xmlns="http://www.w3.org/2002/07/owl#"', "owlxml"),
        ("a.owl", b"format-version: 1.2\n", "obo"),
        ("a.owl", b"who knows", "rdfxml"),
        ("a.xml", b"<a/>", "xml"),
        ("a.xml", RDF, "rdfxml"),
        ("a.json", b'{"@context": {}}', "jsonld"),
        ("a.json", b'{"a": 1}', "json"),
        ("README", b"@prefix : <urn:x> .", UNKNOWN),
        (".ttl", b"", UNKNOWN),
        ("a.", b"", UNKNOWN),
        ("a.zzz", RDF, UNKNOWN),
    ],
)
def test_names_of_formats(name: str, head: bytes, expected: str) -> None:
    """The ending decides in any case; ambiguous ones are looked into; without an ending nothing is guessed."""
    assert format_of(name, head) == expected


@given(st.text(max_size=30), st.binary(max_size=200))
def test_any_file_has_a_format(name: str, head: bytes) -> None:
    """Whatever a file is called and begins with, there is an answer out of the known ones."""
    assert format_of(name, head) in {*BY_ENDING.values(), UNKNOWN}

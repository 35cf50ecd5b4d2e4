"""The words by which a document states its version or its date: names of properties, and of what an ontology is called.

Syntaxes are not known here.
"""

from __future__ import annotations

from collections.abc import Mapping

OWL = "http://www.w3.org/2002/07/owl#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
VERSION_IRI, VERSION_INFO, DATA_VERSION = "owl:versionIRI", "owl:versionInfo", "data-version"
# as most documents abbreviate them: for those that a context or a beginning that was cut does not explain
_NAMESPACES = {
    "owl": OWL, "skos": "http://www.w3.org/2004/02/skos/core#", "pav": "http://purl.org/pav/",
    "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "dcterms": "http://purl.org/dc/terms/",
    "schema": "http://schema.org/", "sdo": "http://schema.org/", "voaf": "http://purl.org/vocommons/voaf#",
}  # fmt: skip
_PROPERTIES = {
    f"{OWL}versionIRI": VERSION_IRI,
    f"{OWL}versionInfo": VERSION_INFO,
    "http://www.w3.org/ns/dcat#version": "dcat:version",
    "http://purl.org/pav/version": "pav:version",
    "http://schema.org/version": "schema:version",
    "http://purl.org/dc/terms/hasVersion": "dcterms:hasVersion",
    "http://purl.org/dc/terms/modified": "dcterms:modified",
    "http://schema.org/dateModified": "schema:dateModified",
}
_KINDS = frozenset(
    {
        f"{OWL}Ontology",
        "http://www.w3.org/2004/02/skos/core#ConceptScheme",
        "http://schema.org/DefinedTermSet",
        "http://purl.org/vocommons/voaf#Vocabulary",
    }
)
# in the order in which they are believed; a date is a version where none is stated
DATES = ("dcterms:modified", "schema:dateModified", "date")
ORDER = (
    *(VERSION_IRI, DATA_VERSION, VERSION_INFO),
    *("dcat:version", "pav:version", "schema:version", "dcterms:hasVersion"),
    *DATES,
)


def property_of(iri: str) -> str:
    """Return what a property of this IRI states, one of ORDER; empty if nothing of interest."""
    return _PROPERTIES.get(_plain(iri), "")


def is_ontology(iri: str) -> bool:
    """Say whether what has this type is an ontology, a vocabulary, or a scheme of concepts."""
    return _plain(iri) in _KINDS


def expand(word: str, prefixes: Mapping[str, str]) -> str:
    """Return the IRI of a name like `owl:Ontology`; the word itself where nobody says what its prefix stands for."""
    prefix, colon, name = word.partition(":")
    namespace = prefixes.get(prefix) or _NAMESPACES.get(prefix)
    return f"{namespace}{name}" if colon and namespace else word


def _plain(iri: str) -> str:
    return iri.replace("https://schema.org/", "http://schema.org/", 1)

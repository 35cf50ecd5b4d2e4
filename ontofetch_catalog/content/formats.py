"""The names of formats: what a file's ending says, and its first bytes where the ending is ambiguous.

It looks at a name and a few bytes, and never opens a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable

UNKNOWN = "unknown"
HEAD_BYTES = 2048

BY_ENDING = {
    "ttl": "turtle", "turtle": "turtle", "nt": "ntriples", "ntriples": "ntriples", "nq": "nquads", "nquads": "nquads",
    "trig": "trig", "rdf": "rdfxml", "rdfs": "rdfxml", "owl": "rdfxml", "xrdf": "rdfxml", "jsonld": "jsonld",
    "n3": "n3", "obo": "obo", "ofn": "ofn", "omn": "omn", "owx": "owlxml", "shex": "shex", "shaclc": "shaclc",
    "json": "json", "yaml": "yaml", "yml": "yaml", "xml": "xml", "xsd": "xml", "csv": "csv", "tsv": "tsv",
    "sssom": "tsv", "txt": "text", "md": "markdown", "rst": "text", "html": "html", "htm": "html", "py": "python",
    "sparql": "sparql", "rq": "sparql", "ru": "sparql", "pickle": "pickle", "pkl": "pickle", "db": "sqlite",
    "sqlite": "sqlite", "pdf": "pdf", "png": "png", "svg": "svg", "toml": "toml", "js": "javascript", "css": "css",
    "proto": "protobuf", "graphql": "graphql", "sql": "sql", "xlsx": "xlsx", "parquet": "parquet",
}  # fmt: skip
# endings that stand for several syntaxes in the wild
_AMBIGUOUS = frozenset({"owl", "rdf", "rdfs", "xml", "json"})
_TURTLE = re.compile(rb"^\s*(@prefix|@base|PREFIX|BASE)\s", re.IGNORECASE | re.MULTILINE)
_FUNCTIONAL = re.compile(rb"^\s*(Prefix\s*\(|Ontology\s*\()", re.MULTILINE)
_LOOKS: tuple[tuple[str, Callable[[bytes], object]], ...] = (
    ("rdfxml", re.compile(rb"<rdf:RDF|^\s*<[^>]*22-rdf-syntax-ns#").search),
    ("owlxml", re.compile(rb"<Ontology[^>]*http://www\.w3\.org/2002/07/owl#").search),
    ("ofn", _FUNCTIONAL.search),
    ("turtle", _TURTLE.search),
    ("obo", re.compile(rb"\Aformat-version:").search),
)


def format_of(name: str, head: bytes) -> str:
    """Return the name of the format of a file, `unknown` where nothing is known.

    Args:
        name: Its path or name.
        head: Its first bytes, up to HEAD_BYTES.
    """
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    ending = ending.casefold() if dot and stem else ""
    by_ending = BY_ENDING.get(ending, UNKNOWN)
    return _look(by_ending, head.removeprefix(b"\xef\xbb\xbf")) if ending in _AMBIGUOUS else by_ending


def _look(by_ending: str, head: bytes) -> str:
    if by_ending == "json":
        return "jsonld" if b'"@context"' in head or b'"@graph"' in head else "json"
    for name, fits in _LOOKS:
        if fits(head):
            return name
    return by_ending

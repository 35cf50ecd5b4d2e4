"""The media types that say a format which the content of a file may not tell.

Those of XML and JSON are not among them: such content tells by itself, and where it does not, the server is wrong.
"""

from __future__ import annotations

_FORMATS = {
    "text/turtle": "turtle", "application/x-turtle": "turtle", "application/turtle": "turtle",
    "application/n-triples": "ntriples", "application/n-quads": "nquads", "application/trig": "trig",
    "text/n3": "n3", "text/rdf+n3": "n3", "text/obo": "obo", "application/obo": "obo", "application/x-obo": "obo",
    "text/owl-functional": "ofn", "text/owl-manchester": "omn", "text/shex": "shex", "text/shaclc": "shaclc",
    "text/csv": "csv", "text/tab-separated-values": "tsv", "text/markdown": "markdown", "application/yaml": "yaml",
    "text/yaml": "yaml", "application/x-yaml": "yaml", "application/sparql-query": "sparql",
    "application/vnd.hdt": "hdt",
}  # fmt: skip


def by_content_type(content_type: str) -> str:
    """Return the format that a header Content-Type says, nothing where it says none that counts."""
    return _FORMATS.get(content_type.partition(";")[0].strip().casefold(), "")

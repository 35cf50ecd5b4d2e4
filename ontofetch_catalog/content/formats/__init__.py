"""The names of formats: what a file's first bytes say, else its Content-Type, else its ending.

It looks at names and bytes and never opens a file; what a syntax looks like is known to `syntaxes` and `xml_roots`.
"""

from __future__ import annotations

from ..byte_order import as_utf8
from .syntaxes import look_at_json, look_at_text

UNKNOWN = "unknown"
HEAD_BYTES = 1 << 18  # long licences, DTDs and lists of prefixes stand before the first telling byte

BY_ENDING = {
    "ttl": "turtle", "turtle": "turtle", "nt": "ntriples", "ntriples": "ntriples", "nq": "nquads", "nquads": "nquads",
    "trig": "trig", "rdf": "rdfxml", "rdfs": "rdfxml", "owl": "rdfxml", "xrdf": "rdfxml", "jsonld": "jsonld",
    "n3": "n3", "obo": "obo", "ofn": "ofn", "func": "ofn", "omn": "omn", "owx": "owlxml", "trix": "trix",
    "shex": "shex", "shexc": "shex", "shexj": "shexj", "shaclc": "shaclc", "json": "json", "yaml": "yaml",
    "yml": "yaml", "xml": "xml", "xsd": "xml", "csv": "csv", "tsv": "tsv", "sssom": "tsv", "txt": "text",
    "md": "markdown", "rst": "text", "html": "html", "htm": "html", "xhtml": "html", "py": "python", "pyi": "python",
    "sparql": "sparql", "rq": "sparql", "ru": "sparql", "pickle": "pickle", "pkl": "pickle", "db": "sqlite",
    "sqlite": "sqlite", "sqlite3": "sqlite", "pdf": "pdf", "png": "png", "svg": "svg", "toml": "toml",
    "js": "javascript", "css": "css", "proto": "protobuf", "graphql": "graphql", "sql": "sql", "xlsx": "xlsx",
    "parquet": "parquet", "jsonl": "jsonl", "ndjson": "jsonl", "ini": "ini", "cfg": "ini", "sh": "shell",
    "java": "java", "zip": "zip", "tar": "tar", "hdt": "hdt",
}  # fmt: skip
# those of XML and JSON are not among them: such content tells by itself, and where it does not, the server is wrong
_BY_CONTENT_TYPE = {
    "text/turtle": "turtle", "application/x-turtle": "turtle", "application/turtle": "turtle",
    "application/n-triples": "ntriples", "application/n-quads": "nquads", "application/trig": "trig",
    "text/n3": "n3", "text/rdf+n3": "n3", "text/obo": "obo", "application/obo": "obo", "application/x-obo": "obo",
    "text/owl-functional": "ofn", "text/owl-manchester": "omn", "text/shex": "shex", "text/shaclc": "shaclc",
    "text/csv": "csv", "text/tab-separated-values": "tsv", "text/markdown": "markdown", "application/yaml": "yaml",
    "text/yaml": "yaml", "application/x-yaml": "yaml", "application/sparql-query": "sparql",
    "application/vnd.hdt": "hdt",
}  # fmt: skip
# the syntaxes of RDF, OWL and OBO: a file in one of them is an ontology, and is judged or said not to be
SYNTAXES = {
    "turtle": "Turtle", "ntriples": "N-Triples", "nquads": "N-Quads", "trig": "TriG", "n3": "N3", "rdfxml": "RDF/XML",
    "jsonld": "JSON-LD", "obo": "OBO", "owlxml": "OWL/XML", "ofn": "functional syntax", "omn": "Manchester syntax",
    "obographs": "OBO graphs", "trix": "TriX", "hdt": "HDT", "shex": "ShEx", "shexj": "ShExJ",
    "shaclc": "SHACL compact syntax",
}  # fmt: skip
COMPRESSED = ("gz", "bz2", "xz", "zst", "zstd")
# of these a file may be anything its content says; all other endings are those of text that only looks like a syntax
_OPEN = frozenset({*SYNTAXES, UNKNOWN, "xml", "json", "text"}) - {"shex", "shaclc"}
_CLOSED = (".rst", ".rst.gz")
# what a name says stays where the content is a part of that syntax
_PARTS = {
    "turtle": {"ntriples"},
    "trig": {"ntriples", "turtle"},
    "n3": {"ntriples", "turtle", "trig"},
    "nquads": {"ntriples"},
    "jsonld": {"json"},
    "shexj": {"json", "jsonld"},
    "rdfxml": {"xml-of-rdf"},
}
_MAGIC = (
    (b"%PDF-", "pdf"), (b"\x89PNG\r\n", "png"), (b"SQLite format 3\0", "sqlite"), (b"PAR1", "parquet"),
    (b"$HDT", "hdt"),
)  # fmt: skip
_CLEAR = (b"<", b"@prefix ", b"@base ", b"format-version:")  # what an unmistakable text begins with, behind blanks
_BLANK = b" \t\r\n\xef\xbb\xbf\xff\xfe\0"
_PEEK = 256
_ZIPPED = frozenset({"xlsx"})


def ending_of(name: str) -> str:
    """Return the ending of a file's name in lower case, without those that say how it is compressed."""
    stem, dot, ending = name.rpartition("/")[2].casefold().rpartition(".")
    while dot and stem and ending in COMPRESSED:
        stem, dot, ending = stem.rpartition(".")
    return ending if dot and stem else ""


def named_format(name: str) -> str:
    """Return the format that a file's name alone says, `unknown` where it says none."""
    return BY_ENDING.get(ending_of(name), UNKNOWN)


def format_of(name: str, head: bytes, content_type: str | None = None) -> str:
    """Return the name of the format of a file, `unknown` where nothing is known.

    Args:
        name: Its path or name.
        head: Its first bytes, up to HEAD_BYTES; of a compressed file those of what is inside.
        content_type: What the server said of it, if it came by itself.
    """
    named = named_format(name)
    found = _look(head, named, is_open=named in _OPEN and not name.casefold().endswith(_CLOSED))
    if found == named or found in _PARTS.get(named, ()):
        return named
    if found == "xml-of-rdf":
        found = "xml"
    if found:
        return found
    told = _by_content_type(content_type) if content_type else ""
    return told or named


def _look(head: bytes, named: str, *, is_open: bool) -> str:
    """Return what the content says, nothing where it does not tell.

    Args:
        head: The first bytes.
        named: What the name says.
        is_open: Whether the content may be of any other format.
    """
    found = _by_magic(head, named)
    if found or not (is_open or head[:_PEEK].lstrip(_BLANK).startswith(_CLEAR)):
        return found
    text = as_utf8(head)
    if not text:
        return ""
    if text.startswith(b"<"):
        from .xml_roots import look_at_xml

        found = look_at_xml(text, named) or look_at_text(text, named)
    elif text.startswith((b"{", b"[")):
        found = look_at_json(text, named) or look_at_text(text, named)
    else:
        found = look_at_text(text, named)
    if is_open:
        # notes may begin with a reference in brackets
        return "" if named == "text" and found == "json" else found
    return found if _is_unmistakable(text, found) else ""


def _by_magic(head: bytes, named: str) -> str:
    if head.startswith(b"PK\x03\x04"):
        return named if named in _ZIPPED else "zip"
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    return "tar" if head[257:262] == b"ustar" else ""


def _is_unmistakable(text: bytes, found: str) -> bool:
    """Say whether a text is taken for a syntax although its ending is that of another kind of text."""
    if found == "turtle":
        return text.startswith((b"@prefix ", b"@base "))
    if found == "obo":
        return text.startswith(b"format-version:") and b"\n[T" in text
    return found in ("rdfxml", "owlxml")


def _by_content_type(content_type: str) -> str:
    """Return the format that a header Content-Type says, nothing where it says none that counts."""
    return _BY_CONTENT_TYPE.get(content_type.partition(";")[0].strip().casefold(), "")

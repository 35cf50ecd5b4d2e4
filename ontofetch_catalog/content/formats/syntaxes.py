"""What texts of RDF, OWL and OBO look like: the first tokens behind comments, the members of JSON.

A text that could be something else as well is left to its name.
"""

from __future__ import annotations

import re

_IRI = rb"<[^<>\"{}|^`\\\s]*>"
_ABSOLUTE = rb"<[A-Za-z][A-Za-z0-9+.-]*:[^<>\"{}|^`\s]*>"
_LABEL = rb"_:[\w.-]+"
_LITERAL = rb"\"[^\"\\]*(?:\\.[^\"\\]*)*\"(?:@[\w-]+|\s*\^\^\s*" + _ABSOLUTE + rb")?"
_NODE = rb"(?:" + _ABSOLUTE + rb"|" + _LABEL + rb")"
_COMMENTS = re.compile(rb"(?:\s+|#[^\n]*(?:\n|\Z))*")
# one line of N-Triples or N-Quads
_LINE = re.compile(
    _NODE + rb"\s*" + _ABSOLUTE + rb"\s*(?:" + _NODE + rb"|" + _LITERAL + rb")\s*(" + _NODE + rb")?\s*\.\s*(?:#.*)?\Z"
)
_MOST_LINES = 64
_LONG_LINE = 1 << 17  # bytes: a line that long may be cut
_TURTLE = re.compile(
    rb"@prefix\s+[^\s:]*:\s*<|@base\s+<|@version\s+[\"']|(?i:prefix\s+[^\s:(=]*:\s*<|base\s+<|version\s+[\"'])"
)
_SUBJECT = rb"(?:<(?:[^<>\"{}|^`\\\s]*[:/#][^<>\"{}|^`\\\s]*)?>|" + _LABEL + rb")"
_STATEMENT = re.compile(_SUBJECT + rb"\s+(?:a\s|" + _IRI + rb"|[\w.-]*:[\w.-]+\s)\s*[^\s]")
_DECLARED = re.compile(rb"^[ \t]*(?:#.*|(?:prefix|base|version)\s.*)$", re.IGNORECASE | re.MULTILINE)
_QUERY = re.compile(
    rb"^[ \t]*(?:SELECT|ASK|CONSTRUCT|DESCRIBE|INSERT|DELETE|LOAD|CLEAR|WITH)\b", re.IGNORECASE | re.MULTILINE
)
_SHAPES = re.compile(
    rb"^[ \t]*(?:start[ \t]*=|(?:<[^>]*>|[\w.-]*:[\w.-]+)[ \t]+(?:EXTRA|CLOSED|AND|OR|NOT|IRI|BNODE)\b)", re.MULTILINE
)
_BODY = 1 << 14  # bytes behind the first prefix in which a query or a shape begins
_BRACES = 1 << 15  # bytes in which the first graph begins
_OFN = re.compile(rb"Prefix\s*\(\s*[^\s=()]*:\s*=\s*<|Ontology\s*\(")
_OMN = re.compile(rb"(?:Prefix|Namespace):\s+[^\s:]*:?\s*<|Ontology:(?:\s|\Z)")
_OMN_FRAME = re.compile(rb"(?:Class|ObjectProperty|DataProperty|AnnotationProperty|Individual|Datatype|Import):\s")
_OBO_REMARKS = re.compile(rb"(?:![^\n]*(?:\n|\Z)\s*)*")
_OBO_HEADER = re.compile(rb"format-version:[ \t]*[\w.]")
_OBO_TAG = re.compile(rb"[a-z][a-z_-]*:(?:\s|\Z)")
_OBO_STANZA = re.compile(
    rb"^\[(?:Term|Typedef|Instance)\][^\n]*\n(?:[ \t\r]*\n|![^\n]*\n)*[ \t]*id[ \t]*:", re.MULTILINE
)
_NAMED_OBO = ("obo", "rdfxml", "text", "unknown")
_BRACED = re.compile(
    rb'"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\''
    rb'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|\'[^\'\\\n]*(?:\\.[^\'\\\n]*)*\'|'
    + _IRI
    + rb"|#[^\n]*|(=>|<=|@forAll|@forSome)|(\{(?!\|))",
    re.DOTALL,
)
# `[1]` and `{x}` begin other texts, too
_JSON_START = re.compile(rb'(?:\[\s*)?\{\s*"[^"\\]*(?:\\.[^"\\]*)*"\s*:|(?:\[\s*\]|\{\s*\})\s*\Z', re.DOTALL)
_JSON_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|([\[{])|([\]}])', re.DOTALL)
_KEYWORDS = frozenset({b"@context", b"@graph", b"@id", b"@type", b"@included", b"@value"})


def look_at_text(text: bytes, named: str) -> str:
    """Return the syntax of a text, nothing where it does not tell.

    Args:
        text: Its first bytes, in UTF-8, without leading white space.
        named: The format that its name says; where two syntaxes share what is seen, it decides.
    """
    if _is_obo(text, named):
        return "obo"
    start = _COMMENTS.match(text)
    rest = text[start.end() :] if start else text
    if _TURTLE.match(rest):
        return _with_prefixes(rest)
    if rest[:1] in b"<_" and rest:
        return _by_lines(rest, named)
    if _OFN.match(rest):
        return "ofn"
    return "omn" if _OMN.match(rest) or (named == "omn" and _OMN_FRAME.match(rest)) else ""


def _is_obo(text: bytes, named: str) -> bool:
    remarks = _OBO_REMARKS.match(text)
    head = text[remarks.end() :] if remarks else text
    if _OBO_HEADER.match(head) or _OBO_STANZA.match(head):
        return True
    # the header's tags come in any order
    if not _OBO_TAG.match(head):
        return False
    header, stanza, _ = head.partition(b"\n[")
    lines = [line for line in header.splitlines() if line.strip() and not line.startswith(b"!")]
    if not all(_OBO_TAG.match(line) for line in lines[:_MOST_LINES]):
        return False
    if any(_OBO_HEADER.match(line) for line in lines):
        return True
    return named in _NAMED_OBO and bool(stanza) and _OBO_STANZA.search(head) is not None


def _with_prefixes(text: bytes) -> str:
    """Return which of the syntaxes it is that begin with prefixes."""
    if text[:1] != b"@":
        body = _DECLARED.sub(b"", text[:_BODY])
        if _QUERY.search(body):
            return "sparql"
        if _SHAPES.search(body):
            return "shex"
    if b"{" not in text[:_BRACES]:
        return "turtle"
    graphs = False
    for found in _BRACED.finditer(text, 0, _BRACES):
        if found[1]:
            return "n3"
        graphs = graphs or bool(found[2])
    return "trig" if graphs else "turtle"


def _by_lines(text: bytes, named: str) -> str:
    """Return N-Triples or N-Quads where every line is one, Turtle where the first statement is one of it."""
    # the last line may be cut
    lines = text.split(b"\n", _MOST_LINES)
    whole = lines[:-1] if len(lines) > 1 else lines
    seen = quads = False
    is_triples = named in ("ntriples", "nquads")
    for line in whole:
        stripped = line.strip()
        if not stripped or stripped.startswith(b"#"):
            continue
        found = _LINE.match(stripped)
        if found is None:
            # where a name says that lines are statements and some are, the others are damaged
            is_damaged = seen and is_triples
            is_cut = len(lines) == 1 and len(text) > _LONG_LINE
            return "turtle" if not is_damaged and _STATEMENT.match(text) and not (is_cut and is_triples) else ""
        seen = True
        quads = quads or found[1] is not None
    return "nquads" if quads else "ntriples"


def look_at_json(text: bytes, named: str) -> str:
    """Return `jsonld`, `obographs` or `json` for a text that begins with a brace or bracket, nothing if it is none."""
    if not _JSON_START.match(text):
        return ""
    may_be_graphs = b'"graphs"' in text
    if not may_be_graphs and (named == "jsonld" or b'"@' not in text):
        return "json"
    outer = 1 if text[:1] == b"{" else 2
    depth, graphs, linked = 0, False, False
    for found in _JSON_TOKEN.finditer(text):
        if found[3]:
            depth += 1
        elif found[4]:
            depth -= 1
        elif found[2] and depth == outer:
            graphs = found[1] == b"graphs"
            linked = linked or found[1] in _KEYWORDS
            if linked and not may_be_graphs:
                break
        elif found[2] and graphs and depth == outer + 2 and found[1] in (b"nodes", b"edges"):
            return "obographs"
    return "jsonld" if linked else "json"

"""What the header of an ontology in a syntax of plain text says of its version: the RDF family, OBO, OWL's own, JSON.

The text is taken apart into tokens, each of which is looked at once; nothing is nested, nothing is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_MOST_TOKENS = 60_000
_OWL = "http://www.w3.org/2002/07/owl#"
_TOKEN = re.compile(
    r"""\#[^\n]*
    |<(?P<iri>[^<>"{}|^`\\\s]*)>
    |(?P<long>\"\"\"(?:[^"\\]|\\(?:.|\Z)|"(?!""))*+(?:\"\"\"|\Z)|'''(?:[^'\\]|\\(?:.|\Z)|'(?!''))*+(?:'''|\Z))
    |(?P<text>"(?:[^"\\\n]|\\(?:.|\Z))*+(?:"|\Z|(?=\n))|'(?:[^'\\\n]|\\(?:.|\Z))*+(?:'|\Z|(?=\n)))
    |(?P<word>@?[A-Za-z_][\w.-]*+(?::[\w.%/-]*+)?|:[\w.%/-]*+)
    |(?P<mark>[.;,()\[\]{}=])
    |\^\^|@|[0-9][\w.+-]*+|.""",
    re.VERBOSE | re.DOTALL,
)
_OBO_HEADER = re.compile(r"(?:format-version|data-version|ontology|date|saved-by|default-namespace)[ \t]*:")
_OBO_INFO = re.compile(r'property_value:[ \t]*owl:versionInfo[ \t]+"([^"\n]*)"')
_OBO_LINES = 2000
_JSON = re.compile(r'"(?P<text>(?:[^"\\]|\\(?:.|\Z))*+)(?:"|\Z)|(?P<mark>[{}\[\]:,])|[^\s"{}\[\]:,]+', re.DOTALL)
_MOST_DEPTH = 64

Told = list[tuple[str, str]]


def read_obo(text: str) -> Told | None:
    """Return what the header of an OBO document says; None if it is none."""
    lines = [line for line in text.splitlines()[:_OBO_LINES] if line.strip() and not line.startswith("!")]
    if not lines or not _OBO_HEADER.match(lines[0]):
        return None
    told: Told = []
    for line in lines:
        if line.startswith("["):
            break
        if line.startswith("data-version:"):
            told.append(("data-version", line.partition(":")[2].partition(" !")[0].strip()))
        elif found := _OBO_INFO.match(line):
            told.append(("owl:versionInfo", found[1]))
    return told


def read_rdf(text: str) -> Told:
    """Return what a document of the RDF family, functional or Manchester syntax says of its ontology."""
    told: Told = []
    infos: list[tuple[str, str]] = []  # subject, text
    ontologies: set[str] = set()
    statement: list[tuple[str, str]] = []
    for kind, value in _tokens(text):
        if (kind, value) == ("mark", "."):
            _read_statement(statement, told, infos, ontologies)
            statement = []
        else:
            statement.append((kind, value))
    _read_statement(statement, told, infos, ontologies)
    told += [("owl:versionInfo", info) for subject, info in infos if subject in ontologies]
    return told


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for number, token in enumerate(_TOKEN.finditer(text)):
        if number >= _MOST_TOKENS:
            return
        kind = token.lastgroup
        if kind in ("long", "text"):
            yield "text", token[kind].strip("\"'")
        elif kind is not None:
            yield kind, token[kind]


def _read_statement(
    tokens: list[tuple[str, str]], told: Told, infos: list[tuple[str, str]], ontologies: set[str]
) -> None:
    """Read the statements of one subject, or the header of OWL's own syntaxes, in which no period ends it."""
    # a graph's brace may stand before the subject
    start = next((number for number, token in enumerate(tokens) if token[0] in ("iri", "word")), 0)
    subject = tokens[start][1] if tokens else ""
    for number, (kind, value) in enumerate(tokens):
        if kind not in ("iri", "word"):
            continue
        after = [*tokens[number + 1 : number + 4], ("", "")]
        name = value.removeprefix(_OWL) if kind == "iri" else value.rpartition(":")[2]
        if name == "Ontology" and (kind == "iri" or ":" in value) and number > start:
            ontologies.add(subject)
        elif name == "versionIRI" and after[0][0] in ("iri", "word"):
            told.append(("owl:versionIRI", after[0][1]))
        elif name == "versionInfo" and after[0][0] == "text":
            infos.append((subject, after[0][1]))
        elif value in ("Ontology", "Ontology:"):
            # functional syntax has a parenthesis before the two IRIs
            iris = [token for token in after if token != ("mark", "(")][:2]
            told += [("owl:versionIRI", iris[1][1])] if [kind for kind, _ in iris] == ["iri", "iri"] else []
            ontologies.add(subject)


def read_json(text: str) -> Told:
    """Return what a document of JSON-LD or OBO graphs says of its ontology."""
    told: Told = []
    path: list[str] = []  # the key under which each open object or array stands
    key, pending = "", ""
    for number, token in enumerate(_JSON.finditer(text)):
        if number >= _MOST_TOKENS or len(path) > _MOST_DEPTH:
            break
        mark = token["mark"]
        if mark in ("{", "["):
            path.append(key)
            key = pending = ""
        elif mark in ("}", "]"):
            key = path.pop() if path else ""
        elif mark == ":":
            key, pending = pending, ""
        elif mark == ",":
            key = pending = ""
        elif token["text"] is not None:
            pending = token["text"]
            if key:
                what = _told_by([*path, key])
                told += [(what, pending.replace("\\/", "/"))] if what else []
    return told


def _told_by(path: list[str]) -> str:
    """Return what a value at a path of keys is, empty if it is of no interest."""
    keys = [key for key in path if key]
    if keys == ["graphs", "meta", "version"]:
        return "owl:versionIRI"
    last = keys[-2] if keys[-1] in ("@id", "@value") and len(keys) > 1 else keys[-1]
    name = last.removeprefix(_OWL).rpartition(":")[2]
    # in JSON-LD only an ontology has a version IRI, but a class may have a version info: those further inside are left
    depth = len([key for key in keys if key != "@graph"])
    if name == "versionIRI":
        return "owl:versionIRI"
    return "owl:versionInfo" if name == "versionInfo" and depth <= 2 and "@graph" not in keys else ""

"""What the header of an ontology in a syntax of plain text says of its version: the RDF family, OBO, OWL's own.

The text is taken apart into tokens, each of which is looked at once; nothing is nested, nothing is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .words import DATA_VERSION, VERSION_INFO, VERSION_IRI, expand, is_ontology, property_of

_MOST_TOKENS = 60_000
_MOST_VALUES = 20  # of one property
_TOKEN = re.compile(
    r"""\#[^\n]*
    |<(?P<iri>[^<>"{}|^`\\\s]*)>
    |(?P<long>\"\"\"(?:[^"\\]|\\(?:.|\Z)|"(?!""))*+(?:\"\"\"|\Z)|'''(?:[^'\\]|\\(?:.|\Z)|'(?!''))*+(?:'''|\Z))
    |(?P<text>"(?:[^"\\\n]|\\(?:.|\Z))*+(?:"|\Z|(?=\n))|'(?:[^'\\\n]|\\(?:.|\Z))*+(?:'|\Z|(?=\n)))
    |(?P<word>@?[A-Za-z_][\w.-]*+(?::[\w.%/-]*+)?|:[\w.%/-]*+)
    |(?P<mark>[.;,()\[\]{}=])
    |(?P<number>[0-9](?:[\w+-]|\.(?=[0-9]))*+)
    |\^\^|@|.""",
    re.VERBOSE | re.DOTALL,
)
_OBO_HEADER = re.compile(r"(?:format-version|data-version|ontology|date|saved-by|default-namespace)[ \t]*:")
_OBO_TAG = re.compile(r"[a-z][a-z_-]*[ \t]*:")
_OBO_PROPERTY = re.compile(r'property_value:[ \t]*(\S+)[ \t]+"([^"\n]*)"')
_OBO_DATE = re.compile(r"date:[ \t]*([0-3][0-9]):([01][0-9]):([12][0-9]{3})(?![0-9])")
_OBO_LINES = 2000

# whatever the prefix stands for
_BY_NAME = {"versionIRI": VERSION_IRI, "versionInfo": VERSION_INFO}

Told = list[tuple[str, str]]


def read_obo(text: str) -> Told | None:
    """Return what the header of an OBO document says; None if it is none."""
    lines = [line for line in text.splitlines()[:_OBO_LINES] if line.strip() and not line.startswith("!")]
    end = next((number for number, line in enumerate(lines) if line.startswith("[")), len(lines))
    header = lines[:end]
    # its tags come in any order
    if not header or not (_OBO_HEADER.match(header[0]) or _is_tagged(header)):
        return None
    return [found for line in header if (found := _read_tag(line))]


def _is_tagged(header: list[str]) -> bool:
    return bool(_OBO_TAG.match(header[0])) and any(line.startswith("format-version:") for line in header)


def _read_tag(line: str) -> tuple[str, str] | None:
    if line.startswith(("data-version:", "version:")):
        # OBO 1.0 has the second
        return DATA_VERSION, line.partition(":")[2].partition(" !")[0].strip()
    if found := _OBO_DATE.match(line):
        return "date", f"{found[3]}-{found[2]}-{found[1]}"
    if (found := _OBO_PROPERTY.match(line)) and (what := property_of(expand(found[1], {}))):
        return what, found[2]
    return None


def read_rdf(text: str) -> Told:
    """Return what a document of the RDF family, functional or Manchester syntax says of its ontology."""
    reader = _Reader()
    statement: list[tuple[str, str]] = []
    for kind, value in _tokens(text):
        if (kind, value) == ("mark", "."):
            reader.read(statement)
            statement = []
        else:
            statement.append((kind, value))
    reader.read(statement)
    return reader.told + [(what, text) for subject, what, text in reader.texts if subject in reader.ontologies]


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for number, token in enumerate(_TOKEN.finditer(text)):
        if number >= _MOST_TOKENS:
            return
        kind = token.lastgroup
        if kind in ("long", "text"):
            yield "text", token[kind].strip("\"'")
        elif kind == "number":
            yield "text", token[kind]
        elif kind is not None:
            yield kind, token[kind]


class _Reader:
    """What was said so far: IRIs of versions, texts by subject, and which subjects are ontologies."""

    def __init__(self) -> None:
        self.told: Told = []
        self.texts: list[tuple[str, str, str]] = []
        self.ontologies: set[str] = set()
        self._prefixes: dict[str, str] = {}

    def read(self, tokens: list[tuple[str, str]]) -> None:
        """Read the statements of one subject, or the header of OWL's own syntaxes, in which no period ends it."""
        # a graph's brace may stand before the subject
        start = next((number for number, token in enumerate(tokens) if token[0] in ("iri", "word")), 0)
        subject = tokens[start][1] if tokens else ""
        for number, (kind, value) in enumerate(tokens):
            if kind not in ("iri", "word"):
                continue
            after = [*tokens[number + 1 : number + 4], ("", "")]
            self._note_prefix(value, after)
            if value in ("Ontology", "Ontology:"):
                # functional syntax has a parenthesis before the two IRIs
                iris = [token for token in after if token != ("mark", "(")][:2]
                self.told += [(VERSION_IRI, iris[1][1])] if [kind for kind, _ in iris] == ["iri", "iri"] else []
                self.ontologies.add(subject)
                continue
            iri = value if kind == "iri" else expand(value, self._prefixes)
            if number > start and (is_ontology(iri) or value.endswith(":Ontology")):
                self.ontologies.add(subject)
            what = property_of(iri) or _BY_NAME.get(value.rpartition(":")[2] if kind == "word" else "", "")
            if what == VERSION_IRI:
                self.told += [(what, after[0][1])] if after[0][0] in ("iri", "word") else []
            elif what:
                self.texts += [(subject, what, text) for text in _texts(tokens, number + 1)]

    def _note_prefix(self, word: str, after: list[tuple[str, str]]) -> None:
        """Note `owl:` before `<…>`, with an equals sign between in functional syntax."""
        namespace = after[1] if after[0] == ("mark", "=") else after[0]
        if word.endswith(":") and namespace[0] == "iri":
            self._prefixes.setdefault(word[:-1], namespace[1])


def _texts(tokens: list[tuple[str, str]], at: int) -> Iterator[str]:
    """Yield the texts with which the objects of a property begin at a place: one, or several behind commas."""
    for _ in range(_MOST_VALUES):
        if tokens[at : at + 1] == [] or tokens[at][0] != "text":
            return
        yield tokens[at][1]
        at += 1
        if at < len(tokens) and tokens[at][0] in ("iri", "word"):
            # its language, or its type
            at += 1
        if tokens[at : at + 1] != [("mark", ",")]:
            return
        at += 1

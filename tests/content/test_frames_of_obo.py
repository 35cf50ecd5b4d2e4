"""The frames of OBO that are told at once, beside what the library's own objects say of each clause."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import lru_cache

import fastobo
from hypothesis import given, settings
from hypothesis import strategies as st

from ontofetch_catalog.content.facts import obo
from ontofetch_catalog.content.facts.statements import BETWEEN, Statements
from tests.levels import drawn

RDFS, OBO, OWL = (
    "http://www.w3.org/2000/01/rdf-schema#",
    "http://purl.obolibrary.org/obo/",
    "http://www.w3.org/2002/07/owl#",
)
IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
POINTING = {
    "is_a": f"{RDFS}subClassOf",
    "replaced_by": f"{OBO}IAO_0100001",
    "consider": f"{IN_OWL}consider",
    "alt_id": f"{IN_OWL}hasAlternativeId",
}
HEADER = "format-version: 1.4\nontology: ex\n"
BLANKS = " \t\n\r\x0b\x0c"
SPACES = 'idspace: Q http://example.org/q# "elsewhere"\n'

NAMES = st.sampled_from([
    "EX:1", "EX:1", "EX:2", "EX:a-b.c", "Q:7", "part_of", "http://example.org/x", "https://example.org/a:b", "urn:x",
    "EX:a\\:b", "EX:%", "EX:é", "_X:1", "EX:a/b", "EX:1|2", "mailto:a", "EX:\\{1\\}", 'EX:"1"', "EX:[1]", "A\\ B:1",
])  # fmt: skip
WORDS = st.sampled_from([
    "a", "é", "\u2028", " ", "  ", "!", " ! ", "! ", "\\!", '\\"', "\\n", "\\W", "\\t", "\\\\", "\\:", "[", "]",
    "(x)", ",", ":", ": ", "<y>", "_:b", ".", ";", "\\{", "\\}", "is_a: EX:1", "x" * 90, "\u00a0", "' '", "def: ",
])  # fmt: skip
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map("".join)
QUOTED = TEXTS.map(lambda text: f'"{text}"')
XREF = st.tuples(NAMES, st.sampled_from(["", "", ' "why"', ' "a ! b"', ' "] x ["'])).map("".join)
XREFS = st.lists(XREF, max_size=3).map(lambda found: f"[{', '.join(found)}]")
ENDS = st.sampled_from(["", "", "", "", " ! why", ' ! "so"', " ! a ! b", ' {source="x"}', ' {source="a ! b"} ! c', " "])


def clauses(tag: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return clauses with a tag, blanks between parts of their value, and mostly nothing behind it."""
    return st.tuples(st.tuples(*parts).map(" ".join), ENDS).map(lambda found: f"{tag}: {''.join(found)}")


SCOPES = st.sampled_from(["EXACT", "BROAD", "RELATED"])
CLAUSES = st.one_of(
    clauses("name", TEXTS),
    clauses("def", QUOTED, XREFS),
    clauses("comment", TEXTS),
    clauses("synonym", QUOTED, SCOPES, XREFS),
    clauses("xref", XREF),
    *(clauses(tag, NAMES) for tag in ("is_a", "is_a", "alt_id", "replaced_by", "consider", "disjoint_from", "subset")),
    clauses("relationship", NAMES, NAMES),
    clauses("intersection_of", NAMES),
    clauses("property_value", NAMES, QUOTED, NAMES),
    clauses("property_value", NAMES, NAMES),
    clauses("is_obsolete", st.sampled_from(["true", "true", "false"])),
    clauses("namespace", NAMES),
    clauses("created_by", TEXTS),
    clauses("creation_date", st.just("2020-01-02T03:04:05Z")),
)
KINDS = st.sampled_from(["Term"] * 12 + ["Typedef", "Instance"])


@lru_cache(maxsize=1 << 14)
def is_read(frame: str) -> bool:
    """Say whether the parser takes a frame."""
    try:
        return len(list(fastobo.iter(io.BytesIO(f"{HEADER}\n{frame}".encode())))) == 1
    except (SyntaxError, ValueError):
        return False


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Return a document that the parser takes; some of its terms occur twice."""
    frames = []
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(KINDS)
        head = f"[{kind}]\nid: {draw(NAMES)}{draw(st.sampled_from(['', '', ' ! x']))}\n"
        # of an instance nothing is told, and some of its clauses make the parser give up
        lines = draw(st.lists(CLAUSES, max_size=0 if kind == "Instance" else 6))
        lines = [line for line in lines if is_read(f"{head}{line}\n")]
        if is_read(head):
            frames.append("".join([head, *(f"{line}\n" for line in lines)]))
    return "\n".join([HEADER + draw(st.sampled_from(["", SPACES])), *frames])


def node(name: str, spaces: dict[str, str]) -> str:
    """Return what stands for a name in statements, as OBO's translation to OWL says."""
    name = name.replace("\\", "")
    space, colon, local = name.partition(":")
    if not colon:
        iri = f"{OBO}ex#{name}"
    elif local.startswith("//") or space in ("urn", "mailto"):
        iri = name
    else:
        iri = spaces.get(space, f"{OBO}{space}_") + local
    return "<" + re.sub(r'[<>"{}|^`\\ ]', lambda found: f"%{ord(found[0]):02X}", iri) + ">"


def text_of(written: str) -> str:
    """Return a text of OBO as the object of a statement."""
    plain = re.sub(r"\\(.)", lambda found: {"n": "\n", "W": " ", "t": "\t"}.get(found[1], found[1]), written)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r") + '"'


def said(clause: object, spaces: dict[str, str]) -> Iterator[str]:
    """Yield what a clause says, by the attributes that the library gives to it."""
    tag, qualifiers = clause.raw_tag(), getattr(clause, "qualifiers", None)  # type: ignore[attr-defined]
    value = clause.raw_value()  # type: ignore[attr-defined]
    if tag == "def":
        yield f"<{OBO}IAO_0000115> {text_of(value[1:-1])}"
        yield f"def xrefs {clause.xrefs} {qualifiers or ''}"  # type: ignore[attr-defined]
        return
    if tag == "name":
        yield f"<{RDFS}label> {text_of(value.strip(BLANKS))}"
    elif tag in POINTING:
        yield f"<{POINTING[tag]}> {node(value, spaces)}"
    elif (tag, value) == ("is_obsolete", "true"):
        yield f'<{OWL}deprecated> "true"'
    else:
        comment = None if tag == "comment" else clause.comment  # type: ignore[attr-defined]
        yield str(clause) if comment is None else str(clause)[: -len(f" ! {comment}")]
        return
    if qualifiers:
        yield f"{type(clause).__name__} {value} {qualifiers}"


def expected(text: str) -> tuple[dict[bytes, set[bytes]], int, bool]:
    """Return the statements of each term and relation, their number with repeats, and whether there is nothing else."""
    spaces = {"Q": "http://example.org/q#"} if SPACES in text else {}
    found: dict[bytes, set[bytes]] = {}
    number, exact = 0, True
    for frame in fastobo.iter(io.BytesIO(text.encode())):
        kind = {"TermFrame": "Class", "TypedefFrame": "ObjectProperty"}.get(type(frame).__name__)
        if kind is None:
            exact = False
            continue
        told = [f"a <{OWL}{kind}>", *(each for clause in frame for each in said(clause, spaces))]
        number += len(told)
        found.setdefault(node(str(frame.id), spaces).encode(), set()).update(each.encode() for each in told)
    return found, number, exact


def kept(text: str) -> tuple[dict[bytes, set[bytes]], int, bool]:
    """Return the same as it is told, the header apart."""
    statements = Statements(has_blanks=False)
    start = text.find("\n[") if "\n[" in text else len(text)
    blocks = iter([text[:start].encode(), text[start:].encode()])
    obo.keep_obo(blocks, lambda found: fastobo.iter(io.BytesIO(found)), statements)
    head = f"<{OBO}ex.owl>".encode()
    of_head = bytes(statements.kept.pop(head)).count(BETWEEN) + 1
    found = {name: set(bytes(packed).split(BETWEEN)) for name, packed in statements.kept.items()}
    return found, statements.parsed - of_head, statements.exact


@settings(max_examples=drawn(100), deadline=None)
@given(documents())
def test_frames_tell_what_their_clauses_say(text: str) -> None:
    """However texts, names, comments and qualifiers look, each term has the statements of its clauses."""
    assert kept(text) == expected(text)

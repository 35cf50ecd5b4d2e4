"""What is valid: each syntax as authors write it passes, each damage fails with its place, the rest is not judged."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.host.checks import builtin_validators
from ontofetch_catalog.host.checks.verdicts import Verdict
from ontofetch_hookspecs import load_target

NAMESPACES = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="urn:e:"'
HEAD, TAIL = f"<rdf:RDF {NAMESPACES}>\n", "</rdf:RDF>"
BODY = '<rdf:Description rdf:about="urn:a"><e:p>é</e:p></rdf:Description>\n'
DECLARED = '<?xml version="1.0" encoding="{}"?>\n'
OBO = "format-version: 1.4\n\n[Term]\nid: A:1\nname: x\n"
OFN = "Prefix(:=<urn:x#>)\nOntology(<urn:x>\n{})\n"
OMN = "Prefix: : <urn:x#>\nOntology: <urn:x>\nObjectProperty: p\nClass: A\nClass: B\n{}"
OWX = '<Ontology xmlns="http://www.w3.org/2002/07/owl#" ontologyIRI="urn:x">\n{}</Ontology>\n'


def judged(folder: Path, format_name: str, content: str | bytes) -> Verdict:
    """Return what the validator of a format says of a content."""
    path = folder / "a"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    target = next(validator.target for validator in builtin_validators() if format_name in validator.formats)
    check: Callable[[str, str], Verdict] = load_target(target)  # type: ignore[assignment]
    return check(str(path), format_name)


@pytest.mark.parametrize(
    "document",
    [
        (DECLARED.format("ISO-8859-1") + HEAD + BODY + TAIL).encode("iso-8859-1"),
        (DECLARED.format("UTF-16") + HEAD + BODY + TAIL).encode("utf-16"),
        (DECLARED.format("UTF-16LE") + HEAD + BODY + TAIL).encode("utf-16-le"),
        (HEAD + BODY + TAIL).encode("utf-16"),
        (HEAD + BODY + TAIL).encode("utf-32"),
        (DECLARED.format("windows-1252") + HEAD + BODY + TAIL).encode("cp1252"),
        (DECLARED.format("Shift_JIS") + HEAD + BODY.replace("é", "日") + TAIL).encode("shift_jis"),
        (DECLARED.format("US-ASCII") + HEAD + BODY.replace("é", "&#233;") + TAIL).encode(),
        (DECLARED.format("utf8") + HEAD + BODY + TAIL).encode(),
        b"\xef\xbb\xbf" + (HEAD + BODY + TAIL).encode(),
        f"<!DOCTYPE rdf:RDF [<!ENTITY x 'urn:x \"'>]>{HEAD}{BODY.replace('é', '&x;')}{TAIL}",
        f"<!DOCTYPE rdf:RDF [<!-- > --><!ELEMENT a ANY><?a b?><!ENTITY % y 'z'>]>{HEAD}{BODY}{TAIL}",
        f"<!DOCTYPE rdf:RDF [<!ENTITY x SYSTEM 'http://localhost/x'>]>{HEAD}{BODY}{TAIL}",
        f"<!DOCTYPE rdf:RDF PUBLIC 'a' 'http://localhost/x.dtd'>{HEAD}{BODY}{TAIL}",
        f"<!DOCTYPE rdf:RDF [<!ENTITY % d \"<!ENTITY x 'urn:x'>\"> %d;]>{HEAD}{BODY.replace('é', '&x;')}{TAIL}",
        (HEAD + BODY + TAIL).replace("\n", "\r\n"),
    ],
)
def test_rdfxml_as_authors_write_it_passes(tmp_path: Path, document: str | bytes) -> None:
    """Any encoding, entities in any quotes, and DTDs from elsewhere that nothing needs are fine."""
    assert judged(tmp_path, "rdfxml", document) == (True, {"triples": 1})


@pytest.mark.parametrize(
    ("document", "place", "words"),
    [
        ("", (1, 1), "no element found"),
        (" \n", (2, 1), "no element found"),
        (HEAD + BODY, (3, 1), "no element found"),
        (HEAD + BODY + TAIL + "<x/>", (3, 11), "junk after"),
        (HEAD + "<e:a></e:b>", (2, 8), "mismatched tag"),
        (HEAD + "<e:a>&x;</e:a>" + TAIL, (2, 6), "undefined entity"),
        ((HEAD + BODY + TAIL).encode("iso-8859-1"), (2, 41), "invalid token"),
        (DECLARED.format("UTF-16") + HEAD + BODY + TAIL, (1, 31), "encoding"),
        (HEAD + BODY + '\n<f:a rdf:about="urn:a"/>' + TAIL, (4, 1), "Unknown prefix"),
        (HEAD + BODY + '\n  <rdf:Description rdf:about="a b"/>' + TAIL, (4, 3), "Invalid IRI"),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]>\n<html>&x;</html>", (2, 1), "namespaces"),
    ],
)
def test_damaged_rdfxml_fails_with_its_place(
    tmp_path: Path, document: str | bytes, place: tuple[int, int], words: str
) -> None:
    """Whichever parser sees it, line and column are told."""
    passed, details = judged(tmp_path, "rdfxml", document)
    assert passed is False
    assert words in str(details["error"])
    assert (details["line"], details["column"]) == place


def test_a_cut_anywhere_is_seen(tmp_path: Path) -> None:
    """Of five hundred random cuts not one passes; a parser of RDF alone passes nearly half of them."""
    entities = "<!DOCTYPE rdf:RDF [<!ENTITY e 'urn:e:'>]>\n"
    for before in ("", entities):
        document = before + HEAD + BODY * 40 + TAIL
        for place in random.Random(1).sample(range(len(document.encode())), 250):
            passed, details = judged(tmp_path, "rdfxml", document.encode()[:place])
            assert (passed, "line" in details) == (False, True), place


@pytest.mark.parametrize(
    ("format_name", "content", "words"),
    [
        ("rdfxml", DECLARED.format("x-mine") + HEAD + TAIL, "encoding x-mine"),
        ("rdfxml", DECLARED.format("punycode") + HEAD + TAIL, "encoding punycode"),
        ("rdfxml", '<?xml version="1.1"?>' + HEAD + TAIL, "XML 1.1"),
        ("rdfxml", f"<!DOCTYPE a [<!ENTITY x SYSTEM 'x'>]>{HEAD}<e:a>&x;</e:a>{TAIL}", "outside of it"),
        ("rdfxml", f"<!DOCTYPE a SYSTEM 'x'>{HEAD}<e:a rdf:about='&x;'/>{TAIL}", "outside of it"),
        ("rdfxml", f"<!DOCTYPE a [<!ENTITY % x SYSTEM 'x'> %x;]>{HEAD}{TAIL}", "outside of it"),
        ("jsonld", '{"@context": "https://example.org/c", "a": 1}', "remote context"),
        ("obo", OBO.encode() + b"name: \xe9\n", "not in UTF-8"),
        ("obo", OBO + 'exact_synonym: "x" []\n', "the tag exact_synonym (line 6)"),
        ("obo", OBO + "name: " + "x" * (17 << 20), "a line of more than 16,777,216 bytes"),
        ("ofn", OFN.format("").encode() + b"# \xe9\n", "not in UTF-8"),
        ("ofn", OFN.format("SubClassOf(:A DataSomeValuesFrom(:d :e :D))"), "does not support"),
        ("ofn", OFN.format("Declaration(Class(:A%20))"), "line 3, column 19"),
        ("omn", OMN.format("Class: C\n  EquivalentTo: B that p some A\n"), "can't read"),
        ("owlxml", '<Ontology xmlns="http://www.w3.org/2006/12/owl2-xml#"/>', "before version 2"),
        ("obographs", '{"graphs": [' + " " * (33 << 20) + "]}", "33,554,432 bytes"),
    ],
)
def test_what_nobody_can_judge_is_not_judged(
    tmp_path: Path, format_name: str, content: str | bytes, words: str
) -> None:
    """It neither passes nor fails, and the reason is told."""
    passed, details = judged(tmp_path, format_name, content)
    assert passed is None
    assert list(details) == ["not_judged"]
    assert words in str(details["not_judged"])


def test_a_line_without_end_is_never_held(tmp_path: Path) -> None:
    """What follows the place where OBO has a fault is not read to say what the fault is."""
    path = tmp_path / "a"
    tracemalloc.start()
    try:
        judged(tmp_path, "obo", OBO)  # what is imported does not count
        path.write_text("format-version: 1.4\n")
        with path.open("r+b") as hole:
            hole.truncate(120_000_000)
        (check,) = {one.target for one in builtin_validators() if "obo" in one.formats}
        tracemalloc.reset_peak()
        passed, _ = load_target(check)(str(path), "obo")  # type: ignore[operator]
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()
    assert passed is not True


@pytest.mark.parametrize(
    ("content", "frames"),
    [
        (OBO, 1),
        (OBO.rstrip(), 1),
        ("! made by hand\n" + OBO, 1),
        (OBO.replace("id:", "! a comment\nid:") + "!\n\n! another\n[Term]\nid: A:2\n! the last", 2),
        (OBO.replace("\n", "\r\n"), 1),
        (OBO.replace("\n", "\r"), 1),
        ("\ufeff" + OBO, 1),
        (OBO.encode("utf-16"), 1),
        (OBO + "! " + "x" * 200_000 + "\n" + "! y\n" * 50_000 + "\n[Term]\nid: A:2\n", 2),
        (OBO.replace("name: x", "name: Oh! no ! a comment"), 1),
    ],
)
def test_obo_as_authors_write_it_passes(tmp_path: Path, content: str | bytes, frames: int) -> None:
    """Comments, ends of lines and marks are those of authors; every frame is still read."""
    assert judged(tmp_path, "obo", content) == (True, {"frames": frames})


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", None),
        (" \n\n", None),
        ("! nothing\n", None),
        (OBO + "\n! one\n\n[Term]\nname: y\nis_a\n", 10),
        ("hello\n", 1),
    ],
)
def test_obo_that_is_none_fails(tmp_path: Path, content: str, line: int | None) -> None:
    """An empty file is no OBO; a line keeps its number whatever was left out before it."""
    passed, details = judged(tmp_path, "obo", content)
    assert (passed, details.get("line")) == (False, line)


@pytest.mark.parametrize(
    ("format_name", "content"),
    [
        ("ofn", "Ontology()"),
        ("ofn", "\ufeffOntology()"),
        ("ofn", OFN.format("Declaration(Class(:A))").encode("utf-16")),
        ("ofn", OFN.format('AnnotationAssertion(rdfs:label :A "x"^^xsd:string)\nSubClassOf(:A owl:Thing)\n')),
        ("omn", "Ontology:\n"),
        ("omn", OMN.format('Class: C\n  Annotations: rdfs:label "x"\n  SubClassOf: p some B\n')),
        ("owlxml", OWX.format('<Declaration><Class IRI="#A"/></Declaration>')),
        ("owlxml", OWX.format("").replace("\n", "").replace("></Ontology>", "/>")),
        (
            "owlxml",
            "<!DOCTYPE Ontology [<!ENTITY o 'urn:x#'>]>"
            + OWX.format(
                '<AnnotationAssertion><AnnotationProperty IRI="&o;p"/><IRI>&o;A</IRI><Literal/></AnnotationAssertion>'
            ),
        ),
        ("owlxml", (DECLARED.format("UTF-16") + OWX.format("")).encode("utf-16")),
        ("obographs", '{"graphs": [{"nodes": [{"id": "a"}], "edges": [{"sub": "a", "pred": "b", "obj": "c"}]}]}'),
        ("turtle", ""),
        ("ntriples", "\n"),
    ],
)
def test_what_is_valid_passes(tmp_path: Path, format_name: str, content: str | bytes) -> None:
    """The standard prefixes need no declaration, an element may be empty, and no triples are triples, too."""
    assert judged(tmp_path, format_name, content)[0] is True


@pytest.mark.parametrize(
    ("format_name", "content", "place"),
    [
        ("ofn", "", None),
        ("ofn", "<html></html>", (1, 1)),
        ("ofn", OFN.format("Declaration(Class(:A)\n"), (4, 2)),
        ("ofn", OFN.format("")[:-2], (2, 17)),
        ("ofn", OFN.format('AnnotationAssertion(rdfs:label :A "x")\nFoo(:A)'), (4, 1)),
        ("ofn", OFN.format("Declaration(Class(z:A))"), (3, 19)),
        ("omn", OMN.format("Class: C\n  SubClassOf: \n"), (7, 14)),
        ("omn", OMN.format("nonsense"), (6, 1)),
        ("owlxml", OWX.format("")[:-5], (2, 1)),
        ("owlxml", OWX.format("\n  <Foo/>\n"), None),
        ("owlxml", "", (1, 1)),
        ("obographs", '{"graphs": [{"nodes": [{}]}]}', None),
        ("obographs", '{"graphs": [{"nodes": [{"id": "a"}]\n', (2, 1)),
        ("turtle", "<urn:a> <urn:b>", (1, 16)),
    ],
)
def test_what_is_damaged_fails(tmp_path: Path, format_name: str, content: str, place: tuple[int, int] | None) -> None:
    """With line and column where they are known."""
    passed, details = judged(tmp_path, format_name, content)
    assert passed is False
    if place is not None:
        assert (details["line"], details["column"]) == place


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("format_name", ["turtle", "ntriples", "jsonld"])
def test_a_text_in_another_encoding_is_said_to_be_one(tmp_path: Path, format_name: str, encoding: str) -> None:
    """These syntaxes are UTF-8 alone, and which byte a parser can't read does not say what the file is."""
    passed, details = judged(tmp_path, format_name, "{}  <a:s> <a:p> <a:o> .".encode(encoding))
    error = f"It is written in {encoding[:6].upper()}, and this syntax in UTF-8 alone"
    assert (passed, details) == (False, {"error": error, "line": 1, "column": 1, "triples": 0})

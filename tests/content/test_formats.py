"""Formats: what the content says, else the Content-Type, else the ending; and what no content may be taken for."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ontofetch_catalog.content.formats import BY_ENDING, HEAD_BYTES, SYNTAXES, UNKNOWN, format_of
from ontofetch_catalog.content.packed.insides import format_inside
from ontofetch_catalog.host.checks import builtin_validators
from tests.environments import CHECKOUT

RDF = b'<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
OWL = b'<Ontology xmlns="http://www.w3.org/2002/07/owl#" ontologyIRI="urn:x">'
OBO = b"format-version: 1.2\n\n[Term]\nid: A:1\n"
CONTENTS = {
    "rdfxml": RDF,
    "owlxml": OWL,
    "turtle": b"@prefix : <urn:x> .\n:a :b :c .",
    "ntriples": b'<urn:a> <urn:b> "c"@en .\n_:x <urn:b> <urn:c> .\n',
    "nquads": b"<urn:a> <urn:b> <urn:c> .\n<urn:a> <urn:b> <urn:c> <urn:g> .\n",
    "trig": b"@prefix : <urn:x> .\n:g { :a :b :c . }",
    "n3": b"@prefix : <urn:x> .\n{ ?a :b ?c } => { ?c :b ?a } .",
    "jsonld": b'{"id": "x", "@context": {}}',
    "obographs": b'{"meta": {}, "graphs": [{"id": "urn:x", "nodes": [{"id": "urn:a"}]}]}',
    "obo": OBO,
    "ofn": b"Prefix(:=<urn:x>)\nOntology(<urn:y>\n)",
    "omn": b"Prefix: : <urn:x#>\nOntology: <urn:x>\n",
    "html": b"<!DOCTYPE html>\n<html lang=en><p>",
    "xml": b'<?xml version="1.0"?><error/>',
    "json": b'{"error": 404}',
}


@pytest.mark.parametrize("found", CONTENTS)
@pytest.mark.parametrize("ending", ["owl", "rdf", "xml", "json", "obo", "zzz", ""])
def test_the_content_says_what_a_file_is(found: str, ending: str) -> None:
    """Whatever the ending says, the content decides; also behind a byte-order mark and blanks."""
    name = f"a.{ending}" if ending else "README"
    for before in (b"", b"\xef\xbb\xbf", b"\n  \r\n"):
        # a declaration of XML is the first of a document
        if before.strip() or not CONTENTS[found].startswith(b"<?xml"):
            assert format_of(name, before + CONTENTS[found]) == found


@pytest.mark.parametrize("found", ["turtle", "trig", "n3", "ofn", "omn"])
def test_comments_may_stand_before_the_first_telling_byte(found: str) -> None:
    """A licence of a hundred kilobytes hides nothing."""
    licence = b"# no warranty, to the extent permitted by law\n" * 2500
    assert format_of("a.owl", licence + b"\n" + CONTENTS[found]) == found


@pytest.mark.parametrize("root", [RDF, OWL])
@pytest.mark.parametrize(
    "before",
    [
        b"<!-- " + b"no warranty " * 15_000 + b"-->",
        b"<?xml-stylesheet href='a.xsl'?>\n<!-- > < -->",
        b"<!DOCTYPE rdf:RDF [\n" + b"".join(b"<!ENTITY e%d 'urn:%d'>\n" % (n, n) for n in range(4000)) + b"]>",
        b'<!DOCTYPE x [ <!-- ]> --> <?p ]>?> <!ENTITY a "]>"> ]>',
    ],
)
def test_the_root_element_is_looked_for(before: bytes, root: bytes) -> None:
    """Comments, instructions and DTDs may be long, and may have in them what looks like their end."""
    document = before + root.removeprefix(b'<?xml version="1.0"?>\n')
    expected = "rdfxml" if root is RDF else "owlxml"
    assert len(document) < HEAD_BYTES
    assert format_of("a.owl", document) == expected
    assert format_of("a", b'<?xml version="1.0"?>' + document) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'<!DOCTYPE o [<!ENTITY owl "http://www.w3.org/2002/07/owl#">]><o:Ontology xmlns:o="&owl;">', "owlxml"),
        (b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"\n\n>', "rdfxml"),
        (b'<RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#">', "rdfxml"),
        (OWL[:-1] + b' xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" r:about="">', "rdfxml"),
        (b'<e:A xmlns:e="urn:e:" xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" r:about="urn:a"/>', "rdfxml"),
        (b'<e:A xmlns:e="urn:e:" xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>', "rdfxml"),
        (b'<TriX xmlns="http://www.w3.org/2004/03/trix/trix-1/">', "trix"),
        (b'<?xml version="1.0" encoding="Shift_JIS"?><!-- \x93\xfa -->' + RDF[22:], "rdfxml"),
        (b'<?xml version="1.0" encoding="x-mine"?>' + RDF[22:], "rdfxml"),
        (b'<?xml version="1.0"?><!-- \xe9 -->' + RDF[22:], "rdfxml"),
        (b"<!-- a --><HTML>", "html"),
        (b"<urn:a> <urn:b> <urn:c> .", "ntriples"),
        (b"<http://x/> a <http://y/> ;", "turtle"),
        (b"<> a <http://y/> .", "turtle"),
        (b"format-version: 1.2", "obo"),
        (b"! made by hand\ndate: 01:02:2003 04:05\nformat-version: 1.2\n", "obo"),
        (b"[Term]\nid: A:1\n", "obo"),
        (b"Ontology( <urn:x> )", "ofn"),
        (b"VERSION '1.2'\nPREFIX : <urn:x>\n", "turtle"),
        (b'[{"@id": "urn:a"}]', "jsonld"),
        (b'{"a": {"@context": {}}}', "json"),
        (b'{"graphs": [1, 2], "nodes": []}', "json"),
        (b'{"@context": {}, "graphs": [{"nodes": [], "edges": []}]}', "obographs"),
        (b"who knows", "rdfxml"),
        (b"", "rdfxml"),
        (b"PK\x03\x04....", "zip"),
    ],
)
def test_what_an_owl_file_holds(head: bytes, expected: str) -> None:
    """All of these are found under `.owl`; what does not tell is left to the ending."""
    assert format_of("a.owl", head) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso-8859-1", "us-ascii", "cp1252"])
def test_any_encoding_is_read(encoding: str) -> None:
    """UTF-16 with and without a mark, and whatever else a document may declare."""
    declared = encoding.removesuffix("-le").removesuffix("-be")
    text = RDF.decode().replace('"1.0"', f'"1.0" encoding="{declared}"')
    assert format_of("a.owl", text.encode(encoding)) == "rdfxml"


@pytest.mark.parametrize(
    ("ending", "found", "expected"),
    [
        ("ttl", "ntriples", "turtle"),
        ("trig", "turtle", "trig"),
        ("trig", "ntriples", "trig"),
        ("n3", "turtle", "n3"),
        ("nq", "ntriples", "nquads"),
        ("jsonld", "json", "jsonld"),
        ("nt", "turtle", "turtle"),
        ("nt", "nquads", "nquads"),
        ("ttl", "trig", "trig"),
        ("ttl", "nquads", "nquads"),
    ],
)
def test_a_name_stays_where_the_content_is_a_part_of_its_syntax(ending: str, found: str, expected: str) -> None:
    """Triples are Turtle where they are called so; Turtle is no N-Triples."""
    assert format_of(f"a.{ending}", CONTENTS[found]) == expected


def test_damage_in_lines_is_no_other_syntax() -> None:
    """N-Triples of which one line is broken are broken N-Triples."""
    assert format_of("a.nt", CONTENTS["ntriples"] + b"<urn:a> _:b <urn:c> .\n") == "ntriples"


def test_a_line_that_is_cut_is_no_other_syntax() -> None:
    """A literal may be longer than what is looked at; without a name, what begins so is Turtle."""
    head = b'<urn:a> <urn:b> "' + b"x" * HEAD_BYTES
    assert format_of("a.nt", head) == "ntriples"
    assert format_of("a.owl", head) == "turtle"


def test_triples_about_triples_are_no_graph() -> None:
    """The braces of RDF 1.2's annotations are those of Turtle."""
    assert format_of("a.ttl", b"PREFIX e: <urn:e>\ne:a e:b e:c {| e:d e:f |} .\n") == "turtle"


@pytest.mark.parametrize("ending", ["csv", "tsv", "md", "yaml", "py", "html", "rst", "sparql", "toml", "js", "shex"])
@pytest.mark.parametrize(
    "head",
    [
        b"# @prefix\n\n@prefix : <urn:x> .",
        b"PREFIX : <urn:x>\nSELECT * { ?a ?b ?c }",
        b"Prefix: a\nOntology: b\n",
        b"Ontology(a)",
        b"<urn:a>\t<urn:b>\t<urn:c>\n",
        b"<p> a <b>bold</b> word",
        b'{"@context": {}}',
        b"format-version: 1.2\nname: x\n",
        b"[Term]\nid: x\n",
        b"<!-- a comment -->\n# Title",
    ],
)
def test_text_of_another_kind_stays_what_it_is(ending: str, head: bytes) -> None:
    """What only looks like a syntax of ontologies does not become one."""
    assert format_of(f"a.{ending}", head) == BY_ENDING[ending]


@pytest.mark.parametrize(
    "head", [b"[1] A. Author, 2020", b"hello", b"<p> a word", b"Ontology of beings", b"base of it"]
)
def test_notes_are_notes(head: bytes) -> None:
    """So does a text without an ending, or with one that says no more than that it is text."""
    assert (format_of("a.txt", head), format_of("README", head)) == ("text", UNKNOWN)


@pytest.mark.parametrize(
    ("name", "content_type", "head", "expected"),
    [
        ("download", "text/turtle; charset=utf-8", b":a :b :c .", "turtle"),
        ("a.owl", "Text/Turtle", b":a :b :c .", "turtle"),
        ("download", "text/csv", b"a,b\n", "csv"),
        ("download", "text/turtle", OBO, "obo"),
        ("download", "text/html", b":a :b :c .", UNKNOWN),
        ("a.ttl", "application/rdf+xml", b":a :b :c .", "turtle"),
        ("a.ttl", "application/octet-stream", b":a :b :c .", "turtle"),
    ],
)
def test_a_content_type_counts_where_the_content_does_not_tell(
    name: str, content_type: str, head: bytes, expected: str
) -> None:
    """It comes before the ending and behind the content, and says nothing of what would tell by itself."""
    assert format_of(name, head, content_type) == expected


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", zstandard.compress),
        ("", gzip.compress),
    ],
)
def test_a_compressed_file_has_the_format_of_what_is_inside(ending: str, pack: object) -> None:
    """`x.obo.gz` is OBO, and so is one that hides what it is."""
    packed = pack(OBO + b"! padding\n" * 200_000)  # type: ignore[operator]
    for name in ("a.obo", "a", "a.owl"):
        full = f"{name}.{ending}" if ending else name
        assert format_inside(full, packed[:HEAD_BYTES], lambda: io.BytesIO(packed)) == "obo"


def test_what_is_damaged_inside_has_the_format_of_its_name() -> None:
    """Then a validator says what is wrong with it."""
    packed = gzip.compress(OBO)[:12] + b"\xff" * 20
    assert format_inside("a.obo.gz", packed, lambda: io.BytesIO(packed)) == "obo"


@given(st.text(max_size=30), st.binary(max_size=200))
def test_any_file_has_a_format(name: str, head: bytes) -> None:
    """Whatever a file is called and begins with, there is an answer out of the known ones."""
    assert format_of(name, head) in {*BY_ENDING.values(), *SYNTAXES, UNKNOWN}


@pytest.mark.parametrize(
    "head",
    [
        b"<!---->" * 30_000 + b"<p",
        b"<RDF " * 50_000,
        b"<a:" * 80_000,
        b"\n" * 200_000 + b"PREFIX a: <b>\n" + b"\n" * 20_000,
        b"! \n" * 80_000,
        b"#\n" * 100_000,
        b'{"' + b"\\\\" * 100_000,
        b'@prefix a: <b> . { """' + b'"" ' * 60_000,
        b"[Term]\n" * 30_000,
    ],
)
def test_no_text_keeps_the_look_busy(head: bytes) -> None:
    """No expression goes back and forth over what a stranger wrote: the whole of a head costs less than a process."""
    import time

    start = time.process_time()
    for name in ("a.owl", "a.txt", "a.ttl", "a.json"):
        format_of(name, head[:HEAD_BYTES])
    assert time.process_time() - start < 10


def test_the_page_says_for_every_syntax_what_validates_it() -> None:
    """The table of docs/formats.md has each syntax with its endings and its validator."""
    rows = {}
    for line in Path(CHECKOUT, "docs", "formats.md").read_text("utf-8").splitlines():
        cells = [cell.strip().replace(r"\|", "|") for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0].strip("`") in SYNTAXES:
            rows[cells[0].strip("`")] = (cells[1], cells[3].strip("`"), cells[4])
    assert list(rows) == list(dict.fromkeys(rows))
    validators = {name: validator.name for validator in builtin_validators() for name in validator.formats}
    for name in SYNTAXES:
        endings, validator, unjudged = rows[name]
        assert set(filter(None, endings.split(", "))) == {key for key, value in BY_ENDING.items() if value == name}
        assert validator == validators.get(name, "")
        assert (unjudged == "always") == (name not in validators)

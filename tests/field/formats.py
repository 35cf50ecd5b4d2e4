"""Cases of formats and of what is valid: what files hold whatever they are called, and which outcome each has."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .case import Case
from .pulling import Pulled, pull

Outcome = tuple[str, bool | None]

_RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="urn:e:"'
_XML = f'<rdf:RDF {_RDF}><rdf:Description rdf:about="urn:a"><e:p>é</e:p></rdf:Description></rdf:RDF>'
_OBO = "format-version: 1.4\n\n[Term]\nid: A:1\nname: x\n"
_OWX = (
    '<Ontology xmlns="http://www.w3.org/2002/07/owl#" ontologyIRI="urn:x">'
    '<Declaration><Class IRI="#A"/></Declaration></Ontology>'
)
_TEXTS: dict[str, str] = {
    "rdfxml": _XML,
    "owlxml": _OWX,
    "turtle": "@prefix : <urn:x#> .\n:a :b :c .\n",
    "ntriples": "<urn:a> <urn:b> <urn:c> .\n",
    "nquads": "<urn:a> <urn:b> <urn:c> <urn:g> .\n",
    "trig": "@prefix : <urn:x#> .\n:g { :a :b :c . }\n",
    "jsonld": '{"@id": "urn:a", "urn:b": "c"}',
    "obographs": '{"graphs": [{"id": "urn:x", "nodes": [{"id": "urn:a"}], "edges": []}]}',
    "obo": _OBO,
    "ofn": "Prefix(:=<urn:x#>)\nOntology(<urn:x>\nDeclaration(Class(:A))\n)\n",
    "omn": "Prefix: : <urn:x#>\nOntology: <urn:x>\nClass: A\n",
}
_DECLARED = '<?xml version="1.0" encoding="{}"?>'
_VALID: Mapping[str, tuple[str, bytes]] = {
    "RDF/XML in ISO-8859-1": ("a.owl", (_DECLARED.format("ISO-8859-1") + _XML).encode("iso-8859-1")),
    "RDF/XML in US-ASCII": ("a.owl", (_DECLARED.format("US-ASCII") + _XML.replace("é", "&#233;")).encode()),
    "RDF/XML in UTF-16": ("a.owl", (_DECLARED.format("UTF-16") + _XML).encode("utf-16")),
    "RDF/XML with entities in single quotes": (
        "a.owl",
        f"<!DOCTYPE rdf:RDF [<!ENTITY x 'urn:x'>]>{_XML.replace('é', '&x;')}".encode(),
    ),
    "OBO with lines of comment": ("a.obo", f"! made by hand\n{_OBO}! the end".encode()),
    "OBO without a last end of line": ("a.obo", _OBO.rstrip().encode()),
    "OBO with the ends of lines of Windows": ("a.obo", _OBO.replace("\n", "\r\n").encode()),
    "Turtle of 0 bytes": ("a.ttl", b""),
    "functional syntax without the standard prefixes": (
        "a.ofn",
        b'Prefix(:=<urn:x#>)\nOntology(<urn:x>\nAnnotationAssertion(rdfs:label :A "x")\n)',
    ),
    "OWL/XML with an empty literal": (
        "a.owx",
        _OWX.replace(
            "<Declaration>",
            '<AnnotationAssertion><AnnotationProperty IRI="#p"/><IRI>#A</IRI><Literal/></AnnotationAssertion>'
            "<Declaration>",
        ).encode(),
    ),
}
_DAMAGED: Mapping[str, tuple[str, bytes]] = {
    "RDF/XML without its end": ("a.owl", _XML[:-10].encode()),
    "RDF/XML of 0 bytes": ("a.owl", b""),
    "OBO of 0 bytes": ("a.obo", b""),
    "OBO of blanks": ("a.obo", b" \n\n"),
    "OWL/XML without its end": ("a.owl", _OWX[:-5].encode()),
    "functional syntax without its end": ("a.owl", _TEXTS["ofn"][:-4].encode()),
    "Manchester syntax with a gap": ("a.owl", (_TEXTS["omn"] + "  SubClassOf:\n").encode()),
    "a web page called OBO in an archive": ("a.obo", b"<!DOCTYPE html><html><p>not found"),
    "an XML error called OWL in an archive": ("a.owl", b'<?xml version="1.0"?><Error/>'),
    "a broken file inside of gzip": ("a.obo.gz", gzip.compress(_OBO.encode() + b"is_a\n", mtime=0)),
}
_UNJUDGED: Mapping[str, tuple[str, bytes]] = {
    "JSON-LD with a remote context": ("a.jsonld", b'{"@context": "https://example.org/c", "a": 1}'),
    "XML in an encoding of nobody": ("a.owl", (_DECLARED.format("x-mine") + _XML).encode()),
    "XML 1.1": ("a.owl", f'<?xml version="1.1"?>{_XML}'.encode()),
    "an entity outside of the document": (
        "a.owl",
        f"<!DOCTYPE a [<!ENTITY x SYSTEM 'x'>]>{_XML.replace('é', '&x;')}".encode(),
    ),
    "ShEx": ("a.shex", b"PREFIX e: <urn:e:>\n<urn:S> { e:p . }\n"),
    "OBO in Latin-1": ("a.obo", _OBO.encode() + b"comment: \xe9\n"),
    "OBO with a tag of OBO 1.0": ("a.obo", _OBO.encode() + b'exact_synonym: "x" []\n'),
}


def _packed(folder: Path, files: Mapping[str, bytes]) -> Path:
    path = folder / "release.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _outcomes(done: Pulled) -> dict[str, Outcome]:
    """Return path → format and outcome."""
    rows = done.rows(
        "SELECT relpath, format, bool_and(passed) FROM extracted_files"
        " LEFT JOIN validations USING (relpath) GROUP BY ALL"
    )
    return {relpath: (format_name, passed) for relpath, format_name, passed in rows}


def _is(format_name: str, name: str, content: bytes) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        done = pull(folder, _packed(folder, {name: content}))
        assert (done.code, _outcomes(done)) == (0, {name: (format_name, True)}), done.said
        assert done.row["latest"] is True

    return run


def _has(passed: bool | None, name: str, content: bytes) -> Callable[[Path], None]:
    """Return a run that checks outcome, row, pointer and words of a file in an archive."""

    def run(folder: Path) -> None:
        done = pull(folder, _packed(folder, {name: content}))
        counts = {True: (1, 0, 0), False: (0, 1, 0), None: (0, 0, 1)}[passed]
        assert [outcome for _, outcome in _outcomes(done).values()] == [passed], done.said
        assert (done.row["passed"], done.row["failed"], done.row["not_judged"]) == counts
        assert (done.code, done.row["latest"]) == (3 if passed is False else 0, bool(passed))
        ((details,),) = done.rows("SELECT details FROM validations")
        word = {True: "", False: "error", None: "not_judged"}[passed]
        assert not word or str(json.loads(details)[word])[:60] in done.said

    return run


def _place(folder: Path) -> None:
    done = pull(folder, _packed(folder, {"a.owl": (f"<rdf:RDF {_RDF}>\n  <e:a></e:b>\n").encode()}))
    assert "at line 2, column 10" in done.said


def _latest_when_asked(files: Mapping[str, bytes], words: str) -> Callable[[Path], None]:
    """Return a run that checks that a release becomes latest only with --accept-failures."""

    def run(folder: Path) -> None:
        archive = _packed(folder, files)
        done = pull(folder, archive)
        assert (done.code, done.row["latest"]) == (0, False), done.said
        assert words in done.said
        assert "db latest set t/x/1" in done.said
        again: dict[str, Any] = pull(folder, archive, "--accept-failures").row
        assert again["latest"] is True

    return run


def _many(folder: Path) -> None:
    """Check that what is not judged keeps nothing from becoming latest where something passes."""
    files = {"a.ttl": _TEXTS["turtle"].encode(), "a.shex": _UNJUDGED["ShEx"][1], "a.csv": b"a,b\n"}
    done = pull(folder, _packed(folder, files))
    assert (done.row["passed"], done.row["not_judged"], done.row["latest"]) == (1, 1, True)
    assert _outcomes(done)["a.csv"] == ("csv", None)
    assert done.rows("SELECT count(*) FROM validations WHERE relpath = 'a.csv'") == [(0,)]


_COMMENT = "<!-- " + "no warranty " * 10_000 + "-->"
CASES: tuple[Case, ...] = (
    *(
        Case("format", f"{name} under .{ending}", _is(name, f"a.{ending}", text.encode()))
        for name, text in _TEXTS.items()
        for ending in ("owl", "rdf", "xml")
    ),
    *(
        Case("format", f"{name} without an ending", _is(name, "ontology", text.encode()))
        for name, text in _TEXTS.items()
    ),
    *(
        Case("format", f"{name}.gz in an archive", _is(name, "a.owl.gz", gzip.compress(text.encode(), mtime=0)))
        for name, text in _TEXTS.items()
    ),
    *(
        Case("format", f"{name} behind a byte-order mark", _is(name, "a.owl", b"\xef\xbb\xbf" + text.encode()))
        for name, text in _TEXTS.items()
    ),
    Case("format", "a long comment before RDF/XML", _is("rdfxml", "a.owl", (_COMMENT + _XML).encode())),
    Case("format", "a long comment before OWL/XML", _is("owlxml", "a.owl", (_COMMENT + _OWX).encode())),
    *(Case("valid", name, _has(True, *given)) for name, given in _VALID.items()),
    *(Case("damaged", name, _has(False, *given)) for name, given in _DAMAGED.items()),
    *(Case("not judged", name, _has(None, *given)) for name, given in _UNJUDGED.items()),
    Case("damaged", "the place is told", _place),
    Case("latest", "what is not judged beside what passes", _many),
    Case("latest", "an archive without entries", _latest_when_asked({}, "it has no files")),
    Case("latest", "nothing judged", _latest_when_asked({"a.shex": _UNJUDGED["ShEx"][1]}, "could not be judged")),
    Case("latest", "nothing known", _latest_when_asked({"a.bin": b"\0\1"}, "in a format that is known")),
)

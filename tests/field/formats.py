"""Cases of formats and of what is valid: what files hold whatever they are called, and which outcome each has."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ontofetch_catalog.host.outcomes import MOST_TOLD

from .case import Case
from .pulling import Pulled, pull

# the format, empty where it is not the subject, and whether it passes
Outcome = tuple[str, bool | None]
_OUTCOMES = """SELECT relpath, format, bool_and(passed), any_value(details) FROM extracted_files
    LEFT JOIN validations USING (relpath) GROUP BY ALL"""

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
_COMMENT = "<!-- " + "no warranty " * 10_000 + "-->"
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


class Together:
    """Files that each are the subject of a case and become one release, pulled once by the first case that asks."""

    def __init__(self, exit_code: int, *, latest: bool) -> None:
        self._expected = exit_code, latest
        self._files: dict[str, bytes] = {}
        self._first = ""
        self._done: Pulled | None = None
        self._found: dict[str, tuple[str, bool | None, str | None]] = {}

    def case(self, kind: str, name: str, file: str, content: bytes, outcome: Outcome) -> Case:
        """Add a file in a folder of its own, and return the case that looks at what became of it."""
        path = f"{len(self._files)}/{file}"
        self._first = self._first or name
        self._files[path] = content
        return Case(kind, name, partial(self._has_become, path, outcome))

    def whole(self, kind: str) -> Case:
        """Return the case that looks at the whole release: exit code, counts, latest."""
        return Case(kind, f"the release with {self._first}", self._is_one_release)

    def _pull(self, folder: Path) -> Pulled:
        if self._done is None:
            done = pull(folder, _packed(folder, self._files), "--strip", "0")
            # only what was read counts: the folder is gone when the next case asks
            self._found = {relpath: tuple(rest) for relpath, *rest in done.rows(_OUTCOMES)}
            self._done = done
        return self._done

    def _has_become(self, path: str, outcome: Outcome, folder: Path) -> None:
        done = self._pull(folder)
        format_name, passed, details = self._found[path]
        assert (outcome[0] or format_name, outcome[1]) == (format_name, passed), done.said
        word = {True: "", False: "error", None: "not_judged"}[passed]
        assert not word or str(json.loads(details or "{}")[word])[:60] in done.said

    def _is_one_release(self, folder: Path) -> None:
        done = self._pull(folder)
        outcomes = Counter(passed for _, passed, _ in self._found.values())
        assert len(self._found) == len(self._files)
        counts = (done.row["passed"], done.row["failed"], done.row["not_judged"])
        assert counts == (outcomes[True], outcomes[False], outcomes[None])
        assert (done.code, done.row["latest"]) == self._expected, done.said


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
    assert ("a.csv", "csv", None, None) in done.rows(_OUTCOMES)


def _formats() -> Iterator[Case]:
    together = Together(0, latest=True)
    for number, (name, text) in enumerate(_TEXTS.items()):
        # no two files have the same bytes: what is known of one must not answer for another
        for blanks, ending in enumerate(("owl", "rdf", "xml")):
            content = (text + "\n" * blanks).encode()
            yield together.case("format", f"{name} under .{ending}", f"a.{ending}", content, (name, True))
        content = (text + "\n" * 3).encode()
        yield together.case("format", f"{name} without an ending", "ontology", content, (name, True))
        content = gzip.compress(text.encode(), mtime=number)
        yield together.case("format", f"{name}.gz in an archive", "a.owl.gz", content, (name, True))
        content = b"\xef\xbb\xbf" + text.encode()
        yield together.case("format", f"{name} behind a byte-order mark", "a.owl", content, (name, True))
    for name, title, text in (("rdfxml", "RDF/XML", _XML), ("owlxml", "OWL/XML", _OWX)):
        content = (_COMMENT + text).encode()
        yield together.case("format", f"a long comment before {title}", "a.owl", content, (name, True))
    yield together.whole("format")


def _judged(kind: str, files: Mapping[str, tuple[str, bytes]], passed: bool | None, told: int) -> Iterator[Case]:
    """Return the cases of files with one outcome; of so many of a release the reason is told."""
    for first in range(0, len(files), told):
        together = Together(3 if passed is False else 0, latest=bool(passed))
        for name, (file, content) in list(files.items())[first : first + told]:
            yield together.case(kind, name, file, content, ("", passed))
        yield together.whole(kind)


CASES: tuple[Case, ...] = (
    *_formats(),
    *_judged("valid", _VALID, True, told=len(_VALID)),
    *_judged("damaged", _DAMAGED, False, told=MOST_TOLD),
    *_judged("not judged", _UNJUDGED, None, told=1),
    Case("damaged", "the place is told", _place),
    Case("latest", "what is not judged beside what passes", _many),
    Case("latest", "an archive without entries", _latest_when_asked({}, "it has no files")),
    Case("latest", "nothing judged", _latest_when_asked({"a.shex": _UNJUDGED["ShEx"][1]}, "could not be judged")),
    Case("latest", "nothing known", _latest_when_asked({"a.bin": b"\0\1"}, "in a format that is known")),
)

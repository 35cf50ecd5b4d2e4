"""What servers send in the place of documents, and documents that look like it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..sites import Answer
from .case import Case
from .pulling import pull
from .serving import OBO, OWL, serving, typed

KIND = "no document"
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head></html>"
_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 3\n"
_INSTEAD: dict[str, tuple[bytes, str]] = {
    "a web page": (_PAGE, "a web page: 'Log in'"),
    "a page behind a mark and a comment": (b"\xef\xbb\xbf<!-- x -->" + _PAGE, "a web page: 'Log in'"),
    "a page in UTF-16": (_PAGE.decode().encode("utf-16"), "a web page: 'Log in'"),
    "XHTML with RDFa": (
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:dc="http://purl.org/dc/terms/"/>',
        "a web page",
    ),
    "a piece of a page": (b"<title>Log in</title><h1>Log in</h1>", "a web page: 'Log in'"),
    "S3's error": (
        b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>",
        "an error message in XML: 'NoSuchKey'",
    ),
    "a fault of SOAP": (
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Fault>gone</s:Fault></s:Envelope>',
        "an error message in XML: 'gone'",
    ),
    "BioPortal's error": (b'{"status": 404, "errors": ["no key"]}', "an error message in JSON: 'no key'"),
    "GitHub's error": (
        b'{"message": "Not Found", "documentation_url": "https://x", "status": "404"}',
        "an error message in JSON: 'Not Found'",
    ),
    "an error in JSON": (b'{"error": "gone"}', "an error message in JSON: 'gone'"),
    "a message with a status": (b'{"message": "gone", "status": 500}', "an error message in JSON: 'gone'"),
    "a git-lfs pointer": (_POINTER, "a git-lfs pointer"),
    "nothing": (b"", "an empty document"),
}


def _is_no_document(folder: Path, path: str, body: bytes, words: str) -> None:
    with serving({path: typed("text/turtle", body)}) as site:
        found = pull(folder, site.url(path))
        found.refused(words)
        assert not (found.root / "t").exists()
        if body:
            assert pull(folder, site.url(path), "--accept-any", "--no-validate").code == int(path.endswith(".zip"))


_DOCUMENTS: dict[str, tuple[str, bytes]] = {
    "RDF/XML whose comments mention html": ("/a.owl", b"<!-- <html> -->" + OWL),
    "RDF/XML with entities": ("/a.owl", b'<!DOCTYPE rdf:RDF [ <!ENTITY html "urn:x"> ]>' + OWL),
    "Turtle about pages": ("/a.ttl", b'<urn:a> <urn:b> "<html>" .\n'),
    "Turtle with relative addresses": ("/a.ttl", b"@base <http://x/> .\n<html> <title> <error> .\n"),
    "N-Triples": ("/a.nt", b"<urn:html> <urn:error> <urn:c> .\n"),
    "JSON-LD with an error": ("/a.jsonld", b'{"@id": "urn:a", "@graph": [], "error": "x"}'),
    "OBO": ("/a.obo", OBO),
}


def _is_taken(folder: Path, path: str, body: bytes) -> None:
    with serving({path: Answer(body)}) as site:
        found = pull(folder, site.url(path))
    assert found.code == 0, found.said
    assert found.data == {path[1:]: body}


def _page_that_is_wanted(folder: Path) -> None:
    with serving({"/spec.html": Answer(_PAGE), "/ns/": Answer(_PAGE)}) as site:
        assert pull(folder, site.url("/spec.html"), "--no-set-latest").row["artifact"] == "spec.html"
        pulled = pull(folder, site.url("/ns/"), "--name", "ns.html", "--no-set-latest")
        assert pulled.row["artifact"] == "ns.html"


def _local_file(folder: Path, name: str, body: bytes, words: str) -> None:
    (folder / name).write_bytes(body)
    found = pull(folder, folder / name, "--no-validate")
    if words:
        found.refused(words, "--accept-any")
    else:
        assert found.code == 0, found.said


def _cases() -> Iterator[Case]:
    for name, (body, words) in _INSTEAD.items():
        for path in ("/hp.owl", "/hp.zip"):
            yield Case(KIND, f"{name} for {path[1:]}", partial(_is_no_document, path=path, body=body, words=words))
    for name, (path, body) in _DOCUMENTS.items():
        yield Case(KIND, f"{name} is one", partial(_is_taken, path=path, body=body))
    yield Case(KIND, "a web page that is wanted", _page_that_is_wanted)
    for name, body, words in (
        ("a.owl", _PAGE, "is a web page"),
        ("a.owl", _POINTER, "is a git-lfs pointer"),
        ("a.html", _PAGE, ""),
        ("a.json", b'{"error": "x"}', ""),
    ):
        tried = partial(_local_file, name=name, body=body, words=words)
        yield Case(KIND, f"a local {name}: {words or 'taken'}", tried)


CASES = tuple(_cases())

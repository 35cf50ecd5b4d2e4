"""What servers send in the place of a document is known by its content; documents that look like it are none of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontofetch_catalog.content.responses import HEAD, Instead, find_instead


def look(body: bytes) -> Instead | None:
    """Look at a whole body."""
    return find_instead(body[:HEAD], len(body))


LICENCE = b"<!-- " + b"licence <html> " * 3000 + b"-->"
XHTML = b'xmlns="http://www.w3.org/1999/xhtml"'
RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
PAGES = {
    "plain": b"<html><head><title>Log in</title></head></html>",
    "doctype": b"<!DOCTYPE html>\n<html lang='en'><title>Log in</title>",
    "old doctype": b'<!doctype HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "strict.dtd"><title>Log in</title>',
    "capitals": b"\r\n\r\n <HTML>\n<HEAD><TITLE >Log in</TITLE>",
    "mark": b"\xef\xbb\xbf<html><title>Log in</title>",
    "UTF-16": "\ufeff<html><title>Log in</title>".encode("utf-16-le"),
    "UTF-16 without a mark": "<html><title>Log in</title>".encode("utf-16-le"),
    "UTF-16 in the other order": "\ufeff<html><title>Log in</title>".encode("utf-16-be"),
    "Latin": "<html><title>Log in</title>äöü".encode("latin-1"),
    "comments": LICENCE + b"<!-- x --><!DOCTYPE html>" + LICENCE + b"<html><title>Log in</title>",
    "XHTML": b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x" "x.dtd"><html ' + XHTML + b"><title>Log in</title>",
    "XHTML with RDFa": b'<?xml version="1.0"?><html ' + XHTML + b" " + RDF[9:-1] + b"><title>Log in</title>",
    "prefixed": b'<?xml version="1.0"?><h:html xmlns:h="http://www.w3.org/1999/xhtml"><title>Log in</title>',
    "no html tag": b"<!DOCTYPE html><meta charset=utf-8><title>Log in</title><p>x",
    "a subset": b'<!DOCTYPE html [ <!ENTITY a "]>"> <!-- ]> --> ]><html><title>Log in</title>',
    "head first": b"<head><title>Log in</title></head><body>x</body>",
    "script": b"<script type='x'>location='/login'</script><title>Log in</title>",
    "a warning": b"<br />\n<b>Warning</b>: mysql<title>Log in</title>",
    "title alone": b"<title>Log in</title><h1>403</h1>",
}


@pytest.mark.parametrize("body", PAGES.values(), ids=PAGES)
def test_a_web_page_is_known(body: bytes) -> None:
    """By its root, whatever stands before it, and its title is what it says."""
    assert look(body) == Instead("a web page", "Log in")


XML_ERRORS = {
    "S3": b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>',
    "Azure": b"\xef\xbb\xbf<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>",
    "SOAP": b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
    b"<faultcode>NoSuchKey</faultcode><faultstring>gone</faultstring></soap:Fault></soap:Body></soap:Envelope>",
    "SOAP 1.2": b'<?xml version="1.0"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body>'
    b"<env:Fault>NoSuchKey gone</env:Fault></env:Body></env:Envelope>",
    "RFC 7807": b'<problem xmlns="urn:ietf:rfc:7807"><title>NoSuchKey</title><detail>gone</detail></problem>',
    "OAI": b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><error code="x">NoSuchKey gone</error></OAI-PMH>',
    "errors": b"<errors>\n  <error>NoSuchKey</error> <error>gone</error></errors>",
    "comment": b"<!-- a proxy --><error>NoSuchKey <b>gone</b></error>",
    "OGC": b'<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><x>NoSuchKey</x> gone</ows:ExceptionReport>',
    "response": b"<response><error>NoSuchKey</error> gone</response>",
}


@pytest.mark.parametrize("body", XML_ERRORS.values(), ids=XML_ERRORS)
def test_an_error_message_in_xml_is_known(body: bytes) -> None:
    """By its root, or by a fault in it; its words are its text."""
    found = look(body)
    assert found is not None
    assert found.kind == "an error message in XML"
    assert found.words.startswith("NoSuchKey gone")


JSON_ERRORS = {
    "error": {"error": "gone"},
    "error object": {"error": {"code": 404, "message": "gone"}},
    "message and status": {"message": "gone", "status": 404},
    "GitHub": {"message": "gone", "documentation_url": "https://docs.github.com", "status": "404"},
    "GitHub before": {"message": "gone", "documentation_url": "https://docs.github.com"},
    "BioPortal": {"status": 404, "errors": ["gone"]},
    "Spring": {"timestamp": "2024", "status": 404, "error": "Not Found", "message": "gone", "path": "/x"},
    "problem": {"type": "about:blank", "title": "x", "status": 404, "detail": "gone"},
    "FastAPI": {"detail": "gone"},
    "AWS": {"Message": "gone", "Code": "AccessDenied"},
    "OAuth": {"error": "invalid_token", "error_description": "gone"},
    "GraphQL": {"errors": [{"message": "gone"}], "data": None},
    "list": [{"errorCode": "X", "message": "gone"}],
    "success": {"success": False, "msg": "gone"},
    "Apigee": {"fault": {"faultstring": "gone", "message": "gone"}},
    "message alone": {"message": "gone"},
    "Lambda": {"statusCode": 403, "body": "gone"},
    "nested": {"detail": {"msg": "gone"}},
}


@pytest.mark.parametrize("body", JSON_ERRORS.values(), ids=JSON_ERRORS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf \r\n"])
def test_an_error_message_in_json_is_known(body: object, mark: bytes) -> None:
    """By its keys and their values; its words are its message."""
    assert look(mark + json.dumps(body).encode()) == Instead("an error message in JSON", "gone")


@pytest.mark.parametrize(
    "text",
    [
        "404: Not Found", "Not Found", '"Not Found"', "404 page not found\n", "HTTP/1.1 403 Forbidden", "Access denied",
        "error: no such ontology", "Error\nThe file is gone.\n", "Too Many Requests", "rate limit exceeded",
        "502 Bad Gateway",
        "upstream connect error or disconnect/reset before headers", "File not found.", "Internal Server Error",
    ],
)  # fmt: skip
def test_an_error_in_plain_words_is_known(text: str) -> None:
    """A line or two that begin as errors do."""
    found = look(text.encode())
    assert found is not None
    assert found.kind == "an error message"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 3\n", "a git-lfs pointer"),
        (b"version https://hawser.github.com/spec/v1\noid sha256:x\r\nsize 3\r\n", "a git-lfs pointer"),
        (b"/annex/objects/SHA256E-s3--abc.owl\n", "a git-annex pointer"),
        (b"../.git/annex/objects/a/b/SHA256E-s3--abc.owl/SHA256E-s3--abc.owl", "a git-annex pointer"),
        (b"", "an empty document"),
        (b"\r\n \t", "nothing but blanks"),
    ],
)
def test_what_has_no_document_in_it_is_known(body: bytes, kind: str) -> None:
    """Pointers and empty bodies."""
    found = look(body)
    assert found is not None
    assert found.kind.startswith(kind)


DOCUMENTS = {
    "RDF/XML": RDF + b"</rdf:RDF>",
    "RDF/XML whose comments mention html": LICENCE
    + b"<!-- <html> -->"
    + RDF
    + b"<!-- <html><title>x</title> --></rdf:RDF>",
    "RDF/XML with a subset": b'<?xml version="1.0"?><!DOCTYPE rdf:RDF [ <!ENTITY html "http://x/<html>]>"> ]>' + RDF,
    "RDF/XML of one node": b'<ex:Error xmlns:ex="http://x/" rdf:about="http://x" ' + RDF[9:-1] + b"/>",
    "a page's doctype before RDF": b"<!DOCTYPE html>" + RDF,
    "OWL/XML": b'<?xml version="1.0"?><Ontology xmlns="http://www.w3.org/2002/07/owl#"/>',
    "N-Triples": b"<http://x/html> <http://x/error> <http://x/o> .\n",
    "relative IRIs": b"<html> <head> <body> .\n",
    "relative errors": b'<error> <message> "x" .\n',
    "relative title": b'<title> <is> "x" .\n<br> a <p> .',
    "Turtle": b"@prefix html: <http://x/> .\n# <html>\n<> a html:x .",
    "Turtle about pages": b'<http://x> <http://y> "<html><title>x</title></html>" .',
    "OBO": b"format-version: 1.4\n! <html>\n",
    "JSON-LD": b'{"@context": {}, "error": "x", "message": "y", "status": 404}',
    "expanded JSON-LD": b'[{"@id": "http://x", "message": "y"}]',
    "graphs": b'{"graphs": [], "error": "x"}',
    "data": b'{"error": null, "data": [1]}',
    "data with errors": b'{"errors": ["one row"], "results": [1, 2]}',
    "data with a message": b'{"message": "x", "name": "y", "terms": []}',
    "numbers": b"[404, 500]",
    "empty list": b"[]",
    "no JSON": b'{"error": ',
    "deep": b"[" * 100_000,
    "a digit too many": b'{"error": ' + b"9" * 10_000 + b"}",
    "XML": b'<?xml version="1.0"?><section xmlns="http://docbook.org/ns/docbook"><title>x</title></section>',
    "SPARQL": b'<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#"/>',
    "a table": b"404,x,y\n405,z,w\n",
    "names": b"error_id\tname\n1\tx\n",
    "Turtle with an error": b"error: a <http://x> .\n",
    "Turtle of numbers": b"<a> <b> 404 .",
    "words of many lines": b"error: 1\n2\n3\n4\n5\n6\n",
    "OBO of an error": b"format-version: 1.4\n\n[Term]\nid: error:1\n",
    "a zip": b"PK\x03\x04<html>",
    "zeros": bytes(5000),
    "about LFS": b"version https://git-lfs.github.com/spec/v1\n" * 100,
    "an unfinished comment": b"<!-- <html>",
    "markup without an end": b"<" * 200_000,
    "instructions without an end": b"<?x " * 50_000,
    "declarations without an end": b"<!DOCTYPE a [" * 20_000,
    "comments without an end": b"<!DOCTYPE a [" + b"<!-- " * 50_000,
    "answers without an end": b"<response>" + b"<x <error" * 20_000,
    "quotes without an end": b"<!DOCTYPE a [\"'" + b"\"'" * 50_001,
}


@pytest.mark.parametrize("body", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_is_none_of_it(body: bytes) -> None:
    """What may be a document is not refused, whatever it mentions."""
    assert look(body) is None


def test_a_long_document_is_no_error_message() -> None:
    """An error is short: what is longer than what is looked at is data."""
    assert look(json.dumps({"error": "x" * HEAD}).encode()) is None
    assert look(b" " * HEAD + b"x") is None


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode) | st.from_regex(rb"<[!?a-z/>= \"\[\]]{0,60}"))
def test_whatever_comes_is_looked_at(body: bytes) -> None:
    """No bytes are an error of the looking."""
    found = look(body)
    assert found is None or len(found.words) <= 200

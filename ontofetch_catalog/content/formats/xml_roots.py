"""The root element of an XML document, found in its first bytes: which format it is.

Comments, processing instructions, DTDs with entities, any encoding that expat knows may stand before it. Nothing is
fetched, and what entities expand to is bounded by expat.
"""

from __future__ import annotations

import re
from dataclasses import field
from xml.parsers import expat

from ontofetch_hookspecs.light_dataclasses import dataclass

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_OWL = ("http://www.w3.org/2002/07/owl#", "http://www.w3.org/2006/12/owl2-xml#", "http://www.w3.org/2006/12/owl11-xml#")
_PLAIN = ("text", "unknown")
_STEP = 1 << 13
# a statement of Turtle or N-Triples may begin like an element
_STATEMENT = re.compile(
    rb"<(?:[^<>\"{}|^`\\\s]*[:/#][^<>\"{}|^`\\\s]*)?>\s+(?:<[^<>\s]*[:/#][^<>\s]*>|a|[\w.-]*:[\w.-]*)\s"
)
_ELEMENT = re.compile(rb"<[A-Za-z_\x80-\xff][^\s<>/=\"']*(?:\s|/?>)|<[?!]")
_HTML = re.compile(
    rb"(?>(?:<!--(?>.*?-->)\s*|<\?[^>]*>\s*)*)<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE | re.DOTALL
)
_RDF_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,99}:)?RDF[\s>][^>]{0,2048}22-rdf-syntax-ns#")
_OWL_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,99}:)?Ontology\s[^>]{0,2048}http://www\.w3\.org/2002/07/owl#")
_WIDE = re.compile(rb"<\?xml[^>]{0,99}encoding\s*=\s*[\"'](?:utf-16|utf-32|ucs-|iso-10646)", re.IGNORECASE)
_SEARCHED = 1 << 16  # bytes of a damaged document that are looked at


@dataclass(slots=True)
class _Root:
    """The root element: its namespace and name, its attributes as namespace and name, the namespaces it declares."""

    name: str = ""
    attributes: tuple[str, ...] = ()
    namespaces: list[str] = field(default_factory=list)


class _Found(Exception):
    """The root was met."""


def look_at_xml(text: bytes, named: str) -> str:
    """Return the format of a text that begins with `<`, nothing if it is no XML.

    `xml-of-rdf` is XML without rdf:RDF that may be RDF/XML all the same: a root with a namespace beside that of RDF.

    Args:
        text: Its first bytes, in UTF-8 or in what it declares.
        named: The format that its name says.
    """
    if not _ELEMENT.match(text) or (_STATEMENT.match(text) and b"xmlns" not in text[:_STEP]):
        return ""
    root = _find_root(text)
    if root is not None:
        found = _verdict(root)
        # notes may begin with an element, too
        return "" if found == "xml" and named in _PLAIN and not text.startswith((b"<?xml", b"<!DOCTYPE")) else found
    # no parser goes on behind damage; what is meant may be plain all the same
    if _HTML.match(text):
        return "html"
    if _RDF_ROOT.search(text, 0, _SEARCHED):
        return "rdfxml"
    if _OWL_ROOT.search(text, 0, _SEARCHED):
        return "owlxml"
    return "xml" if text.startswith(b"<?xml") and named != "rdfxml" else ""


def _verdict(root: _Root) -> str:
    namespace, _, local = root.name.rpartition(" ")
    if namespace == RDF or any(name.startswith(f"{RDF} ") for name in root.attributes):
        return "rdfxml"
    if namespace in _OWL and local == "Ontology":
        return "owlxml"
    if local.casefold() == "html":
        return "html"
    if local in ("svg", "TriX"):
        return local.casefold()
    return "xml-of-rdf" if namespace and RDF in root.namespaces else "xml"


def _find_root(text: bytes) -> _Root | None:
    # what is handed on is UTF-8 where the document had wide characters, whatever it declares; and where a parser lacks
    # an encoding, all that stands before the root is ASCII but for comments
    encodings = ("utf-8", "iso-8859-1") if _WIDE.match(text) else (None, "iso-8859-1")
    return next((root for root in (_parse(text, encoding) for encoding in encodings) if root is not None), None)


def _parse(text: bytes, encoding: str | None) -> _Root | None:
    root = _Root()

    def declared(_: str | None, uri: str | None) -> None:
        root.namespaces.append(uri or "")

    def started(name: str, attributes: dict[str, str]) -> None:
        root.name, root.attributes = name, tuple(attributes)
        raise _Found

    parser = expat.ParserCreate(encoding, namespace_separator=" ")
    parser.StartNamespaceDeclHandler = declared
    parser.StartElementHandler = started
    try:
        # the root mostly stands in the first step
        for start in range(0, len(text), _STEP):
            parser.Parse(text[start : start + _STEP], False)
        # from 2.6 on, expat may wait with what it has for more of it
        parser.Parse(b"", True)
    except _Found:
        return root
    except (expat.ExpatError, ValueError, LookupError):
        pass
    return None

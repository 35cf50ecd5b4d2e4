"""The version that an ontology states of itself, read from the beginning of its document.

A bounded head is looked at and no more; whatever it holds, what comes out is a legal name of a version or nothing.
"""

from __future__ import annotations

import re
from typing import IO

from ontofetch_hookspecs.light_dataclasses import dataclass

from ..byte_order import find_mark
from ..packed.signatures import compression_of
from .text import Told, read_obo, read_rdf
from .words import DATES, ORDER, VERSION_IRI

HEAD_BYTES = 1 << 18  # of the document: headers of ontologies are shorter, licences and credits included
_XML = re.compile(rb"\s*<[?!A-Za-z_]")


@dataclass(frozen=True, slots=True)
class Stated:
    """A version that a document states: its name, and where it stands there."""

    version: str
    where: str

    @property
    def is_date(self) -> bool:
        """Whether it is the date of a document that states no version."""
        return self.where in DATES


def read_stated(stream: IO[bytes]) -> Stated | None:
    """Return the version that a document states in its header; None if it states none that could be a name.

    Args:
        stream: The document, at its beginning; it may be compressed.

    Raises:
        OSError: It can't be read.
    """
    return stated_in(_head(stream))


def stated_in(head: bytes) -> Stated | None:
    """Return the version that the beginning of a document states; None if it states none that could be a name."""
    told = _told(head)
    if not told:
        return None
    from ..version_names import version_in_iri, version_in_text

    for what in ORDER:
        for where, value in told:
            if where == what:
                version = version_in_iri(value) if what == VERSION_IRI else version_in_text(value)
                if version is not None:
                    return Stated(version, where)
    return None


def _head(stream: IO[bytes]) -> bytes:
    raw = stream.read(HEAD_BYTES)
    compression = compression_of(raw)
    if not compression:
        return raw
    from ..packed.insides import head_inside

    stream.seek(0)
    return head_inside(stream, compression)


def _told(head: bytes) -> Told:
    if _XML.match(head.removeprefix(b"\xef\xbb\xbf")) or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        from .xml import read_xml

        told = read_xml(head)
        if told:
            return told
    text = _decode(head)
    obo = read_obo(text)
    if obo is not None:
        return obo
    if text.lstrip().startswith(("{", "[")):
        from .json import read_json

        if told := read_json(text):
            return told
    return read_rdf(text)


def _decode(head: bytes) -> str:
    encoding, mark = find_mark(head)
    return head[mark:].decode(encoding or "utf-8", "replace")

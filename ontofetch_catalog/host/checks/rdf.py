"""The validator of RDF: every syntax by pyoxigraph, RDF/XML by expat as well, which sees where a document is cut."""

from __future__ import annotations

import itertools
from collections import deque
from typing import IO, TYPE_CHECKING, Any

from ...content.byte_order import find_mark, guess_wide
from ...content.facts import facts_version
from .verdicts import Faulty, NotJudged, Told, Verdict, failed, not_judged, panics_named, telling
from .xml import XmlDocument

if TYPE_CHECKING:
    import pyoxigraph

    from ...content.facts.rdf import Kept
    from ...content.facts.statements import Statements

# relative IRIs are resolved against the file, as RFC 3986, 5.1.3 says
BASE = "file:///release/"


def check_rdf(path: str, format: str) -> Verdict:  # noqa: A002 - the contract's word
    """Parse a file of RDF from its beginning to its end; details: `triples`, or `error` and where it is."""
    triples = _Triples(format)
    try:
        with panics_named(), open(path, "rb") as stream:
            _read(triples, stream, format)
    except NotJudged as error:
        return not_judged(error)
    except Faulty as error:
        return failed(error, triples=triples.found)
    except (OSError, ValueError) as error:
        return failed(Faulty(str(error)), triples=triples.found)
    return True, {"triples": triples.found}


def tell_rdf(path: str, format: str, table: str) -> Told:  # noqa: A002 - the contract's word
    """Judge as `check_rdf` does, write the table of terms, and return the facts as well."""
    from ...content.facts.statements import Statements
    from ...content.facts.terms import write_facts

    with telling(lambda: check_rdf(path, format), table) as told:
        with open(path, "rb") as stream:
            statements = _beside(stream, format)
            if statements is None:
                statements = Statements()
                stream.seek(0)
                read_statements(stream, format, statements)
        details: dict[str, object] = {"triples": statements.parsed}
        told.passed(details, write_facts(statements, facts_version(format), "rdf", table))
        # before the collector is at work again, which would look at all of them
        del statements
    return told.answer


def _beside(stream: IO[bytes], format_name: str) -> Statements | None:
    """Return the statements of a large file, read by a process beside this one; None if that is not the way.

    Raises:
        Faulty: The file can't be read; the plain check says why.
    """
    from ...content.facts.statements import Statements
    from .beside import Beside, is_worth_it

    if not is_worth_it(stream):
        return None
    statements = Statements()
    with Beside(stream, format_name) as process:
        for text, number in process.pieces():
            statements.add(text, number)
    return statements if process.is_whole else None


def read_statements(stream: IO[bytes], format_name: str, kept: Kept) -> None:
    """Read a file of a format from its beginning to its end, and keep its statements.

    Raises:
        Faulty: It can't be read.
        NotJudged: What its statements mean stands elsewhere.
    """
    _read(_Triples(format_name, kept), stream, format_name)


def _read(triples: _Triples, stream: IO[bytes], format_name: str) -> None:
    if format_name == "rdfxml":
        _parse_xml(triples, XmlDocument(stream))
        return
    head = stream.read(4)
    encoding, mark = find_mark(head)
    encoding = encoding or guess_wide(head)
    if encoding not in ("", "utf-8"):
        # a parser would say which byte it can't read, and not why
        raise Faulty(f"It is written in {encoding[:6].upper()}, and this syntax in UTF-8 alone", 1, 1)
    # the mark of UTF-8 is legal in every one of these syntaxes, the parsers stumble over it
    stream.seek(mark)
    triples.count(stream)


class _Triples:
    """The statements of a file, counted as they come.

    Args:
        kept: Where they are kept, if they are.
    """

    def __init__(self, format_name: str, kept: Kept | None = None) -> None:
        import pyoxigraph

        formats = pyoxigraph.RdfFormat
        self.found = 0
        self._kept = kept
        self._format: pyoxigraph.RdfFormat = {
            "turtle": formats.TURTLE,
            "ntriples": formats.N_TRIPLES,
            "nquads": formats.N_QUADS,
            "trig": formats.TRIG,
            "rdfxml": formats.RDF_XML,
            "jsonld": formats.JSON_LD,
            "n3": formats.N3,
        }[format_name]

    def count(self, stream: IO[bytes] | Any) -> None:
        """Read them all.

        Raises:
            Faulty: One can't be read.
            NotJudged: What they mean stands elsewhere.
        """
        import pyoxigraph

        self.found = 0
        try:
            quads = pyoxigraph.parse(stream, self._format, base_iri=BASE)
            if self._kept is not None:
                from ...content.facts.rdf import keep

                self.found = keep(quads, self._kept)
                return
            tally = itertools.count()
            try:
                # no step of Python for each
                deque(zip(quads, tally, strict=False), maxlen=0)
            finally:
                self.found = next(tally)
        except SyntaxError as error:
            reason = error.msg or str(error)
            if "LoadDocumentCallback" in reason:
                raise NotJudged("it needs a remote context, and validation never reaches for the network") from error
            raise Faulty(reason, error.lineno or 0, error.offset or 0) from error


def _parse_xml(triples: _Triples, document: XmlDocument) -> None:
    document.examine()
    source = document.open()
    try:
        triples.count(source)
        source.drain()
    except Faulty as error:
        if error.line:
            raise
        found = triples.found
        place = _place_of(triples, document)
        triples.found = found
        raise Faulty(error.reason, *place) from error


def _place_of(triples: _Triples, document: XmlDocument) -> tuple[int, int]:
    """Return line and column of the element at which the parser stops, which it does not say."""
    source = document.open_rewritten(exact=True)
    try:
        triples.count(source)
    except Faulty as error:
        if error.line:
            return error.line, error.column
    return source.place

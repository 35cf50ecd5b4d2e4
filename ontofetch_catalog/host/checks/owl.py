"""The validator of OWL in functional syntax, Manchester syntax and OWL/XML, by py-horned-owl.

Where it refuses what the specification allows, nothing is judged: a false failure would be worse.
"""

from __future__ import annotations

import codecs
import os
import re
import resource
from typing import TYPE_CHECKING, Literal

from ontofetch_hookspecs.light_dataclasses import dataclass

from ...children.limits import WHOLE_MEMORY_PER_BYTE
from ...content.byte_order import find_mark
from ...content.facts import facts_version
from .rdf import BASE
from .verdicts import Faulty, NotJudged, Told, Verdict, failed, not_judged, panics_named, telling
from .xml import XmlDocument

if TYPE_CHECKING:
    from pyhornedowl import PyIndexedOntology

# bytes of address space, and of data, that the process takes by itself
_STANDING = {resource.RLIMIT_AS: 128 << 20, resource.RLIMIT_DATA: 72 << 20}
_XML_MEMORY_PER_BYTE = (
    16  # of OWL/XML, which says in many bytes what is small in memory (5 were measured, and its text)
)
_SERIALIZATIONS: dict[str, Literal["ofn", "omn", "owx"]] = {"ofn": "ofn", "omn": "omn", "owlxml": "owx"}
# they may be used without being declared (OWL 2, table 2), which the library does not know
_STANDARD = {
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_PREFIXES = {
    "ofn": "".join(f"Prefix({name}:=<{iri}>) " for name, iri in _STANDARD.items()),
    "omn": "".join(f"Prefix: {name}: <{iri}> " for name, iri in _STANDARD.items()),
}
_PLACE = re.compile(r"line_col: Pos\(\((\d+), (\d+)\)\)")
_OFFSET = re.compile(r"Byte(?:Span|Position)\((\d+)")
_EXPECTED = re.compile(r"positives: \[([^\]]*)\]")
_SAID = re.compile(r'(?:ValidityError|ParserError)\("((?:[^"\\]|\\.)*)"')
_ILL_FORMED = re.compile(r"(?:ParserError|IllFormed)\((\w+)")
# what it says of that which it does not know although OWL 2 has it
_LIMITS = re.compile(r"does not support|expected kind of DataRange, found DataProperty")
# what it can't read although the specification, or the software that everybody writes such files with, has it
_STRINGS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|<[^<>\s]*>|#[^\n]*')
_DIALECT = {
    "omn": re.compile(r"(?<![\w:.-])(?:that|onlysome|Super(?:Class|Property)Of:)(?![\w:.-])"),
    "ofn": re.compile(r"(?<![\w.-])[\w.-]*:(?=[\s()]|[^\s()]*[%\\/])|[\w-]\.(?=[\s()])"),
}
_NEAR = 200  # characters around the place of an error


def check_owl(path: str, format: str) -> Verdict:  # noqa: A002 - the contract's word
    """Parse an ontology from its beginning to its end; details: `axioms`, or `error` and where it is."""
    try:
        with panics_named():
            return True, {"axioms": len(_load(path, format).get_axioms())}
    except NotJudged as error:
        return not_judged(error)
    except Faulty as error:
        return failed(error)
    except (OSError, ValueError) as error:
        return failed(Faulty(str(error)))


def tell_owl(path: str, format: str, table: str) -> Told:  # noqa: A002 - the contract's word
    """Judge as `check_owl` does, write the table of terms, and return the facts as well: those of the RDF it means."""
    from ...content.facts.rdf import keep
    from ...content.facts.statements import Statements
    from ...content.facts.terms import write_facts

    with telling(lambda: check_owl(path, format), table) as told:
        import pyoxigraph

        ontology = _load(path, format)
        details: dict[str, object] = {"axioms": len(ontology.get_axioms())}
        text = ontology.save_to_string("rdf")
        del ontology
        statements = Statements()
        keep(pyoxigraph.parse(text, pyoxigraph.RdfFormat.RDF_XML, base_iri=BASE), statements)
        del text
        told.passed(details, write_facts(statements, facts_version(format), "rdf", table))
    return told.answer


def _load(path: str, format_name: str) -> PyIndexedOntology:
    _check_room(os.stat(path).st_size, format_name)
    text = _read_xml(path) if format_name == "owlxml" else _read_text(path)
    return _Ontology(path, text, format_name).load()


def _check_room(size: int, format_name: str) -> None:
    needed = _XML_MEMORY_PER_BYTE if format_name == "owlxml" else WHOLE_MEMORY_PER_BYTE
    limits = {kind: resource.getrlimit(kind)[0] for kind in _STANDING}
    rooms = [most - _STANDING[kind] for kind, most in limits.items() if most not in (resource.RLIM_INFINITY, -1)]
    if rooms and size * needed > min(rooms):
        raise NotJudged(
            f"its {size:,} bytes would take more memory than a validator may have (the setting max_memory), for its "
            "parser reads it whole"
        )


def _read_text(path: str) -> str:
    with open(path, "rb") as stream:
        data = stream.read()
    encoding, mark = find_mark(data[:4])
    try:
        text = codecs.decode(data[mark:], encoding or "utf-8")
    except UnicodeError as error:
        raise NotJudged("it is not in UTF-8, and does not say in which encoding it is") from error
    if not text.strip():
        raise Faulty("it is empty")
    return text


def _read_xml(path: str) -> str:
    with open(path, "rb") as stream:
        document = XmlDocument(stream)
        document.examine()
        # written anew: the library knows no entities, and an element without an end may keep it busy for ever
        source = document.open_rewritten()
        found = []
        while data := source.read(1 << 20):
            found.append(data)
    text = b"".join(found).decode("utf-8", "replace")
    if re.search(r"http://www\.w3\.org/2006/12/owl1?[12]?-?xml#", text[:4096]):
        raise NotJudged("it is the XML of OWL before version 2, which its parser lacks")
    return text


@dataclass(frozen=True, slots=True)
class _Ontology:
    """One ontology: its file, its text as the library gets it, its format."""

    path: str
    text: str
    format: str

    def load(self) -> PyIndexedOntology:
        """Return it.

        Raises:
            Faulty: It can't be read.
            NotJudged: It can't be read, and may be valid all the same.
        """
        found = self._parse(self.text)
        prefixes = _PREFIXES.get(self.format, "")
        if isinstance(found, str) and prefixes and '"undefined prefix"' in found:
            offset = _OFFSET.search(found)
            name = self._at(int(offset[1])).partition(":")[0] if offset else ""
            if name in _STANDARD:
                found = self._parse(prefixes + self.text)
                if isinstance(found, str):
                    raise self._fault(found, shift=len(prefixes))
        if isinstance(found, str):
            raise self._fault(found)
        return found

    def _parse(self, text: str) -> PyIndexedOntology | str:
        """Return the ontology, or what the library says is wrong."""
        import pyhornedowl

        try:
            return pyhornedowl.open_ontology_from_string(text, _SERIALIZATIONS[self.format])
        except ValueError as error:
            return str(error)

    def _at(self, offset: int) -> str:
        return self.text.encode()[offset : offset + _NEAR].decode("utf-8", "replace")

    def _fault(self, said: str, shift: int = 0) -> Exception:
        """Return the error for what the library says; `shift` is how many characters stood before the text."""
        line, column = self._place(said, shift)
        reason = _reason(said)
        if _LIMITS.search(said):
            return NotJudged(f"its parser lacks a part of OWL 2 (line {line}): {reason}")
        dialect = _DIALECT.get(self.format)
        if dialect is not None and self._is_near(dialect, line, column):
            return NotJudged(f"its parser can't read what stands at line {line}, column {column}: {reason}")
        return Faulty(reason, line, column)

    def _is_near(self, dialect: re.Pattern[str], line: int, column: int) -> bool:
        """Say whether something that the library can't read stands where it stopped."""
        lines = self.text.split("\n", line)
        if not 0 < line <= len(lines):
            return False
        # what it stopped at, or the line before, if it stopped behind
        near = (
            " ".join(lines[max(line - 2, 0) : line]) if self.format == "omn" else lines[line - 1][max(column - 1, 0) :]
        )
        stopped = _STRINGS.sub('""', near[:_NEAR])
        return bool(dialect.search(stopped) if self.format == "omn" else dialect.search(stopped.split(" ", 1)[0] + " "))

    def _place(self, said: str, shift: int) -> tuple[int, int]:
        told = _PLACE.search(said)
        if told:
            line, column = int(told[1]), int(told[2])
            return line, column - (shift if line == 1 else 0)
        offset = _OFFSET.search(said)
        if offset is None:
            return 0, 0
        place = max(int(offset[1]) - shift, 0)
        if self.format == "owlxml":
            return self._place_in_document(place)
        before = self.text.encode()[:place].decode("utf-8", "replace")
        return before.count("\n") + 1, len(before) - before.rfind("\n")

    def _place_in_document(self, offset: int) -> tuple[int, int]:
        """Return where in the file stands what was written anew at an offset in bytes."""
        with open(self.path, "rb") as stream:
            document = XmlDocument(stream)
            document.examine()
            source = document.open_rewritten(exact=True)
            while source.written < offset and source.read(1 << 20):
                pass
            return source.place


def _reason(said: str) -> str:
    """Return in words what the library says is wrong."""
    expected = _EXPECTED.search(said)
    if expected and expected[1]:
        names = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip()) for name in expected[1].split(",")]
        return f"expected {' or '.join(names[:6])}{' …' if len(names) > 6 else ''}"
    told = _SAID.search(said)
    if told:
        return (
            told[1].replace('\\"', '"').replace("Unexpected EoF", "an element is missing, unknown, or at a wrong place")
        )
    kind = _ILL_FORMED.search(said)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind[1]).lower() if kind else "it can't be read"

"""Facts of OBO: what its clauses say, told by the same predicates that say so in RDF.

A trailing comment is no part of a clause: it repeats the label of another term. Digests are of clauses, and say nothing
beside those of RDF; terms have the IRIs that they would have there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from . import vocabulary
from .obo_frames import DEFINITION, DEPRECATED, LABEL, NAMED_BY, are_plain, tell_frames
from .obo_plain import sift, spelled
from .spelling import TYPE, literal, node
from .statements import Statements

_BASE = vocabulary.OBO
_FRAMES = {"TermFrame": f"{vocabulary.OWL}Class", "TypedefFrame": f"{vocabulary.OWL}ObjectProperty"}
_NAMES = {
    "IsAClause": NAMED_BY[b"is_a"].decode(),
    "ReplacedByClause": NAMED_BY[b"replaced_by"].decode(),
    "ConsiderClause": NAMED_BY[b"consider"].decode(),
    "AltIdClause": NAMED_BY[b"alt_id"].decode(),
}
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"( \[[^"]*\])')
_TYPES = {kind: f"{TYPE} <{kind}>".encode() for kind in _FRAMES.values()}
_BLANKS = " \t\n\r\x0b\x0c"  # what is none of a name at its ends; other spaces of Unicode are
_AT_ONCE = 1 << 18  # characters of frames that are told together
_PARSED_AT_ONCE = 1 << 22  # bytes of frames that the parser gets together, whose threads go ahead of what is told
_NODE = f"<{_BASE}".encode()
_BETWEEN_NODES = b">\n" + _NODE
# names of which each is spelled in the same way: a prefix, a colon, and no character that an IRI does not have
_PLAIN_NAME = rb"(?!urn:|mailto:)[^:/<>\"{}|^`\\\s]+:[^:/<>\"{}|^`\\\s]*"
_PLAIN_NAMES = re.compile(rb"%b(?:\n%b)*" % (_PLAIN_NAME, _PLAIN_NAME))
_VALUE = re.compile(r'(\S+)\s+(?:"((?:[^"\\]|\\.)*)"|(\S+))', re.DOTALL)
# the last word of a property → what it says of an ontology
HEADER_PREDICATES = {
    "title": f"<{vocabulary.TERMS}title> ",
    "license": f"<{vocabulary.TERMS}license> ",
    "versionInfo": f"<{vocabulary.OWL}versionInfo> ",
}
_PLAIN = re.compile(r"\\(.)", re.DOTALL)
_LINES = {"n": "\n", "W": " ", "t": "\t"}


def keep_obo(blocks: Iterator[bytes], parse: Callable[[bytes], Any], kept: Statements) -> int:
    """Add what a file of OBO says; return the number of its frames. Errors of the parser pass through.

    Where there are instances, of which the parser tells nothing, the facts are not exact.

    Args:
        blocks: What comes before the first frame, then some whole frames at a time, each behind a line feed.
        parse: Returns what fastobo yields of a text.
        kept: Where the statements go.
    """
    frames = parse(next(blocks, b"") + b"\n")
    reader = _Reader(frames.header(), kept)
    number = reader.add_parsed(frames)
    others: list[bytes] = []
    weight = 0
    for block in blocks:
        plain, rest = sift(block)
        reader.add_plain(plain)
        number += len(plain)
        others.append(rest)
        weight += len(rest)
        if weight > _PARSED_AT_ONCE:
            number += reader.add_parsed(parse(b"".join([*others, b"\n"])))
            others.clear()
            weight = 0
    return number + reader.add_parsed(parse(b"".join([*others, b"\n"]))) if weight else number


class _Reader:
    """The clauses of one file, told as statements.

    Args:
        header: Its header frame.
        kept: Where the statements go.
    """

    def __init__(self, header: Any, kept: Statements) -> None:
        self._kept = kept
        self._spaces: dict[str, str] = {}
        self._iris: dict[str, str] = {}
        self._nodes: dict[bytes, bytes] = {}
        clauses = list(header)
        self._ontology = next((c.raw_value().strip() for c in clauses if type(c).__name__ == "OntologyClause"), "")
        for clause in clauses:
            if type(clause).__name__ == "IdspaceClause":
                self._spaces[str(clause.prefix)] = str(clause.url)
        self._add(node(self._ontology_iri()), self._header(clauses))

    def _ontology_iri(self) -> str:
        if not self._ontology or ":" in self._ontology:
            return self._ontology
        return f"{_BASE}{self._ontology}.owl"

    def _header(self, clauses: list[Any]) -> Iterator[str]:
        yield f"{TYPE} <{vocabulary.OWL}Ontology>"
        for clause in clauses:
            tag, value = clause.raw_tag(), clause.raw_value()
            if tag == "data-version":
                yield f"<{vocabulary.OWL}versionInfo> {literal(value)}"
            elif tag == "import":
                yield f"<{vocabulary.OWL}imports> {self._iri(value)}"
            elif tag == "property_value" and (found := self._told(value)):
                yield found
            else:
                yield str(clause)

    @staticmethod
    def _told(value: str) -> str:
        found = _VALUE.match(value)
        name = HEADER_PREDICATES.get(last_word(found[1])) if found else None
        if found is None or name is None:
            return ""
        return name + literal(_unescaped(found[2]) if found[2] is not None else found[3])

    def _iri(self, name: str) -> str:
        """Return an identifier as the IRI it stands for, in brackets."""
        known = self._iris.get(name)
        if known is None:
            known = self._iris[name] = node(self._expand(name.replace("\\", "")))
        return known

    def _expand(self, name: str) -> str:
        space, colon, local = name.partition(":")
        if not colon:
            return f"{_BASE}{self._ontology}#{name}"
        if local.startswith("//") or space in ("urn", "mailto"):
            return name
        return self._spaces.get(space, f"{_BASE}{space}_") + local

    def add_plain(self, frames: list[bytes]) -> None:
        """Take frames that are plain, as the file has them."""
        if frames:
            text = spelled(b"".join([*frames, b"\n"]))
            self._kept.add_many(*tell_frames(text, self._named))

    def add_parsed(self, frames: Any) -> int:
        """Take what the parser yields; return how many frames these are."""
        number = weight = 0
        some: list[Any] = []
        texts: list[str] = []
        for frame in frames:
            number += 1
            text = str(frame)
            some.append(frame)
            texts.append(text)
            weight += len(text)
            if weight > _AT_ONCE:
                self._add_some(some, texts)
                weight = 0
                some.clear()
                texts.clear()
        self._add_some(some, texts)
        return number

    def _add_some(self, frames: list[Any], texts: list[str]) -> None:
        """Take some frames, and what the library writes of each."""
        text = f"\n{''.join(texts)}".encode()
        if not are_plain(text, len(texts)):
            plain = []
            for frame, own in zip(frames, texts, strict=True):
                if are_plain(f"\n{own}".encode(), 1):
                    plain.append(own)
                else:
                    self._add_frame(frame, own)
            text = f"\n{''.join(plain)}".encode()
        self._kept.add_many(*tell_frames(text, self._named))

    def _named(self, names: list[bytes]) -> list[bytes]:
        """Return what stands for names in statements."""
        nodes = self._nodes
        new = [name for name in names if name not in nodes]
        text = b"\n".join(new)
        if new and not self._spaces and _PLAIN_NAMES.fullmatch(text):
            # with one call for all of them
            found = text.replace(b":", b"_").replace(b"\n", _BETWEEN_NODES)
            nodes.update(zip(new, (b"%b%b>" % (_NODE, found)).split(b"\n"), strict=True))
        else:
            for name in new:
                self._node(name)
        return [nodes[name] for name in names]

    def _add_frame(self, frame: Any, text: str) -> None:
        """Take a frame of a term, a relation or an instance."""
        kind = _FRAMES.get(type(frame).__name__)
        if kind is None:
            # of instances the library tells nothing
            self._kept.exact = False
            return
        found = self._plain_clauses(text.encode(), kind)
        if found is not None:
            self._kept.add_clauses(*found)
        else:
            self._add(self._iri(str(frame.id)), self._clauses(frame, kind))

    def _plain_clauses(self, text: bytes, kind: str) -> tuple[bytes, list[bytes]] | None:
        """Return name and statements of a frame by its text: the same as `_clauses`, with fewer calls of the library.

        None where its text has what only the library reads well: qualifiers, escaped names, comments behind quotations.
        """
        [_, head, *lines] = text.rstrip(b"\n").split(b"\n")
        if b"{" in text or b"\\" in head or b" ! " in head:
            return None
        found = [_TYPES[kind]]
        nodes = self._nodes
        # no call for each clause, which would cost more than all else
        for each in lines:
            line = each
            tag, _, value = line.partition(b": ")
            if b"!" in value and tag != b"comment" and b" ! " in value:
                if b'"' in value:
                    return None
                value = value.partition(b" ! ")[0]
                line = tag + b": " + value
            predicate = NAMED_BY.get(tag)
            if predicate is not None:
                if b"\\" in value:
                    return None
                found.append(predicate + (nodes.get(value) or self._node(value)))
            elif tag == b"name":
                found.append(LABEL + _literal(value.strip()))
            elif tag == b"def":
                parts = _QUOTED.fullmatch(value)
                if parts is None:
                    return None
                found += (DEFINITION + _literal(parts[1]), b"def xrefs" + parts[2] + b" ")
            else:
                found.append(DEPRECATED if line == b"is_obsolete: true" else line)
        return self._node(head.removeprefix(b"id: ")), found

    def _node(self, name: bytes) -> bytes:
        known = self._nodes.get(name)
        if known is None:
            known = self._nodes[name] = self._iri(name.decode()).encode()
        return known

    def _clauses(self, frame: Any, kind: str) -> Iterator[str]:
        yield f"{TYPE} <{kind}>"
        for clause in frame:
            name = type(clause).__name__
            if name == "NameClause":
                yield LABEL.decode() + literal(_unescaped(clause.raw_value().strip(_BLANKS)))
            elif name == "DefClause":
                yield DEFINITION.decode() + literal(_unescaped(clause.raw_value()[1:-1]))
                yield f"def xrefs {clause.xrefs} {clause.qualifiers or ''}"
                continue
            elif name in _NAMES:
                yield f"{_NAMES[name]}{self._iri(clause.raw_value())}"
            elif name == "IsObsoleteClause" and clause.obsolete:
                yield DEPRECATED.decode()
            else:
                yield _without_comment(clause, name)
                continue
            if clause.qualifiers:
                yield f"{name} {clause.raw_value()} {clause.qualifiers}"

    def _add(self, subject: str, statements: Iterator[str]) -> None:
        self._kept.add_clauses(subject.encode(), (line.encode() for line in statements))


def last_word(name: str) -> str:
    """Return the last word of a property's name, however its prefix is written."""
    return re.split(r"[-:/#]", name)[-1]


def _literal(text: bytes) -> bytes:
    """Return a text, as it is escaped in OBO, as the object of a statement."""
    if b"\\" in text:
        return literal(_unescaped(text.decode())).encode()
    return b'"%b"' % (text.replace(b'"', b'\\"') if b'"' in text else text)


def _unescaped(text: str) -> str:
    return _PLAIN.sub(lambda found: _LINES.get(found[1], found[1]), text) if "\\" in text else text


def _without_comment(clause: Any, name: str) -> str:
    text = str(clause)
    # of this clause the attribute is its value
    comment = None if name == "CommentClause" else clause.comment
    if comment is None:
        return text
    end = f" ! {comment}"
    return text.removesuffix(end) if text.endswith(end) else text.rpartition(" ! ")[0]

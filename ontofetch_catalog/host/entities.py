"""The entities of an XML document: what they would expand to is counted before a parser sees them.

A parser that resolves `<!ENTITY` as it reads turns 700 bytes into gigabytes. Those that are bounded stay allowed:
ontologies name their namespaces by them. Nothing is expanded and nothing is fetched here.
"""

from __future__ import annotations

import codecs
import re
from typing import IO

from ontofetch_hookspecs.names import quote

MOST_CHARACTERS = 1 << 16  # that one entity may stand for; those of ontologies stand for an IRI
MOST_NESTED = 16  # entities inside of each other
MOST_DECLARED = 1 << 20  # characters that all entities may stand for together
MOST_USED = 1 << 23  # characters that all uses together may come to, and
MOST_RATIO = 10  # so many for each character of the document (`&owl;` is a sixth of what it stands for)
_STEP = 1 << 20
_KEPT = 1 << 18  # characters that a declaration may have; it is seen whole, wherever a step ends
_NAME = 1024
_PREDEFINED = ("amp", "lt", "gt", "quot", "apos")
_OPENING = "<!ENTITY"
_TOKEN = re.compile(rf"{_OPENING}|&([^;&]{{1,{2 * _NAME}}});")
_DECLARATION = re.compile(rf"""{_OPENING}([^"'<>]*)(?:"([^"]*)"|'([^']*)')""")
_BEGUN = re.compile(rf"""{_OPENING}[^"'<>]*["']""")
_ENDED = re.compile("[<>]")
_AMPERSAND = re.compile(r"&#(?:0*38|[xX]0*26);")  # makes a reference out of what comes behind it


def find_fault(stream: IO[bytes], encoding: str = "utf-8") -> str | None:
    """Return why a document's entities are too many or too large, as a sentence without its end; None if they are not.

    It sees every declaration that a parser could see, and some in comments and quotations too.
    """
    return Entities().read(stream, encoding)


class Entities:
    """The entities of one document: name → how many characters it stands for, and how deep it is nested.

    Attributes:
        doctype: Whether anything that looks like a DTD was met.
        unknown: Whether an entity is used that none of the document's own declarations names.
    """

    def __init__(self) -> None:
        self.doctype = self.unknown = False
        self._known: dict[str, tuple[int, int]] = {}
        self._declared = 0
        self._used = 0

    def read(self, stream: IO[bytes], encoding: str = "utf-8") -> str | None:
        """Read a document to its end, or to its first fault, and return that as `find_fault` does."""
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        text = ""
        seen = 0
        while True:
            data = stream.read(_STEP)
            text += decoder.decode(data, not data)
            seen += len(data)
            self.doctype = self.doctype or "<!DOCTYPE" in text
            # a token that begins before `end` is whole
            end = max(len(text) - _KEPT, 0) if data else len(text)
            fault = self._look(text, end, seen)
            if fault is not None or not data:
                return fault
            text = text[end:]

    def _look(self, text: str, end: int, seen: int) -> str | None:
        if not self._known and not self.doctype and _OPENING not in text:
            return None
        for found in _TOKEN.finditer(text):
            if found.start() >= end:
                break
            name = found[1]
            fault = self._declare(text, found.start()) if name is None else self._use(_plain(name), seen)
            if fault is not None:
                return fault
        return None

    def _use(self, name: str, seen: int) -> str | None:
        self.unknown = self.unknown or (name not in self._known and name not in _PREDEFINED and name[:1] != "#")
        self._used += self._known.get(name, (0, 0))[0]
        if self._used <= MOST_USED + MOST_RATIO * seen:
            return None
        return (
            f"its XML entities expand to more than {MOST_USED:,} characters and {MOST_RATIO} times the document: "
            "it is a bomb, or damaged"
        )

    def _declare(self, text: str, place: int) -> str | None:
        found = _DECLARATION.match(text, place)
        if found is None:
            # what has no end within all that is looked at together is too large, wherever it may end
            rest = text[place : place + _KEPT]
            endless = len(rest) == _KEPT and (_BEGUN.match(rest) or not _ENDED.search(rest, len(_OPENING)))
            return f"one of its XML entities has more than {MOST_CHARACTERS:,} characters" if endless else None
        name = _plain(found[1].replace("%", ""))
        if len(name) > _NAME:
            return f"one of its XML entities has a name of more than {_NAME:,} characters"
        value = _AMPERSAND.sub("&", found[2] if found[3] is None else found[3])
        size, depth = len(value), 0
        for inner in _TOKEN.finditer(value):
            more, below = self._known.get(_plain(inner[1] or ""), (0, 0))
            size, depth = size + more, max(depth, below)
        self._known[name] = (max(size, self._known.get(name, (0, 0))[0]), depth + 1)
        self._declared += size
        if size > MOST_CHARACTERS or depth >= MOST_NESTED or self._declared > MOST_DECLARED:
            return (
                f"its XML entity {quote(name)} stands for {size:,} characters in {depth + 1} layers; allowed are "
                f"{MOST_CHARACTERS:,} in {MOST_NESTED}, and {MOST_DECLARED:,} for all entities together"
            )
        return None


def _plain(name: str) -> str:
    # parsers differ in what is a space before or behind a name
    return "".join(name.split())

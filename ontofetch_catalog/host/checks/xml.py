"""XML documents for parsers that know less of XML than authors do: well-formedness, entities, encodings, places.

expat reads the document as it is. What is handed on is UTF-8 without DTD and declaration, entities written out, in
pieces of bounded size. What the elements mean is not known here; nothing is fetched.
"""

from __future__ import annotations

import codecs
import re
from typing import IO
from xml.parsers import expat

from ...content.byte_order import find_mark, guess_wide
from ..entities import Entities
from .verdicts import Faulty, NotJudged

_STEP = 1 << 16
_HEAD = 1024
_REDUNDANT = "not well-formed "
# what expat reads by itself, and says itself where a document is in another one than it declares
_NATIVE = {"utf-8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "iso-8859-1", "utf-16": "utf-16"} | {
    "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
}  # fmt: skip
# codecs of Python that are no encodings of characters, or whose time is not bounded
_NO_ENCODINGS = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7")
_DECLARATION = re.compile(rb"\s*<\?xml\s[^>]{0,400}?\?>")
_DECLARED = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]{0,39})[\"']")
_VERSION = re.compile(rb"version\s*=\s*[\"']1\.([1-9])[\"']")
_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_VALUE = _TEXT | {ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#9;"}


class XmlDocument:
    """One document.

    Args:
        stream: Its bytes; can be read again from the beginning.

    Raises:
        NotJudged: It is in an encoding, or a version of XML, that nobody here can read.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        head = stream.read(_HEAD)
        mark, self._skipped = find_mark(head)
        wide = mark or (guess_wide(head) if 0 in head[:4] else "")
        start = head[self._skipped :].decode(wide, "ignore").encode("ascii", "replace") if wide else head
        declaration = _DECLARATION.match(start)
        told = declaration[0] if declaration else b""
        if _VERSION.search(told):
            raise NotJudged("it is XML 1.1, and its parser knows 1.0")
        declared = _DECLARED.search(told)
        name = declared[1].decode().lower() if declared else ""
        self._recoded = ""
        if wide.startswith("utf-32"):
            self._recoded = self._encoding = wide
        elif wide:
            self._encoding = wide
        elif name in _NATIVE or not name:
            # what claims to be UTF-16 without being it is refused by expat
            self._encoding = "iso-8859-1" if name.startswith("utf-16") else _NATIVE.get(name, "utf-8")
        else:
            self._recoded = self._encoding = _codec(name)
        self._entities = Entities()

    def examine(self) -> None:
        """Look at the entities before any parser does.

        Raises:
            Faulty: They are too many or too large.
        """
        self._stream.seek(0)
        fault = self._entities.read(self._stream, self._encoding)
        if fault is not None:
            raise Faulty(fault)

    def open(self) -> Checked:
        """Return a stream of the document for a parser; its `read` raises Faulty where it is not well-formed."""
        if self._entities.doctype or self._recoded or self._encoding != "utf-8":
            return self.open_rewritten()
        self._stream.seek(self._skipped)
        return Checked(self._stream)

    def open_rewritten(self, *, exact: bool = False) -> Rewritten:
        """Return a stream of the document written anew; `exact`: element by element, so that `place` is known."""
        self._stream.seek(self._skipped if self._encoding == "utf-8" or self._recoded else 0)
        source = _Recoded(self._stream, self._recoded) if self._recoded else self._stream
        found = Rewritten(source, "utf-8" if self._recoded else None, exact=exact)
        found.needs_outside = self._entities.unknown
        return found


def _codec(name: str) -> str:
    try:
        found = codecs.lookup(name)
    except LookupError:
        found = None
    if found is None or not found._is_text_encoding or found.name.replace("-", "_") in _NO_ENCODINGS:
        raise NotJudged(f"it is in the encoding {name}, which its parser lacks")
    return found.name


class _Recoded:
    """Read a text in another encoding as UTF-8."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._line = 1

    def read(self, size: int = -1, /) -> bytes:
        del size
        while True:
            data = self._stream.read(_STEP)
            try:
                text = self._decoder.decode(data, not data)
            except UnicodeError as error:
                raise Faulty(f"it has bytes that are no {self._encoding}", self._line) from error
            self._line += text.count("\n")
            if text or not data:
                return text.encode("utf-8", "surrogatepass")


class Checked:
    """Read a document as it is, well-formed as far as it was read.

    Args:
        stream: Its bytes, in UTF-8.
        encoding: What they are whatever the document declares; None: what it declares.
    """

    def __init__(self, stream: IO[bytes] | _Recoded, encoding: str | None = None) -> None:
        self._source = stream
        self._left = b""
        self._ended = False
        self.needs_outside = False  # whether entities are used that are not declared in it
        self._outside: set[str] = set()
        self.parser = expat.ParserCreate(encoding)
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
        self.parser.EntityDeclHandler = self._declare
        self.parser.ExternalEntityRefHandler = self._refer
        self.parser.SkippedEntityHandler = self._skip

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes.

        Raises:
            Faulty: It is not well-formed.
            NotJudged: It refers to what is outside of it.
        """
        while not self._left and not self._ended:
            self._left = self._step()
        size = len(self._left) if size < 0 else size
        found, self._left = self._left[:size], self._left[size:]
        return found

    def _step(self) -> bytes:
        data = self._source.read(_STEP)
        self._ended = not data
        self._parse(data)
        return data

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.Parse(data, not data)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code) or "it can't be read"
            raise Faulty(
                f"not well-formed: {reason.removeprefix(_REDUNDANT).strip('()')}", error.lineno, error.offset + 1
            ) from error
        except (LookupError, ValueError) as error:
            raise NotJudged("it is in an encoding that its parser lacks") from error

    def _declare(
        self, name: str, parameter: int, value: str | None, base: str | None, system: str | None, *_: object
    ) -> None:
        del name, value, base
        if parameter and system is not None:
            self._outside.add(system)

    def _refer(self, context: str | None, base: str | None, system: str | None, public: str | None) -> int:
        del base, public
        # a DTD elsewhere, which nothing in the document needs, is none of a parser's business that does not validate
        if context is not None or system in self._outside or self.needs_outside:
            self._skip()
        return 1

    def _skip(self, *_: object) -> None:
        raise NotJudged("it refers to XML entities outside of it, and validation never fetches any")

    def drain(self) -> None:
        """Read what the parser left over; raises as `read` does."""
        while self.read(_STEP):
            pass


class Rewritten(Checked):
    """Read a document as it is written anew.

    Attributes:
        place: Line and column of the last element or end that was handed on; only where it is asked for.
        written: How many bytes were handed on up to there.
    """

    def __init__(self, stream: IO[bytes] | _Recoded, encoding: str | None, *, exact: bool) -> None:
        super().__init__(stream, encoding)
        self.place = (0, 0)
        self.written = 0
        self._exact = exact
        self._pieces: list[tuple[int, int, str]] = []
        self._texts: list[str] = []
        self._next = 0
        self.parser.ordered_attributes = True
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _step(self) -> bytes:
        if self._next < len(self._pieces):
            line, column, text = self._pieces[self._next]
            self._next += 1
            self.place = (line, column)
            data = text.encode("utf-8", "surrogatepass")
            self.written += len(data)
            return data
        self._pieces, self._next, self._texts = [], 0, []
        data = self._source.read(_STEP)
        self._ended = not data
        self._parse(data)
        if self._pieces:
            self._ended = False
        return "".join(self._texts).encode("utf-8", "surrogatepass")

    def _add(self, text: str) -> None:
        if self._exact:
            self._pieces.append((self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1, text))
        else:
            self._texts.append(text)

    def _start(self, name: str, attributes: list[str]) -> None:
        values = zip(attributes[::2], attributes[1::2], strict=True)
        self._add(f"<{name}" + "".join(f' {key}="{value.translate(_VALUE)}"' for key, value in values) + ">")

    def _end(self, name: str) -> None:
        self._add(f"</{name}>")

    def _characters(self, text: str) -> None:
        self._add(text.translate(_TEXT))

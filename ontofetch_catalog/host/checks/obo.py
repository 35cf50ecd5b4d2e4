"""The validator of OBO, by fastobo."""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

from ...content.byte_order import find_mark
from ...content.facts import facts_version
from .verdicts import Faulty, NotJudged, Told, Verdict, failed, not_judged, panics_named, telling

_AHEAD = 32 << 20  # bytes
_STEP = 1 << 16
_BLOCK = 1 << 18  # bytes of frames that are looked at together, about
_LONGEST_LINE = 16 << 20  # bytes; its parser holds twice a line
_LONGEST_TAG = 128  # characters, the colon behind it included
_ENDS = re.compile(r"[^\n]*\n|[^\n]+")
_TAG = re.compile(r"([A-Za-z_][A-Za-z0-9_-]{0,99}):")
# of OBO 1.4
_TAGS = frozenset({
    "id", "name", "namespace", "alt_id", "def", "comment", "subset", "synonym", "xref", "builtin", "property_value",
    "is_a", "intersection_of", "union_of", "equivalent_to", "disjoint_from", "relationship", "created_by",
    "creation_date", "is_obsolete", "replaced_by", "consider", "is_anonymous", "domain", "range", "inverse_of",
    "transitive_over", "is_cyclic", "is_reflexive", "is_symmetric", "is_asymmetric", "is_transitive",
    "is_functional", "is_inverse_functional", "holds_over_chain", "equivalent_to_chain", "disjoint_over",
    "expand_assertion_to", "expand_expression_to", "is_metadata_tag", "is_class_level", "instance_of",
})  # fmt: skip


def check_obo(path: str, format: str) -> Verdict:  # noqa: A002 - the contract's word
    """Parse a file of OBO from its beginning to its end; details: `frames`, or `error` and where it is."""
    del format
    frames = 0
    fault: Faulty | None
    with open(path, "rb") as stream:
        lines = _Lines(stream)
        try:
            with panics_named():
                for _ in _parse(lines, path):
                    frames += 1
        except NotJudged as error:
            return not_judged(error)
        except SyntaxError as error:
            fault = Faulty(error.msg or str(error), error.lineno or 0, error.offset or 0)
            tag = _unknown_tag(path, fault)
            if tag:
                return not_judged(
                    NotJudged(f"it has the tag {tag} (line {fault.line}), which its parser does not know")
                )
        except (OSError, ValueError) as error:
            fault = Faulty(str(error))
        else:
            fault = None if lines.told else Faulty("it is empty")
    if lines.undecoded:
        return not_judged(NotJudged("it is not in UTF-8, and OBO does not say in which encoding it is"))
    if lines.too_long:
        return not_judged(NotJudged(f"it has a line of more than {_LONGEST_LINE:,} bytes"))
    return (True, {"frames": frames}) if fault is None else failed(fault, frames=frames)


def tell_obo(path: str, format: str, table: str) -> Told:  # noqa: A002 - the contract's word
    """Judge as `check_obo` does, write the table of terms, and return the facts as well."""
    from ...content.facts.obo import keep_obo
    from ...content.facts.statements import Statements
    from ...content.facts.terms import write_facts

    with telling(lambda: check_obo(path, format), table) as told, open(path, "rb") as stream:
        lines, statements = _Lines(stream), Statements(has_blanks=False)
        frames = keep_obo(_blocks(lines), _parse_text, statements)
        told.passed({"frames": frames}, write_facts(statements, facts_version(format), "obo", table))
    return told.answer


def _parse(lines: _Lines, path: str) -> Any:
    import fastobo

    # its threads read ahead without a bound: a large file would lie in memory as a whole
    return fastobo.iter(lines, threads=1 if os.stat(path).st_size > _AHEAD else 0)


def _parse_text(text: bytes) -> Any:
    import fastobo

    return fastobo.iter(io.BytesIO(text), threads=0 if len(text) > _BLOCK else 1)


def _blocks(lines: _Lines) -> Iterator[bytes]:
    """Yield what comes before the first frame, then some whole frames at a time, each behind a line feed."""
    pieces, size, has_begun = [b"\n"], 1, False
    while data := lines.read():
        # in pieces, for what has no end would be joined again and again
        last = pieces[-1][-1:] + data
        pieces.append(data)
        size += len(data)
        if has_begun and size < _BLOCK:
            continue
        place = last.rfind(b"\n[") if has_begun else last.find(b"\n[")
        if place >= 0:
            text, place = b"".join(pieces), place + size - len(last)
            yield text[:place]
            pieces, size, has_begun = [text[place:]], size - place, True
    if lines.undecoded or lines.too_long or not lines.told:
        raise Faulty("it is empty, in no encoding that is known, or has a line that is too long")
    yield b"".join(pieces)


def _unknown_tag(path: str, fault: Faulty) -> str:
    """Return the tag at which the parser stopped, if a reader of OBO may pass over it; else nothing.

    OBO 1.2 still has those of 1.0, and allows others, which are to be left alone.
    """
    if fault.column > 1 or not fault.line:
        return ""
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        for _ in islice(stream, fault.line - 1):
            pass
        # nobody has looked for the end of this one
        line = stream.readline(_LONGEST_TAG)
    tag = _TAG.match(line)
    return tag[1] if tag and tag[1] not in _TAGS else ""


class _Lines:
    """Read OBO as its parser wants it: UTF-8 without mark, ends of lines as LF, a last one, no lines of comment alone.

    The number of each line stays what it was.

    Attributes:
        told: Whether anything but blanks and comments was there.
        undecoded: Whether it ended at bytes that are not in its encoding; the parser would say something else of it.
        too_long: Whether it ended within a line that its parser had better not hold.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        encoding, mark = find_mark(stream.read(4))
        stream.seek(mark)
        self.told = self.undecoded = self.too_long = False
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding or "utf-8")("strict")
        self._text = ""
        self._ready = b""
        self._in_comment = False
        self._at_start = True
        self._ended = False
        self._length = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes."""
        while not self._ready and not self._ended:
            self._ready = self._bounded(self._step().encode())
        size = len(self._ready) if size < 0 else size
        found, self._ready = self._ready[:size], self._ready[size:]
        return found

    def _bounded(self, found: bytes) -> bytes:
        """Return what is read, and nothing any more once a line is too long."""
        end = found.rfind(b"\n")
        self._length = len(found) - end - 1 if end >= 0 else self._length + len(found)
        if self._length <= _LONGEST_LINE:
            return found
        self.too_long = self._ended = True
        return b""

    def _step(self) -> str:
        data = self._stream.read(_STEP)
        try:
            text = self._decoder.decode(data, not data)
        except UnicodeError:
            self.undecoded = self._ended = True
            return ""
        self._ended = not data
        text = self._text + text
        self._text = ""
        if text.endswith("\r") and not self._ended:
            # half an end of a line, maybe
            self._text, text = "\r", text[:-1]
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        # most texts have no lines of comment alone
        commented = self._in_comment or (self._at_start and text.startswith("!")) or "\n!" in text
        if commented:
            found = "".join(map(self._line, _ENDS.findall(text)))
        else:
            found = text
            self._at_start = text.endswith("\n") if text else self._at_start
        self.told = self.told or bool(found.strip())
        if self._ended and not self._at_start:
            found += "\n"
        return found

    def _line(self, line: str) -> str:
        """Return a line or a piece of one; of a comment the end alone."""
        if self._at_start:
            self._in_comment = line.startswith("!")
        whole = line.endswith("\n")
        self._at_start = whole
        if not self._in_comment:
            return line
        self._in_comment = not whole
        return "\n" if whole else ""

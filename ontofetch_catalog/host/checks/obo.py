"""The validator of OBO, by fastobo."""

from __future__ import annotations

import codecs
import os
from typing import IO

from ...content.byte_order import find_mark
from .verdicts import Faulty, NotJudged, Verdict, failed, not_judged, panics_named

_AHEAD = 32 << 20  # bytes
_STEP = 1 << 16


def check_obo(path: str, format: str) -> Verdict:  # noqa: A002 - the contract's word
    """Parse a file of OBO from its beginning to its end; details: `frames`, or `error` and where it is."""
    del format
    import fastobo

    frames = 0
    fault: Faulty | None
    with open(path, "rb") as stream:
        lines = _Lines(stream)
        try:
            # its threads read ahead without a bound: a large file would lie in memory as a whole
            with panics_named():
                for _ in fastobo.iter(lines, threads=1 if os.stat(path).st_size > _AHEAD else 0):
                    frames += 1
        except NotJudged as error:
            return not_judged(error)
        except SyntaxError as error:
            fault = Faulty(error.msg or str(error), error.lineno or 0, error.offset or 0)
        except (OSError, ValueError) as error:
            fault = Faulty(str(error))
        else:
            fault = None if lines.told else Faulty("it is empty")
    if lines.undecoded:
        return not_judged(NotJudged("it is not in UTF-8, and OBO does not say in which encoding it is"))
    return (True, {"frames": frames}) if fault is None else failed(fault, frames=frames)


class _Lines:
    """Read OBO as its parser wants it: UTF-8 without mark, ends of lines as LF, a last one, no lines of comment alone.

    The number of each line stays what it was.

    Attributes:
        told: Whether anything but blanks and comments was there.
        undecoded: Whether it ended at bytes that are not in its encoding; the parser would say something else of it.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        encoding, mark = find_mark(stream.read(4))
        stream.seek(mark)
        self.told = self.undecoded = False
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding or "utf-8")("strict")
        self._text = ""
        self._ready = b""
        self._in_comment = False
        self._at_start = True
        self._ended = False

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes."""
        while not self._ready and not self._ended:
            self._ready = self._step().encode()
        size = len(self._ready) if size < 0 else size
        found, self._ready = self._ready[:size], self._ready[size:]
        return found

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
        found = "".join(map(self._line, text.splitlines(keepends=True) if "!" in text or self._in_comment else [text]))
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

"""The encoding of a text as its first bytes show it: byte-order marks, and the zeros of UTF-16 and UTF-32."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT = 4096  # bytes in which a text has no zero


def find_mark(head: bytes) -> tuple[str, int]:
    """Return the encoding that a byte-order mark says and how many bytes the mark has, ("", 0) without one."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    return "", 0


def guess_wide(head: bytes) -> str:
    """Return the encoding of a text without a mark whose first character is ASCII and wider than a byte, else nothing.

    See the appendix F of XML 1.0.
    """
    match [byte != 0 for byte in head[:4]]:
        case [True, False, True, False] | [True, False]:
            return "utf-16-le"
        case [False, True, False, True] | [False, True]:
            return "utf-16-be"
        case [True, False, False, False]:
            return "utf-32-le"
        case [False, False, False, True]:
            return "utf-32-be"
    return ""


def as_utf8(head: bytes) -> bytes | None:
    """Return the first bytes of a text in UTF-8, without mark and leading white space; None for what is no text."""
    encoding, mark = find_mark(head)
    if not encoding and 0 in head[:4]:
        encoding = guess_wide(head)
    if encoding and encoding != "utf-8":
        return head[mark:].decode(encoding, "ignore").encode("utf-8", "ignore").lstrip()
    text = head[mark:].lstrip()
    return None if 0 in text[:_LOOKED_AT] else text

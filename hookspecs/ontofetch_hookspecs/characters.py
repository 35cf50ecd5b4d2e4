"""Which characters of a text from outside are shown as escapes: what is obeyed, and what can't be seen.

Where texts come from and where they are shown is not known here.
"""

from __future__ import annotations

import re

# controls; Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties); line and paragraph separators; marks of
# direction and of annotations; what is blank but no plain space; lone surrogates. It is written out, so that the same
# text is the same bytes with every Python: what is unassigned or private stays, a line for a person escapes that too
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

_SEEN = bytes(range(0x20, 0x7F))


def escape(text: str) -> str:
    r"""Return each character of `text` as the escape that Python writes for it, e.g. `\x1b`, `\u202e`."""
    return text.encode("unicode_escape", "backslashreplace").decode("ascii")


def escape_unseen(text: str, keep: str = "") -> str:
    """Return `text` with what is in UNSEEN, but not in `keep`, written as escapes."""
    # most texts are plain, and some are hundreds of megabytes: a search of those takes twenty times as long
    if text.isascii() and not text.encode().translate(None, _SEEN + keep.encode()):
        return text
    return UNSEEN.sub(lambda found: found[0] if found[0] in keep else escape(found[0]), text)


def printable(text: str) -> str:
    """Return `text` for a line that people read: with all that `str.isprintable` refuses, and UNSEEN, as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return escape_unseen("".join(ch if ch.isprintable() else escape(ch) for ch in text))

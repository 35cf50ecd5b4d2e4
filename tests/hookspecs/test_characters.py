"""What a reader can't see, or a terminal obeys, is an escape; letters of every script stay."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from ontofetch_hookspecs.characters import UNSEEN, escape_unseen, printable
from ontofetch_hookspecs.names import quote

# one of each kind: zero-width, marks of direction, joiners, soft hyphen, fillers, blanks, selectors, tags, separators
INVISIBLE = (
    *("\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\ufeff", "\u061c", "\xad", "\u034f", "\u115f"),
    *("\u1160", "\u17b4", "\u180b", "\u180e", "\u2061", "\u2064", "\u206a", "\u2800", "\u3164", "\uffa0", "\ufe00"),
    *("\ufe0f", "\U000e0001", "\U000e0041", "\U000e007f", "\U000e0100", "\U000e01ef", "\U0001d173", "\u2028", "\u2029"),
    *("\u202e", "\u2066", "\xa0", "\u2003", "\u202f", "\u205f", "\u3000", "\ufff9", "\x1b", "\x7f", "\x9b", "\ud800"),
)


@pytest.mark.parametrize("character", INVISIBLE, ids=[f"U+{ord(it):04X}" for it in INVISIBLE])
def test_the_invisible_is_shown(character: str) -> None:
    """In a line, in lines, and quoted in a sentence: its escape stands there, and it does not."""
    name = f"a{character}b.ttl"
    for shown in (printable(name), escape_unseen(name), quote(name)):
        assert character not in shown
        assert f"{ord(character):x}" in shown


def test_letters_of_every_script_stay() -> None:
    """What people write is shown as they wrote it."""
    for name in ("日本語", "Ünïcode", "हिन्दी", "العربية", "עברית", "Ω≈ç√", "e\u0301", "한국어", "🧬.ttl", "a b"):
        assert printable(name) == escape_unseen(name) == name


def test_every_format_character_is_escaped_in_a_line() -> None:
    """No control, format, separator or surrogate of Unicode is left in a line for people, but the plain space."""
    left = [
        f"U+{number:04X}"
        for number in range(sys.maxunicode + 1)
        if unicodedata.category(chr(number)) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")
        and number != ord(" ")
        and printable(chr(number)) == chr(number)
    ]
    assert left == []


def test_what_is_left_in_data_can_be_seen() -> None:
    """A format character that UNSEEN does not name has a shape of its own: signs before numbers, verse marks."""
    seen = {
        unicodedata.name(chr(number))
        for number in range(sys.maxunicode + 1)
        if unicodedata.category(chr(number)) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") and not UNSEEN.match(chr(number))
    }
    assert {name.split()[0] for name in seen} == {"SPACE", "ARABIC", "SYRIAC", "KAITHI"}

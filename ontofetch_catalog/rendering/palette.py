"""The one colour of each meaning and of each format, in charts, tables and pages, on light paper and on dark.

It knows names of meanings and formats and not what is drawn with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from ontofetch_hookspecs.light_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tone:
    """One colour.

    Args:
        light: On light paper; readable as text, contrast 4.5 or more.
        dark: The same on dark paper.
    """

    light: str
    dark: str


# the names are those of a terminal's colours, by which tables speak; `plain` is an amount that is neither good nor bad
GOOD, CAREFUL, BAD, MOVED, SOFT, PLAIN = "green", "yellow", "red", "cyan", "dim", "plain"
TONES = {
    GOOD: Tone("#1a7f37", "#4cbb66"),
    CAREFUL: Tone("#8a5a00", "#e0b050"),
    BAD: Tone("#c62828", "#ff7b72"),
    MOVED: Tone("#0b6e86", "#56c7e0"),
    SOFT: Tone("#59636e", "#939ca6"),
    PLAIN: Tone("#2a6fa8", "#6aaee0"),
}
PAPER, INK, LINE, BAND = (
    Tone("#ffffff", "#14181d"), Tone("#1f2328", "#dfe5ec"), Tone("#d8dee4", "#373e47"), Tone("#f6f8fa", "#1c2128"),
)  # fmt: skip
# what a word of ours means, wherever it stands
WORDS = {
    "ADDED": GOOD, "MODIFIED": CAREFUL, "RENAMED": MOVED, "REMOVED": BAD, "UNCHANGED": SOFT,
    "FIXED": GOOD, "NEW": MOVED, "REGRESSED": BAD, "passed": GOOD, "failed": BAD, "error": BAD, "warning": CAREFUL,
    "not judged": CAREFUL, "not validated": SOFT, "added": GOOD, "removed": BAD, "rewritten (churn)": CAREFUL,
    "obsoleted": CAREFUL, "moved": MOVED, "only here": SOFT, "in other releases too": PLAIN,
    "copies inside the release": CAREFUL, "yes": "", "incomplete": CAREFUL,
}  # fmt: skip
REST = TONES[SOFT].light
# middle tones, which stand out from light paper and from dark
_FORMATS = {
    "turtle": "#3d7fc4", "rdfxml": "#d1702a", "obo": "#3f9a5a", "jsonld": "#a8629e", "ntriples": "#1f9aa8",
    "owlxml": "#c4504f", "json": "#8a78c8", "text": "#8c8c8c", "csv": "#a08a2c", "tsv": "#6f9a3a", "xml": "#b06a4a",
    "obographs": "#c9679a",
}  # fmt: skip
# what became of terms; good, careful and bad are those of the tables
_TERM_CHANGES = {
    "added": TONES[GOOD].light, "removed": TONES[BAD].light, "obsoleted": TONES[CAREFUL].light,
    "moved": TONES[MOVED].light, "revived": "#6f9a3a", "merged": "#a8629e", "namespace": "#8a78c8",
    "relabelled": "#3d7fc4", "redefined": "#d1702a", "other": TONES[SOFT].light,
}  # fmt: skip
_OTHERS = ("#7a8fb8", "#b88a4a", "#5f9f8c", "#a4748a", "#7d9a52", "#9a7fd0", "#c07a60", "#4f93b8", "#a39a5c", "#8f6fa8")


def tone_of(word: str) -> Tone:
    """Return the colour of what a word means, that of a plain amount where it means nothing."""
    return TONES[WORDS.get(word) or PLAIN]


def format_colours(names: Sequence[str]) -> list[str]:
    """Return the colour of each format: the same wherever it is drawn; what sums up others is grey.

    Formats without a colour of their own get one by their name, the next that is free where two would share it.
    """
    return _colours(names, _FORMATS)


def term_change_colours(names: Sequence[str]) -> list[str]:
    """Return the colour of each kind of change of terms, likewise."""
    return _colours(names, _TERM_CHANGES)


def name_colours(names: Sequence[str]) -> list[str]:
    """Return the colour of each of some names that nobody here knows, such as those of validators, likewise."""
    return _colours(names, {})


def _colours(names: Sequence[str], known: Mapping[str, str]) -> list[str]:
    found: dict[str, str] = {}
    for name in sorted(set(names)):
        if name in known:
            found[name] = known[name]
        elif name.endswith(" others") or name == "unknown":
            found[name] = REST
        else:
            start = hashlib.sha256(name.encode("utf-8", "replace")).digest()[0]
            turn = [_OTHERS[(start + step) % len(_OTHERS)] for step in range(len(_OTHERS))]
            found[name] = next((colour for colour in turn if colour not in found.values()), turn[0])
    return [found[name] for name in names]


def css_variables() -> str:
    """Return all colours of meanings as variables of CSS, for light paper and for dark."""
    named = {"paper": PAPER, "ink": INK, "line": LINE, "band": BAND, "soft": TONES[SOFT], **TONES}
    light = " ".join(f"--{name}: {tone.light};" for name, tone in named.items())
    dark = " ".join(f"--{name}: {tone.dark};" for name, tone in named.items())
    return (
        f":root {{ color-scheme: light dark; {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )

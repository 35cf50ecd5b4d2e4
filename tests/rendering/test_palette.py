"""Colours can be read on light paper and on dark, and mean one thing."""

from __future__ import annotations

import pytest

from ontofetch_catalog.rendering.palette import BAND, INK, PAPER, REST, TONES, Tone, format_colours, tone_of


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("tone", [INK, *TONES.values()])
def test_words_are_readable(tone: Tone) -> None:
    """Each colour of a meaning has the contrast of text, also on the band below a row."""
    for paper in (PAPER, BAND):
        assert contrast(tone.light, paper.light) >= 4.5
        assert contrast(tone.dark, paper.dark) >= 4.5


def test_formats_stand_out_and_keep_their_colour() -> None:
    """A format has one colour in whatever company; what sums up others is grey; ten strangers are told apart."""
    known = ["turtle", "rdfxml", "obo", "jsonld", "3 others", "unknown"]
    assert format_colours(known)[0] == format_colours(["turtle"])[0] == format_colours(["zip", "turtle"])[1]
    assert format_colours(known)[-2:] == [REST, REST]
    strangers = format_colours([f"format-{number}" for number in range(10)])
    assert len(set(strangers)) == 10
    for colour in [*format_colours(known), *strangers]:
        assert contrast(colour, PAPER.light) >= 2.5
        assert contrast(colour, PAPER.dark) >= 2.5


def test_one_meaning_has_one_colour() -> None:
    """What passed, was added or was fixed is of one colour, in a chart as in a table."""
    assert tone_of("added") == tone_of("ADDED") == tone_of("passed") == tone_of("FIXED")
    assert tone_of("removed") == tone_of("REMOVED") == tone_of("failed")

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ontofetch_catalog.rendering import text
from ontofetch_hookspecs.characters import UNSEEN


@given(st.text())
def test_safe_text_prints_only_what_is_printable(hostile: str) -> None:
    """Whatever a name contains, what is shown of it holds nothing a terminal obeys; a harmless name stays as it is."""
    shown = text.safe_text(hostile)
    assert shown.isprintable()
    assert UNSEEN.search(shown) is None
    assert (shown == hostile) == (hostile.isprintable() and UNSEEN.search(hostile) is None)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("a\nb", "a\\nb"),
        ("\x9b5n", "\\x9b5n"),
        ("\ud800", "\\ud800"),
        ("日本語 ü", "日本語 ü"),
    ],
)
def test_safe_text_writes_escapes(hostile: str, shown: str) -> None:
    """Control characters, bidi marks and lone surrogates appear as escapes; letters of any script stay."""
    assert text.safe_text(hostile) == shown


def test_safe_lines_keeps_line_ends() -> None:
    """Rows on a terminal keep their line ends and tabs while everything else harmful is escaped."""
    assert text.safe_lines("a\tb\n\x1b]0;x\x07\u2066") == "a\tb\n\\x1b]0;x\\x07\\u2066"


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (1024**2, "1.0 MiB"),
        (-3 * 1024**3, "-3.0 GiB"),
        (2**63 - 1, "8.0 EiB"),
    ],
)
def test_human_size_uses_binary_units(size: int, shown: str) -> None:
    """Sizes are shown in powers of 1,024 with one decimal and never as 1024.0 of a unit."""
    assert text.human_size(size) == shown


def test_signed_numbers_carry_a_plus() -> None:
    """Growth shows its sign, no growth has none."""
    assert [text.human_size(size, signed=True) for size in (2048, 0, -1)] == ["+2.0 KiB", "0 B", "-1 B"]
    assert [text.whole_number(count, signed=True) for count in (1234, 0, -5)] == ["+1,234", "0", "-5"]


def test_times_are_utc() -> None:
    """A time with a zone is turned into UTC, one without is UTC already, a date stays a date."""
    there = datetime(2026, 1, 2, 1, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    assert text.utc_time(there) == "2026-01-01T23:00:05Z"
    assert text.utc_time(datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=UTC).replace(tzinfo=None)) == "2026-01-02T03:04:05Z"
    assert text.utc_time(date(2026, 1, 2)) == "2026-01-02"


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"]), max_size=60), st.integers(0, 40))
def test_shortened_text_fits(path: str, width: int) -> None:
    """A shortened text takes at most the cells it may; one that fits is left alone."""
    for shorten in (text.shorten_middle, text.shorten_end):
        short = shorten(path, width)
        assert cell_len(short) <= width
        if cell_len(path) <= width:
            assert short == path


def test_paths_are_shortened_in_the_middle() -> None:
    """Both the start of a path and the name of the file at its end stay readable."""
    assert text.shorten_middle("brick/ontologies/1.3/deep/deep/Brick.ttl", 24) == "brick/o…p/deep/Brick.ttl"
    assert text.shorten_end("expected a colon, found a dot", 12) == "expected a …"

from __future__ import annotations

import re
import time

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontofetch_catalog.rendering.markdown import as_markdown, code, escape
from ontofetch_hookspecs import Look

HOSTILE = [
    "a|b",
    "`x`",
    "<img src=x>",
    "[l](http://x.org)",
    "\x1b[31m",
    "a\nb",
    "@you",
    " ",
    "``",
    "back\\slash|",
    "\\|",
    "\\\\|",
]


def test_a_frame_is_a_table_with_aligned_numbers() -> None:
    """Headings, alignment, human sizes, paths as code, and the number of rows that are left out."""
    frame = pl.DataFrame({"relpath": ["a/b_c.ttl", "d"], "size_bytes": [2048, 1], "format": ["turtle", "csv"]})
    assert as_markdown({"files": frame}, Look(titles={"files": "largest *files*"}), rows=1) == (
        "## largest \\*files\\*\n\n"
        "| relpath | size | format |\n"
        "| --- | ---: | --- |\n"
        "| `a/b_c.ttl` | 2.0 KiB | turtle |\n\n"
        "… and 1 more (--top 2, or --format json)\n"
    )


def test_sections_and_records() -> None:
    """A record is a table of names and values; an empty section says so; sections that are not shown are not there."""
    frames = {
        "rows": pl.DataFrame({"a": []}),
        "sums": pl.DataFrame({"net_bytes": [-5]}),
        "more": pl.DataFrame({"b": [1]}),
    }
    look = Look(records=["sums"], order=["sums"], left_out=["more"])
    assert as_markdown(frames, look) == "## sums\n\n| | |\n|---|---|\n| net | -5 B |\n\n## rows\n\nnothing\n"


def bars_of(line: str) -> int:
    """Count the bars at which GitHub splits a row: a backslash takes the next character with it."""
    return [found[0] for found in re.finditer(r"\\.|\|", line)].count("|")


def test_names_stay_in_their_cell_and_are_no_markup() -> None:
    """Whatever a file is called, its row has as many cells as the header, and the name stands in a code span."""
    frame = pl.DataFrame({"relpath": HOSTILE, "files": [1] * len(HOSTILE)})
    lines = as_markdown({"files": frame}, Look()).splitlines()
    assert len(lines) == len(HOSTILE) + 2
    for line in lines[2:]:
        assert line.startswith("| `")
        assert "\x1b" not in line
        assert bars_of(line) == 3


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_code_span_ends_where_it_should(text: str) -> None:
    """The fence is longer than any run of backticks inside."""
    span = code(text)
    fence = re.match("`+", span)
    assert fence
    inside = span[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inside)
    assert bars_of(span) == 0


@pytest.mark.parametrize("text", ["\\" * 200_000, "\\|" * 100_000, "`" * 200_000, "`a" * 100_000, "| " * 100_000])
def test_a_long_cell_takes_time_by_its_length(text: str) -> None:
    """A text that is made for slow patterns is escaped at once: in the square of its length it would take minutes."""
    start = time.process_time()
    assert len(code(text)) + len(escape(text)) >= 2 * len(text)
    assert time.process_time() - start < 20

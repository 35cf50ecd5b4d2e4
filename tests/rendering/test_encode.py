from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.rendering import encode
from ontofetch_catalog.rendering.markdown import as_markdown
from ontofetch_catalog.rendering.pages import as_page
from ontofetch_catalog.rendering.tables import draw
from ontofetch_hookspecs import Look
from ontofetch_hookspecs.characters import UNSEEN, escape_unseen

NOON = datetime(2026, 1, 2, 12, 0, 0, 250, tzinfo=UTC)


def frame_of(*names: str | None) -> pl.DataFrame:
    """Return a frame of paths."""
    return pl.DataFrame({"relpath": list(names)}, schema={"relpath": pl.String})


def test_arrow_becomes_a_frame_in_utc() -> None:
    """A naive time is UTC and a sum that DuckDB returns as a decimal is a whole number."""
    table = pa.table(
        {
            "at": pa.array([NOON.replace(tzinfo=None)], pa.timestamp("us")),
            "total": pa.array([Decimal(7)], pa.decimal128(38, 0)),
        }
    )
    expected = pl.DataFrame({"at": [NOON], "total": [7]}, schema={"at": pl.Datetime("us", "UTC"), "total": pl.Int64})
    assert_frame_equal(encode.to_frame(table), expected)


def test_json_has_rows_sections_and_parameters() -> None:
    """One object carries the main rows, every section by name where there are several, and the parameters."""
    frame = pl.DataFrame({"files": [1, None], "at": [NOON, None], "day": [date(2026, 1, 2), None]})
    one = json.loads(encode.as_json({"main": frame}, {"a": "obo/hp/1", "since": date(2026, 1, 1)}))
    row = {"files": 1, "at": "2026-01-02T12:00:00.000250Z", "day": "2026-01-02"}
    rows = [row, {"files": None, "at": None, "day": None}]
    assert one == {"rows": rows, "parameters": {"a": "obo/hp/1", "since": "2026-01-01"}}
    two = json.loads(encode.as_json({"main": frame, "empty": frame.clear()}, {}))
    assert two == {"rows": rows, "sections": {"main": rows, "empty": []}, "parameters": {}}


def test_many_rows_are_written_in_parts() -> None:
    """Nothing is lost where a part ends, each is harmless, and no more is in hand than the document and its parts."""
    names = [f"data/{number}" for number in range(2 * encode.ROWS_AT_ONCE)] + ["\u200b", "\x7f"]
    frame = frame_of(*names)
    lines = encode.as_jsonl(frame).decode()
    assert [json.loads(line)["relpath"] for line in lines.split("\n")[:-1]] == names
    assert UNSEEN.search(lines.replace("\n", "")) is None
    tracemalloc.start()
    try:
        document = encode.as_json({"main": frame, "again": frame}, {})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    rows = frame.to_dicts()
    assert json.loads(document) == {"rows": rows, "sections": {"main": rows, "again": rows}, "parameters": {}}
    assert most < 2.2 * len(document)
    table = list(csv.reader(io.StringIO(encode.as_csv(frame).decode())))
    assert table == [["relpath"], *([name] for name in names[:-2]), ["\\u200b"], ["\\x7f"]]


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])))))
def test_json_lines_round_trip_and_are_harmless(names: list[str | None]) -> None:
    """Any text comes back from jsonl as it was, and its lines hold nothing that a terminal obeys."""
    data = encode.as_jsonl(frame_of(*names)).decode()
    assert [json.loads(line)["relpath"] for line in data.split("\n")[:-1]] == names
    assert UNSEEN.search(data.replace("\n", "")) is None


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])))))
def test_csv_holds_no_formula(names: list[str | None]) -> None:
    """No text field starts like a formula; one that would gets an apostrophe, and what is unseen becomes an escape."""
    data = encode.as_csv(frame_of(*names, "end")).decode()
    fields = [row[0] if row else "" for row in csv.reader(io.StringIO(data, newline=""))][1:]
    assert not [field for field in fields if field.startswith(("=", "+", "-", "@", "\t", "\r"))]
    shown = [escape_unseen(name or "", keep="\n\t") for name in (*names, "end")]
    assert [field.removeprefix("'") for field in fields] == [name.removeprefix("'") for name in shown]


def test_csv_leaves_numbers_alone() -> None:
    """A negative number is a number, null is empty, an empty text is quoted."""
    frame = pl.DataFrame({"change": ["-1", None, ""], "net_bytes": [-1, None, 3], "at": [NOON, None, None]})
    assert encode.as_csv(frame).decode() == ('change,net_bytes,at\n\'-1,-1,2026-01-02T12:00:00.000250Z\n,,\n"",3,\n')


def test_csv_refuses_nested_columns() -> None:
    """Lists do not fit into csv and the error says what to type instead."""
    with pytest.raises(UsageError, match="jsonl"):
        encode.as_csv(pl.DataFrame({"names": [["a"]]}))


def test_labels_are_guarded_and_spelled_as_text() -> None:
    """Categorical text is text in csv and json."""
    frame = pl.DataFrame({"format": ["=turtle"]}, schema={"format": pl.Categorical()})
    assert encode.as_csv(frame) == b"format\n'=turtle\n"
    assert encode.as_jsonl(frame) == b'{"format":"=turtle"}\n'


def test_parquet_is_the_same_for_the_same_rows() -> None:
    """Two frames with the same rows, in other chunks, become the same bytes, and these become the same frame."""
    whole = pl.DataFrame({"format": ["obo", "owl"], "at": [NOON, None]}, schema_overrides={"format": pl.Categorical()})
    pieces = pl.concat([whole[:1], whole[1:]], rechunk=False)
    data = encode.as_parquet(whole)
    assert data == encode.as_parquet(pieces)
    assert_frame_equal(pl.scan_parquet(io.BytesIO(data)).collect(), whole)


@pytest.mark.parametrize(
    "character", ["\u200b", "\u200f", "\u2060", "\ufeff", "\xad", "\u3164", "\U000e0041", "\ufe0f"]
)
@pytest.mark.parametrize("place", ["a{}b", "{}=1+1", "{}", "a\n{}"])
def test_the_unseen_is_seen_in_all_that_people_read(character: str, place: str) -> None:
    """Tables, pages, Markdown and csv show an escape, in cells and headings; json and parquet carry the exact text."""
    name = place.format(character)
    frame = pl.DataFrame({"relpath": [name], f"head{character}": ["x"]})
    escaped = escape_unseen(character)
    shown = {
        "table": draw({"main": frame}, Look(), rows=None, exact=False, width=200, colour=False),
        "markdown": as_markdown({"main": frame}, Look()),
        "html": as_page({"main": frame}, Look(), title=name, parameters={"asked": name}),
        "csv": encode.as_csv(frame).decode(),
    }
    for kind, words in shown.items():
        assert character not in words, kind
        assert words.replace("\\\\", "\\").count(escaped) >= 2, kind
    assert json.loads(encode.as_jsonl(frame))["relpath"] == name
    assert json.loads(encode.as_json({"main": frame}, {"asked": name}))["rows"][0]["relpath"] == name
    assert pl.read_parquet(io.BytesIO(encode.as_parquet(frame)))["relpath"].item() == name
    for data in (encode.as_jsonl(frame), encode.as_json({"main": frame}, {"asked": name})):
        assert character not in data.decode()


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A0", "+1", "-1", "@SUM(A1)", "\uff1d1"])
def test_a_heading_of_csv_is_no_formula(name: str) -> None:
    """The name of a column, which a joined list may bring, is guarded like a cell."""
    header = next(csv.reader(io.StringIO(encode.as_csv(pl.DataFrame({name: [1]})).decode())))
    assert header == [f"'{name}"]


def test_a_heading_is_no_command_of_a_terminal() -> None:
    """A name of a column that holds an escape sequence or a line end is shown, not obeyed."""
    frame = pl.DataFrame({"a\x1b]0;b\x07\nc": ["1", "2"]})
    for words in (
        draw({"main": frame}, Look(), rows=None, exact=False, width=200, colour=False),
        as_markdown({"main": frame}, Look()),
    ):
        assert "\x1b" not in words
        assert len(words.strip().splitlines()) == 4

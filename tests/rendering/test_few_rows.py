from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from ontofetch_catalog.rendering.encode import to_frame
from ontofetch_catalog.rendering.few_rows import FewRows
from ontofetch_catalog.rendering.tables import draw
from ontofetch_hookspecs import Look, Table

AT = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - as DuckDB has it: UTC
TYPES: dict[str, type] = {"slot": str, "latest": str, "set_at": datetime, "size_bytes": int, "net_bytes": int}
ROWS = [
    ("obo/hp", "1", AT, 2048, -7),
    ("obo/\x1b[31mmo\u202e", None, None, None, 3),
    ("漢字/" + "deep/" * 20, "ab" * 32, AT.replace(tzinfo=UTC), 2**40, 0),
]


@pytest.mark.parametrize("width", [1_000, 80, 30])
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("rows", [None, 2])
def test_they_are_drawn_as_arrow_is(width: int, exact: bool, rows: int | None) -> None:
    """Few rows of Python and the same rows in Arrow are the same table, whatever is in them."""
    few = FewRows(TYPES, ROWS)
    drawn = [
        draw({"series": table}, Look(), rows=rows, exact=exact, width=width, colour=False)
        for table in (few, few.as_arrow())
    ]
    assert drawn[0] == drawn[1]
    assert "obo/hp" in drawn[0]


def test_without_rows_nothing_is_drawn() -> None:
    """No row is no table, as it is of Arrow."""
    few = FewRows(TYPES, [])
    assert len(few) == 0
    assert draw({"series": few}, Look(), rows=20, exact=False, width=80, colour=False) == ""
    assert few.as_arrow().column_names == list(TYPES)


def test_whoever_wants_arrow_gets_it() -> None:
    """They are a table of the contract: read any number of times, times in UTC."""
    few = FewRows(TYPES, ROWS)
    assert isinstance(few, Table)
    found = pa.table(few)
    assert found.schema.field("set_at").type == pa.timestamp("us", "UTC")
    assert found.column("size_bytes").to_pylist() == [2048, None, 2**40]
    assert_frame_equal(to_frame(few), to_frame(found))
    assert few.slice(1, 1)["latest"].to_pylist() == [None]


def test_objects_for_programs_are_left_out_as_of_arrow() -> None:
    """A column of JSON objects is not shown to people, a sentence of the same name is."""
    for values, shown in ((["{}", None], False), (["why", "{}"], True)):
        few = FewRows({"slot": str, "details": str}, [("a/b", value) for value in values])
        drawn = draw({"series": few}, Look(), rows=20, exact=False, width=80, colour=False)
        assert drawn == draw({"series": few.as_arrow()}, Look(), rows=20, exact=False, width=80, colour=False)
        assert ("details" in drawn) is shown

"""Growth over a series against recounts by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from ontofetch_catalog.errors import UsageError, VersionUnknown

pytestmark = pytest.mark.usefixtures("quick_databases")

HISTORY = [
    (date(2026, 1, 5), "1.9", {"a": b"1"}),
    (date(2026, 1, 5), "1.10", {"a": b"1", "b": b"22"}),  # the same day
    (date(2026, 2, 20), "1.11", {"a": b"333", "b": b"22"}),
    (date(2026, 5, 1), "2.0", {"c/b": b"22"}),  # two months without any
]


def add_history(shelf: Any) -> None:
    """Record the releases, not in their order."""
    for released, version, files in [HISTORY[2], HISTORY[0], HISTORY[3], HISTORY[1]]:
        shelf.add(f"s/o/{version}", files, released=released)


def test_a_time_line_compares_each_release_with_the_one_before(shelf: Any) -> None:
    """Release order counts, not the order of recording; the first release has nothing to be compared with."""
    add_history(shelf)
    report = shelf.catalog.growth(series="o")
    columns = (
        "version_id",
        "files",
        "size_bytes",
        "added",
        "removed",
        "modified",
        "renamed",
        "net_bytes",
        "churn_bytes",
    )
    assert report["timeline"].select(columns).rows() == [
        ("s/o/1.9", 1, 1, None, None, None, None, None, None),
        ("s/o/1.10", 2, 3, 1, 0, 0, 0, 2, 0),
        ("s/o/1.11", 2, 5, 0, 0, 1, 0, 2, 3),
        ("s/o/2.0", 1, 2, 0, 1, 0, 1, -3, 0),
    ]
    assert report["timeline"]["release_time"].to_list() == [
        datetime(day.year, day.month, day.day, tzinfo=UTC) for day, _, _ in HISTORY
    ]
    assert report.parameters == {"series": "s/o", "last": None, "every": None, "times": "released"}


def test_each_step_is_the_growth_of_its_pair(shelf: Any) -> None:
    """A row of the time line says the same as the report for its two releases."""
    add_history(shelf)
    for row in shelf.catalog.growth(series="o")["timeline"].rows(named=True)[1:]:
        pair = shelf.catalog.growth(b=row["version_id"])["summary"].rows(named=True)[0]
        same = set(row) & set(pair)
        assert {name: row[name] for name in same} == {name: pair[name] for name in same}
        assert len(same) >= 10


def test_the_last_releases_keep_their_comparison(shelf: Any) -> None:
    """`last` leaves older releases out, and the first one shown is still compared with the one before it."""
    add_history(shelf)
    whole = shelf.catalog.growth(series="o")["timeline"]
    assert_frame_equal(shelf.catalog.growth(last=2)["timeline"], whole.tail(2))
    assert_frame_equal(shelf.catalog.growth(last="99")["timeline"], whole)


def test_months_have_no_gaps(shelf: Any) -> None:
    """Months without a release are there with no change; several releases of a day or month add up."""
    add_history(shelf)
    bins = shelf.catalog.growth(series="o", every="month")["bins"]
    columns = ("start", "releases", "version_id", "files", "size_bytes", "added", "net_bytes", "churn_bytes")
    assert bins.select(columns).rows() == [
        (datetime(2026, 1, 1, tzinfo=UTC), 2, "s/o/1.10", 2, 3, 1, 2, 0),
        (datetime(2026, 2, 1, tzinfo=UTC), 1, "s/o/1.11", 2, 5, 0, 2, 3),
        (datetime(2026, 3, 1, tzinfo=UTC), 0, "s/o/1.11", 2, 5, 0, 0, 0),
        (datetime(2026, 4, 1, tzinfo=UTC), 0, "s/o/1.11", 2, 5, 0, 0, 0),
        (datetime(2026, 5, 1, tzinfo=UTC), 1, "s/o/2.0", 1, 2, 0, -3, 0),
    ]


def test_weeks_start_on_monday(shelf: Any) -> None:
    """Every week from the first release to the last is a row."""
    add_history(shelf)
    bins = shelf.catalog.growth(series="o", every="week")["bins"]
    starts = bins["start"].to_list()
    assert (starts[0], starts[-1]) == (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 4, 27, tzinfo=UTC))
    assert {start.weekday() for start in starts} == {0}
    assert len(starts) == 17
    assert bins["releases"].sum() == 4


def test_without_all_release_dates_recording_counts(shelf: Any) -> None:
    """If one release of the series has no date, the times are those of recording for all of them."""
    shelf.add("s/o/1", {}, released=date(2020, 1, 1))
    shelf.add("s/o/2", {})
    times = shelf.catalog.growth(series="o")["timeline"]["release_time"].to_list()
    assert times == [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)] * 2


def test_formats_are_given_per_release(shelf: Any) -> None:
    """What a chart of formats needs is there: files and bytes per release and format."""
    shelf.add("s/o/1", {"a.ttl": b"1", "b.obo": b"22"})
    shelf.add("s/o/2", {"a.ttl": b"1"})
    found = shelf.catalog.growth(series="o")["formats"].select("version_id", "format", "files", "size_bytes").rows()
    assert found == [("s/o/1", "obo", 1, 2), ("s/o/1", "turtle", 1, 1), ("s/o/2", "turtle", 1, 1)]


def test_wrong_questions_are_sentences(shelf: Any) -> None:
    """A time line has no A and B, a count is a count, and a series must be there."""
    shelf.add("s/o/1", {})
    with pytest.raises(UsageError, match="Leave out --a"):
        shelf.catalog.growth("1", series="o")
    with pytest.raises(UsageError, match="--last is a whole number"):
        shelf.catalog.growth(last="0")
    with pytest.raises(UsageError, match="week, month"):
        shelf.catalog.growth(series="o", every="day")
    with pytest.raises(VersionUnknown):
        shelf.catalog.growth(series="nothing")


def test_a_time_of_recording_is_never_shown_as_a_release_date(shelf: Any) -> None:
    """Where a release has no date the column is headed by what it holds, and the parameters say so."""
    add_history(shelf)
    assert "released" in shelf.catalog.growth(series="o").as_table(width=200)
    shelf.add("s/o/3.0", {"a.ttl": b"abc"})
    report = shelf.catalog.growth(series="o")
    assert report.parameters["times"] == "recorded"
    shown = report.as_table(width=200) + report.as_html(plots=False)
    assert "recorded" in shown
    assert "released" not in shown

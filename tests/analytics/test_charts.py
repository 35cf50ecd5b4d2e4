"""Charts show the numbers of their report."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import date
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.rendering.figures import draw

pytestmark = pytest.mark.usefixtures("quick_databases")

OLD = {"a/x.ttl": (b"1" * 3000, {"rdf": True}), "b/y.obo": (b"2" * 500, {"obo": False}), "z": b"3"}
NEW = {"a/x.ttl": (b"1" * 5000, {"rdf": True}), "b/w.obo": (b"4" * 900, {"obo": True}), "q": b"3333", "z": b"3"}


@pytest.fixture
def catalog(shelf: Any) -> Any:
    """Return a catalog with three releases of one series and one of another."""
    shelf.add("s/o/0.9", OLD, released=date(2025, 1, 3))
    shelf.add("s/o/0.10", NEW, released=date(2025, 1, 3))
    shelf.add("s/o/0.11", NEW, released=date(2025, 4, 1), latest=True)
    shelf.add("t/p/1", OLD, latest=True)
    return shelf.catalog


def rows_of(chart: Any) -> list[dict[str, Any]]:
    """Return the data of a chart, wherever it stands."""
    here = [chart["data"]["values"]] if "values" in chart.get("data", {}) else []
    here += chart.get("datasets", {}).values()
    inner = [rows_of(layer) for layer in chart.get("layer", [])]
    return list(itertools.chain(*here, *inner))


def test_latest_shows_bytes_by_format(catalog: Any) -> None:
    """One release is a bar per format, several are one stacked bar each; both have the bytes of the report."""
    (one,) = catalog.latest("s/o/0.11").charts()
    assert {row["format"]: row["amount"] * 1024 for row in rows_of(one)} == {"turtle": 5000, "obo": 900, "unknown": 5}
    (several,) = catalog.latest().charts()
    assert sum(row["amount"] * 1024 for row in rows_of(several)) == pytest.approx(5905 + 3501)
    assert {row["label"] for row in rows_of(several)} == {"s/o/0.11", "t/p/1"}


def test_growth_shows_net_bytes(catalog: Any) -> None:
    """Each format has its net growth, in the unit of the axis and in words."""
    (chart,) = catalog.growth("s/o/0.9", "s/o/0.10").charts()
    shown = {row["format"]: row["shown"] for row in rows_of(chart)}
    assert shown == {"turtle": "+2.0 KiB", "obo": "+400 B", "unknown": "+4 B"}
    assert "churn of 4.9 KiB apart" in chart["title"]
    assert catalog.growth("s/o/0.10", "s/o/0.11").charts() == []


def test_a_time_line_shows_what_releases_hold_and_what_changed(catalog: Any) -> None:
    """Releases stand in their order, removed bytes below the line, also where the first has nothing before it."""
    held, changed = catalog.growth(series="s/o").charts()
    assert sum(row["amount"] for row in rows_of(held) if row["label"] == "0.9") * 1024 == pytest.approx(3501)
    assert {row["kind"]: row["shown"] for row in rows_of(changed) if row["label"] == "0.10"} == {
        "added": "904 B",
        "removed": "-500 B",
        "rewritten (churn)": "4.9 KiB",
    }
    assert changed["encoding"]["x"]["scale"]["domain"] == ["0.9", "0.10", "0.11"]
    by_month, _ = catalog.growth(series="s/o", every="month").charts()
    assert [row["releases"] for row in rows_of(by_month)][:4] == [2, 0, 0, 1]


def test_validation_shows_outcomes_and_history(catalog: Any) -> None:
    """Results by validator; with a history the rates of each release come first; without results all files."""
    rates, failures, outcomes = catalog.validation("s/o/0.10", last=2).charts()
    assert [(row["label"], row["validator"], row["pass_rate"]) for row in rows_of(rates)] == [
        ("0.9", "obo", 0.0),
        ("0.9", "rdf", 1.0),
        ("0.10", "obo", 1.0),
        ("0.10", "rdf", 1.0),
    ]
    assert rows_of(failures) == rows_of(rates)
    assert {(row["validator"], row["outcome"]): row["results"] for row in rows_of(outcomes)}["obo", "passed"] == 1
    (files,) = catalog.validation("s/o/0.9", by="path").charts()
    assert [(row["outcome"], row["results"]) for row in rows_of(files)] == [
        ("passed", 1),
        ("failed", 1),
        ("not judged", 0),
        ("not validated", 1),
    ]


def test_hotspots_show_bars_and_the_curve(catalog: Any) -> None:
    """The curve starts at nothing and ends with everything."""
    bars, curve = catalog.hotspots("format", version="s/o").charts()
    assert [row["format"] for row in rows_of(bars)][:3] == ["turtle", "obo", "unknown"]
    points = [row for row in rows_of(curve) if "format" in row]
    assert (points[0]["cumulative_share"], points[-1]["cumulative_share"]) == (0.0, 1.0)
    assert catalog.hotspots("format", metric="failures", version="s/o/0.11").charts() == []


def test_duplicates_show_where_copies_are(catalog: Any) -> None:
    """The three parts of a release sum up to its bytes."""
    (chart,) = catalog.duplicates("s/o").charts()
    sums: dict[str, float] = defaultdict(float)
    for row in rows_of(chart):
        sums[row["label"]] += row["amount"] * 1024
    assert sums == {"0.9": pytest.approx(3501), "0.10": pytest.approx(5905), "0.11": pytest.approx(5905)}


def test_every_chart_can_be_drawn(catalog: Any) -> None:
    """Vega accepts each specification and draws something, as a picture of its own and among others."""
    results = [
        catalog.latest(),
        catalog.growth("s/o/0.9", "s/o/0.10", by="folder"),
        catalog.growth(series="s/o", every="week"),
        catalog.validation("s/o/0.10", last=2),
        catalog.hotspots("folder"),
        catalog.duplicates(),
    ]
    charts = [chart for result in results for chart in result.charts()]
    tree = ET.fromstring(draw(charts, "svg", "t"))
    titles = {"".join(element.itertext()) for element in tree.iter() if element.tag.endswith("text")}
    assert {chart["title"] for chart in charts} <= titles
    assert results[0].as_html().count("<svg") == 1


def test_many_groups_become_others_and_names_are_harmless(shelf: Any) -> None:
    """The smallest groups are summed up; a name with an escape sequence is spelled."""
    files = {f"\x1b[31m{n:02}{'deep/' * 20}/x": b"1" * (n + 1) for n in range(20)}
    shelf.add("s/o/1", files, latest=True)
    bars, _ = shelf.catalog.hotspots("folder").charts()
    rows = rows_of(bars)
    assert rows[-1]["folder"] == "8 others"
    assert sum(row["amount"] for row in rows) == sum(range(1, 21))
    assert all(len(row["folder"]) <= 44 and "\x1b" not in row["folder"] for row in rows)


def test_nothing_to_draw_is_a_sentence(shelf: Any) -> None:
    """Asked for a plot of nothing, a report says so."""
    shelf.add("s/o/1", {}, latest=True)
    with pytest.raises(UsageError, match="Report latest has nothing to draw"):
        shelf.catalog.latest().as_plot()
    assert "<svg" not in shelf.catalog.latest().as_html()

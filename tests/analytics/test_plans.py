"""The plans of the reports: they do the same for fifty releases or series as for five, in DuckDB and in Polars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest

from ontofetch_catalog.analytics import Catalog
from ontofetch_catalog.analytics.sources.catalog import CatalogReader
from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.profile import Profiler
from ontofetch_catalog.catalog.repo import home, stats
from tests.analytics.conftest import OpenShelf

FEW, MANY = 5, 50
# report, and its parameters; SERIES is that of FEW or of MANY releases
SERIES = "SERIES"
OVER_RELEASES: list[tuple[str, dict[str, Any]]] = [
    ("latest", {"version": SERIES}),
    ("growth", {"series": SERIES}),
    ("growth", {"series": SERIES, "every": "week"}),
    ("growth", {"series": SERIES, "every": "month", "last": 40}),
    *(("growth", {"b": f"{SERIES}/latest", "by": by}) for by in ("path", "format", "folder")),
    *(("validation", {"version": f"{SERIES}/latest", "by": by, "last": 40}) for by in ("validator", "format", "path")),
    ("validation", {"version": f"{SERIES}/latest", "against": f"{SERIES}/0", "last": 40}),
    *(("hotspots", {"by": by, "version": SERIES}) for by in ("service", "host", "folder", "format", "extension")),
    ("duplicates", {"version": SERIES}),
]
OVER_SERIES: list[tuple[str, dict[str, Any]]] = [("latest", {}), ("hotspots", {}), ("duplicates", {})]


class Observed:
    """A source of reports that keeps the plans of both engines."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.profiler = Profiler()

    @contextmanager
    def open(self) -> Iterator[CatalogReader]:
        """Be a source of reports."""
        yield CatalogReader(self.profiler.watch(self.connection))


def sizes(connection: Any, name: str, parameters: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Return how many operators each query of a report has in DuckDB, and how many lines each plan of Polars."""
    told: list[str] = []
    source = Observed(connection)
    Catalog(source, told.append).report(name, **parameters)
    return operators(source.profiler), polars_lines(told)


def operators(profiler: Profiler) -> list[int]:
    """Return how many operators each query has; without projections, which depend on how a join begins."""
    return [sum(found.name != "PROJECTION" for found in profile.operators) for profile in profiler.profiles]


def polars_lines(told: list[str]) -> list[int]:
    """Return how many lines each plan of Polars has."""
    return [len(text.splitlines()) for text in told if text.startswith("-- polars, ")]


def of_series(parameters: dict[str, Any], slot: str) -> dict[str, Any]:
    """Return parameters with the name of a series in them."""
    return {key: value.replace(SERIES, slot) if isinstance(value, str) else value for key, value in parameters.items()}


def add_series(shelf: Any, slot: str, releases: int) -> None:
    """Record a series whose releases change, rename and validate files."""
    for number in range(releases):
        files = {
            "a/x.ttl": (b"x" * number, {"rdf": number % 3 > 0}, "why"),
            f"b/{number}.obo": b"moves",
            f"c/{number % 2}.owl": (b"22", {"rdf": True, "shape": True}),
        }
        day = date(2025, 1, 1) + timedelta(days=3 * number)
        shelf.add(f"{slot}/{number}", files, released=day, latest=number == releases - 1)


@pytest.fixture(scope="module")
def long_series(open_shelf: Any) -> Any:
    """Return a store with a series of FEW releases and one of MANY."""
    add_series(open_shelf, "s/few", FEW)
    add_series(open_shelf, "s/many", MANY)
    return open_shelf


@pytest.fixture(scope="module")
def many_series(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[OpenShelf]]:
    """Return a store with FEW series of two releases and one with MANY."""
    shelves = []
    for count in (FEW, MANY):
        shelves.append(OpenShelf(tmp_path_factory.mktemp("series") / "store"))
        for number in range(count):
            add_series(shelves[-1], f"s/o{number}", 2)
    yield shelves
    for shelf in shelves:
        shelf.connection.close()


@pytest.mark.parametrize(("name", "parameters"), OVER_RELEASES, ids=str)
def test_no_plan_grows_with_the_releases(long_series: Any, name: str, parameters: dict[str, Any]) -> None:
    """Each statement has as many operators for fifty releases as for five, and so has each plan of Polars."""
    few, many = (sizes(long_series.connection, name, of_series(parameters, f"s/{slot}")) for slot in ("few", "many"))
    assert many == few
    assert few[0]
    assert few[1]


@pytest.mark.parametrize(("name", "parameters"), OVER_RELEASES, ids=str)
def test_no_plan_over_audits_grows_with_the_releases(long_series: Any, name: str, parameters: dict[str, Any]) -> None:
    """Likewise without the database: all audits are one scan."""
    found = []
    for slot in ("few", "many"):
        told: list[str] = []
        Catalog.from_audits(long_series.store.root, tell=told.append).report(name, **of_series(parameters, f"s/{slot}"))
        found.append(polars_lines(told))
    assert found[1] == found[0]
    assert found[0]


@pytest.mark.parametrize(("name", "parameters"), OVER_SERIES, ids=str)
def test_no_plan_grows_with_the_series(many_series: list[OpenShelf], name: str, parameters: dict[str, Any]) -> None:
    """A report on all series has the same plans for fifty series as for five, with the database and without."""
    few, many = (sizes(shelf.connection, name, parameters) for shelf in many_series)
    assert many == few
    audits = []
    for shelf in many_series:
        told: list[str] = []
        Catalog.from_audits(shelf.store.root, tell=told.append).report(name, **parameters)
        audits.append(polars_lines(told))
    assert audits[1] == audits[0]


@pytest.mark.parametrize("refreshed", ["nothing", "all", "but one"])
def test_no_plan_of_the_bare_command_grows_with_the_series(many_series: list[OpenShelf], refreshed: str) -> None:
    """What `ontofetch` alone shows is asked in the same way, however much of it a refresh has computed."""
    found = []
    now = sessions.utc_now()
    for shelf in many_series:
        shelf.connection.execute("BEGIN")
        if refreshed != "nothing":
            stats.refresh_statistics(shelf.connection, now)
        if refreshed == "but one":
            shelf.connection.execute("DELETE FROM version_stats WHERE version_id = 's/o0/0'")
        profiler = Profiler()
        watched = profiler.watch(shelf.connection)
        rows = home.list_series(watched, stats.find_statistics(watched, now, 60).relation)
        shelf.connection.execute("ROLLBACK")
        found.append((operators(profiler), len(rows)))
    assert found[1][0] == found[0][0]
    assert [count for _, count in found] == [FEW, MANY]

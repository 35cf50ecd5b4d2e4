"""Reports over a million files, each beside the bare query that answers the same; and none grows beyond its memory."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from ontofetch_catalog.analytics.catalog import Catalog
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.repo.home import list_series
from ontofetch_catalog.catalog.repo.stats import find_statistics
from ontofetch_catalog.catalog.sessions import reading, utc_now
from ontofetch_hookspecs.layout import DATABASE, EXTRACT_AUDIT

from . import data
from .bench_extract import record
from .children import peak_of
from .growth_sql import GROWTH, SERIES
from .harness import Race, Side, pick

ROWS = pick(1_000_000, 200_000)
OTHERS = pick(19, 4)  # further releases of that size in the large catalog
MOST_MEMORY = 1_000_000_000
A, B = "example/growing/1.0", "example/growing/1.1"
LONE = "example/lone/1.0"
COLUMNS = ["change", "relpath", "previous_relpath", "format", "size_a", "size_b", "size_delta"]


# (series, releases, files of a release)
MANY_RELEASES = (1, pick(1_000, 300), 10)
LARGE_RELEASES = (1, 20, pick(50_000, 10_000))
MANY_SERIES = (pick(1_000, 300), 2, 10)
FEW_SERIES = (10, 2, pick(1_000, 300))
MOST_MEMORY_OF_SERIES = 700_000_000


@pytest.fixture(scope="module")
def growing(scratch: Path) -> Path:
    """Return a store with two large releases of a series."""
    root = data.make_store(scratch / "growing")
    data.fill_catalog(root, [A], ROWS)
    data.fill_successor(root, A, B)
    return root


@pytest.fixture(scope="module")
def audited(scratch: Path) -> Path:
    """Return a store with one large release and its audit."""
    root = data.make_store(scratch / "audited")
    record(root, data.files_table(ROWS))
    return root


@pytest.fixture(scope="module")
def alone(scratch: Path) -> Path:
    """Return a store with one large release."""
    root = data.make_store(scratch / "alone")
    data.fill_catalog(root, [LONE], ROWS)
    return root


@pytest.fixture(scope="module")
def crowded(scratch: Path) -> Path:
    """Return a store with the same release among many others."""
    root = data.make_store(scratch / "crowded")
    names = [f"example/other-{number}/1.0" for number in range(OTHERS)]
    data.fill_catalog(root, names[:1], ROWS)
    data.fill_others(root, names[0], names[1 : OTHERS // 2])
    data.fill_catalog(root, [LONE], ROWS)
    data.fill_others(root, names[0], names[OTHERS // 2 :])
    return root


def test_growth(race: Race, growing: Path) -> None:
    """What changed between two releases, against one statement; both yield the same rows."""

    def statement() -> pa.Table:
        with duckdb.connect(str(growing / DATABASE), read_only=True) as connection:
            return connection.sql(GROWTH.format(a=A, b=B)).to_arrow_table()

    def report() -> pl.DataFrame:
        return Catalog.open(growing).growth(A, B)["changes"]

    texts = pl.col("change", "format").cast(pl.String)
    found = report().select(COLUMNS).with_columns(texts).sort("relpath", "change")
    assert found.equals(pl.DataFrame(statement()).select(COLUMNS).sort("relpath", "change"))
    assert found["change"].n_unique() == 4
    race("growth", Side(lambda _: report()), Side(lambda _: statement()))


@pytest.mark.parametrize(("name", "shape"), [("growth.releases", MANY_RELEASES), ("growth.files", LARGE_RELEASES)])
def test_growth_over_a_series(race: Race, scratch: Path, name: str, shape: tuple[int, int, int]) -> None:
    """What changed from release to release, against one statement; both yield the same rows."""
    root = series_store(scratch, shape)

    def statement() -> pa.Table:
        with duckdb.connect(str(root / DATABASE), read_only=True) as connection:
            return connection.sql(SERIES.format(slot="example/series-0")).to_arrow_table()

    def report() -> pl.DataFrame:
        return Catalog.open(root).growth(series="example/series-0")["timeline"]

    expected = pl.DataFrame(statement()).with_columns(pl.col("release_time").dt.replace_time_zone("UTC"))
    assert report().select(expected.columns).equals(expected)
    assert expected.select(pl.col("added", "removed", "modified", "renamed").sum() > 0).row(0) == (True,) * 4
    race(name, Side(lambda _: report()), Side(lambda _: statement()))


def test_latest_of_many_series(race: Race, scratch: Path) -> None:
    """The latest releases of many series, against those of few that hold as many files."""
    many, few = (Catalog.open(series_store(scratch, shape)) for shape in (MANY_SERIES, FEW_SERIES))
    assert many.latest()["summary"]["files"].sum() == few.latest()["summary"]["files"].sum()
    race("latest.series", Side(lambda _: many.latest()), Side(lambda _: few.latest()))


def test_the_bare_command_over_many_series(race: Race, scratch: Path) -> None:
    """A row per series, as the bare command asks for it, likewise."""
    many, few = (Store(series_store(scratch, shape)) for shape in (MANY_SERIES, FEW_SERIES))

    def ask(store: Store) -> int:
        with reading(store) as connection:
            return len(list_series(connection, find_statistics(connection, utc_now(), 60).relation))

    assert ask(many) - ask(few) == MANY_SERIES[0] - FEW_SERIES[0]
    race("bare.series", Side(lambda _: ask(many)), Side(lambda _: ask(few)))


def series_store(scratch: Path, shape: tuple[int, int, int]) -> Path:
    """Return a store of series, as `data.fill_series` makes them; made once."""
    root = scratch / "series-{}-{}-{}".format(*shape)
    if not root.exists():
        data.make_store(root)
        data.fill_series(root, *shape)
    return root


def test_roll_up_of_audits(race: Race, audited: Path) -> None:
    """Files and bytes per format from the audits, against the bare scan."""
    audit = audited / data.VERSION / EXTRACT_AUDIT

    def scan() -> pl.DataFrame:
        lines = pl.scan_ndjson(audit, schema={"format": pl.String, "size_bytes": pl.Int64})
        sums = lines.group_by("format").agg(pl.len().alias("files"), pl.col("size_bytes").sum())
        return sums.collect(engine="streaming")

    def report() -> pl.DataFrame:
        return Catalog.from_audits(audited).report("hotspots", by="format")["formats"]

    found = report().select(pl.col("format").cast(pl.String), pl.col("files", "size_bytes").cast(pl.Int64))
    assert found.sort("format").equals(scan().with_columns(pl.col("files").cast(pl.Int64)).sort("format"))
    race("rollup", Side(lambda _: report()), Side(lambda _: scan()))


def test_latest_among_many_rows(race: Race, alone: Path, crowded: Path) -> None:
    """The same release costs the same, however many rows stand around it."""
    few, many = Catalog.open(alone).latest(LONE), Catalog.open(crowded).latest(LONE)
    for name in ("formats", "largest"):
        assert many[name].equals(few[name])
    race(
        "latest",
        Side(lambda _: Catalog.open(crowded).latest(LONE)),
        Side(lambda _: Catalog.open(alone).latest(LONE)),
    )


def test_memory_of_growth(race: Race, growing: Path) -> None:
    """The growth report, in a process of its own."""
    race.weigh("growth.memory", lambda: _peak(growing, "catalog", "growth", f"a={A}", f"b={B}"))


def test_memory_of_growth_over_a_series(race: Race, scratch: Path) -> None:
    """The growth report over large releases, in a process of its own."""
    root = series_store(scratch, LARGE_RELEASES)
    race.weigh(
        "growth.files.memory",
        lambda: (_peak(root, "catalog", "growth", "series=example/series-0")[0], MOST_MEMORY_OF_SERIES),
    )


def test_memory_of_the_roll_up(race: Race, audited: Path) -> None:
    """The roll-up of audits, in a process of its own."""
    race.weigh("rollup.memory", lambda: _peak(audited, "audits", "hotspots", "by=format"))


def test_memory_of_latest(race: Race, crowded: Path) -> None:
    """The report on one release among many, in a process of its own."""
    race.weigh("latest.memory", lambda: _peak(crowded, "catalog", "latest", f"version={LONE}"))


def _peak(root: Path, *words: str) -> tuple[int, int]:
    return peak_of("report", root, *words).after, MOST_MEMORY

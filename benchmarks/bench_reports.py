"""Reports over a million files, each beside the bare query that answers the same; and none grows beyond its memory."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from ontofetch_catalog.analytics.catalog import Catalog
from ontofetch_hookspecs.layout import DATABASE, EXTRACT_AUDIT

from . import data
from .bench_extract import record
from .children import peak_of
from .growth_sql import GROWTH
from .harness import Race, Side, pick

ROWS = pick(1_000_000, 200_000)
OTHERS = pick(19, 4)  # further releases of that size in the large catalog
MOST_MEMORY = 1_000_000_000
A, B = "example/growing/1.0", "example/growing/1.1"
LONE = "example/lone/1.0"
COLUMNS = ["change", "relpath", "previous_relpath", "format", "size_a", "size_b", "size_delta"]


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
    data.fill_catalog(root, [*names[: OTHERS // 2], LONE, *names[OTHERS // 2 :]], ROWS)
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


def test_memory_of_the_roll_up(race: Race, audited: Path) -> None:
    """The roll-up of audits, in a process of its own."""
    race.weigh("rollup.memory", lambda: _peak(audited, "audits", "hotspots", "by=format"))


def test_memory_of_latest(race: Race, crowded: Path) -> None:
    """The report on one release among many, in a process of its own."""
    race.weigh("latest.memory", lambda: _peak(crowded, "catalog", "latest", f"version={LONE}"))


def _peak(root: Path, *words: str) -> tuple[int, int]:
    return peak_of("report", root, *words).after, MOST_MEMORY

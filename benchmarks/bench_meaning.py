"""What changed in meaning, beside one frozen statement over the same tables of terms; and a term's life, in time."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from ontofetch_catalog.analytics import Catalog
from ontofetch_catalog.analytics.reports.term import term

from . import data
from .harness import Race, Side
from .meaning_data import fill_terms, iri
from .meaning_sql import SERIES, TWO

# in the short form too: of less data the part that does not grow would be most
TERMS, RELEASES, SMALL = 100_000, 100, 10_000
COUNTS = ["added", "removed", "obsoleted", "revived", "relabelled", "redefined", "moved", "other"]


@pytest.fixture(scope="module")
def two(scratch: Path) -> tuple[Path, Path]:
    """Return a store with two releases of many terms, and the folder of their tables."""
    root = data.make_store(scratch / "meaning-two")
    return root, fill_terms(root, "example/two", 2, TERMS)


@pytest.fixture(scope="module")
def many(scratch: Path) -> tuple[Path, Path]:
    """Return a store with many releases, and the folder of their tables."""
    root = data.make_store(scratch / "meaning-many")
    return root, fill_terms(root, "example/many", RELEASES, SMALL)


def test_two_releases(race: Race, two: tuple[Path, Path]) -> None:
    """Terms and statements, against one statement; both find the same."""
    root, tables = two
    sql = TWO.format(a=tables / "00000.parquet", b=tables / "00001.parquet")

    def statement() -> pa.Table:
        with duckdb.connect() as connection:
            return connection.sql(sql).to_arrow_table()

    def report() -> pl.DataFrame:
        return Catalog.open(root).report("meaning", a="two/1.0", b="two/1.1")["changes"]

    columns = ["iri", "change", "label_a", "label_b", "definition_a", "definition_b"]
    found = report().with_columns(pl.col("change").cast(pl.String)).select(columns).sort("iri")
    expected = pl.DataFrame(statement())
    assert found.equals(expected.select(columns).sort("iri"))
    assert expected["change"].n_unique() == 6
    files = Catalog.open(root).report("meaning", a="two/1.0", b="two/1.1")["files"]
    assert files.select("triples_added", "triples_removed").row(0) == expected.select(
        "triples_added", "triples_removed"
    ).row(0)
    race("meaning", Side(lambda _: report()), Side(lambda _: statement()))


def test_a_series(race: Race, many: tuple[Path, Path]) -> None:
    """Counts from release to release, against one statement; both find the same."""
    root, tables = many
    sql = SERIES.format(tables=tables / "*.parquet", last=RELEASES - 1)

    def statement() -> pa.Table:
        with duckdb.connect() as connection:
            return connection.sql(sql).to_arrow_table()

    def report() -> pl.DataFrame:
        return Catalog.open(root).report("meaning", series="example/many")["timeline"]

    columns = [*COUNTS, "triples_added", "triples_removed"]
    assert report().select(columns).slice(1).equals(pl.DataFrame(statement()).select(columns))
    race("meaning.series", Side(lambda _: report()), Side(lambda _: statement()))


def test_the_life_of_a_term(race: Race, many: tuple[Path, Path]) -> None:
    """A term over all releases; a CURIE is looked for in each of them."""
    root, _ = many
    assert term(Catalog.open(root), word="EX:0000007", series="example/many")["term"]["iri"].item() == iri(7)
    race.within("show.term", Side(lambda _: term(Catalog.open(root), word="EX:0000007", series="example/many")), 0.3)

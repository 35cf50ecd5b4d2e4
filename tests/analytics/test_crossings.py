"""What reports read of the database: each question once, as one narrow table, and no column that is not used."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb
import polars as pl
import pytest

from ontofetch_catalog.analytics import Catalog
from ontofetch_catalog.analytics.sources.catalog import CatalogReader
from ontofetch_catalog.catalog.repo.reports import Statement

pytestmark = pytest.mark.usefixtures("quick_databases")

OLD = {"a/x.ttl": (b"1", {"rdf": True}), "b/y.obo": (b"22", {"obo": False}, "line 1"), "old/z": b"333"}
NEW = {"a/x.ttl": (b"4444", {"rdf": True}), "b/y.obo": (b"22", {"obo": True}), "new/z": b"333", "q": b"333"}
SERIES = {"version_id", "slot", "previous_version_id"}
RELEASE = SERIES | {"is_latest"}
DATED = RELEASE | {"released", "created_at"}
CHANGE = {"change", "relpath", "format", "size_a", "size_b"}
TOTALS = {"files", "size_bytes"}
RESULT = {"relpath", "format", "validator", "validator_version", "passed", "reason", "line", "column"}
# report → its arguments and the tables that cross, in order: releases first, read once per command
READS: dict[str, tuple[dict[str, Any], list[set[str]]]] = {
    "latest": ({}, [DATED | {"incomplete"},
                    {"version_id", "relpath", "format", "size_bytes", "verified_at", "passed", "not_judged"},
                    CHANGE | {"version_id"}]),
    "growth": ({}, [RELEASE, CHANGE | {"previous_relpath"}, TOTALS | {"version_id", "format"}]),
    "growth by format": ({"by": "format"}, [RELEASE, CHANGE - {"relpath"}, TOTALS | {"version_id", "format"}]),
    "growth by folder": ({"by": "folder"}, [RELEASE, CHANGE - {"format"}, TOTALS | {"version_id", "folder"}]),
    "growth over a series": ({"series": "s/o"}, [
        SERIES | {"released", "created_at", "incomplete"},
        {"version_id", "added", "removed", "modified", "renamed", "added_bytes", "removed_bytes",
         "modified_delta_bytes", "churn_bytes"},
        TOTALS | {"version_id", "format"},
    ]),
    "validation": ({"against": "s/o/1"}, [
        RELEASE, RESULT | {"run_at", "reused_from"}, {"files"},
        {"change", "validator", "relpath", "previous_relpath", "format"},
    ]),
    "validation by path": ({"by": "path", "last": 2}, [
        DATED, RESULT, {"files"}, {"version_id", "validator", "results", "passed", "failed", "not_judged"},
    ]),
    "hotspots": ({"by": "host"}, [TOTALS | {"host", "failed"}]),
    "duplicates": ({}, [
        {"file_id", "size_bytes", "copies", "versions", "relpath", "format"},
        TOTALS | {"version_id", "repeated_bytes", "shared_bytes"},
    ]),
}  # fmt: skip
# what may be read of each table of the database
KEYS = {"version_id"}
SCANS = {
    "latest": {"extracted_files": {"relpath", "file_id", "format", "size_bytes", "verified_at"},
               "validations": {"relpath", "passed"}},
    "growth": {"extracted_files": {"relpath", "file_id", "format", "size_bytes"}},
    "growth by format": {"extracted_files": {"relpath", "file_id", "format", "size_bytes"}},
    "growth by folder": {"extracted_files": {"relpath", "file_id", "size_bytes"}},
    "growth over a series": {"extracted_files": {"relpath", "file_id", "format", "size_bytes"}},
    "validation": {"extracted_files": {"relpath", "file_id", "format"},
                   "validations": {"relpath", "validator", "validator_version", "passed", "details", "run_at",
                                   "reused_from"}},
    "validation by path": {"extracted_files": {"relpath", "format"},
                           "validations": {"relpath", "validator", "validator_version", "passed", "details"}},
    "hotspots": {"extracted_files": {"relpath", "artifact_id", "size_bytes"}, "validations": {"relpath"},
                 "artifacts": {"artifact_id", "source_url"}},
    "duplicates": {"extracted_files": {"relpath", "file_id", "format"}},
}  # fmt: skip
# DuckDB 1.5 reads all that a macro names in a materialized step, 2.x only what is used of it
MACRO = {"relpath", "file_id", "format", "size_bytes"} if duckdb.__version__.startswith("1.") else set()
# the orders of series and the latest pointers come from these, a row per release
SMALL = {"versions", "latest_pointer"}
# what a report has noted before, in numbers: of one connection alone
NOTED = {"held_contents", "held_releases", "repeated_contents"}


class Watched(CatalogReader):
    """A reader that notes what crosses, and can lose a column on the way."""

    def __init__(self, connection: Any, seen: list[tuple[Statement, set[str]]], lost: tuple[int, str] | None) -> None:
        super().__init__(connection)
        self.seen, self.lost = seen, lost

    def read(self, statement: Statement) -> pl.LazyFrame:
        """Note what crosses."""
        found = super().read(statement)
        self.seen.append((statement, set(found.collect_schema().names())))
        if self.lost is not None and self.lost[0] == len(self.seen) - 1:
            found = found.drop(self.lost[1])
        return found


class Watching:
    """A source over an open database that makes watched readers."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.seen: list[tuple[Statement, set[str]]] = []
        self.lost: tuple[int, str] | None = None

    @contextmanager
    def open(self) -> Iterator[Watched]:
        """Be a source of reports."""
        self.seen.clear()
        yield Watched(self.connection, self.seen, self.lost)


@pytest.fixture(scope="module")
def watching(open_shelf: Any) -> Watching:
    """Return a source with two releases."""
    open_shelf.add("s/o/1", OLD, released=date(2025, 1, 1))
    open_shelf.add("s/o/2", NEW, released=date(2025, 3, 1), latest=True)
    return Watching(open_shelf.connection)


def run(watching: Watching, name: str, lost: tuple[int, str] | None = None) -> None:
    """Run a report, with one column missing from what it reads."""
    watching.lost = lost
    Catalog(watching).report(name.split(maxsplit=1)[0], **READS[name][0])


@pytest.mark.parametrize("name", READS)
def test_each_question_crosses_once_and_narrow(watching: Watching, name: str) -> None:
    """A report reads the releases and then each question as one table, with exactly these columns."""
    run(watching, name)
    assert [columns for _, columns in watching.seen] == READS[name][1]
    assert len({statement.sql for statement, _ in watching.seen}) == len(watching.seen)


@pytest.mark.parametrize("name", READS)
def test_no_column_crosses_that_is_not_used(watching: Watching, name: str) -> None:
    """Without any one of the columns that it reads, the report can't be made."""
    for number, columns in enumerate(READS[name][1]):
        for column in sorted(columns):
            with pytest.raises(pl.exceptions.ColumnNotFoundError, match=column):
                run(watching, name, (number, column))


def scans(connection: Any, statement: Statement) -> dict[str, set[str]]:
    """Return table → columns that the plan of a statement reads."""
    found: dict[str, set[str]] = defaultdict(set)

    def walk(node: dict[str, Any]) -> None:
        info = node.get("extra_info", {})
        if "Table" in info:
            columns = info.get("Projections", [])
            names = {columns} if isinstance(columns, str) else set(columns)
            found[info["Table"].rpartition(".")[2]] |= names - {""}
        for child in node.get("children", []):
            walk(child)

    with statement.given(connection):
        plans = connection.execute(f"EXPLAIN (FORMAT json) {statement.sql}").fetchall()
    for _, plan in plans:
        for node in json.loads(plan):
            walk(node)
    return found


@pytest.mark.parametrize("name", READS)
def test_the_plans_scan_only_columns_that_are_used(watching: Watching, name: str) -> None:
    """The plans of DuckDB read these columns of the large tables and no other; keys may be read for a join."""
    run(watching, name)
    read: dict[str, set[str]] = defaultdict(set)
    for statement, _ in watching.seen:
        for table, columns in scans(watching.connection, statement).items():
            read[table] |= columns
    assert set(read) - SMALL - NOTED == set(SCANS[name])
    for table, columns in SCANS[name].items():
        assert columns <= read[table] | KEYS
        assert read[table] <= columns | KEYS | (MACRO if table == "extracted_files" else set())


def test_a_frame_for_notebooks_reads_what_its_query_uses(watching: Watching) -> None:
    """A lazy frame asks the database for the columns of the query alone, and the plan says so."""
    watching.lost = None
    query = Catalog(watching).files("s/o/2").filter(pl.col("size_bytes") > 1).select("relpath")
    assert query.collect().height == 4
    ((statement, columns),) = watching.seen
    assert columns == {"relpath", "size_bytes"}
    assert scans(watching.connection, statement)["extracted_files"] <= columns | KEYS

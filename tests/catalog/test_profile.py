"""What `--profile` tells is true, and the plans of the catalog's queries have the shapes that keep them fast."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ontofetch_catalog.catalog import migrations, profile, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.profile import Operator, Profile, Profiler, Table, is_pruned, profile_query
from ontofetch_catalog.catalog.repo import fixity, queries, reports
from ontofetch_catalog.catalog.repo.lines import text_of
from tests.programs import Program
from tests.releases import Releases

RELEASES = 5
FILES = 130_000  # more than a row group, so that some belong to one release alone
A, B = "s/o/1", "s/o/3"
LARGE = ("extracted_files", "validations")
TABLES = {"extracted_files": Table(RELEASES * FILES, 8), "validations": Table(RELEASES * FILES, 9)}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a catalog of releases that are larger than what DuckDB skips or reads together."""
    connection = duckdb.connect(str(tmp_path_factory.mktemp("plans") / "catalog.duckdb"))
    migrations.apply_migrations(connection, migrations.available_migrations(), datetime(2025, 1, 1, tzinfo=UTC))
    for number in range(RELEASES):
        version = f"s/o/{number}"
        connection.execute(
            "INSERT INTO versions BY NAME SELECT $v AS version_id, 's' AS service, 'o' AS ontology, $n AS version,"
            " $v AS fs_relpath, 'native' AS layout, now()::TIMESTAMP AS created_at",
            {"v": version, "n": str(number)},
        )
        connection.execute(
            "INSERT INTO artifacts BY NAME SELECT $v AS version_id, 'a.zip' AS relpath, $v AS artifact_id,"
            " 1 AS size_bytes, 'fresh' AS status, 'https://h/a.zip' AS source_url",
            {"v": version},
        )
        # the paths overlap, some contents move, some change
        connection.execute(
            "INSERT INTO extracted_files BY NAME SELECT $v AS version_id, 'd' || (i % 100) || '/f' || (i + $n * 1000)"
            " AS relpath, md5((i + (i % 7) * $n)::VARCHAR) AS file_id, $v AS artifact_id, 'turtle' AS format,"
            f" i AS size_bytes FROM range({FILES}) r(i)",
            {"v": version, "n": number},
        )
        connection.execute(
            "INSERT INTO validations BY NAME SELECT version_id, relpath, file_id, 'rdf' AS validator,"
            " '1' AS validator_version, size_bytes % 11 > 0 AS passed, '{}' AS details FROM extracted_files"
            " WHERE version_id = $v",
            {"v": version},
        )
        connection.execute(
            "INSERT INTO latest_pointer VALUES ('s/o', $v, TIMESTAMP '2025-01-01' + to_days($n::INTEGER), 'me')",
            {"v": version, "n": number},
        )
    connection.execute("CHECKPOINT")
    yield connection
    connection.close()


def asked(connection: duckdb.DuckDBPyConnection, run: Callable[[duckdb.DuckDBPyConnection], object]) -> list[Profile]:
    """Return the profiles of the queries that a function of the repo asks."""
    profiler = Profiler()
    run(profiler.watch(connection))
    assert profiler.profiles
    return profiler.profiles


# what the commands ask of one or two releases
ONE = {
    "db files": lambda c: queries.list_files(c, A, "*.ttl"),
    "db stats": lambda c: queries.list_stats(c, None, A),
    "formats": lambda c: queries.list_formats(c, A),
    "db delta": lambda c: queries.list_delta(c, A, B, unchanged=False),
    "delta summary": lambda c: queries.sum_delta(c, A, B),
    "db verify": lambda c: fixity.read_page(c, fixity.Scope(), (None, [A]), after=("file", "d5"), rows=1000),
    "db verify VERSION": lambda c: fixity.plan_groups(c, fixity.Scope(version_id=A)),
    "report files": lambda c: reports.read(c, reports.select_files([A])),
    "report changes": lambda c: reports.read(
        c, reports.select_changes([(A, B)], ["change", "relpath", "size_a", "size_b"])
    ),
    "report results": lambda c: reports.read(
        c, reports.select_results(A, ["relpath", "validator", "passed", "reason"])
    ),
    "report result changes": lambda c: reports.read(c, reports.select_result_changes(A, B)),
}
MACROS = {
    name: f"SELECT * FROM {name}('{A}', '{B}')"
    for name in (
        "version_delta_files",
        "version_delta_renames",
        "version_delta_summary",
        "version_delta_formats",
        "version_validation_delta",
    )
}
VIEWS = {
    "v_version_stats": f"SELECT * FROM v_version_stats WHERE version_id = '{A}'",
    "v_validation_failures": f"SELECT * FROM v_validation_failures WHERE version_id = '{A}'",
    "v_latest_files": "SELECT * FROM v_latest_files WHERE slot = 's/o'",
    "v_latest_formats": "SELECT * FROM v_latest_formats WHERE slot = 's/o'",
}


def assert_fast(found: Profile) -> None:
    """Assert that no scan of a large table reads all of it, and that rows meet by hash of equal keys."""
    for operator in found.operators:
        if operator.table in LARGE:
            assert is_pruned(operator, TABLES), (operator, found.sql)
        if "JOIN" in operator.name or operator.name == "CROSS_PRODUCT":
            small = min((child.rows for child in operator.children), default=0) <= 1
            assert operator.name == "HASH_JOIN" or small, (operator, found.sql)
        if operator.name == "HASH_JOIN" and operator.rows > RELEASES:
            assert " = " in operator.detail or "IS NOT DISTINCT FROM" in operator.detail, operator
    assert found.spilled_bytes == 0


@pytest.mark.parametrize("name", ONE)
def test_the_queries_of_commands_read_their_releases_only(catalog: duckdb.DuckDBPyConnection, name: str) -> None:
    """Scans skip the row groups of other releases, joins are hash joins, nothing is multiplied."""
    for found in asked(catalog, ONE[name]):
        assert_fast(found)


@pytest.mark.parametrize("name", [*MACROS, *VIEWS])
def test_macros_and_views_read_their_releases_only(catalog: duckdb.DuckDBPyConnection, name: str) -> None:
    """Likewise for whoever asks them in SQL, the release as a constant."""
    found = profile_query(catalog, (MACROS | VIEWS)[name])
    assert any(operator.table in LARGE for operator in found.operators)
    assert_fast(found)


def test_the_delta_joins_paths_once(catalog: duckdb.DuckDBPyConnection) -> None:
    """Each release is scanned once, and the paths of both meet in one full join by path, pair by pair."""
    found = profile_query(catalog, MACROS["version_delta_files"])
    scans = [operator for operator in found.operators if operator.table == "extracted_files"]
    assert len(scans) == 2
    full = [operator for operator in found.operators if operator.name == "HASH_JOIN" and "FULL" in operator.detail]
    assert [operator.detail for operator in full] == ["FULL relpath = relpath AND n = n"]


# --- the guard can fail, and the hints are right ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELECT sum(size_bytes) FROM extracted_files", "extracted_files is read whole without any condition"),
        ("SELECT relpath FROM extracted_files WHERE size_bytes % 9 = 1", "extracted_files is read whole although"),
        ("SELECT * FROM extracted_files", "All 10 columns of extracted_files are read"),
        (
            "SELECT count(*) FROM (FROM extracted_files LIMIT 300) a, (FROM extracted_files LIMIT 200) b",
            "A CROSS_PRODUCT compares every row with every row",
        ),
        (
            "SELECT 1 FROM (FROM validations LIMIT 99) a JOIN (FROM validations LIMIT 98) b ON a.passed <> b.passed",
            "compares every row with every row",
        ),
    ],
)
def test_a_bad_plan_gets_its_hint_and_fails_the_guard(catalog: duckdb.DuckDBPyConnection, sql: str, hint: str) -> None:
    """A whole scan, all columns, a product, a loop: each is named."""
    found = profile_query(catalog, sql)
    assert any(hint in told for told in found.hints), found.hints
    with pytest.raises(AssertionError):
        assert_fast(found)


def test_a_good_plan_gets_no_hint(catalog: duckdb.DuckDBPyConnection) -> None:
    """A release named as a constant and its columns named: nothing to say."""
    assert profile_query(catalog, f"SELECT relpath FROM extracted_files WHERE version_id = '{A}'").hints == ()


def test_a_spill_is_told(tmp_path: Path) -> None:
    """A sort that does not fit into memory says how much went to disk."""
    connection = duckdb.connect(str(tmp_path / "small.duckdb"), config={"memory_limit": "40MB", "threads": 1})
    try:
        connection.execute("CREATE TABLE t AS SELECT md5(i::VARCHAR) AS a, i FROM range(1000000) r(i)")
        found = profile_query(connection, "SELECT a, i FROM t ORDER BY a")
    finally:
        connection.close()
    assert found.spilled_bytes > 0
    assert any("went to disk for want of memory" in hint for hint in found.hints)


def test_plans_of_duckdb_1_5_are_read_as_well() -> None:
    """Its names differ, and it tells rows where 2.x tells row groups."""
    told = {
        "latency": 0.5,
        "children": [
            {
                "operator_name": "SEQ_SCAN",
                "operator_timing": 0.25,
                "operator_cardinality": 7,
                "operator_rows_scanned": 122_880,
                "extra_info": {"Table": "c.main.extracted_files", "Projections": "relpath", "Filters": "x='y'"},
                "children": [],
            }
        ],
    }
    found = profile._as_operator(told)
    (scan,) = (operator for _, operator in found.walk() if operator.table)
    assert scan == Operator(
        name="SEQ_SCAN",
        milliseconds=250.0,
        rows=7,
        detail="x='y'",
        table="extracted_files",
        columns=("relpath",),
        rows_scanned=122_880,
    )
    assert is_pruned(scan, TABLES)
    whole = dataclasses.replace(scan, rows_scanned=RELEASES * FILES)
    assert not is_pruned(whole, TABLES)


# --- the option -------------------------------------------------------------------------------------------------------


def test_queries_give_the_same_rows_while_they_are_profiled(releases: Releases) -> None:
    """Watching changes nothing: tables, streams, parameters and errors are those of the bare connection."""
    releases.pull("1.0", {"a.ttl": "alpha"})
    profiler = Profiler()
    store = Store(releases.root, {"durability": "off"}, watch=profiler.watch)
    with sessions.reading(store) as connection:
        watched = queries.list_files(connection, "example/sample/1.0", None)
        content = queries.find_content(connection, "0")
        stream = b"".join(text_of(connection, "SELECT relpath FROM extracted_files"))
        with pytest.raises(duckdb.CatalogException):
            connection.execute("SELECT * FROM nowhere")
    with sessions.reading(dataclasses.replace(store, watch=None)) as connection:
        assert queries.list_files(connection, "example/sample/1.0", None).equals(watched)
        assert queries.find_content(connection, "0").equals(content)
    assert stream == b"a.ttl"
    assert len(profiler.profiles) == 3
    # the queries by which a session is entered are no queries of the command
    assert not any("schema_version" in found.sql for found in profiler.profiles)


def test_rows_that_pass_by_once_are_not_used_up(releases: Releases) -> None:
    """A query of a registered stream is not profiled, since its plan would see the rows and the query none."""
    releases.pull("1.0", {"a.ttl": "alpha"})
    table = pa.table({"i": [1, 2]})
    profiler = Profiler()
    with sessions.reading(Store(releases.root, watch=profiler.watch)) as connection:
        connection.register("given_stream", table.to_reader())
        assert connection.sql("SELECT count(*) FROM given_stream").fetchall() == [(2,)]
        connection.unregister("given_stream")
        assert profiler.profiles == []
        connection.register("given_table", table)
        assert connection.sql("SELECT count(*) FROM given_table").fetchall() == [(2,)]
        assert len(profiler.profiles) == 1


@pytest.mark.parametrize("words", [["db", "stats"], ["db", "verify"], []])
def test_every_command_tells_its_plans_on_stderr(releases: Releases, tmp_path: Path, words: list[str]) -> None:
    """Rows stay alone on stdout; text and JSON are on stderr, with --profile-out the JSON is in the file."""
    releases.pull("1.0", {"a.ttl": "alpha"})
    program = Program(releases.root)
    ended = program.run(*words, "--profile", "--json")
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["rows"] is not None
    plans = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith('{"sql"')]
    assert f"-- {len(plans)} queries" in ended.stderr
    assert ended.stderr.count("hot: ") == len(plans)
    out = tmp_path / "plans.json"
    assert program.run(*words, "--profile-out", str(out), "--json").returncode == 0
    assert [sorted(plan) for plan in json.loads(out.read_bytes())] == [sorted(plan) for plan in plans]


def test_without_the_option_nothing_is_profiled(releases: Releases) -> None:
    """The connection is DuckDB's own."""
    releases.pull("1.0", {"a.ttl": "alpha"})
    with sessions.reading(Store(releases.root)) as connection:
        assert type(connection) is duckdb.DuckDBPyConnection

"""The schema: plain tables and views, nothing that DuckDB would index, and migrations that notice every edit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest

from ontofetch_catalog.catalog import migrations, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.repo import lookup_keys
from ontofetch_catalog.errors import CatalogUnwritable, SchemaError
from ontofetch_hookspecs.version_keys import version_key
from tests import schemas
from tests.releases import Releases, older_store, query

TABLES = {
    "schema_version": "version checksum applied_at",
    "versions": "version_id service ontology version released fs_relpath layout created_at plan_hash run_id"
    " extract_audit validation_audit pinned_at version_key",
    "artifacts": "artifact_id version_id relpath source_url etag last_modified content_type size_bytes status"
    " recorded_at verified_at extraction",
    "origins": "version_id relpath source_url etag last_modified content_type recorded_at told_at",
    "extracted_files": "version_id relpath file_id artifact_id format size_bytes mtime verified_at"
    " content_key name_key",
    "validations": "version_id relpath file_id validator validator_version passed details run_at reused_from",
    "latest_pointer": "slot version_id updated_at updated_by",
    "notes": "version_id kind text created_at",
    "events": "event_id boundary_id run_id ts type level version_id config_hash digest payload",
    "staging_fs_listing": "scope relpath size_bytes mtime",
    "file_facts": "file_id facts_version content_id reason digest_kind digest digest_exact triples triples_parsed"
    " bnodes shared_bnodes cyclic_bnodes general_triples general_digest terms heads table_sha256 table_bytes"
    " recorded_at",
    "ontology_heads": "content_id facts_version position ontology_iri kind version_iri version_info title license"
    " imports statements digest",
}
VIEWS = (
    "v_artifacts_status",
    "v_fs_orphans",
    "v_latest",
    "v_latest_files",
    "v_latest_formats",
    "v_series_order",
    "v_validation_failures",
    "v_version_stats",
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a database in memory with the whole schema."""
    with duckdb.connect() as opened:
        for migration in migrations.available_migrations():
            opened.execute(migration.sql)
        yield opened


def test_tables_have_the_documented_columns(connection: duckdb.DuckDBPyConnection) -> None:
    """Every table has the columns of the design, in that order."""
    for table, columns in TABLES.items():
        found = connection.execute(f"SELECT column_name FROM (DESCRIBE {table})").fetchall()
        assert [name for (name,) in found] == columns.split()


def test_a_copied_schema_is_the_one_that_migrations_make(tmp_path: Path) -> None:
    """A database that tests get by a copy has all that the migrations make, word for word, and no rows of another."""
    defined = """
        SELECT 'table' AS kind, table_name AS name, sql FROM duckdb_tables() UNION ALL
        SELECT 'view', view_name, sql FROM duckdb_views() WHERE NOT internal UNION ALL
        SELECT 'macro', function_name, macro_definition FROM duckdb_functions() WHERE NOT internal
        ORDER BY ALL
    """
    recorded = "SELECT version, checksum FROM schema_version ORDER BY ALL"
    counts = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM versions), (SELECT count(*) FROM file_facts)"
    found = []
    for name, opening in (("plain", nullcontext()), ("copied", schemas.quick_databases())):
        store = Store(tmp_path / name, {"durability": "off"})
        with (
            opening,
            patch.object(schemas, "copy_schema", wraps=schemas.copy_schema) as copied,
            sessions.writing(store),
        ):
            pass
        assert copied.call_count == (name == "copied")
        with duckdb.connect(str(tmp_path / name / ".catalog/ontofetch.duckdb"), read_only=True) as connection:
            found.append([connection.execute(sql).fetchall() for sql in (defined, recorded, counts)])
    plain, copied_ones = found
    assert len(plain[0]) > len(TABLES) + len(VIEWS)
    assert copied_ones == plain


def test_every_view_and_macro_answers(connection: duckdb.DuckDBPyConnection) -> None:
    """Views and macros run on an empty catalog."""
    found = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1").fetchall()
    assert [name for (name,) in found if name in VIEWS] == list(VIEWS)
    for view in VIEWS:
        assert connection.execute(f"SELECT * FROM {view}").fetchall() == []
    for macro in ("files", "renames", "formats"):
        assert connection.execute(f"SELECT * FROM version_delta_{macro}('a', 'b')").fetchall() == []
    assert connection.execute("SELECT * FROM version_validation_delta('a', 'b')").fetchall() == []
    assert connection.execute("SELECT * FROM version_deltas([{'a': 'a', 'b': 'b'}])").fetchall() == []
    assert connection.execute("SELECT * FROM version_delta_summary('a', 'b')").fetchall() == [(0,) * 12]


def test_nothing_is_indexed_or_constrained(connection: duckdb.DuckDBPyConnection) -> None:
    """There is no key, constraint, index, enum or sequence anywhere."""
    for what in ("duckdb_constraints()", "duckdb_indexes()", "duckdb_sequences()"):
        assert connection.execute(f"SELECT * FROM {what}").fetchall() == []
    enums = connection.execute("SELECT type_name FROM duckdb_types() WHERE NOT internal AND logical_type = 'ENUM'")
    assert enums.fetchall() == []


ORDERS = [
    (["0.9", "0.10", "0.10.1", "0.11"], None),
    (["1.0.9", "1.0.10", "1.1", "1.10"], None),
    (["2024-12-31", "2025-01-01", "2025-01-10"], None),
    (["v9", "v010b", "v10"], None),
    (["1.0.0-rc1", "v1.0.0", "1.0.1.dev1", "1.0.1"], None),
    (["31.01.2024", "2024-02-05", "20240206"], None),
    (["b", "a", "c"], ["2020-01-01", "2021-01-01", "2022-01-01"]),
    (["1.9", "1.10", "0.1"], ["2020-01-01", "2020-01-01", "2022-01-01"]),
    (["99999999999999999999999", "100000000000000000000000"], None),
]


@pytest.mark.parametrize(("versions", "released"), ORDERS)
def test_a_series_has_an_order(
    connection: duckdb.DuckDBPyConnection, versions: list[str], released: list[str] | None
) -> None:
    """Release dates decide if all have one, then the key of the version, whatever was recorded first."""
    dates = released or [None] * len(versions)
    for number, (version, day) in enumerate(reversed(list(zip(versions, dates, strict=True)))):
        connection.execute(
            "INSERT INTO versions (version_id, service, ontology, version, version_key, released, created_at)"
            " VALUES (?, 's', 'o', ?, ?, ?, TIMESTAMP '2026-01-01' + to_seconds(?))",
            [f"s/o/{version}", version, version_key(version), day, number],
        )
    rows = connection.execute("SELECT version_id, previous_version_id FROM v_series_order ORDER BY position").fetchall()
    ids = [f"s/o/{version}" for version in versions]
    assert rows == list(zip(ids, [None, *ids[:-1]], strict=True))


def test_dates_count_only_if_every_release_has_one(connection: duckdb.DuckDBPyConnection) -> None:
    """A series with and without dates has the order of its versions, since a mixture would have none."""
    for version, day in (("2", "2020-01-01"), ("1", "2021-01-01"), ("3", None)):
        connection.execute(
            "INSERT INTO versions (version_id, service, ontology, version, version_key, released)"
            " VALUES (?, 's', 'o', ?, ?, ?)",
            [f"s/o/{version}", version, version_key(version), day],
        )
    rows = connection.execute("SELECT version_id FROM v_series_order ORDER BY position").fetchall()
    assert [version for (version,) in rows] == ["s/o/1", "s/o/2", "s/o/3"]


def test_a_file_fails_if_one_validator_fails_it(releases: Releases) -> None:
    """A file with several validators has passed only if all of them passed it."""
    from tests.releases import results_table

    texts = {"a": "1", "b": "2", "c": "3"}
    releases.download("1.0", b"x")
    releases.extract("1.0", b"x", texts)
    releases.validate("1.0", results_table({"a": "1", "b": "2"}))
    releases.validate("1.0", results_table({"a": "1"}, failing=("a",), validator="other"))
    stats = releases.rows("SELECT files, passed, failed, not_validated FROM v_version_stats")
    assert stats == [(3, 1, 1, 1)]
    assert releases.rows("SELECT relpath, validator, reason FROM v_validation_failures") == [("a", "other", "line 1")]


def test_orphans_are_what_no_row_names(releases: Releases) -> None:
    """Of a listing in native spelling, the view gives what is neither an artifact nor an extracted file."""
    releases.pull("1.0", {"a": "1"})
    with duckdb.connect(str(releases.root / ".catalog/ontofetch.duckdb")) as connection:
        for path in ("src/a.zip", "data/a", "data/b", "src/a"):
            connection.execute(
                "INSERT INTO staging_fs_listing VALUES ('scan', ?, 1, NULL)", [f"example/sample/1.0/{path}"]
            )
        rows = connection.execute("SELECT relpath FROM v_fs_orphans ORDER BY 1").fetchall()
    assert [path for (path,) in rows] == ["example/sample/1.0/data/b", "example/sample/1.0/src/a"]


def _edit(root: Path, sql: str) -> None:
    with duckdb.connect(str(root / ".catalog/ontofetch.duckdb")) as connection:
        connection.execute(sql)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE schema_version SET checksum = repeat('0', 64) WHERE version = 3", "was applied with checksum"),
        ("INSERT INTO schema_version VALUES (999, 'x', now()::TIMESTAMP)", "newer than"),
        ("DELETE FROM schema_version WHERE version = 2", "but not 0002"),
        ("INSERT INTO schema_version VALUES (0, 'x', now()::TIMESTAMP)", "does not know"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused(releases: Releases, damage: str, words: str) -> None:
    """An edited, unknown or newer migration is refused with a sentence, for reading and for writing."""
    releases.pull("1.0", {"a": "1"})
    _edit(releases.root, damage)
    store = Store(releases.root)
    with pytest.raises(SchemaError, match=words), sessions.writing(store):
        pass
    with pytest.raises(SchemaError, match=words), sessions.reading(store):
        pass


def test_pending_migrations_are_applied_by_the_next_writer(tmp_path: Path) -> None:
    """A writer brings an older schema up to date in one transaction, and keeps the former file aside."""
    older_store(tmp_path, 2)
    store = Store(tmp_path, {"durability": "off"})
    with pytest.raises(SchemaError, match="ontofetch db migrate"), sessions.reading(store):
        pass
    assert [migration.version for migration in sessions.pending(store)] == list(range(3, _newest() + 1))
    with sessions.writing(store) as session:
        assert len(session.migrated) == _newest() - 2
    assert query(tmp_path, "SELECT count(*) FROM latest_pointer") == [(1,)]
    assert query(tmp_path, "SELECT max(version) FROM schema_version") == [(_newest(),)]
    (copy,) = (tmp_path / ".catalog/backups").glob("*/ontofetch.duckdb")
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute("SELECT max(version) FROM schema_version").fetchall() == [(2,)]
    rows = query(tmp_path, "SELECT version, version_key FROM versions")
    assert {version: version_key(version) for version, _ in rows} == dict(rows)
    order = query(tmp_path, "SELECT version_id FROM v_series_order ORDER BY position")
    assert [version_id for (version_id,) in order] == ["s/o/1-rc1", "s/o/1", "s/o/05.02.2024"]
    rows = query(
        tmp_path, "SELECT version_id, relpath, source_url, etag, recorded_at = told_at FROM origins ORDER BY 1"
    )
    assert rows[0] == ("s/o/05.02.2024", "a.obo", "https://example.org/a.obo", "x", True)
    assert len(rows) == 3
    with sessions.writing(store) as session:
        assert session.migrated == []


def _newest() -> int:
    return migrations.available_migrations()[-1].version


def test_files_of_an_older_store_get_their_numbers(tmp_path: Path) -> None:
    """What was recorded before there were numbers has those that it would be given now."""
    older_store(tmp_path, 12)
    with duckdb.connect(str(tmp_path / ".catalog/ontofetch.duckdb")) as opened:
        opened.execute(
            "INSERT INTO extracted_files (version_id, relpath, file_id)"
            " SELECT 's/o/1', 'd/' || i || '.ttl', sha256(i::VARCHAR) FROM range(100) t(i)"
        )
    with sessions.writing(Store(tmp_path, {"durability": "off"})) as session:
        numbers = session.connection.execute("SELECT content_key, name_key FROM extracted_files").fetchall()
        assert len(set(numbers)) == 100
        assert None not in {number for pair in numbers for number in pair}
        assert len(lookup_keys.find_wrong_keys(session.connection)) == 0


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one of several pending migrations fails, none of them is applied."""
    older_store(tmp_path, 2)
    broken = migrations.Migration(_newest() + 1, "9999_broken", "0" * 64, "CREATE TABLE t (a INTEGER); SELECT nonsense")
    real = migrations.available_migrations()
    monkeypatch.setattr(migrations, "available_migrations", lambda: (*real, broken))
    with pytest.raises(CatalogUnwritable, match="nonsense"), sessions.writing(Store(tmp_path)):
        pass
    assert query(tmp_path, "SELECT max(version) FROM schema_version") == [(2,)]


def test_a_copy_of_the_store_elsewhere_is_the_same_store(releases: Releases, tmp_path: Path) -> None:
    """No absolute path is recorded: a store that was moved still works."""
    releases.pull("1.0", {"a": "1"})
    shutil.move(releases.root, tmp_path / "moved")
    moved = Releases(tmp_path / "moved", settings={"durability": "off"})
    moved.pull("2.0", {"a": "2"})
    moved.check()


@pytest.mark.parametrize(("count", "words"), [(1, "1 migration is pending"), (2, "2 migrations are pending")])
def test_how_many_are_pending_is_said_in_words(count: int, words: str) -> None:
    """One is pending, several are."""
    assert migrations.count_pending(migrations.available_migrations()[:count]) == words

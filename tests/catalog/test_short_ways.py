"""What is seen in less time where there is little to see, and is the same as what the long way finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ontofetch_catalog.catalog import migrations, remembering
from ontofetch_catalog.catalog.repo import (
    facts,
    images,
    latest,
    meaning,
    recording_facts,
    releases,
    result_tables,
    row_checks,
    validations,
)
from ontofetch_catalog.errors import CatalogUnreadable

NOW = datetime(2025, 1, 1)  # noqa: DTZ001 - as the catalog stores times
NAME = "a" * 99


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give an empty catalog in memory."""
    with duckdb.connect() as made:
        migrations.apply_migrations(made, migrations.available_migrations(), NOW.replace(tzinfo=UTC))
        yield made


def add_release(connection: duckdb.DuckDBPyConnection, name: str, released: date | None = None, **more: Any) -> None:
    """Record a release and nothing of it."""
    service, ontology, version = name.split("/")
    values = {"version_key": version, "created_at": NOW, **more}
    connection.execute(
        "INSERT INTO versions BY NAME SELECT ? AS version_id, ? AS service, ? AS ontology, ? AS version, ? AS released,"
        " ? AS version_key, ? AS created_at, ? AS fs_relpath, 'standard' AS layout",
        [name, service, ontology, version, released, values["version_key"], values["created_at"], name],
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_a_series_is_that_of_the_view(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Who comes before whom is the same, whether all, some or no releases have a date, keys are equal or missing."""
    chance = random.Random(seed)
    dated = {0: 1.0, 1: 0.0}.get(seed % 3, 0.6)
    for number in range(12):
        released = date(2025, 1, chance.randint(1, 4)) if chance.random() < dated else None
        made = NOW + timedelta(minutes=chance.randint(0, 2))
        key = chance.choice(["1", "2", None])
        add_release(connection, f"s/{'ab'[number % 2]}/{number}", released, version_key=key, created_at=made)
    found = connection.execute("SELECT version_id, position, previous_version_id FROM v_series_order").fetchall()
    positions = {name: position for name, position, _ in found}
    for name, _, previous in found:
        assert latest.find_previous(connection, name) == previous
        for other in (it for it in positions if it[:3] == name[:3]):
            assert latest.comes_before(connection, name, other) == (positions[name] < positions[other])
    assert latest.find_previous(connection, "s/a/none") is None
    assert not latest.comes_before(connection, "s/a/none", "s/a/0")


@pytest.mark.parametrize(
    ("new", "found"),
    [
        ("Obo/go/2", ("Obo", "obo/Go/1")),
        ("obo/go/2", ("obo/go", "obo/Go/1")),
        ("obo/Go/V1", ("obo/Go/V1", "obo/Go/v1")),
        ("obo/Go/v2", None),
        ("obo/mondo/V1", None),
        ("other/go/v1", None),
    ],
)
def test_names_in_another_case_are_seen(
    connection: duckdb.DuckDBPyConnection, new: str, found: tuple[str, str] | None
) -> None:
    """A service, a series or a release that only differs by case is found, and nothing else."""
    add_release(connection, "obo/Go/1")
    add_release(connection, "obo/Go/v1")
    told = releases.find_folded(connection, new)
    assert (told is None) is (found is None)
    if found is not None:
        assert told == (found[0], "/".join(found[1].split("/")[: found[0].count("/") + 1]))


@pytest.mark.parametrize("name", [f"{NAME}ab/o/1", f"s/{NAME}ab/1", f"s/o/{NAME}ab", "s/o/-1", "s/o/a b"])
def test_a_name_that_no_release_may_have_is_refused(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """A row that breaks the rule of names is refused, one that is just long enough is not."""
    add_release(connection, f"{NAME}a/{NAME}a/{NAME}a")
    row_checks.refuse_invalid_releases(connection)
    add_release(connection, name)
    with pytest.raises(CatalogUnreadable, match="its version_id is not"):
        row_checks.refuse_invalid_releases(connection)


def test_the_row_of_a_release_follows_what_is_changed_in_it(connection: duckdb.DuckDBPyConnection) -> None:
    """What others are told of a release, from memory, is what stands in the table; what is taken back is forgotten."""
    for name in ("s/o/1", "s/o/2"):
        add_release(connection, name)
    asked = remembering.remembering(connection, remembering.Memory())
    found = [images.unpack(images.pack(asked, {"versions": ["s/o/1"]}, 0))]
    asked.execute("BEGIN")
    for changes in ({"validation_audit": "x"}, {"pinned_at": NOW, "extract_audit": None}, {"pinned_at": None}):
        releases.update_version(asked, "s/o/1", changes)
        rows = connection.sql(releases.row_of("s/o/1")).to_arrow_table()
        assert remembering.recall_table(asked, releases.row_of("s/o/1")) == rows
        found.append(images.unpack(images.pack(asked, {"versions": ["s/o/1"]}, 0)))
        assert found[-1]["versions"][0] == rows
    releases.update_version(asked, "s/o/2", {"plan_hash": "other"})
    assert images.unpack(images.pack(asked, {"versions": ["s/o/1"]}, 0)) == found[-1]
    asked.execute("ROLLBACK")
    assert images.unpack(images.pack(asked, {"versions": ["s/o/1"]}, 0)) == found[0]


def test_an_answer_that_is_empty_has_the_columns_of_one_that_is_not(connection: duckdb.DuckDBPyConnection) -> None:
    """Whoever asks for known facts, results or oddities gets the same columns, whatever there is."""

    def asked() -> list[pa.Table]:
        return [
            facts.known_facts(connection, ["f"], ["1"]),
            validations.known_results(connection, ["f"], "v", "1"),
            meaning.find_oddities(connection, "s/o/2"),
        ]

    before = asked()
    for version, content in (("1", "e"), ("2", "f")):
        add_release(connection, f"s/o/{version}")
        connection.execute(
            "INSERT INTO extracted_files (version_id, relpath, file_id) VALUES (?, 'a.ttl', ?)",
            [f"s/o/{version}", content],
        )
        insert(connection, fact(content, heads=0, digest="d"))
    connection.execute(
        "INSERT INTO validations VALUES ('s/o/2', 'a.ttl', 'f', 'v', '1', true, '{}', TIMESTAMP '2025-01-01', NULL)"
    )
    after = asked()
    assert [len(table) for table in before] == [0, 0, 0]
    assert [len(table) for table in after] == [1, 1, 1]
    assert [table.schema for table in before] == [table.schema for table in after]


def fact(
    name: str, *, content: str = "", heads: int = 1, digest: str = "", reason: str | None = None
) -> dict[str, Any]:
    """Return a row of file_facts with as many headers."""
    known = {"digest": digest or f"d{name}", "digest_kind": "rdf", "digest_exact": True, "heads": heads}
    sealed = {"table_sha256": f"t{name}", "table_bytes": 1}
    about = {"file_id": name, "facts_version": "1", "content_id": content or name, "reason": reason}
    return about if reason else {**about, **known, **sealed}


def insert(connection: duckdb.DuckDBPyConnection, *rows: dict[str, Any]) -> int:
    """Record facts with their headers."""
    columns = ("file_facts", "ontology_heads")
    schemas = [connection.sql(f"SELECT * FROM {name} LIMIT 0").to_arrow_table().schema for name in columns]
    heads = [
        {"content_id": row["content_id"], "facts_version": "1", "position": at, "title": row["file_id"]}
        for row in rows
        for at in range(1, row.get("heads", 0) + 1)
    ]
    given = [pa.Table.from_pylist(list(it), schema=schema) for it, schema in zip((rows, heads), schemas, strict=True)]
    return recording_facts.insert_facts(connection, *given)


@pytest.mark.parametrize(
    "rows",
    [
        [fact("a"), fact("b", heads=2)],
        [fact("a", heads=0)],
        [fact("a"), fact("b", reason="too large")],
        [fact("a"), fact("b", content="a", heads=0)],
        [fact("x"), fact("b")],
        [fact("b", content="x", heads=0)],
        [fact("y")],
    ],
    ids=["new", "no header", "a reason", "a content twice", "a file again", "a content again", "a header is there"],
)
def test_facts_are_the_same_by_either_way(
    connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded of new contents is what the way for known ones records, and no key is doubled."""
    insert(connection, fact("x"))
    connection.execute("INSERT INTO ontology_heads (content_id, facts_version, position) VALUES ('y', '1', 1)")

    def recorded() -> list[list[Any]]:
        connection.execute("BEGIN TRANSACTION")
        told = [insert(connection, *rows)]
        tables = [
            connection.execute(f"SELECT * FROM {it} ORDER BY ALL").fetchall() for it in ("file_facts", "ontology_heads")
        ]
        connection.execute("ROLLBACK")
        return [told, *tables]

    short = recorded()
    monkeypatch.setattr(recording_facts, "_are_new", lambda *_: False)
    assert short == recorded()
    assert len(short[2]) == len({row[:3] for row in short[2]})


def results_of(rows: list[dict[str, Any]]) -> pa.Table:
    """Return results as a boundary gets them once they are checked."""
    types = {"passed": pa.bool_(), "run_at": pa.timestamp("us")}
    names = ("relpath", "file_id", "validator", "validator_version", "passed", "details", "run_at", "reused_from")
    return pa.table({name: pa.array([row[name] for row in rows], types.get(name, pa.string())) for name in names})


def some_results(chance: random.Random) -> pa.Table:
    """Return results of some of a few files by some of a few validators."""
    paths = ["a", 'a"b', "a\\b", "ä/ö", "Z", "\U0001d518", "\ufffd", "d/e f"]
    pairs = chance.sample([(path, validator) for path in paths for validator in ("v", "v 2")], chance.randint(0, 16))
    times = [NOW, datetime.min, datetime.max, NOW.replace(microsecond=120_000), NOW.replace(hour=10, microsecond=1)]  # noqa: DTZ901 - as the catalog stores times
    return results_of(
        [
            {
                "relpath": path,
                "file_id": f"{len(path):064d}",
                "validator": validator,
                "validator_version": chance.choice(["1", "1.0"]),
                "passed": chance.choice([True, False, None]),
                "details": chance.choice(["{}", '{"error": "\\"x\\\\\\n"}', '{"error":\n"ä"}']),
                "run_at": chance.choice(times),
                "reused_from": chance.choice([None, "s/o/1#a", 's/o/1#a"\\']),
            }
            for path, validator in pairs
        ]
    )


@pytest.mark.parametrize("seed", range(30))
def test_few_results_are_recorded_compared_and_written_down_as_many(
    connection: duckdb.DuckDBPyConnection, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rows, the same lines, the same answers, boundary after boundary of a release, beside another one."""
    chance = random.Random(seed)
    version_id = "s/o/1"
    remembered = remembering.remembering(connection, remembering.Memory())
    files = {row["relpath"]: row["file_id"] for _ in range(9) for row in some_results(chance).to_pylist()}
    for relpath, file_id in files.items():
        connection.execute(
            "INSERT INTO extracted_files BY NAME SELECT ? AS version_id, ? AS relpath, ? AS file_id",
            [version_id, relpath, file_id],
        )
    validations.replace_results(remembered, "s/o/2", some_results(chance))
    for _ in range(6):
        given = some_results(chance)
        found = validations.compare_results(remembered, version_id, given)
        with monkeypatch.context() as many:
            many.setattr(result_tables, "FEW_RESULTS", -1)
            assert validations.compare_results(connection, version_id, given) == found
        again = connection.sql(f"SELECT * FROM validations WHERE version_id = '{version_id}'").to_arrow_table()
        kept = {(row["relpath"], row["validator"]): row for row in again.to_pylist()}
        kept |= {(row["relpath"], row["validator"]): {**row, "version_id": version_id} for row in given.to_pylist()}
        validations.replace_results(remembered, version_id, given)
        known = result_tables.recall(remembered, version_id)
        assert known is not None
        told = connection.sql(f"SELECT * FROM validations WHERE version_id = '{version_id}'").to_arrow_table()
        for table in (known, told):
            rows = {(row["relpath"], row["validator"]): row for row in table.to_pylist()}
            assert (rows, len(table)) == (kept, len(kept))
        assert set(map(str, known.schema)) == set(map(str, told.schema))
        for count in (validations.count_validations, validations.count_failed_files):
            assert count(remembered, version_id) == count(connection, version_id)
        of_few, of_many = (b"".join(validations.audit_lines(one, version_id)) for one in (remembered, connection))
        assert of_few == of_many


def test_results_with_empty_columns_are_written_down_as_many(connection: duckdb.DuckDBPyConnection) -> None:
    """A stranger's row has what it has: in both ways its line is the same."""
    connection.execute("INSERT INTO validations BY NAME SELECT 's/o/1' AS version_id, 'a' AS relpath, 'v' AS validator")
    remembered = remembering.remembering(connection, remembering.Memory())
    assert result_tables.find_few(remembered, "s/o/1", 1) is not None
    of_few, of_many = (b"".join(validations.audit_lines(one, "s/o/1")) for one in (remembered, connection))
    assert of_few == of_many
    assert of_few.endswith(b'"details":,"run_at":"Z","reused_from":null}\n')

"""Facts in the store: rows and tables of terms come together, once per content, and break no rule."""

from __future__ import annotations

import os
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ontofetch_catalog.catalog import facts as term_tables
from ontofetch_catalog.catalog import lookups, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.repo import facts
from ontofetch_catalog.content.facts.schema import encode
from ontofetch_catalog.errors import CatalogUnreadable, EventError, PreconditionFailed
from ontofetch_hookspecs.testing import sample_validate_done
from tests.facts import VERSION, facts_table, record_facts, small, stage_facts
from tests.releases import Releases, results_table, sha256

TEXTS = {"a.ttl": "<urn:a> a <urn:b> .", "b.ttl": "<urn:b> a <urn:c> ."}


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """Return a store with one release and its facts."""
    made = Releases(tmp_path / "store", settings={"durability": "off"})
    made.pull("1.0", TEXTS)
    record_facts(made, "1.0", TEXTS)
    return made


def store_of(releases: Releases) -> Store:
    """Return the store."""
    return Store(releases.root, {"durability": "off"})


def tables(releases: Releases) -> set[str]:
    """Return the tables of terms on disk."""
    folder = releases.root / ".catalog/facts"
    return {path.relative_to(releases.root).as_posix() for path in folder.rglob("*") if path.is_file()}


def read(releases: Releases, *versions: str) -> list[dict[str, Any]]:
    """Return what `facts_of` says of releases."""
    with sessions.reading(store_of(releases)) as connection:
        return list(facts.facts_of(connection, [f"example/sample/{name}" for name in versions]).to_pylist())


def test_facts_are_rows_and_a_table_per_content(releases: Releases) -> None:
    """Each file has its facts, its header, and a table of terms at the place that follows from its content."""
    rows = read(releases, "1.0")
    assert [row["relpath"] for row in rows] == ["a.ttl", "b.ttl"]
    assert {row["table_path"] for row in rows} == tables(releases)
    assert rows[0]["digest"] == sha256(TEXTS["a.ttl"].encode())
    assert rows[0]["heads"] == 1
    with sessions.reading(store_of(releases)) as connection:
        heads = facts.heads_of(connection, ["example/sample/1.0"]).to_pylist()
    assert [(head["relpath"], head["title"], head["imports"]) for head in heads] == [
        (name, text, ["urn:i"]) for name, text in TEXTS.items()
    ]
    terms = term_tables.read_terms(store_of(releases), rows[0], ["iri"])
    assert terms["iri"].to_pylist() == [f"urn:{TEXTS['a.ttl']}"]


def test_the_same_facts_again_change_nothing(releases: Releases) -> None:
    """The boundary says that it was unchanged."""
    assert not record_facts(releases, "1.0", TEXTS).changed
    before = tables(releases)
    releases.pull("2.0", TEXTS)
    record_facts(releases, "2.0", TEXTS)
    assert tables(releases) == before
    assert len(releases.rows("SELECT * FROM file_facts")) == 2
    assert len(releases.rows("SELECT * FROM ontology_heads")) == 2


def test_a_lost_or_cut_table_is_published_again(releases: Releases) -> None:
    """What is not there is not known, and comes back with the next facts."""
    row = read(releases, "1.0")[0]
    path = releases.root / row["table_path"]
    for spoil in (path.unlink, lambda: path.write_bytes(b"x")):
        spoil()
        with pytest.raises(CatalogUnreadable, match="db facts"):
            term_tables.read_terms(store_of(releases), row)
        known = lookups.lookup_facts(store_of(releases), [row["file_id"]], [VERSION])
        assert known is not None
        assert len(known) == 0
        assert record_facts(releases, "1.0", TEXTS).changed
        assert len(term_tables.read_terms(store_of(releases), read(releases, "1.0")[0])) == 1


def test_a_table_that_was_touched_since_it_was_recorded_is_hashed(releases: Releases) -> None:
    """Other bytes of the same size are refused, also where somebody has set the file's time back."""
    row = read(releases, "1.0")[0]
    path = releases.root / row["table_path"]
    store = store_of(releases)
    assert len(term_tables.read_terms(store, row | {"table_sha256": "0" * 64})) == 1
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    with pytest.raises(CatalogUnreadable, match="damaged"):
        term_tables.read_terms(store, row)
    long_ago = row["recorded_at"] - timedelta(hours=1)
    os.utime(path, (long_ago.replace(tzinfo=UTC).timestamp() - 1,) * 2)
    with pytest.raises(CatalogUnreadable, match="damaged"):
        term_tables.read_terms(store, row | {"recorded_at": long_ago})
    with pytest.raises(CatalogUnreadable, match="damaged"):
        term_tables.read_terms(store, row | {"recorded_at": None})


def test_a_whole_table_is_hashed_where_it_was_touched(releases: Releases) -> None:
    """What is read whole is believed as what is read in parts is; who does not know since when hashes it."""
    row = read(releases, "1.0")[0]
    path = releases.root / row["table_path"]
    store = store_of(releases)
    data = path.read_bytes()
    assert term_tables.read_table(store, row | {"table_sha256": "0" * 64}) == data
    with pytest.raises(CatalogUnreadable, match="damaged"):
        term_tables.read_table(store, row | {"table_sha256": "0" * 64, "recorded_at": None})
    path.write_bytes(data[:10] + bytes([data[10] ^ 1]) + data[11:])
    with pytest.raises(CatalogUnreadable, match="damaged"):
        term_tables.read_table(store, row)


def test_no_more_of_a_table_is_read_than_what_may_have_a_term(releases: Releases) -> None:
    """Parts of a table that have only smaller or only larger IRIs are left out; the part between is whole."""
    path, row = releases.root / "many.parquet", read(releases, "1.0")[0]
    one = term_tables.read_terms(store_of(releases), row)
    names = [f"urn:{number:02}" for number in range(30)]
    made = pa.concat_tables([one.set_column(0, one.schema.field("iri"), pa.array([name])) for name in names])
    pq.write_table(made, path, row_group_size=10)
    about = row | {"table_path": path.name, "table_bytes": path.stat().st_size, "recorded_at": None}
    about["table_sha256"] = sha256(path.read_bytes())

    def found(*iris: str) -> list[str]:
        kept: list[str] = term_tables.read_terms(store_of(releases), about, ["iri"], iris)["iri"].to_pylist()
        return kept

    assert found("urn:10") == names[10:20]
    assert found("urn:09", "urn:29") == names[:10] + names[20:]
    assert found("urn:", "urn:30") == []
    assert found("urn:105") == names[10:20]


def test_a_content_in_two_files_keeps_one_table(releases: Releases) -> None:
    """A compressed copy takes over the facts that are there, whatever bytes its own table has."""
    gz = {"a.ttl.gz": "compressed"}
    releases.pull("2.0", gz)
    content = sha256(TEXTS["a.ttl"].encode())
    stage, table = stage_facts(releases.root, gz, triples=77)
    row = table.to_pylist()[0] | {"content_id": content}
    event = sample_validate_done(
        releases.root, results_table(gz), version_id="example/sample/2.0", facts=facts_table([row]),
        staged=stage.path / "facts",
    )  # fmt: skip
    releases.manager.hook.on_validate_done(event=event)
    stage.discard()
    first, second = read(releases, "1.0")[0], read(releases, "2.0")[0]
    assert {**first, "version_id": "", "relpath": "", "file_id": "", "size_bytes": 0, "recorded_at": 0} == {
        **second, "version_id": "", "relpath": "", "file_id": "", "size_bytes": 0, "recorded_at": 0,
    }  # fmt: skip
    assert len(tables(releases)) == 2


def test_a_reason_is_recorded_in_the_place_of_facts(releases: Releases) -> None:
    """A file that can't be read has no facts, and the catalog says why."""
    releases.pull("2.0", {"c.ttl": "broken"})
    content = sha256(b"broken")
    row = {"file_id": content, "content_id": content, "facts_version": VERSION, "reason": "it is cut"}
    event = sample_validate_done(
        releases.root, results_table({"c.ttl": "broken"}), version_id="example/sample/2.0", facts=facts_table([row])
    )
    releases.manager.hook.on_validate_done(event=event)
    (found,) = read(releases, "2.0")
    assert (found["reason"], found["digest"], found["table_path"]) == ("it is cut", None, None)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"facts": "{}"}, EventError),
        ({"facts": "[" * 100_000}, EventError),
        ({"facts": encode(small("x", facts_version="2")).decode()}, EventError),
        ({"facts": encode(small("x", triples="1")).decode()}, EventError),
        ({"facts": encode(small("x", heads=[{"title": "\0"}])).decode()}, EventError),
        ({"facts": encode(small("other")).decode()}, EventError),
        ({"table_sha256": "0" * 64}, EventError),
        ({"table_bytes": 1}, EventError),
        ({"table": "../stage.json"}, EventError),
        ({"table": "absent"}, EventError),
        ({"facts": None}, EventError),
        ({"reason": "also"}, EventError),
        ({"content_id": "../../x"}, EventError),
        ({"file_id": "0" * 64}, PreconditionFailed),
    ],
)
def test_facts_that_break_the_contract_are_refused(
    releases: Releases, changes: dict[str, Any], kind: type[Exception]
) -> None:
    """Nothing of the event is recorded."""
    before = releases.rows("SELECT * FROM file_facts ORDER BY ALL")
    texts = {"a.ttl": TEXTS["a.ttl"]}
    stage, table = stage_facts(releases.root, texts)
    event = sample_validate_done(
        releases.root, results_table(texts), version_id="example/sample/1.0",
        facts=facts_table([table.to_pylist()[0] | changes]), staged=stage.path / "facts",
    )  # fmt: skip
    with pytest.raises(kind):
        releases.manager.hook.on_validate_done(event=event)
    stage.discard()
    assert releases.rows("SELECT * FROM file_facts ORDER BY ALL") == before
    assert len(tables(releases)) == 2

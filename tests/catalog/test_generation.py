"""Rows that were committed and are gone, or others in their place, are noticed whenever the catalog is entered."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from ontofetch_catalog.catalog import fsops, generation, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.errors import CatalogBehind, CatalogMissing, CatalogUnreadable, OntofetchError
from tests.catalog.flip_log import FAST, TABLES, Flips, flip_all, log_of, make_store, rows_of
from tests.programs import Program
from tests.releases import Releases, assert_consistent, on_disk

HOWS = pytest.mark.parametrize("enter", [sessions.reading, sessions.writing], ids=["reading", "writing"])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of a store whose boundaries are all in its log."""
    return make_store(tmp_path_factory.mktemp("template") / "store").root


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Store:
    """Return that store, for this test alone."""
    shutil.copytree(template, tmp_path / "store")
    return Store(tmp_path / "store", FAST)


def _refused(store: Store, enter: Callable[[Store], object], kind: type[OntofetchError]) -> str:
    with pytest.raises(kind) as refused, enter(store):  # type: ignore[attr-defined]
        pass
    sentence = str(refused.value)
    assert "db rebuild" in sentence
    assert "db restore" in sentence
    return sentence


# --- the log ----------------------------------------------------------------------------------------------------------


def test_a_flipped_byte_of_the_log_is_refused_or_has_no_effect(store: Store) -> None:
    """Every byte at the log's head and a sample of the others: refused with the way out, or all rows are the same.

    `python -m tests.catalog.flip_log` flips every byte.
    """
    flips = Flips(store)
    seeded = random.Random(3)
    head = 32
    places = [*range(head), *seeded.sample(range(head, len(flips.sound)), 60)]
    counts, wrong = flip_all(flips, [(place, seeded.randrange(8)) for place in places])
    assert wrong == []
    # without the record these would have been lost in silence
    assert counts["other rows", "refused"] > 0
    assert counts["refused", "refused"] > 0
    assert not {ours for _, ours in counts} - {"refused", "same"}


@HOWS
def test_a_truncated_log_is_refused_or_has_no_effect(store: Store, enter: Callable[[Store], object]) -> None:
    """A log cut at any place, also between two transactions, loses rows, and the loss is told."""
    flips = Flips(store)
    silent = 0
    for size in [*range(0, len(flips.sound), 211), len(flips.sound) - 1]:
        flips.put(flips.sound[:size])
        alone = flips.duckdb_alone()
        silent += alone == "other rows"
        _refused(store, enter, CatalogUnreadable if alone == "refused" else CatalogBehind)
    assert silent > 0


@HOWS
def test_a_missing_log_is_refused(store: Store, enter: Callable[[Store], object]) -> None:
    """Without its log the catalog has fewer events than its record says, and the sentence says how many."""
    log_of(store).unlink()
    sentence = _refused(store, enter, CatalogBehind)
    assert "has 1 events, but had 7 after its last commit" in sentence


@HOWS
def test_an_older_copy_is_refused(store: Store, tmp_path: Path, enter: Callable[[Store], object]) -> None:
    """A copy of the database that is put back without its record is behind it, checkpointed or with its log."""
    older = tmp_path / "older"
    shutil.copytree(on_disk(store.database.parent), older)
    Releases(store.root, settings=FAST).download("3.0", b"more")
    for name in (on_disk(store.database).name, log_of(store).name):
        shutil.copyfile(older / name, on_disk(store.database).with_name(name))
    assert "has 7 events, but had 8" in _refused(store, enter, CatalogBehind)


@HOWS
def test_an_older_database_beside_a_newer_log_is_refused(
    store: Store, tmp_path: Path, enter: Callable[[Store], object]
) -> None:
    """A log that does not belong to its database file is not taken for nothing."""
    shutil.copyfile(on_disk(store.database), tmp_path / "older")
    with sessions.writing(store) as session:
        fsops.checkpoint(session.connection)
    Releases(store.root, settings=FAST).download("3.0", b"more")
    shutil.copyfile(tmp_path / "older", on_disk(store.database))
    _refused(store, enter, CatalogUnreadable)


@HOWS
def test_another_history_of_the_same_length_is_refused(store: Store, enter: Callable[[Store], object]) -> None:
    """As many events are not enough: the digest of the newest covers all before it."""
    record = json.loads(on_disk(store.generation).read_bytes())
    on_disk(store.generation).write_text(json.dumps({**record, "digest": "0" * 64}))
    assert "another event 7" in _refused(store, enter, CatalogBehind)


# --- the database -----------------------------------------------------------------------------------------------------


def test_a_damaged_block_is_refused_wherever_it_is_met(store: Store) -> None:
    """A flipped byte of the database file is refused with the way out, at the opening or at the statement it hits."""
    with sessions.writing(store) as session:
        fsops.checkpoint(session.connection)
    sound = on_disk(store.database).read_bytes()
    with sessions.reading(store) as connection:
        rows = rows_of(connection)
    seeded = random.Random(5)
    late = 0
    hints = set()
    for position in seeded.sample(range(len(sound)), 60):
        damaged = bytearray(sound)
        damaged[position] ^= 1 << seeded.randrange(8)
        on_disk(store.database).write_bytes(damaged)
        opened = False
        try:
            with sessions.reading(store) as connection:
                opened = True
                assert rows_of(connection) == rows
        except OntofetchError as refused:
            late += opened
            hints.add(refused.hint)
    assert late > 0
    assert len(hints) == 1
    assert "db rebuild" in hints.pop()


def test_a_damaged_block_is_a_sentence_for_a_boundary_too(store: Store) -> None:
    """A boundary that meets damage says what to do about it, and not that the disk is to be mended."""
    with sessions.writing(store) as session:
        fsops.checkpoint(session.connection)
    os.truncate(on_disk(store.database), on_disk(store.database).stat().st_size // 2)
    with pytest.raises(CatalogUnreadable, match="db rebuild"):
        Releases(store.root, settings=FAST).download("3.0", b"more")


def _other_database(store: Store) -> None:
    on_disk(store.database).unlink()
    log_of(store).unlink()
    connection = duckdb.connect(str(on_disk(store.database)))
    connection.execute("CREATE TABLE other (a INTEGER)")
    connection.close()


DAMAGES: dict[str, tuple[Callable[[Store], object], type[OntofetchError]]] = {
    "gone": (lambda store: on_disk(store.database).unlink(), CatalogMissing),
    "empty": (lambda store: on_disk(store.database).write_bytes(b""), CatalogUnreadable),
    "text": (lambda store: on_disk(store.database).write_text("hello" * 5000), CatalogUnreadable),
    "cut": (lambda store: os.truncate(on_disk(store.database), 20_000), CatalogUnreadable),
    "a folder": (lambda store: (on_disk(store.database).unlink(), on_disk(store.database).mkdir()), CatalogMissing),
}


@HOWS
@pytest.mark.parametrize(("damage", "kind"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_lost_database_is_refused_and_nothing_takes_its_place(
    store: Store, enter: Callable[[Store], object], damage: Callable[[Store], object], kind: type[OntofetchError]
) -> None:
    """A database that is gone or no database, beside a record, is told of; no new one is made in its place."""
    damage(store)
    found = on_disk(store.database).read_bytes() if on_disk(store.database).is_file() else None
    _refused(store, enter, kind)
    assert (on_disk(store.database).read_bytes() if on_disk(store.database).is_file() else None) == found


def test_another_database_in_its_place_is_refused(store: Store) -> None:
    """A database without events is behind a record of seven, and is not migrated."""
    _other_database(store)
    _refused(store, sessions.writing, CatalogBehind)
    connection = duckdb.connect(str(on_disk(store.database)), read_only=True)
    assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("other",)]
    connection.close()


# --- the record -------------------------------------------------------------------------------------------------------


@HOWS
def test_a_catalog_ahead_of_its_record_is_fine(store: Store, enter: Callable[[Store], object]) -> None:
    """Killed between COMMIT and record, the catalog is ahead: it opens, and the next commit catches up."""
    former = on_disk(store.generation).read_bytes()
    releases = Releases(store.root, settings=FAST)
    releases.download("3.0", b"more")
    on_disk(store.generation).write_bytes(former)
    with enter(store):  # type: ignore[attr-defined]
        pass
    releases.set_latest("1.0")
    assert json.loads(on_disk(store.generation).read_bytes())["events"] == 9
    assert_consistent(store.root)


@HOWS
def test_a_record_ahead_of_its_catalog_is_refused(store: Store, enter: Callable[[Store], object]) -> None:
    """A record of more events than there are is a loss."""
    record = json.loads(on_disk(store.generation).read_bytes())
    on_disk(store.generation).write_text(json.dumps({**record, "events": 8}))
    assert "has 7 events, but had 8" in _refused(store, enter, CatalogBehind)


def test_a_missing_record_is_told_and_written_anew(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Without its record the catalog opens with a warning; the next commit writes one that guards it again."""
    on_disk(store.generation).unlink()
    with sessions.reading(store):
        pass
    assert "generation record" in caplog.text
    assert "missing" in caplog.text
    assert not on_disk(store.generation).exists()
    Releases(store.root, settings=FAST).set_latest("1.0")
    assert json.loads(on_disk(store.generation).read_bytes())["events"] == 8
    log_of(store).unlink()
    _refused(store, sessions.reading, CatalogBehind)


RECORDS = {
    "empty": b"",
    "no text": b"\xff\xfe\x00",
    "cut": b'{"format": 1, "counter": 7, "eve',
    "a list": b"[1, 2]",
    "deep": b"[" * 100_000,
    "another format": b'{"format": 2, "counter": 7, "events": 7, "digest": ""}',
    "no events": b'{"format": 1, "counter": 7, "digest": ""}',
    "no number": b'{"format": 1, "counter": 7, "events": "many", "digest": ""}',
    "infinite": b'{"format": 1, "counter": 1e999, "events": 7, "digest": ""}',
    "endless": b'{"format": 1, "counter": 7, "events": ' + b"9" * 5000 + b', "digest": ""}',
}


@HOWS
@pytest.mark.parametrize("content", RECORDS.values(), ids=RECORDS.keys())
def test_a_damaged_record_is_a_sentence(store: Store, enter: Callable[[Store], object], content: bytes) -> None:
    """A record that says nothing is refused, since a loss would not be noticed; it is left as it is."""
    on_disk(store.generation).write_bytes(content)
    with pytest.raises(CatalogUnreadable, match=r"generation record .* can't be read") as refused, enter(store):  # type: ignore[attr-defined]
        pass
    assert "db doctor" in refused.value.hint
    assert len(str(refused.value)) < 1000
    assert on_disk(store.generation).read_bytes() == content


def test_the_commands_end_with_the_sentence(store: Store) -> None:
    """A user who lost the log sees one line that names the way out, and exit 1."""
    log_of(store).unlink()
    for words in (("db", "versions"), ("report", "latest", "--version", "1.0"), ("db", "recover")):
        ended = Program(store.root).run(*words)
        assert ended.returncode == 1
        assert ended.stderr.startswith("error: The catalog ")
        assert "ontofetch db rebuild" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_the_record_counts_every_commit(store: Store) -> None:
    """The counter grows by one with each commit, and number and digest are those of the newest event."""
    before = generation.read_generation(store)
    Releases(store.root, settings=FAST).set_latest("1.0")
    after = generation.read_generation(store)
    assert before is not None
    assert after is not None
    assert after.counter == before.counter + 1
    with sessions.reading(store) as connection:
        assert connection.execute("SELECT event_id, digest FROM events ORDER BY 1 DESC LIMIT 1").fetchall() == [
            (after.events, after.digest)
        ]
    assert "events" in TABLES


def test_a_damage_is_never_taken_for_a_lock(tmp_path: Path) -> None:
    """Not even in a folder called `lock`: nobody has a damaged file open."""
    store = make_store(tmp_path / "could lock" / "store")
    os.truncate(on_disk(store.database), 20_000)
    _refused(store, sessions.reading, CatalogUnreadable)

"""What DuckDB says becomes a sentence in one place; only damage advises to bring a catalog back."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import duckdb
import pytest

from ontofetch_catalog.catalog import fsops, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.failures import explain, is_damage
from ontofetch_catalog.catalog.rebuild.build import rebuild
from ontofetch_catalog.errors import CatalogUnavailable, CatalogUnreadable, Conflict, OntofetchError
from ontofetch_hookspecs.store_paths import StorePath
from tests.releases import Releases, snapshot

FAST = {"durability": "off", "duckdb_threads": 1}
MEMORY = "Out of Memory Error: could not allocate block of size 256.0 KiB (9.5 MiB/9.5 MiB used)"
SPILLED = "Out of Memory Error: failed to offload data block: set by the 'max_temp_directory_size' setting."


@pytest.fixture
def store(releases: Releases) -> Store:
    """Return a store with one release."""
    releases.pull("1.0", {"a.ttl": "alpha"})
    return Store(releases.root, FAST)


@pytest.mark.parametrize(
    ("question", "step"),
    [
        # one value of 100 MB can't be put on the disk in parts
        ("SELECT length(string_agg(repeat('x', 1000), '')) FROM range(100000)", "duckdb_memory"),
        ("SELECT nothing FROM nowhere", "fault of the program"),
        ("SELECT 'no number'::INTEGER", "fault of the program"),
    ],
    ids=["memory", "table", "value"],
)
def test_a_question_that_fails_is_no_damage(store: Store, question: str, step: str) -> None:
    """A limit asks for more, our own wrong SQL for a report; nobody is told to replace a sound catalog."""
    tight = Store(store.root, {**FAST, "duckdb_memory": "20MB"})
    with pytest.raises(CatalogUnavailable) as failed, sessions.reading(tight) as connection:
        connection.execute(question).fetchall()
    assert step in failed.value.hint
    assert "restore" not in str(failed.value)


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (duckdb.OutOfMemoryException(MEMORY), "duckdb_memory"),
        (duckdb.OutOfMemoryException(SPILLED), "Free some space"),
        (duckdb.Error(f'Failure while replaying WAL file "x": {MEMORY}'), "duckdb_memory"),
        (duckdb.IOException('IO Error: Could not write file "corrupt": No space left on device'), "Free some space"),
        (duckdb.IOException('IO Error: Cannot open file "x": Too many open files'), "ulimit"),
        (duckdb.FatalException('FATAL Error: Could not write file "x": File too large'), "ulimit -f"),
        (duckdb.IOException("IO Error: Trying to read a database file with version number 99"), "newer DuckDB"),
        (duckdb.BinderException('Binder Error: Referenced column "corrupt" not found'), "fault of the program"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "disk may be failing"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_damage(tmp_path: Path, error: OSError | duckdb.Error, step: str) -> None:
    """Each has a step of its own."""
    told = explain(error, "It can't be", database=Store(tmp_path).database, kind=OntofetchError)
    assert step in told.hint
    assert "db restore" not in told.hint
    assert not is_damage(error)


@pytest.mark.parametrize("harm", ["cut", "byte", "log", "text"])
def test_damage_advises_a_restore(store: Store, harm: str) -> None:
    """Whatever was done to the file or its log, a real DuckDB says so and the hint brings it back."""
    database = Path(str(store.database))
    if harm == "log":
        log = database.with_name("ontofetch.duckdb.wal")
        with sessions.writing(store) as session:
            fsops.checkpoint(session.connection)
        with sessions.writing(store) as session:
            fsops.execute(
                session.connection,
                "INSERT INTO staging_fs_listing BY NAME SELECT 'x' AS scope, range::VARCHAR AS relpath FROM range(200)",
            )
        spoilt = bytearray(log.read_bytes())
        spoilt[200] ^= 0xFF
        log.write_bytes(spoilt)
    else:
        with sessions.writing(store) as session:
            fsops.checkpoint(session.connection)
        data = bytearray(database.read_bytes())
        data[5000] ^= 0xFF
        database.write_bytes({"cut": data[:9000], "byte": data, "text": b"hello" * 5000}[harm])
    with pytest.raises(CatalogUnreadable, match="can't be read") as failed, sessions.reading(store):
        pass
    assert "db restore" in failed.value.hint


@pytest.mark.parametrize("code", [errno.EACCES, errno.EMFILE, errno.ENOMEM, 0])
@pytest.mark.parametrize("what", ["database", "record"])
def test_a_sound_catalog_that_can_not_be_opened_now_is_not_rebuilt(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int, what: str
) -> None:
    """Without --replace only damage, absence, or being behind the record lets a rebuild go on."""
    if what == "record" and not code:
        (store.root / ".catalog/generation.json").write_text("{")
    before = snapshot(store.root), Path(str(store.database)).read_bytes()
    read_json = StorePath.read_json

    def no_record(path: StorePath, *most: int) -> object:
        if path == store.generation and code:
            raise OSError(code, os.strerror(code), str(path))
        return read_json(path, *most)

    def no_database(path: StorePath, *_: object, **__: object) -> None:
        raise duckdb.IOException(f'IO Error: Cannot open file "{path}": {os.strerror(code) if code else MEMORY}')

    with monkeypatch.context() as patched:
        if what == "record":
            patched.setattr(StorePath, "read_json", no_record)
        else:
            patched.setattr(fsops, "open_database", no_database)
        with pytest.raises(Conflict, match="may be sound") as failed:
            rebuild(store)
    assert "--replace" in failed.value.hint
    assert (snapshot(store.root), Path(str(store.database)).read_bytes()) == before


def test_an_error_of_whoever_reads_is_not_the_catalogs(store: Store) -> None:
    """What is written meanwhile, to a pipe or a full disk, is no fault of the catalog."""
    with pytest.raises(BrokenPipeError), sessions.reading(store):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def test_doctor_does_not_call_a_refusal_damage(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog that the system keeps closed is no finding that advises a restore, but an error."""

    def refused(path: StorePath, *_: object, **__: object) -> None:
        raise duckdb.IOException(f'IO Error: Cannot open file "{path}": {os.strerror(errno.EACCES)}')

    monkeypatch.setattr(fsops, "open_database", refused)
    with pytest.raises(CatalogUnavailable, match="Permission denied"):
        examine(store)

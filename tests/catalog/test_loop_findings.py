"""What the crash loop found stays mended: each test is one fault that a killed, failing or powerless run showed."""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.catalog import fsops, intents, journal, moving, sessions
from ontofetch_catalog.catalog.backup.restore import restore
from ontofetch_catalog.catalog.backup.write import back_up
from ontofetch_catalog.catalog.boundaries import staged
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.failures import explain
from ontofetch_catalog.catalog.fsops import whole
from ontofetch_catalog.catalog.rebuild.build import rebuild
from ontofetch_catalog.catalog.repo import audit_lines, validations
from ontofetch_catalog.errors import BoundaryFailed, CatalogUnwritable, OntofetchError, RecoveryFailed
from ontofetch_hookspecs.store_paths import below_root
from tests.releases import Releases, on_disk, query, results_table

pytestmark = pytest.mark.usefixtures("quick_databases")

DATA = b"the artifact"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Note (function, path) of the syncs and of the files that are made, in order."""
    found: list[tuple[str, str]] = []

    def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(path: Path, *args: Any) -> Any:
            found.append((name, str(path)))
            return function(path, *args)

        return called

    for name in ("sync_folder", "create_file"):
        monkeypatch.setattr(fsops, name, noted(name, getattr(fsops, name)))
    return found


def _fail(code: int, when: Callable[..., bool], function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, failing with an error of the system where `when` says so."""

    def failing(*args: Any, **kwargs: Any) -> Any:
        if when(*args):
            raise OSError(code, os.strerror(code), str(args[0]))
        return function(*args, **kwargs)

    return failing


def test_the_intent_goes_before_what_an_undo_may_need(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recovery that dies while it removes a boundary's new documents is not stuck for ever: the intent is gone."""
    releases.download("1.0", DATA)
    store = Store(releases.root, {"durability": "off"})
    draft = journal.IntentDraft(store, "0" * 32)
    draft.write("example/sample/1.0/extra.json", [b"{}"])
    intents.write_intent(store, draft.intent)
    moving.publish(store, draft.intent)
    moving.undo(store, draft.intent)
    with monkeypatch.context() as patch:
        patch.setattr(whole, "remove_tree", _fail(errno.EIO, lambda path: True, whole.remove_tree))
        with pytest.raises(OSError, match="Input/output"):
            moving.forget(store, draft.intent, committed=False)
    assert store.open_intents == []
    with sessions.writing(store):
        pass
    assert store.intents.names() == []


def test_new_folders_are_durable_in_the_folder_around_them(tmp_path: Path, seen: list[tuple[str, str]]) -> None:
    """The catalog's folder, and that of intents, do not vanish with what is in them when power fails."""
    sessions.make_store(Store(tmp_path / "store"))
    assert seen == [("sync_folder", str(tmp_path)), ("sync_folder", str(tmp_path / "store"))]


def test_new_documents_are_durable_before_the_intent_that_names_them(
    tmp_path: Path, seen: list[tuple[str, str]]
) -> None:
    """An intent never names a document whose folder a power cut may still take away."""
    Releases(tmp_path / "store").download("1.0", DATA)
    intents = str(tmp_path / "store/.catalog/intents")
    written = next(place for place, (name, path) in enumerate(seen) if name == "create_file" and f"{intents}/." in path)
    assert ("sync_folder", intents) in seen[:written]


def test_a_commit_that_may_be_lost_is_not_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the folder of the log can't be synced after COMMIT the host is told, and the intent stays."""
    releases = Releases(tmp_path / "store")
    releases.download("1.0", DATA)
    committed: list[object] = []
    commit = fsops.commit
    with monkeypatch.context() as patch:
        patch.setattr(fsops, "commit", lambda connection: committed.append(commit(connection)))
        broken = _fail(errno.EIO, lambda path: bool(committed) and path.name == ".catalog", fsops.sync_folder)
        patch.setattr(fsops, "sync_folder", broken)
        with pytest.raises(BoundaryFailed, match="made durable: Input/output error") as failed:
            releases.download("2.0", DATA)
    assert "finds out" in failed.value.hint
    assert len(Store(releases.root).open_intents) == 1
    releases.download("3.0", DATA)
    assert query(releases.root, "SELECT count(*) FROM events WHERE type = 'recover.finished'") == [(1,)]
    releases.check()


def test_files_in_place_are_durable_up_to_the_root(
    tmp_path: Path, seen: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a file system can't be synced as a whole, every folder that a host may have made is synced."""
    monkeypatch.setattr(fsops, "sync_filesystem", lambda path: False)
    path = tmp_path / "a/b/c/file"
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    staged.make_durable_in_place(below_root(tmp_path, path))
    assert [Path(folder) for name, folder in seen if name == "sync_folder"] == list(path.parents)[:4]


def test_a_missing_or_old_record_is_written_by_the_next_writer(releases: Releases) -> None:
    """Killed between COMMIT and generation.json, the next start records how far the catalog has come."""
    releases.download("1.0", DATA)
    record = releases.root / ".catalog/generation.json"
    old = record.read_bytes()
    releases.download("2.0", DATA)
    new = record.read_bytes()
    for content in (None, old):
        record.unlink() if content is None else record.write_bytes(content)
        with sessions.writing(Store(releases.root, {"durability": "off"})):
            pass
        assert record.read_bytes().split(b'"events"')[1] == new.split(b'"events"')[1]


def test_a_creation_that_fails_ends_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk or DuckDB says on the way in is told with what to do next."""

    def failing(*_: object, **__: object) -> int:
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(fsops, "execute", failing)
        with pytest.raises(CatalogUnwritable, match="No space left") as failed, sessions.writing(Store(tmp_path)):
            pass
    assert "run the same command again" in failed.value.hint
    with sessions.writing(Store(tmp_path)):
        pass


def test_a_full_disk_is_no_reason_to_restore(tmp_path: Path) -> None:
    """An error of the system asks to be mended; only a damaged file asks for a backup."""
    database = Store(tmp_path).database

    def told(message: str) -> str:
        return explain(duckdb.IOException(message), "", database=database, kind=OntofetchError).hint

    assert "run the same command again" in told('IO Error: Cannot open file "x": Permission denied')
    assert "db restore" in told("IO Error: The file is not a valid DuckDB database file!")


@pytest.mark.parametrize("step", ["undo", "reopen"])
def test_an_error_says_that_nothing_was_changed_only_if_so(
    releases: Releases, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """After a failed undo, or a failed COMMIT that nobody could ask about, the sentence speaks of the next start."""
    releases.download("1.0", DATA)
    with monkeypatch.context() as patch:
        if step == "undo":
            patch.setattr(fsops, "sync_folder", _fail(errno.EIO, lambda path: path.name == "src", fsops.sync_folder))
            patch.setattr(moving, "undo", _fail(errno.EIO, lambda *_: True, moving.undo))
        else:

            def failing(connection: duckdb.DuckDBPyConnection) -> None:
                connection.close()
                patch.setattr(fsops, "open_database", _fail(errno.EIO, lambda *_: True, fsops.open_database))
                raise duckdb.TransactionException("TransactionContext Error: Failed to commit: Input/output error")

            patch.setattr(fsops, "commit", failing)
        with pytest.raises(BoundaryFailed) as failed:
            releases.download("2.0", DATA)
    assert "Nothing was changed" not in failed.value.hint
    assert "next start" in failed.value.hint
    with sessions.writing(Store(releases.root, {"durability": "off"})):
        pass
    releases.check()


@pytest.fixture
def lost(releases: Releases) -> Releases:
    """Return the host of a store with a whole release whose database is lost."""
    releases.pull("1.0", {"a.ttl": "alpha"})
    for path in (releases.root / ".catalog").glob("ontofetch.duckdb*"):
        path.unlink()
    return releases


@pytest.mark.parametrize("name", ["sync_folder", "checkpoint", "create_file"])
def test_a_rebuild_that_fails_ends_in_a_sentence(lost: Releases, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A disk that refuses while the new catalog is made is told of, and the same command again makes it."""
    store = Store(lost.root)
    with monkeypatch.context() as patch:
        patch.setattr(fsops, name, _fail(errno.ENOSPC, lambda *_: True, getattr(fsops, name)))
        with pytest.raises(CatalogUnwritable, match="No space left") as failed:
            rebuild(store)
    assert "run the same command again" in failed.value.hint
    unfinished = store.generation.with_name(".generation.json.new")
    on_disk(unfinished).write_text("{")
    assert [release.source for release in rebuild(store).releases] == ["documents"]
    assert not unfinished.exists()
    lost.check()


def test_a_rebuild_goes_on_from_a_swap_that_was_cut_short(lost: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command again ends the swap, counts what is recorded, and does not call that a catalog of another."""
    store = Store(lost.root)
    with monkeypatch.context() as patch:
        patch.setattr(fsops, "rename", _fail(errno.EIO, lambda _, target: target == store.database, fsops.rename))
        with pytest.raises(RecoveryFailed, match="can't be finished"):
            rebuild(store)
    (release,) = rebuild(store).releases
    assert (release.source, release.rows, release.bytes) == ("documents", 4, 5)
    lost.check()


@pytest.mark.parametrize(("kind", "module"), [("extract", audit_lines), ("validation", validations)])
def test_an_audit_that_can_not_be_written_is_let_go(
    releases: Releases, monkeypatch: pytest.MonkeyPatch, kind: str, module: Any
) -> None:
    """A disk that is full while an audit is written leaves no query open that makes its lines."""
    releases.download("1.0", DATA)
    texts = {"a.ttl": "alpha"}
    step = {
        "extract": lambda: releases.extract("1.0", DATA, texts),
        "validation": lambda: releases.validate("1.0", results_table(texts)),
    }
    if kind == "validation":
        step["extract"]()
    made: list[Any] = []
    lines = module.audit_lines

    def noted(*args: Any, **others: Any) -> Any:
        made.append(lines(*args, **others))
        return made[-1]

    full = _fail(errno.ENOSPC, lambda file, _: f"-{kind}.audit" in os.readlink(f"/dev/fd/{file}"), fsops.write)
    with monkeypatch.context() as patch:
        patch.setattr(fsops, "write", full)
        patch.setattr(module, "audit_lines", noted)
        with pytest.raises(BoundaryFailed, match="No space left"):
            step[kind]()
    assert [inspect.getgeneratorstate(each) for each in made] == [inspect.GEN_CLOSED]
    step[kind]()
    releases.check()


def test_a_restore_does_without_emptying_the_log(
    releases: Releases, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What will be replaced is kept with its log; that the log can't be emptied is no reason to stop."""
    releases.pull("1.0", {"a.ttl": "alpha"})
    store = Store(releases.root)
    back_up(store, tmp_path / "backup", include_data=False, key=None, progress=lambda done, total: None)

    (before,) = query(releases.root, "SELECT max(event_id) FROM events")[0]

    def refused(connection: object) -> None:
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(fsops, "checkpoint", refused)
        restored, _ = restore(store, tmp_path / "backup", key=None, progress=lambda done, total: None)
    assert restored.kept is not None
    with duckdb.connect(restored.kept / "ontofetch.duckdb", read_only=True) as kept:
        # its table of events begins with the release and ends before the restore: nothing of it is lost
        assert kept.execute("SELECT max(event_id) FROM events").fetchone() == (before,)
    releases.check()


def _picture(releases: Releases) -> dict[str, bytes]:
    """Return the files of all releases, path → content."""
    folder = on_disk(releases.root) / "example"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_moved_into_a_folder_is_found_where_the_folder_is(releases: Releases) -> None:
    """Power may keep a new document and lose that the folder around it had moved before, or keep that it moved back."""
    releases.download("1.0", DATA)
    before = _picture(releases)
    store = Store(releases.root, {"durability": "off"})
    draft = journal.IntentDraft(store, "0" * 32)
    draft.displace("example/sample/1.0/manifest.json", keep=False)
    draft.move("example/sample/1.0", "example/sample/2.0")
    draft.write("example/sample/2.0/manifest.json", [b"{}"])
    intents.write_intent(store, draft.intent)
    moving.publish(store, draft.intent)
    folder = on_disk(releases.root) / "example/sample"
    (folder / "2.0").rename(folder / "1.0")
    moving.undo(store, draft.intent)
    moving.forget(store, draft.intent, committed=False)
    assert _picture(releases) == before


def test_folders_are_durable_where_they_have_moved_to(releases: Releases, seen: list[tuple[str, str]]) -> None:
    """What left a folder that moved then, or was put into it, would else come back, or go, when power fails."""
    releases.download("1.0", DATA)
    store = Store(releases.root)
    draft = journal.IntentDraft(store, "0" * 32)
    draft.displace("example/sample/1.0/manifest.json", keep=False)
    draft.move("example/sample/1.0", "example/sample/2.0")
    intents.write_intent(store, draft.intent)
    seen.clear()
    moving.publish(store, draft.intent)
    assert ("sync_folder", str(on_disk(releases.root) / "example/sample/2.0")) in seen
    seen.clear()
    moving.undo(store, draft.intent)
    assert ("sync_folder", str(on_disk(releases.root) / "example/sample/1.0")) in seen


def test_a_service_goes_with_its_last_series_also_when_that_is_gone(releases: Releases) -> None:
    """Whoever goes on where a process died between the two removes what is left."""
    releases.download("1.0", DATA)
    store = Store(releases.root, {"durability": "off"})
    draft = journal.IntentDraft(store, "0" * 32)
    draft.displace("example/sample/1.0", keep=True)
    intents.write_intent(store, draft.intent)
    moving.publish(store, draft.intent)
    (on_disk(releases.root) / "example/sample").rmdir()
    moving.forget(store, draft.intent, committed=True)
    assert not (on_disk(releases.root) / "example").exists()

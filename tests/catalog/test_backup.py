"""A backup holds one state of the store, whole; restoring brings it back, whole or not at all, and trusts nothing."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
import zstandard
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ontofetch_catalog.catalog import fsops, sessions
from ontofetch_catalog.catalog.backup import Backup, Restored, back_up, list_backups, restore
from ontofetch_catalog.catalog.backup.manifest import FileList
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.errors import (
    BackupRefused,
    BoundaryFailed,
    CatalogBehind,
    CatalogUnreadable,
    OntofetchError,
    UsageError,
)
from ontofetch_hookspecs.store_paths import StorePath
from tests.releases import Releases, assert_consistent, query, query_each, sha256, snapshot

pytestmark = pytest.mark.usefixtures("quick_databases")

FAST = {"durability": "off", "wait": 5.0}
TEXTS = {"a.ttl": "alpha", "d/b b's.ttl": "beta", "d/e/ü.ttl": "gamma", "empty.ttl": "", "copy.ttl": "alpha"}
SCHEMAS = Path(__file__).parents[2] / "docs/schemas"
TABLES = ("versions", "artifacts", "extracted_files", "validations", "latest_pointer")
KINDS = ["folder", "archive.tar.zst"]


def make(root: Path, path: Path | None, *, include_data: bool = False, key: Path | None = None) -> Backup:
    """Make a backup."""
    return back_up(Store(root, FAST), path, include_data=include_data, key=key, progress=lambda done, total: None)[0]


def bring_back(root: Path, path: Path, *, key: Path | None = None) -> Restored:
    """Restore a backup."""
    return restore(Store(root, FAST), path, key=key, progress=lambda done, total: None)[0]


def rows(root: Path) -> dict[str, list[Any]]:
    """Return the rows of all tables but the events."""
    found = query_each(root, *(f"SELECT * FROM {table} ORDER BY ALL" for table in TABLES))
    return dict(zip(TABLES, found, strict=True))


def everything(root: Path) -> dict[str, str]:
    """Return path → sha256 of all files of a store but its locks and the leavings of a checkpoint."""
    found = {path: digest for path, (_, _, _, digest) in snapshot(root).items()}
    for path in (root / ".catalog").rglob("*"):
        if path.is_file() and not path.name.startswith(".duck.lock"):
            found[path.relative_to(root).as_posix()] = sha256(path.read_bytes())
    return found


def times(root: Path) -> dict[str, tuple[int, int, str]]:
    """Return path → (size, mtime in µs, sha256) of the files outside of `.catalog`."""
    return {path: (size, when // 1000, digest) for path, (_, size, when, digest) in snapshot(root).items()}


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive with the tools that everybody has."""
    with zstandard.open(archive, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture
def store(releases: Releases) -> Path:
    """Return a store with two releases."""
    releases.pull("1.0", TEXTS)
    releases.pull("2.0", {**TEXTS, "new.ttl": "delta"})
    return releases.root


@pytest.mark.parametrize("name", KINDS)
def test_a_backup_lists_what_it_holds_as_its_schemas_say(store: Path, tmp_path: Path, name: str) -> None:
    """Every file is listed with size and sha256, the manifest has the sha256 of the list, and fits its schema."""
    events = query(store, "SELECT max(event_id), arg_max(digest, event_id) FROM events")
    made = make(store, tmp_path / name, include_data=True)
    folder = unpack(tmp_path / name, tmp_path / "unpacked") if name.endswith("zst") else tmp_path / name
    manifest = json.loads((folder / "backup.json").read_bytes())
    jsonschema.validate(manifest, json.loads((SCHEMAS / "backup.json").read_bytes()))
    lines = (folder / "files.jsonl").read_bytes()
    assert manifest["files_sha256"] == sha256(lines)
    listed = [json.loads(line) for line in lines.splitlines()]
    line_schema = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "backup_files.json").read_bytes()))
    assert all(line_schema.is_valid(line) for line in listed)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    own = {"backup.json", "files.jsonl"}
    assert {line["path"]: (line["sha256"], line["size_bytes"]) for line in listed} == {
        path: (sha256(data), len(data)) for path, data in found.items() if path not in own
    }
    assert (manifest["files"], manifest["size_bytes"]) == (len(listed), sum(line["size_bytes"] for line in listed))
    assert [(manifest["events"], manifest["digest"])] == events
    # all of the disk is in it, and of the catalog the two files that count
    inside = {path.removeprefix("store/") for path in found if path.startswith("store/")}
    assert inside == {*snapshot(store), ".catalog/ontofetch.duckdb", ".catalog/generation.json"}
    assert {path for path in found if path.startswith("schemas/")} == {
        f"schemas/{path.name}" for path in SCHEMAS.glob("*.json")
    }
    assert (made.missing, made.damaged, made.signed) == ([], [], False)


@pytest.mark.parametrize("name", KINDS)
def test_a_lost_disk_comes_back(store: Path, tmp_path: Path, name: str) -> None:
    """With the data, another root gets the same rows and the same files with their times."""
    make(store, tmp_path / name, include_data=True)
    restored = bring_back(tmp_path / "elsewhere", tmp_path / name)
    assert times(tmp_path / "elsewhere") == times(store)
    assert rows(tmp_path / "elsewhere") == rows(store)
    assert_consistent(tmp_path / "elsewhere")
    assert (restored.kept, restored.files_there, restored.migrated) == (None, 0, [])
    assert query(tmp_path / "elsewhere", "SELECT type FROM events ORDER BY event_id DESC LIMIT 1") == [
        ("backup.restored",)
    ]


def test_an_older_catalog_comes_back_and_what_it_replaced_is_kept(releases: Releases, tmp_path: Path) -> None:
    """The rows are those of then, the files stay as they are now, and the replaced catalog opens."""
    releases.pull("1.0", TEXTS)
    then = rows(releases.root)
    make(releases.root, tmp_path / "b")
    releases.pull("2.0", TEXTS)
    now, files = rows(releases.root), times(releases.root)
    restored = bring_back(releases.root, tmp_path / "b")
    assert rows(releases.root) == then != now
    assert times(releases.root) == files
    assert restored.files_there == 4
    assert restored.kept is not None
    assert sorted(os.listdir(restored.kept)) == ["generation.json", "ontofetch.duckdb"]
    (tmp_path / "kept").mkdir()
    shutil.copytree(restored.kept, tmp_path / "kept/.catalog")
    assert rows(tmp_path / "kept") == now
    # the store goes on from there
    releases.pull("3.0", TEXTS)
    assert len(rows(releases.root)["versions"]) == 2


def test_what_a_restore_replaced_is_restored_in_turn(releases: Releases, tmp_path: Path) -> None:
    """Whoever restored the wrong backup has all rows again, from what was kept; what is no catalog is told."""
    releases.pull("1.0", TEXTS)
    make(releases.root, tmp_path / "b")
    releases.pull("2.0", TEXTS)
    now, files = rows(releases.root), times(releases.root)
    kept = bring_back(releases.root, tmp_path / "b").kept
    assert kept is not None
    again = bring_back(releases.root, kept)
    assert rows(releases.root) == now
    assert times(releases.root) == files
    assert again.kept is not None
    assert_consistent(releases.root)
    record = again.kept / "generation.json"
    for text, said in ((record.read_text().replace('"events"', '"even"'), "can't be read"), ("{", "can't be read")):
        record.write_text(text)
        with pytest.raises(BackupRefused, match=said):
            bring_back(releases.root, again.kept)
    shutil.copy(kept / "generation.json", record)
    with pytest.raises(CatalogBehind):
        bring_back(releases.root, again.kept)
    (kept / "ontofetch.duckdb.wal").write_bytes(b"log")
    with pytest.raises(BackupRefused, match="its log is beside it"):
        bring_back(releases.root, kept)
    assert rows(releases.root) == now


def test_missing_files_come_back_and_others_stay(store: Path, tmp_path: Path) -> None:
    """What is gone is put back from a backup with data; a file with other bytes is left for doctor."""
    make(store, tmp_path / "b", include_data=True)
    before = times(store)
    shutil.rmtree(store / "example/sample/1.0/data/d")
    (store / "example/sample/2.0/src/a.zip").unlink()
    (store / "example/sample/2.0/data/a.ttl").write_text("other")
    restored = bring_back(store, tmp_path / "b")
    assert restored.files_back == 2
    assert {path for path, found in times(store).items() if found != before[path]} == {"example/sample/2.0/data/a.ttl"}


def ruin_database(root: Path) -> None:
    """Overwrite the database."""
    (root / ".catalog/ontofetch.duckdb").write_bytes(b"nothing that DuckDB knows" * 1000)


def lose_database(root: Path) -> None:
    """Remove the database, but not the record that there was one."""
    (root / ".catalog/ontofetch.duckdb").unlink()


def leave_a_log(root: Path) -> None:
    """Put a log beside the database that is none."""
    (root / ".catalog/ontofetch.duckdb.wal").write_bytes(b"no log at all" * 100)


def lose_events(root: Path) -> None:
    """Make the record say that the catalog had come further."""
    path = root / ".catalog/generation.json"
    record = json.loads(path.read_bytes())
    path.write_text(json.dumps({**record, "events": record["events"] + 5}))


@pytest.mark.parametrize(
    "damage", [ruin_database, lose_database, leave_a_log, lose_events], ids=lambda made: made.__name__
)
def test_a_catalog_that_can_not_be_opened_is_replaced(
    store: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """The reason to have backups: whatever is wrong with the catalog, it comes back, and the wreck is kept."""
    then = rows(store)
    make(store, tmp_path / "b")
    damage(store)
    wreck = {path.name: path.read_bytes() for path in (store / ".catalog").glob("*") if "duckdb" in path.name}
    restored = bring_back(store, tmp_path / "b")
    assert rows(store) == then
    assert_consistent(store)
    assert restored.kept is not None
    assert {name: (restored.kept / name).read_bytes() for name in wreck} == wreck


# --- what is not to be trusted ----------------------------------------------------------------------------------------


def tar_of(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """Write an archive with these entries."""
    with zstandard.open(path, "wb") as stream, tarfile.open(fileobj=stream, mode="w|") as packed:
        for info, data in members:
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return path


def members_of(archive: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Return the entries of an archive."""
    with zstandard.open(archive, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as packed:
        return [(info, packed.extractfile(info).read()) for info in packed]  # type: ignore[union-attr]


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Return a header."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


HOSTILE = {
    "climbs": entry("store/../../evil"),
    "absolute": entry("/tmp/evil"),
    "elsewhere": entry("evil"),
    "link": entry("store/example/link", tarfile.SYMTYPE, "/etc"),
    "hard link": entry("store/example/hard", tarfile.LNKTYPE, "store/.catalog/ontofetch.duckdb"),
    "pipe": entry("store/example/pipe", tarfile.FIFOTYPE),
    "device": entry("store/example/device", tarfile.CHRTYPE),
    "intent": entry("store/.catalog/intents/" + "0" * 32 + ".json"),
    "plan": entry("store/.catalog/restore.json"),
    "folded": entry("store/.CATALOG/ontofetch.duckdb"),
    "escape": entry("store/example/\x1b[2J"),
    "more": entry("store/example/more"),
    "double": entry("store/.catalog/generation.json"),
}


@pytest.fixture
def untouched(store: Path) -> Iterator[Path]:
    """Return a store that must be, byte for byte, the same after the test."""
    with sessions.writing(Store(store, FAST)) as session:
        fsops.checkpoint(session.connection)
    before = everything(store)
    yield store
    assert everything(store) == before


def test_an_archive_with_a_hostile_entry_is_refused(untouched: Path, tmp_path: Path) -> None:
    """An entry that no backup has stops the restore before anything is touched, wherever it stands."""
    members = members_of(other_backup(tmp_path, "b.tar.zst"))
    for name, header in HOSTILE.items():
        for number, place in enumerate((0, 1, len(members))):
            path = tmp_path / f"{name}-{number}.tar.zst"
            hostile = tar_of(path, [*members[:place], (header, b""), *members[place:]])
            with pytest.raises(BackupRefused) as refused:
                bring_back(untouched, hostile)
            assert "othing was touched" in str(refused.value)
    assert not (tmp_path / "evil").exists()


def other_backup(tmp_path: Path, name: str) -> Path:
    """Make a backup of another, small store."""
    other = Releases(tmp_path / "other", settings=FAST)
    other.download("1.0", b"an archive")
    make(other.root, tmp_path / name)
    return tmp_path / name


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    """A flipped byte anywhere, a cut anywhere: refused with a sentence, or what is read is every byte that was written.

    A frame of zstd can be written in several ways: about one flip in 600 changes it into another way to say the same.
    """
    data = other_backup(tmp_path, "b.tar.zst").read_bytes()
    bad = tmp_path / "bad.tar.zst"
    target = tmp_path / "target"
    refused = 0
    said_otherwise = next(place for place in range(len(data)) if _unpacked(_flipped(data, place)) == _unpacked(data))
    for place in (*range(0, len(data), max(1, len(data) // 60)), said_otherwise):
        for damaged in (data[:place], _flipped(data, place)):
            bad.write_bytes(damaged)
            try:
                bring_back(target, bad)
            except BackupRefused:
                refused += 1
                assert not target.exists()
            else:
                assert _unpacked(damaged) == _unpacked(data)
                shutil.rmtree(target)
    assert refused > 100


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]


def _unpacked(archive: bytes) -> bytes | None:
    """Return what is compressed in an archive, None if it can't be read."""
    try:
        with zstandard.ZstdDecompressor().stream_reader(archive) as stream:
            return stream.read()
    except zstandard.ZstdError:
        return None


def test_a_damaged_or_hostile_folder_is_refused(untouched: Path, tmp_path: Path) -> None:
    """A file that is another, missing, a link, a pipe; a manifest or a list that was changed."""
    other_backup(tmp_path, "good")

    def refused(damage: Callable[[Path], object]) -> str:
        shutil.rmtree(tmp_path / "bad", ignore_errors=True)
        shutil.copytree(tmp_path / "good", tmp_path / "bad")
        damage(tmp_path / "bad")
        with pytest.raises(BackupRefused) as raised:
            bring_back(untouched, tmp_path / "bad")
        return str(raised.value)

    manifest = "store/example/sample/1.0/manifest.json"
    assert "'store/example/sample/1.0/manifest.json' is another" in refused(
        lambda folder: (folder / manifest).write_text("{}")
    )
    assert "can't be read" in refused(lambda folder: (folder / manifest).unlink())
    assert "can't be read" in refused(lambda folder: _link(folder / manifest))
    assert "no regular file" in refused(lambda folder: _pipe(folder / manifest))
    assert "backup.json" in refused(lambda folder: (folder / "backup.json").unlink())
    assert "can't be read" in refused(lambda folder: (folder / "backup.json").write_text("[]"))
    assert "value of a wrong kind" in refused(lambda folder: _change(folder, files="many"))
    assert "format" in refused(lambda folder: _change(folder, format=2))
    assert "damaged or changed" in refused(lambda folder: _change(folder, files_sha256="0" * 64))
    assert "that climbs" not in refused(lambda folder: _add_line(folder, "store/../evil"))
    assert "is a file of the catalog" in refused(lambda folder: _add_line(folder, "store/.catalog/restore.json"))
    assert "can't be read" in refused(lambda folder: (folder / "files.jsonl").write_text("nonsense\n"))
    with pytest.raises(BackupRefused, match="There is no backup"):
        bring_back(untouched, tmp_path / "nowhere")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(BackupRefused, match="neither a folder nor a file"):
        bring_back(untouched, tmp_path / "fifo")


@pytest.mark.parametrize(
    "content", [b"[" * 1_000_000, b'{"path": "', b'{"path": NaN}\n'], ids=["deep", "endless", "NaN"]
)
def test_a_line_without_an_end_is_refused(store: Path, tmp_path: Path, content: bytes) -> None:
    """The list of a backup's files is read by lines of a bounded length, nested no deeper than a document may be."""
    make(store, tmp_path / "backup")
    path = tmp_path / "backup/files.jsonl"
    path.write_bytes(content)
    os.truncate(path, max(len(content), 10**9))
    before = rows(store)
    with pytest.raises(BackupRefused, match="can't be read"):
        bring_back(store, tmp_path / "backup")
    assert rows(store) == before


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _change(folder: Path, **changes: object) -> None:
    path = folder / "backup.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))


def _add_line(folder: Path, path: str) -> None:
    line = json.dumps({"path": path, "sha256": "0" * 64, "size_bytes": 0})
    (folder / "files.jsonl").write_text((folder / "files.jsonl").read_text() + line + "\n")


def test_a_database_that_is_not_the_manifests_is_refused(untouched: Path, tmp_path: Path) -> None:
    """A backup put together from two, all hashes made to fit, stops before the swap."""
    other_backup(tmp_path, "b")
    _change(tmp_path / "b", events=3)
    with pytest.raises(OntofetchError, match="not the one that its manifest tells of"):
        bring_back(untouched, tmp_path / "b")
    shutil.rmtree(untouched / ".catalog/restoring")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DROP TABLE validations", r"no column \S+ \S+ in a table validations"),
        ("ALTER TABLE notes ALTER text TYPE BLOB", "no column text VARCHAR in a table notes"),
    ],
    ids=["a table", "a type"],
)
def test_a_catalog_that_lacks_something_is_refused(untouched: Path, tmp_path: Path, statement: str, told: str) -> None:
    """A stranger's catalog without a part of its schema stops before the swap, all hashes made to fit."""
    folder = other_backup(tmp_path, "b")
    (database,) = folder.rglob("ontofetch.duckdb")
    with duckdb.connect(str(database)) as connection:
        connection.execute(statement)
    lines = [json.loads(line) for line in (folder / "files.jsonl").read_text().splitlines()]
    listed = FileList()
    (folder / "files.jsonl").write_bytes(
        b"".join(
            listed.add(one["path"], sha256((folder / one["path"]).read_bytes()), (folder / one["path"]).stat().st_size)
            for one in lines
        )
    )
    _change(folder, files_sha256=listed.sha256, size_bytes=listed.size_bytes)
    with pytest.raises(BackupRefused, match=told):
        bring_back(untouched, folder)
    shutil.rmtree(untouched / ".catalog/restoring")


# --- signatures -------------------------------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    """Return PEM files: two pairs of keys, and keys that are of no use."""
    found = {}
    for name in ("mine", "other"):
        key = Ed25519PrivateKey.generate()
        found[name] = tmp_path / f"{name}.pem"
        found[name].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        found[name + ".pub"] = tmp_path / f"{name}.pub"
        found[name + ".pub"].write_bytes(
            key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
    found["garbage"] = tmp_path / "garbage.pem"
    found["garbage"].write_bytes(b"\xff\x00 no key")
    found["nowhere"] = tmp_path / "nowhere.pem"
    return found


@pytest.mark.parametrize("name", KINDS)
def test_a_signature_is_checked_by_the_key_that_made_it(
    store: Path, tmp_path: Path, keys: dict[str, Path], name: str
) -> None:
    """The right key opens, another key, a changed manifest and a removed signature do not."""
    path = tmp_path / name
    assert make(store, path, key=keys["mine"]).signed
    assert bring_back(tmp_path / "a", path, key=keys["mine.pub"]).signed
    assert bring_back(tmp_path / "b", path).signed
    with pytest.raises(BackupRefused, match="does not fit the key"):
        bring_back(tmp_path / "c", path, key=keys["other.pub"])
    folder = unpack(path, tmp_path / "u") if name.endswith("zst") else path
    signature = (folder / "backup.json.sig").read_bytes()
    _change(folder, package="0.0.0")
    with pytest.raises(BackupRefused, match="does not fit the key"):
        bring_back(tmp_path / "c", folder, key=keys["mine.pub"])
    for wrong in (b"", signature[:-1], signature + b"\n", b"\0" * 64):
        (folder / "backup.json.sig").write_bytes(wrong)
        with pytest.raises(BackupRefused, match="does not fit the key"):
            bring_back(tmp_path / "c", folder, key=keys["mine.pub"])
    (folder / "backup.json.sig").unlink()
    with pytest.raises(BackupRefused, match="not signed"):
        bring_back(tmp_path / "c", folder, key=keys["mine.pub"])
    assert not (tmp_path / "c").exists()


def test_keys_of_no_use_are_refused_before_anything_happens(
    untouched: Path, tmp_path: Path, keys: dict[str, Path]
) -> None:
    """A public key doesn't sign, a private one doesn't check, garbage does neither."""
    for name in ("mine.pub", "garbage", "nowhere"):
        with pytest.raises(UsageError, match=r"PEM form|can't be read"):
            make(untouched, tmp_path / "b", key=keys[name])
    for name in ("mine", "garbage", "nowhere"):
        with pytest.raises(UsageError, match=r"PEM form|can't be read"):
            bring_back(untouched, tmp_path / "b", key=keys[name])
    assert not (tmp_path / "b").exists()


def test_without_cryptography_there_is_a_sentence(
    untouched: Path, tmp_path: Path, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(UsageError, match="cryptography") as raised:
        make(untouched, tmp_path / "b", key=keys["mine"])
    assert "pip install 'ontofetch-catalog[sign]'" in raised.value.hint


# --- when the disk refuses or the process dies ------------------------------------------------------------------------


# the calls that need room on the disk
TAKING = ("create_file", "write", "sync_file", "sync_folder", "rename", "make_folder")


class Failing:
    """Count calls of the seam, and let them fail from the `first`-th on as a kill would end them, or that one alone."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        first: int | None,
        code: int,
        *,
        once: bool = False,
        names: tuple[str, ...] = tuple(name for name in fsops.FAULT_POINTS if name != "close_database"),
    ) -> None:
        # a connection that could not be closed would outlive what stands for the death of its process
        self.calls = 0
        self._first, self._code, self._once = first, code, once
        for name in names:
            monkeypatch.setattr(fsops, name, self._wrapped(getattr(fsops, name)))

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self._first is not None and (self.calls == self._first if self._once else self.calls >= self._first):
                raise OSError(self._code, os.strerror(self._code))
            return function(*args, **kwargs)

        return call


def test_a_restore_cut_short_at_any_call_happens_whole_or_not_at_all(releases: Releases, tmp_path: Path) -> None:
    """From each call on nothing works any more; the next start finds the old catalog or the new one, and all files."""
    releases.pull("1.0", TEXTS)
    then = rows(releases.root)
    make(releases.root, tmp_path / "b", include_data=True)
    releases.pull("2.0", TEXTS)
    shutil.rmtree(releases.root / "example/sample/1.0/data/d")
    now = rows(releases.root)
    with sessions.writing(Store(releases.root, FAST)) as session:
        fsops.checkpoint(session.connection)
    shutil.copytree(releases.root, tmp_path / "counted")
    with pytest.MonkeyPatch.context() as patch:
        counted = Failing(patch, None, errno.EIO)
        bring_back(tmp_path / "counted", tmp_path / "b")
    outcomes = []
    # tests.crash tries every call; here enough to have both outcomes
    for number in range(1, counted.calls + 1, 6):
        root = tmp_path / f"cut-{number}"
        shutil.copytree(releases.root, root)
        with pytest.MonkeyPatch.context() as patch:
            Failing(patch, number, errno.EIO)
            with suppress(OntofetchError):
                bring_back(root, tmp_path / "b")
        with sessions.writing(Store(root, FAST)):
            pass
        found = rows(root)
        assert found in (then, now)
        outcomes.append(found == then)
        assert not (root / ".catalog/restore.json").exists()
        assert not (root / ".catalog/restoring").exists()
        if found == then:
            assert (root / "example/sample/1.0/data/d/e/ü.ttl").read_text() == "gamma"
            (kept,) = (root / ".catalog/backups").iterdir()
            shutil.copytree(kept, tmp_path / f"kept-{number}/.catalog")
            assert rows(tmp_path / f"kept-{number}") == now
    # once the plan is durable there is only forward
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {False, True}


def test_readers_of_a_half_restored_store_get_a_sentence(store: Path, tmp_path: Path) -> None:
    """Between the plan and its end nobody reads; what to type next is in the sentence, and it works."""
    make(store, tmp_path / "b")
    then = rows(store)
    with pytest.MonkeyPatch.context() as patch:
        renames = []

        original = fsops.rename

        def rename(source: StorePath, target: StorePath, **folders: int | None) -> None:
            if renames and "duckdb" in source.name:
                raise OSError(errno.EIO, "broken")
            renames.append(source)
            original(source, target, **folders)

        from ontofetch_catalog.catalog import swap

        begin = swap.begin

        def begun(*args: Any) -> None:
            begin(*args)
            renames.clear()
            patch.setattr(fsops, "rename", rename)

        patch.setattr(swap, "begin", begun)
        with pytest.raises(OntofetchError, match="can't be finished") as failed:
            bring_back(store, tmp_path / "b")
    assert "db recover" in failed.value.hint
    with pytest.raises(CatalogUnreadable, match="was interrupted"), sessions.reading(Store(store, FAST)):
        pass
    with sessions.writing(Store(store, FAST)):
        pass
    assert rows(store) == then


@pytest.mark.parametrize("name", KINDS)
def test_a_full_disk_leaves_nothing_of_a_backup(store: Path, tmp_path: Path, name: str) -> None:
    """Whichever write fails, the place is as it was, and the store works."""
    (tmp_path / "to").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        counted = Failing(patch, None, errno.ENOSPC, names=TAKING)
        make(store, tmp_path / "to" / name)
    shutil.rmtree(tmp_path / "to")
    (tmp_path / "to").mkdir()
    told = set()
    for number in range(1, counted.calls + 1, 3):
        with pytest.MonkeyPatch.context() as patch:
            Failing(patch, number, errno.ENOSPC, once=True, names=TAKING)
            try:
                make(store, tmp_path / "to" / name)
            except OntofetchError as error:
                told.add(type(error))
        left = os.listdir(tmp_path / "to")
        assert left in ([], [name])
        if left:
            # only the event could not be recorded, or what was given up was not needed
            bring_back(tmp_path / f"restored-{number}", tmp_path / "to" / name)
            shutil.rmtree(tmp_path / "to")
            (tmp_path / "to").mkdir()
    assert BoundaryFailed in told
    assert_consistent(store)


def test_too_little_space_is_told_before_anything_is_written(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentences say how much is needed and how much is there."""
    make(store, tmp_path / "b")
    monkeypatch.setattr(fsops, "free_bytes", lambda path: 1000)
    with pytest.raises(UsageError, match="only 1,000 are free"):
        make(store, tmp_path / "c")
    with pytest.raises(BackupRefused, match="only 1,000 are free"):
        bring_back(store, tmp_path / "b")
    assert not (tmp_path / "c").exists()


# --- where to, and what is there --------------------------------------------------------------------------------------


def test_a_backup_is_not_written_over_or_into_anything(store: Path, tmp_path: Path) -> None:
    """What is there, the store itself, a folder that is missing and other kinds of archives are refused."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path, reason in [
        (tmp_path / "there", "already"),
        (tmp_path / "link", "already"),
        (store / "example/backup", "inside of the store"),
        (store / ".catalog/staging/x", "inside of the store"),
        (tmp_path / "no/such", "no folder"),
        (tmp_path / "b.tar", "no kind of backup"),
        (tmp_path / "b.tar.gz", "no kind of backup"),
    ]:
        with pytest.raises(UsageError, match=reason):
            make(store, path)


def test_missing_and_damaged_files_are_counted(store: Path, tmp_path: Path) -> None:
    """A backup with data says what it could not find and what it found damaged; it never follows a link."""
    folder = store / "example/sample/1.0/data"
    (folder / "a.ttl").unlink()
    (folder / "copy.ttl").write_text("ALPHA")
    (folder / "empty.ttl").unlink()
    (folder / "empty.ttl").symlink_to("/etc/passwd")
    made = make(store, tmp_path / "b", include_data=True)
    assert made.missing == [f"example/sample/1.0/data/{name}" for name in ("a.ttl", "empty.ttl")]
    assert made.damaged == ["example/sample/1.0/data/copy.ttl"]
    assert (tmp_path / "b/store/example/sample/1.0/data/copy.ttl").read_text() == "ALPHA"
    bring_back(tmp_path / "elsewhere", tmp_path / "b")


def test_the_list_tells_backups_from_what_was_replaced(store: Path, tmp_path: Path) -> None:
    """Every entry has its kind, and what a killed backup left is swept by the next."""
    killed = store / ".catalog/backups/.20200101.abc.new"
    killed.mkdir(parents=True)
    (killed / "x").write_text("half")
    first = make(store, None)
    assert not killed.exists()
    make(store, store / ".catalog/backups/mine.tar.zst")
    bring_back(store, first.path)
    (store / ".catalog/backups/strange").mkdir()
    found = {row["name"]: row for row in list_backups(Store(store)).to_pylist()}
    assert found[first.path.name]["kind"] == "backup"
    assert found[first.path.name]["files"] == first.manifest.files
    assert found["mine.tar.zst"]["kind"] == "archive"
    assert found["strange"]["kind"] == "unreadable"
    assert [row["kind"] for name, row in found.items() if "before" in name] == ["restore"]


def test_hashes_are_streamed_so_that_a_large_file_needs_no_memory(releases: Releases, tmp_path: Path) -> None:
    """A file larger than any buffer is copied whole, into both kinds."""
    data = hashlib.sha256(b"seed").digest() * 100_000
    releases.download("1.0", data)
    for name in KINDS:
        make(releases.root, tmp_path / name, include_data=True)
        bring_back(tmp_path / f"from {name}", tmp_path / name)
        assert (tmp_path / f"from {name}" / "example/sample/1.0/src/a.zip").read_bytes() == data

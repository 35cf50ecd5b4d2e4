"""A catalog that was lost comes back from the disk alone, row for row, and what has no documents is hashed."""

from __future__ import annotations

import io
import json
import logging
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.rebuild.build import Rebuilt, rebuild
from ontofetch_catalog.errors import CatalogMissing, Conflict
from ontofetch_hookspecs import Remark
from tests.catalog.killed import FORMER, kill_at
from tests.releases import Releases, assert_consistent, query, query_each, results_table, sha256, snapshot

pytestmark = pytest.mark.usefixtures("quick_databases")

FAST = {"durability": "off", "duckdb_threads": 1}
TEXTS = {"a.ttl": "alpha", 'd/quo"te.ttl': "beta", "d/ü\\back.ttl": "gamma", "empty.ttl": ""}
# everything but events, times of verification, and when a migration was applied
COMPARED = {
    "schema_version": "version, checksum",
    "versions": "*",
    "artifacts": "* EXCLUDE (verified_at)",
    "extracted_files": "* EXCLUDE (verified_at)",
    "validations": "*",
}


REMARKS = (
    Remark(kind="left_out", reason='file(s) of "no" use \\ é', count=3, names=("a/é", "'\\x1b'")),
    Remark(kind="warning", reason='of ,"remarks":[ and "relpath":', count=1),
)


def rows(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows that a rebuild must bring back, by table, sorted; JSON as it is spelled."""
    queries = [f"SELECT {columns} FROM {table} ORDER BY ALL" for table, columns in COMPARED.items()]
    newest = "SELECT * FROM latest_pointer QUALIFY row_number() OVER (PARTITION BY slot ORDER BY updated_at DESC) = 1"
    found = query_each(root, *queries, newest + " ORDER BY ALL")
    return dict(zip((*COMPARED, "latest_pointer"), found, strict=True))


def make_store(root: Path) -> Releases:
    """Make a store with several releases, artifacts, results that fail or are reused, hosts' extras, and a latest."""
    releases = Releases(root, settings=FAST)
    releases.pull("0.9", {})
    releases.pull("1.0", TEXTS)
    releases.download("1.1", b"one", artifact="deep/one.zip", etag='"x"', content_type="application/zip")
    releases.extract("1.1", b"one", TEXTS, artifact="deep/one.zip", include=("*.ttl", 'qu"ote'), strip=2)
    releases.download("1.1", b"two", artifact="two.zip", status="cached", plan_hash="plan")
    releases.extract("1.1", b"two", {"x.ttl": "x"}, artifact="two.zip", exclude=("*.é",), remarks=REMARKS)
    failing = results_table(TEXTS, failing=("a.ttl",))
    details = [
        json.dumps({"error": 'say "no"', "run_at": "a", "reused_from": None}),
        "{}",
        '{"n":  1}',
        '{"é": [1, {}]}',
    ]
    reused = [None, 'example/sample/1.0#d/quo"te.ttl', None, None]
    failing = failing.set_column(5, "details", [details]).set_column(7, "reused_from", [reused])
    releases.validate("1.1", failing)
    releases.validate("1.1", results_table({"x.ttl": "x"}, validator="other"))
    releases.download("2.0", b"not yet unpacked")
    releases.set_latest("1.0")
    return releases


def lose(root: Path) -> None:
    """Delete the database with its log, as a failing disk would."""
    for path in (root / ".catalog").glob("ontofetch.duckdb*"):
        path.unlink()


def left(root: Path) -> list[str]:
    """Return the codes of what doctor finds."""
    return examine(Store(root, FAST), hashing=True).findings["code"].to_pylist()


def sources(made: Rebuilt) -> dict[str, str]:
    """Return version_id → where its rows came from."""
    return {release.version_id: release.source for release in made.releases}


def test_a_lost_catalog_comes_back_row_for_row(tmp_path: Path) -> None:
    """Every table equals the lost one, and the store is sound; no file outside of the catalog is touched."""
    root = tmp_path / "store"
    make_store(root)
    before, disk = rows(root), snapshot(root)
    assert all(before.values())
    lose(root)
    made = rebuild(Store(root, FAST))
    assert rows(root) == before
    assert snapshot(root) == disk
    assert set(sources(made).values()) == {"documents"}
    assert_consistent(root)
    assert left(root) == []
    assert query(root, "SELECT type FROM events ORDER BY event_id") == [("migrate.done",), ("rebuild.done",)]


def test_documents_of_former_stores_are_taken_over(tmp_path: Path) -> None:
    """What was written before anything could be excluded or remarked is sound and stays as it is."""
    root = tmp_path / "store"
    releases = Releases(root, settings=FAST)
    releases.pull("1.0", TEXTS)
    former = '{"include": [], "strip": 0}'
    with duckdb.connect(str(root / ".catalog/ontofetch.duckdb")) as connection:
        connection.execute("UPDATE artifacts SET extraction = ?", [former])
    manifest = root / "example/sample/1.0/manifest.json"
    document = json.loads(manifest.read_bytes())
    document["artifacts"][0]["extraction"] = json.loads(former)
    manifest.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    assert left(root) == []
    before, disk = rows(root), snapshot(root)
    lose(root)
    assert set(sources(rebuild(Store(root, FAST))).values()) == {"documents"}
    assert (rows(root), snapshot(root), left(root)) == (before, disk, [])
    assert not releases.extract("1.0", json.dumps(TEXTS).encode(), TEXTS).changed


@pytest.mark.parametrize("damage", ["garbage", "behind", "log"])
def test_a_damaged_catalog_is_replaced_and_kept(tmp_path: Path, damage: str) -> None:
    """A catalog that can't be used gives way without being told twice, and waits in the backups."""
    root = tmp_path / "store"
    make_store(root)
    before = rows(root)
    database = root / ".catalog/ontofetch.duckdb"
    if damage == "garbage":
        database.write_bytes(b"no database at all" * 1000)
    elif damage == "behind":
        record = root / ".catalog/generation.json"
        record.write_text(record.read_text().replace('"events": ', '"events": 9'))
    else:
        database.unlink()
        (root / ".catalog/ontofetch.duckdb.wal").write_bytes(b"a log of nothing")
    kept_bytes = database.read_bytes() if database.exists() else b""
    made = rebuild(Store(root, FAST))
    assert rows(root) == before
    assert made.kept is not None
    kept = root / made.kept
    assert (kept / "generation.json").is_file()
    assert not kept_bytes or (kept / "ontofetch.duckdb").read_bytes() == kept_bytes
    assert left(root) == []


def test_a_catalog_that_can_be_used_is_only_replaced_when_told(tmp_path: Path) -> None:
    """A sound catalog is refused with what would be lost; --replace rebuilds it and keeps the former one."""
    root = tmp_path / "store"
    make_store(root)
    before = rows(root)
    events = query(root, "SELECT * FROM events")
    with pytest.raises(Conflict, match="can be used") as refused:
        rebuild(Store(root, FAST))
    assert "--replace" in refused.value.hint
    assert query(root, "SELECT * FROM events") == events
    made = rebuild(Store(root, FAST), replace=True)
    assert rows(root) == before
    former = duckdb.connect(str(root / str(made.kept) / "ontofetch.duckdb"), read_only=True)
    assert former.execute("SELECT * FROM events").fetchall() == events
    former.close()


def test_the_rebuilt_catalog_goes_on(tmp_path: Path) -> None:
    """Boundaries work as before: identical input is unchanged, new input is recorded."""
    root = tmp_path / "store"
    releases = make_store(root)
    lose(root)
    rebuild(Store(root, FAST))
    data = json.dumps(TEXTS).encode()
    assert not releases.download("1.0", data).changed
    assert not releases.extract("1.0", data, TEXTS).changed
    releases.pull("3.0", TEXTS)
    releases.check()


def _no_object(document: dict[str, Any]) -> object:
    return [document]


def _climbs(document: dict[str, Any]) -> object:
    return document | {"fs_relpath": "../elsewhere"}


def _other_release(document: dict[str, Any]) -> object:
    return document | {"version_id": "example/sample/1.1"}


def _climbing_artifact(document: dict[str, Any]) -> object:
    return document | {"artifacts": [document["artifacts"][0] | {"relpath": "../../../../etc/passwd"}]}


def _negative_size(document: dict[str, Any]) -> object:
    return document | {"artifacts": [document["artifacts"][0] | {"size_bytes": -1}]}


def _naive_time(document: dict[str, Any]) -> object:
    return document | {"created_at": "2025-01-01T00:00:00"}


def _unknown_key(document: dict[str, Any]) -> object:
    return document | {"mood": "fine"}


def _other_digest(document: dict[str, Any]) -> object:
    return document | {"extract_audit": "0" * 64}


def _odd_remark(document: dict[str, Any]) -> object:
    remark = {"kind": "warning", "reason": "two\nlines", "count": 1, "names": []}
    extraction = {"include": [], "exclude": [], "strip": 0, "remarks": [remark]}
    return document | {"artifacts": [document["artifacts"][0] | {"extraction": extraction}]}


def _many_remarks(document: dict[str, Any]) -> object:
    remark = {"kind": "warning", "reason": "odd", "count": 1, "names": []}
    extraction = {"include": [], "exclude": [], "strip": 0, "remarks": [remark] * 17}
    return document | {"artifacts": [document["artifacts"][0] | {"extraction": extraction}]}


def _odd_exclude(document: dict[str, Any]) -> object:
    extraction = {"include": [], "exclude": ["a\nb"], "strip": 0, "remarks": []}
    return document | {"artifacts": [document["artifacts"][0] | {"extraction": extraction}]}


def _deep(document: dict[str, Any]) -> object:
    return document | {"plan_hash": [[[]]]}


HOSTILE = (
    _no_object,
    _climbs,
    _other_release,
    _climbing_artifact,
    _negative_size,
    _naive_time,
    _unknown_key,
    _other_digest,
    _odd_remark,
    _many_remarks,
    _odd_exclude,
    _deep,
)


@pytest.mark.parametrize("change", HOSTILE)
def test_a_hostile_manifest_is_not_believed(tmp_path: Path, change: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What breaks a rule is refused whole; the release is hashed instead, and the others are not harmed."""
    root = tmp_path / "store"
    releases = Releases(root, settings=FAST)
    releases.pull("1.0", FORMER)
    releases.pull("2.0", FORMER)
    path = root / "example/sample/1.0/manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_bytes()))))
    lose(root)
    made = rebuild(Store(root, FAST))
    assert sources(made) == {"example/sample/1.0": "hashed", "example/sample/2.0": "documents"}
    assert "is not taken over" in caplog.text
    assert_consistent(root)
    assert left(root) == []


FILE = {"file_id": "0" * 64, "format": "turtle", "size_bytes": 1, "mtime": "2025-01-01T00:00:00Z", "strip": 0}


@pytest.mark.parametrize(
    "line",
    [
        {"relpath": "a"},
        "no object",
        FILE | {"version_id": "example/sample/9", "relpath": "a"},
        FILE | {"version_id": "example/sample/1.0", "relpath": "../../up"},
        FILE | {"version_id": "example/sample/1.0", "relpath": "a.ttl"},
        FILE | {"version_id": "example/sample/1.0", "relpath": "new", "artifact_id": "1" * 64},
        {"version_id": "example/sample/1.0", "remarks": [{"kind": "warning", "reason": "x", "count": 1, "names": []}]},
        {"version_id": "example/sample/1.0", "remarks": [[[[1e400]]]]},
    ],
)
def test_a_hostile_audit_is_not_believed(tmp_path: Path, line: Any) -> None:
    """An audit is checked like a host's table, also if somebody changed its digest in the manifest with it."""
    root = tmp_path / "store"
    Releases(root, settings=FAST).pull("1.0", FORMER)
    audit = root / "example/sample/1.0/.extract.audit.json"
    manifest = root / "example/sample/1.0/manifest.json"
    document = json.loads(manifest.read_bytes())
    if isinstance(line, dict) and len(line) > 1:
        line = {"artifact_id": document["artifacts"][0]["artifact_id"]} | line
    audit.write_bytes(audit.read_bytes() + json.dumps(line, separators=(",", ":")).encode() + b"\n")
    manifest.write_text(json.dumps(document | {"extract_audit": sha256(audit.read_bytes())}))
    lose(root)
    assert sources(rebuild(Store(root, FAST))) == {"example/sample/1.0": "hashed"}
    assert_consistent(root)
    assert left(root) == []


def test_a_tree_without_documents_is_adopted(tmp_path: Path) -> None:
    """Releases that another tool unpacked are hashed, files are told apart by artifact, and documents are written."""
    root = tmp_path / "store"
    native, other = root / "obo/hp/1", root / "bio/go/2"
    texts = {"a.ttl": b"alpha", "d/b.obo": b"format-version: 1.2"}
    for folder, source, data in ((native, "src", "data"), (other, "original", "extracted")):
        (folder / source).mkdir(parents=True)
        (folder / data / "d").mkdir(parents=True)
        for name, content in texts.items():
            (folder / data / name).write_bytes(content)
    with zipfile.ZipFile(native / "src/all.zip", "w") as zipped:
        for name, content in texts.items():
            zipped.writestr(f"top/{name}", content)
    with tarfile.open(other / "original/a.tar.gz", "w:gz") as packed:
        info = tarfile.TarInfo("a.ttl")
        info.size = len(texts["a.ttl"])
        packed.addfile(info, io.BytesIO(texts["a.ttl"]))
    with zipfile.ZipFile(other / "original/b.zip", "w") as zipped:
        zipped.writestr("d/b.obo", texts["d/b.obo"])
    told: list[tuple[int, int]] = []
    made = rebuild(Store(root, FAST), progress=lambda done, total: told.append((done, total)))
    assert sources(made) == {"bio/go/2": "hashed", "obo/hp/1": "hashed"}
    read = sum(len(content) for content in texts.values()) + (native / "src/all.zip").stat().st_size
    assert told[-1] == (read, read)
    found = query(
        root,
        "SELECT f.version_id, f.relpath, a.relpath, f.format, a.extraction->>'strip' FROM extracted_files f"
        " JOIN artifacts a USING (version_id, artifact_id) ORDER BY ALL",
    )
    assert found == [
        ("bio/go/2", "a.ttl", "a.tar.gz", "turtle", "0"),
        ("bio/go/2", "d/b.obo", "b.zip", "obo", "0"),
        ("obo/hp/1", "a.ttl", "all.zip", "turtle", "1"),
        ("obo/hp/1", "d/b.obo", "all.zip", "obo", "1"),
    ]
    assert query(root, "SELECT version_id, layout FROM versions ORDER BY ALL") == [
        ("bio/go/2", "docstokg"),
        ("obo/hp/1", "native"),
    ]
    assert left(root) == []
    before = rows(root)
    lose(root)
    assert set(sources(rebuild(Store(root, FAST))).values()) == {"documents"}
    assert rows(root) == before


def test_what_can_not_be_adopted_is_told(tmp_path: Path) -> None:
    """Files whose artifact nobody has are no release: they stay, and the row says why."""
    root = tmp_path / "store"
    (root / "obo/hp/1/data").mkdir(parents=True)
    (root / "obo/hp/1/data/a.ttl").write_text("alpha")
    made = rebuild(Store(root, FAST))
    assert sources(made) == {"obo/hp/1": "left"}
    assert "no artifact" in made.releases[0].message
    assert (root / "obo/hp/1/data/a.ttl").read_text() == "alpha"


def test_nothing_is_made_of_nothing(tmp_path: Path) -> None:
    """An empty root is an error with a sentence."""
    with pytest.raises(CatalogMissing, match="no release"):
        rebuild(Store(tmp_path, FAST))


@pytest.mark.parametrize("point", ["publish-begun", "published", "committed"])
def test_open_boundaries_are_ended_without_their_database(tmp_path: Path, point: str) -> None:
    """A boundary that was half done is undone, one whose files are all in place stays; both leave a sound store."""
    logging.getLogger("ontofetch").setLevel(logging.ERROR)
    root = tmp_path / "store"
    Releases(root, settings=FAST).pull("1.0", FORMER)
    kill_at(root, "download", point)
    lose(root)
    made = rebuild(Store(root, FAST))
    assert ("example/sample/2.0" in sources(made)) == (point != "publish-begun")
    assert_consistent(root)
    assert left(root) == []


def test_a_swap_that_was_cut_short_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the plan of the swap is durable, the next rebuild, or any writing command, carries it out."""
    from ontofetch_catalog.catalog import swap

    root = tmp_path / "store"
    releases = make_store(root)
    before = rows(root)
    with monkeypatch.context() as patched:
        patched.setattr(swap, "_carry_out", _raise)
        with pytest.raises(KeyboardInterrupt):
            rebuild(Store(root, FAST), replace=True)
    releases.set_latest("1.0")
    assert rows(root) == before
    assert query(root, "SELECT count(*) FROM events WHERE type = 'rebuild.done'") == [(1,)]
    assert left(root) == []
    shutil.rmtree(root)


def _raise(*_: object) -> None:
    raise KeyboardInterrupt

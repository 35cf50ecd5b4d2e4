"""The four boundaries as a host meets them: new, identical, replacing, several artifacts, in place, refused."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.boundaries import staged
from ontofetch_catalog.errors import BoundaryFailed, Conflict, EventError, NestedBoundary, PreconditionFailed
from ontofetch_hookspecs import CatalogCommitted, DownloadDone, Veto, hookimpl
from ontofetch_hookspecs.store_paths import StorePath
from ontofetch_hookspecs.testing import sample_set_latest
from tests.releases import Releases, files_table, query, results_table, sha256

pytestmark = pytest.mark.usefixtures("quick_databases")
A = {"a.ttl": "alpha", "d/b.ttl": "beta", "d/ü.ttl": "gamma"}
B = {"a.ttl": "alpha", "d/b.ttl": "BETA!", "e/c.ttl": "delta"}


def test_a_release_is_on_disk_and_in_the_catalog(releases: Releases) -> None:
    """After the four boundaries, files, rows, audits, manifest and LATEST.json say the same."""
    releases.pull("1.0", A)
    releases.check()
    assert releases.rows("SELECT relpath, size_bytes FROM extracted_files ORDER BY relpath") == [
        ("a.ttl", 5),
        ("d/b.ttl", 4),
        ("d/ü.ttl", 5),
    ]
    types = releases.rows("SELECT type FROM events WHERE type <> 'migrate.done' ORDER BY event_id")
    assert [kind for (kind,) in types] == [
        "download.done",
        "extract.start",
        "extract.done",
        "validate.done",
        "latest.set",
    ]
    assert not list((releases.root / ".catalog/staging").iterdir())


def test_identical_input_changes_no_file_and_no_row_but_events(releases: Releases) -> None:
    """A second run of all four boundaries leaves inodes, times and rows as they are."""
    releases.pull("1.0", A)
    files = releases.tree()
    rows = {table: releases.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in _TABLES}
    releases.pull("1.0", A)
    assert releases.tree() == files
    assert {table: releases.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in _TABLES} == rows
    unchanged = releases.rows("SELECT type FROM events ORDER BY event_id DESC LIMIT 4")
    assert [kind for (kind,) in unchanged] == [
        "latest.unchanged",
        "validate.unchanged",
        "extract.unchanged",
        "download.unchanged",
    ]


_TABLES = ("versions", "artifacts", "extracted_files", "validations", "latest_pointer")


def test_other_bytes_are_refused_unless_they_replace(releases: Releases) -> None:
    """Other bytes under a recorded name are a conflict that names both hashes; nothing changes."""
    releases.pull("1.0", A)
    before = releases.tree()
    with pytest.raises(Conflict) as refused:
        releases.download("1.0", b"other bytes")
    assert sha256(b"other bytes") in str(refused.value)
    assert "--replace" in refused.value.hint
    assert releases.tree() == before
    releases.check()


def test_a_replacing_download_takes_away_what_came_out_of_the_former_one(releases: Releases) -> None:
    """Files, results and audits of replaced bytes leave the catalog and wait in quarantine."""
    releases.pull("1.0", A)
    releases.download("1.0", b"other bytes", replace=True)
    releases.check()
    assert releases.rows("SELECT count(*) FROM extracted_files") == [(0,)]
    assert releases.rows("SELECT count(*) FROM validations") == [(0,)]
    kept = {path.name for path in (releases.root / ".catalog/quarantine").rglob("*") if path.is_file()}
    assert {"a.zip", "a.ttl", "b.ttl", ".extract.audit.json", ".validation.audit.json"} <= kept
    releases.extract("1.0", b"other bytes", B)
    releases.check()


def test_extracting_anew_with_another_plan_replaces_the_files(releases: Releases) -> None:
    """Another selection of the same artifact takes the place of the former; results without a file go."""
    releases.pull("1.0", A)
    data = json.dumps(A).encode()
    receipt = releases.extract("1.0", data, {"a.ttl": "alpha"}, include=("a.*",))
    assert receipt.changed
    releases.check()
    assert releases.rows("SELECT relpath FROM validations") == [("a.ttl",)]


def test_a_second_artifact_joins_the_first(releases: Releases) -> None:
    """Two artifacts of a release share its data folder; replacing one leaves the files of the other alone."""
    releases.download("1.0", b"one", artifact="one.zip")
    releases.extract("1.0", b"one", A, artifact="one.zip")
    releases.download("1.0", b"two", artifact="two.zip")
    releases.extract("1.0", b"two", {"d/x.ttl": "x", "n/y.ttl": "y", "z.ttl": "z"}, artifact="two.zip")
    releases.check()
    kept = releases.tree("example/sample/1.0/data")
    releases.download("1.0", b"three", artifact="two.zip", replace=True)
    releases.check()
    left = releases.tree("example/sample/1.0/data")
    assert left == {path: state for path, state in kept.items() if path in A}


def test_a_path_of_another_artifact_is_refused(releases: Releases) -> None:
    """A file that another artifact owns is not overwritten; one whose name differs in case is, for a portable one."""
    releases.download("1.0", b"one", artifact="one.zip")
    releases.extract("1.0", b"one", A, artifact="one.zip")
    releases.download("1.0", b"two", artifact="two.zip")
    for name, portable in (("a.ttl", False), ("A.ttl", True)):
        with pytest.raises(Conflict, match="belongs to another artifact"):
            releases.extract("1.0", b"two", {name: "mine"}, artifact="two.zip", portable=portable)
    releases.check()


def test_files_in_place_are_checked_and_recorded(releases: Releases) -> None:
    """A host may put files in place by itself; their size and content are looked at."""
    folder = releases.root / "example/sample/1.0"
    (folder / "src").mkdir(parents=True)
    (folder / "src/a.zip").write_bytes(b"artifact")
    releases.download("1.0", b"artifact", staged=None)
    (folder / "data").mkdir()
    for name, text in {"a.ttl": "alpha"}.items():
        (folder / "data" / name).write_text(text)
    with pytest.raises(EventError, match="sha256"):
        releases.extract("1.0", b"artifact", {}, files=files_table({"a.ttl": "ALPHA"}), staged=None)
    releases.extract("1.0", b"artifact", {}, files=files_table({"a.ttl": "alpha"}), staged=None)
    releases.check()


def test_bytes_that_differ_from_the_event_are_refused(releases: Releases) -> None:
    """A staged file of another content than the event says is refused before anybody votes."""
    path = releases.stage_file("a.zip", b"bytes")
    path.write_bytes(b"BYTES")
    (path.parent.parent / "stage.json").unlink()
    with pytest.raises(EventError, match="the event says"):
        releases.download("1.0", b"bytes", staged=path)
    assert not (releases.root / "example").exists()


def test_a_stage_on_another_file_system_is_copied(releases: Releases, tmp_path: Path) -> None:
    """Staged bytes outside of the store are copied into it, and stay where they were."""
    outside = tmp_path / "elsewhere" / "a.zip"
    outside.parent.mkdir()
    outside.write_bytes(b"bytes")
    releases.download("1.0", b"bytes", staged=outside)
    releases.check()
    assert outside.read_bytes() == b"bytes"
    assert not list((releases.root / ".catalog/staging").iterdir())


def test_what_the_disk_refuses_early_is_no_success(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system begins to write many files while they are looked at; an error of that is told by no later call."""
    monkeypatch.setattr(staged, "_MANY", 2)
    asked: list[str] = []

    def refuse_once(path: StorePath) -> bool:
        asked.append(path.name)
        if len(asked) == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return True

    texts = {"a.ttl": "a", "b.ttl": "b"}
    releases.download("1.0", b"zip")
    monkeypatch.setattr(fsops, "is_durable", lambda _: True)
    monkeypatch.setattr(fsops, "sync_filesystem", refuse_once)
    with pytest.raises(BoundaryFailed, match="could not be made durable"):
        releases.extract("1.0", b"zip", texts)
    assert asked == ["data"]
    assert releases.rows("SELECT count(*) FROM extracted_files") == [(0,)]


def test_a_lost_artifact_is_healed_by_the_next_download(releases: Releases) -> None:
    """A published file that was deleted by hand comes back with the next identical download."""
    releases.pull("1.0", A)
    (releases.root / "example/sample/1.0/src/a.zip").unlink()
    assert releases.download("1.0", json.dumps(A).encode()).changed
    releases.check()


@pytest.mark.parametrize(("layout", "name"), [("native", "manifest.json"), ("docstokg-tree", ".manifest.json")])
def test_a_lost_manifest_comes_back_with_the_next_download(releases: Releases, layout: str, name: str) -> None:
    """By the name that it has in the release's layout; where it is there, the same download changes nothing."""
    releases.download("1.0", b"zip", layout=layout)
    manifest = releases.root / "example/sample/1.0" / name
    before = manifest.read_bytes()
    assert not releases.download("1.0", b"zip", layout=layout).changed
    manifest.unlink()
    assert releases.download("1.0", b"zip", layout=layout).changed
    assert manifest.read_bytes() == before


@pytest.mark.parametrize("version", ["9.9", "1.0"])
def test_latest_wants_an_extracted_release(releases: Releases, version: str) -> None:
    """A release that is unknown or not extracted can't become latest."""
    releases.download("1.0", b"bytes")
    with pytest.raises(PreconditionFailed, match="can't become latest"):
        releases.set_latest(version)
    assert not (releases.root / "example/sample/LATEST.json").exists()


def test_latest_wants_validators_to_pass_unless_failures_are_accepted(releases: Releases) -> None:
    """A failing file keeps a release from becoming latest; accepting failures is a decision of the user."""
    data = b"bytes"
    releases.download("1.0", data)
    releases.extract("1.0", data, A)
    releases.validate("1.0", results_table(A, failing=("a.ttl",)))
    with pytest.raises(PreconditionFailed, match="1 of its files fail"):
        releases.set_latest("1.0")
    releases.set_latest("1.0", accept_failures=True)
    releases.check()


def test_results_for_other_contents_are_refused(releases: Releases) -> None:
    """A result must be about a recorded path with its recorded content."""
    releases.download("1.0", b"bytes")
    releases.extract("1.0", b"bytes", A)
    with pytest.raises(PreconditionFailed, match="is no recorded file"):
        releases.validate("1.0", results_table(B))


def test_an_empty_release_is_a_release(releases: Releases) -> None:
    """An artifact without files is extracted, validated and latest like any other."""
    releases.pull("1.0", {})
    releases.check()
    assert not releases.extract("1.0", b"{}", {}).changed


def test_a_clock_that_goes_back_does_not_bring_an_old_latest_back(releases: Releases) -> None:
    """Pointers of a series have strictly ascending times whatever the clock says."""
    releases.pull("1.0", A)
    releases.pull("2.0", B)
    releases.set_latest("1.0")
    times = releases.rows("SELECT updated_at FROM latest_pointer")
    assert len(set(times)) == len(times) == 3
    releases.check()


class _Refuses:
    """Vetoes every download."""

    @hookimpl
    def on_download_done(self, event: DownloadDone) -> None:
        raise Veto(f"{event.version_id} is not wanted here.")


def test_a_veto_reaches_the_host_and_leaves_nothing_but_an_event(tmp_path: Path) -> None:
    """A veto keeps rows and files away; the bytes stay staged and a rolled-back event tells of it."""
    refusing = Releases(tmp_path / "store", _Refuses())
    staged = refusing.stage_file("a.zip", b"bytes")
    with pytest.raises(Veto, match="not wanted"):
        refusing.download("1.0", b"bytes", staged=staged)
    assert staged.read_bytes() == b"bytes"
    assert not (refusing.root / "example").exists()
    assert refusing.rows("SELECT count(*) FROM versions") == [(0,)]
    assert refusing.rows("SELECT level FROM events WHERE type = 'download.rolled_back'") == [("error",)]


class _Nests:
    """Calls a boundary from inside one."""

    def __init__(self) -> None:
        self.releases: Releases | None = None

    @hookimpl
    def on_download_done(self, event: DownloadDone) -> None:
        if self.releases is not None:
            nested, self.releases = self.releases, None
            nested.set_latest("1.0")


def test_a_hook_that_calls_back_into_a_boundary_gets_an_error(tmp_path: Path) -> None:
    """A boundary inside a boundary is an error and not a deadlock; the outer one is rolled back."""
    plugin = _Nests()
    nesting = Releases(tmp_path / "store", plugin)
    plugin.releases = nesting
    with pytest.raises(NestedBoundary):
        nesting.download("1.0", b"bytes")
    assert nesting.rows("SELECT count(*) FROM versions") == [(0,)]


class _Observes:
    """Notes what it is told, then fails."""

    def __init__(self) -> None:
        self.told: list[CatalogCommitted] = []

    @hookimpl
    def on_catalog_committed(self, event: CatalogCommitted) -> None:
        self.told.append(event)
        raise RuntimeError("an observer's own trouble")


def test_observers_are_told_after_the_commit_and_can_harm_nobody(tmp_path: Path) -> None:
    """Each observer hears of each boundary once, after its commit, and its failure changes nothing."""
    first, second = _Observes(), _Observes()
    observed = Releases(tmp_path / "store", first, second)
    observed.pull("1.0", A)
    observed.check()
    for observer in (first, second):
        assert [event.type for event in observer.told] == [
            "download.done",
            "extract.done",
            "validate.done",
            "latest.set",
        ]
    ids = {event.boundary_id for event in first.told}
    assert ids == {row[0] for row in observed.rows("SELECT DISTINCT boundary_id FROM events WHERE version_id <> ''")}


def test_the_event_of_another_store_is_refused(releases: Releases, tmp_path: Path) -> None:
    """An event about another root than the catalog's is an error."""
    event = sample_set_latest(tmp_path / "other")
    with pytest.raises(EventError, match="this catalog is at"):
        releases.manager.hook.on_set_latest(event=event)


def test_releases_whose_folders_differ_only_in_case_are_refused(releases: Releases) -> None:
    """Two releases may not share a folder where case is folded."""
    releases.download("v1", b"bytes")
    with pytest.raises(Conflict, match="where case is folded"):
        releases.download("V1", b"other")


def test_events_are_chained(releases: Releases) -> None:
    """Every event's digest covers the one before it, and generation.json names the last."""
    releases.pull("1.0", A)
    rows = query(
        releases.root,
        "SELECT event_id, digest, boundary_id, run_id, ts, type, level, version_id, config_hash, payload::VARCHAR"
        " FROM events ORDER BY event_id",
    )
    previous = "0" * 64
    for event_id, digest, boundary_id, run_id, ts, kind, level, version_id, config_hash, payload in rows:
        fields: list[Any] = [boundary_id, run_id, ts.isoformat(), kind, level, version_id, config_hash, payload]
        text = json.dumps([previous, event_id, *fields], ensure_ascii=False)
        assert digest == sha256(text.encode())
        previous = digest
    record = json.loads((releases.root / ".catalog/generation.json").read_bytes())
    assert (record["events"], record["digest"]) == (len(rows), previous)

"""A plan is carried out exactly or not at all, can be interrupted anywhere, taken back whole, and then purged."""

from __future__ import annotations

import errno
import hmac
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.boundaries.engine import carry_out as carry_out_boundary
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune import plan as document
from ontofetch_catalog.catalog.prune import planning
from ontofetch_catalog.catalog.prune.pins import Pin, Unpin
from ontofetch_catalog.catalog.prune.plan import PlanUnusable
from ontofetch_catalog.errors import BoundaryFailed, Conflict, OntofetchError
from ontofetch_hookspecs import Stage
from ontofetch_hookspecs.store_paths import StorePath
from tests.catalog.prune.stores import (
    DATA,
    FAST,
    HOSTILE,
    TEXTS,
    add_orphans,
    carry_out,
    count_all,
    make_store,
    plan,
    quarantined,
)
from tests.releases import Releases, assert_consistent, query, snapshot

pytestmark = pytest.mark.usefixtures("quick_databases")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the store that each test gets a copy of."""
    root = tmp_path_factory.mktemp("made") / "series"
    make_store(root, "1.0", "2.0", "3.0")
    add_orphans(root, "stray", "new/deep/x", *HOSTILE, folder="example/sample/3.0/data")
    return root


@pytest.fixture
def series(made: Path, tmp_path: Path) -> Path:
    """Return a store with three releases, the last one latest, and some orphans with hostile names."""
    return shutil.copytree(made, tmp_path / "series")


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide plans into batches of two orphans."""
    monkeypatch.setattr(planning, "BATCH_ENTRIES", 2)


def everything(root: Path) -> str:
    """Plan all orphans and the first two releases."""
    return plan(root, keep_last=1)


def test_apply_moves_exactly_what_the_plan_lists(series: Path) -> None:
    """Afterwards the store is in step, what was listed is in quarantine, nothing else has changed."""
    before = count_all(series)
    plan_id = everything(series)
    store = Store(series, FAST)
    listed = {row["path"] for row in document.read_entries(store, document.read_plan(store, plan_id)).to_pylist()}
    done = carry_out(series, "apply", plan_id)
    after = count_all(series)
    gone = set(before["files"]) - set(after["files"])
    assert {path.replace("\udcff", "\0ff") for path in gone} == listed
    assert after["files"].items() <= before["files"].items()
    assert [row[0] for row in after["versions"]] == ["example/sample/3.0"]
    assert_consistent(series)
    assert quarantined(series) == len(listed) == done.entries
    types = query(series, "SELECT type, count(*) FROM events WHERE type LIKE 'prune%' GROUP BY 1")
    assert types == [("prune.batch", 3)]


def test_restore_brings_every_byte_and_row_back(series: Path) -> None:
    """A recount of all files (inode, size, time, hash) and of all rows is what it was."""
    before = count_all(series)
    plan_id = everything(series)
    carry_out(series, "apply", plan_id)
    assert count_all(series) != before
    carry_out(series, "restore", plan_id)
    assert count_all(series) == before
    assert quarantined(series) == 0
    carry_out(series, "apply", plan_id)
    carry_out(series, "restore", plan_id)
    assert count_all(series) == before


def test_purge_frees_the_space_and_nothing_is_left(series: Path) -> None:
    """Only then are bytes gone, the folders that this left empty too; the plan stays as a record."""
    plan_id = everything(series)
    carry_out(series, "apply", plan_id)
    kept = snapshot(series)
    done = carry_out(series, "purge", plan_id)
    assert done.freed == done.bytes > 0
    assert snapshot(series) == kept
    assert list((series / ".catalog/quarantine").iterdir()) == []
    assert {path.name for path in (series / ".catalog/plans" / plan_id).iterdir()} == {"plan.json", "entries.jsonl"}
    assert sorted(path.name for path in (series / "example/sample").iterdir()) == ["3.0", "LATEST.json"]
    assert not (series / "example/sample/3.0/data/new").exists()
    assert_consistent(series)
    for step in ("apply", "restore", "purge"):
        assert carry_out(series, step, plan_id).batches == 0


def test_a_release_can_be_recorded_again_and_then_is_not_restored_over(series: Path) -> None:
    """What has come in its place is not touched; the sentence says what to do."""
    plan_id = plan(series, versions=("example/sample/1.0",))
    carry_out(series, "apply", plan_id)
    Releases(series, settings=FAST).pull("1.0", {"other.ttl": "other"})
    before = snapshot(series / "example/sample/1.0")
    with pytest.raises(Conflict, match="recorded again"):
        carry_out(series, "restore", plan_id)
    assert snapshot(series / "example/sample/1.0") == before
    assert query(series, "SELECT relpath FROM extracted_files WHERE version_id LIKE '%/1.0'") == [("other.ttl",)]


def test_an_orphan_is_not_restored_over_a_file(root: Path) -> None:
    """Something that lies in its place now stays; what was in quarantine stays there."""
    (path,) = add_orphans(root, "stray")
    plan_id = plan(root)
    carry_out(root, "apply", plan_id)
    add_orphans(root, "stray")
    with pytest.raises(Conflict, match="something lies there now"):
        carry_out(root, "restore", plan_id)
    assert quarantined(root) == 1
    assert (root / path).exists()


# --- refusals ---------------------------------------------------------------------------------------------------------


def _rewrite(path: Path) -> None:
    path.write_bytes(b"ORPHAN " + os.fsencode(path.name))


def _replace(path: Path) -> None:
    state, content = path.stat(), path.read_bytes()
    path.with_name("other").write_bytes(content)
    os.utime(path.with_name("other"), ns=(state.st_atime_ns, state.st_mtime_ns))
    path.with_name("other").rename(path)


def _link(path: Path) -> None:
    path.rename(path.with_name("aside"))
    path.symlink_to("aside")


CHANGES = {
    "rewritten": _rewrite,
    "grown": lambda path: path.write_bytes(b"much longer than before"),
    "replaced by a copy": _replace,
    "gone": lambda path: path.unlink(),
    "a link": _link,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "behind a link": lambda path: (
        path.parent.rename(path.parents[3] / "aside"),
        path.parent.symlink_to("../../aside"),
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_entry_that_changed_is_refused(root: Path, change: object) -> None:
    """Another inode, size, time or kind since the plan was made: nothing of the batch is touched."""
    path, _ = add_orphans(root, "stray", "second")
    plan_id = plan(root)
    change(root / path)  # type: ignore[operator]
    before = snapshot(root) if "link" not in str(change) else None
    with pytest.raises(PlanUnusable, match=r"has changed|is gone"):
        carry_out(root, "apply", plan_id)
    assert quarantined(root) == 0
    assert before is None or snapshot(root) == before


def test_a_release_with_a_new_file_is_refused(series: Path) -> None:
    """A file that came into a release since the plan was made was never looked at, so the release stays."""
    plan_id = plan(series, versions=("example/sample/1.0",))
    add_orphans(series, "late", folder="example/sample/1.0/data")
    with pytest.raises(PlanUnusable, match="late' has come"):
        carry_out(series, "apply", plan_id)
    assert (series / "example/sample/1.0/data/late").exists()
    assert query(series, "SELECT count(*) FROM versions") == [(3,)]


@pytest.mark.parametrize("event", ["pull", "pin", "latest"])
def test_a_catalog_that_moved_on_is_refused(series: Path, event: str) -> None:
    """A new release, a pin or another latest since the plan was made, and the plan does not fit any more."""
    plan_id = everything(series)
    releases, store = Releases(series, settings=FAST), Store(series, FAST)
    if event == "pull":
        releases.pull("4.0", TEXTS)
    elif event == "pin":
        carry_out_boundary(store, Pin(store, "example/sample/1.0"))
    else:
        releases.set_latest("1.0")
    before = count_all(series)
    with pytest.raises(PlanUnusable, match="the catalog has moved on"):
        carry_out(series, "apply", plan_id)
    assert count_all(series) == before


def test_what_changed_nothing_does_not_make_a_plan_old(root: Path) -> None:
    """Pulling the same release again is an event, but neither row nor file has changed."""
    add_orphans(root, "stray")
    plan_id = plan(root)
    assert not Releases(root, settings=FAST).set_latest("1.0").changed
    assert carry_out(root, "apply", plan_id).entries == 1


def test_a_plan_of_another_store_is_refused(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan carried into another store, even a copy that has gone its own way, does nothing there."""
    add_orphans(root, "stray")
    # a copy of the same store would have the same key
    monkeypatch.setattr(Releases, "templates", None)
    other = make_store(tmp_path / "other").root
    add_orphans(other, "stray")
    plan_id = plan(root)
    shutil.copytree(root / ".catalog/plans", other / ".catalog/plans")
    for _ in ("without a key", "with the other's key"):
        with pytest.raises(PlanUnusable, match="another catalog"):
            carry_out(other, "apply", plan_id)
        shutil.copy(root / ".catalog/key", other / ".catalog/key")
    assert (other / DATA / "stray").exists()


@pytest.mark.parametrize("name", ["plan.json", "entries.jsonl"])
def test_a_plan_that_was_edited_is_refused(root: Path, name: str) -> None:
    """A changed word in either file shows in the digest."""
    add_orphans(root, "stray")
    plan_id = plan(root)
    path = root / ".catalog/plans" / plan_id / name
    path.write_text(path.read_text().replace("stray", "d1/1.ttl").replace('"orphans": 1', '"orphans": 0'))
    with pytest.raises(PlanUnusable, match="edited"):
        carry_out(root, "apply", plan_id)


def test_a_plan_whose_digest_was_forged_under_way_is_refused(series: Path, small_batches: None) -> None:
    """A plan begun with one digest is not gone on with under another, also if that one fits its text."""
    plan_id = everything(series)
    _apply_some(series, plan_id, 2)
    path = series / ".catalog/plans" / plan_id / "plan.json"
    told = json.loads(path.read_text())
    del told["digest"]
    told["totals"]["kept"] = 99
    key = (series / ".catalog/key").read_bytes()
    told["digest"] = hmac.digest(key, json.dumps(told, sort_keys=True).encode(), "sha256").hex()
    path.write_text(json.dumps(told))
    with pytest.raises(PlanUnusable, match="not the one that was begun"):
        carry_out(series, "restore", plan_id)


def test_garbage_and_unknown_plans_are_sentences(root: Path) -> None:
    """Nothing, garbage and a path that climbs are refused without a traceback."""
    add_orphans(root, "stray")
    plan_id = plan(root)
    for name in ("nothing", "../../x", ""):
        with pytest.raises(PlanUnusable, match="There is no plan"):
            carry_out(root, "apply", name)
    for content in (b"", b"\xff", b"[]", b"{}", b'{"digest": 1}'):
        (root / ".catalog/plans" / plan_id / "plan.json").write_bytes(content)
        with pytest.raises(PlanUnusable):
            carry_out(root, "apply", plan_id)


def test_a_stage_that_took_a_file_meanwhile_keeps_it(root: Path) -> None:
    """A hard link made since the plan does not change the file's time, but a stage refers to it now."""
    (path, again) = add_orphans(root, "stray", "again")
    os.link(root / again, root / DATA / "again2")
    plan_id = plan(root)
    with Path(root / again).open("rb"):
        stage = Stage.create(root)
        stage.link_file(StorePath(root, again), "src/again")
    with pytest.raises(PlanUnusable, match="a stage now holds"):
        carry_out(root, "apply", plan_id)
    assert (root / path).exists()
    stage.close()


def test_a_foreign_file_in_quarantine_is_not_purged(root: Path) -> None:
    """What somebody put beside the quarantined files is not the plan's to remove."""
    add_orphans(root, "stray")
    plan_id = plan(root)
    carry_out(root, "apply", plan_id)
    precious = root / ".catalog/quarantine" / plan_id / "0" / DATA / "precious"
    precious.write_text("x")
    with pytest.raises(PlanUnusable, match="is not purged"):
        carry_out(root, "purge", plan_id)
    assert precious.exists()
    assert quarantined(root) == 2


def test_a_folder_that_becomes_a_link_between_check_and_move_is_not_followed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the tree changes right before its folder is opened, nothing outside of the store moves, and all is undone."""
    (path,) = add_orphans(root, "folder/stray")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "stray").write_text("precious")
    plan_id = plan(root)
    original = fsops.make_folder

    def make_then_swap(made: StorePath, mode: int = 0o777) -> None:
        original(made, mode)
        if f"{made.relpath}/stray".endswith(path):
            (root / DATA / "folder").rename(tmp_path / "aside")
            (root / DATA / "folder").symlink_to(outside)

    monkeypatch.setattr(fsops, "make_folder", make_then_swap)
    with pytest.raises(BoundaryFailed):
        carry_out(root, "apply", plan_id)
    assert (outside / "stray").read_text() == "precious"
    assert quarantined(root) == 0


def test_a_folder_that_becomes_a_link_at_the_very_move_is_not_followed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What moves then is what was looked at, in the folder that was opened; never what the link leads to."""
    (path,) = add_orphans(root, "folder/stray")
    content = (root / path).read_bytes()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "stray").write_text("precious")
    plan_id = plan(root)
    original = fsops.rename

    def swap_then_rename(source: StorePath, target: StorePath, **folders: int | None) -> None:
        if source.relpath == path:
            (root / DATA / "folder").rename(tmp_path / "aside")
            (root / DATA / "folder").symlink_to(outside)
        original(source, target, **folders)

    monkeypatch.setattr(fsops, "rename", swap_then_rename)
    carry_out(root, "apply", plan_id)
    assert (outside / "stray").read_text() == "precious"
    (moved,) = (root / ".catalog/quarantine").rglob("stray")
    assert moved.read_bytes() == content


# --- interrupted ------------------------------------------------------------------------------------------------------


def _apply_some(root: Path, plan_id: str, batches: int) -> None:
    """Apply a plan in a process that is killed when so many of its batches have committed."""
    script = """
import os, signal, sys
from pathlib import Path
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune import steps
left = int(sys.argv[3])
def tell(outcome):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
steps.apply_plan(Store(Path(sys.argv[1]), {"durability": "off"}), sys.argv[2], tell=tell, progress=lambda *_: None)
"""
    ended = subprocess.run(
        [sys.executable, "-c", script, str(root), plan_id, str(batches)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def test_killed_between_batches_it_is_continued(series: Path, small_batches: None) -> None:
    """What was done stays done, the rest follows, and a restore brings back the whole."""
    before = count_all(series)
    plan_id = everything(series)
    _apply_some(series, plan_id, 3)
    halfway = quarantined(series)
    done = carry_out(series, "apply", plan_id)
    assert 0 < halfway < quarantined(series)
    assert done.batches == 6 - 3
    carry_out(series, "restore", plan_id)
    assert count_all(series) == before


def test_a_half_applied_plan_can_be_taken_back(series: Path, small_batches: None) -> None:
    """Restore brings back what was applied and does not ask for the rest."""
    before = count_all(series)
    plan_id = everything(series)
    _apply_some(series, plan_id, 2)
    assert carry_out(series, "restore", plan_id).batches == 2
    assert count_all(series) == before


@pytest.mark.parametrize("step", ["apply", "restore", "purge"])
def test_a_failing_disk_leaves_whole_batches(
    series: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A rename that fails once undoes its batch alone; the same command then goes on to the same end."""
    before = count_all(series)
    plan_id = everything(series)
    if step != "apply":
        carry_out(series, "apply", plan_id)
    calls = []
    original = fsops.rename

    def fail_once(source: StorePath, target: StorePath, **folders: int | None) -> None:
        # what is moved, and not how a document gets its name
        if not source.name.endswith(".new"):
            calls.append(source)
            if len(calls) == 4:
                raise OSError(5, "Input/output error")
        original(source, target, **folders)

    monkeypatch.setattr(fsops, "rename", fail_once)
    with pytest.raises(OntofetchError, match="Input/output error"):
        carry_out(series, step, plan_id)
    assert carry_out(series, step, plan_id).batches > 0
    if step == "apply":
        carry_out(series, "restore", plan_id)
    if step != "purge":
        assert count_all(series) == before
    assert quarantined(series) == 0


def test_rows_that_can_not_be_kept_leave_no_query_open(
    series: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full while a release's rows are kept: the rollback is recorded, and the catalog closed."""
    plan_id = everything(series)
    original = fsops.write

    def full(file: int, data: bytes | memoryview) -> None:
        if os.readlink(f"/dev/fd/{file}").endswith(".parquet"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "rows")
        original(file, data)

    with monkeypatch.context() as patch:
        patch.setattr(fsops, "write", full)
        with pytest.raises(BoundaryFailed, match="No space left"):
            carry_out(series, "apply", plan_id)
    assert query(series, "SELECT count(*) FROM events WHERE type = 'prune.rolled_back'") == [(1,)]
    assert carry_out(series, "apply", plan_id).batches > 0
    assert_consistent(series)


def test_two_applies_at_once_come_to_one_end(series: Path, small_batches: None) -> None:
    """Two that carry out the same plan share its batches; each batch happens once."""
    plan_id = everything(series)
    errors: list[BaseException] = []

    def apply() -> None:
        try:
            carry_out(series, "apply", plan_id)
        except OntofetchError as error:
            errors.append(error)

    threads = [threading.Thread(target=apply) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    batches = query(
        series, "SELECT (payload->>'batch')::INTEGER AS n FROM events WHERE type = 'prune.batch' ORDER BY n"
    )
    assert [number for (number,) in batches] == list(range(6))
    assert_consistent(series)


def test_a_pin_is_in_row_manifest_and_events(root: Path) -> None:
    """Pinning twice changes nothing the second time; taking the pin away restores the manifest."""
    before = (root / "example/sample/1.0/manifest.json").read_bytes()
    store = Store(root, FAST)
    assert carry_out_boundary(store, Pin(store, "example/sample/1.0")).receipt.changed
    assert not carry_out_boundary(store, Pin(store, "example/sample/1.0")).receipt.changed
    assert json.loads((root / "example/sample/1.0/manifest.json").read_bytes())["pinned_at"] is not None
    assert query(root, "SELECT count(*) FROM versions WHERE pinned_at IS NOT NULL") == [(1,)]
    assert carry_out_boundary(store, Unpin(store, "example/sample/1.0")).receipt.changed
    assert (root / "example/sample/1.0/manifest.json").read_bytes() == before
    with pytest.raises(OntofetchError, match="No release"):
        carry_out_boundary(store, Pin(store, "example/sample/9.9"))
    assert_consistent(root)


def test_a_plan_is_what_its_schema_says(series: Path) -> None:
    """plan.json and every line of entries.jsonl fit docs/schemas/plan.json, and the sums are those of the lines."""
    import jsonschema

    schema = json.loads((Path(__file__).parents[3] / "docs/schemas/plan.json").read_text())
    folder = series / ".catalog/plans" / everything(series)
    told = json.loads((folder / "plan.json").read_text())
    lines = [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]
    jsonschema.validate(told, schema)
    for line in lines:
        jsonschema.validate(line, {**schema["$defs"]["entry"], "$defs": schema["$defs"]})
    assert told["totals"]["entries"] == told["entries"]["count"] == len(lines)
    assert told["totals"]["bytes"] == sum(line["size_bytes"] for line in lines)
    assert [batch["entries"] for batch in told["batches"]] == [
        sum(line["batch"] == batch["batch"] for line in lines) for batch in told["batches"]
    ]

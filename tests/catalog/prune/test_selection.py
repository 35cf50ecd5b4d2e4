"""What a plan takes and keeps: every true orphan, no live file, and a reason for each."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from ontofetch_catalog.catalog.boundaries.engine import carry_out as carry_out_boundary
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune import planning
from ontofetch_catalog.catalog.prune.explain import explain_path
from ontofetch_catalog.catalog.prune.pins import Pin
from ontofetch_catalog.catalog.prune.policy import DAY, Policy, PruneStopped, check_safety, parse_age
from ontofetch_catalog.errors import UsageError
from ontofetch_hookspecs import Stage
from ontofetch_hookspecs.store_paths import StorePath
from tests.catalog.prune.stores import (
    DATA,
    FAST,
    HOSTILE,
    add_orphans,
    kept,
    make_store,
    plan,
    propose,
    taken,
)
from tests.releases import Releases, snapshot

pytestmark = pytest.mark.usefixtures("quick_databases")


def test_a_store_in_step_has_nothing_to_prune(root: Path) -> None:
    """No recorded file and no document is ever a candidate."""
    proposal = propose(root)
    assert (taken(proposal), kept(proposal)) == ({}, {})


def test_every_orphan_is_taken_whatever_its_name(root: Path) -> None:
    """Files without a row are listed under their very name, with size, age, inode and reason."""
    paths = add_orphans(root, "stray.ttl", "new/deep/x.ttl", *HOSTILE)
    proposal = propose(root)
    assert taken(proposal) == dict.fromkeys(paths, "it is not recorded in its release")
    row = next(row for row in proposal.entries.to_pylist() if row["path"].endswith("stray.ttl"))
    state = (root / DATA / "stray.ttl").stat()
    assert (row["inode"], row["size_bytes"], row["mtime_ns"]) == (state.st_ino, state.st_size, state.st_mtime_ns)
    assert 29 * 86_400 < row["age_seconds"] < 31 * 86_400


def test_what_the_catalog_did_not_write_is_kept(root: Path, tmp_path: Path) -> None:
    """Links, pipes, files beside the release's folders and outside of releases are never taken."""
    (tmp_path / "precious").write_text("x")
    data = root / DATA
    (data / "link").symlink_to(tmp_path / "precious")
    (data / "folder").symlink_to(tmp_path)
    os.mkfifo(data / "pipe")
    for path in ("example/sample/1.0/notes.txt", "example/sample/README", "example/other/data/x", "top.txt"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")
    proposal = propose(root)
    assert taken(proposal) == {}
    assert set(kept(proposal)) == {f"{DATA}/link", f"{DATA}/folder", f"{DATA}/pipe"}


def test_nothing_younger_than_a_day_is_taken(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later of mtime and ctime counts: a file dated 1980 that came an hour ago is young, so is one of tomorrow."""
    old, future = add_orphans(root, "old", "future")
    os.utime(root / old, (315_532_800, 315_532_800))
    os.utime(root / future, (2**33, 2**33))
    assert set(taken(propose(root))) == {old}
    monkeypatch.setattr(planning, "clock", lambda: time.time_ns() + 3600 * 10**9)
    assert taken(propose(root)) == {}
    assert kept(propose(root))[old] == "it was touched 1 h ago, and the least age is 1 d"
    assert "in the future" in kept(propose(root))[future]
    assert set(taken(propose(root, min_age=parse_age("30m")))) == {old}
    monkeypatch.setattr(planning, "clock", lambda: time.time_ns() - DAY)
    assert taken(propose(root, min_age=0)) == {}


def test_a_respelled_path_is_kept_and_a_second_file_beside_its_original_is_taken(root: Path) -> None:
    """If a recorded file is only spelled otherwise on this disk it is that file; if both are there one is an orphan."""
    (root / DATA / "d1/1.ttl").rename(root / DATA / "d1/1.TTL")
    (double,) = add_orphans(root, "d2/2.TTL")
    proposal = propose(root)
    assert set(taken(proposal)) == {double}
    assert "case or normal form" in kept(proposal)[f"{DATA}/d1/1.TTL"]


def test_what_an_open_intent_refers_to_is_kept_at_any_age(root: Path) -> None:
    """Whatever an intent of a dead process moves from or to, and what is below it, is not touched."""
    target, below, other = add_orphans(root, "moved", "folder/below", "other")
    moves = [
        {"source": ".catalog/staging/x/moved", "target": target, "inode": 1, "size": 1},
        {"source": ".catalog/staging/x/folder", "target": f"{DATA}/folder", "inode": 1, "size": None},
    ]
    intent = {"format": 1, "boundary_id": "a" * 32, "folders": [], "moves": moves, "stages": []}
    (root / ".catalog/intents" / ("a" * 32 + ".json")).write_text(json.dumps(intent))
    proposal = propose(root, min_age=0)
    assert set(taken(proposal)) == {other}
    assert {kept(proposal)[path] for path in (target, below)} == {"an open boundary refers to it"}


def test_an_intent_that_nobody_can_read_stops_a_plan(root: Path) -> None:
    """Nobody knows what it refers to, so nothing is taken unless that is overridden by name."""
    add_orphans(root, "stray")
    (root / ".catalog/intents" / ("b" * 32 + ".json")).write_bytes(b"\xff")
    with pytest.raises(PruneStopped, match="is not known") as stopped:
        plan(root)
    assert stopped.value.subject == "unreadable-intent"
    assert plan(root, overrides=("unreadable-intent", "large-plan"))


def test_what_a_stage_holds_is_kept_at_any_age(root: Path) -> None:
    """A file that a stage has as a hard link is referred to, although no row names it."""
    held, free = add_orphans(root, "held", "free")
    stage = Stage.create(root)
    stage.link_file(StorePath(root, held), "src/held")
    proposal = propose(root, min_age=0)
    assert set(taken(proposal)) == {free}
    assert kept(proposal)[held] == "a stage holds it"
    stage.close()


def test_another_catalog_inside_the_tree_keeps_its_files(root: Path) -> None:
    """Below the root of another store nothing is an orphan of this one."""
    inner = Releases(root / DATA / "inner", settings=FAST)
    inner.pull("1.0", {"a.ttl": "x"})
    (stray,) = add_orphans(root, "stray")
    proposal = propose(root)
    assert set(taken(proposal)) == {stray}
    assert all("another catalog" in reason for reason in kept(proposal).values())
    assert {f"{DATA}/inner/{path}" for path in snapshot(inner.root)} <= set(kept(proposal))


@pytest.mark.parametrize("place", ["example", "example/sample", "example/sample/1.0"])
def test_a_release_inside_the_store_of_another_catalog_is_kept(tmp_path: Path, place: str) -> None:
    """A policy never takes what may be live in another catalog, also if its root is the release's own folder."""
    releases = make_store(tmp_path / "store", "1.0", "2.0")
    Releases(releases.root / place, settings=FAST).pull("1.0", {"a.ttl": "x"})
    add_orphans(releases.root, "stray")
    proposal = propose(releases.root, keep_last=1)
    assert taken(proposal) == {}
    assert "another catalog" in kept(proposal)["example/sample/1.0"]
    with pytest.raises(PruneStopped, match="another catalog"):
        propose(releases.root, versions=("example/sample/1.0",))


def test_a_release_without_a_row_is_taken_with_its_documents(root: Path) -> None:
    """A folder that only its manifest knows is listed whole, each entry with that reason."""
    series = root / "example/sample"
    shutil.copytree(series / "1.0", series / "0.9")
    told = json.loads((series / "0.9/manifest.json").read_bytes())
    told |= {"version_id": "example/sample/0.9", "fs_relpath": "example/sample/0.9"}
    (series / "0.9/manifest.json").write_text(json.dumps(told))
    (series / "0.9/notes.txt").write_text("mine")
    found = taken(propose(root))
    files = {f"example/sample/0.9/{path}" for path in snapshot(series / "0.9")} - {"example/sample/0.9/notes.txt"}
    assert found == dict.fromkeys(files, "its release is not recorded")


def test_hard_links_are_not_counted_as_freed(root: Path, tmp_path: Path) -> None:
    """Bytes are freed only if every name of a file goes."""
    one, two, three = add_orphans(root, "one", "two", "three")
    os.link(root / one, root / DATA / "one-again")
    os.link(root / two, tmp_path / "outside")
    totals = propose(root).header["totals"]
    sizes = {path: (root / path).stat().st_size for path in (one, two, three)}
    assert totals["bytes"] == sizes[one] * 2 + sizes[two] + sizes[three]
    assert totals["bytes_freed"] == sizes[one] + sizes[three]


# --- brakes -----------------------------------------------------------------------------------------------------------


def test_no_share_is_told_of_more_files_than_are_known() -> None:
    """A release goes with its documents, which are no known files: 238 % of these say nothing."""
    with pytest.raises(PruneStopped) as stopped:
        check_safety(Policy(), {"known": 200, "found": 200, "taken": 475}, {})
    assert "475 files, and the catalog knows 200, documents of releases aside." in str(stopped.value)
    assert "%" not in str(stopped.value)


def test_a_large_plan_stops(root: Path) -> None:
    """Beyond a tenth of the known files the sentence gives the numbers, the usual cause and the override."""
    known = 42
    add_orphans(root, *(f"o{number}" for number in range(known // 10)))
    assert plan(root, overrides=())
    add_orphans(root, "one-more")
    with pytest.raises(PruneStopped, match=r"5 files, and the catalog knows 42 \(12%\)") as stopped:
        plan(root, overrides=())
    assert "--override large-plan" in stopped.value.hint
    assert plan(root, overrides=("large-plan",))


def test_a_disk_without_the_catalogs_files_stops(root: Path) -> None:
    """If fewer than nine tenths of the rows are found, the disk is probably another one."""
    add_orphans(root, "stray")
    for number in range(4):
        (root / DATA / f"d{number}/{number}.ttl").unlink()
    assert plan(root)
    (root / DATA / "d4/4.ttl").unlink()
    with pytest.raises(PruneStopped, match=r"only 37 of the 42 files .* wrong --root") as stopped:
        plan(root)
    assert stopped.value.subject == "missing-rows"
    assert plan(root, overrides=("missing-rows", "large-plan"))


def test_a_folder_that_cant_be_looked_into_stops(root: Path, tmp_path: Path) -> None:
    """A link in the place of a release's folder is not followed; the plan stops and names it."""
    add_orphans(root, "stray", folder="example/sample/1.0/src")
    shutil.move(root / DATA, tmp_path / "data")
    (root / DATA).symlink_to(tmp_path / "data")
    with pytest.raises(PruneStopped, match="can't be looked into") as stopped:
        plan(root, overrides=("missing-rows", "large-plan"))
    assert stopped.value.subject == "unreadable-folder"


# --- releases ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the store that each test gets a copy of."""
    releases = make_store(tmp_path_factory.mktemp("made") / "series", "1.0", "1.1", "1.2", "1.9", "1.10")
    releases.set_latest("1.2")
    carry_out_boundary(Store(releases.root, FAST), Pin(Store(releases.root, FAST), "example/sample/1.1"))
    return releases.root


@pytest.fixture
def series(made: Path, tmp_path: Path) -> Path:
    """Return a store with five releases; the third is latest, the second pinned."""
    return shutil.copytree(made, tmp_path / "series")


def _releases(proposal: planning.Proposal) -> list[str]:
    return [str(version_id).rpartition("/")[2] for version_id in proposal.header["totals"]["releases"]]


def test_releases_go_by_number_and_age_but_never_latest_pinned_or_the_last(series: Path) -> None:
    """The policies choose in release order; what is protected is listed as kept, with its reason."""
    assert _releases(propose(series, keep_last=1)) == ["1.0", "1.9"]
    assert _releases(propose(series, keep_last=0)) == ["1.0", "1.9"]
    assert _releases(propose(series, keep_last=3)) == ["1.0"]
    assert _releases(propose(series, keep_last=9)) == []
    assert _releases(propose(series, older_than=parse_age("29d"))) == ["1.0", "1.9"]
    assert _releases(propose(series, older_than=parse_age("31d"))) == []
    assert _releases(propose(series, keep_last=3, older_than=parse_age("29d"))) == ["1.0"]
    assert _releases(propose(series, keep_last=0, series="example/other")) == []
    assert kept(propose(series, keep_last=0)) == {
        "example/sample/1.1": "it is pinned",
        "example/sample/1.2": "it is the latest release of its series",
        "example/sample/1.10": "it is the last release of its series",
    }


def test_a_release_lists_every_file_it_has(series: Path) -> None:
    """Sources, data, documents, and whatever else lies in its folders stand in the plan, none twice."""
    add_orphans(series, "stray", folder="example/sample/1.0/data")
    proposal = propose(series, versions=("example/sample/1.0",))
    assert set(taken(proposal)) == {f"example/sample/1.0/{path}" for path in snapshot(series / "example/sample/1.0")}
    assert len(proposal.entries) == len(taken(proposal))


@pytest.mark.parametrize(("version", "reason"), [("1.1", "pinned"), ("1.2", "latest"), ("1.10", "last release")])
def test_a_protected_release_is_refused_by_name(series: Path, version: str, reason: str) -> None:
    """Who names a release that may not go gets the reason, not a plan without it."""
    with pytest.raises(PruneStopped, match=reason):
        propose(series, versions=(f"example/sample/{version}",))


def test_a_young_release_is_kept(series: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file that was touched lately keeps the whole release."""
    monkeypatch.setattr(planning, "clock", time.time_ns)
    proposal = propose(series, keep_last=0)
    assert _releases(proposal) == []
    assert "least age is 1 d" in kept(proposal)["example/sample/1.0"]


# --- explain ----------------------------------------------------------------------------------------------------------


def test_explain_says_what_the_plan_would_say(root: Path, tmp_path: Path) -> None:
    """Every path has a verdict and a reason, and orphans are exactly those of the plan."""
    paths = add_orphans(root, "stray", *HOSTILE)
    (root / DATA / "link").symlink_to(tmp_path)
    (root / "example/sample/1.0/notes.txt").write_text("x")
    (root / "elsewhere").mkdir()
    (root / "elsewhere/file").write_text("x")
    store = Store(root, FAST)

    def ask(path: str) -> tuple[str, str]:
        found = explain_path(store, path, Policy())
        return found.verdict, found.reason

    for path in paths:
        assert ask(path) == ("orphan", "it is not recorded in its release")
        assert ask(str(root / path)) == ("orphan", "it is not recorded in its release")
    assert ask(f"{DATA}/d1/1.ttl") == ("kept", "it is recorded as a file of example/sample/1.0")
    assert ask(f"{DATA}/../data/d1/1.ttl")[0] == "kept"
    assert ask(f"{DATA}//stray/")[0] == "orphan"
    assert "a symbolic link" in ask(f"{DATA}/link")[1]
    assert "document of example/sample/1.0" in ask("example/sample/1.0/manifest.json")[1]
    assert "neither the sources nor the data" in ask("example/sample/1.0/notes.txt")[1]
    assert "no folder whose layout is known" in ask("elsewhere/file")[1]
    assert "folder" in ask(DATA)[1]
    assert "catalog's own" in ask(".catalog/ontofetch.duckdb")[1]
    assert ask(f"{DATA}/nothing") == ("absent", "nothing is there")
    assert "not below the root" in ask(str(tmp_path))[1]
    (tmp_path / "way").symlink_to(root)
    assert ask(str(tmp_path / "way" / DATA / "stray"))[0] == "orphan"


@pytest.mark.parametrize("text", ["", "1", "d", "-1d", "1.5d", "1y", "1d2h"])
def test_an_age_has_one_form(text: str) -> None:
    """What is not a whole number and a unit is refused with an example."""
    with pytest.raises(UsageError, match="is not an age"):
        parse_age(text)
    assert parse_age("36h") == 1.5 * DAY

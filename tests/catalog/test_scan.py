"""The scan lists what lies below releases, never beyond a link, and tells orphans, lost files and changed sizes."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog import fsops, scan, sessions, walk
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.contents import layouts_table
from ontofetch_catalog.catalog.fsops import whole
from ontofetch_catalog.catalog.repo import comparison, listing
from tests.releases import Releases, query

pytestmark = pytest.mark.usefixtures("quick_databases")

A = {"a.ttl": "alpha", "d/b.ttl": "beta", "d/ü.ttl": "gamma"}
DATA = "example/sample/1.0/data"


@contextmanager
def scanned(root: Path, **options: Any) -> Iterator[tuple[Any, scan.Scan]]:
    """Scan a store through a connection that only reads; yield connection and scan."""
    store = Store(root)
    with sessions.reading(store) as connection:
        yield connection, scan.scan(store, connection, **options)


def orphans(root: Path, **options: Any) -> dict[str, str]:
    """Return path → kind of what lies there without a row; the same whether sizes are looked at or not."""
    with scanned(root, **options) as (connection, _):
        found = listing.list_orphans(connection)
    with scanned(root, sizes=False, **options) as (connection, _):
        names = ["path", "kind", "respelled"]
        assert listing.list_orphans(connection).select(names).equals(found.select(names))
    return {walk.as_path(row["path"]): row["kind"] for row in found.to_pylist()}


def differing(connection: Any) -> tuple[list[str], ...]:
    """Return what is said of lost files, of what is no regular file, and of sizes that differ from their rows."""
    comparison.compare(connection, layouts_table(), None)
    finders = (comparison.find_missing, comparison.find_irregular, comparison.find_resized)
    return tuple(find(connection)["message"].to_pylist() for find in finders)


def test_a_store_in_step_has_no_orphan_and_no_lost_file(releases: Releases) -> None:
    """Every file below src and data is listed once and has its row; documents and LATEST.json are no part of it."""
    releases.pull("1.0", A)
    with scanned(releases.root) as (connection, found):
        assert found.entries == 4
        assert found.bytes == sum(
            size for path, (_, size, *_) in releases.tree().items() if "/src/" in path or "/data/" in path
        )
        assert not len(listing.list_orphans(connection))
        assert differing(connection) == ([], [], [])
        assert listing.count_recorded(connection) == 4
        assert (found.skipped, found.obstacles) == ([], walk.ScanErrors())


def test_a_scan_writes_nothing(releases: Releases) -> None:
    """After a scan no file of the store, the catalog's own included, has another inode, size, time or content."""
    releases.pull("1.0", A)
    (releases.root / DATA / "stray").write_text("x")

    def state() -> dict[str, tuple[int, int, int, bytes]]:
        files = [path for path in releases.root.rglob("*") if path.is_file() and ".duck.lock" not in path.name]
        return {
            str(path): (path.stat().st_ino, path.stat().st_size, path.stat().st_mtime_ns, path.read_bytes())
            for path in files
        }

    before = state()
    assert orphans(releases.root) == {f"{DATA}/stray": "file"}
    assert state() == before
    assert query(releases.root, "SELECT count(*) FROM staging_fs_listing") == [(0,)]


def test_hostile_names_are_listed_and_come_back_byte_for_byte(releases: Releases) -> None:
    """Names with control characters, line ends, quotes or bytes that are not UTF-8 are found under their very name."""
    releases.pull("1.0", A)
    names = [
        b"line\nend",
        b"esc\x1b[31m",
        b"not-utf8-\xff\xfe",
        b"quote'\"\\",
        b"\\udcff",
        b" ",
        b"caf\xc3\xa9",
        b"-rf",
    ]
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(releases.root / DATA), name))).write_text("x")
    folder = os.path.join(os.fsencode(releases.root / DATA), b"dir\xff")
    os.mkdir(folder)
    Path(os.fsdecode(os.path.join(folder, b"inner\xfe"))).write_text("x")
    found = {os.fsencode(path) for path in orphans(releases.root)}
    assert found == {DATA.encode() + b"/" + name for name in [*names, b"dir\xff/inner\xfe"]}


def test_links_are_listed_as_links_and_never_followed(releases: Releases, tmp_path: Path) -> None:
    """A link to a folder or a file, a socket and a pipe are listed by their kind; nothing behind a link is."""
    releases.pull("1.0", A)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    data = releases.root / DATA
    (data / "folder").symlink_to(outside)
    (data / "file").symlink_to(outside / "precious")
    (data / "loop").symlink_to(data)
    os.mkfifo(data / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(data)
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        found = orphans(releases.root)
    kinds = {"folder": "link", "file": "link", "loop": "link", "pipe": "other", "socket": "other"}
    assert found == {f"{DATA}/{name}": kind for name, kind in kinds.items()}


def test_a_release_behind_a_link_is_not_looked_into(releases: Releases, tmp_path: Path) -> None:
    """If the folder of a release is a link, its files count as not found; the scan says that it could not read it."""
    releases.pull("1.0", A)
    (releases.root / DATA).rename(tmp_path / "moved")
    (releases.root / DATA).symlink_to(tmp_path / "moved")
    with scanned(releases.root) as (connection, found):
        assert [path for path, _ in found.obstacles.unreadable] == [DATA]
        assert len(differing(connection)[0]) == 3
        assert not len(listing.list_orphans(connection))


def test_the_root_may_be_a_link(releases: Releases, tmp_path: Path) -> None:
    """The root that the user names may be reached through a link; paths are the same."""
    releases.pull("1.0", A)
    (releases.root / DATA / "stray").write_text("x")
    (tmp_path / "link").symlink_to(releases.root)
    assert orphans(tmp_path / "link") == {f"{DATA}/stray": "file"}


def test_rows_without_files_and_other_sizes_are_told(releases: Releases) -> None:
    """A lost file, a file that became a folder or a link, and one of another size are told with their row."""
    releases.pull("1.0", A)
    data = releases.root / DATA
    (data / "a.ttl").write_text("longer than before")
    (data / "d/b.ttl").unlink()
    (data / "d/ü.ttl").unlink()
    (data / "d/ü.ttl").symlink_to(data / "a.ttl")
    with scanned(releases.root) as (connection, _):
        missing, irregular, sizes = differing(connection)
    assert missing == [f"The file {DATA}/d/b.ttl is recorded (4 bytes) and not on disk."]
    assert irregular == [f"{DATA}/d/ü.ttl is a symbolic link in the place of a recorded file."]
    assert sizes == [f"The file {DATA}/a.ttl has 18 bytes, its row says 5."]


def test_a_path_in_another_case_or_normal_form_is_its_rows_file(releases: Releases) -> None:
    """Where only the spelling of a recorded path has changed, the file is marked; beside its original it is not."""
    releases.pull("1.0", A)
    data = releases.root / DATA
    (data / "d/ü.ttl").rename(data / "d/u\u0308.ttl")
    (data / "A.TTL").write_text("a copy beside its original")
    releases.pull("2.0", {"straße.ttl": "x"})
    other = "example/sample/2.0/data"
    (releases.root / other / "straße.ttl").rename(releases.root / other / "STRASSE.ttl")
    with scanned(releases.root) as (connection, _):
        found = listing.list_orphans(connection).to_pylist()
    assert {row["path"]: row["respelled"] for row in found} == {
        f"{DATA}/A.TTL": False,
        f"{DATA}/d/u\u0308.ttl": True,
        f"{other}/STRASSE.ttl": True,
    }


def test_another_layout_is_compared_in_native_spelling(releases: Releases) -> None:
    """A release with other folder names is found by its layout, and its orphans are named as they are on disk."""
    releases.download("1.0", b"bytes", layout="docstokg")
    releases.extract("1.0", b"bytes", A)
    folder = releases.root / "example/sample/1.0"
    (folder / "extracted/stray").write_text("x")
    (folder / "data").mkdir()
    (folder / "data/of-no-layout").write_text("x")
    with scanned(releases.root) as (connection, found):
        assert found.entries == 5
        rows = listing.list_orphans(connection).to_pylist()
        assert not differing(connection)[0]
    assert [(row["path"], row["relpath"]) for row in rows] == [
        ("example/sample/1.0/extracted/stray", "example/sample/1.0/data/stray")
    ]


def test_an_unknown_layout_is_left_alone(releases: Releases) -> None:
    """A release whose layout nobody registered here is skipped, and the scan says so."""
    releases.pull("1.0", A)
    (releases.root / DATA / "stray").write_text("x")
    connection = fsops.open_database(releases.root / ".catalog/ontofetch.duckdb", {}, read_only=False)
    connection.execute("UPDATE versions SET layout = 'elsewhere'")
    connection.close()
    with scanned(releases.root) as (connection, found):
        assert found.entries == 0
        assert [path for path, _ in found.skipped] == ["example/sample/1.0"]
        assert not len(listing.list_orphans(connection))


def test_only_folders_with_a_manifest_of_ours_are_known(releases: Releases) -> None:
    """A release folder that no row names is looked into if its manifest says that we wrote it, and only then."""
    releases.pull("1.0", A)
    series = releases.root / "example/sample"
    for name in ("lost", "copied", "notes", "garbage"):
        shutil.copytree(series / "1.0", series / name)
    told = json.loads((series / "lost/manifest.json").read_bytes())
    told |= {"version_id": "example/sample/lost", "fs_relpath": "example/sample/lost", "version": "lost"}
    (series / "lost/manifest.json").write_text(json.dumps(told))
    (series / "notes/manifest.json").unlink()
    (series / "garbage/manifest.json").write_bytes(b"\xff\xfe")
    (series / "linked").symlink_to(series / "lost")
    (releases.root / "not a name/x/y/data").mkdir(parents=True)
    found = orphans(releases.root)
    inside = (
        "src/a.zip",
        "data/a.ttl",
        "data/d/b.ttl",
        "data/d/ü.ttl",
        "manifest.json",
        ".extract.audit.json",
        ".validation.audit.json",
    )
    assert found == {f"example/sample/lost/{path}": "file" for path in inside}


def test_another_catalog_inside_the_tree_is_marked(releases: Releases) -> None:
    """The root of another catalog below a release's data is told, so that nobody takes its files for orphans."""
    releases.pull("1.0", A)
    inner = Releases(releases.root / DATA / "store", settings={"durability": "off"})
    inner.pull("1.0", A)
    with scanned(releases.root) as (_, found):
        assert found.obstacles.foreign == [f"{DATA}/store"]


def test_a_scan_can_look_into_one_release_only(releases: Releases) -> None:
    """Asked for one path, the scan walks only the release that holds it."""
    releases.pull("1.0", A)
    releases.pull("1.0.1", A)
    with scanned(releases.root, within=f"{DATA}/a.ttl") as (_, found):
        assert [place.version_id for place in found.places] == ["example/sample/1.0"]
        assert found.entries == 4


def test_times_beyond_any_calendar_do_not_stop_a_scan(releases: Releases) -> None:
    """A file dated before 1970 or far in the future is listed like any other."""
    releases.pull("1.0", A)
    for name, seconds in (("old", -86_400 * 365 * 60), ("new", 2**33)):
        path = releases.root / DATA / name
        path.write_text("x")
        os.utime(path, (seconds, seconds))
    assert set(orphans(releases.root)) == {f"{DATA}/new", f"{DATA}/old"}


def test_progress_counts_the_entries(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is told how many entries were found, batch by batch."""
    releases.pull("1.0", {f"{number}.ttl": "x" for number in range(25)})
    monkeypatch.setattr(scan, "BATCH_ROWS", 10)
    told: list[int] = []
    with scanned(releases.root, progress=told.append) as (connection, _):
        assert not len(listing.list_orphans(connection))
    assert told == [10, 20, 26]


def test_a_closer_look_never_goes_through_a_link(releases: Releases, tmp_path: Path) -> None:
    """What is gone, a folder, or behind a link is nothing; what is there is told as lstat tells it."""
    releases.pull("1.0", A)
    store, data = Store(releases.root), releases.root / DATA
    (data / "folder").symlink_to(data / "d")
    (data / "link").symlink_to(data / "a.ttl")
    names = ["a.ttl", "link", "d", "gone", "folder/b.ttl", "a.ttl/x", "d/b.ttl"]
    looked = list(walk.stat_paths(store, [f"{DATA}/{name}" for name in names]))
    assert [None if entry is None else entry.kind for entry in looked] == ["file", "link", *[None] * 4, "file"]
    state = (data / "a.ttl").lstat()
    told = looked[0]
    assert told is not None
    assert (told.size, told.mtime, told.ctime) == (state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    assert (told.inode, told.device, told.links) == (state.st_ino, state.st_dev, state.st_nlink)
    below = [entry.path for entry in walk.list_below(store, DATA)]
    assert below == [f"{DATA}/{name}" for name in ("a.ttl", "d/b.ttl", "d/ü.ttl", "folder", "link")]
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        walk.list_below(store, f"{DATA}/folder")
    assert walk.list_below(store, f"{DATA}/gone") == []


def test_removing_a_tree_never_follows_a_link_that_takes_a_folders_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that becomes a link after it was listed stops the removal; what the link points to is untouched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    tree = tmp_path / "tree"
    for name in ("a", "b"):
        (tree / name).mkdir(parents=True)
        (tree / name / "file").write_text("x")
    original = fsops.unlink

    def swap_then_unlink(path: Path, **where: int) -> None:
        original(path, **where)
        if path.parent.name == "a":
            shutil.rmtree(tree / "b")
            (tree / "b").symlink_to(outside)

    monkeypatch.setattr(fsops, "unlink", swap_then_unlink)
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        whole.remove_tree(tree)
    assert (outside / "precious").exists()
    monkeypatch.undo()
    whole.remove_tree(tree)
    assert not tree.exists()
    assert (outside / "precious").exists()
    whole.remove_tree(tree)


def test_removing_what_lies_in_a_folder_that_was_moved_away_stays_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the folder being emptied is swapped for a link on the way, the files of the opened folder go, no others."""
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    for folder in (outside, tree / "a"):
        folder.mkdir(parents=True)
        for name in ("1", "2", "3"):
            (folder / name).write_text("x")
    original = fsops.unlink

    def unlink_then_swap(path: Path, **where: int) -> None:
        original(path, **where)
        if path.name == "1":
            (tree / "a").rename(tmp_path / "aside")
            (tree / "a").symlink_to(outside)

    monkeypatch.setattr(fsops, "unlink", unlink_then_swap)
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        whole.remove_tree(tree)
    assert sorted(path.name for path in outside.iterdir()) == ["1", "2", "3"]
    assert not list((tmp_path / "aside").iterdir())

"""Equal files are stored once, each release stays whole, and what is rotten or somebody else's never gets in."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import equal_files_on_disk, fsops
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.equal_files import extents, storing, ways
from ontofetch_catalog.catalog.prune.freed import freed_of
from ontofetch_catalog.catalog.prune.selection import _touched_itself, part_entries
from ontofetch_catalog.catalog.verify import Request, Scope, hasher, verify
from ontofetch_catalog.catalog.walk import Entry
from tests.file_systems import KINDS, cloning_folder
from tests.releases import Releases, query, sha256

pytestmark = pytest.mark.usefixtures("quick_databases")

CHECKOUT = Path(__file__).parents[2]
LINKED: dict[str, object] = {"store_share": "hardlink", "wait": 20.0, "durability": "off"}
APART: dict[str, object] = {**LINKED, "store_share": "off"}
FORMER = {"a.ttl": "alpha", "d/b.ttl": "beta", "e.ttl": "epsilon"}
NEXT = {"a.ttl": "alpha", "d/B.ttl": "beta", "e.ttl": "EPSILON", "n/m.ttl": "new", "n/o.ttl": "new", "empty.ttl": ""}
Rooms = Callable[[str], object]


def host(root: Path, settings: dict[str, object]) -> Releases:
    """Return a host that makes each store from nothing: a copy would give each file a room of its own."""
    return Releases(root, object(), settings=settings)


def data(root: Path, version: str) -> Path:
    """Return the folder of the files of a release."""
    return root / f"example/sample/{version}/data"


def inode(root: Path, path: str) -> int:
    """Return the inode of a file, named by release and path."""
    version, _, name = path.partition("/")
    return (data(root, version) / name).lstat().st_ino


def rewrite(path: Path, text: str) -> None:
    """Change a file in place, and leave its size and its time as they are."""
    before = path.stat()
    assert before.st_size == len(text)
    with path.open("r+") as stream:
        stream.write(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def share_all(root: Path, *, by: str = ways.HARDLINK, dry_run: bool = False) -> equal_files_on_disk.Result:
    """Do what `db share` does."""
    return equal_files_on_disk.store_once(
        Store(root, APART), by, dry_run=dry_run, progress=lambda done: None, tell=lambda outcome: None
    )


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """Return a store with two releases whose equal files are one of two names."""
    here = host(tmp_path / "store", LINKED)
    here.pull("1.0", FORMER)
    here.pull("2.0", NEXT)
    return here.root


@pytest.fixture
def apart(tmp_path: Path) -> Path:
    """Return a store with the same two releases, each file for itself."""
    here = host(tmp_path / "store", APART)
    here.pull("1.0", FORMER)
    here.pull("2.0", NEXT)
    return here.root


# --- in a pull --------------------------------------------------------------------------------------------------------


def test_what_a_release_has_already_gets_one_more_name(linked: Path) -> None:
    """A file of the former release, wherever it lies, and a twin in the same release are stored once, and no other."""
    assert inode(linked, "2.0/a.ttl") == inode(linked, "1.0/a.ttl")
    assert inode(linked, "2.0/d/B.ttl") == inode(linked, "1.0/d/b.ttl")
    assert inode(linked, "2.0/n/m.ttl") == inode(linked, "2.0/n/o.ttl")
    assert {(data(linked, "2.0") / name).stat().st_nlink for name in ("e.ttl", "empty.ttl")} == {1}
    Releases(linked).check()
    payload = "SELECT payload->>'shared_files', payload->>'shared_bytes' FROM events WHERE type = 'extract.done'"
    assert query(linked, payload) == [(None, None), ("3", "12")]


def test_nothing_is_shared_where_it_is_off(apart: Path) -> None:
    """Every file has one name and a room of its own."""
    files = [path for version in ("1.0", "2.0") for path in data(apart, version).rglob("*.ttl")]
    assert len({path.stat().st_ino for path in files}) == len(files)


def test_the_default_does_not_even_ask_where_files_cannot_share_their_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without reflinks a pull is what it was: the catalog is not opened once more, and nothing gets a second name."""
    monkeypatch.setattr(extents, "can_clone", lambda folder: False)
    monkeypatch.setattr(ways, "_can_clone", {})
    assert ways.way_of(Store(tmp_path)) == ways.OFF
    monkeypatch.setattr(extents, "can_clone", lambda folder: True)
    monkeypatch.setattr(ways, "_can_clone", {})
    assert ways.way_of(Store(tmp_path)) == ways.REFLINK


def test_a_rotten_original_never_spreads(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Bytes that changed with size and time as they were stay where they are; the new release has the right ones."""
    here = host(tmp_path / "store", LINKED)
    here.pull("1.0", FORMER)
    rewrite(data(here.root, "1.0") / "a.ttl", "ALPHA")
    here.pull("2.0", NEXT)
    assert (data(here.root, "2.0") / "a.ttl").read_text() == "alpha"
    assert inode(here.root, "2.0/d/B.ttl") == inode(here.root, "1.0/d/b.ttl")
    assert "example/sample/1.0/data/a.ttl" in caplog.text
    # the next one finds the good one, which was recorded last
    here.pull("3.0", FORMER)
    assert inode(here.root, "3.0/a.ttl") == inode(here.root, "2.0/a.ttl")


def _link(path: Path, outside: Path) -> None:
    path.unlink()
    path.symlink_to(outside)


def _linked_folder(path: Path, outside: Path) -> None:
    (outside.parent / "folder").mkdir()
    os.link(outside, outside.parent / "folder" / path.name)
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(outside.parent / "folder")


def _pipe(path: Path, outside: Path) -> None:
    del outside
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path, outside: Path) -> None:
    del outside
    path.unlink()
    path.mkdir()


def _other_rights(path: Path, outside: Path) -> None:
    del outside
    path.chmod(0o666)


@pytest.mark.parametrize("strike", [_link, _linked_folder, _pipe, _folder, _other_rights])
def test_what_a_strange_store_has_in_the_place_of_a_file_stays_there(
    tmp_path: Path, strike: Callable[[Path, Path], None]
) -> None:
    """Behind a link, a pipe, a folder or other permissions nothing is taken, and nothing is waited for."""
    here = host(tmp_path / "store", LINKED)
    here.pull("1.0", FORMER)
    outside = tmp_path / "outside"
    outside.write_text("beta")
    strike(data(here.root, "1.0") / "d/b.ttl", outside)
    links = outside.stat().st_nlink
    here.pull("2.0", NEXT)
    mine = (data(here.root, "2.0") / "d/B.ttl").lstat()
    assert (mine.st_nlink, stat.S_IMODE(mine.st_mode) & 0o022, outside.stat().st_nlink) == (1, 0, links)
    share_all(here.root)
    assert (outside.stat().st_nlink, outside.read_text()) == (links, "beta")
    assert (data(here.root, "2.0") / "d/B.ttl").lstat().st_nlink == 1


def test_rows_that_claim_other_contents_give_nothing_away(linked: Path) -> None:
    """A row that says of another file, or of one outside, that it has a content does not put that file in a release."""
    import duckdb

    root = linked
    (root.parent / "secret").write_text("gamma")
    with duckdb.connect(str(root / ".catalog/ontofetch.duckdb")) as connection:
        content = sha256(b"gamma")
        connection.execute("UPDATE extracted_files SET file_id = ?, size_bytes = 5 WHERE relpath = 'a.ttl'", [content])
    here = host(root, LINKED)
    here.pull("3.0", {"c.ttl": "gamma"})
    assert (data(root, "3.0") / "c.ttl").read_text() == "gamma"
    assert (data(root, "3.0") / "c.ttl").stat().st_nlink == 1


@pytest.mark.parametrize("path", ["../../../../secret", "/etc/hostname", "a/../../b", "a//b", "", "nul\0"])
def test_a_path_that_leads_out_is_no_source(linked: Path, path: str) -> None:
    """Whatever a row names: what is not below the root, part by part, is not opened."""
    store = Store(linked, LINKED)
    storer = storing.Storer(store, ways.HARDLINK, store.path("beside"))
    try:
        put = storer.put(path, "example/sample/2.0/data/e.ttl")
    except (ValueError, OSError) as error:
        pytest.fail(repr(error))
    finally:
        storer.close()
    assert put.outcome == storing.Outcome.LEFT


def test_a_file_that_has_all_the_names_it_may_have_gives_way_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system allows no more names (EMLINK), a release keeps its own file, which gets the next ones."""
    link = fsops.link
    here = host(tmp_path / "store", LINKED)
    here.pull("1.0", {"a.ttl": "alpha"})
    full = inode(here.root, "1.0/a.ttl")

    def full_up(source: object, target: object, **folders: int) -> None:
        if Path(str(source)).stat().st_ino == full:
            raise OSError(31, os.strerror(31))
        link(source, target, **folders)  # type: ignore[arg-type]

    monkeypatch.setattr(fsops, "link", full_up)
    here.pull("2.0", {"a.ttl": "alpha"})
    here.pull("3.0", {"a.ttl": "alpha"})
    assert inode(here.root, "2.0/a.ttl") != full
    assert inode(here.root, "3.0/a.ttl") == inode(here.root, "2.0/a.ttl")
    here.check()


def test_pulls_side_by_side_and_removals_between_them_lose_nothing(tmp_path: Path) -> None:
    """Processes that record releases of the same files, while others of them go, leave rows and files that agree."""
    root = tmp_path / "store"
    host(root, LINKED).pull("0.0", FORMER)
    code = """
import sys
from pathlib import Path
from ontofetch_catalog.host.app import main
from tests.releases import Releases
root, name = Path(sys.argv[1]), sys.argv[2]
here = Releases(root, settings={"store_share": "hardlink", "wait": 60.0})
for number in range(3):
    texts = {"a.ttl": "alpha", "d/b.ttl": "beta", f"{name}.ttl": name, "e.ttl": "epsilon"}
    here.pull(f"{name}.{number}", texts)
    if number:
        assert main(["rm", f"example/sample/{name}.{number - 1}", "--yes", "--root", str(root)]) == 0
"""
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(root), name], cwd=CHECKOUT, stderr=subprocess.PIPE)
        for name in "123"
    ]
    for process in started:
        _, err = process.communicate()
        assert process.returncode == 0, err.decode()
    Releases(root).check()
    assert data(root, "0.0").joinpath("a.ttl").stat().st_nlink > 1


def test_a_stage_that_shares_a_file_of_a_release_keeps_nobody_from_removing_it(linked: Path) -> None:
    """What is unpacked and was not published yet has its bytes by its own name; the release may go all the same."""
    from ontofetch_catalog.host.app import main

    here = host(linked, LINKED)
    staged = here.stage_tree({"a.ttl": "alpha"})
    (staged / "a.ttl").unlink()
    os.link(data(linked, "1.0") / "a.ttl", staged / "a.ttl")
    assert main(["rm", "example/sample/1.0", "--yes", "--root", str(linked)]) == 0
    here.download("3.0", b"three")
    here.extract("3.0", b"three", {"a.ttl": "alpha"}, staged=staged)
    here.check()


# --- what may never write through a name ------------------------------------------------------------------------------


def test_a_release_that_is_replaced_or_unpacked_anew_leaves_the_others_alone(linked: Path) -> None:
    """Other bytes under the same version, and another choice of its files, take new rooms."""
    here = host(linked, LINKED)
    before = here.tree("example/sample/1.0/data")
    here.download("2.0", b"other bytes", replace=True)
    here.extract("2.0", b"other bytes", {"a.ttl": "ALPHA"})
    assert here.tree("example/sample/1.0/data") == before
    here.extract("2.0", b"other bytes", {"a.ttl": "alpha"}, include=("a*",))
    assert here.tree("example/sample/1.0/data") == before
    here.check()


def test_a_changed_file_is_told_of_each_release_that_has_it(linked: Path) -> None:
    """A verification of one release is enough for doctor to name every release with a name of the damaged file."""
    from ontofetch_catalog.catalog.doctor.examine import examine

    rewrite(data(linked, "2.0") / "a.ttl", "ALPHA")
    store = Store(linked, LINKED)
    result = verify(
        store,
        Request(scope=Scope(version_id="example/sample/2.0"), workers=1),
        progress=lambda done, total: None,
        tell=lambda outcome: None,
    )
    assert result.findings["path"].to_pylist() == ["example/sample/2.0/data/a.ttl"]
    found = examine(store).findings.to_pylist()
    damaged = {row["subject"] for row in found if row["code"] == "CAT016"}
    assert damaged == {f"example/sample/{version}/data/a.ttl" for version in ("1.0", "2.0")}


def test_a_file_of_several_names_is_read_once(linked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verification judges every row, reads no file twice, and says the bytes of all of them."""
    reads: list[int] = []
    readv = os.readv
    monkeypatch.setattr(os, "readv", lambda descriptor, views: reads.append(readv(descriptor, views)) or reads[-1])
    told: list[int] = []
    seen = hasher.Seen()
    root = os.open(linked, os.O_RDONLY)
    folders = hasher.Folders(root)
    for version in ("1.0", "2.0"):
        path = f"example/sample/{version}/data/a.ttl"
        assert hasher.look(folders, path, sha256(b"alpha"), 5, told.append, seen=seen) is None
    # a change in between is noticed
    rewrite(data(linked, "1.0") / "a.ttl", "ALPHA")
    fault = hasher.look(folders, "example/sample/2.0/data/a.ttl", sha256(b"alpha"), 5, told.append, seen=seen)
    folders.close()
    os.close(root)
    assert fault is not None
    assert (sum(reads), sum(told)) == (10, 15)


def test_what_is_known_of_contents_has_a_bound() -> None:
    """However many files have several names, no more are remembered than there is room for."""
    seen = hasher.Seen()
    seen.add({str(number): [1, 1, 1] for number in range(hasher.MOST_SEEN + 10)})
    assert len(seen.known) == hasher.MOST_SEEN
    assert "9" not in seen.known


def test_a_purge_frees_what_no_other_name_keeps(linked: Path) -> None:
    """Of a file of two names nothing is free once one is gone, and all of it with the other."""
    store = Store(linked, LINKED)
    former, later = (part_entries(store, [f"example/sample/{version}/data"]) for version in ("1.0", "2.0"))
    assert freed_of(store, former) == len("epsilon")
    # the twin of the later release has both of its names there
    assert freed_of(store, later) == len("EPSILON") + len("new")
    assert freed_of(store, [*former, *later]) == len("alpha" + "beta" + "epsilon" + "EPSILON" + "new")


def test_a_new_name_does_not_make_a_release_young() -> None:
    """What keeps a release from being pruned is when its own files were touched, not when another came to have them."""
    day = 86_400 * 10**9
    entry = Entry("s/o/1/data/a", "file", 1, mtime=day, ctime=9 * day, inode=1, device=1, links=2)
    assert _touched_itself(entry) == day
    assert _touched_itself(Entry("s/o/1/data/a", "file", 1, day, 9 * day, 1, 1, links=1)) == 9 * day


# --- what is there already --------------------------------------------------------------------------------------------


def test_db_share_frees_what_it_says(apart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts and batches of a few, what it would free is what it frees in blocks; the repeat finds nothing to do."""
    monkeypatch.setattr(equal_files_on_disk, "PART_ROWS", 3)
    monkeypatch.setattr(equal_files_on_disk, "BATCH_FILES", 2)
    before, used = Releases(apart).tree(), blocks(apart)
    events = query(apart, "SELECT count(*) FROM events")
    would = share_all(apart, dry_run=True)
    assert (Releases(apart).tree(), query(apart, "SELECT count(*) FROM events")) == (before, events)
    done = share_all(apart)
    assert done.total == would.total
    assert (done.total.files, done.total.freed_bytes) == (3, used - blocks(apart))
    assert {path: found[3] for path, found in Releases(apart).tree().items()} == {
        path: found[3] for path, found in before.items()
    }
    assert inode(apart, "2.0/a.ttl") == inode(apart, "1.0/a.ttl")
    again = share_all(apart)
    assert (again.total.files, again.before, again.left_files) == (0, 3, 0)
    Releases(apart).check()


def blocks(root: Path) -> int:
    """Return the bytes on the disk that the releases of a store take."""
    states = [path.lstat() for path in root.rglob("*") if path.is_file() and ".catalog" not in path.parts]
    return sum({state.st_ino: state.st_blocks * 512 for state in states}.values())


def test_db_share_leaves_alone_what_is_damaged_and_names_it(apart: Path) -> None:
    """A file that is not what its row says is neither kept for others nor changed, though it comes first."""
    here = host(apart, APART)
    here.pull("3.0", FORMER)
    rewrite(data(apart, "1.0") / "a.ttl", "ALPHA")
    (data(apart, "3.0") / "d/b.ttl").unlink()
    done = share_all(apart)
    assert [path for path, _, _ in done.damaged] == ["example/sample/1.0/data/a.ttl"]
    assert done.left is not None
    assert done.left[0] == "example/sample/3.0/data/d/b.ttl"
    assert (data(apart, "1.0") / "a.ttl").read_text() == "ALPHA"
    assert inode(apart, "3.0/a.ttl") == inode(apart, "2.0/a.ttl") != inode(apart, "1.0/a.ttl")


def test_an_artifact_stays_apart_from_what_came_out_of_it(tmp_path: Path) -> None:
    """A plain file is unpacked as a copy of its artifact, which it comes back from: no name leads to both."""
    here = host(tmp_path / "store", LINKED)
    for version in ("1.0", "2.0"):
        here.download(version, b"alpha", artifact="a.ttl")
        here.extract(version, b"alpha", {"a.ttl": "alpha"}, artifact="a.ttl")
    share_all(here.root)
    rooms = [
        {(here.root / f"example/sample/{version}/{folder}/a.ttl").stat().st_ino for version in ("1.0", "2.0")}
        for folder in ("src", "data")
    ]
    assert [len(room) for room in rooms] == [1, 1]
    assert rooms[0] != rooms[1]


def test_files_of_another_program_never_get_a_second_name() -> None:
    """What was imported where it lies may be written by its own program: only rooms that split then are shared."""
    assert "docstokg-tree" in {name for name, _, _ in ways.usable_layouts(ways.REFLINK)}
    assert "docstokg-tree" not in {name for name, _, _ in ways.usable_layouts(ways.HARDLINK)}


def test_many_releases_of_the_same_files(tmp_path: Path) -> None:
    """Releases that share nine files of ten take little more than what differs."""
    here = host(tmp_path / "store", LINKED)
    common = {f"d/{number}.ttl": f"common {number} " * 2_000 for number in range(18)}
    for version in range(6):
        here.pull(
            f"1.{version}", {**common, **{f"o/{number}.ttl": f"{version} {number} " * 2_000 for number in (1, 2)}}
        )
    files = [path for path in here.root.rglob("*.ttl") if path.is_file()]
    distinct = {path.read_bytes(): path.stat().st_blocks * 512 for path in files}
    rooms = {path.stat().st_ino: path.stat().st_blocks * 512 for path in files}
    assert sum(rooms.values()) <= 1.05 * sum(distinct.values())


# --- where files can share their room ---------------------------------------------------------------------------------


@pytest.fixture(params=["here", *KINDS])
def cloning(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Give a folder where files can share their room and stay files of their own."""
    with cloning_folder(tmp_path, request.param) as folder:
        if folder is None:
            pytest.skip(f"no reflinks: {request.param}")
        ways._can_clone.clear()
        yield folder


def places(path: Path) -> tuple[tuple[int, int, int], ...]:
    """Return where a file lies on the disk."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        found = extents.extents_of(stream.fileno())
    assert found is not None
    return found.places


BIG = {name: text * 5_000 for name, text in FORMER.items()}
BIGGER = {name: text * 5_000 for name, text in NEXT.items()}


def test_releases_share_their_room_and_stay_files_of_their_own(cloning: Path) -> None:
    """By default equal files lie in the same place of the disk; a change of one is no change of the other."""
    here = Releases(cloning / "store", settings={})
    here.pull("1.0", BIG)
    here.pull("2.0", BIGGER)
    first, second = (data(here.root, version) / "a.ttl" for version in ("1.0", "2.0"))
    assert places(first) == places(second)
    assert (first.stat().st_nlink, first.stat().st_ino == second.stat().st_ino) == (1, False)
    assert first.stat().st_mtime_ns == second.stat().st_mtime_ns
    store = Store(here.root)
    # what both have is free with the last of them: neither frees it alone
    assert freed_of(store, part_entries(store, ["example/sample/1.0/data"])) == len(BIG["e.ttl"])
    second.write_text("changed")
    assert first.read_text() == BIG["a.ttl"]


def test_db_share_lets_what_is_there_share_its_room(cloning: Path) -> None:
    """Files stay what they are, with their inode and times; the repeat finds them shared; one that is rotten stays."""
    here = host(cloning / "store", APART)
    here.pull("1.0", BIG)
    here.pull("2.0", BIGGER)
    here.pull("3.0", BIG)
    rotten = data(here.root, "1.0") / "e.ttl"
    rewrite(rotten, BIG["e.ttl"].upper())
    os.sync()
    before = here.tree()
    done = share_all(here.root, by=ways.REFLINK)
    assert here.tree() == before
    assert [path for path, _, _ in done.damaged] == ["example/sample/1.0/data/e.ttl"]
    assert places(data(here.root, "1.0") / "a.ttl") == places(data(here.root, "3.0") / "a.ttl")
    # two more of a.ttl and of b.ttl, the twin of the second release, and the artifact of the third
    assert done.total.files == 6
    least = 2 * len(BIG["a.ttl"]) + 2 * len(BIG["d/b.ttl"]) + len(BIGGER["n/m.ttl"]) + len(json.dumps(BIG))
    assert least <= done.total.freed_bytes <= least + 6 * 4096
    again = share_all(here.root, by=ways.REFLINK)
    assert (again.total.files, again.before) == (0, 6)
    (event,) = query(here.root, "SELECT payload FROM events WHERE type = 'share.done'")
    assert json.loads(event[0])["freed_bytes"] == done.total.freed_bytes

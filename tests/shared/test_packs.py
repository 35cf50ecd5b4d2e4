"""Many small contents share objects: few requests there and back, every content held to its SHA-256 both ways."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from ontofetch_catalog.catalog.shared.fetching import GAP, fetch, runs
from ontofetch_catalog.catalog.shared.object_store import PIECE, ObjectStore
from ontofetch_catalog.catalog.shared.objects import open_objects
from ontofetch_catalog.catalog.shared.packs import LIMIT, SIZE, Content, Packer, Parcel, Place, put_parcels
from ontofetch_catalog.errors import EventError, ObjectDamaged, ObjectMissing, ObjectsRefused
from ontofetch_hookspecs.store_paths import StorePath

from .proxies import HttpProxy
from .s3 import S3Server

BOUNDARY = "b" * 32


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def planned(*sizes: int) -> Iterator[Content]:
    """Yield contents that differ, with these sizes, of which nothing is read."""
    for number, size in enumerate(sizes):
        yield Content(Path("/nowhere"), f"{number:064x}", size)


def written(folder: Path, contents: Iterable[bytes]) -> list[Content]:
    """Write contents to files and return what is to be put."""
    folder.mkdir(exist_ok=True)
    found = []
    for number, data in enumerate(contents):
        path = folder / str(number)
        path.write_bytes(data)
        found.append(Content(path, sha256(data), len(data)))
    return found


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """Return an empty store of objects, in a folder."""
    found = open_objects((tmp_path / "objects").as_uri(), options={"durability": "off"})
    found.prepare()
    return found


def put(objects: ObjectStore, contents: Iterable[Content], **sizes: int) -> list[Place]:
    """Put contents and return where they are."""
    parcels = list(Packer(BOUNDARY, **sizes).parcels(contents))
    put_parcels(objects, parcels)
    return [place for parcel in parcels for place in parcel.places()]


def fetched(objects: ObjectStore, places: Iterable[Place], *, jobs: int = 4) -> dict[str, bytes]:
    """Return the bytes of contents by their SHA-256."""
    found: dict[str, bytes] = {}
    fetch(objects, places, lambda place, chunks: found.__setitem__(place.sha256, b"".join(chunks)), jobs=jobs)
    return found


def test_what_is_put_comes_back(objects: ObjectStore, tmp_path: Path) -> None:
    """Large ones, small ones, an empty one, the same twice; each once, in as many objects as it takes."""
    data = [b"a", b"", os.urandom(LIMIT), os.urandom(LIMIT + 1), b"a", os.urandom(PIECE + 5), b"b" * 100]
    places = put(objects, written(tmp_path / "files", data))
    assert len(places) == len(set(data))
    assert fetched(objects, places) == {sha256(one): one for one in data}
    keys = {place.key for place in places}
    assert sorted(key.partition("/")[0] for key in keys if key.startswith("pack/")) == ["pack"]
    assert {item.key for item in objects.list()} == keys


def test_a_plan_is_the_same_each_time_and_differs_by_boundary() -> None:
    """A boundary that is put again after a kill asks for the same keys; another boundary never does."""
    sizes = [5, LIMIT, LIMIT + 1, 0, 7] * 10
    first, again = (list(Packer(BOUNDARY).parcels(planned(*sizes))) for _ in range(2))
    assert first == again
    other = Packer("c" * 32).parcels(planned(*sizes))
    assert {parcel.key for parcel in first}.isdisjoint(parcel.key for parcel in other)


@pytest.mark.parametrize(
    ("sizes", "packs"),
    [((), []), ((3,), [1]), ((0,), [1]), ((4, 4), [2]), ((4, 4, 3), [2, 1]), ((10, 10), [1, 1]), ((4, 11, 4), [1, 2])],
)
def test_packs_are_full_and_not_fuller(sizes: tuple[int, ...], packs: list[int]) -> None:
    """Contents up to the limit fill packs of a size; what is alone or larger has an object of its own, by its hash."""
    parcels = list(Packer(BOUNDARY, limit=10, size=10).parcels(planned(*sizes)))
    assert [len(parcel.contents) for parcel in parcels] == packs
    for parcel in parcels:
        assert parcel.size == sum(content.size for content in parcel.contents)
        own = f"{parcel.contents[0].sha256}.{BOUNDARY}"
        assert (parcel.key == own) == (len(parcel.contents) == 1)
    assert [place for parcel in parcels for place in parcel.places() if place.offset < 0] == []


@pytest.mark.parametrize("boundary", ["", "b" * 31, "B" * 32, "../" + "b" * 29, "b" * 32 + "\n"])
def test_a_boundary_that_is_none_is_refused(boundary: str) -> None:
    """It becomes part of keys."""
    with pytest.raises(ObjectsRefused):
        Packer(boundary)


@pytest.mark.parametrize("content", [("x" * 64, 1), ("a" * 63, 1), ("a" * 64, -1), ("../a", 1)])
def test_a_content_that_is_none_is_refused(content: tuple[str, int]) -> None:
    """Before anything is put."""
    with pytest.raises(ObjectsRefused):
        list(Packer(BOUNDARY).parcels([Content(Path("/nowhere"), *content)]))


def test_50_000_small_files_are_a_few_requests(
    s3_server: S3Server, s3_line: HttpProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request for each pack there, one for each piece back."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    options = {"endpoint": s3_line.endpoint, "access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
    objects = open_objects(f"s3://{s3_server.new_bucket()}/x", options=options)
    # bytes of one file stand for all: what is counted is requests
    data = [number.to_bytes(4, "big") * 75 for number in range(50_000)]
    path = tmp_path / "some"
    path.write_bytes(b"")
    parcels = list(Packer(BOUNDARY).parcels(Content(path, sha256(one), len(one)) for one in data))
    (parcel,) = parcels
    whole = b"".join(data)
    objects.put(parcel.key, (whole,), sha256=sha256(whole), size=len(whole))
    found = fetched(objects, parcel.places(), jobs=2)
    assert len(found) == 50_000
    assert s3_line.count("^PUT") == 1
    assert s3_line.count("^GET") == -(-len(whole) // PIECE)
    assert s3_line.count() == 1 + s3_line.count("^GET")
    assert parcel.size <= SIZE


def test_a_file_that_changed_is_not_put(objects: ObjectStore, tmp_path: Path) -> None:
    """Longer, shorter, other bytes, or gone: it is named, and its pack is not there."""
    for number, act in enumerate((b"longer than that", b"sho", b"shorf", b"", None)):
        contents = written(tmp_path / str(number), [b"other", b"short"])
        path = contents[1].path
        assert isinstance(path, Path)
        path.unlink()
        if act is not None:
            path.write_bytes(act)
        with pytest.raises(ObjectsRefused, match=f"The file '{path}'"):
            put(objects, contents)
    assert list(objects.list()) == []


def test_contents_of_a_store_are_read_through_no_link(objects: ObjectStore, tmp_path: Path) -> None:
    """Their paths are texts below its root; one that leads elsewhere, or through a link, is refused and named."""
    store = StorePath(tmp_path, "")
    found = [
        content._replace(path=f"d/{number}") for number, content in enumerate(written(tmp_path / "d", [b"a", b"b"]))
    ]
    parcels = list(Packer(BOUNDARY).parcels(found))
    put_parcels(objects, parcels, store=store)
    assert fetched(objects, parcels[0].places()) == {sha256(one): one for one in (b"a", b"b")}
    (tmp_path / "link").symlink_to(tmp_path / "d")
    (tmp_path / "d/link").symlink_to(tmp_path / "d/1")
    for path in ("link/1", "d/link", "d/../d/1", "d", "d/gone"):
        parcels = list(Packer("c" * 32).parcels([found[0], found[1]._replace(path=path)]))
        with pytest.raises((ObjectsRefused, EventError), match=re.escape(path)):
            put_parcels(objects, parcels, store=store)
    with pytest.raises(ObjectsRefused, match="in no store"):
        put_parcels(objects, parcels)


def test_what_is_put_first_is_put_although_a_later_one_fails(objects: ObjectStore, tmp_path: Path) -> None:
    """An error ends the others; putting all of it again is fine."""
    contents = written(tmp_path / "files", [os.urandom(100) for _ in range(20)])
    path = contents[15].path
    assert isinstance(path, Path)
    kept = path.read_bytes()
    path.write_bytes(b"other")
    with pytest.raises(ObjectDamaged):
        put(objects, contents, limit=10)
    path.write_bytes(kept)
    assert len(put(objects, contents, limit=10)) == 20
    assert len(list(objects.list())) == 20


@pytest.mark.parametrize("size", [10, PIECE + 10])
def test_damaged_bytes_are_never_handed_over_whole(objects: ObjectStore, tmp_path: Path, size: int) -> None:
    """Of a content that is damaged anywhere nobody gets all; its neighbours are sound."""
    sound, other = os.urandom(size), os.urandom(size)
    (place,) = put(objects, written(tmp_path / "files", [sound]))
    (target,) = (tmp_path / "objects").rglob(place.key)
    for position in (0, size // 2, size - 1):
        damaged = bytearray(sound)
        damaged[position] ^= 1
        target.write_bytes(damaged)
        got: list[bytes] = []
        with pytest.raises(ObjectDamaged, match=place.sha256):
            fetch(objects, [place], lambda _, chunks, got=got: got.extend(map(bytes, chunks)))  # type: ignore[misc]
        assert sum(map(len, got)) < size
    assert sha256(other) != place.sha256


def test_an_object_that_is_gone_or_cut_is_said(objects: ObjectStore, tmp_path: Path) -> None:
    """Each is an error of its own, at any size."""
    places = put(objects, written(tmp_path / "files", [b"one", b"two", os.urandom(PIECE + 1)]))
    for place in {place.key: place for place in places}.values():
        (target,) = (tmp_path / "objects").rglob(place.key.rpartition("/")[2])
        os.truncate(target, 2)
        with pytest.raises(ObjectDamaged):
            fetched(objects, [one for one in places if one.key == place.key])
        target.unlink()
        with pytest.raises(ObjectMissing):
            fetched(objects, [place])


HOSTILE = [
    Place("a" * 64, 5, "../x", 0),
    Place("a" * 64, -5, "a" * 64, 0),
    Place("a" * 64, 5, "a" * 64, -1),
    Place("../x", 5, "a" * 64, 0),
    Place(f"{'a' * 64}.{'b' * 32}", 5, "a" * 64, 0),
]


@pytest.mark.parametrize("place", HOSTILE)
def test_places_of_strangers_are_refused(objects: ObjectStore, place: Place) -> None:
    """Rows may name any key, any offset, any size: nothing is asked for, nothing is handed over."""
    with pytest.raises(ObjectsRefused, match=r"^No content is at|is no key of an object"):
        fetch(objects, [place], lambda *_: pytest.fail("handed over"))


def test_places_that_overlap_or_are_enormous_take_no_memory(objects: ObjectStore, tmp_path: Path) -> None:
    """A million places on the same bytes, or one of a petabyte, are asked for by pieces, and refused by the hash."""
    (place,) = put(objects, written(tmp_path / "files", [b"some bytes"]))
    enormous = place._replace(size=1 << 50)
    with pytest.raises(ObjectDamaged):
        fetched(objects, [enormous])
    overlapping = [place._replace(offset=offset, size=PIECE) for offset in range(10)]
    assert max(run[-1].offset + run[-1].size - run[0].offset for run in runs(overlapping)) <= PIECE
    with pytest.raises(ObjectDamaged):
        fetched(objects, overlapping)


def test_neighbours_share_a_request_up_to_a_size() -> None:
    """What lies near in one object is asked for together, not across a gap, nor another object, nor beyond a piece."""
    key, other = "a" * 64, "b" * 64

    def place(offset: int, size: int, key: str = key) -> Place:
        return Place(key, size, key, offset)

    near = [place(0, 10), place(10, 10), place(20 + GAP, 10)]
    assert list(runs(reversed(near))) == [near]
    assert len(list(runs([place(0, 10), place(11 + GAP, 10)]))) == 2
    assert len(list(runs([place(0, 10), place(10, 10, other)]))) == 2
    assert len(list(runs([place(0, PIECE), place(PIECE, 1)]))) == 2
    assert [len(run) for run in runs([place(0, PIECE + 1), place(1, 1), place(2, 1)])] == [1, 2]


def test_many_threads_bring_and_one_error_ends_them(objects: ObjectStore, tmp_path: Path) -> None:
    """The error of whoever writes is what is raised, and nobody writes long after that."""
    places = put(objects, written(tmp_path / "files", [os.urandom(50) for _ in range(200)]), limit=10)
    threads = set()

    def write(place: Place, _: object) -> None:
        threads.add(threading.get_ident())
        if place == places[100]:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        fetch(objects, places, write, jobs=3)
    assert 1 <= len(threads) <= 3


def test_parcels_are_read_as_they_are_needed(objects: ObjectStore, tmp_path: Path) -> None:
    """A release of any size is put with a few packs in memory."""
    contents = written(tmp_path / "files", [os.urandom(20) for _ in range(60)])
    done = 0
    ahead = []

    def parcels() -> Iterator[Parcel]:
        for number, parcel in enumerate(Packer(BOUNDARY, limit=10).parcels(contents)):
            ahead.append(number - done)
            yield parcel

    def count(_: Parcel) -> None:
        nonlocal done
        done += 1

    put_parcels(objects, parcels(), jobs=2, done=count)
    assert done == 60
    assert max(ahead) <= 5

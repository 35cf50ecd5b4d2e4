"""Objects in a folder that several machines see: its mark, permissions and links, and what a file system refuses."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.shared.folder import MARK
from ontofetch_catalog.catalog.shared.object_store import ObjectStore
from ontofetch_catalog.catalog.shared.objects import open_objects
from ontofetch_catalog.errors import ObjectsRefused, ObjectsUnavailable

from .test_objects import PACK, put, read


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """Return an empty store of objects."""
    found = open_objects((tmp_path / "objects").as_uri(), options={})
    found.prepare()
    return found


def test_a_folder_that_is_not_mounted_is_no_empty_store(objects: ObjectStore, tmp_path: Path) -> None:
    """In the empty folder of a mount nothing is put, listed, deleted or missing: it is said that it isn't the one."""
    (tmp_path / "objects").rename(tmp_path / "away")
    for there in (False, True):
        if there:
            (tmp_path / "objects").mkdir()
        for act in (
            lambda: put(objects, b"x"),
            lambda: list(objects.list()),
            lambda: objects.stat(PACK),
            lambda: list(objects.get(PACK, 0, 1)),
            lambda: objects.delete([PACK]),
            lambda: objects.sweep(0),
        ):
            with pytest.raises(ObjectsUnavailable, match="Is it mounted"):
                act()
    assert os.listdir(tmp_path / "objects") == []


@pytest.mark.parametrize("mode", ["700", "770", "2770"])
def test_who_may_enter_may_put(tmp_path: Path, mode: str) -> None:
    """The folder has the permissions of a store, and so have those below it, whatever the umask is."""
    before = os.umask(0o077)
    try:
        objects = open_objects((tmp_path / "a/objects").as_uri(), options={"store_mode": mode})
        objects.prepare()
        (tmp_path / "a/objects").chmod(int(mode, 8))
        put(objects, b"x")
        put(objects, b"x", PACK)
    finally:
        os.umask(before)
    folders = [Path(folder) for folder, _, _ in os.walk(tmp_path / "a/objects")]
    assert len(folders) == 5
    below = {stat.S_IMODE(folder.stat().st_mode) for folder in folders if folder.name != "tmp"}
    assert below == {int(mode, 8)}


@pytest.mark.parametrize("place", ["file", "folder"])
def test_no_link_leads_elsewhere(objects: ObjectStore, tmp_path: Path, place: str) -> None:
    """A link in the place of an object, or of a folder of them, is neither read nor written through."""
    key = put(objects, b"x")
    target = tmp_path / "objects" / key[:2] / key
    if place == "file":
        (tmp_path / "elsewhere").write_bytes(b"y")
        target.unlink()
        target.symlink_to(tmp_path / "elsewhere")
    else:
        target.parent.rename(tmp_path / "elsewhere")
        target.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ObjectsRefused):
        list(objects.get(key, 0, 1))
    with pytest.raises(ObjectsRefused):
        put(objects, b"x")
    assert [item.key for item in objects.list()] == []
    assert not (tmp_path / "objects/tmp").is_symlink()
    assert os.listdir(tmp_path / "objects/tmp") == []


def test_what_strangers_put_there_is_no_object(objects: ObjectStore, tmp_path: Path) -> None:
    """Files, folders, links and pipes of any name are not listed, and nothing waits for them."""
    top = tmp_path / "objects"
    key = put(objects, b"x")
    for name in ("readme", "ab", "zz", "pack"):
        (top / name).mkdir(exist_ok=True)
        (top / name / "a file\x1b[2J").write_text("x")
    (top / "ab" / ("ab" + "c" * 62)).mkdir()
    (top / "ab" / ("ab" + "d" * 62)).symlink_to("/etc/passwd")
    os.mkfifo(top / "ab" / ("ab" + "e" * 62))
    assert [item.key for item in objects.list()] == [key]
    for kind in "cde":
        assert objects.stat("ab" + kind * 62) is None
    with pytest.raises(ObjectsRefused):
        list(objects.get("ab" + "e" * 62, 0, 1))


def test_it_is_prepared_by_several_and_again(tmp_path: Path) -> None:
    """The mark is written once; what is there stays."""
    stores = [open_objects((tmp_path / "objects").as_uri(), options={}) for _ in range(2)]
    for objects in (*stores, *stores):
        objects.prepare()
    assert sorted(os.listdir(tmp_path / "objects")) == [MARK, "tmp"]
    key = put(stores[0], b"x")
    assert read(stores[1], key) == b"x"


def test_a_name_with_blanks_and_letters_is_one(tmp_path: Path) -> None:
    """An address is written as addresses are."""
    folder = tmp_path / "Größe 100%"
    objects = open_objects(folder.as_uri(), options={})
    objects.prepare()
    assert (folder / MARK).is_file()


def test_bytes_are_durable_before_their_name_is(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut at any time leaves the whole object or none: file, name, folder, in this order."""
    calls = []
    for name in ("write", "sync_file", "link", "sync_folder", "unlink"):
        real = getattr(fsops, name)
        monkeypatch.setattr(fsops, name, lambda *words, name=name, real=real: (calls.append(name), real(*words))[1])
    put(objects, b"x")
    assert calls == ["sync_folder", "write", "sync_file", "link", "unlink", "sync_folder"]


@pytest.mark.parametrize(
    ("name", "code", "kind"),
    [
        ("write", 28, ObjectsUnavailable),
        ("sync_file", 5, ObjectsUnavailable),
        ("link", 116, ObjectsUnavailable),
        ("link", 1, ObjectsRefused),
        ("create_file", 30, ObjectsRefused),
        ("make_folder", 13, ObjectsRefused),
    ],
)
def test_what_the_system_refuses_is_a_sentence(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, name: str, code: int, kind: type[Exception]
) -> None:
    """A full disk, a stale mount, one without hard links: it says so, and nothing is there afterwards."""

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(fsops, name, fail)
        with pytest.raises(kind, match="hard links" if (name, code) == ("link", 1) else os.strerror(code)):
            put(objects, b"x")
    assert list(objects.list()) == []
    assert objects.sweep(-10) == 0
    put(objects, b"x")

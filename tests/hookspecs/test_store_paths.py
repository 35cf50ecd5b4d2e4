"""The one way to open what lies below a root: no link, no wait, no way out, a bounded size."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_hookspecs import EventError, beneath
from ontofetch_hookspecs.beneath import open_beneath
from ontofetch_hookspecs.json_documents import parse_json
from ontofetch_hookspecs.store_paths import StorePath, below_root, make_root

WAYS = pytest.mark.parametrize("way", ["as the system can", "part by part"])


@pytest.fixture
def root(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a root with a file in it, beside a file outside; `way` says how paths are opened."""
    if request.node.callspec.params.get("way") == "part by part":
        monkeypatch.setattr(beneath, "_openat2", lambda: None)
    (tmp_path / "root/a/b").mkdir(parents=True)
    (tmp_path / "root/a/b/file").write_text("inside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("outside")
    return tmp_path / "root"


@WAYS
def test_a_file_is_read_and_looked_at(root: Path, way: str) -> None:
    """What is there is there, by whichever call of the system."""
    path = StorePath(root, "a/b/file")
    assert path.read_bytes() == b"inside"
    assert (path.is_file(), path.is_dir(), path.exists()) == (True, False, True)
    assert (path.parent.is_dir(), path.parent.names(), path.name) == (True, ["file"], "file")
    assert str(path) == f"{root}/a/b/file"
    assert below_root(root, root / "a/b/file") == path


@WAYS
@pytest.mark.parametrize("place", ["a", "a/b", "a/b/file"])
def test_no_part_may_be_a_link(root: Path, way: str, place: str) -> None:
    """A link in any place of the way is not followed, wherever it leads: nothing is there for whoever asks."""
    target = root.parent / "elsewhere"
    (root / place).rename(target)
    (root / place).symlink_to(target)
    path = StorePath(root, "a/b/file")
    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        path.open_file()
    assert path.is_file() is False
    with pytest.raises(OSError, match=r"symbolic links|Not a directory|exists"):
        (path if place.endswith("file") else path.with_name("new")).create_file()
    assert list(target.parent.glob("**/new")) == []


@WAYS
@pytest.mark.parametrize(
    "relpath", ["..", "../outside/file", "a/../../outside/file", "/etc/hostname", "a//b", "a/.", "a\0"]
)
def test_no_path_leads_out(root: Path, way: str, relpath: str) -> None:
    """A path that could is refused before anything is opened, and by the call itself as well."""
    with pytest.raises(EventError, match="would lead out of the store"):
        StorePath(root, relpath)
    top = os.open(root, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="lead out"):
            open_beneath(top, relpath, os.O_RDONLY)
    finally:
        os.close(top)


@WAYS
def test_nothing_but_a_regular_file_is_opened_as_one(root: Path, way: str) -> None:
    """Pipes, sockets, devices and folders are an error at once."""
    os.mkfifo(root / "a/pipe")
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(root / "a")
    try:
        # the name of a socket has 108 bytes at most
        server.bind("socket")
    finally:
        os.chdir(here)
    for name in ("a/pipe", "a/socket", "a/b"):
        with pytest.raises(OSError, match=r"regular|No such device|directory"):
            StorePath(root, name).open_file()
    server.close()


@pytest.mark.parametrize("target", ["file", "link", "pipe"])
def test_what_is_there_is_never_written_over(tmp_path: Path, target: str) -> None:
    """A new file is made only where nothing is."""
    victim = tmp_path / "victim"
    path = tmp_path / "place"
    if target == "file":
        path.write_text("keep")
    elif target == "link":
        path.symlink_to(victim)
    else:
        os.mkfifo(path)
    with pytest.raises(FileExistsError):
        StorePath(tmp_path, "place").create_file()
    assert not victim.exists()


DOCUMENTS: dict[str, Callable[[], bytes]] = {
    "lists": lambda: b"[" * 1_000_000,
    "objects": lambda: b'{"a":' * 1_000_000,
    "closed": lambda: b"[" * 200 + b"]" * 200,
    "behind text": lambda: b'["[[[[", ' + b"[" * 200 + b"]" * 200 + b"]",
    # looked for from each of its quotes, its end would never be found
    "a text without an end": lambda: b"[]," * 200 + b'"' + b'\\"' * 2_000_000,
    "a text that ends in the middle of an escape": lambda: b"[]," * 200 + b'"\\' * 2_000_001,
    "many objects": lambda: b"[" + b"{}," * 3_000_000 + b"{}]",
    "many numbers": lambda: b"[" + b"1," * 3_000_000 + b"1]",
    "a long number": lambda: b"9" * 5000,
    "NaN": lambda: b'{"a": NaN}',
    "infinity": lambda: b"[-Infinity]",
    "no text": lambda: b"\xff\xfe\x00",
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_is_an_error_at_once(name: str) -> None:
    """Depth, number of values, numbers without an end and what is no JSON are a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        parse_json(DOCUMENTS[name]())


def test_brackets_in_texts_are_no_depth() -> None:
    """What stands in quotes, escaped quotes too, nests nothing."""
    text = '{"a": "' + "[{" * 500 + '\\"' + "[" * 500 + '", "b": [[1]]}'
    assert parse_json(text) == {"a": "[{" * 500 + '"' + "[" * 500, "b": [[1]]}


def test_a_document_has_a_largest_size(tmp_path: Path) -> None:
    """A file that takes no space may say it has a terabyte; one byte more than allowed is read of it."""
    (tmp_path / "hole").write_text("{")
    os.truncate(tmp_path / "hole", 10**12)
    with pytest.raises(OSError, match="larger than 67,108,864 bytes"):
        StorePath(tmp_path, "hole").read_json()


@pytest.mark.parametrize("name", ["name", "dot.", "...", " ", "a\\b"])
@pytest.mark.parametrize("folder", ["", "folder", "deep/folder"])
def test_a_path_made_quickly_is_the_same(tmp_path: Path, folder: str, name: str) -> None:
    """It leads to the same place, and what it writes is as durable."""
    for durable in (True, False):
        place = StorePath(tmp_path, folder, durable=durable)
        made = place.child(name)
        assert (made, made.durable) == (place / name, durable)


@pytest.mark.parametrize("name", ["", ".", "..", "a/../b", "/a", "a//b", "a\0"])
def test_a_path_made_quickly_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    """What `/` refuses is refused."""
    with pytest.raises(EventError):
        StorePath(tmp_path, "folder").child(name)


def test_open_takes_no_path_of_a_store(tmp_path: Path) -> None:
    """It is no os.PathLike, so that nobody opens it by its name by accident."""
    path = StorePath(tmp_path, "a")
    with pytest.raises(TypeError):
        open(path)  # type: ignore[call-overload]  # noqa: SIM115
    with pytest.raises(TypeError):
        Path(path)  # type: ignore[arg-type]


def test_a_new_root_is_closed_to_others(tmp_path: Path) -> None:
    """Others can't look into a store that is new; one that is there keeps what it has."""
    assert make_root(tmp_path / "deep/store")
    assert stat.S_IMODE((tmp_path / "deep/store").stat().st_mode) == 0o700
    os.chmod(tmp_path / "deep/store", 0o755)
    assert not make_root(tmp_path / "deep/store")
    assert stat.S_IMODE((tmp_path / "deep/store").stat().st_mode) == 0o755

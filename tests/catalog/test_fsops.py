"""The seam itself: what is made of its primitives keeps its word for contents of any size."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import sys
import threading
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.fsops import whole


@pytest.mark.parametrize("sizes", [(), (0,), (10,), (fsops.CHUNK, 7, 3 * fsops.CHUNK), (fsops.CHUNK - 1,)])
def test_a_new_file_has_the_hash_that_is_told(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    """Small chunks and those that are hashed beside the write end up in order in file and hash."""
    chunks = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    told = whole.write_new(tmp_path / "new", chunks)
    content = b"".join(chunks)
    assert (tmp_path / "new").read_bytes() == content
    assert told == (hashlib.sha256(content).hexdigest(), len(content))


def test_a_large_chunk_that_cannot_be_written_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the write arrives as it is, and what was begun goes."""

    def full(descriptor: int, data: bytes | memoryview) -> None:
        del descriptor, data
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(fsops, "write", full)
    with pytest.raises(OSError, match="no space"):
        whole.write_new(tmp_path / "new", [bytes(2 * fsops.CHUNK)])
    assert list(tmp_path.iterdir()) == []


def test_a_hash_that_fails_beside_the_write_is_no_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the thread that hashes arrives: nobody records the hash of half a file."""

    class Failing:
        def update(self, data: bytes | memoryview) -> None:
            del data
            raise MemoryError

    monkeypatch.setattr(hashlib, "sha256", Failing)
    with pytest.raises(MemoryError):
        whole.write_new(tmp_path / "new", [bytes(2 * fsops.CHUNK)])
    assert list(tmp_path.iterdir()) == []


def test_one_thread_hashes_all_large_chunks_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of many large chunks starts a thread, not one for each; a small one starts none."""
    started: list[str] = []
    start = threading.Thread.start

    def counting(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", counting)
    whole.write_new(tmp_path / "small", [b"small"] * 3)
    assert started == []
    whole.write_new(tmp_path / "large", [bytes(fsops.CHUNK)] * 5)
    assert len(started) == 1


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Play macOS: return what is asked of the drive, by the kind of what is synced."""
    asked: list[str] = []

    def note(descriptor: int, how: str) -> None:
        asked.append(f"{how} {'folder' if os.path.isdir(f'/dev/fd/{descriptor}') else 'file'}")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda descriptor, command: note(descriptor, {51: "full"}[command]))
    monkeypatch.setattr(os, "fsync", lambda descriptor: note(descriptor, "plain"))
    return asked


def test_on_macos_files_and_folders_reach_the_drive(tmp_path: Path, drive: list[str]) -> None:
    """There fsync stops at the drive's cache: a name in a folder is as easily lost as the bytes of a file."""
    whole.write_file(tmp_path / "new", b"content")
    assert drive == ["full file", "full folder"]


@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_a_file_system_that_knows_no_full_sync_gets_a_plain_one(
    tmp_path: Path, drive: list[str], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A volume of a network refuses F_FULLFSYNC without having done anything."""
    monkeypatch.setattr(fcntl, "fcntl", lambda *_: _raise(code))
    fsops.sync_folder(tmp_path)
    assert drive == ["plain folder"]


def test_a_full_sync_that_failed_is_not_tried_in_another_way(
    tmp_path: Path, drive: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an error of the disk a plain fsync would say that all is well."""
    monkeypatch.setattr(fcntl, "fcntl", lambda *_: _raise(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        fsops.sync_folder(tmp_path)
    assert drive == []


def _raise(code: int) -> None:
    raise OSError(code, os.strerror(code))

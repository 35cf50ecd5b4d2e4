"""The seam itself: what is made of its primitives keeps its word for contents of any size."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import effects


@pytest.mark.parametrize("sizes", [(), (0,), (10,), (effects.CHUNK, 7, 3 * effects.CHUNK), (effects.CHUNK - 1,)])
def test_a_new_file_has_the_hash_that_is_told(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    """Small chunks and those that are hashed beside the write end up in order in file and hash."""
    chunks = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    told = effects.write_new(tmp_path / "new", chunks)
    content = b"".join(chunks)
    assert (tmp_path / "new").read_bytes() == content
    assert told == (hashlib.sha256(content).hexdigest(), len(content))


def test_a_large_chunk_that_cannot_be_written_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the write arrives as it is, and what was begun goes."""

    def full(descriptor: int, data: bytes | memoryview) -> None:
        del descriptor, data
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(effects, "write", full)
    with pytest.raises(OSError, match="no space"):
        effects.write_new(tmp_path / "new", [bytes(2 * effects.CHUNK)])
    assert list(tmp_path.iterdir()) == []


def test_a_hash_that_fails_beside_the_write_is_no_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the thread that hashes arrives: nobody records the hash of half a file."""

    class Failing:
        def update(self, data: bytes | memoryview) -> None:
            del data
            raise MemoryError

    monkeypatch.setattr(hashlib, "sha256", Failing)
    with pytest.raises(MemoryError):
        effects.write_new(tmp_path / "new", [bytes(2 * effects.CHUNK)])
    assert list(tmp_path.iterdir()) == []

"""Where a backup is written to: a folder, or one compressed archive; under another name until it is whole.

What is written is not known here.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Protocol

from .. import fsops
from ..fsops import whole

if TYPE_CHECKING:
    import zstandard

ARCHIVE = ".tar.zst"


class Target(Protocol):
    """Takes the files of a backup one after the other."""

    def add(self, path: str, stream: IO[bytes], size: int, modified_ns: int) -> tuple[str, int]:
        """Copy a file of `size` bytes; return sha256 in hex and size in bytes of what was copied."""

    def finish(self) -> None:
        """Make everything durable."""


@contextmanager
def open_target(path: fsops.Anywhere, unique: str) -> Iterator[Target]:
    """Give a target under a hidden name beside `path`; at the end it gets its name, or it is removed.

    Args:
        path: A folder that is not there, or a file ending in `.tar.zst`.
        unique: What makes the hidden name nobody else's.
    """
    drop_unfinished(path.parent, path.name)
    hidden = path.with_name(f".{path.name}.{unique}.new")
    target: FolderTarget | ArchiveTarget
    target = ArchiveTarget(hidden) if path.name.endswith(ARCHIVE) else FolderTarget(hidden)
    held = None
    try:
        # whoever else writes to `path` sees that this one is not abandoned
        held = fsops.hold(hidden)
        yield target
        target.finish()
        fsops.rename(hidden, path)
    except BaseException:
        target.discard()
        raise
    finally:
        if held is not None:
            os.close(held)
    fsops.sync_folder(path.parent)


def drop_unfinished(folder: fsops.Anywhere, called: str = "") -> None:
    """Remove what was left that was to be called so, or anything, by who was killed; what another process has stays."""
    unfinished = re.compile(rf"\.{re.escape(called) or '.*'}\.[0-9a-f]{{8}}\.new")
    for name in filter(unfinished.fullmatch, fsops.list_names(folder)):
        held = fsops.hold(folder / name)
        if held is not None:
            try:
                whole.remove_tree(folder / name)
            finally:
                os.close(held)


class FolderTarget:
    """Write a backup as a folder."""

    def __init__(self, folder: fsops.Anywhere) -> None:
        self._folder = folder
        self._made: dict[fsops.Anywhere, None] = {folder: None}  # in the order in which they were made
        fsops.make_folder(folder)

    def add(self, path: str, stream: IO[bytes], size: int, modified_ns: int) -> tuple[str, int]:
        """Copy a file."""
        del size
        target = self._folder
        *above, name = path.split("/")
        for part in above:
            target = target / part
            if target not in self._made:
                fsops.make_folder(target)
                self._made[target] = None
        target = target / name
        found = whole.write_new(target, iter(lambda: stream.read(fsops.CHUNK), b""))
        fsops.set_times(target, modified_ns)
        return found

    def finish(self) -> None:
        """Make the folders durable; the files are already."""
        for folder in reversed(self._made):
            fsops.sync_folder(folder)

    def discard(self) -> None:
        """Remove what was written."""
        whole.remove_tree(self._folder)


class ArchiveTarget:
    """Write a backup as a tar compressed with zstandard, as a stream."""

    def __init__(self, path: fsops.Anywhere) -> None:
        import zstandard

        self._path = path
        self._descriptor = fsops.create_file(path)
        self._is_open = True
        sink: Any = _Sink(self._descriptor)
        self._compressor: Any = zstandard.ZstdCompressor(level=3, write_checksum=True, threads=-1).stream_writer(
            sink, closefd=False
        )
        counted: Any = _Counted(self._compressor)
        self._tar: Any = tarfile.TarFile(fileobj=counted, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, path: str, stream: IO[bytes], size: int, modified_ns: int) -> tuple[str, int]:
        """Copy a file; OSError if it is shorter than it was said to be."""
        entry = tarfile.TarInfo(path)
        entry.size, entry.mtime = size, modified_ns // 1000 / 1e6  # what a float can hold
        hashed: Any = _Hashed(stream)
        self._tar.addfile(entry, hashed)
        # a tar keeps every entry it has written
        self._tar.members = []
        return hashed.digest.hexdigest(), size

    def finish(self) -> None:
        """Write what ends the archive, and make it durable."""
        self._tar.close()
        self._compressor.close()
        whole.sync_opened(self._path, self._descriptor)
        self._close()

    def discard(self) -> None:
        """Remove what was written."""
        self._close()
        with suppress(FileNotFoundError):
            fsops.unlink(self._path)

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self._descriptor)


class _Sink:
    """Hand what is written to the seam."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> int:
        fsops.write(self._descriptor, data)
        return len(data)


class _Counted:
    """Know how much was written: all that tarfile asks of a stream beside writing."""

    def __init__(self, stream: zstandard.ZstdCompressionWriter) -> None:
        self._stream = stream
        self._written = 0

    def write(self, data: bytes) -> int:
        self._stream.write(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written


class _Hashed:
    """Hash what is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        return data

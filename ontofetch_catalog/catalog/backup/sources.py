"""How a backup is read: a folder or an archive as one stream of files, and the check of all of them.

Nothing is written here; every path is checked before it is used, and no link is followed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...content.packed.archives import UNLIMITED, Budget, Entry, Readable, damage_named, read_entries
from ...errors import BackupRefused, ExtractError
from . import manifest as m
from .signing import check_signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CHUNK = 1 << 20
Took = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class File:
    """One file of a backup.

    Args:
        path: Its path in the backup.
        modified_ns: When it was modified, nanoseconds since 1970 UTC.
        open: Opens a stream of its bytes.
        sha256: What it must be, where that is known before it is read; else empty.
    """

    path: str
    modified_ns: int
    open: Callable[[], AbstractContextManager[Readable]]
    sha256: str = ""


class Source(Protocol):
    """A backup that can be read from its beginning any number of times."""

    def files(self) -> Iterator[File]:
        """Yield its files in order, each to be read before the next; the manifest and what belongs to it come last."""


def open_source(path: Path) -> Source:
    """Return the backup at `path`.

    Raises:
        BackupRefused: There is none.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise BackupRefused(
            f"There is no backup {quote(path)}: {error.strerror}.",
            subject=str(path),
            hint="`ontofetch db backup --list` lists those of this store.",
        ) from error
    if stat.S_ISDIR(state.st_mode):
        return FolderSource(path)
    if stat.S_ISREG(state.st_mode):
        return ArchiveSource(path)
    raise BackupRefused(f"{quote(path)} is neither a folder nor a file.", subject=str(path))


class FolderSource:
    """Read a backup that is a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def files(self) -> Iterator[File]:
        """Yield its files as files.jsonl lists them."""
        with open_below(self._path, m.FILES) as lines:
            while line := lines.readline(m.MOST_LINE_BYTES):
                told = m.read_line(line)
                yield self._file(str(told["path"]), str(told["sha256"]))
        for name in (m.FILES, m.MANIFEST, m.SIGNATURE):
            if name != m.SIGNATURE or StorePath(self._path, name).exists():
                yield self._file(name)

    def _file(self, path: str, sha256: str = "") -> File:
        try:
            modified = StorePath(self._path, path).lstat().st_mtime_ns
        except OSError:
            # opening it says what is wrong
            modified = 0
        return File(path, modified, lambda: open_below(self._path, path), sha256)


@contextmanager
def open_below(root: Path, path: str) -> Iterator[IO[bytes]]:
    """Open a regular file below a folder, with a sentence where that is not possible."""
    try:
        descriptor = StorePath(root, path).open_file()
    except OSError as error:
        raise BackupRefused(
            f"The backup's file {quote(path)} can't be read: {error.strerror}.",
            subject=path,
            hint="The backup is incomplete, or no backup; nothing was touched.",
        ) from error
    with os.fdopen(descriptor, "rb") as opened:
        yield opened


class ArchiveSource:
    """Read a backup that is an archive."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def files(self) -> Iterator[File]:
        """Yield its files in its own order."""
        with ExitStack() as stack, refused_archive():
            # its list says what it holds, and a store may be larger than any archive of a release
            budget = Budget(self._path.name, 1, UNLIMITED)
            for entry in read_entries(self._path, self._path.name, stack, budget):
                if entry.kind == "folder":
                    continue
                if entry.kind != "file":
                    raise BackupRefused(
                        f"The backup has an entry {quote(entry.name)} that is {entry.kind}.",
                        subject=entry.name,
                        hint="Nothing was touched. No backup of this program has such an entry.",
                    )
                if entry.name == self._path.name:
                    # what is no archive is read as one of a single file
                    raise BackupRefused(
                        f"{quote(self._path)} is no backup.",
                        subject=str(self._path),
                        hint="One is a folder, or a file ending in .tar.zst; `ontofetch db backup --list` lists them.",
                    )
                if entry.name not in (m.FILES, m.MANIFEST, m.SIGNATURE):
                    m.check_path(entry.name)
                yield File(entry.name, round(entry.mtime * 1e6) * 1000, partial(_opened, entry))


class _Checked:
    """Read an entry; damage on the way is an error about the backup, an error of whoever takes the bytes is not."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        with refused_archive():
            return self._stream.read(size)


@contextmanager
def _opened(entry: Entry) -> Iterator[Readable]:
    with refused_archive():
        opened = entry.open()
    with opened as stream:
        yield _Checked(stream)


@contextmanager
def refused_archive() -> Iterator[None]:
    """Turn what the reading of archives says into what a restore says."""
    try:
        with damage_named("backup"):
            yield
    except ExtractError as error:
        raise BackupRefused(str(error).splitlines()[0], subject=error.subject, hint="Nothing was touched.") from error


def check_backup(source: Source, key: Ed25519PublicKey | None, took: Took) -> tuple[m.Manifest, bool]:
    """Read a backup to its end; return its manifest and whether it is signed.

    Args:
        key: Who must have signed it; None: nobody.
        took: Called with the number of bytes read since the last call.

    Raises:
        BackupRefused: A file is missing, double, more than it should be, or has other bytes than the manifest says.
    """
    roll = m.FileList()
    control: dict[str, bytes] = {}
    listed = hashlib.sha256()
    for file in source.files():
        with file.open() as stream:
            if file.path in (m.MANIFEST, m.SIGNATURE):
                control[file.path] = _read_small(stream, file.path)
            elif file.path == m.FILES:
                hash_stream(stream, took, listed)
            elif control:
                raise BackupRefused(
                    f"The backup has an entry {quote(file.path)} behind its manifest. Nothing was touched.",
                    subject=file.path,
                    hint="No backup of this program has such an entry: do not trust where it came from.",
                )
            else:
                found, size = hash_stream(stream, took)
                if file.sha256 not in ("", found):
                    raise _changed(f"its file {quote(file.path)} is another")
                roll.add(file.path, found, size)
    if m.MANIFEST not in control or roll.missing:
        raise BackupRefused(
            f"The backup has no {quote(m.MANIFEST if m.MANIFEST not in control else roll.missing[0])}.",
            subject=m.MANIFEST,
            hint="It is incomplete, or no backup; nothing was touched.",
        )
    if key is not None:
        check_signature(key, control[m.MANIFEST], control.get(m.SIGNATURE))
    manifest = m.decode(control[m.MANIFEST])
    if roll.sha256 != manifest.files_sha256 or listed.hexdigest() != manifest.files_sha256:
        raise _changed("its files are not those of its manifest")
    return manifest, m.SIGNATURE in control


def hash_stream(stream: Readable, took: Took, digest: hashlib._Hash | None = None) -> tuple[str, int]:
    """Read a stream to its end; return sha256 in hex and size in bytes."""
    digest = digest or hashlib.sha256()
    size = 0
    while data := stream.read(CHUNK):
        digest.update(data)
        size += len(data)
        took(len(data))
    return digest.hexdigest(), size


def _changed(how: str) -> BackupRefused:
    return BackupRefused(
        f"The backup was damaged or changed: {how}.",
        subject=m.MANIFEST,
        hint="Nothing was touched; use another backup.",
    )


def _read_small(stream: Readable, path: str) -> bytes:
    data = stream.read(m.MOST_MANIFEST_BYTES + 1)
    if len(data) > m.MOST_MANIFEST_BYTES:
        raise BackupRefused(f"The backup's {quote(path)} is too large to be one.", subject=path)
    return data

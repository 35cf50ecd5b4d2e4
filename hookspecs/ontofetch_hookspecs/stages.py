"""The stages: folders where a host prepares bytes before a boundary publishes them.

This is the host's only door to the disk; it knows nothing of the catalog and makes nothing durable (the boundary does).
Everything is opened through `store_paths`: what lies in a stage may have been put there by a stranger.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO

from .errors import StageError, next_step
from .file_checks import has_bytes, link_opened
from .layout import STAGING
from .names import check_relpath, quote
from .open_folders import OpenFolders
from .processes import this_process
from .redaction import is_ambiguous, redact_url
from .stage_records import RECORD, StageRecord, read_record, take_lock
from .store_paths import StorePath, make_root

CHUNK = 1 << 20
_TRIES = 10


class StagedFile:
    """A file being written into a stage; counts and hashes the bytes while they pass by."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.size = 0
        self._stream = stream
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append `data`."""
        left = memoryview(data)
        while left:
            # write(2) may take less than it is given, near a full disk or beyond 2 GiB
            left = left[self._stream.write(left) :]
        self._hash.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        """Return the sha256 of what was written so far, in lower-case hex."""
        return self._hash.hexdigest()


class StageFolder:
    """A folder below `.catalog/staging`, to be filled; whoever fills it need not be who holds its lock.

    Args:
        root: The store.
        name: Name of the folder.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.place = StorePath(root, STAGING) / name
        self._folders = OpenFolders(self.place)

    @property
    def path(self) -> Path:
        """Return its absolute path, for events and sentences; what is in it is opened through `place`."""
        return self.place.root / self.place.relpath

    def folder(self, relpath: str) -> Path:
        """Make the folder `relpath` below the stage, and those above it, and return its path."""
        check_relpath("staged folder", relpath)
        with _refused(relpath):
            (self.place / relpath).make_folders()
        return self.path / relpath

    @contextmanager
    def write_file(self, relpath: str, *, mtime: float | None = None) -> Iterator[StagedFile]:
        """Open a new file below the stage; its folders are made; at the end its time is set if `mtime` is given.

        Raises:
            StageError: A file of that name is there already, or the disk refuses.
        """
        place = self.place / check_relpath("staged file", relpath)
        with _refused(relpath), os.fdopen(_create(place), "wb", buffering=0) as stream:
            yield StagedFile(self.path / relpath, stream)
            if mtime is not None:
                os.utime(stream.fileno(), (mtime, mtime))

    def write_whole(self, relpath: str, data: bytes, *, mtime: float) -> None:
        """Write a new file of few bytes below the stage, as `write_file` does; its folder stays open for the next one.

        Raises:
            StageError: As there.
        """
        with _refused(check_relpath("staged file", relpath)):
            descriptor = self._folders.create_file(relpath)
            try:
                left = memoryview(data)
                while left:
                    left = left[os.write(descriptor, left) :]
                os.utime(descriptor, (mtime, mtime))
            finally:
                os.close(descriptor)

    def remove_file(self, relpath: str) -> None:
        """Take a file below the stage away again, for another that comes in its place; StageError as `write_file`."""
        with _refused(relpath), (self.place / check_relpath("staged file", relpath)).in_folder() as (folder, name):
            os.unlink(name, dir_fd=folder)

    @contextmanager
    def read_file(self, relpath: str) -> Iterator[BinaryIO]:
        """Open a file that lies below the stage; StageError as `write_file`."""
        place = self.place / check_relpath("staged file", relpath)
        with _refused(relpath), os.fdopen(place.open_file(), "rb", buffering=0) as stream:
            yield stream

    def link_file(self, source: StorePath, relpath: str) -> Path:
        """Put the bytes of a file of the store below the stage: as a hard link where that is possible, else a copy.

        Raises:
            StageError: It is no regular file, or the disk refuses.
        """
        target = self.place / check_relpath("staged file", relpath)
        with _refused(relpath), os.fdopen(source.open_file(), "rb", buffering=0) as stream:
            target.parent.make_folders()
            with source.in_folder() as before, target.in_folder() as after:
                linked = link_opened(os.fstat(stream.fileno()), before, after)
            if not linked:
                with os.fdopen(target.create_file(), "wb") as copy:
                    shutil.copyfileobj(stream, copy, CHUNK)
        return self.path / relpath


class Stage(StageFolder):
    """A folder below `.catalog/staging`, locked as long as this object is open, with a record of what it is for."""

    def __init__(self, root: Path, name: str, record: StageRecord, lock: int) -> None:
        super().__init__(root, name)
        self.record = record
        self._lock: int | None = lock

    @classmethod
    def create(cls, root: Path, *, url: str | None = None, etag: str | None = None) -> Stage:
        """Make a new, empty, locked stage below `root`.

        Raises:
            StageError: The folder can't be made.
        """
        owner = this_process()
        record = StageRecord(
            url=None if url is None else redact_url(url),
            etag=etag,
            pid=owner.pid,
            start_token=owner.token,
            host=owner.host,
        )
        for _ in range(_TRIES):
            name = os.urandom(16).hex()
            place = StageFolder(root, name).place
            try:
                make_root(root)
                place.make_folders()
                lock = take_lock(place)
            except OSError as error:
                raise StageError(
                    f"A stage can't be made below {quote(root)}: {error.strerror}.",
                    subject=str(root),
                    hint=next_step(error.errno),
                ) from error
            if lock is None:
                continue
            stage = cls(root, name, record, lock)
            try:
                stage.update()
            except StageError as error:
                stage.close()
                if isinstance(error.__cause__, FileNotFoundError):
                    # whoever recovers a store removes a stage that is empty and not held yet
                    continue
                raise
            except BaseException:
                # interrupted before anybody could let go of it
                stage.discard()
                raise
            return stage
        raise StageError(f"A stage can't be made below {quote(root)}: others remove it.", subject=str(root))

    @classmethod
    def resume(cls, root: Path, *, url: str) -> Stage | None:
        """Return a complete stage of `url` that nobody holds and whose bytes are whole, locked; None if there is none.

        The bytes are hashed again: a record can outlive them when the machine loses power.
        """
        wanted = redact_url(url)
        if is_ambiguous(url):
            # another URL may look like this one without what is hidden of it
            return None
        staging = StorePath(root, STAGING)
        for name, kind in staging.entries():
            place = staging / name
            record = read_record(place) if kind == stat.S_IFDIR else None
            if record is None or not record.complete or record.url != wanted or record.name is None:
                continue
            lock = take_lock(place)
            if lock is None:
                continue
            stage = cls(root, name, record, lock)
            if has_bytes(place / record.name, record.size, record.sha256):
                owner = this_process()
                stage.update(pid=owner.pid, start_token=owner.token, host=owner.host)
                return stage
            stage.close()
        return None

    def update(self, **changes: object) -> None:
        """Change the named fields of the record and write stage.json anew (temp, then rename)."""
        self.record = replace(self.record, **changes)  # type: ignore[arg-type]
        temporary = self.place / f"{RECORD}.new"
        with _refused(RECORD), temporary.in_folder() as (folder, name):
            # what a killed process left, or a stranger put there
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            with os.fdopen(temporary.create_file(), "w", encoding="utf-8") as stream:
                stream.write(json.dumps(asdict(self.record), sort_keys=True) + "\n")
            os.rename(name, RECORD, src_dir_fd=folder, dst_dir_fd=folder)

    def complete(self, staged: StagedFile, **details: object) -> None:
        """Record that all bytes of `staged` are there; `details` are further fields of the record."""
        name = staged.path.relative_to(self.path).as_posix()
        self.update(name=name, sha256=staged.sha256, size=staged.size, complete=True, **details)

    def close(self) -> None:
        """Let go of the lock; the folder stays."""
        self._folders.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def discard(self) -> None:
        """Remove the folder with all that is left in it, and let go of the lock."""
        with suppress(FileNotFoundError), self.place.in_folder() as (folder, name):
            # it removes by descriptor and follows no link on this way (shutil.rmtree.avoids_symlink_attacks)
            shutil.rmtree(name, dir_fd=folder)
        self.close()


def _create(place: StorePath) -> int:
    """Make a new file, and its folders where they are missing; most files lie in a folder that is there."""
    try:
        return place.create_file()
    except FileNotFoundError:
        place.parent.make_folders()
        return place.create_file()


def unstaged(relpath: str, error: OSError) -> StageError:
    """Return what the disk refuses of a file that is staged as a sentence."""
    return StageError(
        f"{quote(relpath)} can't be staged: {error.strerror or error}.", subject=relpath, hint=next_step(error.errno)
    )


class _refused:  # noqa: N801 - used as a function is; a class, for it stands around every file
    """Turn what the disk refuses into a sentence; a context.

    Raises:
        StageError: It did.
    """

    __slots__ = ("_relpath",)

    def __init__(self, relpath: str) -> None:
        self._relpath = relpath

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError):
            raise unstaged(self._relpath, error) from error

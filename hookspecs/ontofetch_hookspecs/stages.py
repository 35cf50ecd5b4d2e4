"""Own the stages: folders where a host prepares bytes before a boundary publishes them.

This is the host's only door to the disk; it knows nothing of the catalog and makes nothing durable (the boundary does).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

from .errors import EventError, StageError
from .layout import STAGING
from .names import check_relpath, quote, redact_url
from .processes import this_process

RECORD = "stage.json"
LOCK = ".lock"
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """What stage.json says.

    Args:
        url: Where the bytes come from, without credentials.
        etag, last_modified, content_type: What the server said.
        name: Path of the staged file below the stage, or None as long as there is none.
        sha256, size: Of that file, once it is complete; size in bytes.
        complete: Whether all bytes have arrived.
        pid, start_token, host: Who prepares it.
    """

    url: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None
    name: str | None = None
    sha256: str | None = None
    size: int | None = None
    complete: bool = False
    pid: int = 0
    start_token: str = ""
    host: str = ""


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


class Stage:
    """A folder below `.catalog/staging`, locked as long as this object is open."""

    def __init__(self, path: Path, record: StageRecord, lock: int) -> None:
        self.path = path
        self.record = record
        self._lock: int | None = lock

    @classmethod
    def create(cls, root: Path, *, url: str | None = None, etag: str | None = None) -> Stage:
        """Make a new, empty, locked stage below `root`.

        Raises:
            StageError: The folder can't be made.
        """
        path = root / STAGING / uuid.uuid4().hex
        owner = this_process()
        record = StageRecord(
            url=None if url is None else redact_url(url),
            etag=etag,
            pid=owner.pid,
            start_token=owner.token,
            host=owner.host,
        )
        try:
            path.mkdir(parents=True)
            lock = _take_lock(path)
        except OSError as error:
            raise StageError(
                f"A stage can't be made below {quote(root)}: {error.strerror}.",
                subject=str(root),
                hint="Free some space or give another folder with --root.",
            ) from error
        if lock is None:
            raise StageError(f"The new stage {path.name} is locked by somebody else.", subject=path.name)
        stage = cls(path, record, lock)
        stage.update()
        return stage

    @classmethod
    def resume(cls, root: Path, *, url: str) -> Stage | None:
        """Return a complete stage of `url` that nobody holds and whose bytes are whole, locked; None if there is none.

        The bytes are hashed again: a record can outlive them when the machine loses power.
        """
        wanted = redact_url(url)
        folder = root / STAGING
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            record = read_record(path)
            if record is None or not record.complete or record.url != wanted or record.name is None:
                continue
            lock = _take_lock(path)
            if lock is None:
                continue
            stage = cls(path, record, lock)
            if _is_whole(path / record.name, record):
                owner = this_process()
                stage.update(pid=owner.pid, start_token=owner.token, host=owner.host)
                return stage
            stage.close()
        return None

    def update(self, **changes: object) -> None:
        """Change the named fields of the record and write stage.json anew (temp, then rename)."""
        self.record = replace(self.record, **changes)  # type: ignore[arg-type]
        temporary = self.path / (RECORD + ".new")
        temporary.write_text(json.dumps(asdict(self.record), sort_keys=True) + "\n", encoding="utf-8")
        temporary.replace(self.path / RECORD)

    def folder(self, relpath: str) -> Path:
        """Make the folder `relpath` below the stage, and those above it, and return its path."""
        path = self.path / check_relpath("staged folder", relpath)
        path.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def write_file(self, relpath: str, *, mtime: float | None = None) -> Iterator[StagedFile]:
        """Open a new file below the stage; its folders are made; at the end its time is set if `mtime` is given.

        Raises:
            StageError: A file of that name is there already, or the disk refuses.
        """
        path = self.path / check_relpath("staged file", relpath)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(path, flags, 0o644), "wb", buffering=0) as stream:
                yield StagedFile(path, stream)
                if mtime is not None:
                    os.utime(stream.fileno(), (mtime, mtime))
        except OSError as error:
            raise StageError(
                f"{quote(relpath)} can't be staged: {error.strerror}.",
                subject=relpath,
                hint="Free some space and run the same command again." if error.errno == errno.ENOSPC else "",
            ) from error

    def link_file(self, source: Path, relpath: str) -> Path:
        """Put the bytes of `source` below the stage: as a hard link where the file system can, else as a copy."""
        target = self.path / check_relpath("staged file", relpath)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError:
            shutil.copyfile(source, target, follow_symlinks=False)
        return target

    def complete(self, staged: StagedFile, **details: object) -> None:
        """Record that all bytes of `staged` are there; `details` are further fields of the record."""
        name = staged.path.relative_to(self.path).as_posix()
        self.update(name=name, sha256=staged.sha256, size=staged.size, complete=True, **details)

    def close(self) -> None:
        """Let go of the lock; the folder stays."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def discard(self) -> None:
        """Remove the folder with all that is left in it, and let go of the lock."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.path)
        self.close()


def read_record(path: Path) -> StageRecord | None:
    """Return what the stage.json below `path` says; None if it is missing or unreadable."""
    try:
        values = json.loads((path / RECORD).read_text(encoding="utf-8"))
        record = StageRecord(**values)
        return record if record.name is None or check_relpath("name", record.name) else None
    except (OSError, ValueError, TypeError, AttributeError, EventError):
        return None


def is_held(path: Path) -> bool:
    """Say whether a living process holds the stage at `path`."""
    lock = _take_lock(path)
    if lock is None:
        return True
    os.close(lock)
    return False


def publish_without_catalog(staged: Path, target: Path, *, replace_existing: bool = False) -> None:
    """Rename `staged` to `target` for a host that has no catalog.

    Raises:
        StageError: Something is in the way and `replace_existing` is false, or the disk refuses.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir() and replace_existing:
            shutil.rmtree(target)
        elif target.exists() and not replace_existing:
            raise StageError(
                f"{quote(target)} is there already.",
                subject=str(target),
                hint="Use --replace to put the new one there.",
            )
        staged.replace(target)
    except OSError as error:
        raise StageError(f"{quote(target)} can't be published: {error.strerror}.", subject=str(target)) from error


def _is_whole(path: Path, record: StageRecord) -> bool:
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size != record.size:
                return False
            return hashlib.file_digest(stream, "sha256").hexdigest() == record.sha256
    except OSError:
        return False


def _take_lock(path: Path) -> int | None:
    try:
        descriptor = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor

"""What lies in a stage beside what was staged: its record, which says what it is for, and its lock."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import EventError
from .light_dataclasses import dataclass
from .names import check_relpath, check_sha256, check_size, check_text
from .processes import Owner
from .store_paths import StorePath

RECORD = "stage.json"
LOCK = ".lock"
BESIDE = ".beside"  # a file that is about to take the place of a staged one of equal bytes
OWN_NAMES = frozenset({RECORD, f"{RECORD}.new", LOCK, BESIDE})  # what is in a stage that nobody staged
_NAME = re.compile(r"[0-9a-f]{32}")


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


def read_record(place: StorePath) -> StageRecord | None:
    """Return what the stage.json in a stage's folder says; None if it is missing, unreadable or breaks a rule."""
    try:
        values = (place / RECORD).read_json()
        if not isinstance(values, dict):
            return None
        record = StageRecord(**values)
        _check_record(record)
    except (OSError, ValueError, TypeError, EventError):
        return None
    return record


def _check_record(record: StageRecord) -> None:
    for field in ("url", "etag", "last_modified", "content_type", "start_token", "host"):
        check_text(field, getattr(record, field))
    if record.name is not None:
        check_relpath("name", record.name)
    if record.sha256 is not None:
        check_sha256("sha256", record.sha256)
    if record.size is not None:
        check_size("size", record.size)
    check_size("pid", record.pid)
    if not isinstance(record.complete, bool) or (record.complete and None in (record.name, record.sha256, record.size)):
        raise EventError("The record of a stage is complete without its file.", subject="complete")


def is_held(place: StorePath) -> bool:
    """Say whether a living process holds the stage in this folder."""
    with holding(place) as held:
        return not held


def is_abandoned(place: StorePath) -> bool:
    """Say whether a stage's folder has no byte but its record's and its lock's, and whoever wrote the record is dead.

    Whether somebody holds it is not asked.
    """
    if not _NAME.fullmatch(place.name):
        return False
    record = read_record(place)
    if record is not None and Owner(record.pid, record.start_token, record.host, "").state() != "dead":
        return False
    return all(
        not (place / name).holds_files() if kind == stat.S_IFDIR else name in OWN_NAMES
        for name, kind in place.entries()
    )


@contextmanager
def holding(place: StorePath) -> Iterator[bool]:
    """Hold the stage in this folder meanwhile; gives whether that was possible."""
    lock = take_lock(place)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def take_lock(place: StorePath) -> int | None:
    """Lock the stage in this folder until the returned descriptor is closed; None if that is not possible."""
    try:
        descriptor = (place / LOCK).open(os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
    except OSError as error:
        # a link or no regular file: nobody can hold it, and it is no stage of ours
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EINVAL, errno.ENXIO, errno.EISDIR):
            return None
        raise
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor

"""The reading of archives: one stream of entries from zip, tar and compressed single files, nothing unpacked.

What is read is bounded while it is read, and never more than a step at once. What may be unpacked, and where to, is not
known here; names and sizes are handed on as the archive says them.
"""

from __future__ import annotations

import errno
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ..errors import ExtractError
from . import tars, zips
from .bounds import UNLIMITED, Budget, Limits
from .inflating import Readable, TooLarge, open_inflated

__all__ = [
    "UNLIMITED",
    "Budget",
    "Entry",
    "Limits",
    "Readable",
    "damage_named",
    "is_packed",
    "open_archive",
    "read_entries",
]

_MAGIC = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zst"))
_ENDINGS = {"gz": (".gz", ".tgz"), "bz2": (".bz2", ".tbz2"), "xz": (".xz", ".txz"), "zst": (".zst", ".zstd")}
_ARCHIVES = (".zip", ".whl", ".jar", ".tar", ".tgz", ".tbz2", ".txz")
_DAMAGE = (EOFError, OSError, zlib.error, UnicodeError, ValueError)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive.

    Args:
        name: As the archive says it; may be hostile.
        kind: `file`, `folder`, or in words what else it is, e.g. `a symbolic link`.
        mtime: Seconds since 1970 UTC, as the archive says it; a finite number.
        open: Opens a stream of its bytes; to be read and closed before the next entry.
    """

    name: str
    kind: str
    mtime: float
    open: Callable[[], AbstractContextManager[Readable]]


@contextmanager
def damage_named(name: str) -> Iterator[None]:
    """Turn what the decompressors raise for a damaged archive into an ExtractError."""
    try:
        yield
    except TooLarge as error:
        raise ExtractError(
            f"The archive {quote(name)} {error}.",
            subject=name,
            hint="Nothing was unpacked. Pack it with a smaller window or dictionary.",
        ) from error
    except Exception as error:
        # lzma is only loaded where it is needed, and its error is no error of another kind
        if not isinstance(error, _DAMAGE) and type(error).__name__ != "LZMAError":
            raise
        reason = str(error) or type(error).__name__
        raise ExtractError(
            f"The archive {quote(name)} is damaged or truncated: {reason}.",
            subject=name,
            hint="Nothing was unpacked; pull a good copy of it with --replace.",
        ) from error


def is_packed(name: str, head: bytes) -> bool:
    """Say whether a file is an archive or compressed, by its name and its first bytes (tars.BLOCK of them)."""
    magics = (zips.LOCAL, *(magic for magic, _ in _MAGIC))
    return head.startswith(magics) or _claims_archive(name) or tars.is_tar(head[: tars.BLOCK], name)


def open_archive(archive: Path | StorePath) -> IO[bytes]:
    """Open an archive for reading: a regular file, which in a store is not reached through links.

    Raises:
        OSError: It can't be opened, or it is something else.
    """
    if isinstance(archive, StorePath):
        return os.fdopen(archive.open_file(), "rb")
    descriptor = os.open(archive, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", os.fspath(archive))
    return os.fdopen(descriptor, "rb")


def read_entries(
    archive: Path | StorePath | IO[bytes], name: str, stack: ExitStack, budget: Budget | None = None
) -> Iterator[Entry]:
    """Yield the entries of an archive in its own order; another file is one entry under its own name.

    Args:
        archive: The file.
        name: Its name, which may say how a single file is compressed.
        stack: Closes what was opened.
        budget: What may come out of it, counted here; None: what the default limits allow.

    Raises:
        ExtractError: It is damaged, truncated or encrypted, has more than the budget allows, or is no archive although
            its name says so.
    """
    stream = stack.enter_context(open_archive(archive)) if isinstance(archive, Path | StorePath) else archive
    state = os.fstat(stream.fileno())
    if budget is None:
        budget = Budget(name, state.st_size, Limits())
    head = stream.read(tars.BLOCK)
    # a zip without its directory, which stands at the end, is one that was cut; a program may stand before a zip
    if head.startswith(zips.LOCAL) or (_claims_archive(name) and zips.has_directory(stream)):
        yield from _zip_entries(stream, name, budget)
        return
    compression = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
    start = head
    if compression:
        with damage_named(name):
            start = _beginning(_rewound(stream, compression))
    if tars.is_tar(start, name):
        yield from _tar_entries(_rewound(stream, compression), name, budget)
        return
    single = _without_ending(name, compression)
    if _claims_archive(name) or _claims_archive(single) or (not compression and _claims_compression(name)):
        raise ExtractError(
            f"{quote(name)} is named like an archive, but its bytes are none.",
            subject=name,
            hint="Look at what was downloaded: servers send error pages, too. Pull a good copy of it with --replace.",
        )
    budget.begin(single)
    yield Entry(
        single,
        "file",
        state.st_mtime,
        _opening(lambda: _Counted(_rewound(stream, compression), budget), name),
    )


def _rewound(stream: IO[bytes], compression: str) -> Readable:
    stream.seek(0)
    return open_inflated(stream, compression)


def _beginning(stream: Readable) -> bytes:
    found = b""
    while len(found) < tars.BLOCK:
        data = stream.read(tars.BLOCK - len(found))
        if not data:
            break
        found += data
    return found


class _Counted:
    """Read a stream and count what comes."""

    def __init__(self, stream: Readable, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._budget.take(len(data))
        return data


def _without_ending(name: str, compression: str) -> str:
    for ending in _ENDINGS.get(compression, ()):
        if name.casefold().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def _claims_archive(name: str) -> bool:
    return name.casefold().endswith(_ARCHIVES)


def _claims_compression(name: str) -> bool:
    return name.casefold().endswith(tuple(ending for endings in _ENDINGS.values() for ending in endings))


def _zip_entries(stream: IO[bytes], name: str, budget: Budget) -> Iterator[Entry]:
    members = zips.read_members(stream, budget)
    while True:
        with damage_named(name):
            member = next(members, None)
        if member is None:
            return
        budget.begin(member.name)
        yield Entry(member.name, member.kind, member.mtime, _opening(member.open, name))


class _Named:
    """Read a stream; damage on the way is an ExtractError, whoever reads."""

    def __init__(self, stream: Readable, name: str) -> None:
        self._stream = stream
        self._name = name

    def read(self, size: int = -1, /) -> bytes:
        with damage_named(self._name):
            return self._stream.read(size)


def _opening(opened: Callable[[], Readable], name: str) -> Callable[[], AbstractContextManager[Readable]]:
    def opening() -> AbstractContextManager[Readable]:
        with damage_named(name):
            return nullcontext(_Named(opened(), name))

    return opening


def _tar_entries(stream: Readable, name: str, budget: Budget) -> Iterator[Entry]:
    members = tars.read_members(stream, budget)
    while True:
        with damage_named(name):
            member = next(members, None)
        if member is None:
            return
        budget.begin(member.name)
        yield Entry(member.name, member.kind, member.mtime, _opening(partial(_same, member.stream), name))


def _same(stream: Readable) -> Readable:
    return stream

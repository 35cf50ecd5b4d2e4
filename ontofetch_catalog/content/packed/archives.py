"""The reading of archives: one stream of entries from zip, tar and compressed single files, nothing unpacked.

What is read is bounded while it is read, and never more than a step at once. What may be unpacked, and where to, is not
known here; names and sizes are handed on as the archive says them.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import ExtractError
from . import signatures, tars, zips
from .bounds import UNLIMITED, Budget, Limits
from .foreign import compression_at, refuse_foreign
from .inflating import NotRead, Readable, read_up_to
from .plain import open_archive
from .remarks import BEHIND
from .streams import open_inflated

HARD_LINK = tars.HARD_LINK
__all__ = [
    "HARD_LINK",
    "UNLIMITED",
    "Budget",
    "Counted",
    "Entry",
    "Limits",
    "Readable",
    "damage_named",
    "read_entries",
]

M = TypeVar("M")
_DAMAGE = (EOFError, OSError, zlib.error, UnicodeError, ValueError)


def _not_whole() -> None:
    """Return nothing: the bytes are read from a stream."""


class Entry(NamedTuple):
    """One entry of an archive.

    Args:
        name: As the archive says it; may be hostile.
        kind: `file`, `folder`, HARD_LINK, or in words what else it is, e.g. `a symbolic link`.
        mtime: Seconds since 1970 UTC, as the archive says it; a finite number.
        open: Opens a stream of its bytes; to be read and closed before the next entry.
        whole: Returns all of its bytes at once, None where they are too many for that; instead of `open`.
        target: Of a hard link: the name of the entry that has its bytes.
        alone: Whether it is no entry but the file itself, which is no archive.
        replaces: Whether it takes the place of an entry of the same name before it, as in a tar.
    """

    name: str
    kind: str
    mtime: float
    open: Callable[[], AbstractContextManager[Readable]]
    target: str = ""
    alone: bool = False
    replaces: bool = False
    whole: Callable[[], bytes | None] = _not_whole

    @property
    def path(self) -> str:
        """Return its name as a path: without what stands for the archive's own folder, and for being a folder."""
        name = self.name.removesuffix("/") if self.kind == "folder" else self.name
        return name.removeprefix("./")


class damage_named:  # noqa: N801 - used as a function is; a class, for it stands around every read
    """Turn what the decompressors raise for a damaged archive into an ExtractError; a context."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        name = self._name
        if isinstance(error, NotRead):
            raise ExtractError(f"The archive {quote(name)} {error}.", subject=name, hint=error.hint) from error
        # lzma is only loaded where it is needed, and its error is no error of another kind
        if isinstance(error, _DAMAGE) or type(error).__name__ == "LZMAError":
            reason = str(error) or type(error).__name__
            raise ExtractError(
                f"The archive {quote(name)} is damaged or truncated: {reason}.",
                subject=name,
                hint="Nothing was unpacked; pull a good copy of it.",
            ) from error


def read_entries(
    archive: Path | StorePath | IO[bytes], name: str, stack: ExitStack, budget: Budget | None = None
) -> Iterator[Entry]:
    """Yield the entries of an archive in its own order; another file is one entry under its own name.

    Args:
        name: Its name, which may say how a single file is compressed.
        stack: Closes what was opened.
        budget: What may come out of it, counted here; None: what the default limits allow.

    Raises:
        ExtractError: It is damaged or truncated, has more than the budget allows, is of a kind that can't be read, or
            is no archive although its name says so.
    """
    stream = stack.enter_context(open_archive(archive)) if isinstance(archive, Path | StorePath) else archive
    state = os.fstat(stream.fileno())
    if budget is None:
        budget = Budget(name, state.st_size, Limits())
    head = stream.read(tars.BLOCK)
    with damage_named(name):
        # a zip without its directory, which stands at the end, is one that was cut; a program may stand before a zip
        zipped = head.startswith((signatures.ZIP, signatures.EMPTY_ZIP)) or (
            _may_end_in_zip(head, name) and zips.has_directory(stream)
        )
        document = zipped and zips.is_document(stream, name)
    if zipped:
        yield from _one_file(stream, "", name, budget) if document else _zip_entries(stream, name, budget)
        return
    with damage_named(name):
        compression, telling = compression_at(stream, head, name)
        start = read_up_to(open_inflated(stream, compression), tars.BLOCK) if compression else head
    refuse_foreign(telling, start, compression, name)
    if tars.is_tar(start, name):
        yield from _tar_entries(_rewound(stream, compression, budget), name, budget)
        return
    single = signatures.without_ending(name, compression)
    empty_of_kind = not compression and signatures.claims_compression(name)
    if signatures.claims_archive(name) or signatures.claims_archive(single) or empty_of_kind:
        raise ExtractError(
            f"{quote(name)} is named like an archive, but its bytes are none.",
            subject=name,
            hint="Look at what was downloaded: servers send error pages, too. Pull a good copy of it.",
        )
    yield from _one_file(stream, compression, name, budget)


def _may_end_in_zip(head: bytes, name: str) -> bool:
    # what a tar or a compressed file ends with may be a zip that is packed in it
    return signatures.claims_archive(name) and not (tars.is_tar(head, "") or signatures.compression_of(head, name))


def _one_file(stream: IO[bytes], compression: str, name: str, budget: Budget) -> Iterator[Entry]:
    single = signatures.without_ending(name, compression)
    budget.begin(single)
    opened = _opening(lambda: Counted(_rewound(stream, compression, budget), budget), name)
    yield Entry(single, "file", os.fstat(stream.fileno()).st_mtime, opened, alone=True)


def _rewound(stream: IO[bytes], compression: str, budget: Budget) -> Readable:
    stream.seek(0)
    return open_inflated(stream, compression, lambda: budget.remarks.add(BEHIND, budget.name))


class Counted:
    """Read a stream and count what comes.

    Args:
        budget: Where it counts.
    """

    def __init__(self, stream: Readable, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes; ExtractError if they are too many."""
        data = self._stream.read(size)
        self._budget.take(len(data))
        return data


def _undamaged(members: Iterator[M], name: str) -> Iterator[M]:
    """Yield the members of an archive; damage between two of them is an ExtractError."""
    while True:
        with damage_named(name):
            member = next(members, None)
        if member is None:
            return
        yield member


def _zip_entries(stream: IO[bytes], name: str, budget: Budget) -> Iterator[Entry]:
    for member in _undamaged(zips.read_members(stream, budget), name):
        budget.begin(member.name)
        yield Entry(member.name, member.kind, member.mtime, _opening(member.open, name), whole=member.whole)


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
    for member in _undamaged(tars.read_members(stream, budget), name):
        budget.begin(member.name)
        opened = _opening(partial(_same, member.stream), name)
        target = member.target.removeprefix("./")
        yield Entry(member.name, member.kind, member.mtime, opened, target, replaces=True, whole=member.whole)


def _same(stream: Readable) -> Readable:
    return stream

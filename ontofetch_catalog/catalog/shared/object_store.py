"""What every store of objects promises: a key is written once, its bytes are those of its SHA-256, keys are plain.

Which key belongs to which release is known to the catalog alone; how the bytes are kept, in `bucket` and `folder`.
"""

from __future__ import annotations

import hashlib
import os
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import FileIO
from typing import ClassVar

from ontofetch_hookspecs.errors import next_step
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import ObjectDamaged, ObjectMissing, ObjectsRefused, OntofetchError
from .. import fsops
from .signs import Signs

PIECE = 8 << 20  # bytes of an object that are asked for, and in memory, at once
UNFINISHED = "tmp"  # the folder of what is being written
MAX_AGE = 86_400.0  # seconds after which what is there was left by a process that is gone; clocks may be hours off
_KEY = re.compile(r"[0-9a-f]{64}(\.[0-9a-f]{32})?|pack/[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """Describe an object that a listing finds: its key, its size in bytes, and when it was written (UTC)."""

    key: str
    size: int
    modified: datetime


Buffer = bytes | memoryview
Source = Iterable[Buffer] | fsops.Anywhere


class ObjectStore(Signs):
    """A place that keeps bytes under keys, each written once but for a few; several threads may use it.

    Args:
        address: Its address as the user gave it; it has no credentials in it.
    """

    scheme: ClassVar[str]

    def __init__(self, address: str) -> None:
        self.address = address

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address!r})"

    def put(self, key: str, source: Source, *, sha256: str, size: int) -> None:
        """Write a new object, whole and durable or not at all.

        The same key with the same bytes is fine: an earlier try got that far, and its answer was lost.

        Args:
            key: Its key, see `check_key`.
            source: Its bytes, or the file that has them.
            sha256: Their SHA-256 in hex; nothing is written where the source has other bytes.
            size: Their number.

        Raises:
            ObjectDamaged: The source has other bytes than it should.
            ObjectsRefused: Other bytes are under this key, the key is none, or the store refuses.
            ObjectsUnavailable: The store does not answer; whether the object is there now isn't known.
        """
        check_key(key)
        if not _SHA256.fullmatch(sha256) or size < 0 or (not key.startswith("pack/") and key[:64] != sha256):
            raise ObjectsRefused(
                f"The key {key} is not that of the SHA-256 {quote(sha256)} and {size} bytes.", subject=key
            )
        with _chunks_of(key, source) as chunks:
            self._put(key, checked(chunks, sha256, size, _changed(key, size)), sha256, size)

    def get(self, key: str, offset: int, length: int) -> Iterator[bytes]:
        """Yield `length` bytes of an object from `offset` on, in pieces of at most `PIECE` bytes.

        Raises:
            ObjectMissing: There is no such object.
            ObjectDamaged: It ends before that.
            ObjectsRefused, ObjectsUnavailable: As their names say.
        """
        check_key(key)
        if offset < 0 or length < 0:
            raise ObjectsRefused(f"There are no {length} bytes at {offset} in any object.", subject=key)
        end = offset + length
        while offset < end:
            piece = self._get(key, offset, min(PIECE, end - offset))
            if not piece or len(piece) > end - offset:
                raise self.too_short(key, offset, end)
            offset += len(piece)
            yield piece

    def stat(self, key: str) -> int | None:
        """Return the size of an object in bytes, None if there is none.

        Raises:
            ObjectsRefused, ObjectsUnavailable: As their names say.
        """
        check_key(key)
        return self._stat(key)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there are fine.

        Raises:
            ObjectsRefused, ObjectsUnavailable: As their names say; some may be gone by then.
        """
        batch = []
        for key in keys:
            batch.append(check_key(key))
            if len(batch) == 1000:
                self._delete(batch)
                batch = []
        if batch:
            self._delete(batch)

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Yield the objects whose keys begin with `prefix`, page by page, in any order; other files are none.

        Raises:
            ObjectsRefused, ObjectsUnavailable: As their names say.
        """
        for found in self._list(prefix):
            if found.key.startswith(prefix) and _KEY.fullmatch(found.key):
                yield found

    def matches(self, key: str, sha256: str, size: int) -> bool:
        """Say whether the bytes of an object are these; all of them are read. An object that is missing has none.

        Raises:
            ObjectsRefused, ObjectsUnavailable: As their names say.
        """
        if self._stat(check_key(key)) != size:
            return False
        digest = hashlib.sha256()
        try:
            for piece in self.get(key, 0, size):
                digest.update(piece)
        except (ObjectMissing, ObjectDamaged):
            # removed, or cut, since it was looked at
            return False
        return digest.hexdigest() == sha256

    @abstractmethod
    def prepare(self) -> None:
        """Make the place ready for its first object, and find out whether it keeps the promises; may be repeated.

        Raises:
            ObjectsRefused, ObjectsUnavailable: As their names say.
        """

    @abstractmethod
    def sweep(self, older_than: float = MAX_AGE) -> int:
        """Remove what processes left that died while they put; return how many files or objects those were.

        Args:
            older_than: Seconds; what is younger may be being written.
        """

    @abstractmethod
    def _put(self, key: str, chunks: Iterator[Buffer], sha256: str, size: int) -> None: ...

    @abstractmethod
    def _get(self, key: str, offset: int, length: int) -> bytes: ...

    @abstractmethod
    def _stat(self, key: str) -> int | None: ...

    @abstractmethod
    def _delete(self, keys: Sequence[str]) -> None: ...

    @abstractmethod
    def _list(self, prefix: str) -> Iterator[Stored]: ...

    # --- sentences ----------------------------------------------------------------------------------------------------

    def missing(self, key: str) -> ObjectMissing:
        """Return the error of an object that is not there."""
        return ObjectMissing(f"The object {key} is not in {self.address}.", subject=key, hint=_VERIFY)

    def too_short(self, key: str, offset: int, end: int) -> ObjectDamaged:
        """Return the error of an object that has nothing at `offset`, though it should go on up to `end`."""
        return ObjectDamaged(
            f"The object {key} in {self.address} has no byte {offset:,}, and should have {end:,} bytes.",
            subject=key,
            hint=_VERIFY,
        )

    def occupied(self, key: str) -> ObjectsRefused:
        """Return the error of a key under which other bytes are."""
        return ObjectsRefused(
            f"Other bytes are under the key {key} in {self.address}; nothing was replaced.", subject=key, hint=_VERIFY
        )


_VERIFY = "`ontofetch db verify` says which releases need it."


def check_key(key: str) -> str:
    """Return a key that is one: the SHA-256 in hex, alone or with the boundary that wrote it, or `pack/` and 32 digits.

    Raises:
        ObjectsRefused: It is none; keys come from rows that strangers may write.
    """
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ObjectsRefused(
            f"{quote(str(key))} is no key of an object.",
            subject=str(key),
            hint="Nothing was touched. `ontofetch db doctor` says what in the catalog names it.",
        )
    return key


@contextmanager
def _chunks_of(key: str, source: Source) -> Iterator[Iterator[Buffer]]:
    """Give the chunks of a source; a file is opened through no link."""
    if not isinstance(source, fsops.Anywhere):
        yield iter(source)
        return
    try:
        stream = os.fdopen(fsops.open_file(source), "rb", buffering=0)
    except OSError as error:
        raise _unreadable(key, source, error) from error
    with stream:
        yield _read(key, source, stream)


def _read(key: str, source: fsops.Anywhere, stream: FileIO) -> Iterator[bytes]:
    try:
        while chunk := stream.read(fsops.CHUNK):
            yield chunk
    except OSError as error:
        raise _unreadable(key, source, error) from error


def _unreadable(key: str, source: fsops.Anywhere, error: OSError) -> ObjectsRefused:
    reason = error.strerror or type(error).__name__
    return ObjectsRefused(
        f"The file {quote(source)} can't be read, and so not be put: {reason}.",
        subject=key,
        hint=next_step(error.errno),
    )


def checked(
    chunks: Iterable[Buffer], sha256: str, size: int, error: Callable[[int], OntofetchError]
) -> Iterator[Buffer]:
    """Yield chunks and hold the last one back until all are known to be right, so nothing wrong is ever whole.

    Args:
        chunks: Bytes.
        sha256: Their SHA-256 in hex.
        size: Their number.
        error: Makes what is raised where they are others, from how many there are, `size` + 1 if there are more.
    """
    digest = hashlib.sha256()
    found = 0
    last: Buffer = b""
    for chunk in chunks:
        found += len(chunk)
        if found > size:
            raise error(size + 1)
        digest.update(chunk)
        if last:
            yield last
        last = chunk
    if found != size or digest.hexdigest() != sha256:
        raise error(found)
    if last:
        yield last


def _changed(key: str, size: int) -> Callable[[int], ObjectDamaged]:
    def error(found: int) -> ObjectDamaged:
        amount = f"there are more than {size:,}" if found > size else f"{found:,} of {size:,} were read"
        return ObjectDamaged(
            f"What is to become the object {key} has other bytes than it should have; {amount}.",
            subject=key,
            hint="They changed since they were hashed. Nothing was put; run the same command again.",
        )

    return error

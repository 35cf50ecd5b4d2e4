"""Many small contents in one object, so that a release of 50,000 files is a few requests and not 50,000.

Which content goes where is planned before anything is put, for a boundary names all its keys first. The same contents
in the same order get the same keys and the same bytes each time, so a boundary may be put again after a kill.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

from ontofetch_hookspecs.errors import next_step
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import ObjectDamaged, ObjectsRefused
from .. import fsops
from ..kept_folders import KeptFolders
from .object_store import ObjectStore, check_key
from .waiting import Crew

LIMIT = 64 << 10  # bytes of the largest content that shares an object with others
TOGETHER = 1 << 20  # bytes of all contents of a boundary that share one object, each however large
SIZE = 64 << 20  # bytes of a full pack
_BOUNDARY = re.compile(r"[0-9a-f]{32}")


class Content(NamedTuple):
    """A file whose bytes are to be put: where it is (a text: below a store), their SHA-256 in hex, their number."""

    path: fsops.Anywhere | str
    sha256: str
    size: int


class Place(NamedTuple):
    """Where the bytes of a content are: from `offset` on in the object `key`."""

    sha256: str
    size: int
    key: str
    offset: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """One object to put: a large content, or a pack of small ones.

    Args:
        key: Its key.
        contents: What is in it, one after the other.
    """

    key: str
    size: int
    contents: tuple[Content, ...]

    def places(self) -> Iterator[Place]:
        """Yield where each content will be."""
        offset = 0
        for content in self.contents:
            yield Place(content.sha256, content.size, self.key, offset)
            offset += content.size


class Packer:
    """Plan which contents share an object.

    Args:
        boundary: The boundary that puts them, 32 hexadecimal digits: it is part of every key.
        limit: Bytes of the largest content that shares an object.
        size: Bytes that a pack may have.

    Raises:
        ObjectsRefused: The boundary is none.
    """

    def __init__(self, boundary: str, *, limit: int = LIMIT, size: int = SIZE) -> None:
        if not _BOUNDARY.fullmatch(boundary):
            raise ObjectsRefused(f"{quote(boundary)} is no boundary.", subject=boundary)
        self._boundary = boundary
        self._limit = limit
        self._size = size
        self._packs = 0

    def parcels(self, contents: Iterable[Content]) -> Iterator[Parcel]:
        """Yield the objects to put; of contents that are the same, the first alone is put.

        Raises:
            ObjectsRefused: A content has no SHA-256 or a negative size.
        """
        seen: set[bytes] = set()
        small: list[Content] = []
        size = 0
        for content in contents:
            if content.size < 0:
                raise ObjectsRefused(f"No content has {content.size} bytes.", subject=content.sha256)
            digest = self._digest(content)
            if digest in seen:
                continue
            seen.add(digest)
            if content.size > self._limit:
                yield Parcel(f"{content.sha256}.{self._boundary}", content.size, (content,))
                continue
            if small and size + content.size > self._size:
                yield self._pack(small, size)
                small, size = [], 0
            small.append(content)
            size += content.size
        if small:
            yield self._pack(small, size)

    def _digest(self, content: Content) -> bytes:
        """Return the SHA-256 of a content, half as long as the text: there may be a million."""
        try:
            digest = bytes.fromhex(content.sha256)
        except (TypeError, ValueError):
            digest = b""
        if len(digest) != 32 or digest.hex() != content.sha256:
            # it says what is wrong
            check_key(f"{content.sha256}.{self._boundary}")
        return digest

    def _pack(self, contents: list[Content], size: int) -> Parcel:
        if len(contents) == 1:
            return Parcel(f"{contents[0].sha256}.{self._boundary}", size, tuple(contents))
        self._packs += 1
        name = hashlib.sha256(f"{self._boundary} {self._packs}".encode()).hexdigest()[:32]
        return Parcel(f"pack/{name}", size, tuple(contents))


def put_parcels(
    objects: ObjectStore,
    parcels: Iterable[Parcel],
    *,
    store: StorePath | None = None,
    jobs: int = 4,
    done: Callable[[Parcel], object] = lambda _: None,
) -> None:
    """Put objects, several at a time; each content is held to its SHA-256 before its object is there.

    Args:
        parcels: What; read only as far as there are threads for it.
        store: The root of the store in which contents are whose path is a text.
        jobs: Threads, each with the bytes of one pack in memory.
        done: Called after each, by the thread that put it.

    Raises:
        ObjectDamaged: A file has other bytes than it should.
        ObjectsRefused, ObjectsUnavailable: As their names say; some objects may be there by then.
    """

    def put(parcel: Parcel) -> None:
        if len(parcel.contents) == 1:
            (content,) = parcel.contents
            objects.put(parcel.key, _place(content, store), sha256=content.sha256, size=content.size)
        else:
            data = _packed(parcel, store)
            objects.put(parcel.key, (memoryview(data),), sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        done(parcel)

    if isinstance(parcels, list) and len(parcels) == 1:
        # for one alone nobody has to be hired
        put(parcels[0])
    else:
        Crew(jobs).do(put, parcels)


def _packed(parcel: Parcel, store: StorePath | None) -> bytearray:
    data = bytearray()
    with closing(_Reader(store)) as reader:
        for content in parcel.contents:
            found = reader.read(content)
            if hashlib.sha256(found).hexdigest() != content.sha256:
                raise ObjectDamaged(
                    f"The file {quote(_place(content, store))} has other bytes than it should have.",
                    subject=content.sha256,
                    hint="They changed since they were hashed. Nothing was put of it; run the same command again.",
                )
            data += found
    return data


def _place(content: Content, store: StorePath | None) -> fsops.Anywhere:
    path = content.path
    if not isinstance(path, str):
        return path
    if store is None:
        raise ObjectsRefused(f"{quote(path)} is in no store.", subject=content.sha256)
    return store.elsewhere(path)


class _Reader:
    """Small files, read one after the other; the folder of the one before in the store stays open."""

    def __init__(self, store: StorePath | None) -> None:
        self._store = store
        self._folders: KeptFolders | None = None

    def read(self, content: Content) -> bytes:
        """Return the bytes of a file; if there are more than it should have, at least one more.

        Raises:
            ObjectsRefused: It can't be read.
        """
        try:
            descriptor = self._open(content)
            try:
                # a regular file yields what there is
                found = os.read(descriptor, content.size + 1)
                while len(found) < content.size and (more := os.read(descriptor, content.size + 1 - len(found))):
                    found += more
                return found
            finally:
                os.close(descriptor)
        except OSError as error:
            raise ObjectsRefused(
                f"The file {quote(_place(content, self._store))} can't be read, and so not be put:"
                f" {error.strerror or error}.",
                subject=content.sha256,
                hint=next_step(error.errno),
            ) from error

    def close(self) -> None:
        """Close the folder."""
        if self._folders is not None:
            self._folders.close()
        self._folders = None

    def _open(self, content: Content) -> int:
        path = content.path
        if not isinstance(path, str) or self._store is None:
            return fsops.open_file(_place(content, self._store))
        if self._folders is None:
            self._folders = KeptFolders(self._store)
        return self._folders.open(path)

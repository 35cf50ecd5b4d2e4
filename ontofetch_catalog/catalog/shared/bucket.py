"""Objects in a bucket of Amazon S3 or of a server that speaks its protocol, by obstore.

A small object is one conditional request. A large one is written in parts under a name of its own and copied by the
server to its key, on the condition that there is none. What an answer would have said that never came is looked up.
"""

from __future__ import annotations

import random
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ontofetch_hookspecs.names import quote

from ...errors import ObjectMissing, ObjectsRefused, ObjectsUnavailable, UsageError
from . import bucket_signs
from .bucket_errors import Trouble, trouble_of
from .object_store import MAX_AGE, PIECE, UNFINISHED, Buffer, ObjectStore, Stored
from .signs import POINTERS, Sign
from .waiting import wait_for

if TYPE_CHECKING:
    from obstore import Bytes
    from obstore.store import S3Store

WHOLE = 64 << 20  # bytes of the largest object that is put in one request, from memory
LARGEST_COPY = 5 << 30  # bytes that S3 copies at once
LEAST_RATE = 250_000  # bytes per second below which a line is too slow for an object of that size
PAGE = 1000  # names that one request lists, as many as S3 has in an answer
MOST_PARTS = 9_000  # of an object; S3 takes 10,000
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_PART = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._=+@-]+")
_T = TypeVar("_T")


class _BeyondEnd(ObjectsRefused):
    """An object has nothing where something is asked for."""


class BucketObjects(ObjectStore):
    """Objects in a bucket.

    Args:
        address: `s3://bucket/prefix`.
        config: Endpoint, region and credentials, see `credentials`; the environment has the rest.
        timeout: Seconds for which a request without many bytes may take.
        retries: How often a failed request is tried again.

    Raises:
        UsageError: The address names no bucket, or the configuration is off.
    """

    scheme = "s3"

    def __init__(self, address: str, *, config: Mapping[str, Any], timeout: float, retries: int) -> None:
        super().__init__(address)
        bucket, prefix = _parse(address)
        self._prefix = prefix
        self._retries = retries
        self._store = _connect(bucket, prefix, config, timeout, retries)
        self._patient = _connect(bucket, prefix, config, timeout + WHOLE / LEAST_RATE, retries)

    def prepare(self) -> None:
        """Try a key twice with different bytes; a server that lets the second replace the first keeps no promise."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        key = f"{UNFINISHED}/{uuid.uuid4().hex}"
        self._ask(lambda: obstore.put(self._store, key, b"1", mode="create"), key)
        try:
            self._ask(lambda: obstore.put(self._store, key, b"2", mode="create"), key)
        except AlreadyExistsError:
            return
        finally:
            self._ask(lambda: obstore.delete(self._store, [key]), key)
        raise ObjectsRefused(
            f"The server of {self.address} replaces objects though it is told not to (If-None-Match).",
            subject=self.address,
            hint="A catalog would lose bytes there. Name another server, or a folder: file:///mnt/shared/objects.",
        )

    def sweep(self, older_than: float = MAX_AGE) -> int:
        """Remove objects below `tmp` that are older; parts of uploads that broke off are for a rule of the bucket."""
        limit = datetime.now(UTC) - timedelta(seconds=older_than)
        old = [name for name, _, modified in self._pages(UNFINISHED) if modified < limit]
        self._delete(old)
        return len(old)

    def _put(self, key: str, chunks: Iterator[Buffer], sha256: str, size: int) -> None:
        if size <= WHOLE:
            parts = list(chunks)
            # one is not copied: it may be a whole pack
            data = parts[0] if len(parts) == 1 else b"".join(parts)
            self._new(key, sha256, size, lambda: self._send(key, data))
            return
        if size > LARGEST_COPY:
            if self._stat(key) is None:
                # not conditional: what could come between has the same boundary and the same hash in its key
                self._send_parts(key, chunks, size)
            elif not self.matches(key, sha256, size):
                raise self.occupied(key)
            return
        temporary = f"{UNFINISHED}/{uuid.uuid4().hex}"
        try:
            self._send_parts(temporary, chunks, size)
            self._new(key, sha256, size, lambda: self._copy(temporary, key))
        finally:
            # what can't be removed now is swept later
            with suppress(ObjectsUnavailable, ObjectsRefused):
                self._delete([temporary])

    def _new(self, key: str, sha256: str, size: int, act: Callable[[], object]) -> None:
        """Do what makes a new object; where one is there, an earlier try may have made it: its bytes are looked at."""
        from obstore.exceptions import AlreadyExistsError

        try:
            act()
        except AlreadyExistsError:
            pass
        else:
            return
        if not self.matches(key, sha256, size):
            raise self.occupied(key)

    def _send(self, key: str, data: Buffer) -> object:
        import obstore

        return self._ask(
            lambda: obstore.put(self._patient, key, data, mode="create", use_multipart=False), key, again=True
        )

    def _send_parts(self, name: str, chunks: Iterator[Buffer], size: int) -> None:
        import obstore

        part = max(PIECE, size // MOST_PARTS + 1)
        self._ask(
            lambda: obstore.put(self._patient, name, chunks, use_multipart=True, chunk_size=part, max_concurrency=4),
            name,
        )

    def _copy(self, source: str, key: str) -> object:
        import obstore

        return self._ask(lambda: obstore.copy(self._patient, source, key, overwrite=False), key, again=True)

    def _get(self, key: str, offset: int, length: int) -> bytes:
        import obstore

        def act() -> Bytes:
            return obstore.get_range(self._patient, key, start=offset, length=length)

        try:
            return bytes(self._ask(act, key, again=True))
        except _BeyondEnd:
            raise self.too_short(key, offset, offset + length) from None

    def _stat(self, key: str) -> int | None:
        import obstore

        try:
            return int(self._ask(lambda: obstore.head(self._store, key), key, again=True)["size"])
        except ObjectMissing:
            # the answer to a HEAD has no body, which would say whether it is the bucket that is missing
            next(self._pages(UNFINISHED), None)
            return None

    def _delete(self, keys: Sequence[str]) -> None:
        import obstore

        if keys:
            self._ask(lambda: obstore.delete(self._store, keys), keys[0], again=True)

    def _list(self, prefix: str) -> Iterator[Stored]:
        folder = prefix.rpartition("/")[0]
        for name, size, modified in self._pages(folder):
            yield Stored(name, size, modified)

    def _pages(self, folder: str) -> Iterator[tuple[str, int, datetime]]:
        """Yield (name, bytes, modified) of what is below a folder of the bucket, asked for by pages."""
        import obstore

        def page() -> list[Any]:
            # from the beginning each time: a stream that had an error says next that it is at its end
            return list(next(obstore.list(self._store, folder or None, offset=last, chunk_size=PAGE), []))

        last: str | None = None
        while True:
            found = self._ask(page, folder, again=True)
            if not found:
                return
            for item in found:
                yield item["path"], item["size"], item["last_modified"]
            last = found[-1]["path"]

    def _pointers(self) -> list[str]:
        return [name.removeprefix(f"{POINTERS}/") for name, _, _ in self._pages(POINTERS)]

    def _sign(self, name: str) -> Sign | None:
        return bucket_signs.read(self._store, partial(self._ask, again=True), name)

    def _set_sign(self, name: str, data: bytes, former: str | None) -> bool:
        return bucket_signs.replace(self._store, partial(self._ask, again=True), name, data, former)

    # --- asking -------------------------------------------------------------------------------------------------------

    def _ask(self, act: Callable[[], _T], name: str, *, again: bool = False) -> _T:
        """Return what the server answers; obstore's AlreadyExistsError is left to the caller.

        Args:
            act: Makes the request.
            name: What it is about.
            again: Whether a request whose answer was lost, or of a kind that obstore does not repeat, is sent again:
                what it does is the same the second time, or is refused.

        Raises:
            ObjectsRefused, ObjectsUnavailable: As their names say.
        """
        tried = 0
        while True:
            trouble = self._try(act)
            if not isinstance(trouble, Trouble):
                return trouble
            tried += 1
            if not (again and trouble.passes and tried <= self._retries):
                # outside of the clause that caught it: what a server wrote may repeat what it was sent
                raise self._error(trouble, name)
            time.sleep(random.uniform(0.5, 1.0) * min(5.0, 0.1 * 2**tried))  # noqa: S311 (a pause)

    def _try(self, act: Callable[[], _T]) -> _T | Trouble:
        from obstore.exceptions import BaseError

        try:
            return wait_for(act)
        except (BaseError, OSError, ValueError) as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            return trouble

    def _error(self, trouble: Trouble, name: str) -> ObjectsRefused | ObjectsUnavailable:
        if trouble.missing:
            return self.missing(name)
        if trouble.status == 416:
            return _BeyondEnd("There are no such bytes.", subject=name)
        kind = ObjectsUnavailable if trouble.passes else ObjectsRefused
        return kind(
            f"The objects in {self.address} can't be reached: {trouble.reason}.", subject=name, hint=trouble.hint
        )


def _parse(address: str) -> tuple[str, str]:
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    prefix = prefix.rstrip("/")
    if not _BUCKET.fullmatch(bucket) or not all(_PART.fullmatch(part) for part in prefix.split("/") if prefix):
        # an address with credentials in it is not repeated
        shown = "s3://…" if "@" in bucket else quote(address)
        raise UsageError(
            f"{shown} names no bucket.",
            subject="objects",
            hint="Write s3://bucket/prefix with letters, digits and . _ = + @ -; keys are in AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY.",
        )
    return bucket, prefix


def _connect(bucket: str, prefix: str, config: Mapping[str, Any], timeout: float, retries: int) -> S3Store:
    from obstore.store import S3Store

    given = {**config, "checksum_algorithm": "SHA256", "copy_if_not_exists": "multipart"}
    allow_http = bool(given.pop("allow_http", False))
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=given,  # type: ignore[arg-type] # a TypedDict, of which each key is known to obstore
        client_options={
            "allow_http": allow_http,
            "timeout": timedelta(seconds=timeout),
            "connect_timeout": timedelta(seconds=min(timeout, 10.0)),
            "user_agent": "ontofetch",
        },
        retry_config={
            "max_retries": retries,
            "retry_timeout": timedelta(seconds=max(2 * timeout, 60.0)),
            "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
        },
    )

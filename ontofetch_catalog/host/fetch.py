"""The fetching of an artifact: from a local file or a server into a stage, or from a copy that is there already.

It hashes while the bytes pass by, and knows nothing of what is inside them.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs import DownloadRecord, Stage
from ontofetch_hookspecs.file_checks import has_bytes
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.stages import CHUNK, StagedFile
from ontofetch_hookspecs.store_paths import below_root

from ..errors import FetchError
from ..rendering.progress import Update
from .artifact_names import name_of_answer
from .copies import Copy, choose, conditions_of, copy_of_stage, find_copies, find_same, length_of
from .demands import check_checksum, check_sha256, check_space, unreadable
from .inspection import Inspection, credentials_of, secrets_of
from .sources import Source

if TYPE_CHECKING:
    import httpx

    from .http import Exchange
    from .http_options import HttpOptions

STAGED = "src"  # the folder of the bytes inside a stage, whose own files then never meet an artifact's name
_CHECK_EVERY = 64 << 20  # bytes of a body whose length the server does not tell
_log = logging.getLogger("ontofetch.fetch")


def fetch(
    root: Path,
    source: Source,
    *,
    known: DownloadRecord | None,
    options: HttpOptions,
    sha256: str | None = None,
    checksum: str | None = None,
    expected_by: str = "--sha256",
    accept_any: bool = False,
    progress: Update,
) -> Copy:
    """Return a whole copy of `source`: newly staged, staged by a run that did not get further, or the recorded one.

    Args:
        known: The last record of its URL.
        options: How servers are asked.
        sha256: What its bytes must have; a copy that has it needs no server.
        checksum: Another checksum that its bytes must have, `sha512:…`, `sha1:…` or `md5:…`; None if there is none.
        expected_by: Who says so, as it stands in a sentence.
        accept_any: Whether web pages, error messages and pointers are taken for the artifact as well.
        progress: Is told how many bytes have arrived, and of how many.

    Raises:
        FetchError: It can't be fetched, is no document, or has another sha256; then nothing is staged.
        StageError: The disk refuses.
    """
    # what is recorded under an ambiguous URL may be other bytes: then only --sha256 can tell
    resumed = None if source.is_ambiguous else Stage.resume(root, url=source.url)
    copies = find_copies(root, resumed, known)
    if source.is_ambiguous:
        copies = [copy for copy in copies if copy.sha256 == sha256]
    found: Copy | None = None
    inspect = partial(Inspection, source, accept_any=accept_any, secrets=tuple(secrets_of(source, options.headers)))

    def find() -> Copy:
        copy = next((copy for copy in copies if copy.sha256 == sha256), None)
        if copy is not None:
            return copy
        if source.path is not None:
            return _from_file(root, source, source.path, copies, inspection=inspect(), progress=progress)
        return _from_server(root, source, copies, options, inspect=inspect, progress=progress)

    try:
        found = find()
        if found.record is not None and not has_bytes(below_root(root, found.path), found.size_bytes, found.sha256):
            _log.warning("%s is not what was recorded any more: it is fetched anew", quote(found.path))
            copies = [copy for copy in copies if copy.record is None]
            found = find()
    finally:
        if resumed is not None and found is None:
            resumed.close()
        elif resumed is not None and found is not None and found.stage is not resumed:
            resumed.discard()
    check_sha256(found, source, sha256, expected_by)
    if checksum is not None:
        check_checksum(root, found, source, checksum, expected_by)
    return found


def _from_file(
    root: Path, source: Source, path: Path, copies: Sequence[Copy], *, inspection: Inspection, progress: Update
) -> Copy:
    with _reading(path) as (stream, size):
        if any(copy.size_bytes == size for copy in copies):
            digest = _digest(stream, path, lambda read: progress(read, size))
            for copy in copies:
                if copy.sha256 == digest:
                    return copy
            stream.seek(0)
        check_space(root, size, source.label)
        with _staging(root, source, source.label, {}) as (stage, staged):
            while chunk := _read(stream, path):
                inspection.see(chunk)
                staged.write(chunk)
                progress(staged.size, size)
            inspection.end()
        return copy_of_stage(stage)


@contextmanager
def _reading(path: Path) -> Iterator[tuple[BufferedReader, int]]:
    try:
        # without O_NONBLOCK a pipe would wait for a writer before its kind can be looked at
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(path, error) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        # a folder can't even be made a stream of
        os.close(descriptor)
        raise FetchError(
            f"{quote(path)} is {'a folder' if stat.S_ISDIR(found.st_mode) else 'no regular file'}.",
            subject=str(path),
            hint="Name a file or an archive.",
        )
    with os.fdopen(descriptor, "rb") as stream:
        yield stream, found.st_size


def _read(stream: BufferedReader, path: Path) -> bytes:
    try:
        return stream.read(CHUNK)
    except OSError as error:
        # inside the writing of a stage it would look like the stage's
        raise unreadable(path, error) from error


def _digest(stream: BufferedReader, path: Path, told: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    while chunk := _read(stream, path):
        digest.update(chunk)
        told(stream.tell())
    return digest.hexdigest()


def _from_server(
    root: Path,
    source: Source,
    copies: Sequence[Copy],
    options: HttpOptions,
    *,
    inspect: Callable[[], Inspection],
    progress: Update,
) -> Copy:
    from .http import Exchange

    exchange = Exchange(source, options)
    # what is recorded under an URL with hidden values may stand for another one: its bytes are asked for
    conditions = {} if source.hides_values else conditions_of(copies)

    def take(response: httpx.Response) -> Copy | None:
        if response.status_code == 304 and conditions:
            return choose(response, copies)
        if response.status_code not in (200, 203):
            raise exchange.refused(response)
        return find_same(response, copies) or _receive(root, exchange, response, inspect(), progress)

    found = exchange.get(conditions, take)
    if found is None:
        # `unchanged`, but not which of several: then the bytes must come
        conditions = {}
        found = exchange.get(conditions, take)
    if found is None:
        raise FetchError(f"{quote(source.shown)} answers with nothing.", subject=source.shown)
    return replace(found, came_from=exchange.visited[-1] if exchange.visited else None)


def _receive(
    root: Path, exchange: Exchange, response: httpx.Response, inspection: Inspection, progress: Update
) -> Copy:
    source = exchange.source
    length = length_of(response)
    told = {name: _plain_header(response, name) for name in ("etag", "last-modified", "content-type")}
    name = source.name or name_of_answer(
        exchange.visited,
        response.headers.get("content-disposition"),
        response.headers.get("content-type"),
        secrets=credentials_of(source, exchange.options.headers),
    )
    check_space(root, length or 0, name)
    document = exchange.document(response, name)
    # what is announced is the length on the way
    size = None if document.is_coded else length
    with _staging(root, source, name, told) as (stage, staged):
        checked = 0
        for chunk in document:
            inspection.see(chunk)
            staged.write(chunk)
            progress(staged.size, size)
            if size is None and staged.size - checked > _CHECK_EVERY:
                checked = staged.size
                check_space(root, 0, name)
        inspection.end()
    return replace(copy_of_stage(stage), length_known=length is not None)


def _plain_header(response: httpx.Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value if value and value.isascii() and value.isprintable() and len(value) <= 1000 else None


@contextmanager
def _staging(root: Path, source: Source, name: str, told: dict[str, str | None]) -> Iterator[tuple[Stage, StagedFile]]:
    """Write the artifact into a new stage; what did not become whole is removed, since it can't be resumed."""
    stage = Stage.create(root, url=source.url, etag=told.get("etag"))
    try:
        with stage.write_file(f"{STAGED}/{name}") as staged:
            yield stage, staged
        stage.complete(staged, last_modified=told.get("last-modified"), content_type=told.get("content-type"))
    except BaseException:
        stage.discard()
        raise

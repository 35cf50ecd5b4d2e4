"""Own the fetching of a source into a stage: local files, and http(s) with retries, conditions and redirects.

It hashes while the bytes pass by, and knows nothing of what is inside them. Credentials go to the host they are for,
and neither into a record nor into a message.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from ontofetch_hookspecs import ArtifactRecord, Stage
from ontofetch_hookspecs.names import quote, redact_url, relpath_fault
from ontofetch_hookspecs.stages import CHUNK

from ..errors import FetchError, UsageError

if TYPE_CHECKING:
    import httpx

_SOURCE = "src"
_MARGIN = 64 << 20  # bytes that stay free beside the artifact: catalog and audits need room too
_MOST_REDIRECTS = 10
_MOST_WAIT = 120.0  # seconds that a Retry-After may ask for
Progress = Callable[[int, int | None], None]
_log = logging.getLogger("ontofetch.fetch")


@dataclass(frozen=True, slots=True)
class Source:
    """Where an artifact comes from: the URL with what may be secret in it, the artifact's name, the path if local."""

    url: str
    name: str
    path: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An artifact that has arrived.

    Args:
        stage: The stage that holds it; None if the server says that the known one has not changed.
        path: The staged file; None without a stage.
        sha256, size_bytes: Of the artifact.
        etag, last_modified, content_type: What the server said.
    """

    stage: Stage | None
    path: Path | None
    sha256: str
    size_bytes: int
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None


def parse_source(text: str) -> Source:
    """Return the source that `text` names: a path, a `file:` or an `http(s):` URL.

    Raises:
        UsageError: It is of another kind, or its last part can't be the name of a file.
    """
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise UsageError(f"The source {quote(redact_url(text))} can't be read as an URL.", subject="SOURCE") from error
    if parts.scheme in ("http", "https") and parts.hostname:
        return Source(text, _name_of(unquote(parts.path.rpartition("/")[2]), text), None)
    if parts.scheme == "file" and parts.hostname in (None, "localhost"):
        path = Path(url2pathname(parts.path))
    elif "://" in text:
        raise UsageError(
            f"The source {quote(redact_url(text))} is none of path, file:, http: and https:.", subject="SOURCE"
        )
    else:
        path = Path(text)
    path = Path(os.path.abspath(path))
    return Source(path.as_uri(), _name_of(path.name, text), path)


def _name_of(name: str, source: str) -> str:
    fault = relpath_fault(name)
    if fault is not None or "/" in name:
        raise UsageError(
            f"The source {quote(redact_url(source))} does not end in the name of a file.",
            subject="SOURCE",
            hint="Name the file itself, not a folder or a page.",
        )
    return name


def fetch_file(root: Path, source: Source, progress: Progress) -> Fetched:
    """Copy a local file into a new stage, hashing on the way.

    Raises:
        FetchError: It can't be read or is no regular file, or there is no room for it.
        StageError: The stage can't be written.
    """
    path = source.path or Path()
    with _reading(path) as (stream, size):
        check_space(root, size, source.name)
        stage = Stage.create(root, url=source.url)
        with _discarded_on_error(stage), stage.write_file(f"{_SOURCE}/{source.name}") as staged:
            while True:
                chunk = os.read(stream, CHUNK)
                if not chunk:
                    break
                staged.write(chunk)
                progress(staged.size, size)
        stage.complete(staged)
    return Fetched(stage=stage, path=staged.path, sha256=staged.sha256, size_bytes=staged.size)


@contextmanager
def _reading(path: Path) -> Iterator[tuple[int, int]]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise FetchError(
            f"The file {quote(path)} can't be read: {error.strerror}.", subject=str(path), hint="Look at its name."
        ) from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise FetchError(f"{quote(path)} is no regular file.", subject=str(path), hint="Pack a folder first.")
        yield descriptor, found.st_size
    finally:
        os.close(descriptor)


@contextmanager
def _discarded_on_error(stage: Stage) -> Iterator[None]:
    """Remove a stage that did not become whole: what it holds can't be resumed."""
    try:
        yield
    except BaseException:
        stage.discard()
        raise


def check_space(root: Path, size: int, name: str) -> None:
    """Check that an artifact of `size` bytes fits below `root`.

    Raises:
        FetchError: It does not.
    """
    folder = root
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if size + _MARGIN > free:
        raise FetchError(
            f"{quote(name)} has {size:,} bytes, but only {free:,} are free below {quote(root)}.",
            subject=name,
            hint="Free some space, or give another folder with --root.",
        )


class HttpFetcher:
    """Fetch one source over http(s)."""

    def __init__(
        self,
        root: Path,
        source: Source,
        *,
        headers: Mapping[str, str],
        timeout: float,
        retries: int,
        progress: Progress,
    ) -> None:
        self.root = root
        self.source = source
        self.headers = dict(headers)
        self.timeout = timeout
        self.retries = retries
        self.progress = progress

    def fetch(self, known: ArtifactRecord | None) -> Fetched:
        """Fetch the source, or learn that it is what is known or what a stage holds already.

        Args:
            known: The last record of this URL, if its file still is on disk.

        Raises:
            FetchError: The server refuses, or the connection breaks more often than it is tried again.
            StageError: The stage can't be written.
        """
        import httpx
        from httpx_retries import Retry, RetryTransport

        staged = Stage.resume(self.root, url=self.source.url)
        retry = Retry(total=self.retries, backoff_factor=0.5, max_backoff_wait=_MOST_WAIT, total_timeout=2 * _MOST_WAIT)
        transport = RetryTransport(transport=httpx.HTTPTransport(), retry=retry)
        try:
            with httpx.Client(transport=transport, timeout=self.timeout, follow_redirects=False) as client:
                fetched = self._try_often(client, known, staged)
        except BaseException:
            if staged is not None:
                staged.close()
            raise
        if staged is not None and fetched.stage is not staged:
            staged.discard()
        return fetched

    def _try_often(self, client: httpx.Client, known: ArtifactRecord | None, staged: Stage | None) -> Fetched:
        """Begin again when a body breaks in the middle: the transport can only repeat what has not begun to answer."""
        import httpx

        for attempt in range(self.retries + 1):
            try:
                return self._fetch_once(client, known, staged)
            except (httpx.TransportError, httpx.InvalidURL, httpx.StreamError) as error:
                what = str(error) or type(error).__name__
                if attempt == self.retries or isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
                    raise FetchError(
                        f"{quote(redact_url(self.source.url))} can't be fetched: {what}.",
                        subject=redact_url(self.source.url),
                        hint="Check the address and the network, then run the same command again.",
                    ) from error
                _log.warning("the download broke (%s), it is tried again", what)
                time.sleep(min(0.5 * 2**attempt, _MOST_WAIT))
        raise AssertionError

    def _fetch_once(self, client: httpx.Client, known: ArtifactRecord | None, staged: Stage | None) -> Fetched:
        with self._open(client, _conditions(known, staged)) as response:
            if response.status_code == 304:
                found = _unchanged(response, known, staged)
                if found is not None:
                    return found
            elif response.status_code == 200:
                return self._receive(response)
            else:
                raise self._refused(response)
        with self._open(client, {}) as response:
            if response.status_code != 200:
                raise self._refused(response)
            return self._receive(response)

    @contextmanager
    def _open(self, client: httpx.Client, conditions: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Send the request and follow redirects by hand, so that credentials stay with their host."""
        import httpx

        url = httpx.URL(self.source.url)
        home = _origin(url)
        # the bytes that are hashed are the artifact's own, not a transport's compression of them
        plain = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "ontofetch", **conditions}
        for _ in range(_MOST_REDIRECTS):
            ours = _origin(url) == home
            target = url.copy_with(username=None, password=None) if not ours else url
            request = client.build_request("GET", target, headers={**plain, **(self.headers if ours else {})})
            auth = httpx.BasicAuth(url.username, url.password) if ours and url.userinfo else None
            response = client.send(request, stream=True, auth=auth)
            if not response.has_redirect_location:
                try:
                    yield response
                finally:
                    response.close()
                return
            response.close()
            url = _redirected(url, response.headers["location"])
        raise FetchError(
            f"{quote(redact_url(self.source.url))} redirects more than {_MOST_REDIRECTS} times.",
            subject=redact_url(self.source.url),
        )

    def _receive(self, response: httpx.Response) -> Fetched:
        length = response.headers.get("content-length", "")
        size = int(length) if length.isascii() and length.isdigit() else None
        check_space(self.root, size or 0, self.source.name)
        told = {name: _header(response, name) for name in ("etag", "last-modified", "content-type")}
        stage = Stage.create(self.root, url=self.source.url, etag=told["etag"])
        with _discarded_on_error(stage), stage.write_file(f"{_SOURCE}/{self.source.name}") as staged:
            for chunk in response.iter_raw(CHUNK):
                staged.write(chunk)
                self.progress(staged.size, size)
        stage.complete(staged, last_modified=told["last-modified"], content_type=told["content-type"])
        return Fetched(
            stage=stage,
            path=staged.path,
            sha256=staged.sha256,
            size_bytes=staged.size,
            etag=told["etag"],
            last_modified=told["last-modified"],
            content_type=told["content-type"],
        )

    def _refused(self, response: httpx.Response) -> FetchError:
        address = redact_url(self.source.url)
        hints = {
            401: "It wants credentials: give them with --header 'Authorization: …'.",
            403: "It wants other credentials: give them with --header 'Authorization: …'.",
            404: "Check the address.",
            410: "The publisher took it away.",
        }
        hint = hints.get(response.status_code, "Try again later.")
        return FetchError(
            f"{quote(address)} answers {response.status_code} {response.reason_phrase}.", subject=address, hint=hint
        )


def _conditions(known: ArtifactRecord | None, staged: Stage | None) -> dict[str, str]:
    """Return the headers that let the server say `304 Not Modified` (RFC 9110, 13.1)."""
    marks = [mark for mark in (staged.record.etag if staged else None, known.etag if known else None) if mark]
    if marks:
        return {"If-None-Match": ", ".join(dict.fromkeys(marks))}
    date = (staged.record.last_modified if staged else None) or (known.last_modified if known else None)
    return {"If-Modified-Since": date} if date else {}


def _unchanged(response: httpx.Response, known: ArtifactRecord | None, staged: Stage | None) -> Fetched | None:
    """Return what a 304 stands for: the staged bytes or the known artifact; None if that can't be told."""
    mark = response.headers.get("etag")
    if (
        staged is not None
        and staged.record.name is not None
        and (mark is None or mark == staged.record.etag or not known)
    ):
        record = staged.record
        return Fetched(
            stage=staged,
            path=staged.path / str(record.name),
            sha256=str(record.sha256),
            size_bytes=int(record.size or 0),
            etag=record.etag,
            last_modified=record.last_modified,
            content_type=record.content_type,
        )
    if known is not None and (mark is None or mark == known.etag or known.etag is None):
        return Fetched(
            stage=None,
            path=None,
            sha256=known.artifact_id,
            size_bytes=known.size_bytes,
            etag=known.etag,
            last_modified=known.last_modified,
            content_type=known.content_type,
        )
    return None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _redirected(url: httpx.URL, location: str) -> httpx.URL:
    target = url.join(location)
    if target.scheme not in ("http", "https"):
        raise FetchError(
            f"{quote(redact_url(str(url)))} redirects to {quote(redact_url(str(target)))}, which is not http or https.",
            subject=redact_url(str(url)),
        )
    # a fragment or credentials in a Location are nothing that we asked for
    return target.copy_with(fragment=None, username=None, password=None) if _origin(target) != _origin(url) else target


def _header(response: httpx.Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value if value and value.isprintable() and len(value) <= 1000 else None

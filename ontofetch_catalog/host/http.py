"""One conversation with a server: redirects, credentials, conditions, retries.

Credentials go to the host they are for, and neither into a record nor into a message. What becomes of the bytes is
not known here.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from importlib.metadata import version
from typing import TypeVar

import httpx
from httpx_retries import Retry

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.redaction import redact_url
from ontofetch_hookspecs.stages import CHUNK

from ..errors import FetchError
from .addresses import Gate
from .encodings import Decoded, codings_of
from .http_options import HttpOptions
from .meter import Meter
from .sources import Source
from .transport import LOCATION, Transport

# what says which syntaxes are read here, best ones first; a server that has none of them sends what it has
ACCEPT = (
    "text/turtle, application/rdf+xml, application/owl+xml;q=0.9, application/n-triples;q=0.9, text/obo;q=0.9, "
    "application/obo;q=0.9, application/n-quads;q=0.8, application/trig;q=0.8, application/ld+json;q=0.8, "
    "text/owl-functional;q=0.7, text/owl-manchester;q=0.7, text/n3;q=0.5, */*;q=0.1"
)
MOST_REDIRECTS = 10
MOST_LEFT = 64 << 10  # bytes of an answer that nobody wants: reading them is quicker than another connection
LONGEST_WAIT = 120.0  # seconds: a server that wants to be left alone for longer is
REDIRECTS = (301, 302, 303, 307, 308)
MOST_REASON = 200  # characters of what a library says, which may repeat what a server sent
RETRIED = (408, 425, 429, 500, 502, 503, 504)
_HINTS = {
    401: "It wants credentials: --header-file, the environment and ~/.netrc carry them, and so does --header.",
    403: "It refuses these credentials, or wants some: --header-file and --header carry them.",
    404: "Check the address.",
    410: "The publisher has taken it away.",
}
_PORTS = {"http": 80, "https": 443}
_STATUS_NAMES = {status.value: status.phrase for status in HTTPStatus}
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
# labels as DNS and certificates know them (RFC 1035, 2.3.4), or an IPv6 address with its scope
_HOST = re.compile(r"[A-Za-z0-9_~-]{1,63}(\.[A-Za-z0-9_~-]{1,63})*\.?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._~%-]+)?")
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
Result = TypeVar("Result")
_log = logging.getLogger("ontofetch.fetch")


class Exchange:
    """Ask one server, and those it redirects to, for one source.

    Attributes:
        source: What is asked for.
        visited: What was asked for in the last try, and what it redirected to, in order; secrets may stand in it.
    """

    def __init__(self, source: Source, options: HttpOptions) -> None:
        self.source = source
        self.options = options
        self.visited: list[str] = []
        self._meter = Meter(
            source.shown,
            timeout=options.timeout,
            deadline=options.deadline,
            least_rate=options.least_rate,
            most_bytes=options.most_bytes,
        )
        self._gate = Gate(source.shown, open_=options.private_redirects, first=options.led_from)
        self._private = list(options.headers)
        if source.user is not None and not any(name.casefold() == "authorization" for name, _ in self._private):
            # RFC 7617, section 2.1: nothing but UTF-8 is of use today
            pair = base64.b64encode(f"{source.user}:{source.password or ''}".encode()).decode("ascii")
            self._private.append(("Authorization", f"Basic {pair}"))

    def get(self, conditions: Mapping[str, str], take: Callable[[httpx.Response], Result]) -> Result:
        """Ask, follow redirects, and let `take` read the answer; begin again when something passing goes wrong.

        Args:
            conditions: The headers that make the request conditional.
            take: Is given the response with its body still to be read; what it returns is returned.

        Raises:
            FetchError: The server refuses, or it goes wrong more often than it is tried again.
        """
        retry = Retry(
            total=self.options.retries,
            backoff_factor=self.options.backoff / 2,
            max_backoff_wait=LONGEST_WAIT,
            status_forcelist=RETRIED,
        )
        transport = Transport(self._meter, self._gate, self.source.shown, self.options.connections)
        with httpx.Client(transport=transport, timeout=self.options.timeout) as client:
            while True:
                cause: httpx.Response | httpx.HTTPError
                try:
                    with self._open(client, conditions) as response:
                        if not retry.is_retryable_status_code(response.status_code):
                            return take(response)
                        cause = response
                except httpx.HTTPError as error:
                    if not retry.is_retryable_exception(error):
                        raise self._failed(error) from error
                    cause = error
                pause = self._check_patience(cause, retry)
                retry = retry.increment()
                _log.warning("%s: trying again (%d of %d)", self._told(cause), retry.attempts_made, retry.total)
                transport.pause(min(pause or retry.backoff_strategy(), self._meter.check_deadline()))

    @property
    def kind(self) -> str | None:
        """Return the kind of address of the first server; None as long as none was asked."""
        return self._gate.kind

    @contextmanager
    def _open(self, client: httpx.Client, conditions: Mapping[str, str]) -> Iterator[httpx.Response]:
        # the bytes that are hashed are the artifact's own, so nobody need compress them for the way
        plain = {"Accept": ACCEPT, "Accept-Encoding": "identity", "User-Agent": _user_agent(), **conditions}
        private = self._private
        url = self._url_of(self.source.url)
        self.visited = []
        for _ in range(MOST_REDIRECTS + 1):
            self.visited.append(str(url))
            own = {name.casefold() for name, _ in private}
            headers = [(name, value) for name, value in plain.items() if name.casefold() not in own]
            request = client.build_request("GET", url, headers=[*headers, *private])
            response = client.send(request, stream=True)
            try:
                location = response.extensions[LOCATION]
                if response.status_code not in REDIRECTS or location is None:
                    self._meter.check_size(_declared(response))
                    yield response
                    return
                target = self._redirected(url, location)
            finally:
                self._end(response)
            if _origin(target) != _origin(url):
                # they do not come back either when a later redirect leads home
                private = []
                client.cookies.clear()
            url = target
        raise FetchError(
            f"{quote(self.source.shown)} redirects more than {MOST_REDIRECTS} times.", subject=self.source.shown
        )

    def _end(self, response: httpx.Response) -> None:
        """Close an answer; where its connection may serve again, the little that is left of it is read first."""
        left = _declared(response)
        with suppress(httpx.HTTPError, httpx.StreamError, FetchError):
            if self.options.connections is not None and 0 < left <= MOST_LEFT and not response.is_stream_consumed:
                for _ in response.iter_raw():
                    pass
        response.close()

    def document(self, response: httpx.Response, name: str) -> Decoded:
        """Return the document that an answer stands for, to be read once: its codings are undone.

        Args:
            response: The answer, whose body was not read yet.
            name: Of the artifact.

        Raises:
            FetchError: A coding can't be undone; while it is read also: it is damaged, or too much comes out.
            HTTPError: It breaks off.
        """
        return Decoded(
            response.iter_raw(CHUNK),
            codings_of(response.headers, self.source.shown),
            name=name,
            content_type=response.headers.get("content-type"),
            shown=self.source.shown,
            check=self._check_document,
            most_ratio=self.options.most_ratio,
        )

    def _check_document(self, size: int) -> None:
        self._meter.check_size(size)
        self._meter.check_deadline()

    def _redirected(self, url: httpx.URL, location: str) -> httpx.URL:
        scheme = _SCHEME.match(location)
        if scheme is not None and scheme[1].casefold() not in ("http", "https"):
            raise self._misled(f"an address of the kind {quote(scheme[1][:40] + ':')}, which is not http or https")
        try:
            target = url.join(location)
            sound = "\\" not in location and _is_sound(target)
        except (httpx.InvalidURL, ValueError):
            sound = False
        if not sound:
            raise self._misled("something that is no http or https address")
        if url.scheme == "https" and target.scheme == "http":
            raise self._misled(
                f"{quote(redact_url(str(target)))}, from https to http, where anybody on the way can change the bytes",
                "Use the address it redirects to, if you trust it and the network.",
            )
        # credentials in a Location are nothing that anybody asked for
        return target.copy_with(username=None, password=None, fragment=None)

    def _misled(self, where: str, hint: str = "Ask the publisher for the address of the file itself.") -> FetchError:
        shown = self.source.shown
        return FetchError(f"{quote(shown)} redirects to {where}.", subject=shown, hint=hint)

    def _url_of(self, text: str) -> httpx.URL:
        try:
            url = httpx.URL(text)
            reason = "" if _is_sound(url) else "its host can't be one"
        except (httpx.InvalidURL, ValueError) as error:
            reason = str(error).rstrip(".")
        if reason:
            raise FetchError(
                f"{quote(self.source.shown)} is no URL that can be asked for: {reason}.", subject=self.source.shown
            )
        return url

    def refused(self, response: httpx.Response) -> FetchError:
        """Return the error that says what the server answered."""
        status = response.status_code
        if status in RETRIED:
            hint = "Try again later."
        else:
            hint = _HINTS.get(status, "Look at the address in a browser." if status >= 400 else "Check the address.")
        return FetchError(f"{self._told(response)}.", subject=self.source.shown, hint=hint)

    def _check_patience(self, cause: httpx.Response | httpx.HTTPError, retry: Retry) -> float:
        """Return the seconds that the server wants to be left alone for (RFC 9110, 10.2.3), 0 if it does not say.

        Raises:
            FetchError: There are no tries left, or it is too long.
        """
        wanted = 0.0
        if isinstance(cause, httpx.Response):
            wanted = _wanted_pause(cause, retry)
            if wanted > LONGEST_WAIT:
                raise FetchError(
                    f"{self._told(cause)} and asks to come back in {wanted:,.0f} seconds.",
                    subject=self.source.shown,
                    hint="Run the same command again then.",
                )
            if retry.is_exhausted():
                raise self.refused(cause)
        elif retry.is_exhausted():
            raise self._failed(cause) from cause
        return wanted

    def _failed(self, error: httpx.HTTPError) -> FetchError:
        return FetchError(
            f"{self._told(error)}.",
            subject=self.source.shown,
            hint="Check the address and the network, then run the same command again.",
        )

    def _told(self, cause: httpx.Response | httpx.HTTPError) -> str:
        if isinstance(cause, httpx.Response):
            # what the server calls it may be long, or repeat a credential
            name = _STATUS_NAMES.get(cause.status_code, "")
            return f"{quote(self.source.shown)} answers {cause.status_code} {name}".rstrip()
        reason = _ERRNO.sub("", str(cause)).strip().rstrip(".")[:MOST_REASON] or type(cause).__name__
        return f"{quote(self.source.shown)} can't be fetched: {reason}"


def _user_agent() -> str:
    return f"ontofetch/{version('ontofetch-catalog')}"


def _is_sound(url: httpx.URL) -> bool:
    # an international name is decoded, or found to be none, only when it is asked for
    fits = url.host and _HOST.fullmatch(url.raw_host.decode("ascii"))
    return bool(fits) and url.scheme in _PORTS and (url.port is None or 0 < url.port < 65536)


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port or _PORTS.get(url.scheme)


def _declared(response: httpx.Response) -> int:
    """Return the length that the server declares, in bytes; 0 where it does not."""
    text = response.headers.get("content-length", "")[:40]
    return int(text) if text.isascii() and text.isdigit() else 0


def _wanted_pause(response: httpx.Response, retry: Retry) -> float:
    try:
        return retry.parse_retry_after(response.headers.get("retry-after", "0"))
    except (ValueError, OverflowError):
        # a year or a zone can be a number that no date holds
        return 0.0

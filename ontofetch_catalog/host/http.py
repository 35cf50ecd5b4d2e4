"""One conversation with a server: redirects, credentials, conditions, tries, and a body that is gone on with.

Credentials go to the host they are for, and neither into a record nor into a message. What becomes of the bytes is
not known here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from typing import NamedTuple, TypeVar

import httpx

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.redaction import redact_url

from ..errors import FetchError
from .addresses import Gate
from .encodings import Decoded, codings_of
from .http_options import HttpOptions
from .meter import Meter
from .sources import Source
from .transport import LOCATION, Transport
from .tries import Tries, failed, refused

# what says which syntaxes are read here, best ones first; a server that has none of them sends what it has
ACCEPT = (
    "text/turtle, application/rdf+xml, application/owl+xml;q=0.9, application/n-triples;q=0.9, text/obo;q=0.9, "
    "application/obo;q=0.9, application/n-quads;q=0.8, application/trig;q=0.8, application/ld+json;q=0.8, "
    "text/owl-functional;q=0.7, text/owl-manchester;q=0.7, text/n3;q=0.5, */*;q=0.1"
)
MOST_REDIRECTS = 10
MOST_LEFT = 64 << 10  # bytes of an answer that nobody wants: reading them is quicker than another connection
PIECE = 1 << 16  # bytes of a body that are handed on at once: what came of one piece is lost where the line breaks off
REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
# labels as DNS and certificates know them (RFC 1035, 2.3.4), or an IPv6 address with its scope
_HOST = re.compile(r"[A-Za-z0-9_~-]{1,63}(\.[A-Za-z0-9_~-]{1,63})*\.?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._~%-]+)?")
Result = TypeVar("Result")


class _Talk(NamedTuple):
    """What a request goes through, and how often yet."""

    client: httpx.Client
    tries: Tries


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
        transport = Transport(self._meter, self._gate, self.source.shown, self.options.connections)
        tries = Tries(self.source.shown, self.options, self._meter, transport)
        with httpx.Client(transport=transport, timeout=self.options.timeout) as client:
            self._talk = _Talk(client, tries)
            while True:
                cause: httpx.Response | httpx.HTTPError
                try:
                    with self._open(conditions) as response:
                        if not tries.is_passing(response):
                            return take(response)
                        cause = response
                except httpx.HTTPError as error:
                    if not tries.is_passing(error):
                        raise failed(self.source.shown, error) from error
                    cause = error
                tries.begin_next(cause)

    @property
    def kind(self) -> str | None:
        """Return the kind of address of the first server; None as long as none was asked."""
        return self._gate.kind

    @contextmanager
    def _open(self, conditions: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Ask, and follow redirects, with some more headers."""
        client = self._talk.client
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
            self._whole(response),
            codings_of(response.headers, self.source.shown),
            name=name,
            content_type=response.headers.get("content-type"),
            shown=self.source.shown,
            check=self._check_document,
            most_ratio=self.options.most_ratio,
        )

    def _whole(self, response: httpx.Response) -> Iterator[bytes]:
        """Yield a body as it comes; where it breaks off, what is left is asked for, if it must be of the same bytes.

        Raises:
            FetchError: There are no tries left.
            HTTPError: It breaks off, and all of it has to come again.
        """
        answer, total, tag, size = response, _declared(response), _tag_of(response), 0
        with ExitStack() as opened:
            while True:
                try:
                    for piece in answer.iter_raw(PIECE):
                        size += len(piece)
                        yield piece
                    if answer is not response and size != total:
                        raise httpx.RemoteProtocolError(f"{size:,} bytes came of {total:,}")
                except httpx.HTTPError as error:
                    if not (tag and 0 < size < total and self._talk.tries.is_passing(error)):
                        raise
                    answer = self._rest(response, size, error, opened)
                else:
                    return

    def _rest(self, begun: httpx.Response, size: int, broken: httpx.HTTPError, opened: ExitStack) -> httpx.Response:
        """Return an answer with what is left behind the first `size` bytes of one that broke off; `opened` closes it.

        Raises:
            FetchError: There are no tries left.
            HTTPError: The server has other bytes by now, or does not send parts of them.
        """
        total, tries = _declared(begun), self._talk.tries
        cause: httpx.Response | httpx.HTTPError = broken
        while tries.is_passing(cause):
            opened.close()
            tries.begin_next(cause, f"going on behind {size:,} of {total:,} bytes")
            try:
                # RFC 9110, 13.1.5: if the tag is that of other bytes by now, all of them come, and are left
                wanted = {"Range": f"bytes={size}-", "If-Range": _tag_of(begun)}
                cause = answer = opened.enter_context(self._open(wanted))
            except httpx.HTTPError as error:
                cause = error
            else:
                if _goes_on(answer, begun, f"bytes {size}-{total - 1}/{total}"):
                    return answer
        raise broken

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
        return refused(self.source.shown, response)


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


def _tag_of(response: httpx.Response) -> str:
    """Return by what a server knows the very bytes of an answer again, if it sends parts of them; else nothing."""
    tag = response.headers.get("etag", "")
    in_parts = response.headers.get("accept-ranges", "").strip().casefold() == "bytes"
    # a weak one may be that of other bytes
    return tag if in_parts and response.status_code == 200 and re.fullmatch(r'"[!#-~]{1,200}"', tag) else ""


def _goes_on(rest: httpx.Response, begun: httpx.Response, expected: str) -> bool:
    """Say whether an answer is the rest of one that broke off (RFC 9110, 14.4), in the same coding."""
    coding = begun.headers.get("content-encoding")
    told = " ".join(rest.headers.get("content-range", "").split())
    return rest.status_code == 206 and told == expected and rest.headers.get("content-encoding") == coding

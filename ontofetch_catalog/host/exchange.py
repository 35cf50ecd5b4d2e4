"""Own one conversation with a server: redirects, credentials, conditions, retries.

Credentials go to the host they are for, and neither into a record nor into a message. What becomes of the bytes is
not known here.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TypeVar

import httpx
from httpx_retries import Retry

from ontofetch_hookspecs.names import quote, redact_url

from ..errors import FetchError
from .sources import Source

MOST_REDIRECTS = 10
LONGEST_WAIT = 120.0  # seconds: a server that wants to be left alone for longer is
RETRIED = (408, 425, 429, 500, 502, 503, 504)
_HINTS = {
    401: "It wants credentials: give them with --header 'Authorization: …', or as https://user:password@host/….",
    403: "It refuses these credentials, or wants some: give them with --header 'Authorization: …'.",
    404: "Check the address.",
    410: "The publisher has taken it away.",
}
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
Result = TypeVar("Result")
_log = logging.getLogger("ontofetch.fetch")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How servers are asked.

    Args:
        headers: What the user wants to be sent; may be secret.
        timeout: Seconds to wait for a server to connect or to send more.
        retries: How often a failed request is tried again.
        backoff: Seconds before the second try; doubled with each further one.
    """

    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    timeout: float = 30.0
    retries: int = 4
    backoff: float = 0.5


class Exchange:
    """Ask one server, and those it redirects to, for one source."""

    def __init__(self, source: Source, options: HttpOptions) -> None:
        self.source = source
        self.options = options
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
        with httpx.Client(timeout=self.options.timeout, follow_redirects=False) as client:
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
                self._check_patience(cause, retry)
                retry = retry.increment()
                _log.warning("%s: trying again (%d of %d)", self._told(cause), retry.attempts_made, retry.total)
                retry.sleep(cause)

    @contextmanager
    def _open(self, client: httpx.Client, conditions: Mapping[str, str]) -> Iterator[httpx.Response]:
        # the bytes that are hashed are the artifact's own, not a transport's compression of them
        plain = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": _user_agent(), **conditions}
        private = self._private
        url = self._url_of(self.source.url)
        for _ in range(MOST_REDIRECTS + 1):
            own = {name.casefold() for name, _ in private}
            headers = [(name, value) for name, value in plain.items() if name.casefold() not in own]
            request = client.build_request("GET", url, headers=[*headers, *private])
            response = client.send(request, stream=True)
            try:
                if not response.has_redirect_location:
                    yield response
                    return
                target = self._redirected(url, response.headers["location"])
            finally:
                response.close()
            if _origin(target) != _origin(url):
                # they do not come back either when a later redirect leads home
                private = []
                client.cookies.clear()
            url = target
        raise FetchError(
            f"{quote(self.source.shown)} redirects more than {MOST_REDIRECTS} times.", subject=self.source.shown
        )

    def _redirected(self, url: httpx.URL, location: str) -> httpx.URL:
        # httpx has refused what is no URL
        target = url.join(location)
        shown = quote(redact_url(str(target)))
        if target.scheme not in ("http", "https") or not target.host:
            raise FetchError(
                f"{quote(self.source.shown)} redirects to {shown}, which is not http or https.",
                subject=self.source.shown,
            )
        if self._private and url.scheme == "https" and target.scheme == "http":
            raise FetchError(
                f"{quote(self.source.shown)} redirects from https to {shown}, which would send credentials openly.",
                subject=self.source.shown,
                hint="Use the address it redirects to, if you trust it.",
            )
        # credentials in a Location are nothing that anybody asked for
        return target.copy_with(username=None, password=None, fragment=None)

    def _url_of(self, text: str) -> httpx.URL:
        try:
            return httpx.URL(text)
        except httpx.InvalidURL as error:
            raise FetchError(
                f"{quote(self.source.shown)} is no URL that can be asked for: {error}.", subject=self.source.shown
            ) from error

    def refused(self, response: httpx.Response) -> FetchError:
        """Return the error that says what the server answered."""
        status = response.status_code
        if status in RETRIED:
            hint = "Try again later."
        else:
            hint = _HINTS.get(status, "Look at the address in a browser." if status >= 400 else "Check the address.")
        return FetchError(f"{self._told(response)}.", subject=self.source.shown, hint=hint)

    def _check_patience(self, cause: httpx.Response | httpx.HTTPError, retry: Retry) -> None:
        """Raise if there are no tries left, or the server wants to be left alone for long (RFC 9110, 10.2.3)."""
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

    def _failed(self, error: httpx.HTTPError) -> FetchError:
        return FetchError(
            f"{self._told(error)}.",
            subject=self.source.shown,
            hint="Check the address and the network, then run the same command again.",
        )

    def _told(self, cause: httpx.Response | httpx.HTTPError) -> str:
        if isinstance(cause, httpx.Response):
            return f"{quote(self.source.shown)} answers {cause.status_code} {cause.reason_phrase}".rstrip()
        reason = _ERRNO.sub("", str(cause)).strip().rstrip(".") or type(cause).__name__
        if isinstance(cause, httpx.TimeoutException):
            reason = f"nothing came for {self.options.timeout:g} seconds"
        return f"{quote(self.source.shown)} can't be fetched: {reason}"


def _user_agent() -> str:
    return f"ontofetch/{version('ontofetch-catalog')}"


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}
    return url.scheme, url.host, url.port or default.get(url.scheme)


def _wanted_pause(response: httpx.Response, retry: Retry) -> float:
    try:
        return retry.parse_retry_after(response.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0

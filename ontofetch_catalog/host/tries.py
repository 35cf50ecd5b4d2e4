"""How often one download is tried again, how long is waited in between, and what is said where it is not.

What is asked for, and what becomes of the bytes, is not known here.
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus

import httpx
from httpx_retries import Retry

from ontofetch_hookspecs.names import quote

from ..errors import FetchError
from .http_options import HttpOptions
from .meter import Meter
from .transport import Transport

LONGEST_WAIT = 120.0  # seconds: a server that wants to be left alone for longer is
RETRIED = (408, 425, 429, 500, 502, 503, 504)
MOST_REASON = 200  # characters of what a library says, which may repeat what a server sent
_HINTS = {
    401: "It wants credentials: --header-file, the environment and ~/.netrc carry them, and so does --header.",
    403: "It refuses these credentials, or wants some: --header-file and --header carry them.",
    404: "Check the address.",
    410: "The publisher has taken it away.",
}
_STATUS_NAMES = {status.value: status.phrase for status in HTTPStatus}
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
_log = logging.getLogger("ontofetch.fetch")


class Tries:
    """The tries of one download that are left.

    Args:
        shown: Its URL as it may be told.
        options: How servers are asked.
        meter: What a server may take in seconds.
        transport: By which it is waited.
    """

    def __init__(self, shown: str, options: HttpOptions, meter: Meter, transport: Transport) -> None:
        self._shown = shown
        self._meter = meter
        self._transport = transport
        self._retry = Retry(
            total=options.retries,
            backoff_factor=options.backoff / 2,
            max_backoff_wait=LONGEST_WAIT,
            status_forcelist=RETRIED,
        )

    def is_passing(self, cause: httpx.Response | httpx.HTTPError) -> bool:
        """Say whether what went wrong may go well at another try."""
        if isinstance(cause, httpx.Response):
            return self._retry.is_retryable_status_code(cause.status_code)
        return self._retry.is_retryable_exception(cause)

    def begin_next(self, cause: httpx.Response | httpx.HTTPError, then: str = "trying again") -> None:
        """Wait before the next try.

        Args:
            cause: Why there has to be one.
            then: What is done in it, for the log.

        Raises:
            FetchError: There are no tries left, or the server wants to be left alone for too long.
        """
        pause = self._check_patience(cause)
        self._retry = self._retry.increment()
        told, retry = explain(self._shown, cause), self._retry
        _log.warning("%s: %s (%d of %d)", told, then, retry.attempts_made, retry.total)
        self._transport.pause(min(pause or retry.backoff_strategy(), self._meter.check_deadline()))

    def _check_patience(self, cause: httpx.Response | httpx.HTTPError) -> float:
        """Return the seconds that the server wants to be left alone for (RFC 9110, 10.2.3), 0 if it does not say.

        Raises:
            FetchError: There are no tries left, or it is too long.
        """
        wanted = 0.0
        if isinstance(cause, httpx.Response):
            wanted = self._wanted_pause(cause)
            if wanted > LONGEST_WAIT:
                raise FetchError(
                    f"{explain(self._shown, cause)} and asks to come back in {_as_time(wanted)}.",
                    subject=self._shown,
                    hint="Run the same command again then.",
                )
            if self._retry.is_exhausted():
                raise refused(self._shown, cause)
        elif self._retry.is_exhausted():
            raise failed(self._shown, cause) from cause
        return wanted

    def _wanted_pause(self, response: httpx.Response) -> float:
        try:
            return self._retry.parse_retry_after(response.headers.get("retry-after", "0"))
        except (ValueError, OverflowError):
            # a year or a zone can be a number that no date holds
            return 0.0


def explain(shown: str, cause: httpx.Response | httpx.HTTPError) -> str:
    """Return what went wrong, as the beginning of a sentence."""
    if isinstance(cause, httpx.Response):
        # what the server calls it may be long, or repeat a credential
        name = _STATUS_NAMES.get(cause.status_code, "")
        return f"{quote(shown)} answers {cause.status_code} {name}".rstrip()
    reason = _ERRNO.sub("", str(cause)).strip().rstrip(".")[:MOST_REASON] or type(cause).__name__
    return f"{quote(shown)} can't be fetched: {reason}"


def refused(shown: str, response: httpx.Response) -> FetchError:
    """Return the error that says what the server answered."""
    status = response.status_code
    if status in RETRIED:
        hint = "Try again later."
    else:
        hint = _HINTS.get(status, "Look at the address in a browser." if status >= 400 else "Check the address.")
    return FetchError(f"{explain(shown, response)}.", subject=shown, hint=hint)


def failed(shown: str, error: httpx.HTTPError) -> FetchError:
    """Return the error that says how the network failed."""
    hint = "Check the address and the network, then run the same command again."
    return FetchError(f"{explain(shown, error)}.", subject=shown, hint=hint)


def _as_time(seconds: float) -> str:
    """Return a pause in the words of a clock: `90 seconds`, `25 minutes`, `3 hours`."""
    for size, unit in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{-(-seconds // size):,.0f} {unit}"
    return f"{seconds:,.0f} seconds"

"""The limits of one download in bytes and seconds, over all of its tries, redirects and pauses.

It counts what it is told of; where the bytes come from and how long they were waited for is known below and above it.
"""

from __future__ import annotations

import time

import httpcore

from ontofetch_hookspecs.names import quote

from ..errors import FetchError

MOST_HEAD = 256 << 10  # bytes before the body: status, headers, and all answers of 1xx before them


class Meter:
    """The limits of one download, over all of its tries, redirects and pauses.

    Args:
        shown: Its URL as it may be told.
        timeout: Seconds of waiting for a connection, for a whole head, or for more of a body.
        deadline: Seconds for everything; 0: no limit.
        least_rate: Bytes of a body per second of waiting, looked at every `timeout` seconds; 0: no limit.
        most_bytes: Bytes a body may have; 0: no limit.
    """

    def __init__(self, shown: str, *, timeout: float, deadline: float, least_rate: float, most_bytes: int) -> None:
        self._shown = shown
        self._timeout = timeout
        self._deadline = deadline
        self._least_rate = least_rate
        self._most_bytes = most_bytes
        self._end = time.monotonic() + deadline if deadline else float("inf")
        self._head: int | None = 0  # bytes of the head so far; None while a body comes
        self._body = 0
        self._waited = 0.0  # in this head, or since the rate was looked at
        self._looked_at = 0

    def check_deadline(self) -> float:
        """Return the seconds that are left; raise FetchError if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise FetchError(
                f"{quote(self._shown)} took more than the {self._deadline:,g} seconds that a download may take.",
                subject=self._shown,
                hint="Set ONTOFETCH_HTTP_DEADLINE to more seconds, or 0 for no limit.",
            )
        return left

    def check_size(self, size: int) -> None:
        """Raise FetchError if a body of `size` bytes is more than may come."""
        if self._most_bytes and size > self._most_bytes:
            raise FetchError(
                f"{quote(self._shown)} is larger than the {self._most_bytes:,} bytes that a download may have.",
                subject=self._shown,
                hint="Set ONTOFETCH_HTTP_MAX_BYTES to more bytes, if you trust it.",
            )

    def begin_head(self) -> None:
        """Note that a request goes out: what comes next is the head of its answer."""
        self._head, self._waited = 0, 0.0

    def begin_body(self) -> None:
        """Note that the head is complete."""
        self._head, self._body, self._waited, self._looked_at = None, 0, 0.0, 0

    def take(self, size: int) -> None:
        """Count `size` bytes of the body, as HTTP delivers them.

        Raises:
            FetchError: They are too many.
        """
        self._body += size
        self.check_size(self._body)

    def patience(self, timeout: float | None = None) -> float:
        """Return for how many seconds may be waited now, at most `timeout`.

        Raises:
            FetchError: The deadline is over.
            ReadTimeout: The head takes too long, or the body comes too slowly; the request may be tried again.
        """
        left = self.check_deadline()
        if self._waited >= self._timeout:
            self._check_pace()
        rest = self._timeout - self._waited
        return max(min(left, rest, self._timeout if timeout is None else timeout), 0.001)

    def waited(self, seconds: float, size: int) -> None:
        """Note that reading took so many seconds and brought `size` bytes.

        Raises:
            FetchError: The head is too long.
        """
        self._waited += seconds
        if self._head is None:
            return
        self._head += size
        if self._head > MOST_HEAD:
            raise FetchError(
                f"{quote(self._shown)} answers with more than {MOST_HEAD:,} bytes of headers.",
                subject=self._shown,
                hint="That is no working server; check the address.",
            )

    def _check_pace(self) -> None:
        if self._head is not None:
            raise httpcore.ReadTimeout(f"no whole answer came in {self._timeout:g} seconds")
        came = self._body - self._looked_at
        if came < self._least_rate * self._waited:
            raise httpcore.ReadTimeout(
                f"only {came:,} bytes came in {self._waited:,.3g} seconds, and ONTOFETCH_HTTP_LEAST_RATE wants"
                f" {self._least_rate:,g} a second"
            )
        self._waited, self._looked_at = 0.0, self._body

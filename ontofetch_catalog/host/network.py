"""The sockets of a download: how long they are waited for, and which address they lead to.

The limits hold below HTTP, so that whatever the library above reads, waits for or throws away is under them. What HTTP
makes of the bytes is not known here.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore

from ..errors import FetchError
from .addresses import Gate, kind_of, numeric_kind
from .meter import Meter


class Line:
    """Which download some connections serve at the moment: one after the other, never two.

    Attributes:
        meter: Its limits.
        gate: Says which addresses it may be connected to.
        streams: The connections that are open.
    """

    def __init__(self, meter: Meter, gate: Gate) -> None:
        self.meter = meter
        self.gate = gate
        self.streams: weakref.WeakSet[Stream] = weakref.WeakSet()
        self._stopped = threading.Event()

    def check(self) -> None:
        """Raise FetchError if nobody wants the download any more."""
        if self._stopped.is_set():
            raise FetchError("The download was interrupted.")

    def pause(self, seconds: float) -> None:
        """Wait, and raise FetchError as soon as nobody wants the download any more."""
        self._stopped.wait(seconds)
        self.check()

    def stop(self) -> None:
        """Let the thread that downloads come to an end, also where it waits for a server."""
        self._stopped.set()
        for stream in list(self.streams):
            stream.hang_up()


class Backend(httpcore.NetworkBackend):
    """Connect for the library: resolve a host once, ask the gate, and connect to the very address it admitted.

    Args:
        line: The download that the connections serve.
        chosen: Whether the user chose the host, as a proxy: then no gate is asked.
    """

    def __init__(self, line: Line, *, chosen: bool = False) -> None:
        self._line = line
        self._chosen = chosen
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection to one of the host's addresses; all of them together get `timeout` seconds."""
        self._line.check()
        kind, meter = numeric_kind(host), self._line.meter
        gate = None if self._chosen else self._line.gate
        if gate is not None and kind is not None:
            # resolvers do not agree on what the odd forms of an address are
            gate.admit_kind(host, kind)
        meter.begin_head()
        wait = meter.patience(timeout)
        end = time.monotonic() + wait
        addresses = _resolve(host, port, wait)
        if gate is not None:
            addresses = gate.admit(host, addresses)
        failure: httpcore.ConnectError | None = None
        for address in addresses:
            left = min(meter.check_deadline(), end - time.monotonic())
            if left <= 0:
                break
            try:
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
            except httpcore.ConnectTimeout:
                continue
            except httpcore.ConnectError as error:
                failure = error
                continue
            return Stream(stream, self._line, None if gate is None else (host, kind_of(address)))
        meter.check_deadline()
        raise failure or httpcore.ConnectTimeout(f"no connection in {wait:g} seconds")


class Stream(httpcore.NetworkStream):
    """One connection, under the limits of the download that it serves.

    Args:
        stream: The connection itself.
        place: The host and the kind of its address, which each download has to be admitted to; None for a proxy.
    """

    def __init__(self, stream: httpcore.NetworkStream, line: Line, place: tuple[str, str] | None) -> None:
        self._stream = stream
        self._line = line
        self._place = place
        line.streams.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what comes next, at most `max_bytes`."""
        silent, meter = 0.0, self._line.meter
        while True:
            self._line.check()
            wait = meter.patience(None if timeout is None else timeout - silent)
            began = time.monotonic()
            data = None
            try:
                data = self._stream.read(max_bytes, wait)
            except httpcore.ReadTimeout:
                silent += time.monotonic() - began
                # the wait for the next byte may be longer than what is left of that for a whole
                if timeout is not None and silent >= timeout:
                    meter.check_deadline()
                    raise httpcore.ReadTimeout(f"nothing came for {timeout:g} seconds") from None
            meter.waited(time.monotonic() - began, len(data or b""))
            if data is not None:
                return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send `buffer`; an answer begins after it."""
        meter = self._line.meter
        self._line.check()
        if self._place is not None:
            # a connection that was kept may serve another download than the one it was made for
            self._line.gate.admit_kind(*self._place)
        meter.begin_head()
        wait = meter.patience(timeout)
        try:
            self._stream.write(buffer, wait)
        except httpcore.WriteTimeout:
            meter.check_deadline()
            raise httpcore.WriteTimeout(f"the request was not taken in {wait:g} seconds") from None

    def close(self) -> None:
        """Close the connection, without a farewell."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the connection with TLS; the handshake as a whole gets `timeout` seconds."""
        meter = self._line.meter
        meter.begin_head()
        wait = meter.patience(timeout)
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, wait)
        except httpcore.ConnectTimeout:
            meter.check_deadline()
            raise httpcore.ConnectTimeout(f"no TLS handshake in {wait:g} seconds") from None
        return Stream(stream, self._line, self._place)

    def hang_up(self) -> None:
        """End the connection under whoever waits for it, in another thread."""
        plain = self._stream.get_extra_info("socket")
        with suppress(OSError):
            if isinstance(plain, socket.socket):
                plain.shutdown(socket.SHUT_RDWR)

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the connection under this name."""
        return self._stream.get_extra_info(info)


def _resolve(host: str, port: int, timeout: float) -> list[str]:
    """Return the addresses of a host, in the order of the resolver; the system's has no timeout, so it gets a thread.

    Raises:
        ConnectError: There are none.
        ConnectTimeout: The resolver takes too long.
    """
    answers: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        raise httpcore.ConnectTimeout(f"the name was not resolved in {timeout:g} seconds") from None
    if isinstance(answer, list):
        return answer
    raise httpcore.ConnectError(str(answer)) from answer

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
from collections.abc import Iterable
from typing import Any

import httpcore

from .addresses import Gate, numeric_kind
from .meter import Meter


class Backend(httpcore.NetworkBackend):
    """Connect for the library: resolve a host once, ask the gate, and connect to the very address it admitted.

    Args:
        meter: The limits of what is connected.
        gate: Says which addresses may be connected to; None for a proxy, which the user chose.
    """

    def __init__(self, meter: Meter, gate: Gate | None) -> None:
        self._meter = meter
        self._gate = gate
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
        kind = numeric_kind(host)
        if self._gate is not None and kind is not None:
            # resolvers do not agree on what the odd forms of an address are
            self._gate.admit_kind(host, kind)
        self._meter.begin_head()
        wait = self._meter.patience(timeout)
        end = time.monotonic() + wait
        addresses = _resolve(host, port, wait)
        if self._gate is not None:
            addresses = self._gate.admit(host, addresses)
        failure: httpcore.ConnectError | None = None
        for address in addresses:
            left = min(self._meter.check_deadline(), end - time.monotonic())
            if left <= 0:
                break
            try:
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
            except httpcore.ConnectTimeout:
                continue
            except httpcore.ConnectError as error:
                failure = error
                continue
            return Stream(stream, self._meter)
        self._meter.check_deadline()
        raise failure or httpcore.ConnectTimeout(f"no connection in {wait:g} seconds")


class Stream(httpcore.NetworkStream):
    """One connection, under the limits of its meter."""

    def __init__(self, stream: httpcore.NetworkStream, meter: Meter) -> None:
        self._stream = stream
        self._meter = meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what comes next, at most `max_bytes`."""
        silent = 0.0
        while True:
            wait = self._meter.patience(None if timeout is None else timeout - silent)
            began = time.monotonic()
            data = None
            try:
                data = self._stream.read(max_bytes, wait)
            except httpcore.ReadTimeout:
                silent += time.monotonic() - began
                # the wait for the next byte may be longer than what is left of that for a whole
                if timeout is not None and silent >= timeout:
                    self._meter.check_deadline()
                    raise httpcore.ReadTimeout(f"nothing came for {timeout:g} seconds") from None
            self._meter.waited(time.monotonic() - began, len(data or b""))
            if data is not None:
                return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send `buffer`; an answer begins after it."""
        self._meter.begin_head()
        wait = self._meter.patience(timeout)
        try:
            self._stream.write(buffer, wait)
        except httpcore.WriteTimeout:
            self._meter.check_deadline()
            raise httpcore.WriteTimeout(f"the request was not taken in {wait:g} seconds") from None

    def close(self) -> None:
        """Close the connection, without a farewell."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the connection with TLS; the handshake as a whole gets `timeout` seconds."""
        self._meter.begin_head()
        wait = self._meter.patience(timeout)
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, wait)
        except httpcore.ConnectTimeout:
            self._meter.check_deadline()
            raise httpcore.ConnectTimeout(f"no TLS handshake in {wait:g} seconds") from None
        return Stream(stream, self._meter)

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

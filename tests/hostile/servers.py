"""A loopback server that speaks raw bytes: what it sends need not be HTTP. What is sent is not known here."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress

Speech = Callable[[bytes], Iterable[bytes]]  # from the request's head to the bytes of the answer, piece by piece


class RawServer:
    """Answer every connection with the pieces of a speech, then close it."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return its address, with a path that ends like a file's name."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/given.nt"

    @property
    def ended(self) -> threading.Event:
        """Return what is set when it closes: speeches that never end look at it."""
        return self._ended

    def close(self) -> None:
        """Stop, and wait for those who still speak."""
        self._ended.set()
        self._thread.join()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            with suppress(TimeoutError):
                connection, _ = self._socket.accept()
                thread = threading.Thread(target=self._speak, args=(connection,))
                thread.start()
                self._threads.append(thread)

    def _speak(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                data = connection.recv(65_536)
                if not data:
                    return
                head += data
            for piece in self._speech(head):
                if self._ended.is_set():
                    return
                connection.sendall(piece)
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)


def serve(stack: ExitStack, speech: Speech) -> RawServer:
    """Start a server that stops with the stack."""
    server = RawServer(speech)
    stack.callback(server.close)
    return server


def answer(body: bytes, *lines: bytes, status: bytes = b"HTTP/1.1 200 OK", length: bool = True) -> bytes:
    """Return an answer of a status line, header lines and a body."""
    head = [status, *lines]
    if length:
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def endless(server: list[RawServer], start: bytes, piece: bytes, pause: float) -> Iterator[bytes]:
    """Yield a start and then the same piece for ever, with a pause before each, until the server closes."""
    yield start
    while not server[0].ended.wait(pause):
        yield piece

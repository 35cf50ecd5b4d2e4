"""Loopback servers for tests: real HTTP over real sockets, with scripted answers and requests that can be looked at."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Seen:
    """One request that arrived: its path with the query, its headers by lower-case name."""

    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What a server sends.

    `length` replaces the Content-Length, None leaves it away; `cut` closes the connection after so many bytes.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = -1
    cut: int | None = None
    stall: threading.Event | None = None


Script = Callable[[Seen, int], Answer]


class QuietServer(ThreadingHTTPServer):
    """Serves each client in a thread of its own."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that hangs up before it has read everything."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Site:
    """A server on a port of its own; `answers` maps a path to an answer, or to a function of request and its number."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Script] = {}
        self.seen: list[Seen] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
                """Say nothing."""

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def url(self, path: str, user: str = "") -> str:
        """Return the URL of a path, with `user:password` if it is given."""
        return f"http://{user + '@' if user else ''}127.0.0.1:{self._server.server_port}{path}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        seen = Seen(handler.path, {name.casefold(): value for name, value in handler.headers.items()})
        self.seen.append(seen)
        path = handler.path.partition("?")[0]
        scripted = self.answers.get(path, Answer(b"nothing here", 404))
        number = sum(1 for request in self.seen if request.path.partition("?")[0] == path)
        answer = scripted if isinstance(scripted, Answer) else scripted(seen, number)
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        length = len(answer.body) if answer.length == -1 else answer.length
        if length is not None and answer.status != 304:
            handler.send_header("Content-Length", str(length))
        if length is None or answer.cut is not None:
            handler.close_connection = True
        handler.end_headers()
        if answer.status == 304:
            return
        handler.wfile.write(answer.body if answer.cut is None else answer.body[: answer.cut])
        handler.wfile.flush()
        if answer.stall is not None:
            answer.stall.wait(20)

    def close(self) -> None:
        """Stop serving and wait for the end of it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Wire:
    """A server without HTTP: each connection is handed to `script`, whose sending fails once the client hangs up."""

    def __init__(self, script: Callable[[socket.socket], None]) -> None:
        self.connections = 0
        self._script = script
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def url(self, path: str, scheme: str = "http") -> str:
        """Return the URL of a path."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def _accept(self) -> None:
        # closing the listener does not wake an accept, a shutdown does
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(20)
            self._script(connection)

    def close(self) -> None:
        """Stop accepting and wait until every client is gone."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for thread in self._threads:
            thread.join()


def read_head(connection: socket.socket) -> bytes:
    """Read one request up to its empty line, and return it."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65536)
        if not part:
            raise ConnectionAbortedError
        head += part
    return head


def validated(body: bytes, **headers: str) -> Script:
    """Return a script that serves `body` with these headers (`_` for `-`) and answers 304 where they are met."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}

    def script(seen: Seen, number: int) -> Answer:
        del number
        marks = [mark.strip() for mark in seen.headers.get("if-none-match", "").split(",")]
        date = seen.headers.get("if-modified-since")
        if told.get("ETag") in marks or (date is not None and date == told.get("Last-Modified")):
            return Answer(status=304, headers=told)
        return Answer(body, headers=told)

    return script

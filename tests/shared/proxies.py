"""Bad lines between a program and a server, with real sockets: cut, slow, with answers that get lost or are others.

`TcpProxy` passes bytes and looks for words in what the program sends: in front of PostgreSQL. `HttpProxy` knows
requests, and counts them: in front of an S3 server.
"""

from __future__ import annotations

import http.client
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from tests.sites import QuietServer


@dataclass
class Rule:
    """Say what happens to what is sent next that fits.

    Args:
        fits: A pattern: for `TcpProxy` of the bytes that are sent, for `HttpProxy` of `METHOD /path`.
        what: `cut`: nothing gets through, the connection is cut. `lose`: it gets through, its answer does not, the
            connection is cut. `away`: so, and nobody gets a connection any more (bytes alone). `delay`: it gets through
            after `seconds`. `late`: it gets through, and its answer comes after `seconds` (requests alone). `half`:
            half of the answer's body comes. `flip`: a byte of the answer's body is another. `blind`: its conditions are
            taken out of it. `503` or another number: that is the answer.
        times: How often; -1: always.
        skip: How many that fit are let through before.
        seconds: For `delay` and `late`.
        code: What S3 would call that answer.
        hits: How often it has happened.
    """

    fits: str
    what: str
    times: int = 1
    skip: int = 0
    seconds: float = 0.0
    code: str = ""
    hits: int = 0


class _Rules:
    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def on(self, fits: str, what: str | int, **options: float | str) -> Rule:
        """Add a rule, see `Rule`; the first that fits counts."""
        rule = Rule(fits, str(what), **options)  # type: ignore[arg-type]
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Let everything through again."""
        with self._lock:
            self._rules.clear()

    def rule_for(self, text: str) -> Rule | None:
        """Return the rule that happens now, and count it."""
        with self._lock:
            for rule in self._rules:
                if rule.times and re.search(rule.fits, text):
                    if rule.skip:
                        rule.skip -= 1
                        continue
                    rule.times -= 1
                    rule.hits += 1
                    return rule
        return None


# --- bytes ------------------------------------------------------------------------------------------------------------


class TcpProxy(_Rules):
    """Passes bytes between programs and a server on loopback; close it with `close`.

    Args:
        port: Of the server.
    """

    def __init__(self, port: int) -> None:
        super().__init__()
        self._target = port
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.down = False  # whether new connections are cut
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_all(self) -> None:
        """Cut all connections that there are."""
        for pair in list(self._pairs):
            self._cut(pair)

    def close(self) -> None:
        """End it with all connections."""
        self.down = True
        self._listener.close()
        self.cut_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                _reset(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                # the server is away, and so are we
                _reset(client)
                continue
            pair = (client, server)
            self._pairs.add(pair)
            lost = threading.Event()
            for source, target, watch in ((client, server, self._watch), (server, client, None)):
                threading.Thread(target=self._pump, args=(pair, source, target, watch, lost), daemon=True).start()

    def _pump(
        self,
        pair: tuple[socket.socket, socket.socket],
        source: socket.socket,
        target: socket.socket,
        watch: Callable[[bytes, threading.Event], bool] | None,
        lost: threading.Event,
    ) -> None:
        try:
            while data := source.recv(1 << 16):
                if watch is not None and not watch(data, lost):
                    break
                # the answer has come, so what was asked is done
                if watch is None and lost.is_set():
                    break
                target.sendall(data)
        except OSError:
            pass
        self._cut(pair)

    def _watch(self, data: bytes, lost: threading.Event) -> bool:
        rule = self.rule_for(data.decode("latin-1"))
        if rule is None:
            return True
        if rule.what == "delay":
            time.sleep(rule.seconds)
        if rule.what in ("lose", "away"):
            lost.set()
            self.down = self.down or rule.what == "away"
        return rule.what != "cut"

    def _cut(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self._pairs.discard(pair)
        for one in pair:
            _reset(one)


def _reset(connection: socket.socket) -> None:
    """Close a connection as a broken line does: at once."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


# --- requests ---------------------------------------------------------------------------------------------------------


class HttpProxy(_Rules):
    """Passes requests on to a server on loopback, and remembers them; close it with `close`.

    Args:
        port: Of the server.
    """

    def __init__(self, port: int) -> None:
        super().__init__()
        self.requests: list[str] = []  # `METHOD /path`, also of those that did not get through
        self.headers: list[dict[str, str]] = []  # of each
        self.target = port
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    def count(self, fits: str = "") -> int:
        """Return how many requests came that fit a pattern of `METHOD /path`."""
        return sum(re.search(fits, request) is not None for request in self.requests)

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: HttpProxy

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        text = f"{self.command} {self.path}"
        self.owner.requests.append(text)
        self.owner.headers.append({name.lower(): value for name, value in self.headers.items()})
        rule = self.owner.rule_for(text)
        what = rule.what if rule else ""
        if rule and what == "delay":
            time.sleep(rule.seconds)
        if what == "cut":
            self._cut()
        elif rule and what.isdigit():
            # a server may repeat all that it was sent
            sent = f"<Code>{rule.code or 'Injected'}</Code><Message>{self.headers}</Message>"
            self._send(int(what), {}, f"<Error>{sent}</Error>".encode())
        else:
            self._pass_on(body, what, rule.seconds if rule and what == "late" else 0.0)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer

    def _pass_on(self, body: bytes, what: str, seconds: float) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.owner.target, timeout=60)
        try:
            sent = {name: value for name, value in self.headers.items() if what != "blind" or name[:3].lower() != "if-"}
            connection.request(self.command, self.path, body, sent)
            answer = connection.getresponse()
            found = answer.read()
        except OSError:
            self._cut()
            return
        finally:
            connection.close()
        if what == "lose":
            self._cut()
            return
        time.sleep(seconds)
        if what == "flip" and found:
            found = bytes([found[0] ^ 1]) + found[1:]
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _OURS}
        self._send(answer.status, headers, found, answer.getheader("Content-Length"), half=what == "half")

    def _send(
        self, status: int, headers: dict[str, str], body: bytes, length: str | None = None, *, half: bool = False
    ) -> None:
        with suppress(OSError):
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            # that of a HEAD is the size of the object, and there is no body
            self.send_header("Content-Length", (length or "0") if self.command == "HEAD" else str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body[: len(body) // 2] if half else body)
        if half:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        _reset(self.connection)


_OURS = ("content-length", "transfer-encoding", "connection", "keep-alive")

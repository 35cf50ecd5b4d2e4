"""The hostile answers of servers that are tried by name: raw bytes over real sockets on loopback."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

from .given_archives import PULL
from .oracles import Attack, Prepare, Words
from .places import Place
from .servers import RawServer, answer, endless, serve

BODY = b"<a:s> <a:p> <a:o> .\n"
SLOW = {
    "ONTOFETCH_HTTP_TIMEOUT": "2",
    "ONTOFETCH_HTTP_DEADLINE": "6",
}


def spoken(*pieces: bytes) -> Prepare:
    """Return what pulls from a server that says these pieces to everybody."""
    return speaking(lambda _, server: pieces)


def speaking(speech: Callable[[bytes, RawServer], Iterable[bytes]]) -> Prepare:
    """Return what pulls from a server with a speech of its own, which is given the request and the server."""

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del place
        known: list[RawServer] = []
        server = serve(stack, lambda head: speech(head, known[0]))
        known.append(server)
        return [("pull", server.url, *PULL)]

    return prepare


def forever(start: bytes, piece: bytes, pause: float) -> Prepare:
    """Return what pulls from a server that says a piece again and again."""
    return speaking(lambda _, server: endless([server], start, piece, pause))


def redirect(location: bytes, status: bytes = b"HTTP/1.1 302 Found") -> Prepare:
    """Return what pulls from a server that sends people elsewhere."""
    return spoken(answer(b"", b"Location: " + location, status=status))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


def _bursts(server: RawServer) -> Iterator[bytes]:
    yield HEAD
    while True:
        # just often enough to begin every wait anew
        if server.ended.wait(1.5):
            return
        yield b"xx"


ANSWERS: dict[str, Prepare] = {
    "nothing": spoken(),
    "garbage": spoken(b"\0\xff" * 500),
    "newlines": spoken(b"\r\n" * 100_000),
    "no-status": spoken(b"HTTP/1.1\r\n\r\n"),
    "status-0": spoken(answer(BODY, status=b"HTTP/1.1 000 x")),
    "status-99": spoken(answer(BODY, status=b"HTTP/1.1 99 x")),
    "status-999": spoken(answer(BODY, status=b"HTTP/1.1 999 x")),
    "status-long": spoken(b"HTTP/1.1 200 " + b"x" * 5_000_000 + b"\r\n\r\n"),
    "status-escape": spoken(answer(b"", status=b"HTTP/1.1 404 \x1b[2J\x1b]0;x\x07")),
    "version-9": spoken(answer(BODY, status=b"HTTP/9.9 200 OK")),
    "http2-preface": spoken(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "204": spoken(answer(b"", status=b"HTTP/1.1 204 No Content")),
    "205": spoken(answer(b"", status=b"HTTP/1.1 205 Reset")),
    "206": spoken(answer(BODY, b"Content-Range: bytes 5-9/100", status=b"HTTP/1.1 206 Partial")),
    "304-unasked": spoken(answer(b"", status=b"HTTP/1.1 304 Not Modified", length=False)),
    "407": spoken(answer(b"", status=b"HTTP/1.1 407 Proxy")),
    "421": spoken(answer(b"", status=b"HTTP/1.1 421 x")),
    "429-later": spoken(answer(b"", b"Retry-After: 99999999999999", status=b"HTTP/1.1 429 x")),
    "503-date": spoken(answer(b"", b"Retry-After: Fri, 31 Dec 99999 23:59:59 GMT", status=b"HTTP/1.1 503 x")),
    "503-nan": spoken(answer(b"", b"Retry-After: nan", status=b"HTTP/1.1 503 x")),
    "103-then-answer": spoken(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 100, answer(BODY)),
    "101": spoken(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
    "length-negative": spoken(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + BODY),
    "length-huge": spoken(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n" + BODY),
    "length-digits": spoken(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 6000 + b"\r\n\r\n" + BODY),
    "length-twice": spoken(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 20\r\n\r\n" + BODY),
    "length-odd": spoken(b"HTTP/1.1 200 OK\r\nContent-Length: 0x14\r\n\r\n" + BODY),
    "length-unicode": spoken("HTTP/1.1 200 OK\r\nContent-Length: \u0662\u0660\r\n\r\n".encode() + BODY),
    "length-and-chunks": spoken(
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + _chunk(BODY)
    ),
    "short": spoken(HEAD + BODY),
    "chunk-huge": spoken(CHUNKED + b"ffffffffffffffffffff\r\n" + BODY),
    "chunk-negative": spoken(CHUNKED + b"-5\r\n" + BODY),
    "chunk-garbage": spoken(CHUNKED + b"zz\r\n" + BODY),
    "chunk-extension": spoken(CHUNKED + b"5;" + b"x" * 5_000_000 + b"\r\nhello\r\n0\r\n\r\n"),
    "chunk-trailers": spoken(CHUNKED + _chunk(BODY) + b"0\r\n" + b"X: y\r\n" * 200_000 + b"\r\n"),
    "headers-many": spoken(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200_000 + b"\r\n"),
    "header-long": spoken(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 20_000_000 + b"\r\n\r\n"),
    "header-nul": spoken(answer(BODY, b'ETag: "a\0b"')),
    "header-folded": spoken(answer(BODY, b'ETag: "a\r\n b"')),
    "header-latin": spoken(answer(BODY, b'ETag: "\xe9\xff"', b"Content-Type: \xff")),
    "header-escape": spoken(answer(BODY, b'ETag: "\x1b[2J"', b"Last-Modified: \x1b[2J")),
    "header-no-colon": spoken(answer(BODY, b"what is this")),
    "cookies": spoken(answer(BODY, *[b"Set-Cookie: a%d=b; Domain=.; Expires=x" % n for n in range(500)])),
    "disposition": spoken(answer(BODY, b'Content-Disposition: attachment; filename="../../outside/x"')),
    "encoding-gzip": spoken(answer(gzip.compress(BODY), b"Content-Encoding: gzip")),
    "encoding-bomb": spoken(answer(gzip.compress(bytes(50_000_000)), b"Content-Encoding: gzip")),
    "encoding-bad": spoken(answer(BODY, b"Content-Encoding: gzip")),
    "encoding-chain": spoken(answer(zlib.compress(BODY), b"Content-Encoding: " + b"gzip, " * 500 + b"deflate")),
    "encoding-br": spoken(answer(BODY, b"Content-Encoding: br, zstd, x")),
    "encoding-transfer": spoken(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" + gzip.compress(BODY)),
    "404-escape": spoken(answer(b"\x1b]0;pwned\x07\x1b[2J", status=b"HTTP/1.1 404 \x1b[31m")),
    "redirect-data": redirect(b"data:text/turtle,<a:s>"),
    "redirect-javascript": redirect(b"javascript:alert(1)"),
    "redirect-file": redirect(b"file:///etc/passwd"),
    "redirect-ftp": redirect(b"ftp://example.org/x.nt"),
    "redirect-mailto": redirect(b"mailto:x@example.org"),
    "redirect-empty": redirect(b""),
    "redirect-no-host": redirect(b"http://"),
    "redirect-no-host-path": redirect(b"http:///x"),
    "redirect-port": redirect(b"http://127.0.0.1:99999/x.nt"),
    "redirect-port-0": redirect(b"http://127.0.0.1:0/x.nt"),
    "redirect-port-text": redirect(b"http://127.0.0.1:http/x.nt"),
    "redirect-bracket": redirect(b"http://[::1/x"),
    "redirect-zone": redirect(b"http://[fe80::1%25lo]/x"),
    "redirect-nul": redirect(b"http://127.0.0.1/\0x"),
    "redirect-space": redirect(b"http://exa mple.org/x"),
    "redirect-punycode": redirect(b"http://xn--/x"),
    "redirect-idna": redirect("http://\u202e.example/x".encode()),
    "redirect-long": redirect(b"http://127.0.0.1/" + b"a" * 60_000),
    "redirect-user": redirect(b"http://user:pass@127.0.0.1:1/x"),
    "redirect-relative": redirect(b"../../../x"),
    "redirect-latin": redirect(b"/\xff\xfe"),
    "redirect-long-host": redirect(b"http://" + b"a" * 300 + b".example/x"),
    "redirect-many-dots": redirect(b"http://..../x"),
    "redirect-self": speaking(
        lambda _, server: [answer(b"", b"Location: " + server.url.encode(), status=b"HTTP/1.1 302 x")]
    ),
    "redirect-300": redirect(b"data:x", status=b"HTTP/1.1 300 Multiple"),
    "redirect-no-location": spoken(answer(b"", status=b"HTTP/1.1 302 Found")),
    "redirect-endless-body": forever(
        b"HTTP/1.1 302 Found\r\nLocation: /x.nt\r\nTransfer-Encoding: chunked\r\n\r\n", _chunk(b"x" * 9999), 0.0
    ),
}
TIMES: dict[str, Prepare] = {
    "drip": forever(HEAD, b"x", 0.5),
    "drip-bursts": speaking(lambda _, server: _bursts(server)),
    "drip-chunks": forever(CHUNKED, _chunk(b"x"), 0.5),
    "drip-status": forever(b"", b"H", 0.5),
    "endless-103": forever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.2),
    "endless-100": forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.0),
    "endless-headers": forever(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.2),
    "endless-trailers": forever(CHUNKED + _chunk(BODY) + b"0\r\n", b"X-A: b\r\n", 0.2),
    "endless-blank-lines": forever(b"", b"\r\n", 0.2),
    "endless-chunk-extension": forever(CHUNKED + b"5;", b"x", 0.2),
    "slow-redirects": speaking(lambda head, server: _slow_redirect(server)),
    "slow-500": speaking(
        lambda _, server: endless([server], b"HTTP/1.1 500 x\r\nContent-Length: 999\r\n\r\n", b"x", 0.5)
    ),
    "slow-404": speaking(
        lambda _, server: endless([server], b"HTTP/1.1 404 x\r\nContent-Length: 999\r\n\r\n", b"x", 0.5)
    ),
}


def _slow_redirect(server: RawServer) -> Iterator[bytes]:
    if not server.ended.wait(1.5):
        yield answer(b"", b"Location: /x.nt", status=b"HTTP/1.1 302 Found")


def _endless_body(place: Place, stack: ExitStack) -> list[Words]:
    """Serve chunks as fast as they are taken: a download must have a greatest size."""
    del place
    known: list[RawServer] = []
    server = serve(stack, lambda _: endless(known, CHUNKED, _chunk(b"x" * 1_000_000), 0.0))
    known.append(server)
    return [("pull", server.url, *PULL)]


def _attacks() -> Iterator[Attack]:
    for name, prepare in ANSWERS.items():
        yield Attack(f"answer-{name}", "answers", prepare, seconds=30)
    for name, prepare in TIMES.items():
        yield Attack(f"answer-{name}", "slow servers", prepare, seconds=25, environment=SLOW)
    yield Attack(
        "answer-endless-body",
        "slow servers",
        _endless_body,
        seconds=40,
        environment={"ONTOFETCH_HTTP_MAX_BYTES": "200000000"},
    )


ATTACKS = tuple(_attacks())

"""Limits of a download: whatever a server does to keep us, it ends; whatever it sends, it is counted."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from ontofetch_catalog.errors import FetchError
from ontofetch_catalog.host.http import Exchange
from ontofetch_catalog.host.http_options import HttpOptions
from ontofetch_catalog.host.meter import MOST_HEAD
from ontofetch_catalog.host.sources import parse_source
from ontofetch_catalog.host.transport import MOST_HEADERS
from tests.sites import Answer, Site, Wire, read_head

MakeWire = Callable[[Callable[[socket.socket], None]], Wire]
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
QUICK = {"timeout": 0.3, "retries": 0}
END = 15.0  # seconds: the test has failed if a download goes on for as long


def get(url: str, **options: object) -> int:
    """Fetch and return the number of bytes of the body; it must end, whatever comes."""
    began = time.monotonic()
    exchange = Exchange(parse_source(url), HttpOptions(**(QUICK | options)))  # type: ignore[arg-type]
    try:
        return exchange.get({}, lambda response: sum(map(len, response.iter_raw(1 << 20))))
    finally:
        assert time.monotonic() - began < END


def drip(*parts: bytes, every: float = 0.05, first: bytes = b"", forever: bytes = b"") -> Callable[..., None]:
    """Return a script that answers with `first`, then `parts` one by one, then one thing for ever."""

    def script(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(first)
        for part in parts:
            time.sleep(every)
            connection.sendall(part)
        while forever:
            time.sleep(every)
            connection.sendall(forever)

    return script


def flood(first: bytes, forever: bytes) -> Callable[[socket.socket], None]:
    """Return a script that sends as fast as it can."""

    def script(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(first)
        block = forever * max(1, 65536 // len(forever))
        while True:
            connection.sendall(block)

    return script


SLOW = {
    "one byte after the other": drip(first=OK + b"Content-Length: 9999999\r\n\r\n", forever=b"x"),
    "a body without a length": drip(first=OK + b"\r\n", forever=b"x"),
    "one chunk after the other": drip(first=CHUNKED, forever=b"1\r\nx\r\n"),
    "a chunk extension without an end": drip(first=CHUNKED + b"5;a=", forever=b"x"),
    "trailers": drip(first=CHUNKED + b"0\r\n", forever=b"a: b\r\n"),
}
TRICKLING = {
    "103": drip(forever=b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "102": drip(forever=b"HTTP/1.1 102 Processing\r\n\r\n"),
    "100": drip(forever=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers": drip(first=OK, forever=b"a: b\r\n"),
    "a header of one line": drip(first=OK + b"a: ", forever=b"b"),
    "a status line": drip(first=b"HTTP/1.1 200 ", forever=b"O"),
    "nothing": drip(every=0.5),
}


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
def test_a_body_that_comes_too_slowly_is_given_up(make_wire: MakeWire, script: Callable[..., None]) -> None:
    """Fewer bytes of the body than the least rate are not waited for, however often a byte comes."""
    with pytest.raises(FetchError, match=r"HTTP_LEAST_RATE wants 1,000 a second|nothing came for 0\.3 seconds"):
        get(make_wire(script).url("/a"))


@pytest.mark.parametrize("script", TRICKLING.values(), ids=TRICKLING)
def test_a_head_that_does_not_end_is_given_up(make_wire: MakeWire, script: Callable[..., None]) -> None:
    """An answer whose status and headers are not whole in time is no answer, with whatever the server fills it."""
    words = "no whole answer came in 0.3 seconds|nothing came for 0.3 seconds|disconnected"
    with pytest.raises(FetchError, match=words):
        get(make_wire(script).url("/a"))


def test_a_slow_handshake_is_given_up(make_wire: MakeWire) -> None:
    """TLS that never comes to an end: silence, and a byte of a record now and then."""

    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    def dripping(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
        while True:
            time.sleep(0.05)
            connection.sendall(b"\0")

    for script in (silent, dripping):
        with pytest.raises(FetchError, match=r"no TLS handshake in 0\.3 seconds"):
            get(make_wire(script).url("/a", "https"))


def test_a_name_that_is_not_resolved_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver may take its time, but not ours."""
    stall = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [stall.wait(20)][1:])
    try:
        with pytest.raises(FetchError, match=r"the name was not resolved in 0\.3 seconds"):
            get("http://slow.example/a")
    finally:
        stall.set()


BUSY = {
    "a body that is fast enough": drip(first=OK + b"\r\n", forever=b"x" * 1000),
    "chunks that are fast enough": drip(first=CHUNKED, forever=b"3e8\r\n" + b"x" * 1000 + b"\r\n"),
    "a server that is always busy": drip(
        every=0.1, first=b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    ),
    "an answer that breaks off": drip(first=OK + b"Content-Length: 10\r\n\r\nx"),
    "a silent server": lambda connection: connection.recv(0) or time.sleep(0.5),
}


@pytest.mark.parametrize("script", BUSY.values(), ids=BUSY)
def test_everything_ends_at_the_deadline(make_wire: MakeWire, script: Callable[..., None]) -> None:
    """All tries, pauses and bytes of a download share one deadline, and the sentence says which setting it is."""
    with pytest.raises(FetchError, match=r"took more than the 0\.8 seconds") as refused:
        get(make_wire(script).url("/a"), timeout=5, deadline=0.8, retries=1000, backoff=0.01)
    assert "ONTOFETCH_HTTP_DEADLINE" in refused.value.hint


def test_slow_redirects_end_at_the_deadline(make_wire: MakeWire) -> None:
    """A chain of redirects, each slow, is one download."""
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    wire = make_wire(drip(redirect, every=0.2))
    with pytest.raises(FetchError, match=r"took more than the 0\.5 seconds"):
        get(wire.url("/a"), timeout=5, deadline=0.5)
    assert wire.connections < 10


def test_a_fast_enough_download_has_all_the_time_it_needs(make_wire: MakeWire) -> None:
    """The timeout is for silence, and neither for the whole body nor for what the reader does in between."""
    script = drip(*[b"x" * 500] * 16, first=OK + b"Content-Length: 8000\r\n\r\n", every=0.08)
    assert get(make_wire(script).url("/a"), timeout=1) == 8000
    exchange = Exchange(parse_source(make_wire(script).url("/a")), HttpOptions(timeout=1, retries=0))

    def take(response: httpx.Response) -> int:
        size = 0
        for part in response.iter_raw():
            time.sleep(0.1)
            size += len(part)
        return size

    assert exchange.get({}, take) == 8000


# --- how much ---------------------------------------------------------------------------------------------------------


def test_a_declared_length_is_looked_at_before_the_body(site: Site) -> None:
    """What says that it is too large is not begun, also with a length that no number of the machine holds."""
    for length in (1001, 2**63, 10**19):
        site.answers["/a"] = Answer(b"x" * 10, length=length)
        with pytest.raises(FetchError, match="larger than the 1,000 bytes") as refused:
            get(site.url("/a"), most_bytes=1000)
        assert "ONTOFETCH_HTTP_MAX_BYTES" in refused.value.hint
    site.answers["/a"] = Answer(b"x" * 1000)
    assert get(site.url("/a"), most_bytes=1000) == 1000


LARGE = {
    "no length": flood(OK + b"\r\n", b"x"),
    "chunks": flood(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "one chunk of a terabyte": flood(CHUNKED + b"10000000000\r\n", b"x"),
    "encoded": flood(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"\0"),
}


@pytest.mark.parametrize("script", LARGE.values(), ids=LARGE)
def test_bytes_are_counted_while_they_arrive(make_wire: MakeWire, script: Callable[..., None]) -> None:
    """What does not say how large it is ends at the limit, and is not asked for again."""
    wire = make_wire(script)
    with pytest.raises(FetchError, match="larger than the 1,000,000 bytes"):
        get(wire.url("/a"), most_bytes=1_000_000, retries=3)
    assert wire.connections == 1


def test_what_a_content_encoding_would_inflate_is_not_inflated(site: Site) -> None:
    """The artifact's bytes are those that were sent, so a bomb of one is as small as it came."""
    bomb = gzip.compress(bytes(50_000_000))
    for encoding in ("gzip", "deflate", "gzip, gzip", "br"):
        site.answers["/a"] = Answer(bomb, headers={"Content-Encoding": encoding})
        assert get(site.url("/a"), most_bytes=1_000_000) == len(bomb)


HEADS = {
    "103 as fast as it goes": flood(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "103 with headers": flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"),
    "headers": flood(OK, b"a: b\r\n"),
    "one header": flood(OK + b"a: ", b"b"),
    "a status line": flood(b"HTTP/1.1 200 ", b"O"),
}


@pytest.mark.parametrize("script", HEADS.values(), ids=HEADS)
def test_what_comes_before_the_body_is_bounded(make_wire: MakeWire, script: Callable[..., None]) -> None:
    """Neither 1xx answers nor headers may come for ever, however fast."""
    with pytest.raises(FetchError, match=f"more than {MOST_HEAD:,} bytes of headers|Receive buffer too long"):
        get(make_wire(script).url("/a"), timeout=10)


def test_headers_are_counted(make_wire: MakeWire) -> None:
    """Thousands of small headers are refused, some hundreds are not."""

    def answering(count: int) -> Callable[..., None]:
        return drip(
            first=OK + b"".join(b"a%d: b\r\n" % number for number in range(count)) + b"Content-Length: 0\r\n\r\n"
        )

    assert get(make_wire(answering(900)).url("/a")) == 0
    with pytest.raises(FetchError, match=f"2,001 headers, more than {MOST_HEADERS:,}"):
        get(make_wire(answering(2000)).url("/a"))


def test_the_settings_become_the_options(tmp_path: Path) -> None:
    """Each limit comes from the setting of its name."""
    settings = {
        "http_timeout": 1.5, "http_retries": 2, "http_deadline": 3.5, "http_least_rate": 4.5, "http_max_bytes": 5,
        "http_private_redirects": "on", "max_ratio": 6.5,
    }  # fmt: skip
    assert HttpOptions.from_settings(settings, ()) == HttpOptions(
        timeout=1.5, retries=2, deadline=3.5, least_rate=4.5, most_bytes=5, most_ratio=6.5, private_redirects=True
    )
    assert not HttpOptions.from_settings(settings | {"http_private_redirects": "off"}, ()).private_redirects

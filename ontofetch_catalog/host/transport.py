"""The way from a request to a connection: directly, or through a proxy that the environment names.

It puts the limits of `network` below the library and its stream of bytes, and knows nothing of retries and redirects.
"""

from __future__ import annotations

import ssl
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpcore
import httpx

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.redaction import redact_url

from ..errors import FetchError
from .addresses import PUBLIC, Gate, numeric_kind
from .meter import Meter
from .network import Backend, Line

MOST_HEADERS = 1000
KEPT_SECONDS = 30.0  # a connection that nobody uses stays open; most servers close it sooner
LOCATION = "location"  # the extension of a response that says where it redirects to


class Connections:
    """Connections that serve one download after the other, of one thread.

    Each download has its own limits and its own gate, which is asked also where a connection is there already.

    Attributes:
        pools: (scheme, proxy) → connections.
    """

    def __init__(self) -> None:
        self.pools: dict[tuple[str, str | None], httpcore.ConnectionPool] = {}
        self._line: Line | None = None
        self._is_over = False

    def serve(self, meter: Meter, gate: Gate) -> Line:
        """Let the connections serve a download from now on."""
        if self._line is None:
            self._line = Line(meter, gate)
            if self._is_over:
                self._line.stop()
        self._line.meter, self._line.gate = meter, gate
        return self._line

    def stop(self) -> None:
        """Let the download that they serve fail soon, and all later ones at once; called from another thread."""
        self._is_over = True
        if self._line is not None:
            self._line.stop()

    def close(self) -> None:
        """Close them."""
        for pool in self.pools.values():
            pool.close()
        self.pools.clear()


class Transport(httpx.BaseTransport):
    """Send requests for one download, under its limits.

    Args:
        meter: What a server may take in bytes and seconds.
        gate: Which addresses may be connected to.
        shown: The URL of the download as it may be told.
        kept: Connections that outlast the download; None: it has its own.
    """

    def __init__(self, meter: Meter, gate: Gate, shown: str, kept: Connections | None = None) -> None:
        self._meter = meter
        self._gate = gate
        self._shown = shown
        self._is_own = kept is None
        self._connections = kept or Connections()
        self._line = self._connections.serve(meter, gate)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer with its body still to be read.

        A Location stands in the extension LOCATION, and not among its headers, where httpx would take it for an URL.

        Raises:
            FetchError: The answer breaks a limit, or leads where it may not.
            HTTPError: It can't be had.
        """
        wanted = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=b"",
            extensions=request.extensions,
        )
        with _translated():
            answer = self._pool_of(request.url).handle_request(wanted)
        self._meter.begin_body()
        if not isinstance(answer.stream, Iterable):
            raise httpx.ReadError("the answer has no body that can be read")
        body = _Body(answer.stream, self._meter)
        try:
            return self._response(answer, body)
        except BaseException:
            body.close()
            raise

    def _response(self, answer: httpcore.Response, body: _Body) -> httpx.Response:
        if len(answer.headers) > MOST_HEADERS:
            raise FetchError(
                f"{quote(self._shown)} answers with {len(answer.headers):,} headers, more than {MOST_HEADERS:,}.",
                subject=self._shown,
                hint="That is no working server; check the address.",
            )
        headers = httpx.Headers(answer.headers)
        location = headers.get("location")
        told = httpx.Headers([pair for pair in headers.raw if pair[0].lower() != b"location"])
        extensions = {**answer.extensions, LOCATION: location}
        return httpx.Response(answer.status, headers=told, stream=body, extensions=extensions)

    def _pool_of(self, url: httpx.URL) -> httpcore.ConnectionPool:
        host = url.raw_host.decode("ascii")
        proxy = _proxy_of(url.scheme, host)
        if proxy is not None:
            # the proxy resolves and connects, so only what needs no resolver can be looked at here
            self._gate.admit_kind(host, numeric_kind(host) or PUBLIC)
        key, pools = (url.scheme, proxy), self._connections.pools
        if key not in pools:
            # certificates take a while to be read
            context = httpx.create_ssl_context() if "https" in (url.scheme, (proxy or "").partition(":")[0]) else None
            pools[key] = self._direct(context) if proxy is None else self._through(proxy, context)
        return pools[key]

    def _direct(self, context: ssl.SSLContext | None) -> httpcore.ConnectionPool:
        return httpcore.ConnectionPool(context, keepalive_expiry=KEPT_SECONDS, network_backend=Backend(self._line))

    def _through(self, proxy: str, context: ssl.SSLContext | None) -> httpcore.ConnectionPool:
        try:
            url = httpx.URL(proxy)
        except httpx.InvalidURL:
            url = httpx.URL()
        if url.scheme not in ("http", "https") or not url.host:
            raise FetchError(
                f"The proxy {quote(redact_url(proxy))} of the environment is no http or https address.",
                subject=redact_url(proxy),
                hint="Correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, or list the host in NO_PROXY.",
            )
        return httpcore.HTTPProxy(
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            proxy_auth=(url.username, url.password) if url.username or url.password else None,
            ssl_context=context,
            proxy_ssl_context=context if url.scheme == "https" else None,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=Backend(self._line, chosen=True),
        )

    def pause(self, seconds: float) -> None:
        """Wait before another try; raise FetchError as soon as nobody wants the download any more."""
        if self._is_own:
            time.sleep(seconds)
        else:
            self._line.pause(seconds)

    def close(self) -> None:
        """Close all connections but those that are kept."""
        if self._is_own:
            self._connections.close()


class _Body(httpx.SyncByteStream):
    """A body that is counted while HTTP delivers it."""

    def __init__(self, stream: Iterable[bytes], meter: Meter) -> None:
        self._stream = stream
        self._meter = meter

    def __iter__(self) -> Iterator[bytes]:
        with _translated():
            for part in self._stream:
                self._meter.take(len(part))
                yield part

    def close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the errors of httpcore into those of httpx, which are called the same."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError,
            httpcore.UnsupportedProtocol) as error:  # fmt: skip
        raise getattr(httpx, type(error).__name__, httpx.TransportError)(str(error)) from error


def _proxy_of(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for a scheme and a host, or None."""
    named = urllib.request.getproxies()
    proxy = named.get(scheme) or named.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"

"""Where a download may lead: redirects, names that change their address, proxies, and what TLS still checks."""

from __future__ import annotations

import datetime
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ontofetch_catalog.errors import FetchError
from ontofetch_catalog.host.http import Exchange
from ontofetch_catalog.host.http_options import HttpOptions
from ontofetch_catalog.host.sources import parse_source
from ontofetch_catalog.host.transport import Connections
from tests.internet import PUBLIC_ADDRESS, Internet
from tests.sites import Answer, Site, Wire, read_head


def get(url: str, exchange: Exchange | None = None, **options: object) -> bytes:
    """Fetch and return the body; a refusal is an error."""
    asked = exchange or Exchange(parse_source(url), HttpOptions(**({"retries": 0} | options)))  # type: ignore[arg-type]

    def take(response: httpx.Response) -> bytes:
        if response.status_code != 200:
            raise asked.refused(response)
        return b"".join(response.iter_raw())

    return asked.get({}, take)


def at(site: Site, host: str, path: str = "/a") -> str:
    """Return the URL of a path of a site under another host."""
    return site.url(path).replace("127.0.0.1", host)


def to(location: str, status: int = 302) -> Answer:
    """Return a redirect."""
    return Answer(status=status, headers={"Location": location})


@pytest.fixture
def publisher(site: Site, internet: Internet) -> Site:
    """Return a server that a public name leads to."""
    internet.name("publisher.example", [PUBLIC_ADDRESS])
    return site


PRIVATE = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "localhost", "localhost.",
    "LocalHost", "0.0.0.0", "0", "10.0.0.1", "172.31.255.1", "192.168.0.1", "169.254.169.254", "169.254.0.9",
    "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "[fd00:ec2::254]", "[ff02::1]",
    "publisher.example@127.0.0.1", "jo:pw@127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_a_public_address_does_not_lead_to_a_private_one(publisher: Site, internet: Internet, host: str) -> None:
    """However the host of a redirect is written, and before anything is connected to it."""
    publisher.answers["/a"] = to(at(publisher, host, "/secret"))
    publisher.answers["/secret"] = Answer(b"secret")
    # a leading zero is no number of an address to some, and eight to others
    words = "no http or https address" if host.startswith("01") else "whose address is not public"
    with pytest.raises(FetchError, match=words):
        get(at(publisher, "publisher.example"))
    assert internet.connected == [PUBLIC_ADDRESS]
    assert [seen.path for seen in publisher.seen] == ["/a"]


@pytest.mark.parametrize(
    "location", ["//127.0.0.1:{port}/secret", "http:\\\\127.0.0.1:{port}/secret", "\\\\127.0.0.1/secret"]
)
def test_a_location_without_a_scheme_is_no_way_around(publisher: Site, internet: Internet, location: str) -> None:
    """A relative one that names a host is looked at like any other, and a backslash is no slash."""
    port = publisher.url("").rpartition(":")[2]
    publisher.answers["/a"] = to(location.format(port=port))
    with pytest.raises(FetchError, match=r"not public|no http or https address"):
        get(at(publisher, "publisher.example"))
    assert internet.connected == [PUBLIC_ADDRESS]


def test_a_name_with_a_private_address_is_refused(publisher: Site, internet: Internet) -> None:
    """The address counts and not what the name looks like; of several addresses only the public ones are used."""
    internet.name("inside.example", ["10.0.0.7"])
    internet.name("mixed.example", ["127.0.0.1", "::1", "93.184.216.35"])
    publisher.answers["/a"] = lambda seen, number: to(
        at(publisher, "inside.example" if number == 1 else "mixed.example", "/b")
    )
    publisher.answers["/b"] = Answer(b"served")
    with pytest.raises(FetchError, match=r"'inside\.example', whose address is not public \(private\)"):
        get(at(publisher, "publisher.example"))
    assert get(at(publisher, "publisher.example")) == b"served"
    assert internet.connected == [PUBLIC_ADDRESS, PUBLIC_ADDRESS, "93.184.216.35"]


def test_the_address_that_was_checked_is_the_one_connected_to(
    make_site: Callable[[], Site], internet: Internet
) -> None:
    """A name is resolved once for each connection: what it says a moment later is not asked for."""
    one, other = make_site(), make_site()
    internet.name("publisher.example", [PUBLIC_ADDRESS], ["127.0.0.1"])
    one.answers["/a"] = Answer(b"served")
    assert get(at(one, "publisher.example")) == b"served"
    assert (internet.asked, internet.connected) == (["publisher.example"], [PUBLIC_ADDRESS])
    internet.name("publisher.example", [PUBLIC_ADDRESS], ["127.0.0.1"])
    one.answers["/a"] = to(at(other, "publisher.example", "/b"))
    with pytest.raises(FetchError, match="whose address is not public"):
        get(at(one, "publisher.example"))
    assert other.seen == []


def test_a_name_that_changes_between_tries_is_refused(
    publisher: Site, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A try again, and a second request of the same download, are bound to the kind of the first address."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    publisher.answers["/a"] = lambda _, number: (
        Answer(b"", 503, {"Connection": "close"}) if number == 1 else Answer(b"x")
    )
    internet.name("publisher.example", [PUBLIC_ADDRESS], ["127.0.0.1"])
    with pytest.raises(FetchError, match="whose address is not public"):
        get(at(publisher, "publisher.example"), retries=3)
    internet.name("publisher.example", [PUBLIC_ADDRESS], ["10.0.0.1"])
    url = at(publisher, "publisher.example")
    exchange = Exchange(parse_source(url), HttpOptions(retries=0))
    assert get(url, exchange) == b"x"
    with pytest.raises(FetchError, match="whose address is not public"):
        get(url, exchange)


def test_what_the_user_names_may_be_private(make_site: Callable[[], Site], internet: Internet) -> None:
    """A first address of this machine or network is fine, and may redirect to its like and to public ones."""
    home, away = make_site(), make_site()
    internet.name("inside.example", ["10.0.0.7"])
    internet.name("other.example", ["192.168.3.4"])
    home.answers["/a"] = to(at(away, "other.example", "/b"))
    away.answers["/b"] = to(at(home, PUBLIC_ADDRESS, "/c"))
    home.answers["/c"] = Answer(b"served")
    assert get(at(home, "inside.example")) == b"served"
    away.answers["/b"] = to(home.url("/c"))
    with pytest.raises(FetchError, match=r"\(loopback\)"):
        get(at(home, "inside.example"))
    assert get(at(home, "inside.example"), private_redirects=True) == b"served"


def test_addresses_are_tried_one_after_the_other(publisher: Site, internet: Internet) -> None:
    """Where one address does not answer, the next one that is admitted is tried."""
    internet.name("publisher.example", [PUBLIC_ADDRESS, "10.0.0.1", "93.184.216.35"])
    internet.down.add(PUBLIC_ADDRESS)
    publisher.answers["/a"] = Answer(b"served")
    assert get(at(publisher, "publisher.example")) == b"served"
    assert internet.connected == [PUBLIC_ADDRESS, "93.184.216.35"]
    internet.down.add("93.184.216.35")
    with pytest.raises(FetchError, match="Connection refused"):
        get(at(publisher, "publisher.example"))


# --- proxies ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def proxy(make_site: Callable[[], Site], monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a proxy that the environment names."""
    proxy = make_site()
    monkeypatch.setenv("http_proxy", proxy.url("", "jo:pw"))
    return proxy


def test_a_proxy_of_the_environment_is_used(proxy: Site, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent the whole URL and its own credentials; what NO_PROXY lists is asked directly."""
    proxy.answers["http://publisher.example/a"] = Answer(b"by proxy")
    assert get("http://publisher.example/a") == b"by proxy"
    assert proxy.seen[0].headers["proxy-authorization"].startswith("Basic ")
    site.answers["/a"] = Answer(b"directly")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert get(site.url("/a")) == b"directly"
    assert "proxy-authorization" not in site.seen[0].headers


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "a.localhost.", "2130706433", "0x7f.1", "[::1]", "169.254.169.254"]
)
def test_through_a_proxy_numbers_are_still_looked_at(proxy: Site, host: str) -> None:
    """Names are the proxy's to resolve, but what needs no resolver is refused before it is asked for."""
    proxy.answers["http://publisher.example/a"] = to(f"http://{host}/secret")
    with pytest.raises(FetchError, match="whose address is not public"):
        get("http://publisher.example/a")
    assert len(proxy.seen) == 1


@pytest.mark.parametrize("named", ["socks5://127.0.0.1:1", "ftp://jo:hush@127.0.0.1:1", "http://"])
def test_a_proxy_that_can_not_be_used_is_named(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    """A proxy of another kind ends in a sentence without its password."""
    monkeypatch.setenv("http_proxy", named)
    with pytest.raises(FetchError, match=r"proxy .* of the environment") as refused:
        get("http://publisher.example/a")
    assert "hush" not in str(refused.value)


# --- TLS --------------------------------------------------------------------------------------------------------------


class Secured:
    """A server with a certificate for one name; `names` are the names that clients asked for."""

    def __init__(self, folder: Path, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=36500))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.path = folder / "certificate.pem"
        self.path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self.names: list[str | None] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nserved"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.path)
        self._context.sni_callback = lambda _, name, __: self.names.append(name)

    def __call__(self, connection: socket.socket) -> None:
        """Answer one connection."""
        with suppress(ssl.SSLError), self._context.wrap_socket(connection, server_side=True) as secured:
            read_head(secured)
            secured.sendall(self.answer)


def test_the_certificate_is_that_of_the_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    internet: Internet,
    make_wire: Callable[[Callable[[socket.socket], None]], Wire],
) -> None:
    """The connection goes to an address, but TLS asks for the name and checks it."""
    server = Secured(tmp_path, "publisher.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.path))
    wire = make_wire(server)
    internet.name("publisher.example", [PUBLIC_ADDRESS])
    internet.name("other.example", [PUBLIC_ADDRESS])
    assert get(f"https://publisher.example:{wire.port}/a") == b"served"
    with pytest.raises(FetchError, match="certificate verify failed"):
        get(f"https://other.example:{wire.port}/a")
    assert server.names == ["publisher.example", "other.example"]
    for host in ("publisher.example", "other.example", "127.0.0.1"):
        location = f"http://{host}:{wire.port}/b".encode()
        server.answer = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
        with pytest.raises(FetchError, match="from https to http"):
            get(f"https://publisher.example:{wire.port}/a")
    assert set(internet.connected) == {PUBLIC_ADDRESS}


@pytest.mark.parametrize("host", [".publisher.example", "a..publisher.example", "a" * 64 + ".example"])
def test_a_name_that_no_certificate_can_have_is_refused(publisher: Site, internet: Internet, host: str) -> None:
    """What a resolver takes for a name, TLS may not."""
    internet.name(host, [PUBLIC_ADDRESS])
    publisher.answers["/a"] = to(at(publisher, host).replace("http:", "https:"))
    with pytest.raises(FetchError, match="no http or https address"):
        get(at(publisher, "publisher.example"))
    assert internet.connected == [PUBLIC_ADDRESS]


def test_cookies_stay_with_their_server(make_site: Callable[[], Site]) -> None:
    """A cookie that a server sets on the way to its own file comes back to it."""
    home = make_site()
    home.answers["/a"] = Answer(status=302, headers={"Location": "/b", "Set-Cookie": "step=1"})
    home.answers["/b"] = lambda seen, _: Answer(seen.headers.get("cookie", "none").encode())
    assert get(home.url("/a")) == b"step=1"


def test_a_kept_connection_asks_each_gate(publisher: Site, internet: Internet) -> None:
    """What is open to a private address serves those who named it, and nobody whom a redirect leads there."""
    internet.name("inside.example", ["10.0.0.9"])
    publisher.answers["/a"] = Answer(b"inside")
    publisher.answers["/away"] = to(at(publisher, "inside.example"))
    connections = Connections()
    try:
        for _ in range(2):
            assert get(at(publisher, "inside.example"), connections=connections) == b"inside"
        assert internet.connected == ["10.0.0.9"]
        with pytest.raises(FetchError, match=r"leads to 'inside.example', whose address is not public \(private\)"):
            get(at(publisher, "publisher.example", "/away"), connections=connections)
        assert internet.connected == ["10.0.0.9", PUBLIC_ADDRESS]
        assert len(publisher.seen) == 3
        connections.stop()
        with pytest.raises(FetchError, match="was interrupted"):
            get(at(publisher, "inside.example"), connections=connections)
    finally:
        connections.close()

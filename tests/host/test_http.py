"""One conversation with a server: who gets the credentials, what is tried again, and when it is given up."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from ontofetch_catalog.errors import FetchError
from ontofetch_catalog.host.http import MOST_REDIRECTS, Exchange
from ontofetch_catalog.host.http_options import HttpOptions
from ontofetch_catalog.host.sources import parse_source
from tests.sites import Answer, Seen, Site, Wire

SECRETS = (("Authorization", "Bearer hush"), ("X-Api-Key", "hush"))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that were waited for, which pass at once."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def get(url: str, conditions: dict[str, str] | None = None, **options: object) -> bytes:
    """Ask for a URL and return the body of the answer that is not tried again; a refusal is an error."""
    exchange = Exchange(parse_source(url), HttpOptions(**options))  # type: ignore[arg-type]

    def take(response: httpx.Response) -> bytes:
        if response.status_code != 200:
            raise exchange.refused(response)
        return response.read()

    return exchange.get(conditions or {}, take)


def failing(times: int, status: int = 503, **headers: str) -> Callable[[Seen, int], Answer]:
    """Return a script that fails so many times before it serves."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, number: Answer(b"sorry", status, told) if number <= times else Answer(b"served")


def test_what_is_asked(site: Site) -> None:
    """A request says who asks, wants the artifact's own bytes, and carries conditions and the user's headers."""
    site.answers["/a.owl"] = Answer(b"served")
    assert get(site.url("/a.owl?v=1"), {"If-None-Match": '"x"'}, headers=[("X-Team", "ours")]) == b"served"
    (seen,) = site.seen
    assert seen.path == "/a.owl?v=1"
    assert seen.headers["user-agent"].startswith("ontofetch/")
    assert seen.headers["accept-encoding"] == "identity"
    assert (seen.headers["if-none-match"], seen.headers["x-team"]) == ('"x"', "ours")


def test_the_syntaxes_of_ontologies_are_asked_for_first(site: Site) -> None:
    """A server that has several syntaxes sends one of them; one that has none still sends; the user's wish counts."""
    site.answers["/a"] = Answer(b"served")
    get(site.url("/a"))
    get(site.url("/a"), headers=[("accept", "text/obo")])
    first, second = (seen.headers["accept"] for seen in site.seen)
    weights = {kind.partition(";")[0].strip(): float(kind.partition("q=")[2] or 1) for kind in first.split(",")}
    assert min(weights, key=weights.__getitem__) == "*/*"
    assert first.startswith("text/turtle, application/rdf+xml,")
    assert {"application/n-triples", "application/ld+json", "text/obo", "application/owl+xml"} <= weights.keys()
    assert second == "text/obo"


def test_user_and_password_of_the_url_are_sent_in_a_header(site: Site) -> None:
    """They become a Basic authorization; a header of the user's own goes before it, and replaces what we would say."""
    site.answers["/a"] = Answer(b"served")
    get(site.url("/a", "jo:p%C3%A4"))
    get(site.url("/a", "jo:pw"), headers=[("authorization", "Bearer own"), ("User-Agent", "mine")])
    first, second = site.seen
    assert first.headers["authorization"] == "Basic " + base64.b64encode("jo:pä".encode()).decode()
    assert (second.headers["authorization"], second.headers["user-agent"]) == ("Bearer own", "mine")


def test_a_redirect_on_the_same_host_keeps_the_credentials(site: Site) -> None:
    """A server that moves its own file is sent the same headers again."""
    site.answers["/old"] = Answer(status=302, headers={"Location": "/new"})
    site.answers["/new"] = Answer(b"served")
    assert get(site.url("/old"), headers=SECRETS) == b"served"
    assert [seen.headers.get("authorization") for seen in site.seen] == ["Bearer hush"] * 2


def test_a_redirect_to_another_host_drops_them_for_good(make_site: Callable[[], Site]) -> None:
    """Neither headers, user and password, nor cookies reach another host, and none come back with a later redirect."""
    home, away = make_site(), make_site()
    home.answers["/a"] = Answer(status=302, headers={"Location": away.url("/b", "x:y"), "Set-Cookie": "session=hush"})
    away.answers["/b"] = Answer(status=307, headers={"Location": home.url("/c")})
    home.answers["/c"] = Answer(b"served")
    assert get(home.url("/a", "jo:hush"), {"If-None-Match": '"x"'}, headers=SECRETS[1:]) == b"served"
    assert [seen.path for seen in home.seen + away.seen] == ["/a", "/c", "/b"]
    for seen in (home.seen[1], away.seen[0]):
        assert not {"authorization", "x-api-key", "cookie"} & set(seen.headers)
        assert "hush" not in str(seen.headers)
        # a condition is no secret
        assert seen.headers["if-none-match"] == '"x"'


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("ftp://example.org/a", "not http or https"),
        ("file:///etc/passwd", "not http or https"),
        ("data:text/plain,hush", "an address of the kind 'data:'"),
        ("DATA:text/plain;base64,aHVzaA==", "an address of the kind 'DATA:'"),
        ("javascript:alert('hush')", "an address of the kind 'javascript:'"),
        ("blob:https://example.org/hush", "an address of the kind 'blob:'"),
        ("view-source:http://example.org/hush", "an address of the kind 'view-source:'"),
        ("mailto:hush@example.org", "an address of the kind 'mailto:'"),
        ("gopher://example.org/hush", "an address of the kind 'gopher:'"),
        ("x" * 5000 + ":hush", "not http or https"),
        ("http://example.org:port/", "no http or https address"),
        ("http://example.org:99999/", "no http or https address"),
        ("http://example.org:0/", "no http or https address"),
        ("http:", "redirects more than"),
        ("https:hush", "no http or https address"),
        ("http://a%2Fhush/", "no http or https address"),
        ("http:///hush", "no http or https address|redirects more|answers 404"),
        ("http://[hush/", "no http or https address"),
        ("http://xn--/hush", "no http or https address"),
        ("http://" + "a" * 70_000, "no http or https address"),
        ("http://a..b/", "no http or https address"),
        ("https://.example.org/", "no http or https address"),
        ("https://" + "a" * 64 + ".example/", "no http or https address"),
        ("/" + "a" * 70_000, "no http or https address"),
        ("/a", f"redirects more than {MOST_REDIRECTS} times"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_refused(site: Site, pauses: list[float], location: str, words: str) -> None:
    """Other schemes, garbage and circles end in a sentence."""
    site.answers["/a"] = Answer(status=302, headers={"Location": location})
    with pytest.raises(FetchError, match=words) as refused:
        get(site.url("/a"))
    assert "hush" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_what_a_server_says_is_not_repeated(site: Site, make_wire: Callable[..., Wire], pauses: list[float]) -> None:
    """Neither the reason of a status nor the target of a redirect brings a credential into a sentence."""
    wire = make_wire(lambda connection: connection.sendall(b"HTTP/1.1 404 No hush here" + b"x" * 5000 + b"\r\n\r\n"))
    with pytest.raises(FetchError, match="answers 404 Not Found") as refused:
        get(wire.url("/a"), retries=0)
    assert "hush" not in str(refused.value)
    site.answers["/a"] = Answer(
        status=302, headers={"Location": "https://u:hush@127.0.0.1:1/b;s=hush?anything=hush#hush"}
    )
    with pytest.raises(FetchError) as refused:
        get(site.url("/a"), retries=0)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("user", ["", "jo:hush@"])
@pytest.mark.parametrize("target", ["http://example.org/a", "HTTP://other.example/a", "http://example.org:443/a"])
def test_https_does_not_lead_to_http(user: str, target: str) -> None:
    """A redirect to where anybody on the way can change the bytes is refused, with credentials and without."""
    exchange = Exchange(parse_source(f"https://{user}example.org/a"), HttpOptions())
    with pytest.raises(FetchError, match="from https to http"):
        exchange._redirected(httpx.URL("https://example.org/a"), target)
    assert exchange._redirected(httpx.URL("http://example.org/a"), "https://example.org/a").scheme == "https"


def test_something_passing_is_tried_again(site: Site, pauses: list[float]) -> None:
    """A server that is busy for a moment is asked again after growing pauses."""
    site.answers["/a"] = failing(3)
    assert get(site.url("/a"), backoff=8.0) == b"served"
    assert len(site.seen) == 4
    assert len(pauses) == 3
    # the library jitters between nothing and the full backoff
    assert all(0 <= pause <= 8 * 2**number for number, pause in enumerate(pauses))


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_respected(site: Site, pauses: list[float], status: int) -> None:
    """When the server says how long to wait, that is how long."""
    site.answers["/a"] = failing(1, status, Retry_After="7")
    assert get(site.url("/a")) == b"served"
    assert pauses == [7.0]


def test_a_server_that_wants_a_long_rest_gets_it(site: Site, pauses: list[float]) -> None:
    """Nobody waits for an hour: the sentence says when to come back."""
    site.answers["/a"] = failing(1, 429, Retry_After="3600")
    with pytest.raises(FetchError, match="come back in 60 minutes"):
        get(site.url("/a"))
    assert (len(site.seen), pauses) == (1, [])


@pytest.mark.parametrize(
    "told",
    [
        "",
        "soon",
        "-1",
        "NaN",
        "9" * 500,
        "Mon, 99 Foo 99999 99:99:99",
        "1e9",
        "Thu, 01 Jan",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 31 Dec 9999 23:59:59 -99999999999999",
    ],
)
def test_a_pause_that_makes_no_sense_is_none(site: Site, pauses: list[float], told: str) -> None:
    """Whatever stands in Retry-After, the answer is a short pause or a sentence."""
    site.answers["/a"] = failing(1, 503, Retry_After=told)
    try:
        assert get(site.url("/a"), backoff=0.5) == b"served"
    except FetchError as refused:
        assert "come back in" in str(refused)  # noqa: PT017 - both are right
    assert all(pause <= 1 for pause in pauses)


def test_tries_are_bounded(site: Site, pauses: list[float]) -> None:
    """After the last try the answer is the error."""
    site.answers["/a"] = failing(99, 502)
    with pytest.raises(FetchError, match="answers 502 Bad Gateway") as refused:
        get(site.url("/a"), retries=2)
    assert (len(site.seen), len(pauses)) == (3, 2)
    assert refused.value.hint == "Try again later."


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "--header"), (403, "--header"), (404, "address"), (410, "publisher")]
)
def test_a_refusal_is_not_tried_again(site: Site, pauses: list[float], status: int, hint: str) -> None:
    """What asking again won't change is told at once, with what to type next."""
    site.answers["/a"] = Answer(b"no", status)
    with pytest.raises(FetchError, match=f"answers {status}") as refused:
        get(site.url("/a"))
    assert (len(site.seen), pauses) == (1, [])
    assert hint in refused.value.hint


def test_a_server_that_goes_silent_is_given_up(site: Site) -> None:
    """A body that stops coming ends after the timeout, with the number of seconds."""
    stall = threading.Event()
    site.answers["/a"] = Answer(b"half", length=8, cut=4, stall=stall)
    try:
        with pytest.raises(FetchError, match=r"nothing came for 0\.2 seconds"):
            get(site.url("/a"), timeout=0.2, retries=0, least_rate=0.0)
    finally:
        stall.set()


def test_nobody_listens(make_site: Callable[[], Site], pauses: list[float]) -> None:
    """A refused connection is tried again and then told without the system's numbers or any credential."""
    site = make_site()
    url = site.url("/a?token=hush", "jo:hush")
    site.close()
    with pytest.raises(FetchError) as refused:
        get(url, retries=1)
    assert "Connection refused" in str(refused.value)
    assert "Errno" not in str(refused.value)
    assert "hush" not in str(refused.value)
    assert len(pauses) == 1

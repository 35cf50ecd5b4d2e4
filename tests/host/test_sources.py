"""Sources: what a word on the command line stands for, and what it never may be called."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.host.sources import parse_source


def test_a_path_is_a_file_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path, an absolute one and a file: URL of the same file are one source."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "ä b#1.ttl"
    by_name = parse_source("ä b#1.ttl")
    assert by_name == parse_source(str(path)) == parse_source(path.as_uri())
    assert by_name == parse_source(path.as_uri().replace("file://", "file://localhost"))
    assert by_name.path == path
    assert by_name.name == "ä b#1.ttl"
    assert by_name.url == path.as_uri()


def test_credentials_leave_the_url() -> None:
    """User and password are kept for the request alone, decoded, and appear neither in the URL nor in what is shown."""
    source = parse_source("https://jo%40x:p%3Aw@example.org:8443/a/hp.owl?apikey=sesame&v=1#frag")
    assert (source.user, source.password) == ("jo@x", "p:w")
    assert source.url == "https://example.org:8443/a/hp.owl?apikey=sesame&v=1"
    assert source.shown == "https://example.org:8443/a/hp.owl?apikey=REDACTED&v=1"
    assert source.hides_values
    assert "sesame" not in repr(source)
    assert "p:w" not in repr(source)
    assert not parse_source("https://example.org/hp.owl?v=1").hides_values


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://example.org/obo/hp.owl", "hp.owl"),
        ("HTTPS://example.org/a%20b.ttl?download=1", "a b.ttl"),
        ("http://[::1]:80/x/%C3%BC.nt", "ü.nt"),
        ("https://example.org/hp.owl;jsessionid=hush", "hp.owl"),
        ("https://example.org/hp.owl;hush?v=1", "hp.owl"),
        ("https://example.org/hp.owl%3Bjsessionid%3Dhush", "hp.owl;jsessionid=REDACTED"),
        ("https://example.org/token=hush", "token=REDACTED"),
        ("https://example.org/a%3Bb.owl", "a;b.owl"),
    ],
)
def test_the_last_segment_names_the_artifact(url: str, name: str) -> None:
    """The artifact is called like the last segment of the URL's path, decoded."""
    assert parse_source(url).name == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "plain text"),
        ("a\x1b[31m.ttl", "plain text"),
        ("ftp://example.org/a.ttl", "none of a path"),
        ("s3://bucket/a.ttl", "none of a path"),
        ("http:///a.ttl", "can't be read"),
        ("http://example.org:99999/a.ttl", "can't be read"),
        ("http://example.org:0/a.ttl", "can't be read"),
        ("http://[oops/a.ttl", "can't be read"),
        ("https://example.org", "is empty"),
        ("https://example.org/obo/", "is empty"),
        ("https://example.org/..%2F..%2Fetc%2Fpasswd", "'..'"),
        ("https://example.org/%2Fetc%2Fpasswd", "is absolute"),
        ("https://example.org/a%2Fb", "'a/b'"),
        ("https://example.org/..", "'..'"),
        ("https://example.org/a%00b", "U+0000"),
        ("https://example.org/a%1B%5B31m", "U+001B"),
        ("https://example.org/%E2%80%AEfdp.ttl", "U+202E"),
        ("https://example.org/%FF%FE.ttl", "U+DCFF"),
        ("https://example.org/" + "n" * 256, "longer than 255 bytes"),
        ("https://example.org/" + "n/" * 3000 + "a.ttl", "4,096"),
        ("file://elsewhere/a.ttl", "this machine"),
        ("file:a.ttl", "this machine"),
        ("file:///a%00/b.ttl", "can't be read"),
        ("/", "is empty"),
    ],
)
def test_what_can_not_be_fetched_is_refused(text: str, reason: str) -> None:
    """A source of another kind, or whose name is hostile, is refused with a sentence that names the fault."""
    with pytest.raises(UsageError, match="source") as caught:
        parse_source(text)
    assert reason in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_refusal_shows_no_password() -> None:
    """The sentence about a URL that can't be used shows neither its password nor its key."""
    for url in (
        "https://jo:hush@example.org/?token=hush", "ftp://jo:hush@example.org/a", "http://jo:hush@h:0/a",
        "https://jo:hu/sh@example.org/a", "https://jo:hush#x@example.org/a", "https:/jo:hush@example.org/a",
        "https://example.org/a/?hush", "https://example.org/;s=hush", "https://example.org/?v=1;x-api-key=hush",
    ):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            parse_source(url)
        assert "hush" not in str(caught.value)

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


def test_the_user_names_an_artifact(tmp_path: Path) -> None:
    """What the user says goes before the name of a path or an URL; a path may then end in anything."""
    assert parse_source("https://example.org/a/hp.owl").name is None
    assert parse_source(str(tmp_path / "a.owl")).name == "a.owl"
    for text in ("https://example.org/a/hp.owl", "https://example.org", str(tmp_path / "a.owl"), "/"):
        source = parse_source(text, "hp full.owl")
        assert (source.name, source.is_named, source.label, source.asked_name) == (
            "hp full.owl",
            True,
            *["hp full.owl"] * 2,
        )


@pytest.mark.parametrize("name", ["", "..", "a/b.owl", "/a", "a\x1b[2J", "a\u202eb", "n" * 256, "\ud800"])
def test_a_name_that_no_file_has_is_refused(name: str) -> None:
    """The name that the user gives is one of a file, in no folder."""
    with pytest.raises(UsageError, match="--name is not the name of a file") as caught:
        parse_source("https://example.org/a", name)
    assert str(caught.value).isprintable()


def test_what_has_no_name_yet_is_labelled_by_its_url() -> None:
    """Until a server has answered, progress and sentences call the artifact what the URL says, or the host."""
    assert parse_source("https://example.org/a/hp.owl?token=hush").label == "hp.owl"
    assert parse_source("https://jo:hush@example.org:81/?token=hush").label == "example.org:81"


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
        "https://jo:hush@example.org:99999/?token=hush", "ftp://jo:hush@example.org/a", "http://jo:hush@h:0/a",
        "https://jo:hu/sh@example.org/a", "https://jo:hush#x@example.org/a", "https:/jo:hush@example.org/a",
        "https://example.org:0/a/?hush", "https://example.org:0/;s=hush", "https://example.org:0/?v=1;x-api-key=hush",
        "jo:hush@example.org/a.owl", "jo:hush@localhost",
    ):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            parse_source(url)
        assert "hush" not in str(caught.value)
        # a word in place of the whole address would be taken for the address
        assert "'REDACTED'" not in str(caught.value)

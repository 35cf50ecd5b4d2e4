"""Names: what may be a name, a path, a hash or a size, and which secrets never pass."""

from __future__ import annotations

import ast
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ontofetch_hookspecs import EventError
from ontofetch_hookspecs.names import (
    MAX_SIZE,
    check_relpath,
    check_segment,
    check_sha256,
    check_size,
    check_text,
    check_time,
    path_key,
    quote,
    relpath_fault,
)
from ontofetch_hookspecs.redaction import is_ambiguous, is_secret_name, redact_url


@pytest.mark.parametrize("name", ["obo", "2025-09-15", "v1.0.0+build~2_x", "0", "a" * 100])
def test_a_segment_that_the_catalog_can_hold(name: str) -> None:
    """Letters, digits and . _ + ~ - make a name."""
    assert check_segment("version", name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "-x", "a/b", "a b", "a\n", "ä", "a" * 101, "latest", "LATEST", "Previous", None, 7],
)
def test_a_segment_that_it_can_not_hold(name: object) -> None:
    """Everything else is refused, with the field in the sentence; so are the words with a meaning of their own."""
    with pytest.raises(EventError, match="version") as refused:
        check_segment("version", name)
    assert refused.value.subject == "version"


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("a.ttl", None),
        ("a/b c/ü.ttl", None),
        ("...", None),
        ("a" * 255, None),
        ("/".join(["a" * 100] * 10), None),
        ("", "is empty"),
        ("/a", "is absolute"),
        ("a//b", "has an empty part"),
        ("a/", "has an empty part"),
        ("./a", "has a part '.' or '..'"),
        ("a/../b", "has a part '.' or '..'"),
        ("a\0b", "contains the control character U+0000"),
        ("a\u0085", "contains the control character U+0085"),
        ("a\u202eb", "contains the control character U+202E"),
        ("a\u2028b", "contains the control character U+2028"),
        ("a\udcff", "contains the control character U+DCFF"),
        ("ü" * 128, "has a part longer than 255 bytes"),
        ("/".join(["a" * 200] * 6), "is longer than 1,024 bytes"),
    ],
)
def test_relative_paths(path: str, fault: str | None) -> None:
    """A path stays below its folder, can be shown, and fits into every file system; the fault ends a sentence."""
    assert relpath_fault(path) == fault
    if fault is None:
        assert check_relpath("artifact", path) == path
    else:
        with pytest.raises(EventError, match="artifact") as refused:
            check_relpath("artifact", path)
        assert str(refused.value).isprintable()


def test_hashes_sizes_times_and_texts() -> None:
    """Each check hands its value back, or refuses it with the field as subject."""
    now = datetime.now(UTC)
    assert check_sha256("sha256", "0" * 64) == "0" * 64
    assert [check_size("size", size) for size in (0, MAX_SIZE)] == [0, MAX_SIZE]
    assert check_time("at", now) is now
    assert check_text("etag", None) is None
    assert check_text("etag", 'W/"ä"') == 'W/"ä"'
    refusals = (
        *((check_sha256, value) for value in ("0" * 63, "A" * 64, "0" * 64 + "\n", 0, None)),
        *((check_size, value) for value in (-1, MAX_SIZE + 1, True, 1.0, "1")),
        *((check_time, value) for value in (now.replace(tzinfo=None), now.date(), "2026-01-02", None)),
        *((check_text, value) for value in ("a\nb", "a\x1b", "x" * 4097, 7, "a\u2029")),
    )
    for check, value in refusals:
        with pytest.raises(EventError) as refused:
            check("field", value)  # type: ignore[operator]
        assert refused.value.subject == "field"
    with pytest.raises(EventError):
        check_text("run_id", None, optional=False)


@given(st.text(st.characters(), max_size=400))
@example("\x1b]0;title\x07\u202e\udcff")
def test_what_is_quoted_is_harmless_and_short(text: str) -> None:
    """A quoted text can't be obeyed by a terminal and does not flood a sentence."""
    shown = quote(text)
    assert shown.isprintable()
    assert len(shown) <= 450
    assert shown[0] == shown[-1]


@given(st.text(st.sampled_from("\\nx0a\n\x0a\t\u202e'\""), max_size=12))
@example("a\nb")
@example("a\\nb")
@example("a\\\nb")
def test_what_is_quoted_is_no_other_text(text: str) -> None:
    """A line end and a backslash before an n differ: what is shown says which text it is."""
    assert ast.literal_eval(quote(text)) == text


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("A.ttl", "a.TTL", True),
        ("caf\u00e9", "cafe\u0301", True),
        ("STRASSE", "stra\u00dfe", True),
        ("\u1e9b\u0323", "\u017f\u0323\u0307", True),
        ("a", "b", False),
        ("a", "\u0430", False),
    ],
)
def test_paths_that_are_one_file_somewhere(one: str, other: str, same: bool) -> None:
    """Paths that differ in case or normal form alone have one key; look-alikes keep theirs."""
    assert (path_key(one) == path_key(other)) is same


@given(st.text(max_size=20))
def test_a_path_key_does_not_change_any_more(text: str) -> None:
    """The key of a key is itself, in every normal form of the text."""
    key = path_key(text)
    assert path_key(key) == key
    assert path_key(unicodedata.normalize("NFD", text)) == key


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/a.owl?v=1", "https://example.org/a.owl?v=1"),
        ("https://jo:hush@example.org:8443/a#hush", "https://example.org:8443/a"),
        ("https://example.org/a?apikey=hush&v=1", "https://example.org/a?apikey=REDACTED&v=1"),
        (
            "https://e.org/a?API_KEY=hush&X-Amz-Signature=hush",
            "https://e.org/a?API_KEY=REDACTED&X-Amz-Signature=REDACTED",
        ),
        (
            "https://e.org/a?my_token=hush&github-secret=hush",
            "https://e.org/a?my_token=REDACTED&github-secret=REDACTED",
        ),
        ("https://e.org/a?%74oken=hush", "https://e.org/a?token=REDACTED"),
        ("file:///data/a%20b.ttl", "file:///data/a%20b.ttl"),
        ("http://[broken/hush", "REDACTED"),
        # names that nobody listed
        ("https://e.org/a?x-api-key=hush", "https://e.org/a?x-api-key=REDACTED"),
        ("https://e.org/a?subscription-key=hush&v=1", "https://e.org/a?subscription-key=REDACTED&v=1"),
        ("https://e.org/a?token[]=hush", "https://e.org/a?token[]=REDACTED"),
        ("https://e.org/a?token%5B%5D=hush", "https://e.org/a?token[]=REDACTED"),
        ("https://e.org/a?AWSAccessKeyId=hush", "https://e.org/a?AWSAccessKeyId=REDACTED"),
        ("https://e.org/a?jwt=hush&pass=hush", "https://e.org/a?jwt=REDACTED&pass=REDACTED"),
        ("https://e.org/a?sv=hush&se=hush&sr=hush", "https://e.org/a?sv=REDACTED&se=REDACTED&sr=REDACTED"),
        ("https://e.org/a?u=hush&code=hush", "https://e.org/a?u=REDACTED&code=REDACTED"),
        ("https://e.org/a?v=1&v=2&V=3&Version=4", "https://e.org/a?v=1&v=2&V=3&Version=4"),
        # separators and encodings
        ("https://e.org/a?v=1;token=hush", "https://e.org/a?v=1;token=REDACTED"),
        ("https://e.org/a?v=1;;&&x=hush", "https://e.org/a?v=1;;&&x=REDACTED"),
        ("https://e.org/a?v=1%26token=hush", "https://e.org/a?v=REDACTED"),
        ("https://e.org/a?v=1%3Btoken%3Dhush", "https://e.org/a?v=REDACTED"),
        ("https://e.org/a?v=1%2526token%253Dhush", "https://e.org/a?v=REDACTED"),
        ("https://e.org/a?%2574oken=hush", "https://e.org/a?token=REDACTED"),
        ("https://e.org/a?token%3Dhush", "https://e.org/a?token=REDACTED"),
        ("https://e.org/a?v=1?token=hush", "https://e.org/a?v=REDACTED"),
        ("https://e.org/a?file=http://jo:hush@h/", "https://e.org/a?file=REDACTED"),
        ("https://e.org/a?name=jo@hush", "https://e.org/a?name=REDACTED"),
        ("https://e.org/a?id=" + "hush" * 40, "https://e.org/a?id=REDACTED"),
        ("https://e.org/a?%76=hush", "https://e.org/a?v=REDACTED"),
        # names without a value
        ("https://e.org/a?hush", "https://e.org/a?REDACTED"),
        ("https://e.org/a?hush==", "https://e.org/a?REDACTED"),
        ("https://e.org/a?v=1&hush", "https://e.org/a?v=1&REDACTED"),
        ("https://e.org/a?download", "https://e.org/a?download"),
        ("https://e.org/a?" + "hush" * 20 + "=1", "https://e.org/a?REDACTED=REDACTED"),
        # the path
        ("https://e.org/a.owl;jsessionid=hush", "https://e.org/a.owl;jsessionid=REDACTED"),
        ("https://e.org/a;JSESSIONID=hush/b.owl?v=1", "https://e.org/a;JSESSIONID=REDACTED/b.owl?v=1"),
        ("https://e.org/a;hush/b.owl", "https://e.org/a;REDACTED/b.owl"),
        ("https://e.org/a;v=1/b.owl", "https://e.org/a;v=1/b.owl"),
        ("https://e.org/a%3Bjsessionid%3Dhush/b.owl", "https://e.org/a%3Bjsessionid=REDACTED/b.owl"),
        ("https://e.org/a%253Bsid%253Dhush", "https://e.org/a%253Bsid=REDACTED"),
        ("https://e.org/a%3Ftoken=hush", "https://e.org/a%3Ftoken=REDACTED"),
        ("https://e.org/apikey=hush/b.owl", "https://e.org/apikey=REDACTED/b.owl"),
        ("https://e.org/a&token=hush", "https://e.org/a&token=REDACTED"),
        ("https://e.org/@scope/a@1.0/v=1/b%3Bc.owl", "https://e.org/@scope/a@1.0/v=1/b%3Bc.owl"),
        # user and password
        ("https://hush@e.org/a", "https://e.org/a"),
        ("https://jo:hu@sh@e.org/a", "https://e.org/a"),
        ("https://jo%3Ahush%40e.org/a", "https://e.org/a"),
        ("https://jo:hu/sh@e.org/a", "REDACTED"),
        ("https://jo:hu#sh@e.org/a", "REDACTED"),
        ("https://jo:hu?sh@e.org/a", "REDACTED"),
        ("https:/jo:hush@e.org/a", "REDACTED"),
        ("https:jo:hush@e.org/a", "REDACTED"),
        ("jo:hush@e.org/a", "REDACTED"),
        ("//jo:hush@e.org/a", "//e.org/a"),
        ("ftp://jo:hush@e.org/a;type=i", "ftp://e.org/a;type=i"),
        # what is no place
        ("data:text/plain,hush", "data:REDACTED"),
        ("javascript:hush", "javascript:REDACTED"),
        ("file:///data/a%3Btoken%3Db.ttl", "file:///data/a%3Btoken%3Db.ttl"),
        ("/data/a@b.ttl", "/data/a@b.ttl"),
        ("https://e.org/a?REDACTED&x=REDACTED", "https://e.org/a?REDACTED&x=REDACTED"),
    ],
)
def test_secrets_in_urls(url: str, shown: str) -> None:
    """User, password, fragment and the values of secret names go; the rest of the URL stays as it is."""
    assert redact_url(url) == shown
    assert redact_url(shown) == shown


def test_secret_names() -> None:
    """Names that usually carry secrets are known in any case and spelling, others are not."""
    for name in (
        "Authorization", "Proxy-Authorization", "apikey", "refresh_token", "client_secret", "KEY", "db_password",
        "X-Api-Key", "Cookie", "Set-Cookie", "Ocp-Apim-Subscription-Key", "PRIVATE-TOKEN", "token[]", "%74oken",
        "tokens",
        "AWSAccessKeyId", "accessKey", "X-Auth-Key", "X-Auth", "jwt", "pass", "x-goog-signature", "JSESSIONID", "sid",
        "X-Amz-Credential", "api.key", "APIKey2", "passphrase", "bearer", "WWW-Authenticate",
    ):  # fmt: skip
        assert is_secret_name(name), name
    for name in ("keyword", "version", "format", "monkey", "compass", "author", "message", "bytes", "ETag", "passed"):
        assert not is_secret_name(name), name


@pytest.mark.parametrize(
    ("query", "ambiguous"),
    [
        ("", False),
        ("?v=1&format=owl", False),
        ("?apikey=a", False),
        ("?v=1&token=a&sig=b", False),
        ("?X-Amz-Signature=a&X-Amz-Date=b&X-Amz-Expires=c", False),
        ("?subscription-key=a;v=1", False),
        ("?thing=a", True),
        ("?apikey=a&thing=b", True),
        ("?thing=REDACTED", True),
        ("?a", True),
        ("?v=1%26x=2", True),
        ("?key=hp.owl", True),
        ("?page_token=a", True),
        ("?nextPageToken=a", True),
        (";jsessionid=a", False),
        (";part=a", True),
    ],
)
def test_only_credentials_leave_an_url_what_it_is(query: str, ambiguous: bool) -> None:
    """Where a value was hidden that may choose the bytes, the URL that is left names no download."""
    assert is_ambiguous("https://example.org/a.owl" + query) is ambiguous
    assert is_ambiguous(redact_url("https://example.org/a.owl" + query)) is ambiguous


@given(st.text(max_size=60))
def test_redacting_is_done_once(text: str) -> None:
    """What was redacted stays as it is, whatever it was, and no hidden value comes through."""
    for url in (text, "https://example.org/" + text, "https://example.org/a?" + text):
        assert redact_url(redact_url(url)) == redact_url(url)
    assert "hush" not in redact_url(f"https://example.org/a?{text.replace('hush', '')}&unlisted=hush")

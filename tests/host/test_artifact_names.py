"""The names of artifacts: what a server calls them is made harmless, and found where it says nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontofetch_catalog.host.artifact_names import (
    MOST_NAME,
    harmless_name,
    name_in_disposition,
    name_in_url,
    name_of_answer,
)
from ontofetch_hookspecs.names import relpath_fault

BIOPORTAL = "https://data.bioontology.org/ontologies/HP/submissions/600/download?apikey=s3same"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename=hp.owl", "hp.owl"),
        ('attachment; filename="hp.owl"', "hp.owl"),
        ("ATTACHMENT;FileName = hp.owl ; size=3", "hp.owl"),
        ("inline; filename=hp.owl", "hp.owl"),
        ("filename=hp.owl", "hp.owl"),
        ('attachment; filename="a \\"b\\" c.owl"', 'a "b" c.owl'),
        ('attachment; filename="a;b=c.owl"', "a;b=c.owl"),
        ("attachment; filename=hp 2024.owl", "hp 2024.owl"),
        ("attachment; filename*=UTF-8''%C3%BCber%20hp.owl", "über hp.owl"),
        ("attachment; filename*=utf-8'en'hp.owl; filename=\"other.owl\"", "hp.owl"),
        ("attachment; filename=\"other.owl\"; filename*=UTF-8''hp.owl", "hp.owl"),
        ("attachment; filename*=iso-8859-1''%FCber.owl", "über.owl"),
        ("attachment; filename=\"hp.owl\"; filename*=UTF-8''%FF%FE.owl", "hp.owl"),
        ("attachment; filename=\"hp.owl\"; filename*=nonsense''x.owl", "hp.owl"),
        ('attachment; filename="hp.owl"; filename*=broken', "hp.owl"),
        ('attachment; filename="=?UTF-8?Q?=C3=BCber.owl?="', "über.owl"),
        ('attachment; filename="first.owl"; filename="second.owl"', "first.owl"),
        ('attachment; filename="../../outside/x.owl"', "x.owl"),
        ('attachment; filename="C:\\Users\\me\\hp.owl"', "hp.owl"),
        ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("attachment; filename=/etc/passwd", "passwd"),
        ('attachment; filename="a\x1b[2J\x07\0b.owl"', "a[2Jb.owl"),
        ("attachment; filename*=UTF-8''%E2%80%AElwo.ph%E2%80%8B.owl", "lwo.ph.owl"),
        ('attachment; filename=" . .hidden.owl. "', "hidden.owl"),
        ("attachment; filename=.htaccess", "htaccess"),
        ("attachment; filename=..", None),
        ('attachment; filename=""', None),
        ('attachment; filename="a/"', None),
        ("attachment; filename*=UTF-8''%00%0A", None),
        ("attachment", None),
        ("", None),
        ("attachment; filename", None),
        ('attachment; filename="open', "open"),
    ],
)
def test_what_a_server_calls_a_file(header: str, name: str | None) -> None:
    """`filename*` goes before `filename` where it can be decoded; folders and what can't be seen are taken away."""
    assert name_in_disposition(header) == name


def test_a_long_name_keeps_its_ending() -> None:
    """A name is cut between letters, and before its ending."""
    for letter in ("n", "ü", "漢"):
        name = name_in_disposition(f"attachment; filename*=UTF-8''{letter * 500}.owl.gz")
        assert name is not None
        assert name.endswith(".gz")
        assert MOST_NAME - 4 <= len(name.encode()) <= MOST_NAME
    assert harmless_name("a." + "b" * 500) == "a." + "b" * (MOST_NAME - 2)


@given(st.text(max_size=300))
def test_whatever_is_said_becomes_a_harmless_name_or_none(text: str) -> None:
    """What is left can be the name of a file in a folder, is printable enough, and stays what it is."""
    for name in (name_in_disposition(text), name_in_disposition(f'x; filename="{text}"'), harmless_name(text)):
        assert name is None or (
            relpath_fault(name, most=MOST_NAME) is None
            and not set(name) & set("/\\")
            and not name.startswith(".")
            and harmless_name(name) == name
        )


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://example.org/obo/hp.owl", "hp.owl"),
        ("HTTPS://example.org/a%20b.ttl?download=1", "a b.ttl"),
        ("http://[::1]:80/x/%C3%BC.nt", "ü.nt"),
        ("https://example.org/hp.owl;jsessionid=hush", "hp.owl"),
        ("https://example.org/hp.owl;hush?v=1", "hp.owl"),
        ("https://example.org/a%3Bb.owl", "a;b.owl"),
        ("https://example.org/get?file=hp.owl", "hp.owl"),
        ("https://example.org/get.php?id=5&filename=hp.owl", "hp.owl"),
        ("https://example.org/?path=a/b/hp.owl", "hp.owl"),
        ("https://example.org/hp.owl?file=other.owl", "hp.owl"),
        ("https://example.org/get?file=REDACTED", "get"),
        ("https://example.org/ns/core", "core"),
        ("https://example.org", None),
        ("https://example.org/obo/", None),
        ("https://example.org/token=REDACTED", None),
        ("https://example.org/..%2F..%2Fetc%2Fpasswd", None),
        ("https://example.org/%2Fetc%2Fpasswd", None),
        ("https://example.org/a%2Fb", None),
        ("https://example.org/..", None),
        ("https://example.org/a%00b", None),
        ("https://example.org/a%1B%5B31m", None),
        ("https://example.org/%E2%80%AEfdp.ttl", None),
        ("https://example.org/%FF%FE.ttl", None),
        ("https://example.org/" + "n" * 256, None),
    ],
)
def test_what_an_url_calls_a_file(url: str, name: str | None) -> None:
    """The last part of the path, decoded, or a value of the query; one that no file can have is none."""
    assert name_in_url(url) == name


@pytest.mark.parametrize(
    ("urls", "disposition", "content_type", "name"),
    [
        ([BIOPORTAL], 'attachment; filename="hp.owl"', "text/plain", "hp.owl"),
        ([BIOPORTAL], None, "application/rdf+xml", "ontology.rdf"),
        ([BIOPORTAL], None, "text/obo; charset=utf-8", "ontology.obo"),
        ([BIOPORTAL], None, "application/octet-stream", "download"),
        (["http://x/get?file=hp.owl"], None, None, "hp.owl"),
        (["http://x/ns/"], None, "text/turtle;charset=utf-8", "ontology.ttl"),
        (["http://x/ns/"], None, "what is this", "ontology"),
        (["http://x/ns/core"], None, "text/turtle", "core"),
        (["http://x/ns/core", "http://x/ns/core.ttl"], None, "text/turtle", "core.ttl"),
        (["http://x/hp.owl", "http://y/v2/hp-full.owl"], None, None, "hp-full.owl"),
        (["http://x/hp.owl", "http://s3/3f2a9c?X-Amz-Signature=s3same"], None, None, "hp.owl"),
        (["http://x/core", "http://s3/3f2a9c"], None, None, "core"),
        (["http://x/hp.owl", "http://x/login.php"], None, "text/html", "hp.owl"),
        (["http://x/releases/1.0"], None, "text/turtle", "1.0"),
        (["http://x/get?file=s3same.owl&token=s3same"], "attachment; filename=''", None, "''"),
    ],
)
def test_who_names_an_artifact(urls: list[str], disposition: str | None, content_type: str | None, name: str) -> None:
    """The server's own name, the last URL's with an ending, the first URL's, and the type's, in this order."""
    assert name_of_answer(urls, disposition, content_type) == name


def test_no_secret_becomes_a_name() -> None:
    """A value that is hidden in records, and what a redirect has in its path, name nothing."""
    for urls in (
        ["https://x/get?key=s3same.owl"],
        ["https://x/get?file=a%26token=s3same.owl"],
        ["https://x/;s=s3same"],
        ["https://x/token=s3same"],
        ["https://x/get", "https://y/s3same"],
        ["https://x/get", "https://y/blob?sig=s3same.owl"],
    ):
        assert "s3same" not in name_of_answer(urls, None, None)
    # nor does what a server repeats of a request
    told = "attachment; filename=download_apikey_s3same.owl"
    urls = ["https://x/get?apikey=s3same", "https://y/s3same.owl"]
    assert name_of_answer(urls, told, "text/turtle", secrets=["s3same"]) == "ontology.ttl"
    assert name_of_answer(["https://x/hp.owl", *urls], told, None, secrets=["s3same"]) == "hp.owl"
    assert name_of_answer(["https://x/s3same"], None, None, secrets=["s3same"]) == "ontology"

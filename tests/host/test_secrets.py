"""Secrets of a source: they are sent, and stand afterwards in no byte of the store and in no line that was printed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.host.app import main
from tests.sites import Answer, Seen, Site

pytestmark = pytest.mark.usefixtures("quick_databases")

SECRET = "s3same"
# another one: names may not repeat what came as a password or in a header, wherever else it stands
PASSWORD = "s4word"
TTL = b"<http://e.org/a> <http://e.org/b> <http://e.org/c> .\n"
QUERIES = [
    "?x-api-key=s3same", "?subscription-key=s3same", "?token[]=s3same", "?AWSAccessKeyId=s3same", "?jwt=s3same",
    "?pass=s3same", "?v=1;token=s3same", "?%74oken=s3same", "?s3same", "?s3same==", "?v=1%26token%3Ds3same",
    "?unlisted=s3same", "?file=https://jo:s3same@h/", ";jsessionid=s3same", ";s3same?v=1", "%3Bsid%3Ds3same",
    "?v=1#token=s3same",
]  # fmt: skip


def run(*words: str) -> int:
    """Run `pull` for one release; what libraries log reaches stderr as it does where no other program listens."""
    root = logging.getLogger()
    kept, root.handlers[:] = root.handlers[:], []
    try:
        return main(["pull", *words, "--service", "s", "--ontology", "o", "--json", "-vv"])
    finally:
        root.handlers[:] = kept


def holders(folder: Path) -> list[Path]:
    """Return what has a secret in its name or its bytes."""
    return [
        path
        for path in folder.rglob("*")
        for secret in (SECRET, PASSWORD)
        if secret in str(path) or (path.is_file() and secret.encode() in path.read_bytes())
    ]


@pytest.mark.parametrize("query", QUERIES)
def test_a_value_that_is_not_harmless_is_nowhere(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], query: str
) -> None:
    """Rows, documents, stages, names of files, the log with -vv, the printed row and later questions: none has it."""
    headers = {"ETag": '"1"', "Last-Modified": "Tue, 02 Jan 2024 03:04:05 GMT"}
    site.answers[f"/a.ttl{query}".partition("?")[0].partition("#")[0]] = Answer(TTL, headers=headers)
    url = site.url(f"/a.ttl{query}", f"jo:{PASSWORD}")
    assert run(url, "--version", "1", "--header", f"X-Whatever: {PASSWORD}") == 0
    assert site.seen[0].headers["x-whatever"] == PASSWORD
    assert SECRET in site.seen[0].path or "#" in query
    assert main(["db", "files", "s/o/1", "--json"]) == 0
    site.answers.clear()
    assert run(url, "--version", "2") == 1
    printed = "".join(capsys.readouterr())
    assert SECRET not in printed
    assert PASSWORD not in printed
    assert holders(tmp_path / "store") == []


@pytest.mark.parametrize(
    "target",
    ["/b.ttl?unlisted=s3same", "/b.ttl;s=s3same", "{away}/b.ttl?sv=1&sig=s3same", "http://jo:s3same@127.0.0.1:1/b?s3same",
     "data:s3same", "/b.ttl?s3same#s3same", "http://s3same:port/"],
)  # fmt: skip
def test_what_a_redirect_says_is_recorded_and_told_like_a_source(
    make_site: Callable[[], Site],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    target: str,
) -> None:
    """The target of a redirect often is signed: neither a record nor a line of the log has it, whatever comes of it."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    home, away = make_site(), make_site()
    home.answers["/a.ttl"] = Answer(status=302, headers={"Location": target.format(away=away.url(""))})

    def served(seen: Seen, number: int) -> Answer:
        return Answer(TTL) if number > 1 else Answer(b"", 503)

    for site in (home, away):
        site.answers |= {"/b.ttl": served, "/b.ttl;s=s3same": served}
    run(home.url("/a.ttl"), "--version", "1")
    printed = "".join(capsys.readouterr())
    assert "HTTP Request: GET" in printed
    assert SECRET not in printed
    assert holders(tmp_path / "store") == []


@pytest.mark.parametrize(
    ("setting", "words"),
    [("HTTP_DEADLINE=0.0001", "took more than the 0.0001 seconds"), ("HTTP_MAX_BYTES=5", "larger than the 5 bytes")],
)
def test_a_limit_is_a_setting(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, setting: str, words: str
) -> None:
    """What the environment sets holds for a pull, and the sentence names it."""
    site.answers["/a.ttl"] = Answer(TTL)
    name, _, value = f"ONTOFETCH_{setting}".partition("=")
    monkeypatch.setenv(name, value)
    assert run(site.url("/a.ttl"), "--version", "1") == 1
    told = capsys.readouterr().err
    assert words in told
    assert name in told

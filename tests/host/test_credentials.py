"""Secrets that no command line has: headers of the environment and of a file, `netrc`; each for its host alone."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.host.app import main
from ontofetch_catalog.host.credentials import Credentials, read_header_file
from tests.host.registries import obo, serve
from tests.sites import Answer, Site

SECRET = "sesame-9"
URL = "https://data.example.org/a.owl"


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    """Write a file that nobody else may read."""
    path.write_text(text)
    path.chmod(mode)
    return path


def test_headers_are_for_their_host() -> None:
    """A name with its port goes before the name, the file before the environment, what was given before both."""
    found = Credentials(
        {
            "ONTOFETCH_HEADER_DATA_EXAMPLE_ORG": "X-Key: a\nX-More: b",
            "ONTOFETCH_HEADER_DATA_EXAMPLE_ORG_8443": "X-Key: c",
        },
        {"data.example.org": (("X-File", "d"),), "other.example.org": (("X-Other", "e"),)},
    )
    assert found.headers_for(URL) == (("X-File", "d"), ("X-Key", "a"), ("X-More", "b"))
    assert dict(found.headers_for("https://data.example.org:8443/"))["X-Key"] == "c"
    assert found.headers_for(URL, (("x-key", "mine"),)) == (("x-key", "mine"), ("X-File", "d"), ("X-More", "b"))
    assert found.headers_for("https://example.org/") == ()
    assert found.headers_for("file:///data.example.org/a") == ()


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_netrc_says_who_asks(tmp_path: Path, mode: int) -> None:
    """It is asked for the very host, not for `default`; one that others can read is refused where it would be sent."""
    private(
        tmp_path / ".netrc", f"machine data.example.org login jo password {SECRET}\ndefault login x password y\n", mode
    )
    found = Credentials({"HOME": str(tmp_path)})
    assert found.headers_for("https://example.org/") == ()
    if mode != 0o600:
        with pytest.raises(UsageError, match="can be read by others"):
            found.headers_for(URL)
        return
    pair = base64.b64encode(f"jo:{SECRET}".encode()).decode()
    assert found.headers_for(URL) == (("Authorization", f"Basic {pair}"),)
    assert found.headers_for(URL, (("authorization", "Bearer x"),)) == (("authorization", "Bearer x"),)
    assert found.headers_for(URL, user="jo") == ()
    assert SECRET not in repr(found)


def test_a_broken_netrc_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever needs none goes on; the warning repeats nothing of it."""
    path = private(tmp_path / "n", f"machine data.example.org login jo {SECRET} nonsense\n")
    assert Credentials({"NETRC": str(path)}).headers_for(URL) == ()
    assert SECRET not in caplog.text
    assert Credentials({"NETRC": "/dev/null"}).headers_for(URL) == ()


def test_a_file_of_headers_has_hosts(tmp_path: Path) -> None:
    """Sections are hosts, remarks are none, and what is wrong is told by its line alone."""
    path = private(tmp_path / "h", f"# mine\nX-All: 1\n[data.example.org]\nX-Key: {SECRET}\n\n[b.org:81]\nX: y\n")
    assert read_header_file(str(path)) == (
        {"data.example.org": (("X-Key", SECRET),), "b.org:81": (("X", "y"),)},
        (("X-All", "1"),),
    )
    for text in (SECRET, f"X Y: {SECRET}", f"X: {SECRET}\x01", f"[a b] {SECRET}"):
        with pytest.raises(UsageError, match="Line 1 of") as caught:
            read_header_file(str(private(tmp_path / "h", text + "\n")))
        assert SECRET not in str(caught.value)
    with pytest.raises(UsageError, match="can be read by others"):
        read_header_file(str(private(tmp_path / "h", "X: y\n", 0o640)))
    with pytest.raises(UsageError, match="can't be read: No such file"):
        read_header_file(str(tmp_path / "gone"))


def test_no_secret_is_left_anywhere(
    make_site: Callable[[], Site], tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reaches its server and no other, no log, no record, no lock file, and no error that repeats an answer."""
    site, other = make_site(), make_site()
    serve(site, "/hp.obo", obo("1"))
    serve(other, "/moved.obo", obo("1", "go"))
    site.answers["/go.obo"] = Answer(status=302, headers={"Location": other.url("/moved.obo")})
    site.answers["/echo.obo"] = Answer(f"<html>you sent {SECRET}</html>".encode())
    monkeypatch.setenv("ONTOFETCH_HTTP_RETRIES", "0")
    monkeypatch.setenv("ONTOFETCH_HEADER_127_0_0_1_" + site.url("").rpartition(":")[2], f"X-Api-Thing: {SECRET}")
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    (store / "ontofetch.toml").write_text(
        "".join(f'[s.{name}]\nurl = "{site.url(f"/{name}.obo")}"\n' for name in ("hp", "go", "echo"))
    )
    assert main(["update", "-vv"]) == 1
    assert main(["lock"]) == 0
    out, err = capfd.readouterr()
    assert all(seen.headers["x-api-thing"] == SECRET for seen in site.seen)
    assert "x-api-thing" not in other.seen[0].headers
    assert "you sent REDACTED" in " ".join(out.split())
    assert SECRET not in out + err
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []


def test_a_file_of_headers_serves_one_pull_and_many(
    site: Site, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """For one server a header needs no host; for many it has to say which."""
    serve(site, "/hp.obo", obo("1"))
    path = private(tmp_path / "h", f"X-Key: {SECRET}\n")
    words = ["--service", "s", "--ontology", "hp", "--header-file", str(path)]
    assert main(["pull", site.url("/hp.obo"), *words]) == 0
    assert site.seen[0].headers["x-key"] == SECRET
    (tmp_path / "s.toml").write_text(f'[s.hp]\nurl = "{site.url("/hp.obo")}"\n')
    assert main(["update", "--sources", str(tmp_path / "s.toml"), "--header-file", str(path)]) == 2
    assert "stands before the first host" in capfd.readouterr().err

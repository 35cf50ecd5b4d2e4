"""`add`: an entry by looking at a document, written beside what stands there, and the file that it is written into."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.host.app import main
from ontofetch_catalog.series_file import read_series_file
from tests.host.registries import obo, serve
from tests.sites import Answer, Site

pytestmark = pytest.mark.usefixtures("quick_databases")

NT = b"<urn:a> <urn:b> <urn:c> .\n"
Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the program in this process: words → exit code, rows, stderr."""
    monkeypatch.setenv("ONTOFETCH_HTTP_RETRIES", "0")
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, list[dict[str, Any]], str]:
        code = main([*words, "--json"])
        out, err = capfd.readouterr()
        return code, json.loads(out)["rows"] if out else [], err

    return call


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answer(obo("4")), ("from-document", "4")),
        (Answer(NT, headers={"Last-Modified": "Mon, 03 Feb 2025 04:05:06 GMT"}), ("from-header", None)),
        (Answer(NT), ("date", None)),
        (Answer(obo("4") + b"!" * 2_000_000), ("from-document", "4")),
    ],
)
def test_a_document_says_how_its_versions_are_found(
    run: Run, site: Site, tmp_path: Path, answer: Answer, found: tuple[str, str | None]
) -> None:
    """Its beginning is looked at; the entry is written, and update goes by it."""
    site.answers["/x/hp.obo"] = answer
    code, rows, err = run("add", site.url("/x/hp.obo"), "--service", "s", "--keep", "3")
    assert (code, rows[0]["series"], rows[0]["how"], rows[0]["version"]) == (0, "s/hp", *found), err
    series = read_series_file(tmp_path / "store").series["s/hp"]
    assert (series.version, series.keep, series.parts[0].url) == (found[0], 3, site.url("/x/hp.obo"))


def test_entries_are_added_to_what_stands_there(run: Run, site: Site, tmp_path: Path) -> None:
    """Remarks, settings and other series stay; a name that is taken, and one that nothing says, are sentences."""
    serve(site, "/hp.obo", obo("1"))
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    (store / "ontofetch.toml").write_text("# mine\nwait = 3\n[obo.go]\nsource = 'obo:go'")
    assert run("add", site.url("/hp.obo"), "--service", "s.1", "--dry-run")[1][0]["added"] is False
    assert run("add", site.url("/hp.obo"), "--service", "s.1")[0] == 0
    text = (store / "ontofetch.toml").read_text()
    assert text.startswith("# mine\nwait = 3\n[obo.go]\nsource = 'obo:go'\n\n[\"s.1\".hp]\nurl = ")
    assert list(read_series_file(store).series) == ["obo/go", "s.1/hp"]
    code, _, err = run("add", site.url("/hp.obo"), "--service", "s.1")
    assert (code, "names s.1/hp already" in err) == (2, True)
    code, _, err = run("add", site.url("/hp.obo"))
    assert (code, "Give one with --service." in err) == (2, True)
    for url in (site.url("/hp.obo", user="jo:sesame-3"), site.url("/hp.obo?apikey=sesame-3")):
        code, _, err = run("add", url, "--service", "s")
        assert (code, "holds a password or a key" in err, "sesame-3" in err) == (2, True, False), err
    code, _, err = run("add", "gone.obo")
    assert (code, "can't be read: No such file or directory" in err) == (1, True)
    site.answers["/page"] = Answer(
        b"<!DOCTYPE html><html><title>Sign in</title>", headers={"Content-Type": "text/html"}
    )
    code, _, err = run("add", site.url("/page"), "--service", "s")
    assert (code, "a web page" in err) == (1, True), err
    assert (store / "ontofetch.toml").read_text() == text


def test_somebody_stands_in_the_store(run: Run, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There the same file is the settings file: its series are none of its settings, and every command works."""
    (tmp_path / "hp.obo").write_bytes(obo("1"))
    assert run("add", "hp.obo")[0] == 0
    monkeypatch.chdir(tmp_path / "store")
    code, rows, err = run("update")
    assert (code, rows[0]["series"], rows[0]["status"]) == (0, "local/hp", "new"), err
    assert "settings:" not in err
    assert run("db", "doctor")[:2] == (0, [])
    with Path("ontofetch.toml").open("a") as stream:
        stream.write("[obo.go]\nulr = 'x'\n")
    code, _, err = run("db", "versions")
    assert (code, "unknown setting 'obo'" in err) == (2, True)


def test_many_add_at_once(tmp_path: Path) -> None:
    """Nobody's entry is lost."""
    for number in range(8):
        (tmp_path / f"o{number}.obo").write_bytes(obo("1"))
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda n=number: codes.append(main(["-q", "add", str(tmp_path / f"o{n}.obo")])))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0] * 8
    assert len(read_series_file(tmp_path / "store").series) == 8


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[obo.hp]\nulr = 'https://a.b/c'\n", "has an unknown key 'ulr'. Did you mean url?"),
        ("[obo.hp]\n", "says nothing of where its releases are. Give it one of artifacts, source, url."),
        ("[obo.hp]\nurl='https://a.b/c'\nartifacts=['https://a.b/c']\n", "says both url and artifacts"),
        ("[obo.hp]\nurl='obo:hp'\n", "What a scheme answers is a `source`"),
        ("[obo.hp]\nurl='hp.obo'\n", "an address is none of http, https, file and an absolute path"),
        ("[obo.hp]\nurl='https://a.b/{version}'\n", "nothing says which versions there are"),
        ("[obo.hp]\nurl='https://a.b/c'\nversion='from-documnt'\nkeep=0\n", "its keep is not a number of releases"),
        ("[obo.hp]\nurl='https://a.b/c'\nversion='from document'\n", "Did you mean from-document?"),
        ("[obo.hp]\nurl='https://a.b/c'\nversion='from-documnt'\n", "Did you mean from-document?"),
        ("[obo.hp]\nurl='https://a.b/c'\nurl='https://a.b/d'\n", "A key stands there twice (at line 3"),
        ("[obo.hp]\nurl='https://a.b/c'\n[obo.hp]\n", "can't be read: A table stands there twice (at line 3"),
        ("['obo/hp']\nurl='https://a.b/c'\n", "by its service and its ontology: [obo.hp]."),
        ("[obo.hp]\nkeep=" + "9" * 5000, "a number in it has too many digits. It is TOML"),
        ("[obo.hp]\nurl='https://a.b/c'\nversion='from-url:('\n", "is no regular expression"),
        ("[obo.hp]\nurl='https://a.b/c'\nversion='from-url:a'\n", "has no group for the version"),
        ("[obo.hp]\nurl='https://a.b/c'\nfiles=[7]\n", "its files is no glob"),
        ("[obo.hp]\nurl='https://a.b/c'\nstrip=1.5\n", "its strip is neither auto nor"),
        ("[obo.hp]\nurl=7\n", "its url is no plain text"),
        ("[obo.hp]\nartifacts=[]\n", "its list of artifacts is empty"),
        ("[obo.hp]\nartifacts=[{name='a'}]\n", "an artifact has no url"),
        ("[obo.'h p']\nurl='https://a.b/c'\n", "The ontology 'h p' is not a name"),
        ("[obo]\nurl='https://a.b/c'\n", "which is no table. A series is called by its service and its ontology"),
        ("[root.hp]\nurl='https://a.b/c'\n", "is called like a setting"),
        ("obo = 7\n", "which is neither a setting nor a table of series"),
        ("[obo.hp\n", "can't be read"),
        ("a" + ".a" * 200 + " = 1\n", "a line has more than 100 dots"),
        ("a = " + "[" * 100_000, "nested too deeply"),
    ],
)  # fmt: skip
def test_a_wrong_sources_file_is_a_sentence(run: Run, tmp_path: Path, text: str, sentence: str) -> None:
    """It says which table, what is wrong, and what was meant."""
    (tmp_path / "s.toml").write_text(text)
    code, rows, err = run("update", "--sources", "s.toml")
    assert (code, rows, sentence in err) == (2, [], True), err


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xef\xbb\xbf[obo.hp]\r\nurl='https://a.b/c'\r\n", ""),
        ("[obo.hp]".encode("utf-16"), "it is UTF-16, and TOML is UTF-8"),
        (b"[obo.hp]\nname='caf\xe9'", "byte 18 is no UTF-8"),
    ],
)
def test_a_sources_file_as_editors_write_it(tmp_path: Path, data: bytes, sentence: str) -> None:
    """A byte-order mark and ends of lines of another system don't matter; another encoding is said."""
    path = tmp_path / "s.toml"
    path.write_bytes(data)
    if sentence:
        with pytest.raises(UsageError, match=sentence):
            read_series_file(tmp_path, str(path))
    else:
        assert list(read_series_file(tmp_path, str(path)).series) == ["obo/hp"]


def test_a_pipe_is_waited_for(run: Run, site: Site, tmp_path: Path) -> None:
    """What a command writes (`<(…)` of a shell), slow as it may be, is read to its end; where nobody does, it ends."""
    (tmp_path / "hp.obo").write_bytes(obo("1"))
    entry = f"[obo.hp]\nurl = 'file://{tmp_path}/hp.obo'\n"
    rows = f"service,ontology,source\nobo,hp,file://{tmp_path}/hp.obo\n"
    for words, text in ((("update", "--sources"), entry), (("pull", "--from"), rows)):
        os.mkfifo(tmp_path / "pipe")
        code, _, err = run(*words, "pipe")
        assert "This should not happen" not in err
        slow = f"exec > pipe; sleep 0.3; printf %s {shlex.quote(text)}"
        with subprocess.Popen(["sh", "-c", slow], cwd=tmp_path) as writer:
            # whoever reads comes to a pipe that is open, and has nothing in it yet
            with (tmp_path / "pipe").open("rb", buffering=0):
                code, found, err = run(*words, "pipe")
            assert (code, len(found)) == (0, 1), err
        assert writer.returncode == 0
        (tmp_path / "pipe").unlink()


def test_a_store_of_a_stranger_leads_nowhere(run: Run, site: Site, tmp_path: Path) -> None:
    """A link in the place of the sources file is not followed, nor written through; what all may write is refused."""
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    other = tmp_path / "other.toml"
    other.write_text("")
    (store / "ontofetch.toml").symlink_to(other)
    (tmp_path / "hp.obo").write_bytes(obo("1"))
    for words in (("update",), ("add", "hp.obo"), ("db", "prune", "--dry-run")):
        code, _, err = run(*words)
        assert (code, "can't be read" in err) == (2, True), (words, err)
    assert other.read_text() == ""
    (store / "ontofetch.toml").unlink()
    (store / "ontofetch.toml").write_text("[a.b]\nurl='https://a.b/c'\n")
    os.chmod(store / "ontofetch.toml", 0o666)
    code, _, err = run("update")
    assert (code, "can be written by everybody" in err) == (2, True)
    code, _, err = run("update", "--sources", "gone.toml")
    assert (code, "There is no sources file 'gone.toml'." in err) == (2, True)


def test_a_thousand_series_are_read_at_once(tmp_path: Path) -> None:
    """The file of a large store is a file like any other."""
    path = tmp_path / "s.toml"
    path.write_text("".join(f"[s.o{n}]\nurl = 'https://example.org/{n}.owl'\nkeep = 5\n" for n in range(5000)))
    assert len(read_series_file(tmp_path, str(path)).series) == 5000

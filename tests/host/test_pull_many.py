"""`pull --from` and `pull --locked`: what a list names, and exactly what a lock file names, also from a mirror."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.host.app import main
from tests.host.registries import obo, serve
from tests.releases import query
from tests.sites import Answer, Site

pytestmark = pytest.mark.usefixtures("quick_databases")

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the program in this process: words → exit code, rows, stderr."""
    monkeypatch.setenv("ONTOFETCH_HTTP_RETRIES", "0")
    monkeypatch.chdir(tmp_path)

    def call(*words: str, root: str = "store") -> tuple[int, list[dict[str, Any]], str]:
        code = main([*words, "--json", "--root", str(tmp_path / root)])
        out, err = capfd.readouterr()
        return code, json.loads(out)["rows"] if out else [], err

    return call


def test_a_list_is_pulled_row_by_row(run: Run, site: Site, tmp_path: Path) -> None:
    """A dry run says what would be pulled; a row that fails does not stop the rest; a repeat finds nothing new."""
    serve(site, "/hp.obo", obo("1"))
    (tmp_path / "go.obo").write_bytes(obo("5", "go"))
    digest = hashlib.sha256(obo("1")).hexdigest()
    (tmp_path / "list.csv").write_text(
        "url,series,service,ontology,version,sha256,released\n"
        f"{site.url('/hp.obo')},obo/hp,,,1.0,{digest},2025-01-01\n"
        f"{site.url('/hp.obo')},obo/other,,,1.0,{'0' * 64},\n\n"
        "go.obo,,obo,go,,,\n"
    )
    code, rows, err = run("pull", "--from", "list.csv", "--dry-run")
    assert (code, [row["status"] for row in rows]) == (0, ["new"] * 3), err
    assert not (tmp_path / "store").exists()
    code, rows, err = run("pull", "--from=list.csv", "--exit-code")
    assert (code, [row["status"] for row in rows]) == (1, ["new", "failed", "new"]), err
    assert "as line 3 of PosixPath" not in rows[1]["reason"]
    assert "says. Nothing was recorded" in rows[1]["reason"]
    assert [row["version_id"] for row in rows] == ["obo/hp/1.0", None, "obo/go/5"]
    lines = [
        {"source": site.url("/hp.obo"), "series": "obo/hp", "version": "1.0"},
        {"source": "go.obo", "series": "obo/go"},
    ]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, lines)))
    code, rows, err = run("pull", "--from", "list.jsonl", "--exit-code")
    assert (code, [row["status"] for row in rows]) == (0, ["unchanged"] * 2), err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no rows. Its first line names columns: source"),
        ("source,servce\n", "unknown column 'servce'. Did you mean service?"),
        ("source,service,ontology\na.obo,obo\n", "there is no ontology"),
        ("source,service,ontology\na.obo,o/b,hp\n", "The service 'o/b' is not a name"),
        ("source,service,ontology\na,b,c,d\n", "Line 2 has 4 cells, and the first line names 3."),
        ('source,service,ontology\n"a,b,c\n', "is no CSV"),
        ("source,series,released\na.obo,a/b,yesterday\n", "released is 'yesterday', not a date"),
        ("source,series,sha256\na.obo,a/b,12\n", "sha256 is '12', not 64 hex digits"),
        ("source,series,strip\na.obo,a/b,all\n", "strip is 'all', neither auto nor"),
        ('{"source": "a.obo", "series": ["x"]}', "there is no service"),
        ("{\n", "Line 1 is no JSON"),
        ('{"source": "a.obo", "series": {"a": 1}}', "Line 1: its 'series' is no text."),
        ('{"source": "a.obo", "series": "a/b", "x\\u001b[31m": 1}', r"unknown column 'x\x1b[31m'"),
        ("source,series\nftp://example.org/a,a/b\n", "is none of a path, file:, http: and https:"),
        ("\x00\x01", "unknown column"),
    ],
)  # fmt: skip
def test_a_list_that_is_wrong_pulls_nothing(run: Run, tmp_path: Path, text: str, sentence: str) -> None:
    """The sentence names the line, and nothing of the list is pulled."""
    (tmp_path / "list").write_text(text)
    (tmp_path / "a.obo").write_bytes(obo("1"))
    code, rows, err = run("pull", "--from", "list")
    assert (code, rows, sentence in err) == (2, [], True), err
    assert "\x1b" not in err
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("comma", [";", "\t"])
def test_a_list_of_a_spreadsheet_is_read(run: Run, tmp_path: Path, comma: str) -> None:
    """Where a comma is part of numbers they write semicolons, elsewhere tabs; a byte-order mark stands ahead."""
    (tmp_path / "a.obo").write_bytes(obo("1"))
    lines = ("source,service,ontology,include", 'a.obo,obo,hp,"[""*.obo"",""*.ttl""]"')
    text = "\r\n".join(comma.join(line.split(",", 3)) for line in lines)
    (tmp_path / "list.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    code, rows, err = run("pull", "--from", "list.csv", "--dry-run")
    assert (code, [row["status"] for row in rows]) == (0, ["new"]), err


def test_a_list_in_another_encoding_says_which(run: Run, tmp_path: Path) -> None:
    """What a spreadsheet calls Unicode text is UTF-16."""
    (tmp_path / "list.csv").write_bytes("source,service,ontology\n".encode("utf-16"))
    code, _, err = run("pull", "--from", "list.csv")
    assert (code, "it is UTF-16, and a list is UTF-8" in err) == (2, True), err


@pytest.fixture
def locked(run: Run, site: Site, tmp_path: Path) -> Path:
    """Return a lock file of a store with two series, one of them with an older release beside the latest one."""
    for version in ("1", "2"):
        serve(site, "/hp.obo", obo(version))
        assert run("pull", site.url("/hp.obo"), "--service", "obo", "--ontology", "hp")[0] == 0
    serve(site, "/go.obo", obo("7", "go"))
    url = site.url("/go.obo", user="jo:sesame-7")
    assert run("pull", url, "--service", "obo", "--ontology", "go", "--released", "2025-01-01")[0] == 0
    code, rows, err = run("lock")
    assert (code, [row["version_id"] for row in rows]) == (0, ["obo/go/7", "obo/hp/2"]), err
    return tmp_path / "ontofetch.lock"


def test_a_lock_file_names_what_there_is(run: Run, locked: Path, tmp_path: Path) -> None:
    """It has origins, sizes and sha256, no secret, and is the same whenever it is written."""
    text = locked.read_text()
    assert "sesame-7" not in text
    first = json.loads(text)["releases"][0]
    assert (first["version_id"], first["released"], first["latest"]) == ("obo/go/7", "2025-01-01", True)
    artifact = first["artifacts"][0]
    assert artifact["sha256"] == hashlib.sha256(obo("7", "go")).hexdigest()
    assert artifact["size_bytes"] == len(obo("7", "go"))
    assert (tmp_path / "store" / artifact["path"]).read_bytes() == obo("7", "go")
    run("lock", "--file", "again.lock")
    assert (tmp_path / "again.lock").read_text() == text
    assert [row["version_id"] for row in run("lock", "--all")[1]] == ["obo/go/7", "obo/hp/1", "obo/hp/2"]
    assert [row["version_id"] for row in run("lock", "hp")[1]] == ["obo/hp/1", "obo/hp/2"]
    assert [row["version_id"] for row in run("lock", "obo/hp/1", "go/7")[1]] == ["obo/go/7", "obo/hp/1"]
    assert run("lock", "nope")[0] == 1
    assert run("lock", root="nothing-here")[0] == 1


def test_exactly_what_is_locked_comes(run: Run, locked: Path, site: Site, tmp_path: Path) -> None:
    """From the origin, as long as it has these bytes; afterwards the other store locks to the same file."""
    code, rows, err = run("pull", "--locked", str(locked), "--dry-run", root="other")
    assert (code, [row["status"] for row in rows]) == (0, ["new", "new"]), err
    code, rows, err = run("pull", "--locked", str(locked), root="other")
    assert (code, [row["status"] for row in rows]) == (0, ["new", "new"]), err
    assert all(row["latest"] for row in rows)
    asked = len(site.seen)
    code, rows, err = run("pull", "--locked", str(locked), "--exit-code", root="other")
    assert (code, [row["status"] for row in rows]) == (0, ["unchanged"] * 2), err
    assert len(site.seen) == asked
    run("lock", "--file", "other.lock", root="other")
    assert (tmp_path / "other.lock").read_text() == locked.read_text()
    assert run("db", "doctor", root="other")[:2] == (0, [])


@pytest.mark.parametrize("by_address", [False, True])
def test_a_mirror_has_what_its_origin_has_not(
    run: Run, locked: Path, site: Site, tmp_path: Path, by_address: bool
) -> None:
    """Another store serves the bytes, by its folder or by an address; recorded is where they came from first."""
    serve(site, "/hp.obo", obo("3"))
    code, rows, _ = run("pull", "--locked", str(locked), root="other")
    assert (code, [row["status"] for row in rows]) == (1, ["new", "failed"])
    assert "as the lock file says. Nothing was recorded" in rows[1]["reason"]
    mirror = str(tmp_path / "store")
    if by_address:
        mirror = site.url("/mirror")
        for path in (tmp_path / "store/obo").rglob("*.obo"):
            place = path.relative_to(tmp_path / "store").as_posix()
            site.answers[f"/mirror/{place}"] = Answer(path.read_bytes())
    code, rows, err = run("pull", "--locked", str(locked), "--mirror", mirror, root="other")
    assert (code, [row["status"] for row in rows]) == (0, ["unchanged", "new"]), err
    assert query(tmp_path / "other", "SELECT source_url FROM artifacts WHERE version_id = 'obo/hp/2'") == [
        (site.url("/hp.obo"),)
    ]
    assert run("update", "--check", root="other")[0] == 2


def test_a_mirror_that_lies_is_refused(run: Run, locked: Path, tmp_path: Path) -> None:
    """What has other bytes, leads elsewhere or is not there is said; nothing of it is recorded."""
    (tmp_path / "mirror/obo/hp/2/src").mkdir(parents=True)
    (tmp_path / "mirror/obo/hp/2/src/hp.obo").symlink_to("/etc/hostname")
    code, rows, _ = run("pull", "--locked", str(locked), "--mirror", "mirror", root="other")
    assert (code, [row["status"] for row in rows]) == (1, ["failed"] * 2)
    assert "as the lock file says" in rows[1]["reason"]
    assert not (tmp_path / "other/obo").exists()
    code, _, err = run("pull", "--locked", str(locked), "--mirror", "nowhere", root="other")
    assert (code, "neither a folder nor an http or https address" in err) == (2, True)
    code, _, err = run("pull", "--from", "x.csv", "--mirror", "mirror")
    assert (code, "--mirror needs --locked" in err) == (2, True)


def test_what_differs_is_said(run: Run, locked: Path, site: Site, tmp_path: Path) -> None:
    """Other bytes under a name, and artifacts that the lock file does not name, are differences."""
    (tmp_path / "hp.obo").write_bytes(obo("2") + b"\n[Term]\nid: X:1\nname: x\n")
    words = ("--service", "obo", "--ontology", "hp", "--version", "2")
    assert run("pull", "hp.obo", *words, root="other")[0] == 0
    code, rows, _ = run("pull", "--locked", str(locked), "--dry-run", root="other")
    assert (code, rows[1]["status"], "has the sha256" in rows[1]["reason"]) == (1, "differs", True)
    code, rows, _ = run("pull", "--locked", str(locked), root="other")
    assert (code, rows[0]["status"], rows[1]["status"]) == (1, "new", "failed")
    (tmp_path / "more.obo").write_bytes(obo("2", "more"))
    assert run("pull", "more.obo", *words)[0] == 0
    code, rows, _ = run("pull", "--locked", str(locked))
    assert (code, rows[1]["status"]) == (1, "differs")
    assert "It also has 'more.obo', which the lock file does not name." in rows[1]["reason"]


BASE = {
    "name": "a.obo",
    "url": "https://example.org/a.obo",
    "sha256": "0" * 64,
    "size_bytes": 1,
    "path": "o/a/1/src/a.obo",
}


@pytest.mark.parametrize(
    "told",
    [
        7,
        {"lock": 2, "releases": []},
        {"lock": 1, "releases": [{"version_id": "a/b", "artifacts": [BASE]}]},
        {"lock": 1, "releases": [{"version_id": "a/b/../c", "artifacts": [BASE]}]},
        {"lock": 1, "releases": [{"version_id": "a/b/1", "artifacts": []}]},
        {"lock": 1, "releases": [{"version_id": "a/b/1", "artifacts": [BASE]}] * 2},
        *(
            {"lock": 1, "releases": [{"version_id": "a/b/1", "artifacts": [BASE | fields]}]}
            for fields in (
                {"path": "../../etc/passwd"}, {"path": "/etc/passwd"}, {"name": "../a"}, {"sha256": "0"}, {"strip": -1},
                {"size_bytes": True}, {"url": "a\x1bb"}, {"include": "x"}, {"include": [7]},
            )
        ),
        {"lock": 1, "releases": [{"version_id": "a/b/1", "released": "soon", "artifacts": [BASE]}]},
    ],
)  # fmt: skip
def test_a_lock_file_may_be_anybodys(run: Run, tmp_path: Path, told: object) -> None:
    """Whatever is wrong in it is said before anything is done."""
    (tmp_path / "x.lock").write_text(json.dumps(told))
    code, rows, err = run("pull", "--locked", "x.lock")
    assert (code, rows) == (2, []), err
    assert "The lock file 'x.lock' is" in err
    assert not (tmp_path / "store").exists()

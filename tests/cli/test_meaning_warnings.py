"""What a pull says of a file that kept its version, and what the commands about terms print of real files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("quick_databases")

PULL = ("--service", "t", "--ontology", "o")
HEAD = "@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
ONTOLOGY = '<http://example.org/o> a owl:Ontology ; owl:versionInfo "{}" .\n'
TERM = '<http://example.org/o#a> a owl:Class ; rdfs:label "{}" .\n'


def pull(run: Run, folder: Path, version: str, text: str) -> str:
    """Pull a release of one file; return what was said."""
    (folder / "o.ttl").write_text(text)
    code, _, err = run("pull", str(folder / "o.ttl"), *PULL, "--version", version)
    assert code == 0, err
    return err


@pytest.fixture
def said(run: Run, tmp_path: Path) -> dict[str, str]:
    """Pull five releases; return what was said of each."""
    texts = {
        "1": ONTOLOGY.format(1) + TERM.format("liver"),
        "2": ONTOLOGY.format(1) + TERM.format("hepar"),
        "3": TERM.format("hepar") + "# written anew\n" + ONTOLOGY.format(1),
        "4": ONTOLOGY.format(4) + TERM.format("liver"),
        "5": ONTOLOGY.format(5) + TERM.format("liver"),
    }
    return {version: pull(run, tmp_path, version, HEAD + text) for version, text in texts.items()}


def test_a_pull_warns(said: dict[str, str]) -> None:
    """The same version and another graph, the same graph in other bytes, another version and the same terms.

    An honest release has no warning.
    """
    assert "keeps the version '1' of t/o/1 and says something else" in said["2"]
    assert "(reserialised) than in t/o/2 and says the same" in said["3"]
    assert "states another version ('5') than in t/o/4, and no term differs" in said["5"]
    for version in ("1", "4"):
        assert "says" not in said[version]
        assert "differs" not in said[version]


def test_a_file_keeps_its_version_where_all_headers_do(run: Run, tmp_path: Path) -> None:
    """Of a file with several headers one may state the same version as before, and another one a new version."""
    other = '<http://example.org/a> a owl:Ontology ; owl:versionInfo "2.0" .\n'
    old, new = (HEAD + other + ONTOLOGY.format(version) for version in ("1", "2"))
    pull(run, tmp_path, "1", old + TERM.format("liver"))
    assert "keeps the version" not in pull(run, tmp_path, "2", new + TERM.format("hepar"))
    assert "keeps the version '2.0'" in pull(run, tmp_path, "3", new + TERM.format("kidney"))
    code, out, err = run("report", "meaning", "--a", "o/1", "--b", "o/2", "--json")
    assert code == 0, err
    assert [(row["version_a"], row["version_b"], row["state"]) for row in json.loads(out)["sections"]["files"]] == [
        ("1", "2", "changed")
    ]


def test_the_commands_about_terms(said: dict[str, str], run: Run, tmp_path: Path) -> None:
    """From the pull to the report: meaning as json, kgcl and a page that can be searched; a term; a list."""
    del said
    code, out, err = run("report", "meaning", "--a", "o/1", "--b", "o/2", "--json")
    assert code == 0, err
    (row,) = json.loads(out)["rows"]
    assert (row["change"], row["before"], row["after"]) == ("relabelled", "liver", "hepar")
    _, out, _ = run("report", "meaning", "--a", "o/1", "--b", "o/2", "--format", "kgcl")
    assert out == "rename <http://example.org/o#a> from 'liver' to 'hepar'\n"
    _, out, _ = run("report", "meaning", "--a", "o/1", "--b", "o/2", "--format", "html")
    assert "<script>" in out
    assert "script-src 'sha256-" in out
    assert out.count("<script") == 1
    code, out, err = run("show", "http://example.org/o#a", "--json")
    assert [row["event"] for row in json.loads(out)["rows"]] == ["first", "relabelled", "relabelled"]
    (tmp_path / "mine.txt").write_text("http://example.org/o#a\nhttp://example.org/o#b\n")
    code, out, err = run("report", "impact", "--mine", str(tmp_path / "mine.txt"), "--b", "o/4", "--json")
    assert [row["status"] for row in json.loads(out)["rows"]] == ["unknown", "relabelled"]
    code, _, err = run("show", "example:nothing")
    assert (code, "No release has a term" in err) == (2, True)
    code, _, err = run("db", "status", "--format", "kgcl")
    assert (code, "kgcl" in err) == (2, True)

"""Passed, failed, not judged: from the validator through rows, documents and a rebuild to the reports."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ontofetch_catalog.analytics import Catalog
from ontofetch_catalog.children.limits import Allowance
from ontofetch_catalog.content.packed.bounds import Limits
from ontofetch_catalog.host.app import main
from ontofetch_catalog.host.checks import builtin_validators
from ontofetch_catalog.host.validators import run_validators
from ontofetch_hookspecs import Validator
from ontofetch_hookspecs.store_paths import StorePath
from tests.releases import query, sha256

from .test_pipeline import Pulling
from .test_validators import release, run

pytestmark = pytest.mark.usefixtures("quick_databases")

REMOTE = '{"@context": "https://example.org/c", "a": 1}'
OBO = "format-version: 1.4\n\n[Term]\nid: A:1\nname: x\n"
FILES = {"a.jsonld": REMOTE, "a.shex": "x", "a.ttl": "<urn:a> <urn:b>\n  <urn:c>", "b.ttl": "<urn:a> <urn:b> <urn:c> ."}


@pytest.fixture
def pull(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Pulling:
    """Return a function that pulls into a store of its own."""
    return Pulling(tmp_path, capsys)


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """Run a command and return what it printed as JSON."""
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_the_three_outcomes_are_counted_everywhere(pull: Pulling, capsys: pytest.CaptureFixture[str]) -> None:
    """Row, warning, catalog, statistics, versions, series and reports tell the same three numbers."""
    row = pull(pull.archive("a.zip", FILES), "1", "--accept-failures", code=3)
    assert (row["passed"], row["failed"], row["not_judged"], row["latest"]) == (1, 1, 2, True)
    assert "at line 2, column" in pull.err
    assert "is not judged by rdf-syntax: it needs a remote context" in pull.err
    rows = pull.rows("SELECT relpath, validator, passed FROM validations ORDER BY 1")
    assert rows == [
        ("a.jsonld", "rdf-syntax", None),
        ("a.shex", "format", None),
        ("a.ttl", "rdf-syntax", False),
        ("b.ttl", "rdf-syntax", True),
    ]
    counts = {"passed": 1, "failed": 1, "not_judged": 2, "not_validated": 0}
    for words in (("db", "stats"), ("db", "versions"), ("report", "latest")):
        assert counts.items() <= shown(capsys, *words)["rows"][0].items()
    (series,) = shown(capsys)["rows"]
    assert (series["failed"], series["not_judged"]) == (1, 2)
    found = shown(capsys, "report", "validation")
    assert counts.items() <= found["sections"]["summary"][0].items()
    assert found["sections"]["summary"][0]["pass_rate"] == 0.5
    (failure,) = found["sections"]["failures"]
    assert (failure["line"], failure["column"] > 0) == (2, True)
    assert [(row["relpath"], row["reason"][:13]) for row in found["sections"]["not_judged"]] == [
        ("a.jsonld", "it needs a re"),
        ("a.shex", "no validator "),
    ]
    assert shown(capsys, "report", "validation", "--from", "audits")["sections"] == found["sections"]
    by_path = shown(capsys, "report", "validation", "--by", "path")
    assert shown(capsys, "report", "validation", "--by", "path", "--from", "audits") == by_path
    latest = shown(capsys, "report", "latest", "--from", "audits")["rows"][0]
    assert counts.items() <= latest.items()


def test_the_outcomes_survive_a_rebuild(pull: Pulling, capsys: pytest.CaptureFixture[str]) -> None:
    """The audit says null, and the catalog that is made from it has the same rows."""
    pull(pull.archive("a.zip", FILES), "1", code=3)
    audit = (pull.root / "obo/hp/1/.validation.audit.json").read_text().splitlines()
    assert [json.loads(line)["passed"] for line in audit] == [None, None, False, True]
    before = pull.rows("SELECT relpath, validator, passed, details FROM validations ORDER BY ALL")
    assert main(["db", "rebuild", "--replace"]) == 0
    assert pull.rows("SELECT relpath, validator, passed, details FROM validations ORDER BY ALL") == before
    capsys.readouterr()
    assert main(["db", "doctor"]) == 0, capsys.readouterr().out


def test_an_outcome_without_a_reason_is_damage(pull: Pulling, capsys: pytest.CaptureFixture[str]) -> None:
    """A row that is neither passed nor failed and does not say why is found by doctor."""
    import duckdb

    pull(pull.archive("a.zip", FILES), "1", code=3)
    with duckdb.connect(pull.root / ".catalog/ontofetch.duckdb") as connection:
        connection.execute("UPDATE validations SET passed = NULL WHERE relpath = 'b.ttl'")
    capsys.readouterr()
    assert main(["db", "doctor"]) == 3
    assert "outcome" in capsys.readouterr().out


def test_what_was_not_judged_is_inherited(pull: Pulling) -> None:
    """The same content in the next release is as it was, and says from where; nothing changes when it is repeated."""
    pull(pull.archive("a.zip", {"a.jsonld": REMOTE, "b.ttl": ""}), "1")
    pull(pull.archive("b.zip", {"c.jsonld": REMOTE, "b.ttl": ""}), "2")
    assert pull.rows("SELECT passed, reused_from FROM validations WHERE relpath = 'c.jsonld'") == [
        (None, "obo/hp/1#a.jsonld")
    ]
    assert pull(pull.folder / "b.zip", "2")["status"] == "unchanged"
    (last,) = pull.rows("SELECT type FROM events WHERE type LIKE 'validate.%' ORDER BY event_id DESC LIMIT 1")
    assert last == ("validate.unchanged",)


def test_what_was_not_judged_is_no_change_but_a_failure_is(pull: Pulling) -> None:
    """From not judged to failed is worse, from not judged to passed is nothing to tell; SQL and audits agree."""
    pull(pull.archive("a.zip", {"a.jsonld": REMOTE, "b.jsonld": REMOTE, "c.ttl": "x"}), "1", code=3)
    pull(pull.archive("b.zip", {"a.jsonld": "{}", "b.jsonld": "{", "c.ttl": ""}), "2", code=3)
    for catalog in (Catalog.open(pull.root), Catalog.from_audits(pull.root)):
        found = catalog.validation("obo/hp/2", against="obo/hp/1")["changes"]
        assert found.select("change", "relpath").rows() == [("REGRESSED", "b.jsonld"), ("FIXED", "c.ttl")]


def test_a_compressed_file_is_judged_by_what_is_inside(tmp_path: Path) -> None:
    """Its validator gets a copy, whose place is told; nothing stays behind, and damage and bombs fail."""
    seen = tmp_path / "seen"
    seen.mkdir()
    contents = {
        "a.obo.gz": gzip.compress(OBO.encode()),
        "b.obo.gz": gzip.compress(OBO.encode())[:-20],
        "c.obo.gz": gzip.compress(OBO.encode() + b"\n" * 20_000_000),
        "d.obo.gz": gzip.compress(OBO.encode() + b"is_a\n"),
    }
    for name, content in contents.items():
        (seen / name).write_bytes(content)
    files = pa.table(
        {
            "relpath": list(contents),
            "file_id": [sha256(content) for content in contents.values()],
            "format": ["obo"] * len(contents),
        }
    )
    rows = {row["relpath"][0]: row for row in run(files, seen, *builtin_validators(), limits=Limits(max_ratio=100))}
    assert {name: row["passed"] for name, row in rows.items()} == {"a": True, "b": False, "c": False, "d": False}
    errors = {name: json.loads(row["details"]).get("error", "") for name, row in rows.items()}
    assert "damaged or truncated" in errors["b"]
    assert "more than 100 times" in errors["c"]
    assert json.loads(rows["d"]["details"])["line"] == 6
    assert sorted(path.name for path in seen.iterdir()) == sorted(contents)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('return None, {"not_judged": "it is late\\x1b"}', (None, {"not_judged": "it is late "})),
        ('return None, {"not_judged": "x" * 20_000}', None),
        ("return None, {}", "unusable"),
        ('return None, {"not_judged": 1}', "unusable"),
        ('return None, {"not_judged": ""}', "unusable"),
    ],
)
def test_a_plugin_may_judge_nothing_but_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, expected: object
) -> None:
    """Without a reason its answer is none."""
    (tmp_path / "late.py").write_text(f"def check(path, format): {code}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    files = release(tmp_path, {"a.shex": "x"}, "shex")
    rows = run(files, tmp_path, Validator("late", "1", ("shex",), "late:check"))
    if expected == "unusable":
        assert rows == []
        return
    (row,) = rows
    assert row["passed"] is None
    if expected is not None:
        assert (row["passed"], json.loads(row["details"])) == expected


def test_a_name_that_promises_more_fails(tmp_path: Path) -> None:
    """A web page called OBO is no OBO; a page called .html, and JSON called .json, have no result."""
    texts = {"a.obo": "<html>", "b.html": "<html>", "c.json": "{}", "d.OWL.gz": "<html>", "e.csv": "a"}
    files = release(tmp_path, texts).set_column(2, "format", pa.array(["html", "html", "json", "html", "csv"]))
    rows = run_validators(files, StorePath(tmp_path, ""), builtin_validators(), lambda *_: None, version_id="s/o/1")
    found = [(row["relpath"], row["passed"], json.loads(row["details"])) for row in rows.to_pylist()]
    assert found == [
        ("a.obo", False, {"error": "its name says OBO, but its content is a web page"}),
        ("d.OWL.gz", False, {"error": "its name says RDF/XML, but its content is a web page"}),
    ]


def test_a_release_in_doubt_becomes_latest_by_hand(pull: Pulling) -> None:
    """`db latest set` is asking: it sets what a pull left alone."""
    assert pull(pull.archive("a.zip", {"a.shex": "x"}), "1")["latest"] is False
    assert main(["db", "latest", "set", "obo/hp/1"]) == 0
    assert query(pull.root, "SELECT version_id FROM v_latest") == [("obo/hp/1",)]
    assert pull(pull.folder / "a.zip", "1")["latest"] is True


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not enforce RLIMIT_AS")
def test_an_ontology_that_does_not_fit_in_memory_is_not_judged(tmp_path: Path) -> None:
    """What its parser would need is known before it begins, and is no fault of the file."""
    files = release(tmp_path, {"a.ofn": "Ontology()\n" + "# padding\n" * 300_000}, "ofn")
    (row,) = run(files, tmp_path, *builtin_validators(), allowance=Allowance(max_memory=300 << 20))
    assert row["passed"] is None
    assert "max_memory" in json.loads(row["details"])["not_judged"]
    (row,) = run(files, tmp_path, *builtin_validators())
    assert row["passed"] is True

"""A pull finds facts with its validation, `db facts` where they lack; both can be told not to."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_hookspecs.layout import FACTS
from tests.programs import Program
from tests.releases import query

FINDER = """
from ontofetch_hookspecs import Validator
@hookimpl
def register_validators():
    return [Validator("finder", "1", ("csv", "unknown"), "facts_finder:judge", "facts_finder:find")]
def judge(path, format): return True, {}
def find(path, format, table):
    import pyarrow.parquet as pq
    from ontofetch_catalog.content.facts.schema import TERMS_SCHEMA
    text = open(path).read()
    if text == "none": return True, {}, None
    if text == "broken": raise ValueError("broken")
    pq.write_table(TERMS_SCHEMA.empty_table(), table)
    return True, {}, {"digest_kind": "rdf", "digest": "1" * 64, "digest_exact": True, "terms": 0}
"""


@pytest.fixture
def finding(program: Program, add_plugin: Callable[..., Path]) -> Program:
    """Return the program with a plugin that finds facts in files of a format that nobody else looks at."""
    add_plugin("facts-finder", FINDER)
    return program


def pull(program: Program, folder: Path, version: str, text: str, *words: str, packed: bool = False) -> None:
    """Pull a file."""
    path = folder / ("a.csv.gz" if packed else "a.csv")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    ended = program.run("pull", str(path), "--service", "s", "--ontology", "o", "--version", version, *words)
    assert ended.returncode == 0, ended.stderr


def tables(root: Path) -> list[Path]:
    """Return the tables of terms on disk."""
    return sorted(path for path in (root / FACTS).rglob("*") if path.is_file())


def facts(program: Program, *words: str) -> list[dict[str, Any]]:
    """Return the rows of `db facts`."""
    ended = program.run("db", "facts", *words, "--json")
    assert ended.returncode == 0, ended.stderr
    return list(json.loads(ended.stdout)["rows"])


def test_a_pull_records_facts_once_per_content(finding: Program, tmp_path: Path) -> None:
    """The next release with the same content, and a compressed copy of it, have the same table."""
    pull(finding, tmp_path, "1", "a,b\n1,2\n")
    (table,) = tables(finding.root)
    before = table.stat()
    pull(finding, tmp_path, "2", "a,b\n1,2\n")
    pull(finding, tmp_path, "3", "a,b\n1,2\n", packed=True)
    assert [path.stat().st_ino for path in tables(finding.root)] == [before.st_ino]
    assert facts(finding) == [
        {"version_id": f"s/o/{version}", "contents": 1, "known": 1, "made": 0, "without": 0, "too_large": 0}
        for version in "123"
    ]
    status = json.loads(finding.run("db", "status", "--json").stdout)["rows"][0]
    assert status["contents_with_facts"] == 1
    assert not list((finding.root / ".catalog/staging").glob("*"))


@pytest.mark.parametrize("how", ["word", "setting", "size"])
def test_a_pull_without_facts_leaves_them_to_db_facts(finding: Program, tmp_path: Path, how: str) -> None:
    """The release is validated; db facts finds them later, once."""
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    env = {"setting": {"ONTOFETCH_FACTS": "off"}, "size": {"ONTOFETCH_FACTS_MAX_BYTES": "3"}}.get(how, {})
    words = ["--no-facts"] if how == "word" else []
    ended = finding.run("pull", str(path), "--service", "s", "--ontology", "o", "--version", "1", *words, env=env)
    assert ended.returncode == 0, ended.stderr
    assert not tables(finding.root)
    assert query(finding.root, "SELECT count(*) FROM validations WHERE passed") == [(1,)]
    assert facts(finding, "o/1")[0]["made"] == 1
    told = json.loads(finding.run("log", "--json").stdout)["rows"]
    assert (told[0]["story"], told[2]["story"]) == ("facts of 1 content recorded", "1 validation passed")
    assert len(tables(finding.root)) == 1
    assert facts(finding, "o/1")[0] == {
        "version_id": "s/o/1", "contents": 1, "known": 1, "made": 0, "without": 0, "too_large": 0,
    }  # fmt: skip
    assert query(finding.root, "SELECT count(*) FROM validations") == [(1,)]


def test_what_has_no_facts_is_tried_again_when_that_is_asked(finding: Program, tmp_path: Path) -> None:
    """The reason is recorded, and costs nothing in the next release."""
    pull(finding, tmp_path, "1", "broken")
    assert "broken" in str(query(finding.root, "SELECT reason FROM file_facts"))
    assert facts(finding)[0]["known"] == 1
    assert facts(finding, "--again")[0]["without"] == 1


def test_a_lost_table_comes_back(finding: Program, tmp_path: Path) -> None:
    """Doctor says that it is lost; db facts makes it again."""
    pull(finding, tmp_path, "1", "a,b\n1,2\n")
    (table,) = tables(finding.root)
    data = table.read_bytes()
    table.unlink()
    ended = finding.run("db", "doctor", "--json")
    assert [row["code"] for row in json.loads(ended.stdout)["rows"]] == ["CAT035"]
    assert facts(finding)[0]["made"] == 1
    assert table.read_bytes() == data
    assert finding.run("db", "doctor").returncode == 0


def test_releases_that_lack_nothing_are_asked_about_at_once(finding: Program, tmp_path: Path) -> None:
    """Only what lacks some is looked at: a content of its own, a lost table, and with --again what had none."""
    for version, text in (("1", "a,b\n1,2\n"), ("2", "a,b\n1,2\n"), ("3", "broken"), ("4", "c,d\n3,4\n")):
        pull(finding, tmp_path, version, text)
    pull(finding, tmp_path, "5", "e,f\n5,6\n", "--no-facts")
    # a folder that can't be read is no error as long as nobody looks for a file in it
    (finding.root / "s/o/1").rename(finding.root / "s/o/aside")
    assert [row["made"] for row in facts(finding)] == [0, 0, 0, 0, 1]
    (finding.root / "s/o/aside").rename(finding.root / "s/o/1")
    wanted = query(finding.root, "SELECT file_id FROM extracted_files WHERE version_id = 's/o/4'")[0][0]
    next(path for path in tables(finding.root) if path.name.startswith(wanted)).unlink()
    assert [(row["known"], row["made"]) for row in facts(finding)] == [(1, 0)] * 3 + [(0, 1), (1, 0)]
    assert [(row["known"], row["without"]) for row in facts(finding, "--again")] == [(1, 0)] * 2 + [(0, 1)] + [
        (1, 0)
    ] * 2
    log = finding.run("db", "events", "--json").stdout
    ended = finding.run("db", "facts")
    assert (ended.returncode, finding.run("db", "events", "--json").stdout) == (0, log)
    assert "Nothing was to be found." in ended.stderr


def test_of_releases_that_lack_nothing_none_is_looked_up(
    finding: Program, add_plugin: Callable[..., Path], tmp_path: Path
) -> None:
    """However many there are; of the others, and of those that are named, each is."""
    for version in "12":
        pull(finding, tmp_path, version, "a,b\n1,2\n")
    pull(finding, tmp_path, "3", "e,f\n5,6\n", "--no-facts")
    told = tmp_path / "told.txt"
    add_plugin(
        "listener",
        "@hookimpl(tryfirst=True)\ndef lookup_version(version_id):\n"
        f"    with open({str(told)!r}, 'a') as file: print(version_id, file=file)\n",
    )
    assert [row["made"] for row in facts(finding)] == [0, 0, 1]
    assert told.read_text().split() == ["s/o/3"]
    facts(finding)
    facts(finding, "o/1")
    assert told.read_text().split() == ["s/o/3", "s/o/1"]


def test_a_release_that_is_not_there_is_a_sentence(finding: Program, tmp_path: Path) -> None:
    """Nothing is looked at."""
    pull(finding, tmp_path, "1", "a,b\n1,2\n", "--no-facts")
    ended = finding.run("db", "facts", "o/2")
    assert ended.returncode == 1
    assert "o/2" in ended.stderr
    assert not tables(finding.root)

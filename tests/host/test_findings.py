"""Checks of `db doctor` that plugins contribute: they read, they are told, they can neither mend nor harm."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ontofetch_catalog.catalog.doctor import of_plugins
from ontofetch_catalog.host.app import main
from tests.environments import CHECKOUT
from tests.releases import Releases

pytestmark = pytest.mark.usefixtures("quick_databases")

FAST = {"durability": "off"}
SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "docs/schemas/doctor.json").read_text(encoding="utf-8"))
Add = Callable[..., Path]
CHECK = """
import sys
from ontofetch_hookspecs import Finding, UsageError
@hookimpl
def register_findings():
    return [Finding("ACME001", {severity!r}, "A file is small.", "acme:small", otherwise="Pull it again.")]
def small(catalog):
    {body}
"""
SMALL = """import polars as pl
    files = catalog.files().filter(pl.col("size_bytes") < 5).select("version_id", "relpath").collect()
    return [(relpath, version_id, f"{relpath} is small.") for version_id, relpath in files.iter_rows()]"""
TABLE = """import polars as pl
    return catalog.files().filter(pl.col("size_bytes") < 5).select(
        "version_id", pl.col("relpath").alias("subject"), pl.lit("It is small.").alias("message")).collect()"""


class Doctor:
    """A sound store, a plugin made on the spot, and what doctor finds."""

    def __init__(self, root: Path, add: Add, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._add = add
        self._capsys = capsys

    def check(self, body: str, severity: str = "warning") -> None:
        """Install a plugin with the finding ACME001."""
        self._add("acme", CHECK.format(body=body, severity=severity))

    def find(self, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        """Run doctor and return its code, its findings, and what it told; they fit the schema."""
        code = main(["db", "doctor", "--json", *words])
        shown = self._capsys.readouterr()
        found = json.loads(shown.out) if shown.out else {"rows": []}
        if shown.out:
            Draft202012Validator(SCHEMA).validate(found)
        rows: list[dict[str, Any]] = found["rows"]
        return code, rows, shown.err


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the store that each test gets a copy of."""
    releases = Releases(tmp_path_factory.mktemp("made") / "store", settings=FAST)
    releases.pull("1", {"a.ttl": "abc", "b.ttl": "long enough"})
    return releases.root


@pytest.fixture
def doctor(made: Path, tmp_path: Path, add_plugin: Add, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Return it."""
    return Doctor(shutil.copytree(made, tmp_path / "store"), add_plugin, capsys)


@pytest.mark.parametrize("body", [SMALL, TABLE])
def test_what_a_plugin_finds_stands_beside_the_rest(doctor: Doctor, body: str) -> None:
    """Its code, severity, subject, release and sentence; what to do about it is told; the exit code is 3."""
    (doctor.root / "example/sample/1/data/b.ttl").unlink()
    doctor.check(body)
    code, rows, err = doctor.find()
    assert (code, [row["code"] for row in rows]) == (3, ["ACME001", "CAT014"])
    assert rows[0]["severity"] == "warning"
    assert (rows[0]["subject"], rows[0]["version_id"], rows[0]["fix"]) == ("a.ttl", "example/sample/1", None)
    assert "small." in rows[0]["message"]
    assert "ACME001: Pull it again.\n" in err


@pytest.mark.parametrize(("severity", "code"), [("note", 0), ("warning", 3), ("error", 3)])
def test_the_severity_is_the_plugins(doctor: Doctor, severity: str, code: int) -> None:
    """A note that nothing mends is no reason to fail."""
    doctor.check(SMALL, severity)
    found = doctor.find()
    assert (found[0], found[1][0]["severity"]) == (code, severity)


def test_a_check_reads_and_cant_write(doctor: Doctor) -> None:
    """What it gets has no connection that changes anything, and what is on disk stays as it was."""
    doctor.check(
        "with catalog.source.open() as reader:\n"
        "        for name in dir(reader):\n"
        "            connection = getattr(reader, name, None)\n"
        "            if hasattr(connection, 'execute'):\n"
        "                connection.execute('DELETE FROM versions')\n"
        "    return []"
    )
    doctor.find()
    assert [row["code"] for row in doctor.find("--no-plugin", "acme")[1]] == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return {}['x']", "The plugin 'acme' failed in its finding ACME001: KeyError: 'x'."),
        ("sys.exit(7)", "The plugin 'acme' failed in its finding ACME001: it called sys.exit(7)."),
        ("return None", "TypeError: a NoneType was returned, not rows of subject, version_id and message."),
        ("return 'abc'", "TypeError: a str was returned, not rows of subject, version_id and message."),
        ("return ['abc']", "TypeError: a row was returned that is no tuple of subject, version_id and message."),
        ("return [('a', None)]", "no tuple of subject, version_id and message."),
        ("return [('a', 7, 'm')]", "The plugin 'acme' failed in its finding ACME001: ArrowTypeError"),
        ("return [('', None, 'm')]", "ValueError: a row has no subject."),
        ("return [('a', None, None)]", "ValueError: a row has no message."),
        ("import polars; return polars.DataFrame({'a': [1]})", "a table without the column subject was returned."),
        ("return iter(lambda: ('a', None, 'm'), 0)", "ValueError: more than 5 rows were returned."),
        ("raise UsageError('Not now.')", "Not now."),
        ("return catalog.files('nowhere/at/all')", "nowhere/at/all"),
    ],
)  # fmt: skip
def test_a_check_that_fails_is_a_finding_and_the_others_go_on(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, body: str, sentence: str
) -> None:
    """It names the plugin and its code; what the catalog itself finds is still found."""
    monkeypatch.setattr(of_plugins, "MOST_FOUND", 5)
    (doctor.root / "example/sample/1/data/b.ttl").unlink()
    doctor.check(body)
    code, rows, err = doctor.find()
    assert (code, [row["code"] for row in rows]) == (3, ["CAT014", "CAT034"])
    assert rows[1]["subject"] == "acme: ACME001"
    assert sentence in rows[1]["message"]
    assert "should not happen" not in err


def test_what_a_check_prints_and_says_is_harmless(doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints go to stderr, escape sequences to no terminal, and an endless sentence is cut."""
    doctor.check("print('HELLO'); return [('a\\x1b[31m', '', 'x\\x1b]0;t\\x07' + 'y' * 9999)]")
    _, rows, err = doctor.find()
    assert "HELLO" in err
    assert (rows[0]["version_id"], len(rows[0]["message"])) == (None, 500)
    assert main(["db", "doctor"]) == 3
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err


def test_a_plugin_mends_nothing(doctor: Doctor) -> None:
    """Its code has no fix that could be asked for, and `--fix` goes round it."""
    doctor.check(SMALL)
    code, _, err = doctor.find("--fix", "ACME001", "--yes")
    assert code == 2
    assert "ACME001 has no fix: it is a finding of a plugin." in err
    code, rows, _ = doctor.find("--fix", "--yes")
    assert (code, [row["code"] for row in rows]) == (3, ["ACME001"])


def test_without_a_catalog_that_can_be_read_nobody_is_asked(doctor: Doctor) -> None:
    """What is wrong with the catalog itself is found all the same."""
    doctor.check("raise ValueError")
    (doctor.root / ".catalog/ontofetch.duckdb").unlink()
    assert [row["code"] for row in doctor.find()[1]] == ["CAT003"]


def test_what_an_observer_writes_below_the_catalog_is_found(
    doctor: Doctor, add_plugin: Add, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plugin that keeps its notes in the catalog's folder is told of by doctor, and the fix moves them away."""
    add_plugin(
        "notes",
        "@hookimpl\ndef on_catalog_committed(event):\n    (event.root / '.catalog/mine.json').write_text('{}')\n",
    )
    source = tmp_path / "good.csv"
    source.write_text("a,b\n1,2\n")
    assert main(["pull", str(source), "--service", "s", "--ontology", "o", "--version", "1", "-q"]) == 0
    capsys.readouterr()
    code, rows, _ = doctor.find("--no-plugin", "notes")
    assert (code, [(row["code"], row["subject"]) for row in rows]) == (3, [("CAT033", ".catalog/mine.json")])
    assert doctor.find("--fix", "CAT033", "--yes", "--no-plugin", "notes")[:2] == (0, [])
    assert [path.name for path in (doctor.root / ".catalog/quarantine").rglob("*") if path.is_file()] == ["mine.json"]


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ("Finding('acme1', 'note', 'x', 'a:b')", "The code of a finding is 'acme1', not capital letters and three"),
        ("Finding('ACME0001\\n', 'note', 'x', 'a:b')", "not capital letters and three digits such as ACME001."),
        ("Finding('ACME001', 'fatal', 'x', 'a:b')", "is 'fatal', none of error, warning, note."),
        ("Finding('ACME001', 'note', 'x', 'ab')", "The target of the finding ACME001 is 'ab'"),
        ("Finding('ACME001', 'note', 'x', 'a:b', 'drop')", "not a tuple of names"),
        ("Finding('ACME001', 'note', 'two\\nlines', 'a:b')", "not plain text"),
    ],
)
def test_a_check_is_checked_when_it_is_made(
    add_plugin: Add, capsys: pytest.CaptureFixture[str], item: str, sentence: str
) -> None:
    """The plugin is partial, with a sentence; every command goes on."""
    add_plugin(
        "acme",
        "from ontofetch_hookspecs import Finding\n@hookimpl\ndef register_findings():\n" + f"    return [{item}]\n",
    )
    assert main(["plugins", "--json"]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert found["acme"]["state"] == "partial"
    assert sentence in found["acme"]["reason"]
    assert "finding CAT001" in found["catalog"]["contributes"]


def test_codes_of_the_catalog_and_fixes_are_left_out(doctor: Doctor, add_plugin: Add) -> None:
    """Nobody takes a code of the catalog's, one that is free neither, nor names a fix."""
    add_plugin(
        "thief",
        "from ontofetch_hookspecs import Finding\n@hookimpl\ndef register_findings():\n"
        "    return [Finding('CAT001', 'note', 'x', 'thief:it'), Finding('CAT999', 'note', 'x', 'thief:it'),\n"
        "            Finding('THIEF001', 'note', 'x', 'thief:it', ('drop',)), 7]\n"
        "def it(catalog): return [('a', None, 'STOLEN')]\n",
    )
    code, rows, err = doctor.find()
    assert (code, rows) == (0, [])
    assert "plugin 'thief': its finding 'CAT001' is left out: the name is catalog's" in err
    assert "plugin 'thief': its finding CAT999 is left out: these codes are the catalog's" in err
    assert "plugin 'thief': its finding THIEF001 is left out: it names fixes" in err

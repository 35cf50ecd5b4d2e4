"""`ontofetch db backup` and `db restore` as a user meets them."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from tests.programs import Program
from tests.releases import Releases, assert_consistent


@pytest.fixture
def program(releases: Releases) -> Program:
    """Return the program with a store of one release."""
    releases.pull("1.0", {"a.ttl": "alpha", "b.ttl": "beta"})
    return Program(releases.root)


def test_backup_lose_the_disk_restore_verify(program: Program, tmp_path: Path) -> None:
    """The drill: what a backup with data brings back is intact, file by file."""
    made = program.run("db", "backup", "--to", str(tmp_path / "b.tar.zst"), "--include-data", "--json")
    assert made.returncode == 0
    (row,) = json.loads(made.stdout)["rows"]
    assert (row["path"], row["include_data"], row["missing_files"]) == (str(tmp_path / "b.tar.zst"), True, 0)
    assert f"`ontofetch db restore {tmp_path}/b.tar.zst` brings it back." in made.stderr
    shutil.rmtree(program.root)
    restored = program.run("db", "restore", str(tmp_path / "b.tar.zst"), "--json")
    assert restored.returncode == 0
    (row,) = json.loads(restored.stdout)["rows"]
    assert (row["signature"], row["kept"]) == ("none", None)
    assert_consistent(program.root)
    assert program.run("db", "verify").returncode == 0


def test_what_to_type_next_can_be_typed(program: Program, tmp_path: Path) -> None:
    """A shell takes the command as it stands there, also where the name of the backup has a blank in it."""
    made = program.run("db", "backup", "--to", str(tmp_path / "my backup"))
    (command,) = (line.split("`")[1] for line in made.stderr.splitlines() if "brings it back" in line)
    words = shlex.split(command)[1:]
    assert words == ["db", "restore", str(tmp_path / "my backup")]
    assert program.run(*words).returncode == 0


def test_a_backup_of_the_store_is_restored_by_its_name(program: Program) -> None:
    """Without --to it lies below .catalog/backups, where --list finds it and restore looks."""
    assert program.run("db", "backup").returncode == 0
    (row,) = json.loads(program.run("db", "backup", "--list", "--json").stdout)["rows"]
    assert row["kind"] == "backup"
    restored = program.run("db", "restore", row["name"], "--json")
    assert restored.returncode == 0
    assert json.loads(restored.stdout)["rows"][0]["kept"].endswith("-before-restore")


def test_an_older_catalog_beside_newer_files_is_told_by_doctor(program: Program, tmp_path: Path) -> None:
    """What came after the backup lies on disk without a row: exit 3, and the findings name it."""
    assert program.run("db", "backup", "--to", str(tmp_path / "b")).returncode == 0
    Releases(program.root, settings={"durability": "off"}).pull("2.0", {"a.ttl": "newer"})
    restored = program.run("db", "restore", str(tmp_path / "b"), "--json")
    assert restored.returncode == 3
    findings = json.loads(restored.stdout)["sections"]["findings"]
    assert any("sample/2.0" in json.dumps(finding) for finding in findings)
    assert "`ontofetch db doctor` says in what" in restored.stderr


def test_a_backup_that_lacks_files_is_exit_3(program: Program, tmp_path: Path) -> None:
    """Whoever runs it by night learns that the store was damaged already."""
    (program.root / "example/sample/1.0/data/a.ttl").unlink()
    made = program.run("db", "backup", "--to", str(tmp_path / "b"), "--include-data", "--json")
    assert (made.returncode, json.loads(made.stdout)["rows"][0]["missing_files"]) == (3, 1)
    assert "`ontofetch db doctor` names them" in made.stderr


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["backup", "--list", "--include-data"], 2, "--list stands alone"),
        (["backup", "--to", "/nowhere/at/all"], 2, "There is no folder"),
        (["backup", "--sign", "/nowhere.pem"], 2, "can't be read"),
        (["restore"], 2, "PATH"),
        (["restore", "/nowhere"], 1, "There is no backup"),
        (["restore", "/etc"], 1, "files.jsonl"),
        (["restore", "/etc/passwd"], 1, "backup"),
    ],
)
def test_wrong_words_are_refused_with_a_sentence(program: Program, words: list[str], code: int, sentence: str) -> None:
    """Nothing happens but a sentence."""
    ended = program.run("db", *words)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr

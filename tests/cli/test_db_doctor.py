"""`db doctor` and `db rebuild` as a user meets them: what is shown, what is asked, the exit codes."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.catalog.doctor import damage
from tests.catalog.doctor.conftest import pull
from tests.catalog.killed import kill_at
from tests.programs import SCRIPT, Here, Program
from tests.releases import Releases, assert_consistent, query

pytestmark = pytest.mark.usefixtures("quick_databases")

FAST = {"durability": "off"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of a sound store, not to be changed."""
    root = tmp_path_factory.mktemp("sound") / "store"
    releases = Releases(root, settings=FAST)
    releases.pull("1.0", damage.TEXTS)
    releases.pull("2.0", damage.TEXTS)
    return root


@pytest.fixture
def program(sound: Path, tmp_path: Path) -> Program:
    """Return the program, called in this process, with a sound store of the test's own."""
    shutil.copytree(sound, tmp_path / "store")
    return Here(tmp_path / "store")


def test_a_sound_store_exits_with_zero(program: Program) -> None:
    """Nothing is found, and stderr says so."""
    ran = program.run("db", "doctor", "--json")
    assert (ran.returncode, json.loads(ran.stdout)["rows"]) == (0, [])
    assert "nothing is wrong" in ran.stderr


def test_findings_are_shown_and_nothing_is_changed(program: Program) -> None:
    """The exit code is 3, the rows have the documented columns, and the damage is still there."""
    damage.DAMAGE["CAT020"][0](program.root)
    ran = program.run("db", "doctor", "--json")
    assert ran.returncode == 3
    (row,) = json.loads(ran.stdout)["rows"]
    assert list(row) == ["code", "severity", "subject", "version_id", "message", "fix", "unsafe_fixes"]
    assert (row["code"], row["fix"], row["subject"]) == ("CAT020", "rewrite", "example/sample/1.0/manifest.json")
    assert not (program.root / "example/sample/1.0/manifest.json").exists()


def test_two_names_are_two_findings_that_differ(program: Program) -> None:
    """A line end in a name, and a backslash before an n, are told apart in the table, too."""
    folder = program.root / "example/sample/1.0/data"
    for name in ("new\nline.ttl", "new\\nline.ttl"):
        (folder / name).write_text("stray")
    told = program.run("db", "doctor", env={"COLUMNS": "200"}).stdout
    assert ("data/new\\nline.ttl has a name" in told, "data/new\\\\nline.ttl lies in" in told) == (True, True)


def test_without_a_terminal_a_fix_needs_yes(program: Program) -> None:
    """Nobody can be asked, so it is an error of usage that names --yes; with it the fix is carried out."""
    damage.DAMAGE["CAT020"][0](program.root)
    refused = program.run("db", "doctor", "--fix")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert query(program.root, "SELECT count(*) FROM events WHERE type GLOB 'doctor.*'") == [(0,)]
    mended = program.run("db", "doctor", "--fix", "--yes", "--json")
    told = json.loads(mended.stdout)
    assert (mended.returncode, told["rows"]) == (0, [])
    assert [(row["code"], row["outcome"]) for row in told["sections"]["fixed"]] == [("CAT020", "fixed")]
    assert_consistent(program.root)


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1)])
def test_on_a_terminal_the_user_is_asked(program: Program, answer: bytes, code: int) -> None:
    """Yes mends, anything else changes nothing."""
    damage.DAMAGE["CAT020"][0](program.root)
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    ran = subprocess.run(
        [SCRIPT, "db", "doctor", "--fix", "--json"],
        env=program.environment,
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    shown = ""
    while select.select([ours], [], [], 0)[0]:
        shown += os.read(ours, 4096).decode(errors="replace")
    os.close(theirs)
    os.close(ours)
    assert ran.returncode == code
    assert "1 fix would be applied. [y/N]" in shown
    assert (program.root / "example/sample/1.0/manifest.json").exists() == (code == 0)


def test_what_is_left_after_a_fix_exits_with_three(program: Program) -> None:
    """A finding that only an unsafe fix mends stays, and the exit code says so."""
    damage.DAMAGE["CAT020"][0](program.root)
    damage.DAMAGE["CAT013"][0](program.root)
    ran = program.run("db", "doctor", "--fix", "--yes", "--json")
    assert ran.returncode == 3
    assert [row["code"] for row in json.loads(ran.stdout)["rows"]] == ["CAT013"]
    assert "`ontofetch db doctor --fix CAT013=adopt` applies an unsafe fix" in ran.stderr


def test_what_is_open_is_ended_before_the_store_is_looked_at(tmp_path: Path) -> None:
    """One run ends the boundary in which a process died and mends the LATEST.json that it hid; a look ends nothing."""
    releases = Releases(tmp_path / "store", settings=FAST)
    releases.pull("1.0", damage.TEXTS)
    releases.download("2.0", b"the artifact")
    releases.extract("2.0", b"the artifact", damage.TEXTS)
    (releases.root / "example/sample/LATEST.json").write_text("[")
    kill_at(releases.root, "latest", "publish-begun")
    program = Here(releases.root)
    looked = program.run("db", "doctor", "--json")
    assert [row["code"] for row in json.loads(looked.stdout)["rows"]] == ["CAT001"]
    mended = program.run("db", "doctor", "--fix", "--prefer", "catalog", "--yes", "--json")
    told = json.loads(mended.stdout)
    assert (mended.returncode, told["rows"]) == (0, []), mended.stderr
    assert [(row["code"], row["outcome"]) for row in told["sections"]["fixed"]] == [("CAT019", "fixed")]
    assert "in which a process had died, is undone." in mended.stderr
    assert_consistent(releases.root)


def test_what_cannot_be_ended_is_told_and_the_store_is_looked_at(program: Program) -> None:
    """A swap whose plan is unreadable stops nothing: the sentence says so and the finding is shown."""
    (program.root / ".catalog/restore.json").write_text("{")
    ran = program.run("db", "doctor", "--fix", "--yes", "--json")
    assert ran.returncode == 3
    assert [row["code"] for row in json.loads(ran.stdout)["rows"]] == ["CAT001"]
    assert "What is open is not ended before the examination: " in ran.stderr


def test_what_depends_on_another_fix_is_mended_in_the_same_run(tmp_path: Path) -> None:
    """An artifact comes back from another release's copy, then a file out of it; each finding is mended once."""
    releases = Releases(tmp_path / "store", settings=FAST)
    pull(releases, "0.9", damage.TEXTS)
    pull(releases, "1.0", damage.TEXTS)
    before = snapshot_contents(releases)
    for path in ("src/a.zip", "data/d/b.ttl"):
        (releases.root / damage.FOLDER / path).unlink()
    ran = Here(releases.root).run("db", "doctor", "--fix", "--yes", "--json")
    told = json.loads(ran.stdout)
    assert (ran.returncode, told["rows"]) == (0, []), ran.stderr
    assert [(row["fix"], row["subjects"], row["outcome"]) for row in told["sections"]["fixed"]] == [
        ("restore", 1, "fixed"),
        ("restore", 1, "fixed"),
    ]
    assert snapshot_contents(releases) == before


def snapshot_contents(releases: Releases) -> dict[str, str]:
    """Return path → sha256 of every file outside of `.catalog`."""
    return {path: found[3] for path, found in releases.tree().items()}


def test_a_fix_that_fails_is_told(program: Program) -> None:
    """The artifact can't give the file back (it is no archive): the row says failed, the exit code 3."""
    damage.DAMAGE["CAT014"][0](program.root)
    ran = program.run("db", "doctor", "--fix", "--yes", "--json")
    assert ran.returncode == 3
    assert [row["outcome"] for row in json.loads(ran.stdout)["sections"]["fixed"]] == ["failed"]
    assert "CAT014 restore failed: " in ran.stderr


def test_a_store_without_a_database_is_examined_and_made_anew(program: Program) -> None:
    """Doctor names the loss instead of failing; every other command names rebuild; rebuild brings the store back."""
    before = query(program.root, "SELECT * EXCLUDE (verified_at) FROM extracted_files ORDER BY ALL")
    damage.DAMAGE["CAT003"][0](program.root)
    found = program.run("db", "doctor", "--json")
    assert (found.returncode, json.loads(found.stdout)["rows"][0]["code"]) == (3, "CAT003")
    assert "CAT003: `ontofetch db restore BACKUP`, or `ontofetch db rebuild`." in found.stderr
    assert "db rebuild" in program.run("db", "versions").stderr
    made = program.run("db", "rebuild", "--json")
    assert made.returncode == 0
    rows = json.loads(made.stdout)["rows"]
    assert [(row["version_id"], row["source"]) for row in rows] == [
        ("example/sample/1.0", "documents"),
        ("example/sample/2.0", "documents"),
    ]
    assert "Lost are its events" in made.stderr
    # the database was gone: no whole catalog is promised
    (kept,) = (program.root / ".catalog/backups").glob("*-before-rebuild")
    assert f"What there was of the former catalog is kept as .catalog/backups/{kept.name}." in made.stderr
    assert [path.name for path in kept.iterdir()] == ["generation.json"]
    assert query(program.root, "SELECT * EXCLUDE (verified_at) FROM extracted_files ORDER BY ALL") == before
    assert program.run("db", "doctor").returncode == 0
    again = program.run("db", "rebuild")
    assert again.returncode == 1
    assert "--replace" in again.stderr


@pytest.mark.parametrize("code", ["CAT004", "CAT006", "CAT007", "CAT008", "CAT009"])
def test_a_store_that_can_not_be_opened_is_examined(program: Program, code: str) -> None:
    """Where other commands stop with an error, doctor shows a finding; what a process of its own opens, as ever."""
    damage.DAMAGE[code][-1](program.root)
    ran = Program(program.root).run("db", "doctor", "--json")
    assert ran.returncode == 3
    assert [row["code"] for row in json.loads(ran.stdout)["rows"]] == [code]


@pytest.mark.parametrize("verb", ["doctor", "rebuild"])
def test_the_help_has_an_example(program: Program, verb: str) -> None:
    """--help shows how the verb is called."""
    ran = program.run("db", verb, "--help")
    assert ran.returncode == 0
    assert f"example: ontofetch db {verb}" in ran.stdout

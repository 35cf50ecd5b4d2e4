"""A store of real releases survives maintenance: damage and repair, loss and restore, rebuild, prune and its undoing.

Each step is typed as a user types it; the recount imports nothing of the package.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.environments import download_wheel
from tests.programs import Program
from tests.releases import assert_consistent, query, snapshot

RELEASES = {"brickschema": ("0.7.8", "0.7.9", "0.8.0"), "celine-ontologies": ("1.11.0",), "case-utils": ("0.16.0",)}
# when a file was verified is lost with the catalog, and events are
TABLES = {
    "versions": "*",
    "artifacts": "* EXCLUDE (verified_at)",
    "extracted_files": "* EXCLUDE (verified_at)",
    "validations": "*",
    "latest_pointer": "*",
}


class Curator:
    """Types commands and expects their exit codes."""

    def __init__(self, root: Path) -> None:
        self.program = Program(root)
        self.root = root

    def type(self, *words: str, code: int = 0) -> Any:
        """Run a command and return its json."""
        done = self.program.run(*words, "--json", "-q")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def contents(self) -> dict[str, tuple[int, str]]:
        """Return path → size and sha256 of every file outside of `.catalog`."""
        return {path: (size, digest) for path, (_, size, _, digest) in snapshot(self.root).items()}

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of the tables that the documents on disk tell."""
        return {name: sorted(query(self.root, f"SELECT {columns} FROM {name}"), key=repr)
                for name, columns in TABLES.items()}  # fmt: skip

    def is_sound(self) -> None:
        """Assert that doctor, hashing all, and the recount find nothing."""
        assert self.type("db", "doctor", "--hash")["rows"] == []
        assert_consistent(self.root)


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store into which the releases were pulled."""
    curator = Curator(tmp_path_factory.mktemp("real") / "store")
    for name, versions in RELEASES.items():
        for version in versions:
            names = ("--service", "pypi", "--ontology", name, "--version", version)
            done = curator.program.run("pull", str(download_wheel(name, version)), *names, "--accept-failures", "-q")
            assert done.returncode in (0, 3), done.stderr
    curator.is_sound()
    return curator.root


@pytest.fixture
def curator(pulled: Path, tmp_path: Path) -> Curator:
    """Return somebody with a copy of the store."""
    shutil.copytree(pulled, tmp_path / "store", symlinks=True)
    return Curator(tmp_path / "store")


def test_damage_is_found_and_mended_from_the_archives(curator: Curator) -> None:
    """A lost, a longer and a flipped file are found by verify, and doctor brings back what the archives hold."""
    before = curator.contents()
    lost, longer, flipped = sorted(path for path in before if path.endswith("Brick.ttl"))[:3]
    (curator.root / lost).unlink()
    with (curator.root / longer).open("ab") as file:
        file.write(b"#")
    with (curator.root / flipped).open("r+b") as file:
        file.write(b"!")
    found = curator.type("db", "verify", code=3)["rows"]
    assert {row["path"] for row in found} == {lost, longer, flipped}
    curator.type("db", "doctor", "--fix", "--yes")
    assert curator.contents() == before
    curator.is_sound()
    assert curator.type("db", "verify")["rows"] == []


def test_a_lost_disk_comes_back_from_a_backup(curator: Curator, tmp_path: Path) -> None:
    """Backup, lose the disk, restore: rows and files are those of before, and doctor is clean."""
    before, rows = curator.contents(), curator.rows()
    backup = str(tmp_path / "backup.tar.zst")
    curator.type("db", "backup", "--to", backup, "--include-data")
    shutil.rmtree(curator.root)
    curator.type("db", "restore", backup)
    assert curator.contents() == before
    assert curator.rows() == rows
    curator.is_sound()


def test_a_lost_catalog_is_made_anew_row_for_row(curator: Curator) -> None:
    """Without its folder the catalog is rebuilt from the documents; no file outside of it changes."""
    before, rows = snapshot(curator.root), curator.rows()
    shutil.rmtree(curator.root / ".catalog")
    curator.type("db", "rebuild")
    rebuilt = curator.rows()
    assert rebuilt.pop("latest_pointer") == sorted(
        query(curator.root, "SELECT * FROM v_latest"), key=repr
    )  # the former pointers are not on disk
    assert {row[1] for row in query(curator.root, "SELECT slot, version_id FROM v_latest")} == {
        max((row for row in rows["latest_pointer"] if row[0] == slot), key=lambda row: row[2])[1]
        for slot in {row[0] for row in rows["latest_pointer"]}
    }
    assert rebuilt == {name: found for name, found in rows.items() if name != "latest_pointer"}
    assert snapshot(curator.root) == before
    curator.is_sound()


def test_a_release_is_pruned_taken_back_and_purged(curator: Curator) -> None:
    """A plan takes one release and nothing else; it comes back as it was, and only a purge frees its space."""
    before, rows = curator.contents(), curator.rows()
    planned = curator.type(
        *("db", "prune", "--version", "brickschema/0.7.8", "--min-age", "0s", "--yes", "0s"),
        *("--override", "large-plan"),
    )
    plan = planned["parameters"]["id"]
    taken = {path for path in before if path.startswith("pypi/brickschema/0.7.8/")}
    curator.type("db", "prune", "--apply", plan)
    assert curator.contents() == {path: found for path, found in before.items() if path not in taken}
    curator.is_sound()
    curator.type("db", "prune", "--restore", plan)
    assert (curator.contents(), curator.rows()) == (before, rows)
    curator.is_sound()
    again = curator.type(
        *("db", "prune", "--version", "brickschema/0.7.8", "--min-age", "0s", "--yes", "0s"),
        *("--override", "large-plan"),
    )["parameters"]["id"]
    curator.type("db", "prune", "--apply", again)
    curator.type("db", "prune", "--purge", again)
    assert curator.contents() == {path: found for path, found in before.items() if path not in taken}
    assert not [path for path in (curator.root / ".catalog/quarantine").rglob("*") if path.is_file()]
    curator.is_sound()

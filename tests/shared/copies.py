"""Copies of a shared catalog below folders of a test, commands on them, and whether they are the same."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from ontofetch_catalog.catalog.repo.images import OWN
from ontofetch_catalog.catalog.shared.packs import TOGETHER
from ontofetch_catalog.host.app import main
from tests.instance import reading

SHARED = (".catalog/facts", ".catalog/quarantine", ".catalog/plans")
Tree = dict[str, tuple[bytes, int, int]]

LARGE = TOGETHER + 200_000  # bytes of a file that shares its object with no other


@dataclass
class Copies:
    """Machines that share a catalog, each with a root of its own, all in one process.

    Args:
        folder: What their roots are in.
        catalog: Address of the database.
        objects: Address of the objects.
    """

    folder: Path
    catalog: str
    objects: str

    def run(self, root: str, *words: str, code: int | tuple[int, ...] = 0) -> None:
        """Run a command on a machine and hold it to its exit code."""
        found = main([*words, "--root", str(self.folder / root), "-q"])
        assert found in (code if isinstance(code, tuple) else (code,)), (root, words, found)

    def join(self, *roots: str) -> None:
        """Make machines copies."""
        for root in roots:
            self.run(root, "init", "--catalog", self.catalog, "--objects", self.objects)

    def pull(self, root: str, source: Path, version: str, *more: str, code: int = 0) -> None:
        """Pull a release on a machine."""
        words = ("pull", str(source), "--service", "s", "--ontology", "o", "--version", version, *more)
        self.run(root, *words, code=code)

    def check_same(self, *roots: str) -> None:
        """Hold files and rows of machines to be the same, and each machine's files to its rows."""
        for root in roots:
            self.run(root, "db", "versions")
        first, *others = roots
        files, rows = tree_of(self.folder / first), rows_of(self.folder / first)
        for root in others:
            found = tree_of(self.folder / root)
            assert sorted(found.keys() ^ files.keys()) == []
            assert {path: found[path] for path in found if found[path] != files[path]} == {}
            assert rows_of(self.folder / root) == rows
        for root in roots:
            # notes of what waits are no errors
            self.run(root, "db", "doctor", code=(0, 3))


def tree_of(root: Path) -> Tree:
    """Return path → (bytes, time, permissions) of all that machines share."""
    tops = [place for place in root.iterdir() if place.name != ".catalog" and place.is_dir()]
    found: Tree = {}
    for top in [*tops, *(root / name for name in SHARED)]:
        for place in top.rglob("*"):
            if place.is_file():
                state = place.stat()
                found[str(place.relative_to(root))] = place.read_bytes(), state.st_mtime_ns, state.st_mode
    return found


def rows_of(root: Path) -> Mapping[str, list[str]]:
    """Return table → rows of all that machines share, sorted."""
    with closing(reading(root / ".catalog/ontofetch.duckdb")) as connection:
        sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
        tables = [name for (name,) in connection.execute(sql).fetchall()]
        return {
            table: sorted(map(repr, connection.execute(f"SELECT * FROM {table}").fetchall()))
            for table in tables
            if table not in OWN
        }


def release(folder: Path, number: int, *, large: int = 0) -> Path:
    """Make the archive of a release: files that all releases have, one that changed, one of its own: `large` bytes."""
    path = folder / f"release-{number}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in range(3):
            archive.writestr(f"d/same-{name}.nt", f"<http://e.org/{name}> <http://e.org/p> <http://e.org/o> .\n")
        archive.writestr("d/changed.ttl", f'<http://e.org/c> <http://e.org/p> "{number}" .\n')
        archive.writestr(f"only-{number}.txt", "x" * (large or 1))
    return path


@pytest.fixture
def copies(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Copies:
    """Give machines that share nothing but a fresh database and a folder of objects."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    return Copies(tmp_path, without_password(database, monkeypatch), f"file://{tmp_path / 'objects'}")


def without_password(address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return an address without its password, which goes where passwords belong."""
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    monkeypatch.setenv("PGPASSWORD", parts.password or "")
    return address.replace(f":{parts.password}@", "@", 1) if parts.password else address

"""The server is brought back from a backup, or was made by a newer program: no copy follows it blindly."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .copies import rows_of, tree_of
from .postgres import PASSWORD, USER, Postgres
from .three import Lab, lab_of


def tool(lab: Lab, name: str, *words: str) -> None:
    """Run a program of PostgreSQL on the lab's database."""
    where = ["-h", "127.0.0.1", "-p", str(lab.server.port), "-U", USER, "-d", lab.catalog.rpartition("/")[2]]
    command = [lab.server.binaries / name, *where, *words]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PGPASSWORD": PASSWORD})


def test_a_server_that_is_brought_back_from_an_older_dump(postgres_server: Postgres, tmp_path: Path) -> None:
    """Who has more refuses, whatever is written there since; who has not goes on; a newer dump makes all well again."""
    older, newer = tmp_path / "older.sql", tmp_path / "newer.sql"
    with postgres_server.database() as name, lab_of(tmp_path / "lab", postgres_server, name) as lab:
        lab.pull("a", 1)
        lab.run("c", "db", "versions")
        tool(lab, "pg_dump", "--schema=ontofetch", "-f", str(older))
        lab.run("a", "note", "s/p/1", "more")
        lab.pull("a", 2)
        lab.run("b", "db", "versions")
        tool(lab, "pg_dump", "--schema=ontofetch", "-f", str(newer))
        before = {one: (rows_of(lab.workers[one].root), tree_of(lab.workers[one].root)) for one in "ab"}
        bring_back(lab, older)
        refuses(lab, "a", "b")
        # others have no more than that, and may read; who wants to go on from there says so: see docs/shared.md
        record = tmp_path / "lab/objects/generation.json"
        refuses(lab, "c", reading=False)
        record.unlink()
        # beyond what the two have: it is still another history
        for number in range(8):
            lab.run("c", "note", "s/p/1", f"of another day {number}")
        refuses(lab, "a", "b")
        for one, (rows, tree) in before.items():
            assert (rows_of(lab.workers[one].root), tree_of(lab.workers[one].root)) == (rows, tree)
        bring_back(lab, newer)
        refuses(lab, "c")
        refuses(lab, "a", "b", reading=False)
        record.unlink()
        lab.run("c", "db", "rebuild")
        lab.pull("b", 3)
        lab.check("a", "b", "c")


def test_who_has_more_than_the_server_goes_its_own_way(postgres_server: Postgres, tmp_path: Path) -> None:
    """Where no newer dump is left, or no dump at all, a copy becomes a store of its own with all that it has."""
    older = tmp_path / "older.sql"
    with postgres_server.database() as name, lab_of(tmp_path / "lab", postgres_server, name) as lab:
        tool(lab, "pg_dump", "--schema=ontofetch", "-f", str(older))
        lab.pull("a", 1)
        for one in "bc":
            lab.run(one, "db", "versions")
        before = rows_of(lab.workers["b"].root)
        bring_back(lab, older)
        moved = lab.workers["b"].run("db", "move", "--to", "local")
        assert (moved.code, "What is here is kept." in moved.err) == (0, True), moved.err
        tool(lab, "psql", "-q", "-c", "DROP SCHEMA ontofetch CASCADE")
        moved = lab.workers["c"].run("db", "move", "--to", "local")
        assert (moved.code, "What is here is kept." in moved.err) == (0, True), moved.err
        for one in "bc":
            assert rows_of(lab.workers[one].root) == before
            lab.run(one, "db", "verify")
        # what goes on from the furthest one is a new catalog
        with postgres_server.database() as other:
            place = lab.catalog.rpartition("/")[0]
            words = ("--objects", f"file://{tmp_path / 'others'}")
            lab.run("b", "db", "move", "--to", f"{place}/{other}", *words)
            lab.pull("b", 2)


def bring_back(lab: Lab, dump: Path) -> None:
    """Bring a dump back in the place of what is there."""
    tool(lab, "psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", "DROP SCHEMA ontofetch CASCADE", "-f", str(dump))


def refuses(lab: Lab, *names: str, reading: bool = True) -> None:
    """Hold machines to refuse, reading and writing, or only writing, with a sentence."""
    for name in names:
        for words in (*([("db", "versions")] * reading), ("note", "s/p/1", "x"), ("rm", "s/o/1", "--yes")):
            ended = lab.workers[name].run(*words, "-q")
            assert ended.code == 1, (name, words, ended)
            assert "brought back from before it, or is another one" in ended.err
            assert "Bring a newer backup" in ended.err


@pytest.mark.parametrize("what", ["store SET format", "boundaries SET schema"])
def test_a_newer_program_was_here(postgres_server: Postgres, tmp_path: Path, what: str) -> None:
    """Its tables, or its rows, are refused with a sentence that says what to install; nothing is changed."""
    with postgres_server.database() as name, lab_of(tmp_path / "lab", postgres_server, name) as lab:
        lab.pull("a", 1)
        before = rows_of(lab.workers["c"].root)
        lab.ask(f"UPDATE ontofetch.{what} = 999 RETURNING 1")
        for words in (("db", "versions"), ("note", "s/p/1", "x"), lab.pulling(2)):
            ended = lab.workers["c"].run(*words, "-q")
            assert ended.code not in (0, None)
            assert "newer" in ended.err
            assert "pip install -U ontofetch-catalog" in ended.err
        assert rows_of(lab.workers["c"].root) == before

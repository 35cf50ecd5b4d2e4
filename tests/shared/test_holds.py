"""What is held for a backup is freed by no sweep, as long as it is held; what it does not name goes as ever."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ontofetch_catalog.catalog.backup import write
from ontofetch_catalog.catalog.backup.copying import Copy
from ontofetch_catalog.host.app import main

from .copies import LARGE, Copies, copies, release
from .postgres import PASSWORD, USER, Postgres
from .test_days import age, objects_of

__all__ = ["copies"]


def removed(copies: Copies, version: str) -> None:
    """Remove a release for good, so that no path has its contents any more."""
    plans = copies.folder / "a/.catalog/plans"
    before = set(os.listdir(plans)) if plans.exists() else set()
    copies.run("a", "rm", f"s/o/{version}", "--yes")
    (plan,) = set(os.listdir(plans)) - before
    copies.run("a", "db", "prune", "--purge", plan)


def swept(copies: Copies) -> None:
    """Sweep twice, with the grace over in between: what may be freed is freed."""
    for _ in range(2):
        copies.run("a", "db", "sweep", "--grace", "1d")
        age(copies)
    copies.run("a", "db", "sweep", "--grace", "1d")


def kept(copies: Copies) -> set[int]:
    """Return of which releases the file that they alone have is among the objects, as its row says."""
    names = {place.name for place in objects_of(copies)}
    rows = dict(asked(copies, "SELECT sha256, key FROM ontofetch.contents"))
    own = {number: hashlib.sha256(b"x" * (LARGE + number)).hexdigest() for number in range(1, 4)}
    return {number for number, sha256 in own.items() if rows.get(sha256, "").rpartition("/")[2] in names}


def asked(copies: Copies, sql: str) -> list[Any]:
    """Ask the database."""
    with psycopg.connect(copies.catalog) as connection:
        found = connection.execute(sql.encode())
        return found.fetchall() if found.description else []


def told(capsys: pytest.CaptureFixture[str], copies: Copies, *words: str) -> Any:
    """Return what a command says as JSON."""
    capsys.readouterr()
    copies.run("a", *words, "--json")
    return json.loads(capsys.readouterr().out)


def pulled(copies: Copies, tmp_path: Path, number: int) -> None:
    """Pull a release with a large file that it alone has."""
    copies.pull("a", release(tmp_path, number, large=LARGE + number), str(number), "--no-validate")


def test_a_backup_holds_what_it_names(copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What had gone before and what comes later is freed; the rest stays until it is let go, and says for which one."""
    copies.join("a", "b")
    for number in (1, 2):
        pulled(copies, tmp_path, number)
    removed(copies, "1")
    swept(copies)
    assert kept(copies) == {2}
    made = told(capsys, copies, "db", "backup", "--to", str(tmp_path / "one.tar.zst"))["rows"][0]
    assert made["held_as"] == "one.tar.zst"
    pulled(copies, tmp_path, 3)
    removed(copies, "3")
    removed(copies, "2")
    would = told(capsys, copies, "db", "sweep", "--dry-run")
    (held,) = would["sections"]["holds"]
    assert (held["name"], held["event"]) == ("one.tar.zst", made["events"])
    assert held["contents"] == would["rows"][0]["held"] > 0
    assert held["size_bytes"] > LARGE
    swept(copies)
    assert kept(copies) == {2}
    assert told(capsys, copies, "db", "sweep")["sections"]["holds"] == would["sections"]["holds"]
    (row,) = told(capsys, copies, "db", "status")["sections"]["holds"]
    assert (row["name"], row["until"]) == ("one.tar.zst", None)
    copies.run("b", "db", "hold", "--let-go", "one.tar.zst")
    assert told(capsys, copies, "db", "hold")["rows"] == []
    swept(copies)
    assert kept(copies) == set()
    copies.check_same("a", "b")


def test_backups_that_follow_each_other_let_go_of_what_the_later_ones_lack(copies: Copies, tmp_path: Path) -> None:
    """What a sweep had found unnamed before a backup is not held for it, though an older one still kept it then."""
    copies.join("a")
    pulled(copies, tmp_path, 1)
    copies.run("a", "db", "hold", "monday")
    removed(copies, "1")
    swept(copies)
    copies.run("a", "db", "hold", "tuesday")
    swept(copies)
    assert kept(copies) == {1}
    copies.run("a", "db", "hold", "--let-go", "monday")
    swept(copies)
    assert kept(copies) == set()


@pytest.mark.parametrize("mark", ["condemned_at = now() - interval '3 days'", "unnamed_event = 1"])
def test_what_was_named_again_is_held(copies: Copies, tmp_path: Path, mark: str) -> None:
    """Who had asked for a place before a sweep names it after it; no later sweep has looked when it is held."""
    copies.join("a")
    pulled(copies, tmp_path, 1)
    asked(copies, f"UPDATE ontofetch.contents SET {mark}")
    copies.run("a", "db", "hold", "x")
    removed(copies, "1")
    swept(copies)
    assert kept(copies) == {1}


def test_a_time_that_is_over(copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the server's clock; the sweep that comes then forgets the hold."""
    copies.join("a")
    pulled(copies, tmp_path, 1)
    copies.run("a", "db", "hold", "x", "--for", "2d")
    copies.run("a", "db", "backup", "--hold", "30d", "--to", str(tmp_path / "b.tar.zst"))
    days = asked(copies, "SELECT round(extract(epoch FROM until - since) / 86400) FROM ontofetch.holds ORDER BY event")
    assert [int(day) for (day,) in days] == [2, 30]
    removed(copies, "1")
    swept(copies)
    assert kept(copies) == {1}
    asked(copies, "UPDATE ontofetch.holds SET until = now()")
    assert told(capsys, copies, "db", "hold")["rows"] == []
    swept(copies)
    assert kept(copies) == set()
    assert asked(copies, "TABLE ontofetch.holds") == []


def test_a_dump_that_is_held_comes_back_whole(copies: Copies, postgres_server: Postgres, tmp_path: Path) -> None:
    """Hold, dump: whatever is removed and swept afterwards, the dump has all its bytes, and is still held."""
    copies.join("a")
    pulled(copies, tmp_path, 1)
    copies.run("a", "db", "hold", "dump")
    where = ["-h", "127.0.0.1", "-p", str(postgres_server.port), "-U", USER, "-d", copies.catalog.rpartition("/")[2]]

    def tool(name: str, *words: str) -> None:
        command = [postgres_server.binaries / name, *where, *words]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PGPASSWORD": PASSWORD})

    tool("pg_dump", "--schema=ontofetch", "-f", str(tmp_path / "dump.sql"))
    removed(copies, "1")
    swept(copies)
    drop = ("-c", "DROP SCHEMA ontofetch CASCADE")
    tool("psql", "-q", "-v", "ON_ERROR_STOP=1", *drop, "-f", str(tmp_path / "dump.sql"))
    copies.join("c")
    copies.run("c", "db", "verify")
    copies.run("c", "db", "sweep")
    assert [name for (name,) in asked(copies, "SELECT name FROM ontofetch.holds")] == ["dump"]
    copies.run("c", "rm", "s/o/1", "--yes")
    copies.join("d")
    copies.check_same("c", "d")


def test_others_write_while_a_backup_is_made(copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as of the event before; what others record meanwhile is not in it."""
    copies.join("a", "b")
    pulled(copies, tmp_path, 1)
    whole = Copy.write

    def writing(self: Copy, *words: Any) -> Any:
        with monkeypatch.context() as once:
            once.setattr(Copy, "write", whole)
            copies.run("b", "note", "s/o/1", "meanwhile", "--wait", "5")
        return whole(self, *words)

    ((before,),) = asked(copies, "SELECT max(last_event) FROM ontofetch.boundaries")
    monkeypatch.setattr(Copy, "write", writing)
    copies.run("a", "db", "backup")
    assert asked(copies, "SELECT event FROM ontofetch.holds") == [(before,)]
    assert asked(copies, "SELECT max(last_event) FROM ontofetch.boundaries") == [(before + 2,)]
    copies.check_same("a", "b")


def test_a_backup_that_is_not_made_holds_nothing_for_long(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that fails lets go; one that is killed holds for a week, and is held as it should be by the same command."""
    copies.join("a")
    pulled(copies, tmp_path, 1)

    def full(self: Copy, *words: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as once:
        once.setattr(Copy, "write", full)
        copies.run("a", "db", "backup", code=1)
    assert asked(copies, "TABLE ontofetch.holds") == []
    place = str(tmp_path / "b.tar.zst")

    def dies(*words: Any) -> Any:
        raise KeyboardInterrupt

    week = "SELECT name, round(extract(epoch FROM until - since) / 86400) FROM ontofetch.holds"
    with monkeypatch.context() as once:
        # killed between the backup and the word that it is whole
        once.setattr("ontofetch_catalog.catalog.holding.hold_until", dies)
        assert main(["db", "backup", "--to", place, "--root", str(tmp_path / "a"), "-q"]) == 130
    assert asked(copies, week) == [("b.tar.zst", 7)]
    copies.run("a", "db", "backup", "--to", place)
    assert asked(copies, week) == [("b.tar.zst", None)]
    with monkeypatch.context() as once:
        once.setattr(write, "carry_out", dies)
        assert main(["db", "backup", "--to", place + ".tar.zst", "--root", str(tmp_path / "a"), "-q"]) == 130
    copies.run("a", "db", "backup", "--to", place + ".tar.zst")
    assert len(asked(copies, week)) == 2
    copies.run("a", "db", "backup")
    rows = told(capsys, copies, "db", "backup", "--list")["rows"]
    assert [row["held_as"] == row["name"] for row in rows] == [True]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("x",), 1, "has a hold called 'x' already"),
        (("--let-go", "y"), 1, "holds nothing called 'y'"),
        (("",), 2, "NAME is empty"),
        (("a\nb",), 2, "is no name for what is held"),
        (("--for", "2d"), 2, "--for needs a NAME"),
        (("y", "--let-go", "x"), 2, "--let-go stands alone"),
        (("y", "--for", "soon"), 2, "is no length of time"),
    ],
)
def test_what_is_mistyped(
    copies: Copies, capsys: pytest.CaptureFixture[str], words: Sequence[str], code: int, said: str
) -> None:
    """It is a sentence, and nothing changes."""
    copies.join("a")
    copies.run("a", "db", "hold", "x")
    copies.run("a", "db", "hold", *words, code=code)
    assert said in capsys.readouterr().err
    assert [name for (name,) in asked(copies, "SELECT name FROM ontofetch.holds")] == ["x"]


def test_a_store_of_its_own_holds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no sweep that could free anything, so who asks for it is told."""
    root = ("--root", str(tmp_path / "s"))
    assert main(["init", *root]) == 0
    assert main(["db", "hold", *root]) == 0
    assert "is a store of its own" in capsys.readouterr().err
    refused = {("db", "hold", "x"): 1, ("db", "hold", "--let-go", "x"): 1, ("db", "backup", "--hold", "2d"): 2}
    for words, code in refused.items():
        assert main([*words, *root]) == code
        assert "is one of its own" in capsys.readouterr().err


def test_a_catalog_from_before_holds(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner makes what is missing on the way, with the rights that others have; others are told to ask for it."""
    copies.join("a")
    pulled(copies, tmp_path, 1)
    for sql in (
        "DROP TABLE ontofetch.holds",
        "ALTER TABLE ontofetch.contents DROP added_event, DROP unnamed_event",
        "CREATE ROLE keeps LOGIN PASSWORD 'hidden-keeps'",
        "GRANT USAGE ON SCHEMA ontofetch TO keeps",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ontofetch TO keeps",
    ):
        asked(copies, sql)
    password = os.environ["PGPASSWORD"]
    monkeypatch.setenv("PGPASSWORD", "hidden-keeps")
    user = Copies(tmp_path, copies.catalog.replace(f"://{USER}@", "://keeps@"), copies.objects)
    user.join("u")
    pulled(copies, tmp_path, 2)
    capsys.readouterr()
    for words in (("db", "hold", "x"), ("db", "sweep"), ("db", "backup")):
        user.run("u", *words, code=2)
        assert "was made before backups were held" in capsys.readouterr().err
    user.run("u", "db", "status")
    monkeypatch.setenv("PGPASSWORD", password)
    copies.run("a", "db", "hold", "x")
    monkeypatch.setenv("PGPASSWORD", "hidden-keeps")
    user.run("u", "db", "hold", "y")
    user.run("u", "db", "hold", "--let-go", "x")
    user.run("u", "db", "sweep")

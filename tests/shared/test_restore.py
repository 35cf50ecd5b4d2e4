"""A backup restored in a copy: rows and files of its event come back on all machines, by one boundary in the log."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from ontofetch_catalog.catalog.backup import for_all
from ontofetch_catalog.catalog.repo.images import EVENTS
from ontofetch_catalog.catalog.shared.log_then import Then
from ontofetch_catalog.catalog.shared.places import Op
from ontofetch_catalog.errors import CatalogUnavailable
from ontofetch_catalog.host.app import main

from .copies import Copies, Tree, copies, release, rows_of, tree_of
from .postgres import Postgres
from .s3 import S3Server
from .states import dying, forked
from .test_backups import bring_back, tool
from .test_holds import asked, pulled, removed, swept, told
from .three import lab_of, try_step

__all__ = ["copies"]
_BESIDE = (".catalog/quarantine/", ".catalog/plans/")  # where a restore changes nothing but by adding to it
_FOUND = (0, 3)  # what waits in quarantine is told
State = tuple[Mapping[str, list[str]], Tree]


def state_of(copies: Copies, root: str) -> State:
    """Return rows and files of a machine, as far as a restore brings them back."""
    copies.run(root, "db", "versions")
    rows = {table: found for table, found in rows_of(copies.folder / root).items() if table != EVENTS}
    files = {path: one for path, one in tree_of(copies.folder / root).items() if not path.startswith(_BESIDE)}
    return rows, files


def check_is(copies: Copies, before: State, *roots: str) -> None:
    """Hold machines to have again what there was before, and to be the same in all else."""
    copies.check_same(*roots)
    for root in roots:
        rows, files = state_of(copies, root)
        assert rows == before[0]
        assert sorted(files.keys() ^ before[1].keys()) == []
        assert {path: one for path, one in files.items() if one != before[1][path]} == {}
        own = copies.folder / root / ".catalog"
        assert [*own.glob("backups/*.new"), *own.glob("intents/*")] == []


def backed_up(copies: Copies, *more: str) -> str:
    """Make a backup on machine `a` and return where it is."""
    place = str(copies.folder / f"backup-{len(list(copies.folder.glob('backup-*')))}.tar.zst")
    copies.run("a", "db", "backup", "--to", place, *more)
    return place


def last_event(copies: Copies) -> int:
    """Return how far the log has come."""
    ((found,),) = asked(copies, "SELECT max(last_event) FROM ontofetch.boundaries")
    return int(found)


def taken_back(capsys: pytest.CaptureFixture[str], copies: Copies) -> set[int]:
    """Return the events that did what was taken back already."""
    rows = told(capsys, copies, "undo", "--list", "--top", "100")["rows"]
    return {row["id"] for row in rows if "taken back already" in (row["why_not"] or "")}


def lived(copies: Copies, tmp_path: Path) -> None:
    """Let machines go on: pull, replace, remove, rename, point elsewhere, tag, note, pin, verify, and undo."""
    copies.pull("a", release(tmp_path, 3), "3")
    (tmp_path / "other").mkdir()
    other = release(tmp_path / "other", 9).rename(tmp_path / "other/release-2.zip")
    copies.pull("b", other, "2", "--replace")
    copies.run("b", "db", "latest", "set", "s/o/1")
    copies.run("a", "rm", "s/o/0", "--yes")
    copies.run("b", "mv", "s/o/1", "s/o/one")
    copies.run("a", "tag", "s/o/2", "late")
    copies.run("a", "tag", "s/o/2", "--remove", "early")
    copies.run("b", "note", "s/o/3", "a word")
    copies.run("b", "db", "pin", "s/o/2")
    copies.run("a", "db", "verify")
    copies.run("a", "undo")


@pytest.fixture
def begun(copies: Copies, tmp_path: Path) -> State:
    """Give what three machines have at the event of a backup."""
    copies.join("a", "b", "c")
    for number in range(3):
        copies.pull("a", release(tmp_path, number), str(number))
    copies.run("b", "tag", "s/o/2", "early")
    copies.run("b", "note", "s/o/1", "of old")
    return state_of(copies, "a")


def test_all_machines_have_again_what_there_was(
    copies: Copies, begun: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever any of them did since is changed back, by one boundary; so is the restore, by what it has kept."""
    backup = backed_up(copies)
    lived(copies, tmp_path)
    later, before, undone = state_of(copies, "b"), last_event(copies), taken_back(capsys, copies)
    capsys.readouterr()
    copies.run("b", "db", "restore", backup, "--json", code=_FOUND)
    (row,) = json.loads(capsys.readouterr().out)["sections"]["restored"]
    assert asked(copies, f"SELECT type FROM ontofetch.boundaries WHERE first_event > {before}") == [
        ("backup.restored",)
    ]
    check_is(copies, begun, "a", "b", "c")
    # what was done since is no deed any more, what was done before is the last one
    assert {event > row["events"] for event in taken_back(capsys, copies)} == {True}
    copies.run("c", "undo")
    assert not any("of old" in note for note in state_of(copies, "a")[0]["notes"])
    # a release that was never there then can come
    copies.pull("c", release(tmp_path, 3), "3")
    copies.run("b", "db", "restore", Path(row["kept"]).name, code=_FOUND)
    check_is(copies, later, "a", "b", "c")
    assert not any(row["events"] < event < before for event in taken_back(capsys, copies) - undone)
    copies.run("a", "db", "restore", backup, code=_FOUND)
    check_is(copies, begun, "a", "b", "c")
    copies.join("late")
    check_is(copies, begun, "late")
    # what went into quarantine and came back is in both places: a copy is made anew beside all of that
    copies.run("b", "db", "rebuild")
    check_is(copies, begun, "b")


def test_a_backup_made_after_a_restore(copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was purged does not come back, and what the earlier restore has taken back is not the last deed."""
    copies.join("a", "b")
    for number in range(2):
        copies.pull("a", release(tmp_path, number), str(number))
    copies.run("a", "rm", "s/o/0", "--yes")
    (plan,) = os.listdir(tmp_path / "a/.catalog/plans")
    first = backed_up(copies)
    copies.run("a", "db", "prune", "--purge", plan)
    copies.run("b", "tag", "s/o/1", "early")
    copies.run("a", "db", "restore", first, code=_FOUND)
    quarantined = [path for path in tree_of(tmp_path / "a") if path.startswith(".catalog/quarantine/")]
    assert not any("/s/o/0/" in path for path in quarantined)
    copies.run("b", "note", "s/o/1", "kept")
    before, second = state_of(copies, "b"), backed_up(copies)
    copies.run("b", "tag", "s/o/1", "late")
    copies.run("a", "db", "restore", second, code=_FOUND)
    check_is(copies, before, "a", "b")
    capsys.readouterr()
    copies.run("b", "undo")
    assert not any("kept" in note for note in state_of(copies, "a")[0]["notes"])
    tagged = asked(copies, "SELECT last_event FROM ontofetch.boundaries WHERE type = 'tag.added'")
    assert len(tagged) == 2
    assert taken_back(capsys, copies) >= {event for (event,) in tagged}


def test_others_write_until_it_is_their_turn(
    copies: Copies, begun: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another machine records while rows and paths are made once more is taken back, too, and kept."""
    backup = backed_up(copies)
    settle = for_all.ForAll.settle

    def settled(self: for_all.ForAll) -> None:
        settle(self)
        copies.pull("b", release(tmp_path, 3), "3")

    with monkeypatch.context() as once:
        once.setattr(for_all.ForAll, "settle", settled)
        copies.run("a", "db", "restore", backup, code=_FOUND)
    check_is(copies, begun, "a", "b", "c")
    (kept,) = [name for name in os.listdir(tmp_path / "a/.catalog/backups") if name.endswith("-before-restore")]
    copies.run("a", "db", "restore", kept, code=_FOUND)
    assert "s/o/3/manifest.json" in state_of(copies, "c")[1]


def test_nothing_differs(copies: Copies, begun: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What this machine alone has lost of its files comes back; its rows had better be made anew."""
    backup = backed_up(copies)
    copies.run("c", "db", "versions")
    before = last_event(copies)
    shutil.rmtree(tmp_path / "c/s/o/1")
    copies.run("c", "db", "restore", backup)
    check_is(copies, begun, "a", "b", "c")
    assert asked(copies, f"SELECT DISTINCT type FROM ontofetch.boundaries WHERE first_event > {before}") == [
        ("backup.unchanged",)
    ]
    (tmp_path / "c/.catalog/ontofetch.duckdb").write_bytes(b"no database")
    capsys.readouterr()
    copies.run("c", "db", "restore", backup, code=1)
    assert "db rebuild` makes this copy anew" in capsys.readouterr().err
    copies.run("c", "db", "rebuild")
    copies.run("c", "db", "restore", backup)
    with duckdb.connect(str(tmp_path / "c/.catalog/ontofetch.duckdb")) as connection:
        connection.execute("DELETE FROM notes")
    copies.run("b", "rm", "s/o/0", "--yes")
    capsys.readouterr()
    copies.run("c", "db", "restore", backup, code=1)
    assert "Rows here are not what the shared catalog says" in capsys.readouterr().err
    copies.run("a", "db", "restore", backup, code=_FOUND)
    copies.run("c", "db", "rebuild")
    check_is(copies, begun, "a", "b", "c")


def test_bytes_that_are_gone(copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They come from a backup that has them; without one nothing is changed, and the first of them are named."""
    copies.join("a", "b", "c")
    for number in (1, 2):
        pulled(copies, tmp_path, number)
    before = state_of(copies, "a")
    bare, whole, folder = backed_up(copies), backed_up(copies, "--include-data"), str(tmp_path / "folder")
    copies.run("a", "db", "backup", "--include-data", "--to", folder)
    for row in told(capsys, copies, "db", "hold")["rows"]:
        copies.run("a", "db", "hold", "--let-go", row["name"])
    for backup in (whole, folder):
        removed(copies, "1")
        swept(copies)
        copies.run("c", "db", "versions")
        former, after = state_of(copies, "b"), last_event(copies)
        capsys.readouterr()
        copies.run("b", "db", "restore", bare, code=1)
        said = capsys.readouterr().err
        assert "files of the backup are neither among the objects" in said
        assert "s/o/1/" in said
        assert "--include-data" in said
        assert last_event(copies) == after
        check_is(copies, former, "a", "b", "c")
        copies.run("b", "db", "restore", backup, code=_FOUND)
        check_is(copies, before, "a", "b", "c")
    copies.join("late")
    check_is(copies, before, "late")
    copies.run("c", "db", "verify")


def test_bytes_that_change_after_they_were_checked(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a backup has by the time that it is read is compared once more: nothing is changed."""
    copies.join("a", "b")
    pulled(copies, tmp_path, 1)
    backup = tmp_path / "folder"
    copies.run("a", "db", "backup", "--include-data", "--to", str(backup))
    copies.run("a", "db", "hold", "--let-go", backup.name)
    removed(copies, "1")
    swept(copies)
    former, after = state_of(copies, "b"), last_event(copies)
    settle = for_all.ForAll.settle

    def settled(self: for_all.ForAll) -> None:
        settle(self)
        (large,) = backup.rglob("only-1.txt")
        large.chmod(0o600)
        large.write_bytes(b"y" * large.stat().st_size)

    monkeypatch.setattr(for_all.ForAll, "settle", settled)
    copies.run("b", "db", "restore", str(backup), code=1)
    assert "is damaged in the backup" in capsys.readouterr().err
    assert last_event(copies) == after
    check_is(copies, former, "a", "b")


def test_bytes_that_are_condemned(copies: Copies, tmp_path: Path) -> None:
    """They are there until a later sweep: they come back, put anew, so that that one takes nothing."""
    copies.join("a", "b")
    pulled(copies, tmp_path, 1)
    before, backup = state_of(copies, "a"), backed_up(copies)
    (held,) = asked(copies, "SELECT name FROM ontofetch.holds")
    copies.run("b", "db", "hold", "--let-go", held[0])
    removed(copies, "1")
    copies.run("a", "db", "sweep", "--grace", "1d")
    former = set(asked(copies, "SELECT sha256, key FROM ontofetch.contents WHERE condemned_at IS NOT NULL"))
    assert former
    copies.run("b", "db", "restore", backup, code=_FOUND)
    check_is(copies, before, "a", "b")
    named = "SELECT sha256, key FROM ontofetch.contents JOIN ontofetch.paths USING (sha256)"
    assert former.isdisjoint(asked(copies, named))
    swept(copies)
    copies.join("late")
    check_is(copies, before, "late")


def test_a_backup_of_something_else(copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of another store, or of this one before it was shared, it is refused, with what can be done."""
    copies.pull("a", release(tmp_path, 1), "1")
    older = backed_up(copies)
    copies.run("a", "db", "move", "--to", copies.catalog, "--objects", copies.objects)
    copies.join("b")
    events = last_event(copies)
    # what the first machine has done, done in a store of its own: event for event, as many as the log began with
    copies.pull("other", release(tmp_path, 1), "1")
    others = [str(tmp_path / f"other-{number}") for number in range(2)]
    for other in others:
        copies.run("other", "db", "backup", "--to", other)
    for backup in (older, others[1]):
        capsys.readouterr()
        copies.run("b", "db", "restore", backup, code=1)
        said = capsys.readouterr().err
        assert "has another event" in said or backup == older
        assert "the backup is one of another catalog" in said
        assert "db move --to local` makes" in said
    assert last_event(copies) == events


def test_a_machine_that_is_killed(copies: Copies, begun: State, tmp_path: Path) -> None:
    """Before whichever step, others see all of it or nothing, and the same command does the rest."""
    backup = backed_up(copies)
    lived(copies, tmp_path)
    later = state_of(copies, "b")
    words = ["db", "restore", backup, "-q", "--root", str(tmp_path / "b")]
    for step in itertools.count(1, 36):

        def killed(step: int = step) -> int:
            dying(step)
            return main(words)

        before = last_event(copies)
        ended = forked(killed)
        is_done = last_event(copies) > before and asked(
            copies, "SELECT type FROM ontofetch.boundaries ORDER BY first_event DESC LIMIT 1"
        ) == [("backup.restored",)]
        found = state_of(copies, "c")
        assert found == (begun if is_done else later), step
        assert main(words) in _FOUND, step
        check_is(copies, begun, "a", "b", "c")
        if ended != -signal.SIGKILL:
            assert ended in _FOUND
            break
        (kept, *_) = sorted(
            (name for name in os.listdir(tmp_path / "b/.catalog/backups") if name.endswith("-before-restore")),
            reverse=True,
        )
        assert main(["db", "restore", kept, "-q", "--root", str(tmp_path / "b")]) in _FOUND, step
        later = state_of(copies, "b")
    assert step > 60


def test_without_the_server(copies: Copies, begun: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is changed, and a sentence says why."""
    backup = backed_up(copies)
    copies.run("a", "rm", "s/o/0", "--yes")
    password = os.environ["PGPASSWORD"]
    monkeypatch.setenv("PGPASSWORD", "hidden-wrong")
    copies.run("a", "db", "restore", backup, code=1)
    monkeypatch.setenv("PGPASSWORD", password)
    assert "s/o/0/manifest.json" not in state_of(copies, "a")[1]
    copies.run("a", "db", "restore", backup, code=_FOUND)
    check_is(copies, begun, "a", "b", "c")


@pytest.mark.parametrize("at", [1, 2, 5])
def test_a_machine_that_stands_still_while_it_reads_the_log(
    copies: Copies, begun: State, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], at: int
) -> None:
    """The paths that there were go with the session that the server has ended; those that there are stay."""
    backup = backed_up(copies)
    copies.run("a", "rm", "s/o/0", "--yes")
    later, paths = state_of(copies, "b"), asked(copies, "SELECT * FROM ontofetch.paths ORDER BY path")
    take, steps = Then.take, itertools.count()

    def taken(self: Then, moves: Sequence[Op]) -> None:
        if next(steps) == at:
            asked(copies, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'onto%'")
            with suppress(CatalogUnavailable):
                # as whatever else the machine asks first learns of it
                self._log.head()
        take(self, moves)

    with monkeypatch.context() as patch:
        patch.setattr(Then, "take", taken)
        copies.run("b", "db", "restore", backup, code=1)
    said = capsys.readouterr().err
    assert "it was silent for too long. Nothing was changed. Run the same command again." in said
    assert asked(copies, "SELECT * FROM ontofetch.paths ORDER BY path") == paths
    check_is(copies, later, "a", "b", "c")
    copies.run("b", "db", "restore", backup, code=_FOUND)
    check_is(copies, begun, "a", "b", "c")


def test_three_machines_and_a_bucket(postgres_server: Postgres, s3_server: S3Server, tmp_path: Path) -> None:
    """A machine is killed, or stands still, in the middle of it; the others go on, and a reader catches up."""
    with postgres_server.database() as name, lab_of(tmp_path / "lab", postgres_server, name, s3_server) as lab:
        for how, step in (("kill", "_write"), ("stop", "publish"), ("int", "get")):
            assert try_step(lab, "restore", how, 1, step), "it did not come that far"
        # a database from before a backup has not its event
        tool(lab, "pg_dump", "--schema=ontofetch", "-f", str(tmp_path / "older.sql"))
        lab.pull("a", 99)
        place = str(tmp_path / "newer.tar.zst")
        lab.run("a", "db", "backup", "--to", place)
        bring_back(lab, tmp_path / "older.sql")
        ended = lab.workers["c"].run("db", "restore", place)
        assert ended.code == 1
        assert "the database was brought back from before the backup" in ended.err

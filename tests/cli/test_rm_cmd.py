"""`rm`: a release, a series or an artifact goes to quarantine, whole, and the series points elsewhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog import intents
from tests.catalog.prune.stores import count_all, quarantined
from tests.cli.conftest import Run
from tests.releases import Releases, assert_consistent, query

pytestmark = pytest.mark.usefixtures("quick_databases")

Rows = Callable[..., list[dict[str, Any]]]
HP = "example/sample"


def is_sound(run: Run, root: Path) -> bool:
    """Say whether doctor finds nothing, and a recount of our own neither."""
    assert_consistent(root)
    return run("db", "doctor")[0] == 0


def latest_of(root: Path) -> list[tuple[Any, ...]]:
    """Return series and release of every latest pointer that counts."""
    return query(root, "SELECT slot, version_id FROM v_latest ORDER BY slot")


def test_the_latest_and_last_release_goes_and_the_one_before_is_latest(store: Path, run: Run) -> None:
    """A wrong version that sorts last is removed; what was latest before is latest, and the sentence says so."""
    code, out, err = run("rm", f"{HP}/2.0", "--yes", "--json")
    assert code == 0, err
    assert f"The latest of {HP} is {HP}/1.0 now." in json.loads(out)["rows"][0]["message"]
    assert latest_of(store) == [(HP, f"{HP}/1.0")]
    assert not (store / HP / "2.0/data").exists()
    assert quarantined(store) > 0
    assert is_sound(run, store)


def test_undo_brings_everything_back(store: Path, run: Run) -> None:
    """Rows, files and pointers are what they were, to the byte; a note, a tag and origins come back, too."""
    run("note", "2.0", "the one to cite")
    run("tag", "2.0", "published")
    before = count_all(store)
    notes = query(store, "SELECT * FROM notes ORDER BY ALL")
    assert run("rm", "2.0", "--yes")[0] == 0
    assert query(store, "SELECT * FROM notes") == []
    assert run("undo")[0] == 0
    after = count_all(store)
    # LATEST.json is written anew, with the same words
    mine = after["files"].pop(f"{HP}/LATEST.json")
    assert mine[3] == before["files"].pop(f"{HP}/LATEST.json")[3]
    assert after == before
    assert query(store, "SELECT * FROM notes ORDER BY ALL") == notes
    assert is_sound(run, store)


def test_a_series_goes_whole(store: Path, run: Run) -> None:
    """All releases go in one boundary, no latest is left, and its undo brings all of it back."""
    before = count_all(store)
    code, out, err = run("rm", HP, "--yes", "--json")
    assert code == 0, err
    assert f"{HP} has no latest now." in json.loads(out)["rows"][0]["message"]
    assert query(store, "SELECT count(*) FROM versions") == [(0,)]
    assert query(store, "SELECT count(*) FROM events WHERE type = 'rm.done'") == [(1,)]
    assert not (store / HP / "LATEST.json").exists()
    assert is_sound(run, store)
    assert run("undo")[0] == 0
    assert {name: rows for name, rows in count_all(store).items() if name != "files"} == {
        name: rows for name, rows in before.items() if name != "files"
    }
    assert is_sound(run, store)


def test_a_series_that_never_was_latest_gets_the_last_sound_release(tmp_path: Path, run: Run) -> None:
    """Where nothing was latest before, the last release without failures is; an undo takes that back, too."""
    root = tmp_path / "other"
    host = Releases(root, settings={"durability": "off"})
    for version in ("1.0", "2.0", "3.0"):
        host.download(version, version.encode())
        host.extract(version, version.encode(), {"a.ttl": version})
    host.set_latest("3.0")
    assert run("rm", "3.0", "--yes", root=root)[0] == 0
    assert latest_of(root) == [(HP, f"{HP}/2.0")]
    assert run("undo", root=root)[0] == 0
    assert query(root, "SELECT version_id FROM latest_pointer") == [(f"{HP}/3.0",)]
    assert_consistent(root)


def test_one_artifact_goes_with_what_came_out_of_it(tmp_path: Path, run: Run) -> None:
    """Files, results and origins of the others stay; its own come back with the undo."""
    root = tmp_path / "other"
    host = Releases(root, settings={"durability": "off"})
    host.pull("1.0", {"a.ttl": "one"})
    host.download("1.0", b"second", artifact="b.zip")
    host.extract("1.0", b"second", {"d/x.ttl": "two", "y.ttl": "three"}, artifact="b.zip")
    before = count_all(root)
    assert run("rm", "1.0", "--artifact", "b.zip", "--yes", root=root)[0] == 0
    assert query(root, "SELECT relpath FROM extracted_files") == [("a.ttl",)]
    assert query(root, "SELECT relpath FROM artifacts") == [("a.zip",)]
    assert_consistent(root)
    assert run("db", "doctor", root=root)[0] == 0
    code, _, err = run("rm", "1.0", "--artifact", "a.zip", "--yes", root=root)
    assert (code, "has no other" in err) == (1, True)
    assert run("undo", root=root)[0] == 0
    assert {name: sorted(rows) for name, rows in count_all(root).items() if name not in ("files", "versions")} == {
        name: sorted(rows) for name, rows in before.items() if name not in ("files", "versions")
    }
    assert_consistent(root)


def test_two_artifacts_of_the_same_bytes_are_told_apart(tmp_path: Path, run: Run) -> None:
    """What came out of bytes that another artifact has, too, stays with that one."""
    root = tmp_path / "other"
    host = Releases(root, settings={"durability": "off"})
    host.pull("1.0", {"a.ttl": "one"})
    (content,) = query(root, "SELECT relpath FROM artifacts")
    data = (root / HP / "1.0/src" / content[0]).read_bytes()
    host.download("1.0", data, artifact="again.zip")
    assert run("rm", "1.0", "--artifact", "again.zip", "--yes", root=root)[0] == 0
    assert query(root, "SELECT count(*) FROM extracted_files") == [(1,)]
    assert_consistent(root)


def test_a_pinned_release_stays(store: Path, run: Run) -> None:
    """Nothing moves, also of the rest of its series, and the sentence says what to type."""
    run("db", "pin", "1.0")
    for name in ("1.0", HP):
        code, _, err = run("rm", name, "--yes")
        assert code == 1
        assert "it is pinned" in err
        assert "`ontofetch db pin --remove example/sample/1.0`" in err
    assert query(store, "SELECT count(*) FROM versions") == [(2,)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("3.0",), "No release and no series '3.0'"),
        (("example",), "is a service"),
        (("",), "RELEASE|SERIES is empty."),
        (("\x1b[31m",), "No release and no series"),
        ((HP, "--artifact", "a.zip"), "--artifact is one of a release"),
        (("2.0", "--artifact", "nothing.zip"), "has no artifact 'nothing.zip'"),
    ],
)
def test_a_mistyped_name_is_a_sentence(store: Path, run: Run, words: tuple[str, ...], said: str) -> None:
    """Nothing is removed by it, and nothing reaches the terminal raw."""
    code, out, err = run("rm", *words, "--yes")
    assert code in (1, 2)
    assert said in err
    assert "\x1b" not in out + err
    assert query(store, "SELECT count(*) FROM versions") == [(2,)]


def test_without_a_terminal_it_wants_yes(store: Path, run: Run) -> None:
    """Nobody can be asked: nothing is done; --dry-run shows the same and does nothing either."""
    code, _, err = run("rm", "2.0")
    assert (code, "Add --yes" in err) == (2, True)
    code, out, _ = run("rm", "2.0", "--dry-run", "--json")
    assert code == 0
    assert [row["version_id"] for row in json.loads(out)["rows"]] == [f"{HP}/2.0"]
    assert query(store, "SELECT count(*) FROM versions") == [(2,)]
    assert not (store / ".catalog/plans").exists()


def test_a_repeat_says_that_it_is_done(store: Path, run: Run) -> None:
    """Who runs the same command again, after a kill, learns that it has happened."""
    run("rm", f"{HP}/2.0", "--yes")
    for name in (f"{HP}/2.0", "sample/2.0", "2.0"):
        code, _, err = run("rm", name, "--yes")
        assert code == 0, err
        assert f"{HP}/2.0 was removed already" in err
    assert run("rm", "2.0", "--artifact", "a.zip", "--yes")[0] == 1
    assert query(store, "SELECT count(*) FROM events WHERE type = 'rm.done'") == [(1,)]


def test_a_release_whose_files_are_gone_can_be_removed(store: Path, run: Run) -> None:
    """Somebody has deleted its folder: its rows go all the same, and come back."""
    shutil.rmtree(store / HP / "1.0")
    assert run("rm", "1.0", "--yes")[0] == 0
    assert is_sound(run, store)
    assert run("undo")[0] == 0
    assert query(store, "SELECT count(*) FROM versions") == [(2,)]


def test_prune_knows_the_plan(store: Path, run: Run, rows: Rows) -> None:
    """`db prune --restore` brings a removal back with its pointer, `--purge` frees it, and then nothing undoes it."""
    assert run("rm", "2.0", "--yes")[0] == 0
    (plan,) = rows("db", "prune", "--plans")
    assert plan["applied"] == 1
    assert run("db", "prune", "--restore", plan["plan_id"])[0] == 0
    assert latest_of(store) == [(HP, f"{HP}/2.0")]
    assert is_sound(run, store)
    assert run("rm", "2.0", "--yes")[0] == 0
    (plan,) = [row for row in rows("db", "prune", "--plans") if row["applied"]]
    assert run("db", "prune", "--purge", plan["plan_id"])[0] == 0
    assert quarantined(store) == 0
    assert next(row["why_not"] for row in rows("undo", "--list") if row["what"] == "rm") == "It was purged."
    assert is_sound(run, store)


def test_what_was_recorded_again_is_not_overwritten(store: Path, run: Run) -> None:
    """An undo that would overwrite a release of the same name, or of the same folded name, is refused."""
    assert run("rm", "2.0", "--yes")[0] == 0
    Releases(store, settings={"durability": "off"}).pull("2.0", {"a.ttl": "another"})
    removed = query(store, "SELECT event_id FROM events WHERE type = 'rm.done'")[0][0]
    code, _, err = run("undo", str(removed))
    assert code == 1
    assert "has been recorded again" in err
    assert is_sound(run, store)


def test_the_plan_of_a_removal_that_failed_is_sound(store: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a full disk left of a removal is a plan; who applies it gets the same as by the removal."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = count_all(store)
    with monkeypatch.context() as patched:
        patched.setattr(intents, "write_intent", full)
        code, _, err = run("rm", f"{HP}/2.0", "--yes")
    assert code == 1
    assert "No space left" in err
    assert count_all(store) == before
    (plan,) = (store / ".catalog/plans").iterdir()
    code, _, err = run("db", "prune", "--apply", plan.name)
    assert code == 0, err
    assert latest_of(store) == [(HP, f"{HP}/1.0")]
    assert is_sound(run, store)
    assert run("db", "prune", "--restore", plan.name)[0] == 0
    assert latest_of(store) == [(HP, f"{HP}/2.0")]
    assert is_sound(run, store)


@pytest.mark.parametrize(("name", "whole"), [(HP, HP), ("sample", HP), ("2.0", f"{HP}/2.0")])
def test_what_happened_to_what_was_removed_is_told(store: Path, run: Run, name: str, whole: str) -> None:
    """The last release of a series is gone, and `log` tells how, of the series and of the release."""
    assert run("rm", HP, "--yes")[0] == 0
    code, out, err = run("log", name, "--json")
    assert (code, err) == (0, f"{whole} is recorded no more; this is what happened to it.\n")
    assert {row["release"] for row in json.loads(out)["rows"]} >= {f"{HP}/2.0"}
    assert run("log", "never")[0] == 1

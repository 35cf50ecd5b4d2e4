"""`db prune` and `db pin` as a user types them: plan, look, apply, restore, purge, explain; brakes, consent."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog.prune import planning
from tests.cli.conftest import Run
from tests.releases import assert_consistent, query, snapshot

pytestmark = pytest.mark.usefixtures("quick_databases")

DATA = "example/sample/2.0/data"
BIG = ("--override", "large-plan")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plans be made in two days: the ctime of a file can't be set."""
    monkeypatch.setattr(planning, "clock", lambda: time.time_ns() + 2 * 86_400 * 10**9)


@pytest.fixture
def stray(store: Path) -> Path:
    """Return a file that nobody recorded, with an escape sequence in its name."""
    path = store / DATA / "stray\x1b[31m.ttl"
    path.write_text("stray")
    return path


def _plan_of(err: str) -> str:
    return re.findall(r"--apply (\S+)`", err)[0]


def test_plan_look_apply_restore_apply_purge(store: Path, run: Run, stray: Path, later: None) -> None:
    """Each step says what it did and what to type next; bytes are gone after the last one only."""
    code, out, err = run("db", "prune", *BIG)
    assert code == 0
    assert "\x1b" not in out + err
    assert r"stray\x1b[31m.ttl" in out
    assert re.search(r"5 B +2 d +it is not recorded in its release", out)
    assert "Nothing was touched yet" in err
    assert stray.exists()
    plan_id = _plan_of(err)
    code, out, err = run("db", "prune", "--apply", plan_id)
    assert (code, stray.exists()) == (0, False)
    assert f"--restore {plan_id}" in err
    assert f"--purge {plan_id}" in err
    assert_consistent(store)
    assert run("db", "prune", "--restore", plan_id)[0] == 0
    assert stray.read_text() == "stray"
    assert "nothing left to restore" in run("db", "prune", "--restore", plan_id)[2]
    run("db", "prune", "--apply", str(store / ".catalog/plans" / plan_id / "plan.json"))
    code, _, err = run("db", "prune", "--purge", plan_id)
    assert (code, "5 B are free again" in err) == (0, True)
    assert not [path for path in (store / ".catalog/quarantine").rglob("*") if path.is_file()]
    (row,) = json.loads(run("db", "prune", "--plans", "--json")[1])["rows"]
    assert (row["plan_id"], row["entries"], row["applied"], row["purged"]) == (plan_id, 1, 0, 1)


def test_a_dry_run_shows_everything_and_writes_nothing(store: Path, run: Run, stray: Path, later: None) -> None:
    """It lists what a plan would, and no file of the store, also below .catalog, comes or changes."""

    def state() -> dict[str, tuple[int, int]]:
        files = [path for path in store.rglob("*") if path.is_file() and ".duck.lock" not in path.name]
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}

    before = state()
    code, out, err = run("db", "prune", "--dry-run", "--json", *BIG)
    assert code == 0
    assert "Dry run, nothing was written" in err
    assert state() == before
    told = json.loads(out)
    (row,) = told["rows"]
    assert (row["path"], row["size_bytes"]) == (f"{DATA}/{stray.name}", 5)
    assert row["reason"] == "it is not recorded in its release"
    assert told["parameters"]["totals"]["orphans"] == 1
    planned = json.loads(run("db", "prune", "--json", *BIG)[1])
    assert [entry["path"] for entry in planned["rows"]] == [row["path"]]


def test_every_entry_is_listed_whatever_the_table_shows(store: Path, run: Run, later: None) -> None:
    """A table shows twenty, csv and the plan's own file all."""
    for number in range(30):
        (store / DATA / f"stray{number}").write_text("x")
    code, out, err = run("db", "prune", "--format", "csv", *BIG)
    assert code == 0
    assert len(out.splitlines()) == 31
    lines = (store / ".catalog/plans" / _plan_of(err) / "entries.jsonl").read_text().splitlines()
    assert len(lines) == 30


def test_a_brake_shows_the_rows_and_then_stops(store: Path, run: Run, stray: Path, later: None) -> None:
    """Exit code 1, the rows that it is about, the usual cause and the word that overrides it; no plan is written."""
    for number in range(3):
        (store / DATA / f"stray{number}").write_text("x")
    for words in ((), ("--dry-run",)):
        code, out, err = run("db", "prune", *words)
        assert code == 1
        assert "stray0" in out
        assert "wrong --root" in err
        assert "--override large-plan" in err
    assert not (store / ".catalog/plans").exists()
    code, _, err = run("db", "prune", "--override", "everything")
    assert code == 2
    assert "missing-rows" in err


def test_a_low_age_is_typed_twice(run: Run, stray: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the same value again, as an option or on a terminal, nothing is planned."""
    del stray
    low = ("db", "prune", *BIG, "--min-age", "0s")
    for words in ((), ("--yes", "0d"), ("--yes", "yes")):
        code, _, err = run(*low, *words)
        assert code == 2
        assert "Add --yes 0s" in err
    assert run(*low, "--yes", "0s")[0] == 0

    class Terminal:
        def __init__(self, line: str) -> None:
            self.line = line

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return self.line

    for line, code in (("y\n", 2), ("", 2), ("0s\n", 0)):
        monkeypatch.setattr("sys.stdin", Terminal(line))
        assert run(*low)[0] == code


def test_young_files_are_named_as_kept(run: Run, stray: Path) -> None:
    """What is too young is not silently left out: it stands under what is kept, with its reason."""
    del stray
    code, out, err = run("db", "prune", "--json")
    assert code == 0
    told: dict[str, Any] = json.loads(out)
    assert told["rows"] == []
    (kept,) = told["sections"]["kept"]
    assert "the least age is 1 d" in kept["reason"]
    assert "1 candidate is kept" in err


def test_a_release_by_name_and_a_pin(store: Path, run: Run, later: None) -> None:
    """A pinned release is refused; without its pin it goes and comes back, rows and files."""
    before = snapshot(store)
    assert "pinned_at" in run("db", "pin", "1.0")[1] + run("db", "pin", "--json")[1]
    assert "pinned already" in run("db", "pin", "1.0")[2]
    code, _, err = run("db", "prune", "--version", "1.0", *BIG)
    assert code == 1
    assert "it is pinned" in err
    assert json.loads(run("db", "pin", "1.0", "--remove", "--json")[1])["rows"] == []
    assert run("db", "pin", "--remove")[0] == 2
    code, _, err = run("db", "prune", "--version", "1.0", *BIG)
    assert code == 0, err
    plan_id = _plan_of(err)
    rows = query(store, "SELECT * FROM extracted_files ORDER BY ALL")
    assert run("db", "prune", "--apply", plan_id)[0] == 0
    assert [version for (version,) in query(store, "SELECT version FROM versions")] == ["2.0"]
    assert_consistent(store)
    assert run("db", "prune", "--restore", plan_id)[0] == 0
    assert query(store, "SELECT * FROM extracted_files ORDER BY ALL") == rows
    after = snapshot(store)
    assert {path: state[3] for path, state in after.items()} == {path: state[3] for path, state in before.items()}


def test_explain_answers_for_one_path(run: Run, stray: Path, later: None) -> None:
    """The verdict and the reason, for an orphan and for a recorded file."""
    (row,) = json.loads(run("db", "prune", "--explain", str(stray), "--json")[1])["rows"]
    assert (row["verdict"], row["reason"]) == ("orphan", "it is not recorded in its release")
    (row,) = json.loads(run("db", "prune", "--explain", f"{DATA}/a.ttl", "--json")[1])["rows"]
    assert (row["verdict"], row["reason"]) == ("kept", "it is recorded as a file of example/sample/2.0")


@pytest.mark.parametrize(("folder", "verdict"), [(False, "orphan"), (True, "kept")])
def test_explain_answers_for_a_name_that_is_not_utf8(
    run: Run, stray: Path, later: None, folder: bool, verdict: str
) -> None:
    """A file or folder with any name that a disk allows can be asked about."""
    path = stray.with_name(os.fsdecode(b"not-\xff"))
    path.mkdir() if folder else path.write_text("x")
    code, out, err = run("db", "prune", "--explain", str(path), "--json")
    assert (code, json.loads(out)["rows"][0]["verdict"]) == (0, verdict), err


@pytest.mark.parametrize(
    "words",
    [
        ("--apply", "x", "--keep-last", "1"),
        ("--apply", "x", "--purge", "x"),
        ("--series", "sample"),
        ("--keep-last", "-1"),
        ("--older-than", "soon"),
        ("--min-age", "1"),
    ],
)
def test_words_that_do_not_fit_are_usage_errors(run: Run, words: tuple[str, ...]) -> None:
    """What is taken is decided when a plan is made, and amounts have one form."""
    assert run("db", "prune", *words)[0] == 2


def test_an_unknown_plan_is_a_sentence(run: Run) -> None:
    """It says where plans are listed."""
    code, _, err = run("db", "prune", "--apply", "nothing")
    assert code == 1
    assert "db prune --plans" in err

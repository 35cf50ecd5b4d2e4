"""`db status`, `db migrate`, `db recover` and the bare program say in which state the catalog is, and change it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog import migrations
from tests.cli.conftest import A, B, Run
from tests.releases import assert_consistent, older_store, query, take_schema_back

Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Return a store that an older installation made: its last two migrations are missing."""
    root = tmp_path / "older"
    older_store(root, len(migrations.available_migrations()) - 2)
    return root


def test_status_counts_what_there_is(rows: Rows) -> None:
    """The counts equal what was recorded, and nothing is open."""
    (row,) = rows("db", "status")
    assert (row["versions"], row["artifacts"], row["files"]) == (2, 2, len(A) + len(B))
    assert (row["open_boundaries"], row["stages"], row["quarantined"]) == (0, 0, 0)
    assert row["schema_version"] == len(migrations.available_migrations())
    assert row["durability"] == "off"


def test_status_warns_of_a_store_without_syncs(run: Run) -> None:
    """Durability that is off is told on stderr."""
    assert "Durability is off" in run("db", "status")[2]


def test_pending_migrations_are_shown_and_then_applied(older: Path, rows: Rows, run: Run) -> None:
    """A dry run names what is pending and changes nothing; without it they are applied, once."""
    pending = rows("db", "migrate", "--dry-run", root=older)
    assert [row["state"] for row in pending] == ["pending", "pending"]
    before = query(older, "SELECT count(*) FROM schema_version")
    assert [row["name"] for row in rows("db", "migrate", root=older)] == [row["name"] for row in pending]
    assert query(older, "SELECT count(*) FROM schema_version") == [(before[0][0] + 2,)]
    code, _, err = run("db", "migrate", root=older)
    assert (code, err) == (0, "The schema is up to date.\n")


def test_the_former_catalog_is_kept_beside(older: Path, rows: Rows) -> None:
    """Before existing data is migrated the closed database file is copied aside, and the copy opens."""
    rows("db", "migrate", root=older)
    (copy,) = (older / ".catalog/backups").glob("*/ontofetch.duckdb")
    shutil.copytree(copy.parent, older / "look/.catalog")
    assert query(older / "look", "SELECT max(version) FROM schema_version") == [
        (len(migrations.available_migrations()) - 2,)
    ]


def test_a_reader_of_an_older_schema_gets_a_sentence(older: Path, run: Run) -> None:
    """Reading never migrates; it says what does."""
    code, _, err = run("db", "versions", root=older)
    assert code == 1
    assert "2 migrations are pending" in err
    assert "ontofetch db migrate" in err


@pytest.mark.parametrize(
    "words",
    [
        ("note", "s/o/1", "a sentence"),
        ("tag", "s/o/1", "checked"),
        ("undo",),
        ("rm", "s/o/1", "--yes"),
        ("mv", "s/o/1", "s/o/2", "--yes"),
        ("db", "latest", "unset", "s/o"),
        ("db", "pin", "s/o/1"),
        ("db", "verify"),
        ("db", "verify", "s/o", "--sample", "50%"),
        ("db", "share", "--by", "hardlink"),
        ("db", "facts"),
        ("db", "refresh"),
    ],
    ids=" ".join,
)
def test_who_may_write_brings_the_schema_up_to_date(older: Path, run: Run, words: tuple[str, ...]) -> None:
    """Nobody has to type another command before, whatever else there is to say of what was asked."""
    code, _, err = run(*words, root=older)
    assert code in (0, 2, 3), err
    assert "pending" not in err
    assert query(older, "SELECT max(version) FROM schema_version") == [(len(migrations.available_migrations()),)]


def test_a_plan_is_made_for_the_schema_in_which_it_is_carried_out(store: Path, run: Run, rows: Rows) -> None:
    """What is planned in an older store brings it up to date first, and can be applied; a dry run leaves it."""
    take_schema_back(store, 6)
    words = ("db", "prune", "--version", "1.0", "--min-age", "0s", "--override", "large-plan")
    code, _, err = run(*words, "--dry-run")
    assert (code, "ontofetch db migrate" in err) == (1, True)
    code, _, err = run(*words, "--yes", "0s")
    assert code == 0, err
    assert rows("db", "status")[0]["schema_version"] == len(migrations.available_migrations())
    (plan,) = rows("db", "prune", "--plans")
    code, _, err = run("db", "prune", "--apply", plan["plan_id"])
    assert code == 0, err


def test_a_dry_run_leaves_the_schema(older: Path, run: Run) -> None:
    """Who only looks changes nothing, and is told what would."""
    code, _, err = run("rm", "s/o/1", "--dry-run", root=older)
    assert code == 1
    assert "ontofetch db migrate" in err


def test_an_edited_migration_is_refused(store: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An applied file with another checksum is named, for readers and writers."""
    first, *rest = migrations.available_migrations()
    edited = (migrations.Migration(first.version, first.name, "0" * 64, first.sql), *rest)
    monkeypatch.setattr(migrations, "available_migrations", lambda: edited)
    for words in (["db", "versions"], ["db", "migrate"]):
        code, _, err = run(*words)
        assert code == 1
        assert first.name in err
        assert "never edited" in err
    assert_consistent(store)


def test_a_newer_schema_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog that a newer installation migrated is left alone."""
    ours = migrations.available_migrations()
    monkeypatch.setattr(migrations, "available_migrations", lambda: ours[:-1])
    code, _, err = run("db", "versions")
    assert code == 1
    assert "newer than" in err
    assert "pip install -U" in err


def test_recover_says_when_nothing_was_open(run: Run, tmp_path: Path) -> None:
    """It is fine to ask, also where there is no catalog."""
    assert run("db", "recover")[::2] == (0, "Nothing was open.\n")
    assert run("db", "recover", root=tmp_path / "empty")[0] == 0
    assert not (tmp_path / "empty").exists()


def test_the_bare_program_says_what_is_there(run: Run, rows: Rows, tmp_path: Path) -> None:
    """A row per series; on an empty root two lines say how to begin."""
    (row,) = rows()
    assert (row["slot"], row["releases"], row["files"]) == ("example/sample", 2, len(B))
    code, out, err = run(root=tmp_path / "empty")
    assert (code, out) == (0, "")
    assert err.startswith("Nothing is recorded below")
    assert "ontofetch pull" in err


def test_an_unknown_verb_is_a_usage_error(run: Run) -> None:
    """The sentence names where to look, and the exit code is 2."""
    code, out, err = run("db", "frobnicate")
    assert (code, out) == (2, "")
    assert "`ontofetch db --help`" in err

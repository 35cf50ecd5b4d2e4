"""`mv`: everything of a release, a series or a service goes with its name, and nothing is overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.releases import assert_consistent, query

pytestmark = pytest.mark.usefixtures("quick_databases")

HP = "example/sample"
SUMS = """SELECT replace(version_id, '{old}', '{new}') AS version_id, relpath, file_id, artifact_id, size_bytes
    FROM extracted_files ORDER BY ALL"""


def is_sound(run: Run, root: Path) -> bool:
    """Say whether doctor finds nothing, and a recount of our own neither."""
    assert_consistent(root)
    return run("db", "doctor")[0] == 0


def pull(run: Run, root: Path, series: str) -> None:
    """Pull a release 1.0 of a series."""
    source = root.parent / "one.txt"
    source.write_text("one")
    service, ontology = series.split("/")
    words = ("--service", service, "--ontology", ontology, "--version", "1.0", "--no-validate", "-q")
    assert run("pull", str(source), *words)[0] == 0


def files_of(root: Path, old: str = "", new: str = "") -> list[tuple[Any, ...]]:
    """Return the recorded files, those of one name as if they had another."""
    return query(root, SUMS.format(old=old, new=new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (HP, "example/other"),
        (HP, "obo/hp"),
        ("example", "obo"),
        (f"{HP}/2.0", f"{HP}/2.1"),
        (f"{HP}/2.0", f"{HP}/0.9"),
        (f"{HP}/2.0", "obo/hp/2.0"),
        (HP, "example/Sample"),
        ("example", "Example"),
    ],
)
def test_everything_comes_along_and_goes_back(store: Path, run: Run, old: str, new: str) -> None:
    """Rows, files, pins, notes, the history of the pointers: as before under another name, and back again by undo."""
    run("note", "2.0", "the one to cite")
    run("db", "pin", "1.0")
    before, pointers = files_of(store), query(store, "SELECT * FROM latest_pointer ORDER BY ALL")
    renamed = files_of(store, old, new)
    code, _, err = run("mv", old, new, "--yes")
    assert code == 0, err
    assert files_of(store) == sorted(renamed)
    assert not (store / old).exists()
    assert query(store, "SELECT text FROM notes JOIN versions USING (version_id)") == [("the one to cite",)]
    assert query(store, "SELECT count(*) FROM versions WHERE pinned_at IS NOT NULL") == [(1,)]
    assert query(store, "SELECT count(*) FROM origins JOIN versions USING (version_id)") == [(2,)]
    assert query(store, "SELECT count(*) FROM latest_pointer SEMI JOIN versions USING (version_id)") == [
        (len(pointers),)
    ]
    assert is_sound(run, store)
    assert run("undo")[0] == 0
    assert files_of(store) == before
    assert query(store, "SELECT * FROM latest_pointer ORDER BY ALL") == pointers
    assert is_sound(run, store)


def test_a_rebuild_finds_the_new_names(store: Path, run: Run) -> None:
    """Manifests, audits and LATEST.json tell of them, notes and tags included."""
    run("note", "2.0", "the one to cite")
    run("tag", "2.0", "published")
    run("mv", HP, "obo/hp", "--yes")
    before = files_of(store), query(store, "SELECT * FROM notes ORDER BY ALL")
    assert run("db", "rebuild", "--replace")[0] == 0
    assert (files_of(store), query(store, "SELECT * FROM notes ORDER BY ALL")) == before
    assert query(store, "SELECT slot, version_id FROM v_latest") == [("obo/hp", "obo/hp/2.0")]
    assert is_sound(run, store)


def test_a_release_in_the_wrong_series_goes_to_the_right_one(store: Path, run: Run) -> None:
    """The right series points at it, as if it had been pulled there; the wrong one at what was latest before."""
    pull(run, store, "example/right")
    code, _, err = run("mv", f"{HP}/2.0", "example/right/2.0")
    assert code == 0, err
    assert dict(query(store, "SELECT slot, version_id FROM v_latest"))[HP] == f"{HP}/1.0"
    assert is_sound(run, store)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (f"{HP}/2.0", f"{HP}/1.0", "is recorded already"),
        (HP, "other/sample", "is recorded already"),
        (f"{HP}/2.0", "Example/sample/3.0", "where case is folded"),
        (f"{HP}/2.0", "other/SAMPLE/3.0", "where case is folded"),
        (f"{HP}/2.0", f"{HP}/latest", "may not be called"),
        (f"{HP}/2.0", f"{HP}/../x", "can't be the name of one"),
        (f"{HP}/2.0", f"{HP}/..", "is not a name"),
        (HP, "a/b/c", "can't be the name of one"),
        (HP, "/hp", "can't be the name of one"),
        (HP, "example/\x1b[31m", "is not a name"),
        ("nothing", "other", "No release and no series"),
        (f"{HP}/2.0", "example/taken/2.0", "something lies there"),
    ],
)
def test_nothing_is_overwritten_and_no_odd_name_is_given(store: Path, run: Run, old: str, new: str, said: str) -> None:
    """Whatever speaks against it is a sentence, and nothing has changed."""
    pull(run, store, "other/sample")
    (store / "example/taken/2.0").mkdir(parents=True)
    (store / "example/taken/2.0/mine.txt").write_text("mine")
    before = files_of(store)
    for more in ((), ("--dry-run",)):
        code, out, err = run("mv", old, new, "--yes", *more)
        assert code in (1, 2), err
        assert said in err
        assert "\x1b" not in out + err
    assert files_of(store) == before
    assert_consistent(store)


def test_a_short_name_leaves_the_rest(store: Path, run: Run) -> None:
    """`mv 2.0 2.1` renames within the series; the folder of a removed release is no obstacle."""
    assert run("rm", "1.0", "--yes")[0] == 0
    assert run("mv", "2.0", "1.0")[0] == 0
    assert query(store, "SELECT version_id FROM versions") == [(f"{HP}/1.0",)]
    assert is_sound(run, store)


def test_a_repeat_says_that_it_is_done(store: Path, run: Run) -> None:
    """Who runs the same command again, after a kill, learns that it has happened."""
    for old in (HP, HP, "sample"):
        code, _, err = run("mv", old, "obo/hp", "--yes")
        assert code == 0, err
    assert "is called obo/hp already" in err
    assert run("mv", "sample", "obo/go", "--yes")[0] == 1
    assert query(store, "SELECT count(*) FROM events WHERE type = 'mv.done'") == [(1,)]


def test_the_events_of_former_names_are_listed(store: Path, run: Run) -> None:
    """What was recorded under the old name is the history of the new one."""
    run("mv", "2.0", "2.1")
    run("mv", "2.1", "3.0")
    code, out, _ = run("db", "events", "--release", "3.0", "--json")
    assert code == 0
    types = [row["type"] for row in json.loads(out)["rows"]]
    assert types[:2] == ["mv.done", "mv.done"]
    assert "download.done" in types


def test_foreign_files_in_the_folder_come_along(store: Path, run: Run) -> None:
    """A document that somebody has put beside the release is not left behind."""
    (store / HP / "2.0/README.txt").write_text("mine")
    assert run("mv", "2.0", "3.0")[0] == 0
    assert (store / HP / "3.0/README.txt").read_text() == "mine"
    assert not (store / HP / "2.0").exists()

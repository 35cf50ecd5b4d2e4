"""How many things move at once: each folder is opened once, and what an open folder has become is not mistaken."""

from __future__ import annotations

import json
import os
import threading
from itertools import count, product, repeat
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontofetch_catalog.catalog import fsops, intents, journal, kept_folders, moving
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.equal_files import storing
from ontofetch_catalog.catalog.prune.entries import Batch, as_lines, entry_schema, entry_table
from ontofetch_catalog.catalog.repo import files
from ontofetch_catalog.catalog.walk import Entry
from ontofetch_hookspecs.store_paths import StorePath

FAST = {"durability": "off"}
ID = "0" * 32
PATHS = ["/".join(parts) for depth in (1, 2, 3) for parts in product("ab", repeat=depth)]


def write(root: Path, *paths: str) -> None:
    """Write files whose content is their path."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def test_a_folder_that_was_opened_and_moved_is_opened_anew(tmp_path: Path) -> None:
    """What follows goes into the folder that is there by then, not into the one that was."""
    write(tmp_path, "data/old", "data/gone", "stage/data/new", "stage/more")
    store = Store(tmp_path, FAST)
    draft = journal.IntentDraft(store, ID)
    draft.displace("data/gone", keep=False)
    draft.publish("stage/data", "data")
    draft.put("stage/more", "data/more", journal.identity((tmp_path / "stage/more").lstat()))
    moving.publish(store, draft.intent)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["more", "new"]
    assert (tmp_path / f".catalog/quarantine/{ID}/data/old").read_text() == "data/old"
    moving.undo(store, draft.intent)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["gone", "old"]


def test_more_folders_than_stay_open(tmp_path: Path) -> None:
    """Each thing arrives, in whatever order the folders are asked for."""
    names = [f"d{number % (2 * kept_folders.MOST_OPEN)}/{number}" for number in range(100)]
    write(tmp_path, *names)
    store = Store(tmp_path, FAST)
    draft = journal.IntentDraft(store, ID)
    draft.move_all((name, f"to/{name}") for name in names)
    moving.publish(store, draft.intent)
    assert {name: (tmp_path / "to" / name).read_text() for name in names} == {name: name for name in names}


@pytest.mark.parametrize("knows", [True, False])
def test_many_folders_become_durable_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knows: bool) -> None:
    """By one call for the whole file system after the last rename; where there is no such call, one by one."""
    names = [f"d{number}/file" for number in range(moving.FEW_FOLDERS)]
    write(tmp_path, *names)
    store = Store(tmp_path)
    draft = journal.IntentDraft(store, ID)
    draft.move_all((name, f"to/{name}") for name in names)
    whole, single = list[bool](), list[str]()

    def sync_filesystem(path: StorePath) -> bool:
        del path
        whole.append(all((tmp_path / "to" / name).exists() for name in names))
        return knows

    monkeypatch.setattr(fsops, "sync_filesystem", sync_filesystem)
    monkeypatch.setattr(fsops, "sync_folder", lambda path: single.append(path.relpath))
    moving.publish(store, draft.intent)
    assert whole == [True]
    touched = {"", "to", *(f"{top}d{number}" for number in range(moving.FEW_FOLDERS) for top in ("", "to/"))}
    assert set(single) == (set() if knows else touched)


@given(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(["mine", "theirs"])))
def test_the_fewest_paths_that_hold_the_files_of_one_artifact(owners: dict[str, str]) -> None:
    """A recount in Python finds the same: no other's file is below them, and none could be a folder further up."""
    # what is a file is no folder
    owners = {path: owner for path, owner in owners.items() if not any(p.startswith(f"{path}/") for p in owners)}
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE extracted_files (version_id VARCHAR, relpath VARCHAR, artifact_id VARCHAR)")
        for path, owner in owners.items():
            connection.execute("INSERT INTO extracted_files VALUES ('v', ?, ?)", [path, owner])
        found = files.covering_paths(connection, "v", "mine")
    shared = {above for path in owners if owners[path] == "theirs" for above in journal.path_and_above(path)}
    expected = {
        next(above for above in reversed(list(journal.path_and_above(path))) if above not in shared)
        for path in owners
        if owners[path] == "mine"
    }
    assert found == ([""] if expected and not shared else sorted(expected))


def test_the_lines_of_a_plan_are_json(tmp_path: Path) -> None:
    """As the standard library would write them, whatever names a disk has."""
    del tmp_path
    names = ["plain", 'quo"te', "back\\slash", "\u00fcml\u00e4ut", "tab\t", "\U0001f600", "del\x7f"]
    entries = [Entry(f"a/b/1/{name}", "file", at, 10**18 + at * 1000, at, 7, 8, 1) for at, name in enumerate(names)]
    groups = [(Batch(0, "a/b/1", (), 7, 9), "it is 'old'", entries), (Batch(1, None, (), 1, 9), "orphan", entries[:1])]
    table = entry_table(groups, now=2 * 10**18)
    expected = [
        json.dumps({**row, "touched_at": row["touched_at"].isoformat(timespec="microseconds") + "Z"}) + "\n"
        for row in table.to_pylist()
    ]
    assert b"".join(as_lines(table)).decode() == "".join(expected)
    assert b"".join(as_lines(entry_schema().empty_table())) == b""


def test_one_value_in_a_column_hides_no_row_without_one() -> None:
    """Orphans are of no release, wherever in a plan they stand; the text of one value is told of all that have it."""
    entry = Entry("a/b/1/x", "file", 1, 2, 3, 4, 5, 1)
    release, orphans = Batch(0, "a/b/1", (), 1, 1), Batch(1, None, (), 1, 1)
    for owners in ([release, orphans], [orphans, release], [release, release], [orphans, orphans]):
        table = entry_table([(batch, "gone", [entry]) for batch in owners], now=10)
        told = [json.loads(line)["version_id"] for line in b"".join(as_lines(table)).splitlines()]
        assert told == [batch.version_id for batch in owners]


def test_an_intent_says_what_is_moved_whatever_it_is_called(tmp_path: Path) -> None:
    """What recovery reads is what was written, also of names that no text can have as they are."""
    names = [
        "plain",
        'quo"te',
        "back\\slash",
        "\u00fcml\u00e4ut",
        "tab\t",
        "\U0001f600",
        "undecodable\udcff",
        "{brace}",
    ]
    moves = [journal.Move(f"from/{name}", f"to/{name}", at, at or None) for at, name in enumerate(names)]
    intent = journal.Intent(ID, ["to"], moves, [f".catalog/staging/{ID}"])
    store = Store(tmp_path, FAST)
    intents.write_intent(store, intent)
    assert intents.read_intent(intents.intent_path(store, ID)) == intent


@pytest.mark.parametrize("beside", [False, True])
def test_what_is_slow_to_close_is_closed_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool) -> None:
    """Quick closes need no thread; where several took long, threads close what follows. In the end all is closed."""
    clock = count() if beside else repeat(0)
    monkeypatch.setattr("ontofetch_catalog.catalog.equal_files.storing.time.perf_counter", lambda: next(clock))
    closing, opened = storing.Closing(), list[int]()
    for number in range(50):
        (tmp_path / str(number)).touch()
        opened.append(os.open(tmp_path / str(number), os.O_RDONLY))
        closing.close(opened[-1])
    assert any(thread.name.startswith("closing") for thread in threading.enumerate()) == beside
    closing.end()
    for descriptor in opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)

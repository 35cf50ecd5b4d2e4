"""`undo`: the last thing that has an inverse is taken back, and what can't be is told with its reason."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.catalog.boundaries import carry_out
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.repo import deeds
from ontofetch_catalog.catalog.undoing.removal import Removal, Wanted
from ontofetch_catalog.errors import OntofetchError
from ontofetch_hookspecs.layout import DATABASE
from tests.cli.conftest import Run
from tests.releases import assert_consistent, query, query_each

pytestmark = pytest.mark.usefixtures("quick_databases")

Rows = Callable[..., list[dict[str, Any]]]
HP = "example/sample"
TABLES = ("versions", "artifacts", "extracted_files", "validations", "notes")


@pytest.fixture
def pulled(tmp_path: Path, run: Run) -> Callable[..., Path]:
    """Return a function that pulls a file into a store of its own, by the program: version, text → the store."""
    root = tmp_path / "own"

    def pull(version: str, text: str, name: str = "a.txt", *more: str) -> Path:
        (tmp_path / name).write_text(text)
        words = ("--service", "obo", "--ontology", "hp", "--version", version, "--no-validate", *more)
        assert run("pull", str(tmp_path / name), *words, root=root)[0] == 0
        return root

    return pull


def content(root: Path) -> dict[str, Any]:
    """Return the rows, and the newest pointers."""
    queries = [f"SELECT * FROM {name} ORDER BY ALL" for name in TABLES]
    found = query_each(root, *queries, "SELECT slot, version_id FROM v_latest")
    return dict(zip((*TABLES, "latest"), found, strict=True))


def is_sound(run: Run, root: Path) -> bool:
    """Say whether doctor finds nothing, and a recount of our own neither."""
    assert_consistent(root)
    return run("db", "doctor", root=root)[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("rm", "2.0", "--yes"),
        ("mv", "2.0", "3.0"),
        ("db", "latest", "set", "1.0", "--accept-failures"),
        ("db", "latest", "unset"),
        ("db", "pin", "2.0"),
        ("db", "pin", "--remove", "1.0"),
        ("note", "2.0", "a sentence"),
        ("tag", "2.0", "published"),
        ("note", "1.0", "--remove", "1"),
        ("tag", "1.0", "--remove", "old"),
    ],
    ids=" ".join,
)
def test_each_is_undone_and_done_again(store: Path, run: Run, words: tuple[str, ...], rows: Rows) -> None:
    """Rows and pointers are what they were; the undo can be undone by its number, and that be undone again."""
    run("db", "pin", "1.0")
    run("note", "1.0", "from before")
    run("tag", "1.0", "old")
    before = content(store)
    assert run(*words)[0] == 0
    after = content(store)
    assert after != before
    assert run("undo")[0] == 0
    assert content(store) == before
    assert is_sound(run, store)
    # twice, to see that it does not go to and fro: what was before it is next
    undo = next(row for row in rows("undo", "--list") if row["undoable"])
    assert run("undo", str(undo["id"]))[0] == 0
    found = content(store)
    for table in ("versions", "notes"):
        # what is pinned or said again is so from now on
        assert [row[:3] for row in found[table]] == [row[:3] for row in after[table]]
    assert found["latest"] == after["latest"]
    assert is_sound(run, store)
    assert run("undo", "--yes")[0] == 0
    assert content(store)["latest"] == before["latest"]


def test_undo_goes_on_to_what_was_before(store: Path, run: Run) -> None:
    """Called again and again it takes back one thing after the other, the last first."""
    before = content(store)
    for words in (("note", "2.0", "one"), ("mv", "2.0", "3.0"), ("rm", "3.0", "--yes"), ("db", "pin", "1.0")):
        assert run(*words)[0] == 0
    for _ in range(4):
        code, _, err = run("undo")
        assert code == 0, err
    assert content(store) == before
    assert is_sound(run, store)


def test_a_pull_is_undone(pulled: Callable[..., Path], run: Run) -> None:
    """A release that it made goes to quarantine, an artifact that it added goes alone, and all comes back."""
    root = pulled("1", "one")
    pulled("2", "two")
    states = [content(root)]
    pulled("2", "three", "b.txt")
    states.append(content(root))
    assert run("undo", root=root)[0] == 0
    found = content(root)
    assert found["artifacts"] == states[0]["artifacts"]
    assert found["extracted_files"] == states[0]["extracted_files"]
    assert is_sound(run, root)
    assert run("undo", root=root)[0] == 0
    assert query(root, "SELECT version_id FROM v_latest") == [("obo/hp/1",)]
    assert run("undo", root=root)[0] == 0
    assert query(root, "SELECT count(*) FROM versions") == [(0,)]
    code, _, err = run("undo", root=root)
    assert (code, "nothing to undo" in err) == (0, True)
    assert is_sound(run, root)


def zipped(**texts: str) -> bytes:
    """Return an archive of files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in texts.items():
            archive.writestr(f"{name}.ttl", text)
    return packed.getvalue()


def test_what_a_pull_replaced_comes_back(tmp_path: Path, run: Run, rows: Rows) -> None:
    """Rows, files, results and notes of the former bytes are what they were; done again, so are those of the others."""
    root = tmp_path / "own"
    words = ("--service", "obo", "--ontology", "hp", "--version", "1", "-q")
    (tmp_path / "b.ttl").write_text("<urn:b> <urn:b> <urn:b> .")
    (tmp_path / "a.zip").write_bytes(zipped(one="<urn:a> <urn:b> <urn:c> .", both="<urn:a> <urn:b> 1 ."))
    for name in ("a.zip", "b.ttl"):
        assert run("pull", str(tmp_path / name), *words, "--released", "2025-01-01", root=root)[0] == 0
    run("note", "1", "the one to cite", root=root)
    before = content(root), sorted(file.read_bytes() for file in (root / "obo").rglob("*.ttl"))
    (tmp_path / "a.zip").write_bytes(zipped(two="<urn:a> <urn:b> <urn:e> .", both="<urn:a> <urn:b> 2 ."))
    assert run("pull", str(tmp_path / "a.zip"), *words, "--replace", "--released", "2025-02-02", root=root)[0] == 0
    after = content(root), sorted(file.read_bytes() for file in (root / "obo").rglob("*.ttl"))
    assert after != before
    code, _, err = run("undo", root=root)
    assert code == 0, err
    assert (content(root), sorted(file.read_bytes() for file in (root / "obo").rglob("*.ttl"))) == before
    assert is_sound(run, root)
    (deed, *_) = rows("undo", "--list", root=root)
    assert "is what it was before" in deed["message"]
    assert run("undo", str(deed["id"]), root=root)[0] == 0
    assert (content(root), sorted(file.read_bytes() for file in (root / "obo").rglob("*.ttl"))) == after
    assert is_sound(run, root)


def test_a_replacement_that_can_not_be_unpacked_is_taken_back(tmp_path: Path, run: Run) -> None:
    """The archive that was there is, with its files, although the one in its place never came to have any."""
    root = tmp_path / "own"
    words = ("--service", "obo", "--ontology", "hp", "--version", "1", "-q")
    (tmp_path / "a.zip").write_bytes(zipped(one="<urn:a> <urn:b> <urn:c> ."))
    assert run("pull", str(tmp_path / "a.zip"), *words, root=root)[0] == 0
    before = content(root)
    (tmp_path / "a.zip").write_bytes(zipped(one="<urn:a> <urn:b> <urn:d> .")[:-30])
    assert run("pull", str(tmp_path / "a.zip"), *words, "--replace", root=root)[0] == 1
    assert query(root, "SELECT count(*) FROM extracted_files") == [(0,)]
    assert run("undo", root=root)[0] == 0
    assert content(root) == before
    assert is_sound(run, root)


def test_what_was_replaced_goes_for_good_by_a_purge(pulled: Callable[..., Path], run: Run, rows: Rows) -> None:
    """It is a plan as any other; once it is purged, the pull can't be undone, and says so."""
    root = pulled("1", "one")
    pulled("1", "ONE", "a.txt", "--replace")
    (deed, *_) = rows("undo", "--list", root=root)
    (plan,) = rows("db", "prune", "--plans", root=root)
    assert run("db", "prune", "--purge", plan["plan_id"], root=root)[0] == 0
    told = {row["id"]: row for row in rows("undo", "--list", root=root)}[deed["id"]]
    assert (told["undoable"], told["why_not"]) == (False, "It was purged.")


def test_what_can_not_be_undone_says_why(pulled: Callable[..., Path], run: Run, rows: Rows) -> None:
    """A pull after which another came, and one whose release has another name."""
    root = pulled("1", "one")
    pulled("1", "ONE", "a.txt", "--replace")
    pulled("2", "two")
    run("mv", "2", "3", root=root)
    told = {row["id"]: row for row in rows("undo", "--list", root=root)}
    assert [(row["what"], row["undoable"]) for row in told.values()] == [
        ("mv", True), ("pull", False), ("pull", True), ("pull", False)
    ]  # fmt: skip
    reasons = [row["why_not"] or "" for row in told.values()]
    assert "No release obo/hp/2 is recorded" in reasons[1]
    assert "pulled or validated again" in reasons[3]
    code, _, err = run("undo", str(list(told)[3]), root=root)
    assert code == 1
    assert "undo --list" in err


def test_a_prune_is_undone(store: Path, run: Run) -> None:
    """What a plan moved to quarantine comes back; a purged one is passed over, for it has no inverse any more."""
    before = content(store)
    prune = "--version 1.0 --min-age 0s --yes 0s --override large-plan"
    for step in ("restored", "purged"):
        plans = set((store / ".catalog/plans").iterdir()) if (store / ".catalog/plans").exists() else set()
        assert run("db", "prune", *prune.split())[0] == 0
        (plan,) = set((store / ".catalog/plans").iterdir()) - plans
        assert run("db", "prune", "--apply", plan.name)[0] == 0
        if step == "restored":
            assert run("undo")[0] == 0
            assert content(store) == before
            assert is_sound(run, store)
    assert run("db", "prune", "--purge", plan.name)[0] == 0
    code, _, err = run("undo", "--dry-run")
    assert code == 0
    assert plan.name not in err
    assert is_sound(run, store)


def test_the_latest_that_somebody_has_set_since_stays(store: Path, run: Run, rows: Rows) -> None:
    """An undo of an older setting is refused, and says what is latest now."""
    assert run("db", "latest", "set", "1.0", "--accept-failures")[0] == 0
    first = rows("undo", "--list")[0]["id"]
    assert run("db", "latest", "unset")[0] == 0
    code, _, err = run("undo", str(first))
    assert (code, "is unset by now" in err) == (1, True)


@pytest.mark.parametrize("word", ["0", "999999", "1"])
def test_a_number_that_did_nothing(store: Path, run: Run, word: str) -> None:
    """It is a sentence with the next step."""
    code, _, err = run("undo", word)
    assert code == 2
    assert "undo --list" in err


def test_a_dry_run_and_a_repeat_change_nothing(store: Path, run: Run, rows: Rows) -> None:
    """--dry-run says what would be taken back; a number that was taken back already is no error."""
    run("rm", "2.0", "--yes")
    before = query(store, "SELECT count(*) FROM events")
    code, _, err = run("undo", "--dry-run")
    assert code == 0
    assert f"{HP}/2.0 was removed" in err
    assert query(store, "SELECT count(*) FROM events") == before
    number = str(rows("undo", "--list")[0]["id"])
    for _ in range(2):
        assert run("undo", number)[0] == 0
    assert query(store, "SELECT count(*) FROM events WHERE type = 'rm.restored'") == [(1,)]


def test_a_plan_that_was_edited_is_not_trusted(store: Path, run: Run) -> None:
    """An undo proves the plan as a restore does: somebody else's moves are not made."""
    run("rm", "2.0", "--yes")
    (plan,) = (store / ".catalog/plans").iterdir()
    text = (plan / "plan.json").read_text()
    (plan / "plan.json").write_text(text.replace(f"{HP}/2.0/src", f"{HP}/1.0/src"))
    code, _, err = run("undo")
    assert (code, "can't be undone" in err, "is no part of" in err) == (1, True, True)
    assert_consistent(store)


def test_two_at_once_are_one_after_the_other(store: Path) -> None:
    """Of several that remove the same release at once one does it, the others say that it is done."""
    found: list[bool | str] = []

    def remove() -> None:
        try:
            boundary = Removal(Store(store, {"durability": "off"}), Wanted(name=f"{HP}/2.0"))
            found.append(carry_out(boundary.store, boundary).receipt.changed)
        except OntofetchError as error:
            found.append(error.message)

    threads = [threading.Thread(target=remove) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [False, False, False, True]
    assert_consistent(store)


def test_many_deeds_are_listed_at_once(store: Path, run: Run, rows: Rows) -> None:
    """A store with thousands of events lists its last deeds, as many as are asked for."""
    for number in range(12):
        run("note", "2.0", f"sentence {number}")
    assert len(rows("undo", "--list", "--top", "5")) == 5
    assert rows("undo", "--list")[0]["message"].endswith("the note 'sentence 11'.")


def test_the_last_deeds_are_those_of_all_events(store: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found among the newest events is what all of them tell, in the same order, however few are looked at."""
    for words in (("note", "2.0", "a"), ("rm", "2.0", "--yes"), ("undo",), ("tag", "1.0", "b"), ("mv", "2.0", "3.0")):
        assert run(*words)[0] == 0
    looked: list[str] = []
    whole = deeds._list

    def watched(connection: Any, among: str, most: int) -> list[deeds.DeedRow]:
        looked.append(among)
        return whole(connection, among, most)

    with duckdb.connect(str(store / DATABASE), read_only=True) as connection:
        every = whole(connection, "true", 100)
        monkeypatch.setattr(deeds, "_list", watched)
        assert len(every) > 5
        for most in range(1, len(every) + 2):
            monkeypatch.setattr(deeds, "_FEW", most)
            assert deeds.list_deeds(connection, most=most) == every[:most]
        for deed in every:
            assert deeds.list_deeds(connection, most=1, event_id=deed.last_id) == [deed]
    # the last one, and a few, without a look at all that ever was
    assert looked[0] != "true"
    assert looked.count("true") < len(every)

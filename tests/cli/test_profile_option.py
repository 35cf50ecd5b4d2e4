"""`--profile` on every verb of `db`: it tells plans, or in a sentence that there are none; no verb is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ontofetch_catalog.cli.db_cmd import VERBS
from tests.catalog.doctor import damage
from tests.cli.conftest import Run

# verb → its words; a new verb belongs here too
WORDS: dict[str, tuple[str, ...]] = {
    "status": (),
    "versions": (),
    "files": ("2.0",),
    "stats": (),
    "find": ("a.ttl",),
    "delta": ("1.0", "2.0"),
    "events": (),
    "latest": (),
    "backup": (),
    "restore": ("backup",),
    "verify": (),
    "facts": (),
    "share": ("--by", "hardlink"),
    "refresh": (),
    "prune": ("--keep-last", "1", "--dry-run"),
    "pin": (),
    "migrate": (),
    "doctor": ("--hash",),
    "rebuild": ("--replace",),
    "import": ("tree", "--service", "t", "--pattern", "{ontology}/{version}/*", "--copy"),
    "move": ("--to", "local"),
    "sweep": (),
    "hold": (),
    "recover": (),
}
# these only write, or end what is open: they ask for nothing that could be slow
ASKS_NOTHING = {"migrate", "sweep", "hold", "recover", "import"}
NOTHING = "-- no query was asked: what this command tells does not come out of one\n"


def make_tree(folder: Path) -> None:
    """Make the tree that `db import` of the table above takes in."""
    path = folder / "tree/imported/1.0/a.ttl"
    path.parent.mkdir(parents=True)
    path.write_text("<urn:a> <urn:b> <urn:c> .\n")


def test_every_verb_is_tried() -> None:
    """The table above has the verbs of the program."""
    assert list(WORDS) == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_tells_its_plans(verb: str, store: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each query has its plan and its JSON on stderr, and stdout is what it is without the option."""
    monkeypatch.chdir(store.parent)
    if verb == "restore":
        run("db", "backup", "--to", "backup")
    if verb == "import":
        make_tree(store.parent)
    code, out, err = run("db", verb, *WORDS[verb], "--profile", "--json")
    assert code == 0, err
    assert json.loads(out)
    plans = [json.loads(line) for line in err.splitlines() if line.startswith('{"sql"')]
    if verb in ASKS_NOTHING:
        assert NOTHING in err
    else:
        assert plans
        assert f"-- {len(plans)} queries, " in err


def test_an_examination_finds_the_same_while_it_is_profiled(store: Path, run: Run) -> None:
    """Doctor's findings are those of the bare connection, and its comparison with the disk is among the plans."""
    for name in ("CAT013", "CAT014", "CAT019", "CAT021"):
        damage.DAMAGE[name][0](store) if name != "CAT014" else (store / damage.FOLDER / "data/a.ttl").unlink()
    _, bare, _ = run("db", "doctor", "--json")
    code, out, err = run("db", "doctor", "--json", "--profile")
    assert (code, json.loads(out)) == (3, json.loads(bare))
    assert len(json.loads(out)["rows"]) == 4
    assert any("doctor_orphans" in json.loads(line)["sql"] for line in err.splitlines() if line.startswith('{"sql"'))


def test_a_rebuild_makes_the_same_while_it_is_profiled(store: Path, run: Run) -> None:
    """The rows are those of a rebuild without the option: audits pass by once, and a plan must not use them up."""
    _, before, _ = run("db", "stats", "--json")
    assert run("db", "rebuild", "--replace", "--profile")[0] == 0
    assert run("db", "stats", "--json")[1] == before


def test_the_counts_of_a_store_need_no_order_of_joins(run: Run) -> None:
    """No count is joined with another: to find the best order of so many takes DuckDB longer than to count."""
    plans = [json.loads(line) for line in run("db", "status", "--profile")[2].splitlines() if line.startswith('{"sql"')]
    (counts,) = [json.dumps(plan) for plan in plans if "contents_with_facts" in plan["sql"]]
    assert "POSITIONAL_JOIN" in counts
    # DuckDB lays the distinct ones of a table beside all of its rows
    assert counts.count("CROSS_PRODUCT") <= 1

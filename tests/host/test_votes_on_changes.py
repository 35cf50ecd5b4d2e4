"""Plugins vote on what changes by hand what is recorded already: rm, mv, undo, a latest that is taken away."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.cli import rm_cmd
from ontofetch_catalog.errors import Conflict, NestedBoundary
from ontofetch_catalog.host.app import main
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs import (
    CatalogCommitted,
    CatalogRolledBack,
    ChangeReleases,
    EventError,
    Host,
    OntofetchError,
    PluginFailed,
    Veto,
    hookimpl,
    open_host,
    votes,
)
from ontofetch_hookspecs.testing import sample_change_releases
from tests.catalog.prune.stores import carry_out, count_all, plan
from tests.releases import Releases, assert_consistent, query

pytestmark = pytest.mark.usefixtures("quick_databases")

HP = "example/sample"
VOTE = "from ontofetch_hookspecs import Veto\n@hookimpl\ndef on_change_releases(event):\n    {}\n"
NO = VOTE.format("raise Veto('It is cited.')")
Add = Callable[..., Path]
Changes = list[ChangeReleases]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with two releases, made once."""
    root = tmp_path_factory.mktemp("made") / "store"
    releases = Releases(root, settings={"durability": "off"})
    releases.pull("1.0", {"a.ttl": "one"})
    releases.pull("2.0", {"a.ttl": "two"})
    return root


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it, where the program looks for one."""
    return Path(shutil.copytree(made, tmp_path / "store", symlinks=True))


class Voter:
    """Vote as the test says, and remember what was asked and told."""

    PLUGIN_NAME = "curator"

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.asked: Changes = []
        self.told: list[tuple[str, str | None]] = []
        self.subjects: list[str] = []

    @hookimpl
    def on_change_releases(self, event: ChangeReleases) -> None:
        """Remember, then vote."""
        self.asked.append(event)
        if self.error is not None:
            raise self.error

    @hookimpl
    def on_catalog_committed(self, event: CatalogCommitted) -> None:
        """Remember."""
        self.told.append((event.type, event.version_id))

    @hookimpl
    def on_boundary_failed(self, event: CatalogRolledBack) -> None:
        """Remember."""
        self.subjects.append(event.subject)
        self.told.append((event.type, event.version_id))


def host_with(root: Path, voter: object) -> Host:
    """Return a host in Python on a store, with the catalog and one voter."""
    return open_host(root, voter, CatalogPlugin(), settings={"durability": "off"}, installed=False)


def rolled_back(root: Path) -> list[tuple[Any, ...]]:
    """Return type, release, plugin and reason of what was given up."""
    return query(
        root,
        "SELECT type, version_id, payload->>'plugin', payload->>'reason' FROM events WHERE type LIKE '%.rolled_back'",
    )


# --- a veto of each --------------------------------------------------------------------------------------------------

# what is done before, what is refused, what the sentence calls it, what is recorded
Case = tuple[tuple[str, ...], tuple[str, ...], str, tuple[str, str | None]]
PREPARED: list[Case] = [
    ((), ("rm", f"{HP}/2.0", "--yes"), f"the removal of {HP}/2.0", ("rm.rolled_back", f"{HP}/2.0")),
    ((), ("rm", HP, "--yes"), f"the removal of {HP}", ("rm.rolled_back", None)),
    ((), ("mv", "2.0", "3.0"), f"the renaming of {HP}/2.0 to {HP}/3.0", ("mv.rolled_back", f"{HP}/2.0")),
    ((), ("mv", "example", "other", "--yes"), "the renaming of example to other", ("mv.rolled_back", None)),
    ((), ("undo",), f"the removal of {HP}/2.0", ("rm.rolled_back", f"{HP}/2.0")),
    (("rm", f"{HP}/2.0", "--yes"), ("undo",), f"the return of {HP}/2.0", ("rm.rolled_back", f"{HP}/2.0")),
    (("mv", "2.0", "3.0"), ("undo",), f"the renaming of {HP}/3.0 to {HP}/2.0", ("mv.rolled_back", f"{HP}/3.0")),
    (("note", "2.0", "cited"), ("undo",), f"a change of the notes of {HP}/2.0", ("note.rolled_back", f"{HP}/2.0")),
    (("tag", "2.0", "cited"), ("undo",), f"a change of the notes of {HP}/2.0", ("tag.rolled_back", f"{HP}/2.0")),
    (("db", "pin", "2.0"), ("undo",), f"a change of the pin of {HP}/2.0", ("prune.rolled_back", f"{HP}/2.0")),
    (("db", "latest", "unset", HP), ("undo",), f"another latest of {HP}", ("latest.rolled_back", f"{HP}/2.0")),
    ((), ("db", "latest", "unset", HP), f"another latest of {HP}", ("latest.rolled_back", None)),
]


@pytest.mark.parametrize("case", PREPARED, ids=lambda case: " ".join([*case[0], *case[1]]))
def test_a_veto_is_a_sentence_and_changes_nothing(
    store: Path, add_plugin: Add, capsys: pytest.CaptureFixture[str], case: Case
) -> None:
    """It names the plugin, what it was asked about and the way out; rows and files stay, the refusal is recorded."""
    before, words, subject, recorded = case
    if before:
        assert main([*before]) == 0
    kept = count_all(store)
    add_plugin("acme", NO)
    capsys.readouterr()
    assert main([*words]) == 1
    out, err = capsys.readouterr()
    assert f"The plugin 'acme' refuses {subject}: It is cited." in err
    assert "--no-plugin acme" in err
    assert out == ""
    assert {**count_all(store), "events": 0} == {**kept, "events": 0}
    assert rolled_back(store) == [(*recorded, "acme", "It is cited.")]
    assert_consistent(store)
    assert main([*words, "--no-plugin", "acme"]) == 0


def test_a_plan_that_comes_back_is_one_vote(store: Path, add_plugin: Add, capsys: pytest.CaptureFixture[str]) -> None:
    """The undo of a prune is refused whole, and carried out whole where nobody is against it."""
    Releases(store, settings={"durability": "off"}).pull("3.0", {"a.ttl": "three"})
    words = "--version 1.0 --version 2.0 --min-age 0s --yes 0s --override large-plan"
    assert main(["db", "prune", *words.split()]) == 0
    (folder,) = (store / ".catalog/plans").iterdir()
    assert main(["db", "prune", "--apply", folder.name]) == 0
    kept = count_all(store)
    add_plugin("acme", NO)
    capsys.readouterr()
    assert main(["undo"]) == 1
    assert "The plugin 'acme' refuses the return of" in capsys.readouterr().err
    assert {**count_all(store), "events": 0} == {**kept, "events": 0}
    capsys.readouterr()
    assert main(["log", "--top", "1", "--format", "csv"]) == 0
    assert "prune was refused by plugin acme: It is cited" in capsys.readouterr().out
    assert [row[0] for row in rolled_back(store)] == ["prune.rolled_back"]
    assert main(["undo", "--no-plugin", "acme", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["entries"] > 0
    assert query(store, "SELECT count(*) FROM versions") == [(3,)]


def test_the_time_of_a_vote_on_a_plan_is_recorded_once(store: Path) -> None:
    """The first batch tells of it; observers hear of each."""
    plan_id = plan(store, versions=(f"{HP}/1.0",), min_age=0)
    carry_out(store, "apply", plan_id)
    voter = Voter()
    host = host_with(store, voter)
    ((number,),) = query(store, "SELECT min(event_id) FROM events WHERE type = 'prune.batch'")
    back = host.change_releases(kind="restore", name=f"{HP}/1.0", undoes=number)
    assert back is not None
    assert back.changed
    told = query(store, "SELECT (payload->'votes') IS NOT NULL FROM events WHERE type = 'prune.restored'")
    assert told == [(True,)] + [(False,)] * (len(told) - 1)
    assert {kind for kind, _ in voter.told} == {"prune.restored"}
    assert_consistent(store)


def test_a_dry_run_asks_nobody(store: Path, add_plugin: Add) -> None:
    """Nothing would change, so there is nothing to vote on."""
    add_plugin("acme", NO)
    for words in (("rm", "2.0"), ("mv", "2.0", "3.0"), ("undo",)):
        assert main([*words, "--dry-run"]) == 0
    assert rolled_back(store) == []


# --- odd votes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("{}['x']", "The plugin 'acme' failed in on_change_releases for the removal of example/sample/2.0: KeyError"),
        ("import sys; sys.exit(0)", "The plugin 'acme' failed in on_change_releases for the removal of"),
    ],
)
def test_a_vote_that_fails_is_a_veto(
    store: Path, add_plugin: Add, capsys: pytest.CaptureFixture[str], code: str, sentence: str
) -> None:
    """Also one that would end the program without a word."""
    add_plugin("acme", VOTE.format(code))
    assert main(["rm", "2.0", "--yes"]) == 1
    err = capsys.readouterr().err
    assert sentence in err
    assert "`--no-plugin acme` leaves the plugin out." in err
    assert query(store, "SELECT count(*) FROM versions") == [(2,)]


def test_a_slow_vote_is_named_and_its_time_recorded(
    store: Path, add_plugin: Add, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names plugin and hook; the event has the milliseconds of each vote."""
    monkeypatch.setattr(votes, "SLOW_MILLISECONDS", 20.0)
    add_plugin("acme", "import time\n" + VOTE.format("time.sleep(0.05)"))
    assert main(["mv", "2.0", "3.0"]) == 0
    assert "plugin 'acme' took 0." in (said := capsys.readouterr().err)
    assert "in on_change_releases; a vote should be quick" in said
    ((spent,),) = query(store, "SELECT payload->>'$.votes.acme' FROM events WHERE type = 'mv.done'")
    assert float(spent) >= 50


def test_a_required_voter_that_is_missing_stops_every_change(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without whom nothing may be recorded, nothing is removed either."""
    monkeypatch.setenv("ONTOFETCH_REQUIRED_PLUGINS", "curator")
    for words in (("rm", "2.0", "--yes"), ("mv", "2.0", "3.0"), ("undo",)):
        assert main([*words]) == 1
        assert "curator" in capsys.readouterr().err
    assert query(store, "SELECT count(*) FROM versions") == [(2,)]


def test_older_plugins_have_no_vote_and_go_on(store: Path, add_plugin: Add, capsys: pytest.CaptureFixture[str]) -> None:
    """One that was written before the hook works as it did; one that needs a later contract is left out."""
    add_plugin("older", "@hookimpl\ndef on_set_latest(event): pass\n", requires="ontofetch-hookspecs>=0.1")
    add_plugin("later", NO, requires="ontofetch-hookspecs>=99")
    assert main(["rm", "2.0", "--yes"]) == 0
    err = capsys.readouterr().err
    assert "plugin 'later' is left out: it needs ontofetch-hookspecs>=99" in err
    assert "older" not in err
    assert query(store, "SELECT count(*) FROM versions") == [(1,)]


def test_the_time_of_the_hook_is_shown(store: Path, add_plugin: Add, capsys: pytest.CaptureFixture[str]) -> None:
    """`plugins show` knows the hook of a plugin."""
    add_plugin("acme", NO)
    assert main(["plugins", "show", "acme"]) == 0
    assert "on_change_releases" in capsys.readouterr().out


# --- hosts in Python -------------------------------------------------------------------------------------------------


def test_a_host_removes_renames_and_takes_back(store: Path) -> None:
    """Each is voted on with what it is about, recorded, and told to observers."""
    voter = Voter()
    host = host_with(store, voter)
    gone = host.change_releases(kind="remove", name=f"{HP}/2.0", updated_by="me")
    assert gone is not None
    assert (gone.type, gone.changed, gone.version_id) == ("rm.done", True, f"{HP}/2.0")
    again = host.change_releases(kind="remove", name=f"{HP}/2.0")
    assert again is not None
    assert (again.type, again.changed) == ("rm.unchanged", False)
    ((number,),) = query(store, "SELECT event_id FROM events WHERE type = 'rm.done'")
    back = host.change_releases(kind="restore", name=f"{HP}/2.0", undoes=number)
    assert back is not None
    assert back.type == "rm.restored"
    names = (f"{HP}/1.0", f"{HP}/2.0")
    moved = host.change_releases(kind="rename", name=HP, versions=names, new_name="example/other")
    assert moved is not None
    assert (moved.type, moved.version_id) == ("mv.done", None)
    unset = host.change_releases(kind="latest", name="example/other", versions=())
    assert unset is not None
    assert unset.type == "latest.unset"
    assert [(event.kind, event.versions, event.new_name, event.undoes) for event in voter.asked] == [
        ("remove", names[1:], None, None),
        ("remove", names[1:], None, None),
        ("restore", names[1:], None, number),
        ("rename", names, "example/other", None),
        ("latest", (), None, None),
    ]
    assert [kind for kind, _ in voter.told] == ["rm.done", "rm.unchanged", "rm.restored", "mv.done", "latest.unset"]
    assert_consistent(store)


@pytest.mark.parametrize(("error", "kind"), [(Veto("No."), Veto), (ValueError("broken"), PluginFailed)])
def test_a_veto_reaches_a_host_in_python(store: Path, error: Exception, kind: type[OntofetchError]) -> None:
    """The error names the plugin; observers hear that it was given up."""
    voter = Voter(error)
    host = host_with(store, voter)
    with pytest.raises(kind, match="'curator'"):
        host.change_releases(kind="remove", name=f"{HP}/2.0")
    with pytest.raises(kind, match="'curator'"):
        host.change_releases(kind="remove", name=HP, versions=(f"{HP}/1.0", f"{HP}/2.0"))
    assert voter.told == [("rm.rolled_back", f"{HP}/2.0"), ("rm.rolled_back", "")]
    assert voter.subjects == [f"{HP}/2.0", HP]
    assert query(store, "SELECT count(*) FROM versions") == [(2,)]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "remove", "name": HP, "versions": (f"{HP}/1.0",)}, "that is example/sample/1.0, example/sample/2.0"),
        ({"kind": "remove", "name": HP, "versions": ()}, "versions of the event is not what it asks for"),
        ({"kind": "rename", "name": HP, "versions": (), "new_name": "a/b"}, "versions of the event is not what it"),
        ({"kind": "latest", "name": HP, "versions": (f"{HP}/1.0",)}, "becomes latest by another hook"),
        ({"kind": "note", "name": f"{HP}/2.0", "undoes": 5}, "kind of the event is not what it asks for"),
        ({"kind": "remove", "name": f"{HP}/2.0", "undoes": 999}, "The event 999 did nothing that could be undone."),
        ({"kind": "remove", "name": f"{HP}/9"}, f"Nothing is recorded under {HP}/9."),
        ({"kind": "remove"}, "A ChangeReleases has no field 'name'"),
    ],
)
def test_an_event_says_what_it_is_about(store: Path, fields: dict[str, Any], sentence: str) -> None:
    """A vote on something else than what would happen is none: the host learns what it has to say."""
    voter = Voter()
    with pytest.raises(OntofetchError) as caught:
        host_with(store, voter).change_releases(**fields)
    assert sentence in str(caught.value)
    assert query(store, "SELECT count(*) FROM versions") == [(2,)]


def test_a_release_that_comes_during_the_vote_is_not_removed_with_the_series(store: Path) -> None:
    """Plugins were not asked about it, so nothing happens."""

    class Puller(Voter):
        @hookimpl
        def on_change_releases(self, event: ChangeReleases) -> None:
            releases = Releases(store, settings={"durability": "off"})
            other = threading.Thread(target=releases.pull, args=("3.0", {"a.ttl": "three"}))
            other.start()
            other.join()

    names = (f"{HP}/1.0", f"{HP}/2.0")
    with pytest.raises(Conflict, match="other releases by now"):
        host_with(store, Puller()).change_releases(kind="remove", name=HP, versions=names)
    assert query(store, "SELECT count(*) FROM versions") == [(3,)]


def test_a_vote_can_change_nothing_itself(store: Path) -> None:
    """A hook that calls back into the hook of its own thread gets a sentence."""
    caught: list[BaseException] = []

    class Meddler(Voter):
        @hookimpl
        def on_change_releases(self, event: ChangeReleases) -> None:
            if not caught:
                caught.append(NestedBoundary("not yet"))
                try:
                    host.change_releases(kind="remove", name=f"{HP}/1.0")
                except NestedBoundary as error:
                    caught[0] = error

    host = host_with(store, Meddler())
    host.change_releases(kind="remove", name=f"{HP}/2.0")
    assert "called back" in str(caught[0])
    assert query(store, "SELECT version_id FROM versions") == [(f"{HP}/1.0",)]


def test_a_mounted_command_changes_the_store_that_its_words_name(store: Path, tmp_path: Path) -> None:
    """Another host's plugins vote on it, and its own store stays as it is."""
    voter = Voter()
    host = host_with(tmp_path / "own", voter).info
    assert rm_cmd.main([f"{HP}/2.0", "--yes", "--root", str(store)], host) == 0
    assert [event.root for event in voter.asked] == [store]
    assert query(store, "SELECT version_id FROM versions") == [(f"{HP}/1.0",)]
    voter.error = Veto("No.")
    with pytest.raises(Veto, match="'curator'"):
        rm_cmd.main([f"{HP}/1.0", "--yes", "--root", str(store)], host)
    assert rolled_back(store) == [("rm.rolled_back", f"{HP}/1.0", "curator", "No.")]
    assert not (tmp_path / "own/.catalog/ontofetch.duckdb").exists()


def test_without_a_catalog_nothing_happens(store: Path) -> None:
    """The votes are asked, and nobody carries it out."""
    voter = Voter()
    host = open_host(store, voter, installed=False)
    assert host.change_releases(kind="remove", name=f"{HP}/2.0") is None
    assert len(voter.asked) == 1


# --- the event -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "delete"}, "kind"),
        ({"kind": None}, "kind"),
        ({"kind": "restore"}, "undoes"),
        ({"undoes": True}, "undoes"),
        ({"undoes": 0}, "undoes"),
        ({"undoes": 1 << 63}, "undoes"),
        ({"undoes": "1"}, "undoes"),
        ({"name": ""}, "name"),
        ({"name": "example"}, "name"),
        ({"name": "a/b/c/d"}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a/../c"}, "ontology"),
        ({"name": "a/b\x1b[2J/c"}, "ontology"),
        ({"versions": ["example/sample/1.0"]}, "versions"),
        ({"versions": ("example/sample",)}, ""),
        ({"versions": (None,)}, ""),
        ({"new_name": "example/sample/2.0"}, "new_name"),
        ({"kind": "rename"}, "new_name"),
        ({"kind": "rename", "new_name": "example/sample"}, "new_name"),
        ({"artifact": "../a"}, "artifact"),
        ({"adopted": 1}, "adopted"),
        ({"updated_by": "a\nb"}, "updated_by"),
        ({"decided_at": "now"}, "decided_at"),
    ],
)
def test_what_an_event_may_not_hold(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    """It is refused when the event is made, and the error names the field."""
    with pytest.raises(EventError) as caught:
        sample_change_releases(tmp_path, **changes)
    assert caught.value.subject == field or not field

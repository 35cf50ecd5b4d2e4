"""Killed at a named point of every step, the next start finds a whole boundary or none, and repairs the rest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import intents, journal, sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.cli import db_cmd
from ontofetch_catalog.errors import RecoveryFailed
from ontofetch_hookspecs import CatalogCommitted, HostInfo, hookimpl
from ontofetch_hookspecs.store_paths import StorePath
from ontofetch_hookspecs.testing import make_manager
from tests.catalog.killed import DATA, FORMER, POINTS, TEXTS, kill_at
from tests.releases import Releases, assert_consistent, query, results_table

pytestmark = pytest.mark.usefixtures("quick_databases")

# SIGKILL takes nothing from the page cache, so syncs would only cost time here; tests.crash drops what was not synced
FAST = {"durability": "off"}
BOUNDARIES = ("download", "extract", "validate", "latest")
COMMITTED = ("committed", "generation", "forget", "forgotten", "tell")
# boundaries without staged bytes have nothing to settle
CASES = [
    (boundary, point)
    for boundary in BOUNDARIES
    for point in ("vote", "tell", *POINTS)
    if point != "settle" or boundary in ("download", "extract")
]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return, for each boundary, a store in which everything before it has happened."""
    found = {}
    for boundary in BOUNDARIES:
        found[boundary] = tmp_path_factory.mktemp(boundary) / "store"
        releases = Releases(found[boundary], settings=FAST)
        releases.pull("1.0", FORMER)
        for step in BOUNDARIES[: BOUNDARIES.index(boundary)]:
            _carry_out(releases, step)
    return found


@pytest.fixture
def store(stores: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a copy of the store that stands before the test's boundary, `download` unless it names another."""
    callspec = getattr(request.node, "callspec", None)
    boundary = callspec.params.get("boundary", "download") if callspec else "download"
    shutil.copytree(stores[boundary], tmp_path / "store")
    return tmp_path / "store"


def _carry_out(releases: Releases, boundary: str) -> None:
    if boundary == "download":
        releases.download("2.0", DATA)
    elif boundary == "extract":
        releases.extract("2.0", DATA, TEXTS)
    elif boundary == "validate":
        releases.validate("2.0", results_table(TEXTS))
    else:
        releases.set_latest("2.0")


@pytest.mark.parametrize(("boundary", "point"), CASES)
def test_killed_at_a_step_the_next_start_repairs(store: Path, boundary: str, point: str) -> None:
    """A kill leaves all or nothing of the boundary once the next command has started, and it can be done again."""
    releases = Releases(store, settings=FAST)
    before = releases.tree()
    events = len(query(store, "SELECT 1 FROM events"))
    kill_at(store, boundary, point)

    with sessions.writing(Store(store, FAST)):
        pass

    assert_consistent(store)
    done = {"download": "download.done", "extract": "extract.done", "validate": "validate.done", "latest": "latest.set"}
    committed = query(store, f"SELECT 1 FROM events WHERE event_id > {events} AND type = '{done[boundary]}'")
    assert bool(committed) == (point in COMMITTED)
    if point not in COMMITTED:
        assert releases.tree() == before
    _carry_out(releases, boundary)
    assert_consistent(store)
    assert not list((store / ".catalog/intents").iterdir())


def test_recovery_refuses_to_touch_what_it_does_not_know(store: Path) -> None:
    """If neither end of a move holds what the intent names, the intent stays and the error says who tries again."""
    kill_at(store, "download", "published")
    (store / "example/sample/2.0/src/a.zip").unlink()
    for _ in range(2):
        with pytest.raises(RecoveryFailed, match="can't be undone") as failed, sessions.writing(Store(store, FAST)):
            pass
        assert "db doctor" in failed.value.hint
    assert len(Store(store, FAST).open_intents) == 1


def test_an_unreadable_intent_is_set_aside_and_reported(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Garbage in the place of an intent stops nobody; it is renamed and told of."""
    releases = Releases(store, settings=FAST)
    garbage = store / ".catalog/intents" / ("0" * 32 + ".json")
    for content in (b"", b"\xff\xfe", b"[]", b'{"format": 1}', b'{"format": 1, "boundary_id": "x", "moves": [{}]}'):
        garbage.write_bytes(content)
        releases.set_latest("1.0")
        aside = garbage.with_suffix(".unreadable")
        assert aside.read_bytes() == content
        aside.unlink()
    assert caplog.text.count("an intent was unreadable") == 5


class Observer:
    """A plugin that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []

    @hookimpl
    def on_catalog_committed(self, event: CatalogCommitted) -> None:
        """Remember the kind of the event and whether recovery tells of it."""
        self.told.append((event.type, event.recovered))


def test_observers_hear_of_a_boundary_that_recovery_finished(store: Path) -> None:
    """A commit whose process died before it could tell is told by the next writer, marked as recovered."""
    kill_at(store, "download", "committed")
    observer = Observer()
    Releases(store, observer, settings=FAST).set_latest("1.0")
    assert observer.told == [("download.done", True), ("latest.unchanged", False)]


@pytest.mark.parametrize("words", ["recover", "migrate", "backup", "doctor --fix --yes", "pin example/sample/1.0"])
def test_observers_hear_of_it_from_every_command(store: Path, words: str) -> None:
    """Whichever command finishes a boundary tells of it, once."""
    kill_at(store, "download", "committed")
    observer = Observer()
    manager = make_manager(observer, root=store, settings=FAST)
    host = HostInfo(name="t", manager=manager, root=store, run_id="run", config_hash="conf", settings=FAST)
    for _ in range(2):
        db_cmd.main(words.split(), host)
    assert observer.told.count(("download.done", True)) == 1
    assert observer.told[0] == ("download.done", True)


def test_an_intent_with_the_longest_paths_can_be_read_again(store: Path) -> None:
    """The folders of release, stage and quarantine come on top of the longest path that a table may hold."""
    deep = "/".join(["d" * 255] * 4)
    intent = journal.Intent("0" * 32, moves=[])
    for target in (f"s/o/{'v' * 100}/data/{deep}", f".catalog/quarantine/{'0' * 32}/s/o/{'v' * 100}/data/{deep}"):
        intent.moves.append(journal.Move(f".catalog/staging/{'0' * 32}/data/{deep}", target, 1, 1))
    intents.write_intent(Store(store, FAST), intent)
    assert intents.read_intent(StorePath(store, f".catalog/intents/{'0' * 32}.json")) == intent

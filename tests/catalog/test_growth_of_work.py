"""Work that grows with what is to be done and no faster: calls are counted, for time depends on the machine.

Each thing is done once for some entries and once for four times as many; then there may be four times as many calls,
those of generators that go on counted, and a little more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pyarrow.parquet as pq
import pytest

from ontofetch_catalog.catalog import journal
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune import batches, planning, steps
from ontofetch_catalog.catalog.prune.policy import Policy
from ontofetch_catalog.catalog.prune.references import References
from ontofetch_catalog.catalog.repo import pruning
from ontofetch_catalog.content.facts import sealed
from ontofetch_catalog.content.facts.schema import TERMS_SCHEMA
from ontofetch_catalog.host.facts_room import FactsRoom
from tests.releases import Releases

OFF = {"durability": "off"}
FEW, TIMES, SLACK = 100, 4, 1.25


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions are called, or go on, in this thread while `work` runs."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        del frame, argument
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def assert_linear(prepare: Callable[[int], Callable[[], object]], few: int = FEW) -> None:
    """Assert that four times as many entries take four times as many calls."""
    # what is done once in a process is done before
    prepare(2)()
    once = calls_of(prepare(few))
    assert calls_of(prepare(TIMES * few)) <= TIMES * SLACK * once


def test_a_counting_that_sees_nothing_would_be_noticed() -> None:
    """Looking at all entries for each of them is found out."""

    def prepare(count: int) -> Callable[[], object]:
        entries = list(range(count))
        return lambda: [any(other < 0 for other in entries) for _ in entries]

    with pytest.raises(AssertionError):
        assert_linear(prepare)


def test_moving_files_one_by_one(tmp_path: Path) -> None:
    """As replacing an artifact does that shares its folders: each costs the same however many were moved before."""

    def prepare(count: int) -> Callable[[], object]:
        store = Store(tmp_path / str(count), OFF)
        names = [f"d{number % 5}/{number}" for number in range(count)]
        for name in names:
            (store.root / name).parent.mkdir(parents=True, exist_ok=True)
            (store.root / name).touch()
        draft = journal.IntentDraft(store, "0" * 32)

        def move() -> None:
            for name in names:
                draft.displace(name, keep=True)
                draft.displace(f"{name}/below", keep=True)
            assert len(draft.intent.moves) == count

        return move

    assert_linear(prepare)


def test_what_open_boundaries_refer_to(tmp_path: Path) -> None:
    """Asking for each of many paths whether one of many moves names it, or something below or above it."""
    references = References(frozenset({"a/b/c", "a/bc"}), ())
    assert [references.holds(path) for path in ("a", "a/b", "a/b/c", "a/b/c/d", "a/bc", "a/bc/d")] == [True] * 6
    assert [references.holds(path) for path in ("a/c", "a/bcd", "b", "a/b/cd")] == [False] * 4

    def prepare(count: int) -> Callable[[], object]:
        paths = frozenset(f"s/o/1/data/d{number % 5}/{number}" for number in range(count))
        references = References(paths, ())
        return lambda: [references.holds(f"s/o/1/data/e/{number}") for number in range(count)]

    assert_linear(prepare)


def test_facts_are_taken_one_by_one(tmp_path: Path) -> None:
    """What a content says is staged at the same cost, however many contents have said something before it."""
    facts = {
        "facts_version": "1",
        "digest_kind": "rdf",
        "digest": "0" * 64,
        "digest_exact": True,
        "heads": [],
        **dict.fromkeys((*sealed._COUNTS, "heads_found"), 0),
    }
    pq.write_table(TERMS_SCHEMA.empty_table(), tmp_path / "found")
    sealed.seal(str(tmp_path / "found"), str(tmp_path / "table"), facts)

    def prepare(count: int) -> Callable[[], object]:
        (tmp_path / str(count)).mkdir()
        room = FactsRoom(tmp_path / str(count), lambda *_: None, 1 << 20)

        def take() -> None:
            with room:
                for number in range(count):
                    about = {"file_id": f"{number:064x}", "content_id": f"{number // 2:064x}", "facts_version": "1"}
                    room.take(about, f"{number}.ttl", facts, str(tmp_path / "table"))
                found = room.found
                assert found is not None
                assert found["reason"].null_count == len(found) == count

        return take

    assert_linear(prepare)


def test_orphans_are_chosen_moved_back_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proposing, applying, restoring and purging, in batches of a few entries."""
    monkeypatch.setattr(planning, "BATCH_ENTRIES", 10)

    def prepare(count: int) -> Callable[[], object]:
        releases = Releases(tmp_path / str(count), settings=OFF)
        releases.download("1.0", b"a")
        releases.extract("1.0", b"a", {"a.ttl": "a"})
        for number in range(count):
            path = tmp_path / str(count) / f"example/sample/1.0/data/d{number % 5}/{number}"
            path.parent.mkdir(exist_ok=True)
            path.touch()
        return lambda: prune(releases.root, count)

    assert_linear(prepare)


def prune(root: Path, count: int) -> None:
    """Take all orphans of a store away, bring them back, and remove them for good."""
    store, policy = Store(root, OFF), Policy(min_age=0, overrides=("large-plan",))
    plan = planning.write_proposal(store, policy, planning.propose(store, policy))
    for step in (steps.apply_plan, steps.restore_plan, steps.apply_plan, steps.purge_plan):
        assert step(store, plan.plan_id, tell=lambda _: None, progress=lambda *_: None).entries == count


def test_the_events_of_a_plan_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch reads on from where the batch before it stopped, and every batch's state is counted all the same."""
    monkeypatch.setattr(planning, "BATCH_ENTRIES", 2)
    read: list[int] = []
    states = pruning.batch_states

    def counting(connection: object, plan_id: str, *, after: int = 0) -> object:
        found = states(connection, plan_id, after=after)  # type: ignore[arg-type]
        read.append(len(found))
        return found

    monkeypatch.setattr(batches.pruning, "batch_states", counting)
    releases = Releases(tmp_path / "store", settings=OFF)
    releases.download("1.0", b"a")
    releases.extract("1.0", b"a", {"a.ttl": "a"})
    for number in range(12):
        (tmp_path / f"store/example/sample/1.0/data/{number}").touch()
    prune(releases.root, 12)
    # six batches: applied, restored, applied, purged; each step begins with all there is, then one after the other
    assert read == [0, 0, 1, 1, 1, 1, 1] + [6, 0, 1, 1, 1, 1, 1] * 3

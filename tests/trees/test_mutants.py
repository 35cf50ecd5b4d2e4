"""Faults that are planted in prune are noticed by some tree of a few: the trees can fail."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.prune import batches, selection
from ontofetch_catalog.catalog.prune.batches import PurgeBatch
from ontofetch_catalog.catalog.prune.restoring import RestoreBatch
from ontofetch_catalog.catalog.repo import pruning
from tests.trees.trial import make_template, try_tree

MOST = 60  # trees until a fault has to be noticed
SEED = 7
Plant = Callable[[pytest.MonkeyPatch], None]


def _takes_a_live_file(patch: pytest.MonkeyPatch) -> None:
    listed = selection.listing.list_orphans

    def list_orphans(connection: Any) -> Any:
        table = listed(connection)
        live = "example/sample/1.0/data/d1/1.ttl"
        row = {"path": live, "relpath": live, "kind": "file", "size_bytes": 1, "mtime": None, "respelled": False}
        import pyarrow as pa

        return pa.concat_tables([table, pa.Table.from_pylist([row], schema=table.schema)])

    patch.setattr(selection.listing, "list_orphans", list_orphans)


def _misses_an_orphan(patch: pytest.MonkeyPatch) -> None:
    listed = selection.listing.list_orphans
    patch.setattr(selection.listing, "list_orphans", lambda connection: listed(connection).slice(1))


def _ignores_what_has_changed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batches, "is_same", lambda entry, found: found is not None and entry.kind == found.kind)


def _ignores_other_events(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pruning, "find_other_event", lambda *_: None)


def _forgets_one_in_restoring(patch: pytest.MonkeyPatch) -> None:
    paths = RestoreBatch.moved_paths
    patch.setattr(RestoreBatch, "moved_paths", lambda self: paths(self)[1:])


def _forgets_rows_in_restoring(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pruning, "insert_rows", lambda *_: 0)


def _purges_what_is_not_there(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PurgeBatch, "record", lambda self, *_: self.recorded(0))


def _has_no_least_age(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(selection._Judge, "_why_young", lambda *_: None)


def _takes_links(patch: pytest.MonkeyPatch) -> None:
    why = selection._Judge._why_keep

    def keep(judge: Any, entry: Any, *, respelled: bool) -> str | None:
        return why(judge, entry._replace(kind="file"), respelled=respelled)

    patch.setattr(selection._Judge, "_why_keep", keep)


def _ignores_stages(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(selection, "staged_inodes", lambda _: frozenset())


def _ignores_intents(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(selection, "read_references", lambda _: selection.References(frozenset(), ()))


def _ignores_pins(patch: pytest.MonkeyPatch) -> None:
    chosen = pruning.choose_releases
    patch.setattr(
        pruning,
        "choose_releases",
        lambda *args, **more: [
            (*row[:3], None if row[3] == "it is pinned" else row[3]) for row in chosen(*args, **more)
        ],
    )


def _ignores_other_stores(patch: pytest.MonkeyPatch) -> None:
    from ontofetch_catalog.catalog import scan, walk

    patch.setattr(scan, "is_store", lambda _: False)
    patch.setattr(walk, "is_store", lambda _: False)


def _follows_links_in_moving(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batches, "stat_paths", lambda store, paths: (_followed(store, path) for path in paths))
    patch.setattr(fsops, "rename", lambda source, target, **_: os.rename(str(source), str(target)))


def _followed(store: Any, path: str) -> Any:
    from ontofetch_catalog.catalog.walk import _entry

    try:
        return _entry(path, os.stat(str(store.path(path))))
    except OSError:
        return None


FAULTS = (
    _takes_a_live_file,
    _misses_an_orphan,
    _ignores_what_has_changed,
    _ignores_other_events,
    _forgets_one_in_restoring,
    _forgets_rows_in_restoring,
    _purges_what_is_not_there,
    _has_no_least_age,
    _takes_links,
    _ignores_stages,
    _ignores_intents,
    _ignores_pins,
    _ignores_other_stores,
    _follows_links_in_moving,
)


# trees that notice what few do, tried before the others: it is a guess, and a wrong one costs time alone
LIKELY = {_forgets_rows_in_restoring: 20, _ignores_pins: 20, _follows_links_in_moving: 18}


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Return a folder, in memory where there is a file system for that, with the template of all trees."""
    fast = Path("/dev/shm")
    with TemporaryDirectory(dir=fast if os.access(fast, os.W_OK) else None) as folder:
        make_template(Path(folder) / "template")
        yield Path(folder)


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_fault_is_noticed(place: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    """One tree of a few fails, which hold without the fault."""
    plant(monkeypatch)
    numbers = sorted(range(MOST), key=lambda number: number != LIKELY.get(plant))
    noticed = (number for number in numbers if try_tree(place / "template", place / "tree", SEED, number)[1])
    first = next(noticed, None)
    assert first is not None
    monkeypatch.undo()
    assert try_tree(place / "template", place / "tree", SEED, first)[1] == ""

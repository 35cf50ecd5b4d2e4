"""An import of what another program has unpacked, beside `db rebuild` of a tree with as many files."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.rebuild.build import rebuild
from ontofetch_catalog.importing.found import RECORDED
from ontofetch_catalog.importing.run import Request, run
from ontofetch_hookspecs import open_host
from tests.trees_of_others import add_archive

from .harness import Race, pick

FILES = pick(10_000, 2_000)


@pytest.mark.parametrize(("name", "releases"), [("import.one", 1), ("import.ten", 10)])
def test_import(race: Race, room: Path, name: str, releases: int) -> None:
    """A tree taken in where it lies; and the same files in the layout that a rebuild scans and hashes."""
    theirs, ours = room / "theirs", room / "ours"
    each = FILES // releases
    for number in range(releases):
        files = {f"d{i // 100}/{i}.ttl": b"# %d %d\n" % (number, i) + bytes(200) for i in range(each)}
        folder = add_archive(theirs / "trees", f"o{number}", "1", files)
        scanned = ours / "trees" / f"o{number}" / "1"
        (scanned / "original").mkdir(parents=True)
        shutil.copy(folder / f"original/o{number}.zip", scanned / "original")
        (unpacked,) = (folder / f"original/o{number}_extracted").iterdir()
        shutil.copytree(unpacked, scanned / "extracted", ignore=shutil.ignore_patterns(".*"))

    def measure() -> tuple[float, float]:
        root = room / f"store-{time.monotonic_ns()}"
        shutil.copytree(theirs, root / "a")
        shutil.copytree(ours, root / "b")
        begun = time.perf_counter()
        made = run(open_host(root / "a").info, Request(tree=root / "a/trees"))
        between = time.perf_counter()
        rebuilt = rebuild(Store(root / "b"))
        ended = time.perf_counter()
        assert [(row.state, row.files) for row in made.outcomes] == [(RECORDED, each)] * releases
        assert [row.rows for row in rebuilt.releases] == [each + 2] * releases
        return between - begun, ended - between

    measure()  # what is imported for the first time
    race.weigh(name, measure, unit="s")

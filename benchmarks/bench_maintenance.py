"""The maintenance of a store of real files, beside `find`, `hashlib` and what people are ready to wait."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.prune.planning import Proposal, propose, write_proposal
from ontofetch_catalog.catalog.prune.policy import Policy
from ontofetch_catalog.catalog.verify import Request, Result, Scope, verify

from . import bare_hash, data
from .children import peak_of
from .harness import Race, Side, pick

FILES = pick(200_000, 20_000)
LARGE_FILES = pick(4_000, 600)
LARGE_BYTES = 1 << 20
ROWS = pick(1_000_000, 20_000)
ORPHANS = FILES // 100
DOCTOR_SECONDS = 10 * FILES / 100_000
MOST_MEMORY = 300_000_000


@pytest.fixture(scope="module")
def store(scratch: Path) -> Store:
    """Return a store of many small files; few contents with many names each, which `find` likes best."""
    root = data.make_store(scratch / "cared")
    data.record_copies(root, FILES, 100)
    return Store(root)


@pytest.fixture(scope="module")
def large(scratch: Path) -> Store:
    """Return a store of files that are worth hashing, no two of which are the same."""
    root = data.make_store(scratch / "large")
    data.record_copies(root, LARGE_FILES, LARGE_BYTES, distinct=LARGE_FILES)
    return Store(root)


@pytest.fixture(scope="module")
def many(scratch: Path) -> Store:
    """Return a store of a million names of a few contents: what matters is how much is kept in memory."""
    root = data.make_store(scratch / "many")
    data.record_copies(root, ROWS, 100)
    return Store(root)


def test_doctor(race: Race, store: Store) -> None:
    """A look at everything but the contents."""
    assert len(examine(store).findings) == 0
    race.within("doctor", Side(lambda _: examine(store)), DOCTOR_SECONDS)


def test_orphans(race: Race, store: Store) -> None:
    """The disk scanned, its orphans found and a plan written, against a listing of the same files."""
    data_folder = store.root / data.VERSION / "data"
    origin = next(data_folder.rglob("*.ttl"))
    forgotten = data_folder / "forgotten"
    forgotten.mkdir()
    for number in range(ORPHANS):
        os.link(origin, forgotten / f"{number}.ttl")
    assert len(planned(store).entries) == ORPHANS
    race("orphans", Side(lambda _: planned(store)), Side(lambda _: listed(data_folder)))
    shutil.rmtree(forgotten)


def test_verify(race: Race, large: Store) -> None:
    """All files hashed and recorded, against hashing alone; both in as many processes as there are cores."""
    with duckdb.connect(str(large.database), read_only=True) as connection:
        rows = connection.execute("SELECT relpath, file_id FROM extracted_files ORDER BY relpath").fetchall()
    paths = [str(large.root / data.VERSION / "data" / relpath) for relpath, _ in rows]
    assert verified(large).checked_files == LARGE_FILES + 1
    assert hashed(paths) == sorted(content for _, content in rows)
    race("verify", Side(lambda _: verified(large)), Side(lambda _: hashed(paths)))


@pytest.mark.parametrize("job", ["doctor", "doctor_hash", "orphans", "verify", "rebuild"])
def test_memory(race: Race, many: Store, job: str) -> None:
    """No step of maintenance holds the store in memory."""
    race.weigh(f"{job}.memory", lambda: (peak_of(job, many.root).grown, MOST_MEMORY))


def planned(store: Store) -> Proposal:
    """Look for orphans of any age and write the plan that takes them."""
    policy = Policy(min_age=0)
    proposal = propose(store, policy)
    write_proposal(store, policy, proposal)
    return proposal


def listed(folder: Path) -> int:
    """Return how many bytes `find` says about the files below a folder: path, size, times, mode, inode."""
    command = ["find", folder, "-type", "f", "-printf", "%P\\t%s\\t%T@\\t%C@\\t%m\\t%i\\n"]
    return len(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def verified(store: Store) -> Result:
    """Verify everything."""
    return verify(store, Request(scope=Scope()), progress=lambda *_: None, tell=lambda _: None)


def hashed(paths: Sequence[str]) -> list[str]:
    """Return the sorted hashes of files, from one bare process per core."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    command = [sys.executable, "-I", "-S", bare_hash.__file__]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    for number, process in enumerate(processes):
        assert process.stdin is not None
        process.stdin.write("\n".join(paths[number::count]))
        process.stdin.close()
    found: list[str] = []
    for process in processes:
        assert process.stdout is not None
        found += process.stdout.read().split()
        process.stdout.close()
        assert process.wait() == 0
    return sorted(found)

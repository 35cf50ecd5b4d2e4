"""Verification finds every damage, records what is intact, takes its turn, and goes on where it was interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from ontofetch_catalog.catalog.boundaries.engine import BoundaryResult, carry_out
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.verify import (
    Found,
    Request,
    Result,
    Scope,
    VerifyBatch,
    hasher,
    pages,
    pool,
    recording,
    verify,
)
from ontofetch_catalog.catalog.verify.pages import faults_schema, page_schema
from ontofetch_catalog.errors import OntofetchError, UsageError
from tests.releases import Releases, query, sha256

FAST = {"durability": "off", "wait": 5.0}
TEXTS = {"a.ttl": "alpha", "d/b b's.ttl": "beta", "d/e/ü.ttl": "gamma", "empty.ttl": "", "copy.ttl": "alpha"}
VERIFIED = (
    "SELECT 'src/' || relpath, verified_at FROM artifacts UNION ALL SELECT 'data/' || relpath, verified_at"
    " FROM extracted_files"
)


def look(root: Path, request: Request | None = None, tell: Callable[[BoundaryResult], None] | None = None) -> Result:
    """Verify a store, all of it with one process unless `request` says otherwise."""
    return verify(
        Store(root, FAST),
        request or Request(scope=Scope(), workers=1),
        progress=lambda done, total: None,
        tell=tell or (lambda outcome: None),
    )


def verified(root: Path) -> dict[str, datetime | None]:
    """Return path → when it was verified."""
    return dict(query(root, VERIFIED))


@pytest.fixture
def store(releases: Releases) -> Path:
    """Return a store with one release."""
    releases.pull("1.0", TEXTS)
    return releases.root


def test_intact_files_are_marked_with_the_time_of_their_batch(store: Path) -> None:
    """Every artifact and file has a time of verification, the one that the event tells; nothing is found."""
    assert set(verified(store).values()) == {None}
    result = look(store)
    assert len(result.findings) == 0
    assert (result.checked_files, result.files, result.is_complete) == (6, 6, True)
    assert result.recent_bytes == result.all_bytes == result.checked_bytes
    (told,) = query(store, "SELECT (payload->>'verified_at')::TIMESTAMP FROM events WHERE type = 'verify.done'")
    assert set(verified(store).values()) == set(told)


def flip(path: Path) -> None:
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[2] ^= 128
    path.write_bytes(data)


def replace_by_link(path: Path) -> None:
    """Put a link to the same bytes in the place of a file."""
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def replace_by_pipe(path: Path) -> None:
    """Put a pipe in the place of a file: who opens it for reading waits forever."""
    path.unlink()
    os.mkfifo(path)


def replace_by_folder(path: Path) -> None:
    """Put a folder in the place of a file."""
    path.unlink()
    path.mkdir()


def link_the_folder(path: Path) -> None:
    """Put a link to the same folder in the place of the folder above a file."""
    folder = path.parent
    folder.rename(folder.with_name("moved"))
    folder.symlink_to("moved")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "flipped": (flip, "damaged"),
    "truncated": (lambda path: os.truncate(path, 1), "damaged"),
    "grown": (lambda path: path.write_bytes(path.read_bytes() + b"\n"), "damaged"),
    "missing": (Path.unlink, "missing"),
    "link": (replace_by_link, "not_a_file"),
    "pipe": (replace_by_pipe, "not_a_file"),
    "folder": (replace_by_folder, "not_a_file"),
    "linked folder": (link_the_folder, "not_a_file"),
}


def test_each_damage_is_found_and_told_with_both_hashes(releases: Releases) -> None:
    """A finding names path, recorded and found sha256, all others are intact; what is found counts as unverified."""
    releases.pull(
        "1.0", {f"{damage}/{name}": damage + name for damage in DAMAGES for name in ("ü b's.ttl", "fine.ttl")}
    )
    releases.download("2.0", b"an archive", artifact="b.zip")
    before = look(releases.root)
    assert (before.checked_files, len(before.findings)) == (2 * len(DAMAGES) + 2, 0)
    expected = {"example/sample/2.0/src/b.zip": ("damaged", sha256(b"an archive"), sha256(b"an\xa0archive"))}
    for damage, (strike, outcome) in DAMAGES.items():
        path = releases.root / f"example/sample/1.0/data/{damage}/ü b's.ttl"
        recorded = sha256(path.read_bytes())
        strike(path)
        # what is larger than recorded is not read
        found = sha256(path.read_bytes()) if outcome == "damaged" and damage != "grown" else None
        expected[path.relative_to(releases.root).as_posix()] = (outcome, recorded, found)
    # below a folder that is a link nothing is read
    other = "linked folder/fine.ttl"
    expected[f"example/sample/1.0/data/{other}"] = ("not_a_file", sha256(other.replace("/", "").encode()), None)
    (releases.root / "example/sample/2.0/src/b.zip").write_bytes(b"an\xa0archive")
    result = look(releases.root)
    rows = result.findings.to_pylist()
    assert {row["path"]: (row["outcome"], row["expected"], row["found"]) for row in rows} == expected
    assert None not in {row["verified_at"] for row in rows}
    assert {path for path, moment in verified(releases.root).items() if moment is None} == {
        path.split("/", 3)[3] for path in expected
    }
    lost = sum(row["size_bytes"] for row in rows)
    assert (result.checked_bytes, result.recent_bytes) == (result.all_bytes, result.all_bytes - lost)


@pytest.mark.parametrize("size", [6, 1 << 40])
def test_a_file_that_is_larger_than_recorded_is_damaged_and_not_read(store: Path, size: int) -> None:
    """A byte or a terabyte more: the finding says how large it is, and no byte of it was hashed."""
    path = store / "example/sample/1.0/data/a.ttl"
    os.truncate(path, size)
    read = []
    request = Request(scope=Scope(), workers=1)
    result = verify(Store(store, FAST), request, progress=lambda done, _: read.append(done), tell=lambda _: None)
    (row,) = result.findings.to_pylist()
    assert (row["path"].rpartition("/")[2], row["outcome"], row["found"]) == ("a.ttl", "damaged", None)
    assert (row["size_bytes"], row["found_bytes"], row["reason"]) == (5, size, "it is larger than recorded")
    assert max(read) < 1000


def test_a_file_that_grows_while_it_is_read_is_read_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte more than recorded ends the reading, whatever is still appended."""
    path = tmp_path / "growing"
    path.write_bytes(b"x" * 10)
    read = os.readv
    counts = []

    def readv(descriptor: int, buffers: list[memoryview]) -> int:
        with path.open("ab") as stream:
            stream.write(b"x" * 100)
        counts.append(read(descriptor, buffers))
        return counts[-1]

    monkeypatch.setattr(os, "readv", readv)
    root = os.open(tmp_path, os.O_RDONLY)
    fault = hasher.look(hasher.Folders(root), "growing", sha256(b"x" * 10), 10, lambda _: None)
    os.close(root)
    assert fault is not None
    assert (fault["outcome"], fault["found"], sum(counts)) == ("damaged", None, 11)


def test_a_finding_is_dropped_if_row_or_file_became_another_meanwhile(store: Path) -> None:
    """Under the lock, only what is recorded and lies there as it was read is a finding."""
    path = "example/sample/1.0/data/a.ttl"
    state = (store / path).lstat()
    fault = {
        "outcome": "damaged",
        "path": path,
        "content": sha256(b"alpha"),
        "found": "0" * 64,
        "size_bytes": 5,
        "found_bytes": state.st_size,
        "version_id": "example/sample/1.0",
        "kind": "file",
        "relpath": "a.ttl",
        "inode": state.st_ino,
        "mtime_ns": state.st_mtime_ns,
    }

    def confirmed(**changes: object) -> int:
        faults = pa.Table.from_pylist([{**fault, **changes}], schema=faults_schema())
        found = Found(verified=page_schema().empty_table(), faults=faults)
        batch = VerifyBatch(Store(store, FAST), lambda: (found, {}))
        carry_out(batch.store, batch)
        return len(batch.confirmed)

    assert confirmed() == 1
    assert confirmed(content="1" * 64) == 0
    assert confirmed(inode=state.st_ino + 1) == 0
    assert confirmed(mtime_ns=state.st_mtime_ns - 1) == 0
    assert confirmed(outcome="missing", inode=None) == 0
    (store / path).unlink()
    assert confirmed() == 0
    assert confirmed(outcome="missing", inode=None) == 1


def test_others_write_while_files_are_hashed(releases: Releases) -> None:
    """The catalog is free meanwhile: a boundary of another thread's turn commits without waiting."""
    releases.pull("1.0", {f"f{number}.ttl": "x" * 1000 for number in range(600)})
    moved = []

    def progress(done: int, total: int) -> None:
        if done and not moved:
            moved.append(Releases(releases.root, settings={**FAST, "wait": 0.5}).set_latest("1.0").type)

    request = Request(scope=Scope(), workers=1)
    verify(Store(releases.root, FAST), request, progress=progress, tell=lambda outcome: None)
    assert moved == ["latest.unchanged"]


def test_the_longest_unverified_come_first(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was never verified is verified before what was verified once, that before what was verified later."""
    order: list[str] = []
    for version in ("1.0", "2.0", "3.0"):
        releases.pull(version, {"a.ttl": version})
    for version in ("3.0", "1.0"):
        look(releases.root, Request(scope=Scope(version_id=f"example/sample/{version}")))
    monkeypatch.setattr(recording, "BATCH_ROWS", 1)
    # the last ones too have a batch each
    monkeypatch.setattr(pool, "NEARLY_BYTES", -1)
    when = "SELECT version_id, min(verified_at) FROM extracted_files GROUP BY ALL"

    def tell(outcome: BoundaryResult) -> None:
        newest = max((moment, name) for name, moment in query(releases.root, when) if moment)
        order.append(newest[1][-3:])

    look(releases.root, tell=tell)
    assert list(dict.fromkeys(order)) == ["2.0", "3.0", "1.0"]


def test_an_interrupt_keeps_what_was_done_and_resume_does_the_rest(releases: Releases) -> None:
    """After Ctrl-C the answered lists are recorded; --resume looks at the others alone, and then there is no more."""
    releases.pull("1.0", {f"f{number:04}.ttl": str(number) for number in range(pages.PORTION_FILES * 2)})
    # 64 MiB of nothing, a list of its own behind the first, so that it is heard of while it is read
    large = releases.root / f"example/sample/1.0/data/f{pages.PORTION_FILES - 1:04}.ttl"
    os.truncate(large, 64 << 20)
    change(releases.root, f"UPDATE extracted_files SET size_bytes = {64 << 20} WHERE relpath = '{large.name}'")

    def progress(done: int, total: int) -> None:
        if done > 32 << 20:
            raise KeyboardInterrupt

    request = Request(scope=Scope(), workers=1)
    with pytest.raises(KeyboardInterrupt):
        verify(Store(releases.root, FAST), request, progress=progress, tell=lambda outcome: None)
    done = {path: moment for path, moment in verified(releases.root).items() if moment}
    assert len(done) == pages.PORTION_FILES
    resumed = Request.resumed(Store(releases.root, FAST), workers=1)
    assert (resumed.scope, resumed.started_at) == (request.scope, request.started_at)
    result = look(releases.root, resumed)
    assert (result.checked_files, result.files) == (pages.PORTION_FILES + 1, pages.PORTION_FILES + 1)
    assert [row["path"].endswith(large.name) for row in result.findings.to_pylist()] == [True]
    assert done.items() <= verified(releases.root).items()
    with pytest.raises(UsageError, match="nothing to resume"):
        Request.resumed(Store(releases.root, FAST))


KILLED = """
import os, signal, sys
from pathlib import Path
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.verify import Request, Scope, pages, recording, verify
recording.BATCH_ROWS = pages.PORTION_FILES = 2
verify(Store(Path(sys.argv[1]), {"durability": "off"}), Request(scope=Scope(), workers=1),
       progress=lambda done, total: None, tell=lambda outcome: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_killed_between_two_batches_the_first_stays(store: Path) -> None:
    """SIGKILL takes nothing that a batch has committed, and the rest can be resumed."""
    ended = subprocess.run([sys.executable, "-c", KILLED, store], check=False, cwd=Path(__file__).parents[2])
    assert ended.returncode == -signal.SIGKILL
    assert sum(moment is not None for moment in verified(store).values()) == 2
    result = look(store, Request.resumed(Store(store, FAST)))
    assert (result.checked_files, result.is_complete) == (4, True)


def test_no_file_is_begun_after_the_time_is_up(store: Path) -> None:
    """With no time at all nothing is looked at, and the run can be resumed."""
    result = look(store, Request(scope=Scope(), seconds=0.0))
    assert (result.checked_files, result.files, result.is_complete) == (0, 6, False)
    assert look(store, Request.resumed(Store(store, FAST))).checked_files == 6


def test_a_sample_is_the_same_for_the_same_seed_and_fair(releases: Releases) -> None:
    """The seed decides which files; another decides otherwise; their number is near the share."""
    releases.pull("1.0", {f"f{number:04}.ttl": str(number) for number in range(2000)})
    samples = []
    for seed in (1, 2, 1):
        before = verified(releases.root)
        result = look(releases.root, Request(scope=Scope(sample=0.1, seed=seed)))
        after = verified(releases.root)
        samples.append({path for path in after if after[path] != before[path]})
        assert result.checked_files == len(samples[-1])
    # 200 are expected, the standard deviation is 13
    assert all(140 < len(sample) < 260 for sample in samples)
    assert samples[0] == samples[2] != samples[1]


def test_a_scope_is_one_release_or_one_series(releases: Releases) -> None:
    """Only files of the scope are looked at, and the summary is about the scope."""
    releases.pull("1.0", TEXTS)
    releases.pull("1.0.1", TEXTS)
    result = look(releases.root, Request(scope=Scope(version_id="example/sample/1.0")))
    assert (result.files, result.recent_bytes) == (6, result.all_bytes)
    assert look(releases.root, Request(scope=Scope(slot="example/sample"))).files == 12
    assert look(releases.root, Request(scope=Scope(slot="example/samp"))).files == 0


def change(root: Path, statement: str) -> None:
    """Change the catalog past everything that guards it."""
    import duckdb

    connection = duckdb.connect(str(root / ".catalog/ontofetch.duckdb"))
    connection.execute(statement)
    connection.close()


def test_an_artifact_marked_as_failed_is_not_looked_at(store: Path) -> None:
    """That it is damaged is known already."""
    change(store, "UPDATE artifacts SET status = 'failed'")
    (store / "example/sample/1.0/src/a.zip").unlink()
    assert len(look(store).findings) == 0


def test_pages_of_a_large_release_cover_it_once(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release of more files than a page has is read in several pages, every file once."""
    monkeypatch.setattr(pages, "PAGE_ROWS", 2)
    result = look(store)
    assert (result.checked_files, len(result.findings)) == (6, 0)
    assert None not in verified(store).values()


def test_a_process_that_dies_is_told_in_a_sentence(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends with what to type next, not with a hang."""
    broken = tmp_path / "broken.py"
    broken.write_text("import sys; sys.exit(7)")
    monkeypatch.setattr(hasher, "__file__", str(broken))
    with pytest.raises(OntofetchError, match="ended with 7, before it was done") as failed:
        look(store)
    assert "--resume" in failed.value.hint


def test_no_step_at_which_a_signal_comes_leaves_a_lock_locked(tmp_path: Path) -> None:
    """Whichever line of the main thread is the last one before the signal, its threads and processes come to an end."""
    (tmp_path / "a").write_bytes(b"a")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.catalog.interrupted_pool", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 20

"""The judging beside other work: files that move meanwhile, processes that outlive threads and releases."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ontofetch_catalog.host.judging import Judging
from ontofetch_catalog.host.validators import Validation
from ontofetch_catalog.host.workers import Workers
from ontofetch_hookspecs import Validator
from ontofetch_hookspecs.store_paths import StorePath

from .test_validators import release

HELPERS = """
import os, time
def who(path, format): return True, {"pid": os.getpid()}
def waits(path, format):
    begun = os.path.join(os.path.dirname(os.path.dirname(path)), "begun")
    if os.path.exists(begun): return os.path.exists(path), {}
    open(begun, "x").close()
    end = time.monotonic() + 30
    while os.path.exists(path) and time.monotonic() < end: time.sleep(0.01)
    return False, {"error": "it is gone"}
def fails(path, format): return False, {"error": "it is bad"}
"""


@pytest.fixture(autouse=True)
def helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a module of validators on the path of the workers."""
    (tmp_path / "judges.py").write_text(HELPERS)
    monkeypatch.syspath_prepend(str(tmp_path))


def of(name: str) -> list[Validator]:
    """Return a validator of the module."""
    return [Validator(name, "1", ("turtle",), f"judges:{name}")]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def judge(workers: Workers, folder: Path, texts: dict[str, str], name: str = "who") -> list[dict[str, Any]]:
    """Judge some files and return the rows."""
    files = release(folder, texts)
    with Judging(workers) as judging:
        validation = Validation(of(name), lambda *_: None, judging)
        validation.look(files, StorePath(folder, ""))
        return validation.results("s/o/1").to_pylist()


def test_a_process_serves_one_release_after_the_other(tmp_path: Path) -> None:
    """It outlives the threads that ask it, and ends with the run."""
    with Workers(1) as workers:
        found = {row["details"] for number in range(3) for row in judge(workers, tmp_path / str(number), {"a": "x"})}
    assert len(found) == 1
    pid = int(found.pop().partition(": ")[2].strip("}"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_releases_beside_each_other_share_the_processes(tmp_path: Path) -> None:
    """However many are judged at once, there are no more processes than was said."""
    rows: list[dict[str, Any]] = []
    with Workers(2) as workers:

        def one(number: int) -> None:
            texts = {f"{name}": f"{number} {name}" for name in range(4)}
            rows.extend(judge(workers, tmp_path / str(number), texts))

        threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(rows) == 16
    assert all(row["passed"] for row in rows)
    assert len({row["details"] for row in rows}) <= 2


def test_nothing_is_started_for_what_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every content has a result, no process is started."""
    started: list[object] = []
    monkeypatch.setattr("ontofetch_catalog.host.line_process.start_module", lambda *words, **_: started.append(words))
    files = release(tmp_path / "data", {"a.ttl": "x"})

    def lookup(file_ids: Sequence[str], *_: str) -> pa.Table:
        now = pa.array([datetime.now(UTC)] * len(file_ids), pa.timestamp("us", "UTC"))
        columns = {"passed": pa.array([True] * len(file_ids)), "details": ["{}"] * len(file_ids), "run_at": now}
        return pa.table({"file_id": file_ids, **columns, "reused_from": ["s/o/0#a"] * len(file_ids)})

    with Workers(2) as workers, Judging(workers) as judging:
        validation = Validation(of("who"), lookup, judging)
        validation.look(files, StorePath(tmp_path, ""))
        (row,) = validation.results("s/o/1").to_pylist()
    assert (row["passed"], row["reused_from"]) == (True, "s/o/0#a")
    assert started == []


def test_a_file_that_moves_meanwhile_is_judged_where_it_lies_then(tmp_path: Path) -> None:
    """What fails because it was moved away is no failure."""
    before, after = tmp_path / "before", tmp_path / "after"
    files = release(before, {"a.ttl": "x"})
    with Workers(1) as workers, Judging(workers) as judging:
        validation = Validation(of("waits"), lambda *_: None, judging)
        validation.look(files, StorePath(before, ""))
        wait_for((tmp_path / "begun").exists)
        judging.tell_of_moving()
        os.rename(before, after)
        wait_for(lambda: bool(judging._held))
        assert judging.judged == {}
        validation.look(files, StorePath(after, ""))
        (row,) = validation.results("s/o/1").to_pylist()
    assert row["passed"]


def test_what_fails_in_its_place_fails(tmp_path: Path) -> None:
    """A failure that comes while nothing moves counts, and one that comes meanwhile is looked at once more."""
    folder = tmp_path / "data"
    files = release(folder, {"a.ttl": "x"})
    with Workers(1) as workers, Judging(workers) as judging:
        validation = Validation(of("fails"), lambda *_: None, judging)
        validation.look(files, StorePath(folder, ""))
        judging.tell_of_moving()
        validation.look(files, StorePath(folder, ""))
        (row,) = validation.results("s/o/1").to_pylist()
    assert (row["passed"], "it is bad" in row["details"]) == (False, True)

"""What goes wrong elsewhere costs a file or ends the run with a sentence; nothing hangs, nothing is left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from ontofetch_catalog.errors import ExecutorFailed
from ontofetch_catalog.host.checks import builtin_validators
from ontofetch_catalog.host.executors import away, dask_engine
from ontofetch_hookspecs import Validator
from tests.executors.cluster import Cluster, cluster
from tests.executors.conftest import Looked
from tests.executors.judges import judge
from tests.host.test_validators import release

SCRIPT = """
import sys
from pathlib import Path
from ontofetch_catalog.host.pools import open_pool
from ontofetch_catalog.host.validators import run_validators
from ontofetch_catalog.settings import read_settings
from ontofetch_hookspecs.store_paths import StorePath
from tests.executors.judges import judge
from tests.host.test_validators import release
folder = Path(sys.argv[1])
files = release(folder, {"a.ttl": f"{folder}|a"})
with open_pool({**read_settings({}).values, "executor": sys.argv[2]}) as pool:
    run_validators(files, StorePath(folder, ""), judge("hangs"), lambda *_: None, version_id="s/o/1", pool=pool)
"""


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def processes(folder: Path) -> list[int]:
    """Return the numbers of the processes that have looked at a file, as they told it."""
    return [int(path.stem) for path in folder.glob("*.pid")]


def is_gone(process: int) -> bool:
    """Say whether a process has ended."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return True


def one_file(folder: Path) -> pa.Table:
    """Write a file that says where whoever looks at it leaves its number."""
    return release(folder, {"a.ttl": f"{folder}|a"})


def test_each_worker_looks_at_some_of_many_files(four: Cluster, look: Callable[..., Looked], tmp_path: Path) -> None:
    """The processes that look at files are children of all four."""
    files = release(tmp_path, {f"{number}.ttl": str(number) for number in range(40)})
    told = [json.loads(row["details"]) for row in look(files, judge("who"), four.address).results]
    assert {row["parent"] for row in told} == set(four.workers)
    assert {row["seen"] for row in told} == {str(number) for number in range(40)}


def test_a_validator_of_nobody_knows_whom_is_asked_here(
    four: Cluster, look: Callable[..., Looked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could say whether a worker has the same one."""
    (tmp_path / "loose.py").write_text("import os\ndef who(path, format): return True, {'parent': os.getppid()}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    loose = [Validator("who", "1", ("turtle",), "loose:who")]
    found = look(release(tmp_path, {"a.ttl": "x"}), loose, four.address)
    assert json.loads(found.details()) == {"parent": os.getpid()}


def test_the_time_of_a_validator_is_up_there_as_here(
    four: Cluster, look: Callable[..., Looked], tmp_path: Path
) -> None:
    """The sentence is the same, and the process has ended."""
    files = one_file(tmp_path)
    away_, here = (look(files, judge("hangs"), where, timeout=1.0) for where in (four.address, "local"))
    assert away_.parts() == here.parts()
    assert "longer than 1 seconds" in here.details()
    wait_for(lambda: all(map(is_gone, processes(tmp_path))))


@pytest.mark.parametrize("name", ["hoards", "dies"])
def test_a_validator_takes_no_more_there_than_here(
    four: Cluster, look: Callable[..., Looked], tmp_path: Path, name: str
) -> None:
    """Memory has its limit, a death costs one file; a worker that had it looks at the next one."""
    files = release(tmp_path, {"a.ttl": "x"})
    away_, here = (look(files, judge(name), where, max_memory=900 << 20) for where in (four.address, "local"))
    assert away_.parts() == here.parts()
    assert ("more memory than" in here.details()) is (name == "hoards")
    assert look(files, judge("who"), four.address).results[0]["passed"] is True


def test_a_file_that_takes_workers_with_it_comes_to_no_judgement(
    judges: Path, look: Callable[..., Looked], tmp_path: Path
) -> None:
    """It is tried once more, then it is called off, whatever a scheduler allows; who is left looks at other files."""
    patient = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "100"}
    with cluster(7, path=judges, environment=patient) as found:
        told = look(one_file(tmp_path), judge("kills"), found.address).details()
        assert "died" in told
        assert "unfinished" in told
        left = {worker for worker in found.workers if not is_gone(worker)}
        assert left
        files = release(tmp_path, {f"{number}.ttl": str(number) for number in range(4)})
        again = look(files, judge("who"), found.address)
        assert {json.loads(row["details"])["parent"] for row in again.results} <= left


def test_a_worker_that_stands_still_costs_its_file(
    judges: Path, look: Callable[..., Looked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever for an answer, whatever a worker does."""
    with cluster(1, path=judges) as found:

        def stop() -> None:
            wait_for(lambda: processes(tmp_path))
            os.kill(found.workers[0], signal.SIGSTOP)
            monkeypatch.setattr(away, "ROUNDS", 0)
            monkeypatch.setattr(away, "GRACE", 0.0)

        thread = threading.Thread(target=stop)
        thread.start()
        told = look(one_file(tmp_path), judge("hangs"), found.address, timeout=100.0).details()
        thread.join()
        assert "longer than 100 seconds" in told
        assert not is_gone(found.workers[0])


@pytest.mark.parametrize("word", ["SIGINT", "SIGKILL"])
def test_whoever_goes_calls_off_the_jobs(judges: Path, tmp_path: Path, word: str) -> None:
    """After Ctrl-C, and also after a kill, no process goes on with a file."""
    with cluster(1, path=judges) as found:
        path = os.pathsep.join([str(judges), str(Path(__file__).parents[2])])
        asker = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path), found.address],
            env={**os.environ, "PYTHONPATH": path},
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: processes(tmp_path))
        asker.send_signal(signal.Signals[word])
        assert asker.wait(60) != 0
        wait_for(lambda: all(map(is_gone, processes(tmp_path))))
        assert not is_gone(found.workers[0])


def test_a_scheduler_that_goes_ends_the_run(
    judges: Path, look: Callable[..., Looked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked comes to no judgement: the sentence says what is lost."""
    monkeypatch.setattr(dask_engine, "LOST", 1.0)
    with cluster(1, path=judges) as found:

        def end() -> None:
            wait_for(lambda: processes(tmp_path))
            os.kill(found.scheduler, signal.SIGKILL)

        thread = threading.Thread(target=end)
        thread.start()
        with pytest.raises(ExecutorFailed, match=r"The executor dask://127\.0\.0\.1:"):
            look(one_file(tmp_path), judge("hangs"), found.address)
        thread.join()


def test_an_executor_without_workers_is_named(
    judges: Path,
    look: Callable[..., Looked],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever waits learns what for; the first worker that comes may be an hour away."""
    monkeypatch.setattr(away, "TELL", 0.0)
    monkeypatch.setattr(dask_engine, "LOST", 0.0)
    with cluster(0, path=judges) as found:

        def end() -> None:
            wait_for(lambda: "has no worker" in caplog.text)
            os.kill(found.scheduler, signal.SIGKILL)

        thread = threading.Thread(target=end)
        thread.start()
        with pytest.raises(ExecutorFailed):
            look(one_file(tmp_path), judge("who"), found.address)
        thread.join()


@pytest.fixture
def another_fastobo(judges: Path, tmp_path: Path) -> Iterator[Cluster]:
    """Return a cluster whose workers have another version of a parser."""
    info = tmp_path / "path/fastobo-9.9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fastobo\nVersion: 9.9\n")
    path = os.pathsep.join([str(info.parent), str(judges)])
    with cluster(1, environment={"PYTHONPATH": path}) as found:
        yield found


def test_a_worker_with_another_library_is_refused(
    another_fastobo: Cluster, look: Callable[..., Looked], tmp_path: Path
) -> None:
    """Its answers could not be compared with those of this machine."""
    with pytest.raises(ExecutorFailed, match=r"has 9\.9 of fastobo, and this machine has 0\.") as raised:
        look(release(tmp_path, {"a.ttl": "x"}), builtin_validators(), another_fastobo.address)
    assert "Install the same versions" in raised.value.hint


def test_a_worker_without_the_program_is_refused(look: Callable[..., Looked], tmp_path: Path) -> None:
    """The sentence says what to install, and where."""
    with cluster(1, bare=True) as found, pytest.raises(ExecutorFailed, match="can't load ontofetch-catalog") as raised:
        look(release(tmp_path, {"a.ttl": "x"}), builtin_validators(), found.address)
    assert "pip install 'ontofetch-catalog[dask]'" in raised.value.hint


def test_where_nobody_listens_there_is_a_sentence(look: Callable[..., Looked], tmp_path: Path) -> None:
    """It is said which executor was meant; all files of a run wait for it once."""
    files = release(tmp_path, {f"{number}.ttl": str(number) for number in range(3)})
    with pytest.raises(ExecutorFailed, match=r"The executor dask://127\.0\.0\.1:9 does not answer"):
        look(files, builtin_validators(), "dask://127.0.0.1:9", http_timeout=1.0)

"""Slurm starts the workers: its commands are stood in for by scripts that start real processes and end them."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.errors import ExecutorFailed
from tests.executors.conftest import Looked
from tests.executors.judges import judge
from tests.executors.test_bad_days import is_gone
from tests.host.test_validators import release

SBATCH = """#!/bin/sh
grep '^#SBATCH' "$1" >> {folder}/asked
cp "$1" {folder}/job-$$
setsid sh {folder}/job-$$ < /dev/null > {folder}/said-$$ 2>&1 &
echo $! >> {folder}/started
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
for job in "$@"; do echo "$job" >> {folder}/ended; kill -- "-$job"; done
"""
REFUSING = """#!/bin/sh
echo "sbatch: error: invalid partition specified: nowhere" >&2
exit 1
"""


def commands(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """Put commands before all others, and say how large a job is."""
    for name, text in scripts.items():
        (folder / name).write_text(text.format(folder=folder))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    for name, value in {"CORES": "1", "MEMORY": "3GB", "SCHEDULER_OPTIONS": "{'host': '127.0.0.1'}"}.items():
        monkeypatch.setenv(f"DASK_JOBQUEUE__SLURM__{name}", value)
    import dask

    dask.config.refresh()


def lines(path: Path) -> list[str]:
    """Return the lines of a file."""
    return path.read_text().splitlines()


def test_jobs_of_slurm_look_at_files_and_end_with_the_run(
    judges: Path, look: Callable[..., Looked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many jobs are started as were asked for; afterwards each is cancelled, and its processes are gone."""
    monkeypatch.setenv("PYTHONPATH", str(judges))
    interrupted = signal.getsignal(signal.SIGINT)
    commands(tmp_path, monkeypatch, sbatch=SBATCH, scancel=SCANCEL)
    files = release(tmp_path, {f"{number}.ttl": str(number) for number in range(20)})
    found = look(files, judge("who"), "slurm:2")
    assert {json.loads(row["details"])["seen"] for row in found.results} == {str(number) for number in range(20)}
    assert signal.getsignal(signal.SIGINT) is interrupted
    started = lines(tmp_path / "started")
    assert len(started) == 2
    assert "#SBATCH --cpus-per-task=1" in lines(tmp_path / "asked")
    assert sorted(lines(tmp_path / "ended")) == sorted(started)
    end = time.monotonic() + 60
    while not all(is_gone(int(job)) for job in started):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_slurm_says_to_a_job_is_told(
    look: Callable[..., Looked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is a sentence, and no traceback beside it."""
    commands(tmp_path, monkeypatch, sbatch=REFUSING, scancel=SCANCEL)
    with pytest.raises(ExecutorFailed, match=r"takes no jobs for the executor slurm:3: .*invalid partition"):
        look(release(tmp_path, {"a.ttl": "x"}), judge("who"), "slurm:3")
    assert "Traceback" not in capfd.readouterr().err


def test_a_job_whose_size_nobody_said_is_none(
    look: Callable[..., Looked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says where it is said."""
    commands(tmp_path, monkeypatch, sbatch=SBATCH, scancel=SCANCEL)
    monkeypatch.delenv("DASK_JOBQUEUE__SLURM__CORES")
    import dask

    dask.config.refresh()
    with pytest.raises(ExecutorFailed, match=r"jobqueue\.slurm\.cores") as raised:
        look(release(tmp_path, {"a.ttl": "x"}), judge("who"), "slurm:1")
    assert "docs/executors.md" in raised.value.hint
    assert not (tmp_path / "started").exists()


def test_without_sbatch_there_is_a_sentence(
    look: Callable[..., Looked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slurm is not installed everywhere."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExecutorFailed, match="needs the command sbatch"):
        look(release(tmp_path, {"a.ttl": "x"}), judge("who"), "slurm:1")

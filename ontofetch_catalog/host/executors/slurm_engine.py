"""Workers that Slurm starts: jobs with workers of Dask in them, which connect to a scheduler in this process.

What a job may take of a cluster, its partition and its account are said in the configuration of dask-jobqueue.
"""

from __future__ import annotations

import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...errors import ExecutorFailed
from .addresses import Address
from .dask_engine import DaskEngine

_POLL = 0.1
_HINT = "docs/executors.md says what the configuration of dask-jobqueue has to name."


def load_library(shown: str) -> None:
    """Import dask-jobqueue, before a thread does: it takes Ctrl-C for itself when it is imported, which is given back.

    Raises:
        ExecutorFailed: This is no main thread, in which alone that can be done.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        import dask_jobqueue  # noqa: F401 - what it does to signals is done once
    except ValueError as error:
        raise ExecutorFailed(
            f"The executor {shown} can be begun in the main thread of a program only: {error}.",
            subject=shown,
            hint="Import dask_jobqueue there, or name a scheduler of Dask.",
        ) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


class SlurmEngine(DaskEngine):
    """An engine of Dask whose workers are jobs of Slurm; `close` ends them.

    Args:
        address: How many jobs.
        run: Names the run.
        timeout: Seconds to wait for Slurm to take a job, and for the scheduler.

    Raises:
        ExecutorFailed: Slurm takes no jobs, or the configuration says too little of them.
    """

    def __init__(self, address: Address, run: str, *, timeout: float) -> None:
        if shutil.which("sbatch") is None:
            raise ExecutorFailed(
                f"The executor {address.shown} needs the command sbatch, which is not here.",
                subject=address.shown,
                hint="Run the same command on a machine from which Slurm takes jobs, or leave --executor away.",
            )
        self._cluster: Any = None
        try:
            with _errors_of_jobs() as told:
                self._cluster = _make()
                self._cluster.scale(jobs=address.jobs)
                _wait_for_a_job(self._cluster, told, timeout)
        except (OSError, ValueError, RuntimeError) as error:
            self._end()
            raise ExecutorFailed(
                f"Slurm takes no jobs for the executor {address.shown}: {_last_line(error)}",
                subject=address.shown,
                hint=_HINT,
            ) from error
        super().__init__(address, run, timeout=timeout, cluster=self._cluster)

    def close(self) -> None:
        """Call off what is not done, and end the jobs of Slurm."""
        super().close()
        self._end()

    def _end(self) -> None:
        if self._cluster is None:
            return
        from distributed.core import Status

        for job in self._cluster.workers.values():
            if job.status == Status.created:
                # Slurm has not taken it, and Dask would miss its end
                job.status = Status.failed
        try:
            with suppress(OSError, RuntimeError, TimeoutError):
                self._cluster.close()
        except AssertionError:
            # Dask's last look at its jobs, when all is closed: one that ended by itself is not as it expects
            self._cluster.status = Status.closed


def _make() -> Any:
    import dask
    from dask_jobqueue import SLURMCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    for name in ("cores", "memory"):
        if dask.config.get(f"jobqueue.slurm.{name}", None) is None:
            raise ValueError(f"nothing says how much a job has of {name} (jobqueue.slurm.{name})")
    # pages for people, which nobody asked for, would be one more open port
    options = {"dashboard": False} | (dask.config.get("jobqueue.slurm.scheduler-options", None) or {})
    return SLURMCluster(scheduler_options=options)


def _wait_for_a_job(cluster: Any, told: list[str], timeout: float) -> None:
    """Wait until Slurm has taken a job, or refused them all."""
    end = time.monotonic() + timeout
    while not cluster.workers and not told and time.monotonic() < end:
        time.sleep(_POLL)
    if not any(getattr(job, "job_id", None) for job in cluster.workers.values()):
        raise RuntimeError(told[0] if told else f"sbatch has not answered for {timeout:g} seconds")


class _Collector(logging.Handler):
    """Keep what goes wrong where nobody waits for it."""

    def __init__(self, keep: Callable[[str], None]) -> None:
        super().__init__()
        self._keep = keep

    def emit(self, record: logging.LogRecord) -> None:
        self._keep(str(record.exc_info[1]) if record.exc_info else record.getMessage())


@contextmanager
def _errors_of_jobs() -> Iterator[list[str]]:
    """Yield a list of the errors of jobs, which else would be written to stderr as tracebacks."""
    told: list[str] = []
    logger, collector = logging.getLogger("tornado.application"), _Collector(told.append)
    before = logger.propagate
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield told
    finally:
        logger.removeHandler(collector)
        logger.propagate = before


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__

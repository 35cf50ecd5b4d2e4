"""Workers that Slurm starts: jobs with workers of Dask in them, which connect to a scheduler in this process.

What a job may take of a cluster, its partition and its account are said in the configuration of dask-jobqueue.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from ...errors import ExecutorFailed
from .addresses import Address
from .dask_engine import DaskEngine


class SlurmEngine(DaskEngine):
    """An engine of Dask whose workers are jobs of Slurm; `close` ends them.

    Args:
        address: How many jobs.
        run: Names the run.
        timeout: Seconds to wait for the scheduler.

    Raises:
        ExecutorFailed: Slurm takes no jobs, or the configuration says too little of them.
    """

    def __init__(self, address: Address, run: str, *, timeout: float) -> None:
        from dask_jobqueue import SLURMCluster

        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._cluster: Any = None
        try:
            self._cluster = SLURMCluster(scheduler_options={"dashboard": False})
            self._cluster.scale(jobs=address.jobs)
        except (OSError, ValueError, RuntimeError) as error:
            self._end()
            raise ExecutorFailed(
                f"Slurm takes no jobs for the executor {address.shown}: {str(error)[:300]}",
                subject=address.shown,
                hint="docs/executors.md says what the configuration of dask-jobqueue has to name.",
            ) from error
        super().__init__(address, run, timeout=timeout, cluster=self._cluster)

    def close(self) -> None:
        """Call off what is not done, and end the jobs of Slurm."""
        super().close()
        self._end()

    def _end(self) -> None:
        if self._cluster is not None:
            with suppress(OSError, RuntimeError, TimeoutError):
                self._cluster.close()

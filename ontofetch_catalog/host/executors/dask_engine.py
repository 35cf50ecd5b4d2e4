"""The engine Dask: a scheduler that hands jobs to workers, reached over the network.

What the jobs are is not known here. Whoever connects to a scheduler trusts it and its workers: their protocol carries
pickled Python.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...errors import ExecutorFailed
from . import on_worker
from .addresses import Address
from .jobs import WorkerDied

if TYPE_CHECKING:
    from distributed import Client, Future

LOST = 10.0  # seconds for which a scheduler may be out of reach
_COLLECT = 120.0  # seconds that an answer may take to come from the worker that has it
_log = logging.getLogger("ontofetch.validators")


class DaskJob:
    """A job that Dask was given.

    Args:
        engine: Whose.
        number: Its number.
        future: Dask's own.
    """

    def __init__(self, engine: DaskEngine, number: int, future: Future[Any]) -> None:
        self._engine = engine
        self._number = number
        self._future = future
        self._done = threading.Event()
        future.add_done_callback(lambda _: self._done.set())

    def wait(self, seconds: float) -> bool:
        """Wait so long for its end, and say whether it is there."""
        return self._done.wait(seconds)

    @property
    def begun(self) -> list[float]:
        """Return when workers began with it, by the monotonic clock: more than once where one has died of it."""
        return self._engine.begun(self._number)

    def result(self) -> object:
        """Return what it has come to.

        Raises:
            WorkerDied: The workers that had it died, as often as the scheduler allows.
            ExecutorFailed: It came to nothing for a reason that is none of its own.
        """
        from distributed.scheduler import KilledWorker

        try:
            return self._future.result(timeout=_COLLECT)
        except KilledWorker as error:
            raise WorkerDied from error
        except (ImportError, AttributeError) as error:
            raise self._engine.not_installed(error) from error
        except TimeoutError as error:
            raise self._engine.lost("does not bring an answer that is there") from error
        except Exception as error:
            # whatever happened there, its type may be anybody's
            if "deserializ" in str(error):
                raise self._engine.not_installed(error.__cause__ or error) from error
            if self._future.status in ("cancelled", "lost"):
                raise self._engine.lost("has called a job off") from error
            raise self._engine.lost(f"could not do a job: {type(error).__name__}: {str(error)[:300]}") from error

    def cancel(self) -> None:
        """Call it off, if it has not ended."""
        if not self._done.is_set():
            # a scheduler that is gone has called it off already
            with suppress(OSError, RuntimeError, ValueError):
                self._future.cancel()


class DaskEngine:
    """A connection to a scheduler of Dask; `close` ends it.

    Args:
        address: Of the scheduler.
        run: Names the run.
        timeout: Seconds to wait for the scheduler.
        cluster: Whose scheduler it is, if we have started it.

    Raises:
        ExecutorFailed: No scheduler answers there.
    """

    def __init__(self, address: Address, run: str, *, timeout: float, cluster: Any = None) -> None:
        import dask
        from distributed import Client

        self._shown = address.shown
        self._begun: dict[int, list[float]] = defaultdict(list)
        self._lost_since: float | None = None
        # files are jobs here, and their bytes go with them
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"})
        _require_certificate(address)
        # it says in a sentence of ours what it would say in a traceback of its own
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            self._client: Client = Client(
                cluster or address.scheduler, timeout=timeout, set_as_default=False, name="ontofetch"
            )
            self._client.subscribe_topic(run, self._note)
        except (OSError, ValueError, RuntimeError) as error:
            raise ExecutorFailed(
                f"The executor {self._shown} does not answer as a scheduler of Dask: {str(error)[:300]}",
                subject=self._shown,
                hint="Start one there (`dask scheduler`), or leave --executor away.",
            ) from error

    def _note(self, event: tuple[object, dict[str, Any]]) -> None:
        number = event[1].get("job")
        if isinstance(number, int):
            self._begun[number].append(time.monotonic())

    def begun(self, number: int) -> list[float]:
        """Return when workers began with a job."""
        return list(self._begun.get(number, ()))

    def submit(self, number: int, job: bytes, content: bytes | None) -> DaskJob:
        """Give a job to whichever worker is free.

        Raises:
            ExecutorFailed: The connection is lost.
        """
        self.require_connection()
        try:
            future = self._client.submit(
                on_worker.run, job, content, key=f"ontofetch-{self._client.id}-{number}", pure=False
            )
        except Exception as error:
            raise self.lost(f"takes no jobs: {type(error).__name__}") from error
        return DaskJob(self, number, future)

    def require_connection(self) -> None:
        """Raise ExecutorFailed where the scheduler has been out of reach for too long."""
        if self._client.status == "running":
            self._lost_since = None
            return
        self._lost_since = self._lost_since or time.monotonic()
        if self._client.status == "closed" or time.monotonic() - self._lost_since > LOST:
            raise self.lost("is lost")

    def lost(self, what: str) -> ExecutorFailed:
        """Return the error that says what is wrong with the executor."""
        return ExecutorFailed(
            f"The executor {self._shown} {what}.",
            subject=self._shown,
            hint="What was answered before is kept; run the same command again, or leave --executor away.",
        )

    def not_installed(self, error: BaseException) -> ExecutorFailed:
        """Return the error that says that the program is not where the jobs go."""
        return ExecutorFailed(
            f"The executor {self._shown} can't load ontofetch-catalog: {str(error)[:300]}",
            subject=self._shown,
            hint="Install it where the scheduler and the workers run: `pip install 'ontofetch-catalog[dask]'`.",
        )

    @property
    def workers(self) -> int:
        """Return how many workers there are now, as far as that is known."""
        return len(self._client.scheduler_info(n_workers=-1).get("workers", {}))

    def close(self) -> None:
        """Call off what is not done, and end the connection."""
        with suppress(OSError, RuntimeError, ValueError):
            self._client.close(timeout=5)


def _require_certificate(address: Address) -> None:
    """Raise ExecutorFailed where a scheduler wants TLS, and Dask is not told what to show and what to believe."""
    from distributed import Security

    if address.scheduler.startswith("tls:") and not Security().get_connection_args("client").get("ssl_context"):
        raise ExecutorFailed(
            f"The executor {address.shown} needs a certificate, and the configuration of Dask names none.",
            subject=address.shown,
            hint="Name distributed.comm.tls.ca-file, and client.key and client.cert there; docs/executors.md.",
        )

"""A scheduler of Dask and its workers on loopback, each a process of its own, forked from one that has imported it."""

from __future__ import annotations

import asyncio
import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
_IDLE = {"worker.profile.enabled": False, "admin.system-monitor.interval": "10s", "admin.tick.interval": "500ms"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A scheduler and its workers.

    Args:
        address: Of the scheduler, as `--executor` takes it.
        scheduler: The number of its process.
        workers: Those of the workers.
    """

    address: str
    scheduler: int
    workers: tuple[int, ...]


@contextmanager
def cluster(
    workers: int = 4,
    *,
    path: Path | None = None,
    protocol: str = "tcp",
    bare: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """Start a scheduler and so many workers, and end them all.

    Args:
        workers: How many.
        path: A folder that they may import from, too.
        protocol: `tcp` or `tls`.
        bare: Whether the program is not installed there.
        environment: What theirs has beside that of this process.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.executors.cluster", str(workers), protocol, "bare" if bare else ""],
        cwd=CHECKOUT,
        env=dict(os.environ) | ({} if path is None else {"PYTHONPATH": str(path)}) | dict(environment or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        kind = "dask" if protocol == "tcp" else "dask+tls"
        yield Cluster(f"{kind}://{told['address']}", told["scheduler"], tuple(told["workers"]))
    finally:
        process.communicate()


def main(count: int, protocol: str, bare: str) -> None:
    """Start them, tell of them in a line of JSON, and end them with standard input."""
    import dask
    import distributed

    # what each process does while nobody asks for anything: by itself they take a seventh of a core
    dask.config.set({f"distributed.{name}": value for name, value in _IDLE.items()})
    if bare:
        sys.modules["ontofetch_catalog"] = None  # type: ignore[assignment] # what is None can't be imported
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    reading, writing = os.pipe()

    async def schedule() -> None:
        place = {"host": f"{protocol}://127.0.0.1", "port": 0, "dashboard": False}
        async with distributed.Scheduler(**place, dashboard_address="127.0.0.1:0") as scheduler:
            os.write(writing, scheduler.address.encode() + b"\n")
            await scheduler.finished()

    async def work() -> None:
        async with distributed.Worker(address, nthreads=1, host=f"{protocol}://127.0.0.1", dashboard=False) as worker:
            os.write(writing, b".\n")
            await worker.finished()

    scheduler = _fork(schedule)
    lines = os.fdopen(reading)
    address = lines.readline().strip()
    workers = [_fork(work) for _ in range(count)]
    for _ in workers:
        lines.readline()
    print(json.dumps({"address": address.partition("://")[2], "scheduler": scheduler, "workers": workers}), flush=True)
    sys.stdin.read()
    for process in (*workers, scheduler):
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _fork(serve: object) -> int:
    parent = os.getpid()
    process = os.fork()
    if process:
        return process
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    asyncio.run(serve())  # type: ignore[operator]
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])

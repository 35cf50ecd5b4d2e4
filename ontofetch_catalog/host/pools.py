"""Who judges files and finds facts in a run: processes of this machine, or an executor that a setting names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo

from ..children.limits import Allowance
from ..content.packed.bounds import Limits
from .workers import Workers

if TYPE_CHECKING:
    import argparse

    from .executors.addresses import Address
    from .executors.away import AwayWorkers
    from .executors.engine import Engine

EXECUTOR_HELP = "who judges files and finds facts: local, dask://HOST:PORT, slurm:JOBS (default: local)"


def add_executor(parser: argparse.ArgumentParser) -> None:
    """Add the option that names an executor."""
    parser.add_argument("--executor", metavar="WHERE", help=EXECUTOR_HELP)


def with_executor(host: HostInfo, where: str | None) -> HostInfo:
    """Return a host whose executor is the one that an option names, None: the one that the settings name.

    Raises:
        UsageError: There is no such executor, or what it needs is not installed.
    """
    if where is not None:
        host = replace(host, settings={**host.settings, "executor": where})
    if str(host.settings.get("executor", "local")) != "local":
        _address_of(host.settings)
    return host


def open_pool(settings: Mapping[str, object]) -> Workers | AwayWorkers:
    """Return who judges files; a context. An executor is connected to when the first file is to be judged.

    Raises:
        UsageError: There is no such executor, or what it needs is not installed.
    """
    allowance, limits = Allowance.from_settings(settings), Limits.from_settings(settings)
    count = int(str(settings["validate_workers"]))
    address = _address_of(settings)
    if address is None:
        return Workers(count, allowance, limits)
    from .executors.away import AwayWorkers
    from .executors.passage import Passage

    if address.kind == "slurm":
        from .executors.slurm_engine import load_library

        load_library(address.shown)

    def start(run: str) -> Engine:
        timeout = float(str(settings["http_timeout"]))
        if address.kind == "slurm":
            from .executors.slurm_engine import SlurmEngine

            return SlurmEngine(address, run, timeout=timeout)
        from .executors.dask_engine import DaskEngine

        return DaskEngine(address, run, timeout=timeout)

    way = Passage(address.shown, start, most=int(str(settings["executor_max_bytes"])))
    return AwayWorkers(way, count, Workers(count, allowance, limits), allowance, limits)


def _address_of(settings: Mapping[str, object]) -> Address | None:
    where = str(settings.get("executor", "local"))
    if where == "local":
        return None
    from .executors.addresses import read_address

    return read_address(where)

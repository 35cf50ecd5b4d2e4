"""The two lines that say on what a run was measured; nothing is measured here."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import duckdb
import polars as pl


def describe_machine(folder: Path) -> list[str]:
    """Return what the figures depend on: cores, versions, the file system of `folder`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [
        f"{cores} cores, {platform.system()} {platform.machine()}, {_file_system(folder)} below .build/bench",
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, Polars {pl.__version__}",
    ]


def _file_system(folder: Path) -> str:
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return "the disk"
    lines = [line.split() for line in mounts.read_text(encoding="utf-8").splitlines()]
    fitting = [line for line in lines if folder.resolve().is_relative_to(line[1])]
    return max(fitting, key=lambda line: len(line[1]))[2] if fitting else "the disk"

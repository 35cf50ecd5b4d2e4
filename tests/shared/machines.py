"""Machines of a shared catalog: processes with a store, a home, an environment and, if need be, another clock."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
MISSING = "libfaketime is not installed, which sets a process another clock: `apt-get install libfaketime`"


def clock_library() -> Path | None:
    """Return the library that sets processes another clock, None if it is not installed."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


def common_variables(skew: float) -> dict[str, str]:
    """Return what the environments of all machines have whose clock is ahead by so many seconds."""
    found = {"LANG": "C.UTF-8", "PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "TZ": "UTC"}
    if skew:
        library = clock_library()
        assert library, MISSING
        # time-outs go by the other clock, which nobody sets; what the library does about those of older systems lets
        # whoever waits for Python's lock return at once, again and again: three times the work
        own = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}
        found |= {"LD_PRELOAD": str(library), "FAKETIME": f"{skew:+}", **own}
    return found


@dataclass
class Machine:
    """A machine: what it runs sees its own folders alone, beside what all share.

    Args:
        name: What it is called.
        folder: What its folders are in.
        skew: Seconds by which its clock is ahead.
        environment: What its processes are told beside that.
    """

    name: str
    folder: Path
    skew: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place in (self.home, self.work):
            place.mkdir(parents=True)

    @property
    def root(self) -> Path:
        """Return its store, which is not there yet."""
        return self.folder / "store"

    @property
    def home(self) -> Path:
        """Return its user's home."""
        return self.folder / "home"

    @property
    def work(self) -> Path:
        """Return the folder in which its processes run."""
        return self.folder / "work"

    def variables(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of its processes."""
        found = {
            "HOME": str(self.home),
            "ONTOFETCH_CONFIG": "",
            "ONTOFETCH_DURABILITY": "off",
            "ONTOFETCH_ROOT": str(self.root),
        }
        return {**common_variables(self.skew), **found, **self.environment, **(more or {})}

    def run(self, *words: str | Path, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command of the program to its end."""
        return self._run("-m", "ontofetch_catalog", *map(str, words), seconds=seconds)

    def python(self, code: str, *words: str | Path, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a text of Python to its end."""
        return self._run("-c", code, *map(str, words), seconds=seconds)

    def start(
        self, *words: str | Path, environment: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        """Start a command of the program, which may be stopped, continued and killed; `python` begins with `-c`."""
        arguments = [str(word) for word in words]
        if arguments[:1] != ["-c"]:
            arguments = ["-m", "ontofetch_catalog", *arguments]
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.work,
            env=self.variables(environment),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _run(self, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.work,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

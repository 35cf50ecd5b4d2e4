"""Child processes of the benchmarks: how they are run and how the peak of their memory is read.

What they do stands in `jobs`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(sys.executable).with_name("ontofetch")
TOP = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Peak:
    """The peak of a child's resident memory in bytes: before its work, and at the end; and what it told of the work."""

    before: int
    after: int
    told: int

    @property
    def grown(self) -> int:
        """Return by how many bytes the work raised the peak."""
        return self.after - self.before


def peak_of(job: str, *words: str | Path) -> Peak:
    """Run one of `jobs` in a process of its own and return the peak of its memory."""
    done = run([sys.executable, "-m", "benchmarks.jobs", job, *map(str, words)])
    return Peak(**json.loads(done.stdout.splitlines()[-1]))


def run(words: list[str | Path], root: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a process to its end; a failure is an error that shows what it said."""
    # a package that pip installed has its bytecode; here it may be written, where the environment says otherwise
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ONTOFETCH_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    if root is not None:
        environment["ONTOFETCH_ROOT"] = str(root)
    done = subprocess.run(
        words, env=environment, cwd=TOP, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        raise RuntimeError(f"{words} ended with {done.returncode}:\n{done.stderr}")
    return done

"""What commands cost at each size: measured, kept in a file of JSON lines, and fitted."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from . import waiting
from .children import SCRIPT
from .scale_commands import SHARING, Words

ROUNDS, LONG = 2, 15.0  # a command that has taken so many seconds of the clock is not run again


@dataclass(frozen=True, slots=True)
class Cost:
    """What one command cost at one size: seconds of all processors and of the clock, bytes at the peak."""

    axis: str
    command: str
    size: int
    seconds: float
    clock: float
    peak: int


def measure(
    axis: str, size: int, words: Mapping[str, str], commands: Mapping[str, Words], keep: Path | None
) -> Iterator[Cost]:
    """Run every command some times and yield the least that it took, which other work on the machine disturbs least."""
    for command, template in commands.items():
        found = []
        for number in range(ROUNDS):
            found.append(_run(words, template, number, sharing=command in SHARING))
            if sum(one["clock"] for one in found) > LONG:
                break
        best = min(found, key=lambda one: one["seconds"])
        peak = int(max(one["peak"] for one in found))
        cost = Cost(axis, command, size, best["seconds"], min(one["clock"] for one in found), peak)
        print(
            f"{axis} {size:>11,} {command:<24} {cost.seconds:8.2f} s {cost.clock:8.2f} s by the clock"
            f" {cost.peak // 10**6:6,} MB",
            file=sys.stderr,
        )
        if keep:
            with keep.open("a") as stream:
                stream.write(json.dumps(asdict(cost)) + "\n")
        yield cost


def _run(words: Mapping[str, str], template: Words, number: int, *, sharing: bool) -> dict[str, float]:
    """Run the program over a store and return what it took, of the largest of its processes the peak."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONTOFETCH_")}
    environment["ONTOFETCH_ROOT"] = f"{words['room']}/store"
    if sharing:
        environment["ONTOFETCH_STORE_SHARE"] = "hardlink"
    command = [str(SCRIPT), *(word.format(**words, number=number) for word in template)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", waiting.__file__, *command],
        env=environment, cwd=words["room"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    took: dict[str, float] = json.loads(done.stdout)
    if took["code"] not in (0, 3):
        raise RuntimeError(f"{command} ended with {took['code']}: {done.stderr[-2000:]}")
    return took


def read_costs(path: Path) -> list[Cost]:
    """Return the costs that were kept in a file; of one that was measured several times, the last."""
    kept = (Cost(**json.loads(line)) for line in path.read_text().splitlines())
    return list({(cost.axis, cost.command, cost.size): cost for cost in kept}.values())


def exponent(costs: Iterable[Cost]) -> float:
    """Return the slope of the best line through log(seconds) over log(size); 0 for a single size."""
    found = list(costs)
    if len(found) < 2:
        return 0.0
    logs = [math.log(cost.size) for cost in found], [math.log(max(cost.seconds, 1e-3)) for cost in found]
    return statistics.linear_regression(*logs).slope

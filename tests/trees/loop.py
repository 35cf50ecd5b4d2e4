"""The loop over many trees, in a few forked processes, and the counts of their traps.

How one tree is made and judged is not known here.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.crash.loop import workers

_base: list[Path] = []


@dataclass(slots=True)
class Report:
    """What a run has seen: how often each trap was hit, and (number, what is wrong) of the trees that failed."""

    traps: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, str]] = field(default_factory=list)
    trees: int = 0
    seconds: float = 0.0


def run(count: int, seed: int, *, first: int = 0, processes: int = 2, told: Callable[[int], object] = int) -> Report:
    """Try `count` trees from number `first` on; each is decided by the seed and its number."""
    start, report = time.monotonic(), Report()
    with workers(processes, _start) as pool:
        found = pool.imap_unordered(partial(_try, seed), range(first, first + count), chunksize=8)
        for number, names, wrong in found:
            report.trees += 1
            report.traps.update(names)
            report.broken += [(number, wrong)] if wrong else []
            told(report.trees)
    report.seconds = time.monotonic() - start
    return report


def _start(base: Path) -> None:
    from .trial import make_template

    logging.disable(logging.WARNING)  # of open boundaries, in thousands
    place = base / f"worker-{os.getpid()}"
    make_template(place / "template")
    _base.append(place)


def _try(seed: int, number: int) -> tuple[int, list[str], str]:
    from .trial import try_tree

    names, wrong = try_tree(_base[-1] / "template", _base[-1] / "tree", seed, number)
    return number, names, wrong

"""Try what strangers may hand over for some minutes, and say kind by kind what held.

usage: python -m tests.hostile [--seconds 600] [--seed N] [--only KIND-OR-NAME]…

First the inputs that have a name, in any order, then drawn ones in batches, then the races and the coverage-guided
readers (where atheris is installed): each has a share of the time. Exit status 1 where something did not
hold; each failure comes with the command that repeats it.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import fuzz, guided, races
from .inputs import INPUTS
from .oracles import Verdict, try_attack
from .places import TOP, Bench

BATCH = 5
NAMED_SHARE, RACE_SHARE, GUIDED_SHARE = 0.4, 0.15, 0.1
SWAPS = 10_000
KEPT = TOP / ".build" / "hostile"


@dataclass(slots=True)
class Table:
    """What was tried, kind by kind, and what did not hold."""

    tried: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    repeats: list[str] = field(default_factory=list)

    def add(self, kind: str, count: int, faults: list[str], repeat: str) -> None:
        """Count something that was tried, and print at once what did not hold."""
        self.tried[kind] += count
        if not faults:
            return
        self.failed[kind] += 1
        self.repeats.append(f"python -m tests.hostile {repeat}")
        for fault in faults:
            print(f"{kind}: {fault}", flush=True)
        print(f"    {self.repeats[-1]}", flush=True)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the table."""
        yield f"{'kind':<22}{'tried':>8}{'held':>8}{'not held':>10}"
        for kind in sorted(self.tried):
            failed = self.failed[kind]
            yield f"{kind:<22}{self.tried[kind]:>8}{self.tried[kind] - failed:>8}{failed:>10}"
        yield from self.repeats


def main(words: list[str]) -> int:
    """Run and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, help="run the one drawn batch of this number of each kind")
    parser.add_argument("--only", action="append", default=[], metavar="KIND-OR-NAME")
    asked = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    table = Table()
    bench = Bench(folder)
    end = time.monotonic() + asked.seconds
    try:
        if asked.seed is None:
            _named(bench, table, asked.only, time.monotonic() + asked.seconds * NAMED_SHARE)
        _drawn(bench, table, asked, end - asked.seconds * (RACE_SHARE + GUIDED_SHARE))
        if asked.seed is None and _is_wanted("races", asked.only):
            for told in races.run(bench, SWAPS, max(asked.seconds * RACE_SHARE, 20)):
                print(told.line, flush=True)
                table.add("races", told.swaps, list(told.faults), "--only races")
        if asked.seed is None and _is_wanted("guided", asked.only):
            for told in guided.run(folder, max(asked.seconds * GUIDED_SHARE, 10)):
                print(told.line, flush=True)
                table.add("guided", told.tried, list(told.faults), "--only guided")
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(table.lines()))
    return 1 if table.repeats else 0


def _is_wanted(kind: str, only: list[str], name: str = "") -> bool:
    return not only or kind in only or name in only


def _named(bench: Bench, table: Table, only: list[str], end: float) -> None:
    """Try the inputs that have a name, in another order each time; those that were asked for, however long it takes."""
    wanted = [attack for attack in INPUTS if _is_wanted(f"named {attack.kind}", only, attack.name)]
    random.shuffle(wanted)
    for number, attack in enumerate(wanted):
        if time.monotonic() > end and not only:
            print(f"{len(wanted) - number} of {len(wanted)} inputs with a name were not reached: give more --seconds")
            return
        verdict = try_attack(bench, _as_program(attack, number))
        _add(table, f"named {attack.kind}", verdict, f"--only {attack.name}")


def _drawn(bench: Bench, table: Table, asked: argparse.Namespace, end: float) -> None:
    """Try drawn inputs, a batch of each kind in turns."""
    kinds = [kind for kind in fuzz.KINDS if _is_wanted(kind, asked.only)]
    numbers = itertools.count() if asked.seed is None else iter([asked.seed])
    for number in numbers if kinds else ():
        for kind in kinds:
            for at, attack in enumerate(fuzz.batch(kind, number, BATCH)):
                if asked.seed is None and time.monotonic() > end:
                    return
                verdict = try_attack(bench, _as_program(attack, at))
                _add(table, kind, verdict, f"--only {kind} --seed {number}")
                if verdict.faults:
                    fuzz.keep(KEPT / f"{kind}-{number}-{at}", verdict)


def _as_program(attack: fuzz.Attack, number: int) -> fuzz.Attack:
    """Let every fifth attack meet the installed program itself."""
    from dataclasses import replace

    return replace(attack, how="program") if number % 5 == 4 else attack


def _add(table: Table, kind: str, verdict: Verdict, repeat: str) -> None:
    faults = [f"{verdict.attack.name}: {fault.oracle}: {fault.text}" for fault in verdict.faults]
    table.add(kind, 1, faults, repeat)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

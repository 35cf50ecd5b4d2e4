"""Try generated trees and print how often each trap was hit: `python -m tests.trees [--count N] [--seed N]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .loop import run
from .trial import NAMES

LEAST = 200  # of 10,000
SHOWN = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the words say and return the exit code: 0 if all holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.trees", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="how many trees")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--seed", type=int, default=20260101, help="decides all of them")
    parser.add_argument("--processes", type=int, default=2, help="workers side by side")
    args = parser.parse_args(argv)

    def told(done: int) -> None:
        if done % 100 == 0:
            print(f"\r{done:,} trees", end="", file=sys.stderr, flush=True)

    report = run(args.count, args.seed, first=args.first, processes=args.processes, told=told)
    for name in NAMES:
        print(f"{name.replace('_', ' '):<20}{report.traps[name]:>8,}")
    print(f"{report.trees:,} trees in {report.seconds:,.0f} s, seed {args.seed}")
    for number, wrong in sorted(report.broken)[:SHOWN]:
        print(f"\n{wrong}\n    python -m tests.trees --count 1 --first {number} --seed {args.seed} --processes 1")
    rare = [name for name in NAMES if report.traps[name] * 10_000 < LEAST * args.count] if args.count > 1 else []
    for name in rare:
        print(f"{name} was hit too rarely")
    print(f"broken: {len(report.broken)}" if report.broken else "not one live file lost, every orphan found")
    return 1 if report.broken or rare else 0


if __name__ == "__main__":
    sys.exit(main())

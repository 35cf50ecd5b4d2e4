"""How the cost of each command grows with the age of a store: processor time and peak memory by size, and exponents.

usage: python -m benchmarks.scale [--releases 100,1000,10000] [--rows 100000,1000000,20000000] [--files 10000,100000,
1000000] [--only COMMAND] [--keep FILE] [--from FILE] [--plot FILE]

Three axes. Along *releases*, every release lies on disk (five small files, one artifact, its documents), so that all
commands can be run; along *rows*, a hundred releases hold ever more rows, and what needs files on disk is left out;
along *files*, one release has ever more files, for what looks at them. Commands run as processes of their own, which
are asked what they used: the fit is over the time of the processors, which other work on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.documents import serving

from .children import TOP, run
from .machine import describe_machine
from .scale_commands import AXES, memory_of, most_of
from .scale_costs import Cost, exponent, measure, read_costs
from .scale_plot import draw

SIZES = {"releases": "100,1000,10000", "rows": "100000,1000000,20000000", "files": "10000,100000,1000000"}


def main() -> int:
    """Measure, print, and say by the exit code whether something is steeper or larger than it may be."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for axis, sizes in SIZES.items():
        parser.add_argument(f"--{axis}", default=sizes, help=f"sizes along the axis of {axis} (default: {sizes})")
    parser.add_argument("--only", action="append", default=[], metavar="COMMAND", help="a command; may be repeated")
    parser.add_argument("--keep", type=Path, help="append what is measured to this file")
    parser.add_argument("--from", dest="source", type=Path, help="measure nothing, show what a file has kept")
    parser.add_argument("--plot", type=Path, help="where to draw it")
    args = parser.parse_args()
    if args.source:
        costs = read_costs(args.source)
    else:
        sizes = {axis: [int(size) for size in getattr(args, axis).split(",") if size] for axis in SIZES}
        costs = [cost for axis in SIZES for size in sizes[axis] for cost in at_size(axis, size, args.only, args.keep)]
    print("\n".join(describe_machine(TOP)))
    beyond = [line for axis in SIZES for line in tell(axis, costs)]
    print("\n" + ("\n".join(beyond) or "nothing is steeper or larger than it may be"))
    if args.plot:
        args.plot.write_bytes(draw(costs))
    return 1 if beyond else 0


def at_size(axis: str, size: int, only: Sequence[str], keep: Path | None) -> list[Cost]:
    """Make a store and measure the commands over it; it is gone at the end."""
    room = TOP / f".build/scale/{axis}"
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    try:
        with serving(room) as address:
            made = run([sys.executable, "-m", "benchmarks.scale_stores", axis, str(size), room, address])
            commands = {name: words for name, words in AXES[axis].items() if not only or name in only}
            return list(measure(axis, size, json.loads(made.stdout.splitlines()[-1]), commands, keep))
    finally:
        shutil.rmtree(room, ignore_errors=True)


def tell(axis: str, costs: list[Cost]) -> Iterator[str]:
    """Print a line per command with its exponents; yield a sentence for each that is beyond what it may be."""
    mine = [cost for cost in costs if cost.axis == axis]
    sizes = sorted({cost.size for cost in mine})
    if not sizes:
        return
    print(f"\n{axis:<24}" + "".join(f"{size:>18,}" for size in sizes) + f"{'exponent':>10}{'at last':>9}{'at most':>9}")
    for command in dict.fromkeys(cost.command for cost in mine):
        row = sorted((cost for cost in mine if cost.command == command), key=lambda cost: cost.size)
        shown = {cost.size: f"{cost.seconds:8.2f} s{cost.peak // 10**6:5,} MB" for cost in row}
        slope, last, most = exponent(row), exponent(row[-2:]), most_of(axis, command)
        cells = "".join(f"{shown.get(size, ''):>18}" for size in sizes)
        print(f"{command:<24}{cells}{slope:>10.2f}{last:>9.2f}{most:>9.1f}")
        if slope > most:
            yield f"{command} grows by {slope:.2f} along {axis}, at most {most:.1f} are wanted"
        if (peak := max(cost.peak for cost in row)) > memory_of(command):
            wanted = memory_of(command) // 10**6
            yield f"{command} holds {peak // 10**6:,} MB along {axis}, at most {wanted:,} MB are wanted"


if __name__ == "__main__":
    sys.exit(main())

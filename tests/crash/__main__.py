"""Run the loop, plant the mutants, or write the table of calls: `python -m tests.crash run | mutants | calls`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from . import counts, loop
from .loop import Report
from .states import ERRORS, MODES, SECOND_MODES, State
from .variants import VARIANTS

SHOWN = 20  # failures of one run that are printed whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the words say and return the exit code: 0 if all holds."""
    args = _parser().parse_args(argv)
    names = _names(args)
    with loop.workers(args.processes) as pool:
        if args.what == "calls":
            counts.write_table({name: len(calls) for name, calls in pool.imap(loop.calls_of, sorted(VARIANTS))})
            return 0
        if args.what == "mutants":
            from .mutants import run_mutants

            return run_mutants(pool, args.name or None, args.sample)
        report = loop.run(
            pool, names, wanted=_wanted(args), sample=args.sample, seed=args.order, only=_only(args), told=_progress()
        )
    print(file=sys.stderr)
    return _show(report, whole=not _is_narrowed(args))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("what", choices=("run", "mutants", "calls"))
    parser.add_argument("--operation", action="append", help="only this operation (download, extract …)")
    parser.add_argument("--variant", action="append", help="only this variant (download/new …)")
    parser.add_argument("--mode", choices=MODES, help="only this mode")
    parser.add_argument("--at", type=int, help="only this call")
    parser.add_argument("--then", type=int, help="only this call of the recovery")
    parser.add_argument("--error", choices=ERRORS, help="only this error")
    parser.add_argument("--seed", type=int, help="only this choice of what a power cut leaves")
    parser.add_argument("--sample", type=int, default=0, help="so many states of each variant, not all")
    parser.add_argument("--order", type=int, default=0, help="seed of that sample")
    parser.add_argument("--name", action="append", help="only this mutant")
    parser.add_argument("--processes", type=int, default=2, help="workers side by side")
    return parser


def _names(args: argparse.Namespace) -> list[str]:
    names = [
        name
        for name, variant in VARIANTS.items()
        if (not args.operation or variant.operation in args.operation) and (not args.variant or name in args.variant)
    ]
    if not names:
        sys.exit(f"There is no such variant. There are: {', '.join(VARIANTS)}")
    return names


def _is_narrowed(args: argparse.Namespace) -> bool:
    narrowing = (
        args.operation,
        args.variant,
        args.mode,
        args.at,
        args.then,
        args.error,
        args.seed,
        args.sample or None,
    )
    return any(value is not None for value in narrowing)


def _wanted(args: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(args, name) for name in ("mode", "at", "then", "error", "seed")}
    return {name: value for name, value in given.items() if value is not None}


def _only(args: argparse.Namespace) -> State | None:
    """Return the one state that a command names which reproduces a failure; None if it names more than one."""
    if not (args.variant and len(args.variant) == 1 and args.mode and args.at):
        return None
    needed = ("error",) if args.mode.startswith("fail") else ("then",) if args.mode in SECOND_MODES else ()
    if not all(getattr(args, name) for name in needed):
        return None
    return State(args.variant[0], args.mode, args.at, args.then or 0, args.error or "", args.seed or 0)


def _progress() -> Callable[[Report], None]:
    seen = 0

    def told(report: Report) -> None:
        nonlocal seen
        for state, invariant, _ in report.broken[seen:]:
            print(f"\r{invariant}: {state.command()}", file=sys.stderr)
        seen = len(report.broken)
        if len(report.states) % 100 == 0:
            print(f"\r{len(report.states):,} states, {len(report.broken)} broken", end="", file=sys.stderr, flush=True)

    return told


def _show(report: Report, *, whole: bool) -> int:
    modes = [mode for mode in MODES if any(state.mode == mode for state in report.states)]
    print(f"{'operation':<12}" + "".join(f"{mode:>12}" for mode in modes) + f"{'states':>12}")
    for operation, found in sorted(report.per_operation().items()):
        print(f"{operation:<12}" + "".join(f"{found[mode]:>12,}" for mode in modes) + f"{found.total():>12,}")
    print(f"{len(report.states):,} distinct states of {len(report.calls)} variants in {report.seconds:,.0f} s")
    for state, invariant, seen in sorted(report.broken)[:SHOWN]:
        print(f"\n{invariant}: {seen}\n    {state.command()}")
    if len(report.broken) > SHOWN:
        print(f"\n… and {len(report.broken) - SHOWN} more")
    holes = counts.missing_calls(report.calls)
    if whole:
        holes += [
            f"{name} is in {counts.TABLE.name} and no variant" for name in counts.read_table().keys() - report.calls
        ]
    for hole in holes:
        print(hole)
    if not report.states:
        print("there is no such state")
        return 1
    print("broken: " + str(len(report.broken)) if report.broken or holes else "all of them hold")
    return 1 if report.broken or holes else 0


if __name__ == "__main__":
    sys.exit(main())

"""Try all cases; print what was tried and what held, kind by kind: `python -m tests.field [--only WORD]`."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .case import Case
from .cases import CASES

_WIDTH = 48


def main(argv: Sequence[str] | None = None) -> int:
    """Try what the words say and return the exit code: 0 if all holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.field", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose kind or name holds this word")
    args = parser.parse_args(argv)
    tried: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for case in CASES:
        if args.only not in case.title:
            continue
        wrong = try_case(case)
        tried[case.kind] += 1
        held[case.kind] += wrong is None
        if wrong is not None:
            print(f"{case.title}\n    {wrong}", file=sys.stderr, flush=True)
    print(f"{'kind':<{_WIDTH}}{'tried':>7}{'held':>7}{'open':>7}")
    for kind, count in tried.items():
        print(f"{kind:<{_WIDTH}}{count:>7}{held[kind]:>7}{count - held[kind]:>7}")
    total, good = tried.total(), held.total()
    print(f"{'all':<{_WIDTH}}{total:>7}{good:>7}{total - good:>7}")
    return 0 if total and total == good else 1


def try_case(case: Case) -> str | None:
    """Try one case in a folder of its own; return what does not hold, None if all does."""
    logger = logging.getLogger("ontofetch")
    with tempfile.TemporaryDirectory(prefix="field-") as folder:
        try:
            case.run(Path(folder))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the other cases are tried as well
            return f"{type(error).__name__}: {error}"
        finally:
            logger.handlers.clear()
    return None


if __name__ == "__main__":
    sys.exit(main())

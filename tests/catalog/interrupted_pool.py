"""Raise at each step of the main thread through a pool of processes that hash, and print how many steps there were.

A process of its own, because what it looks for is a lock that stays locked: `python -m tests.catalog.interrupted_pool`.
"""

from __future__ import annotations

import faulthandler
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from ontofetch_catalog.catalog.verify.pool import Pool

SECONDS = 20


class Arrived(BaseException):
    """What a signal raises."""


class Steps:
    """Raise at the `last` step: a line or a return of the pool, of queues, or of locks."""

    def __init__(self, last: int) -> None:
        self.left = last

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Count a step."""
        if not frame.f_code.co_filename.endswith(("/pool.py", "/queue.py", "/threading.py")):
            return None
        if event in ("line", "return"):
            self.left -= 1
            if not self.left:
                sys.settrace(None)
                raise Arrived
        return self


def main(root: Path) -> None:
    """Interrupt at step 1, 2, … until one is never reached."""
    step = 0
    while True:
        step += 1
        steps = Steps(step)
        # with the stacks of all threads, if it never ends
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        try:
            with Pool[int](root, 1, lambda count: None) as pool:
                sys.settrace(steps)
                try:
                    for _ in pool.run([(1, ["a"], ["0" * 64], [1])] * 2, lambda: False):
                        pass
                finally:
                    sys.settrace(None)
        except Arrived:
            continue
        break
    print(step)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""The bar that long work shows: on a terminal, on stderr, else nothing.

What is going on is told by whoever does it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import ceil

from .text import human_size, safe_text, shorten_end, whole_number

_COUNTS = 54  # cells of what is counted, the speed, the time and the gaps
_LOOK_BACK = 15.0  # seconds from which the speed is taken
Update = Callable[[int, int | None], None]
_shown = threading.Lock()  # by the bar that is drawn: a terminal has room for one


@contextmanager
def bar(text: str, *, unit: str = "bytes") -> Iterator[Update]:
    """Show a bar with rate and time left while the body runs; it is moved by calling `update(done, total)`.

    What runs inside or beside what is shown is a part of it and shows nothing of its own.

    Args:
        text: What is going on.
        unit: `bytes`, or what is counted; the total is None where nobody knows it.
    """
    wanted = sys.stderr.isatty() and logging.getLogger("ontofetch").isEnabledFor(logging.WARNING)
    if not wanted or not _shown.acquire(blocking=False):
        yield lambda *_: None
        return
    try:
        with _drawn(text, unit) as update:
            yield update
    finally:
        _shown.release()


@contextmanager
def _drawn(text: str, unit: str) -> Iterator[Update]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    pace = Pace()

    class HowFar(ProgressColumn):
        """Drawn anew a few times a second, so that the time moves where nothing else does."""

        def render(self, task: Task) -> Text:
            total = None if task.total is None else int(task.total)
            speed = pace.speed(time.monotonic())
            return Text(how_far(int(task.completed), total, speed, task.elapsed or 0.0, unit=unit))

    console = Console(stderr=True)
    # a line that is too long would break, and the broken one stay on the screen
    length = min(30, console.width // 8)
    # a name from outside may look like rich's markup
    columns = (TextColumn("{task.description}", markup=False), BarColumn(length), HowFar())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(shorten_end(safe_text(text), max(console.width - length - _COUNTS, 1)), total=None)

        def update(done: int, total: int | None) -> None:
            pace.note(time.monotonic(), done)
            shown.update(task, completed=done, total=total)

        yield update


class Pace:
    """How fast work has been in the last moments; it falls while nothing moves, and begins anew where work does."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, now: float, done: int) -> None:
        """Note how much is done at a time in seconds."""
        seen = self._seen
        if seen and done < seen[-1][1]:
            # a second look at the same: the first says nothing of how long this one takes
            seen.clear()
        if len(seen) > 1 and now - seen[-2][0] < _LOOK_BACK / 100:
            seen.pop()
        seen.append((now, done))
        while len(seen) > 2 and now - seen[1][0] > _LOOK_BACK:
            seen.popleft()

    def speed(self, now: float) -> float | None:
        """Return how much is done in a second; None where nobody knows yet, or nothing moves."""
        if not self._seen:
            return None
        (begun, before), (_, done) = self._seen[0], self._seen[-1]
        return (done - before) / (now - begun) if done > before and now > begun else None


def how_far(done: int, total: int | None, speed: float | None, elapsed: float, *, unit: str) -> str:
    """Return how far work is, e.g. `12.0 MiB of 170.0 MiB  4.0 MiB/s  0:00:39 left`.

    Args:
        done: Bytes, or things of another unit.
        total: How many there are; None where nobody knows.
        speed: Of them a second; None where nobody knows yet.
        elapsed: Seconds since the beginning.
        unit: `bytes`, or what is counted.
    """
    count = human_size if unit == "bytes" else whole_number
    words = [count(done) if total is None else f"{count(done)} of {count(total)}"]
    if unit != "bytes":
        words[0] += f" {unit}"
    if speed:
        words.append(f"{count(round(speed))}/s")
    if speed and total is not None and total > done:
        words.append(f"{timedelta(seconds=ceil((total - done) / speed))} left")
    else:
        words.append(f"{timedelta(seconds=int(elapsed))}")
    return "  ".join(words)

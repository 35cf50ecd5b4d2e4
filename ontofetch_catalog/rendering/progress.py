"""The bar that long work shows: on a terminal, on stderr, else nothing.

What is going on is told by whoever does it.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .text import safe_text, shorten_end

_COUNTS = 42  # cells of what is counted, the speed, the time and the gaps
Update = Callable[[int, int | None], None]
_shown = threading.Lock()  # by the bar that is drawn: a terminal has room for one


@contextmanager
def bar(text: str, *, unit: str = "bytes") -> Iterator[Update]:
    """Show a bar with rate and time left while the body runs; it is moved by calling `update(done, total)`.

    Args:
        text: What is going on.
        unit: `bytes`, or what is counted; the total is None where nobody knows it.
    """
    if _shown.locked() or not sys.stderr.isatty() or not logging.getLogger("ontofetch").isEnabledFor(logging.WARNING):
        yield _ignore
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    counts: tuple[ProgressColumn, ...] = (MofNCompleteColumn(), TextColumn(unit))
    if unit == "bytes":
        counts = (DownloadColumn(binary_units=True), TransferSpeedColumn())
    console = Console(stderr=True)
    # a line that is too long would break, and the broken one stay on the screen
    length = min(40, console.width // 4)
    # a name from outside may look like rich's markup
    columns = (TextColumn("{task.description}", markup=False), BarColumn(length), *counts, TimeRemainingColumn())
    # what runs inside or beside what is shown is a part of it
    with _shown, Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(shorten_end(safe_text(text), max(console.width - length - _COUNTS, 1)), total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _ignore(done: int, total: int | None) -> None:
    del done, total

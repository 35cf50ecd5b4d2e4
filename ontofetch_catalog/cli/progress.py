"""Own the bar that long work of `db` shows: on a terminal, on stderr, else nothing; the log tells the rest.

What is going on is told by whoever does it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..rendering.text import safe_text

Update = Callable[[int, int], None]


@contextmanager
def bar(text: str, *, unit: str = "bytes") -> Iterator[Update]:
    """Show a bar with rate and time left while the body runs; it is moved by calling `update(done, total)`.

    Args:
        text: What is going on.
        unit: `bytes`, or what is counted.
    """
    if not sys.stderr.isatty() or not logging.getLogger("ontofetch").isEnabledFor(logging.INFO):
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
    # a name from outside may look like rich's markup
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), *counts, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(safe_text(text), total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _ignore(done: int, total: int) -> None:
    del done, total

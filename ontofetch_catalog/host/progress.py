"""Own the progress bars of the host: on a terminal, on stderr, else nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(text: str, *, unit: str, quiet: bool) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar while the body runs; it is moved by calling `update(done, total)`.

    Args:
        text: What is going on.
        unit: `bytes`, or what is counted.
        quiet: Show nothing.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None  # noqa: ARG005 - the same call as below
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    counts = (DownloadColumn(binary_units=True), TransferSpeedColumn()) if unit == "bytes" else (MofNCompleteColumn(),)
    columns = (TextColumn("{task.description}"), BarColumn(), *counts, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(text, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)

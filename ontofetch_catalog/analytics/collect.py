"""The one place where lazy frames are collected, and what `--profile` tells of it.

It does not know what the frames are about.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal

import polars as pl

Teller = Callable[[str], None]  # prints lines for people


def collect(
    frames: Mapping[str, pl.LazyFrame],
    tell: Teller | None = None,
    explain: Callable[[], Exception | None] = lambda: None,
    *,
    held: bool = False,
) -> dict[str, pl.DataFrame]:
    """Run all `frames` as one query and return name → frame.

    Args:
        frames: Name → what to collect.
        tell: Prints the optimized plans and the time; None for none.
        explain: Returns a better error when the query fails, None if it knows none.
        held: Whether all that they read is a part of what is in memory already: starting the streaming engine for it
            takes longer than the query.
    """
    engine: Literal["in-memory", "streaming"] = "in-memory" if held else "streaming"
    start = time.perf_counter()
    try:
        collected = pl.collect_all(list(frames.values()), engine=engine)
    except pl.exceptions.PolarsError as error:
        raise explain() or error from error
    spent = time.perf_counter() - start
    if tell is not None:
        for name, frame in frames.items():
            tell(f"-- polars, {name}\n{frame.explain(engine=engine)}")
        tell(f"-- polars: {len(frames)} frames in {spent * 1000:.1f} ms")
    return dict(zip(frames, collected, strict=True))

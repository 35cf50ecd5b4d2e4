"""Own the one place where lazy frames are collected, and what `--profile` tells of it.

It does not know what the frames are about.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import polars as pl

Teller = Callable[[str], None]  # prints lines for people


def collect(frames: Mapping[str, pl.LazyFrame], tell: Teller | None = None) -> dict[str, pl.DataFrame]:
    """Run all `frames` as one streaming query and return name → frame; with `tell`, their optimized plans and time."""
    start = time.perf_counter()
    collected = pl.collect_all(list(frames.values()), engine="streaming")
    spent = time.perf_counter() - start
    if tell is not None:
        for name, frame in frames.items():
            tell(f"-- polars, {name}\n{frame.explain(engine='streaming')}")
        tell(f"-- polars: {len(frames)} frames in {spent * 1000:.1f} ms")
    return dict(zip(frames, collected, strict=True))

"""How far bytes have gone between a machine and the objects, as whoever wants to know is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..connection import Store


def teller(store: Store, total: int) -> Callable[[int], None]:
    """Return what is told of bytes that have gone to or fro, by any thread, and tells whoever wants to know."""
    progress, alone, done = store.progress, threading.Lock(), 0

    def tell(size: int) -> None:
        nonlocal done
        if progress is not None:
            with alone:
                done += size
                progress(done, total)

    return tell

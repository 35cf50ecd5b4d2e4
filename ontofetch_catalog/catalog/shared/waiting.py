"""Wait for what a library does in the background, so that Ctrl-C ends it at once and not after its time-outs.

One loop in one thread of the background serves all stores of a process; whoever waits can be interrupted.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")
_lock = threading.Lock()
_loops: dict[
    int, asyncio.AbstractEventLoop
] = {}  # process → its loop: a forked process has none of its parent's threads


def wait_for(act: Callable[[], Awaitable[_T]]) -> _T:
    """Begin something in the background and return what it yields; raises what it raises.

    Interrupted, it is cancelled, and nobody waits for it any longer.
    """

    async def run() -> _T:
        return await act()

    future = asyncio.run_coroutine_threadsafe(run(), _loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _loop() -> asyncio.AbstractEventLoop:
    with _lock:
        found = _loops.get(os.getpid())
        if found is None:
            found = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=found.run_forever, name="objects", daemon=True).start()
        return found

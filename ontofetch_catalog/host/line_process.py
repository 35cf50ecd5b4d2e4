"""One process that answers a line for a line: how it is started, asked, waited for and ended.

What the lines say is not known here.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
import time
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import Any

from ..children.start import start_module

_MODULE = "ontofetch_catalog.host.worker"  # what it runs
_POLL_SECONDS = 0.2  # how soon a worker's thread notices that the run was given up


class LineProcess:
    """A process of ours, started when it is needed and again after it was lost.

    Args:
        starter: Starts it. Linux ends it with the thread that has started it, which is to live as long as the run.
        memory: Bytes it may take; 0: any.

    Attributes:
        answered: How many lines it has answered since it was started.
    """

    def __init__(self, starter: Executor, *, memory: int) -> None:
        self._starter = starter
        self._memory = memory
        self.answered = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._starting: Future[subprocess.Popen[bytes]] | None = None

    @property
    def pid(self) -> int | None:
        """Return its number, None where it does not run."""
        return None if self._process is None else self._process.pid

    def exchange(self, request: dict[str, Any], timeout: float, given_up: threading.Event) -> tuple[bytes, int | None]:
        """Send a request; return the whole line of the answer, else nothing and how the process ended, if it did."""
        process = self._start()
        with suppress(BrokenPipeError):
            _stream(process.stdin).write(json.dumps(request).encode() + b"\n")
            _stream(process.stdin).flush()
        line = self._read_line(process, timeout, given_up)
        if line.endswith(b"\n"):
            self.answered += 1
            return line, None
        code = process.poll()
        self.stop()
        return b"", code

    def get_ready(self) -> None:
        """Begin to start the process."""
        if self._starting is None and self._process is None:
            self._starting = self._starter.submit(start_module, _MODULE, str(os.getpid()), memory=self._memory)

    def _start(self) -> Any:
        self._take_started()
        if self._process is not None and self._process.poll() is not None:
            self.stop()
        self.get_ready()
        return self._take_started()

    def _take_started(self) -> Any:
        starting, self._starting = self._starting, None
        if starting is not None:
            self._process = starting.result()
        return self._process

    @staticmethod
    def _read_line(process: subprocess.Popen[bytes], timeout: float, given_up: threading.Event) -> bytes:
        descriptor = _stream(process.stdout).fileno()
        deadline = time.monotonic() + timeout
        line = b""
        while not line.endswith(b"\n") and not given_up.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                break
            if not select.select([descriptor], [], [], min(left, _POLL_SECONDS))[0]:
                continue
            data = os.read(descriptor, 65_536)
            if not data:
                process.wait()
                break
            line += data
        return line

    def stop(self) -> None:
        """End the process, if there is one, and wait for it."""
        self._take_started()
        self.answered = 0
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                _stream(stream).close()
        self._process = None


def _stream(stream: Any) -> Any:
    if stream is None:
        raise RuntimeError("the worker was started without pipes")
    return stream

"""Own the forked children: one does some work and says what came of it, or dies; its parent sees which.

It knows neither stores nor acts.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: killed by which signal (0: by none), its answer, and what it wrote to stderr."""

    signal: int
    answer: dict[str, Any]
    stderr: str


def run_child(work: Callable[[], dict[str, Any]], stderr: Path) -> Ended:
    """Fork, let the child do `work`, and return how it ended; stdout is thrown away, stderr goes to a file.

    Raises:
        AssertionError: The child raised: then not the package is at fault but what called it.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _live(work, stderr, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        data = stream.read()
    _, status = os.waitpid(pid, 0)
    said = stderr.read_text(errors="replace") if stderr.exists() else ""
    if os.WIFSIGNALED(status):
        return Ended(os.WTERMSIG(status), {}, said)
    answer = json.loads(data) if data else {"broken": f"exit status {os.waitstatus_to_exitcode(status)}"}
    assert "broken" not in answer, f"the child failed: {answer['broken']}\n{said}"
    return Ended(0, answer, said)


def _live(work: Callable[[], dict[str, Any]], stderr: Path, writer: int) -> None:
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(stderr, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644), 2)
        try:
            answer = work()
        except BaseException:  # noqa: BLE001 - it goes to the parent, which raises
            answer = {"broken": traceback.format_exc()}
        sys.stdout.flush()
        sys.stderr.flush()
        data = json.dumps(answer, default=str).encode()
        while data:
            data = data[os.write(writer, data) :]
    finally:
        os._exit(0)

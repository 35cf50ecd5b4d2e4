"""The forked children: one does some work and says what came of it, or dies; its parent sees which.

What is not meant to die may be left to a `Steady` child, which goes on to the next: a new child spends most of its time
on pages that it touches for the first time. They know neither stores nor acts.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None)


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
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _end_with(parent)
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


class Steady:
    """A child that does one piece of work after the other; it ends with its parent.

    Args:
        work: Does what a request asks for and returns the answer; what it changes in its process it takes back.
        stderr: Where what it writes to stderr goes, anew for each request.
    """

    def __init__(self, work: Callable[[dict[str, Any]], dict[str, Any]], stderr: Path) -> None:
        self._stderr = stderr
        from_parent, to_child = os.pipe()
        from_child, to_parent = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _end_with(parent)
            os.close(to_child)
            os.close(from_child)
            _serve(work, stderr, from_parent, to_parent)
        os.close(from_parent)
        os.close(to_parent)
        self._requests = os.fdopen(to_child, "w", encoding="utf-8")
        self._answers = os.fdopen(from_child, encoding="utf-8")

    def ask(self, request: dict[str, Any]) -> Ended:
        """Let it work and return how that ended.

        Raises:
            AssertionError: The work raised, or the child is no more.
        """
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        line = self._answers.readline()
        said = self._stderr.read_text(errors="replace") if self._stderr.exists() else ""
        answer = json.loads(line) if line else {"broken": "it is no more"}
        assert "broken" not in answer, f"the steady child failed: {answer['broken']}\n{said}"
        return Ended(0, answer, said)

    def close(self) -> None:
        """Let it end."""
        self._requests.close()
        self._answers.close()
        os.waitpid(self.pid, 0)


def _end_with(parent: int) -> None:
    """Let this child die when its parent does: it would make folders again that a run which was ended has removed."""
    if sys.platform.startswith("linux"):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _serve(work: Callable[[dict[str, Any]], dict[str, Any]], stderr: Path, requests: int, answers: int) -> None:
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        # nobody freezes and quits here: what goes round in circles is to be found again
        gc.enable()
        with os.fdopen(requests, encoding="utf-8") as stream, os.fdopen(answers, "w", encoding="utf-8") as out:
            for line in stream:
                file = os.open(stderr, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
                os.dup2(file, 2)
                os.close(file)
                try:
                    answer = work(json.loads(line))
                except BaseException:  # noqa: BLE001 - it goes to the parent, which raises
                    answer = {"broken": traceback.format_exc()}
                sys.stdout.flush()
                sys.stderr.flush()
                out.write(json.dumps(answer, default=str) + "\n")
                out.flush()
    finally:
        os._exit(0)


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

"""The process that unpacks, seen from the one that waits for it: started early, asked once, heard to its end.

What it is asked, and what its answers mean, is known to `extract`.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any, Self

from ..children.limits import Allowance
from ..children.start import start_module

LINE = 4 << 20  # bytes of a line from the process: 500 files with the longest names take less
_AHEAD = 1 << 20  # bytes of answers that wait for whoever is busy with something else; Linux gives a pipe no more


class Unpacker:
    """The process that unpacks one archive; a context. It gets ready while others still prepare what it is to unpack.

    Args:
        allowance: What it may take of the machine.
    """

    def __init__(self, allowance: Allowance | None = None) -> None:
        self.allowance = allowance or Allowance()
        self._process = start_module("ontofetch_catalog.host.unpacker", memory=self.allowance.max_memory)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # whatever ends this ends the process, before the stage is thrown away
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None and not self._process.stdout.closed:
            # processes that write for it hold that pipe too: its end comes when the last of them is gone
            while self._process.stdout.read(LINE):
                pass
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()

    def ask(self, told: dict[str, Any]) -> None:
        """Tell it what to do, and do not wait for it."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            return
        _widen(process.stdout)
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()

    def answers(self) -> Iterator[Any]:
        """Yield what it says to that, until it says nothing more."""
        stdout = self._process.stdout
        while stdout is not None and (line := stdout.readline(LINE)).endswith(b"\n"):
            yield json.loads(line)

    def end(self) -> int:
        """Wait for its end, and say how it ended, as `Popen.returncode` does."""
        return self._process.wait()


def _widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold much, where the system can: then nobody has to listen at once."""
    with suppress(AttributeError, OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _AHEAD)

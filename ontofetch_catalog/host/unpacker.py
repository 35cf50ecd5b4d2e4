"""Be the process that unpacks: read an archive, fill a stage that another process holds, tell of it.

One line of JSON for some files, and one at the end. It imports no more than it needs, for its memory is limited and
somebody waits for it to start; what becomes of the stage is not known here.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from ontofetch_hookspecs.stages import StageFolder
from ontofetch_hookspecs.store_paths import StorePath

from ..children.limits import Allowance, limit_cpu, limit_file
from ..content.packed.archives import Budget, Limits, read_entries
from ..content.packed.plain import open_archive
from ..content.packed.selection import Selection
from ..errors import OntofetchError
from .unpacked import as_columns
from .unpacking import Unpacking

_ROWS_TOLD = 500  # files in a line: their names and hashes stay below a megabyte and a half
_TELL_SECONDS = 0.1


_parent = os.getppid()


def end_with(parent: int) -> None:
    """End this process if the one that started it has ended: nobody waits for what it does."""
    if os.getppid() != parent:
        os._exit(1)


def main() -> int:
    """Wait for what to unpack, as `extract.extract_artifact` tells it; nothing: end."""
    # Ctrl-C reaches every process of the terminal; the one that started us decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = sys.stdin.buffer.readline()
    out = sys.stdout.buffer
    try:
        if line:
            _serve(json.loads(line), out)
    except BrokenPipeError:
        os._exit(1)
    except MemoryError:
        _tell(out, ["memory"])
    except OntofetchError as error:
        _tell(out, ["refused", type(error).__name__, error.message, error.subject, error.hint])
    return 0


def _serve(task: dict[str, Any], out: IO[bytes]) -> None:
    root, limits = Path(task["root"]), Limits(**task["limits"])
    limit_file(limits.max_bytes)
    with ExitStack() as stack:
        archive = stack.enter_context(_open(root, task["archive"], task["moves_to"], in_store=task["in_store"]))
        size = os.fstat(archive.fileno()).st_size
        limit_cpu(Allowance(**task["allowance"]).cpu_for(size))
        budget = Budget(task["name"], size, limits)
        unpacking = Unpacking(
            StageFolder(root, task["stage"]),
            budget,
            Selection(task["include"], task["exclude"]),
            drop=task["drop"],
            portable=task["portable"],
            content_type=task["content_type"],
            alive=lambda: end_with(_parent),
        )
        stack.callback(unpacking.close)
        told_at = time.monotonic()

        def told() -> list[Any]:
            rows, unpacking.rows = unpacking.rows, []
            return ["files", as_columns(rows), min(os.lseek(archive.fileno(), 0, os.SEEK_CUR), size)]

        def tell() -> None:
            # also in the middle of a large file
            nonlocal told_at
            if len(unpacking.rows) >= _ROWS_TOLD or time.monotonic() - told_at > _TELL_SECONDS:
                end_with(_parent)
                _tell(out, told())
                told_at = time.monotonic()

        budget.moved = tell
        for entry in read_entries(archive, task["name"], stack, budget):
            unpacking.take(entry)
            tell()
        unpacking.finish(archive)
        _tell(out, told())
        remarks = [asdict(remark) for remark in budget.remarks.list()]
        _tell(out, ["done", sorted(unpacking.tops), unpacking.skipped, remarks])


def _open(root: Path, archive: str, moves_to: str, *, in_store: bool) -> IO[bytes]:
    """Open the archive, which may be moved from one path of the store to another at this moment."""
    if not in_store:
        return open_archive(Path(archive))
    try:
        return open_archive(StorePath(root, archive))
    except FileNotFoundError:
        if not moves_to:
            raise
        # a rename is one step: what has left the one place is at the other
        return open_archive(StorePath(root, moves_to))


def _tell(out: IO[bytes], content: list[Any]) -> None:
    out.write(json.dumps(content).encode() + b"\n")
    out.flush()

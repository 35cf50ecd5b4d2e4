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
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any

from ontofetch_hookspecs.names import path_key, quote, relpath_fault
from ontofetch_hookspecs.stages import CHUNK, StageFolder
from ontofetch_hookspecs.store_paths import StorePath

from ..children.limits import Allowance, limit_cpu, limit_file
from ..content.archives import Budget, Entry, Limits, damage_named, open_archive, read_entries
from ..content.formats import HEAD_BYTES
from ..content.insides import format_inside
from ..errors import ExtractError, OntofetchError

DATA = "data"
_LATEST_TIME = 253_402_300_799.0  # the end of the year 9999, the last a datetime can say
_ROWS_TOLD = 500  # files in a line: their names and hashes stay below a megabyte and a half
_TELL_SECONDS = 0.1


@dataclass(slots=True)
class _Names:
    """The names seen so far, folded as a file system may fold them."""

    budget: Budget
    files: dict[str, str] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)

    def add(self, name: str) -> None:
        """Take a file's name in.

        Raises:
            ExtractError: It meets another one, or lies in too many folders.
        """
        depth = name.count("/")
        self.budget.check_depth(depth)
        # most files lie in the folder of the one before
        end = name.rfind("/")
        if end > 0 and self.folders.get(path_key(name[:end])) != name[:end]:
            self._add_folders(name)
        key = path_key(name)
        self._refuse_other(self.folders.get(key), name)
        self._refuse_other(self.files.get(key), name)
        self.files[name if key == name else key] = name

    def _add_folders(self, name: str) -> None:
        end = name.find("/")
        while end > 0:
            folder = name[:end]
            key = path_key(folder)
            self._refuse_other(self.files.get(key), name)
            other = self.folders.get(key)
            if other is None:
                self.budget.make_folder(folder)
                self.folders[folder if key == folder else key] = folder
            elif other != folder:
                self._refuse_other(other, name)
            end = name.find("/", end + 1)

    def _refuse_other(self, other: str | None, name: str) -> None:
        if other is not None:
            raise ExtractError(
                f"The entry {quote(name)} meets {quote(other)}: they are one file where case is folded.",
                subject=name,
                hint="Nothing was published. Leave one out with --include.",
            )


class Unpacking:
    """One archive on its way into one stage.

    Attributes:
        rows: Path, sha256, format, bytes and time of files that were not told of yet.
        tops: The first parts of the names, two of them at most.
        skipped: How many files were left out because their name is too short.
    """

    def __init__(self, stage: StageFolder, budget: Budget, content_type: str | None = None) -> None:
        self.rows: list[tuple[str, str, str, int, float]] = []
        self.tops: set[str] = set()
        self.skipped = 0
        self._stage = stage
        self._budget = budget
        self._content_type = content_type
        self._names = _Names(budget)

    def take(self, entry: Entry, include: list[str], drop: int) -> None:
        """Check an entry and, if it is wanted, write it below the stage's data folder."""
        name = entry.name.removesuffix("/") if entry.kind == "folder" else entry.name
        name = name.removeprefix("./")
        if entry.kind == "folder" and name in ("", "."):
            return
        fault = relpath_fault(name)
        if fault is not None:
            raise self._refused(name, fault)
        if entry.kind == "folder":
            return
        if entry.kind != "file":
            raise self._refused(name, f"is {entry.kind}")
        if len(self.tops) < 2:
            self.tops.add(name.partition("/")[0] if "/" in name else "")
        if include and not any(fnmatchcase(name, pattern) for pattern in include):
            return
        parts = name.split("/", drop)
        if len(parts) <= drop:
            self.skipped += 1
            return
        self._names.add(parts[-1])
        self._write(entry, parts[-1])

    def _refused(self, name: str, fault: str) -> ExtractError:
        self._budget.entry = name
        return self._budget.refused(fault)

    def _write(self, entry: Entry, relpath: str) -> None:
        mtime = float(int(min(max(entry.mtime, 0.0), _LATEST_TIME)))
        with self._stage.write_file(f"{DATA}/{relpath}", mtime=mtime) as staged:
            head = b""
            for chunk in self._chunks(entry):
                if len(head) < HEAD_BYTES:
                    head += chunk[: HEAD_BYTES - len(head)]
                staged.write(chunk)
        place = self._stage.place / f"{DATA}/{relpath}"
        # what the server said of an archive says nothing of its entries
        told = self._content_type if entry.alone else None
        found = format_inside(relpath, head, lambda: os.fdopen(place.open_file(), "rb"), told)
        self.rows.append((relpath, staged.sha256, found, staged.size, mtime))

    def _chunks(self, entry: Entry) -> Iterator[bytes]:
        # only reading may be blamed on the archive: what happens between two chunks is the stage's affair
        with ExitStack() as stack:
            with damage_named(self._budget.name):
                source = stack.enter_context(entry.open())
            while True:
                with damage_named(self._budget.name):
                    chunk = source.read(CHUNK)
                if not chunk:
                    return
                yield chunk
                end_with(_parent)


_parent = os.getppid()


def end_with(parent: int) -> None:
    """End this process if the one that started it has ended: nobody waits for what it does."""
    if os.getppid() != parent:
        os._exit(1)


def main() -> int:
    """Wait for what to unpack, with the words that `extract_artifact` sends; none: end."""
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
    where = task["archive"]
    with ExitStack() as stack:
        archive = stack.enter_context(open_archive(StorePath(root, where) if task["in_store"] else Path(where)))
        size = os.fstat(archive.fileno()).st_size
        limit_cpu(Allowance(**task["allowance"]).cpu_for(size))
        budget = Budget(task["name"], size, limits)
        unpacking = Unpacking(StageFolder(root, task["stage"]), budget, task["content_type"])
        told_at = time.monotonic()
        for entry in read_entries(archive, task["name"], stack, budget):
            unpacking.take(entry, task["include"], task["drop"])
            if len(unpacking.rows) >= _ROWS_TOLD or time.monotonic() - told_at > _TELL_SECONDS:
                end_with(_parent)
                _tell(out, ["files", unpacking.rows, budget.out])
                unpacking.rows, told_at = [], time.monotonic()
        _tell(out, ["files", unpacking.rows, budget.out])
        _tell(out, ["done", sorted(unpacking.tops), unpacking.skipped])


def _tell(out: IO[bytes], content: list[Any]) -> None:
    out.write(json.dumps(content).encode() + b"\n")
    out.flush()

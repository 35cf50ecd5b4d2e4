"""Own one generated store: what lies in it, which of it is an orphan by construction, and a recount of the disk.

It imports nothing of the package; what a trap does, and how a tree is judged, is not known here.
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Look = dict[str, tuple[int, int, int, bytes]]
DATA = "example/sample/1.0/data"


@dataclass(slots=True)
class Tree:
    """A store and what is known about it.

    Args:
        base: Its folder; the store is in it, and a folder beside it that nobody may touch.
        chance: Decides everything that is left open.
        spelling: How the root is written.
        orphans: Files that a plan has to take, below the root.
        later: What happens to the tree once the first plan was compared; it may change `orphans`.
        between: What happens between plan and apply.
        refused: Whether apply must refuse after that.
        closing: What lets go of what a trap holds.
        shared: Whether all of it lies below the root of another catalog, so that nothing may be taken.
    """

    base: Path
    chance: random.Random
    spelling: str = ""
    orphans: set[str] = field(default_factory=set)
    later: list[Callable[[], None]] = field(default_factory=list)
    between: Callable[[], None] | None = None
    refused: bool = False
    closing: list[Callable[[], None]] = field(default_factory=list)
    shared: bool = False

    @property
    def root(self) -> Path:
        """Return the root, plainly spelled."""
        return self.base / "store"

    @property
    def outside(self) -> Path:
        """Return a folder outside of the store."""
        return self.base / "outside"

    def add(self, name: str | bytes, *, orphan: bool = True, folder: str = DATA) -> str:
        """Write a file and return its path below the root."""
        relpath = f"{folder}/{os.fsdecode(name)}"
        path = self.root / relpath
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"orphan " + self.chance.randbytes(self.chance.randrange(40)))
        if orphan:
            self.orphans.add(relpath)
        return relpath

    def live(self) -> str:
        """Return the path below the root of one of the recorded files."""
        return f"{DATA}/{self.chance.choice(LIVE)}"


LIVE = [f"d{number % 5}/{number}.ttl" for number in range(40)]


def look(folder: Path, skipped: str = ".catalog") -> Look:
    """Return path → (inode, mode, mtime, content) of all below a folder but folders, and without `folder/skipped`."""
    found: Look = {}
    pending = [(str(folder), "")]
    while pending:
        above, below = pending.pop()
        with os.scandir(above) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if below or entry.name != skipped:
                        pending.append((entry.path, f"{below}{entry.name}/"))
                    continue
                state = entry.stat(follow_symlinks=False)
                content = _content(entry.path, state.st_mode)
                found[below + entry.name] = (state.st_ino, state.st_mode, state.st_mtime_ns, content)
    return found


def _content(path: str, mode: int) -> bytes:
    if stat.S_ISLNK(mode):
        return os.fsencode(os.readlink(path))
    if not stat.S_ISREG(mode):
        return b""
    with open(path, "rb", buffering=0) as stream:
        return stream.read()


def copy(source: str, target: str) -> None:
    """Copy a folder of small regular files; their times are of now."""
    os.mkdir(target)
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                copy(entry.path, f"{target}/{entry.name}")
                continue
            with open(entry.path, "rb", buffering=0) as stream, open(f"{target}/{entry.name}", "xb", 0) as copied:
                while some := stream.read(1 << 20):
                    copied.write(some)

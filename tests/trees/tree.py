"""Own one generated store: what lies in it, which of it is an orphan by construction, and a recount of the disk.

It imports nothing of the package; what a trap does, and how a tree is judged, is not known here.
"""

from __future__ import annotations

import hashlib
import os
import random
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Look = dict[str, tuple[int, int, int, str]]
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
    for above, folders, names in os.walk(folder):
        if Path(above) == folder and skipped in folders:
            folders.remove(skipped)
        links = [name for name in folders if Path(above, name).is_symlink()]
        for name in names + links:
            path = os.path.join(above, name)
            state = os.lstat(path)
            if stat.S_ISLNK(state.st_mode):
                content = os.readlink(path)
            else:
                content = hashlib.sha256(Path(path).read_bytes()).hexdigest() if stat.S_ISREG(state.st_mode) else ""
            found[os.path.relpath(path, folder)] = (state.st_ino, state.st_mode, state.st_mtime_ns, content)
    return found

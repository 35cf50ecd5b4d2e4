"""One generated store: what lies in it, which of it is an orphan by construction, and a recount of the disk.

It imports nothing of the package; what a trap does, and how a tree is judged, is not known here.
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Look = dict[str, tuple[int, int, int, bytes]]
SERIES = "example/sample"
OLD, MIDDLE, LATEST = (f"{SERIES}/{version}" for version in ("0.9", "1.0", "2.0"))
DATA = f"{MIDDLE}/data"
DOCUMENTS = (".extract.audit.json", ".validation.audit.json", "manifest.json")
DAY = 86_400 * 10**9  # nanoseconds


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
        refused: Name of the error with which apply must refuse after that, if it must.
        partly: Whether it refuses only once the orphans are moved.
        undone: What lies in the tree before apply and is taken back by the end of an open boundary.
        mend: What happens after the refusal, so that a new plan can be applied.
        asked: What a plan is to take besides orphans, by the names of the policy.
        old_stays: Whether the old release may not go, so that what was asked for takes no release.
        stopped: What may not be asked for: a plan must stop.
        template: The folder whose copy the tree is, with a second store in it.
        second: Where the root of a second store is, below the root.
        closing: What lets go of what a trap holds.
        shared: Whether all of it lies below the root of another catalog, so that nothing may be taken.
    """

    base: Path
    chance: random.Random
    spelling: str = ""
    orphans: set[str] = field(default_factory=set)
    later: list[Callable[[], None]] = field(default_factory=list)
    between: Callable[[], None] | None = None
    refused: str = ""
    partly: bool = False
    undone: set[str] = field(default_factory=set)
    mend: Callable[[], None] | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    old_stays: bool = False
    stopped: dict[str, Any] = field(default_factory=dict)
    template: Path = Path()
    second: str = ""
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

    def taken(self, disk: Iterable[str]) -> set[str]:
        """Return which of the paths on disk a plan has to take."""
        if self.old_stays or not self.asked:
            return set(self.orphans)
        parts = (f"{OLD}/src/", f"{OLD}/data/")
        documents = {f"{OLD}/{name}" for name in DOCUMENTS}
        return self.orphans | {path for path in disk if path.startswith(parts) or path in documents}

    def live(self) -> str:
        """Return the path below the root of one of the recorded files."""
        return f"{DATA}/{self.chance.choice(LIVE)}"


LIVE = [f"d{number % 5}/{number}.ttl" for number in range(40)]
FILES = {OLD: ["a.ttl", "b/b.ttl"], MIDDLE: [*LIVE, "respelled.ttl", "lost.ttl", "\u00e9.ttl"], LATEST: ["a.ttl"]}
RECORDED = {f"{release}/data/{name}" for release, names in FILES.items() for name in names}
RECORDED |= {f"{release}/src/a.zip" for release in FILES}


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
    """Copy a folder of small regular files to where nothing is; their times are of now."""
    os.mkdir(target)
    lay_over(source, target)


def lay_over(source: str, target: str) -> None:
    """Copy what is in a folder into another one, made if it is missing, where none of the files is."""
    os.makedirs(target, exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                lay_over(entry.path, f"{target}/{entry.name}")
                continue
            with open(entry.path, "rb", buffering=0) as stream, open(f"{target}/{entry.name}", "xb", 0) as copied:
                while some := stream.read(1 << 20):
                    copied.write(some)

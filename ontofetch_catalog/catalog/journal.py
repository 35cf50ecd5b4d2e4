"""The intents: what an open boundary is about to move, collected before anything happens on disk.

It knows paths and inodes, and nothing of what is moved. How an intent is written down, and read again, is in `intents`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import field
from typing import NamedTuple

from ontofetch_hookspecs.layout import INTENTS, QUARANTINE
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import check_size
from ontofetch_hookspecs.store_paths import StorePath

from .connection import Store
from .fsops import whole
from .kept_folders import KeptFolders
from .walk import Entry


class Identity(NamedTuple):
    """By what a thing is known again when it has moved: its inode, and its size in bytes (None for a folder)."""

    inode: int
    size: int | None


def identity(found: os.stat_result) -> Identity:
    """Return by what something is known again, of which lstat says this."""
    return Identity(found.st_ino, None if stat.S_ISDIR(found.st_mode) else found.st_size)


class Move(NamedTuple):
    """One rename, root-relative, with the inode of what moves and its size in bytes (None for a folder)."""

    source: str
    target: str
    inode: int
    size: int | None

    def is_at(self, path: StorePath) -> bool:
        """Say whether what moves lies at a path now."""
        try:
            return identity(path.lstat()) == (self.inode, self.size)
        except OSError:
            return False

    def check_numbers(self) -> None:
        """Check that inode and size can be such.

        Raises:
            EventError: One can't.
        """
        check_size("inode", self.inode)
        if self.size is not None:
            check_size("size", self.size)


@dataclass(slots=True)
class Intent:
    """What one boundary is about to do on disk.

    Args:
        boundary_id: Names the boundary and the file below `.catalog/intents`.
        folders: Folders that did not exist before and are made, outermost first.
        moves: The renames, in order: first what is in the way, then what is published.
        stages: Stage folders that are retired when the boundary is done.
    """

    boundary_id: str
    folders: list[str] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)


class IntentDraft:
    """Collect the moves of one boundary; nothing happens on disk but new files in the boundary's own folder."""

    def __init__(self, store: Store, boundary_id: str) -> None:
        self.store = store
        self.intent = Intent(boundary_id)
        self.folder = f"{INTENTS}/{boundary_id}"
        self._folders: set[str] = set()
        self._there: set[str] = set()  # folders that are there already, and stay
        self._planned = ""  # the folder that was seen to last, as long as nothing leaves with a folder
        self._gone: set[str] = set()
        self._moved: dict[str, str] = {}  # folder that comes from elsewhere → where it lies now
        self._has_folder = False

    def publish(self, source: str, target: str) -> None:
        """Rename `source` to `target`; what is in the way there is quarantined."""
        self.displace(target, keep=True)
        self.put(source, target, identity(self.store.path(source).lstat()))

    def put(self, source: str, target: str, found: Identity) -> None:
        """Rename `source`, which was just looked at, to `target`, where nothing is or what is leaves before."""
        folder = target.rpartition("/")[0]
        if folder != self._planned:
            self._plan_folders(folder)
            self._planned = folder
        self.intent.moves.append(Move(source, target, *found))

    def put_all(self, source: str, target: str, entries: Iterable[tuple[str, os.stat_result]]) -> None:
        """Likewise for entries (name, lstat) of the folder `source`, each under its name into the folder `target`."""
        self._plan_folders(target)
        self.intent.moves += [Move(f"{source}/{name}", f"{target}/{name}", *identity(found)) for name, found in entries]

    def write(self, target: str, chunks: Iterable[bytes | memoryview]) -> tuple[str, int]:
        """Write a new file now, to be published as `target`; return its sha256 and size in bytes.

        What it replaces is a document that the catalog itself wrote, so it is dropped once the boundary is done.
        """
        prepared = f"{self.folder}/new-{len(self.intent.moves)}-{os.path.basename(target).lstrip('.')}"
        if not self._has_folder:
            whole.make_folders(self.store.path(self.folder))
            self._has_folder = True
        found = whole.write_new(self.store.path(prepared), chunks)
        self.displace(target, keep=False)
        self.put(prepared, target, identity(self.store.path(prepared).lstat()))
        return found

    def move(self, source: str, target: str) -> None:
        """Rename `source` to `target`, where nothing is; what is in a folder goes along."""
        self.move_from(source, source, target)

    def move_all(self, moves: Iterable[tuple[str, str]], known: Mapping[str, Entry] | None = None) -> None:
        """Likewise for very many; it is quick where those of one folder stand together.

        Args:
            moves: (source, target) of each.
            known: Those that were just looked at.
        """
        known = known or {}
        with closing(KeptFolders(self.store.path(""))) as folders:
            for source, target in moves:
                entry = known.get(source)
                found = identity(folders.lstat(source)) if entry is None else entry
                if found.size is None or target.rpartition("/")[0] != self._planned:
                    self._take(source, target, Identity(found.inode, found.size))
                else:
                    # one more file into the folder of the one before: `_take`, but for what it finds nothing to do for
                    self.intent.moves.append(Move(source, target, found.inode, found.size))
                    self._gone.add(source)

    def move_from(self, lies_at: str, source: str, target: str) -> None:
        """Rename what lies at a path now, and at `source` when its turn comes, to `target`."""
        found = identity(self.store.path(lies_at).lstat())
        self._take(source, target, found)
        if found.size is None:
            self._moved[target] = lies_at

    def displace(self, target: str, *, keep: bool) -> None:
        """Move what is at `target`, if anything is, into quarantine, or aside until the boundary is done."""
        self.displace_all((target,), keep=keep)

    def displace_all(self, targets: Iterable[str], *, keep: bool) -> None:
        """Likewise for very many; it is quick where those of one folder stand together."""
        quarantine = f"{QUARANTINE}/{self.intent.boundary_id}"
        with closing(KeptFolders(self.store.path(""))) as folders:
            for target in targets:
                state = None if self.is_gone(target) else folders.find(target)
                if state is not None:
                    found = identity(state)
                    # what nobody will look for needs no folders like those that it lay in: each is one more to sync
                    self.put(target, f"{quarantine}/{target}" if keep else self.aside(), found)
                    self._leave(target, found)

    def aside(self) -> str:
        """Return a path for what is dropped when the boundary is done; the next move makes it another one."""
        return f"{self.folder}/old-{len(self.intent.moves)}"

    def retire_stage(self, relpath: str) -> None:
        """Remember a stage folder that is empty of bytes once this boundary is done."""
        if relpath not in self.intent.stages:
            self.intent.stages.append(relpath)

    def _take(self, source: str, target: str, found: Identity) -> None:
        self.put(source, target, found)
        self._leave(source, found)
        if found.size is None:
            self._folders.add(target)

    def _leave(self, path: str, found: Identity) -> None:
        """Remember that nothing will be at a path; what is in a folder leaves with it."""
        self._gone.add(path)
        if found.size is None:
            self._moved = {target: at for target, at in self._moved.items() if path not in path_and_above(target)}
            self._there.clear()
            self._planned = ""

    def will_be_folder(self, path: str) -> bool:
        """Say whether a folder will be at `path`, or is planned to be made there."""
        return path in self._folders or self.is_folder(path)

    def is_folder(self, path: str) -> bool:
        """Say whether a folder will be at `path` when the moves collected so far are done."""
        if path in self._there:
            return True
        lies_at = next((self._moved[top] + path[len(top) :] for top in path_and_above(path) if top in self._moved), "")
        stays = self.store.path(lies_at or path).is_dir() and (bool(lies_at) or not self.is_gone(path))
        if stays:
            self._there.add(path)
        return stays

    def is_gone(self, path: str) -> bool:
        """Say whether what is at `path`, if anything, will have left when the moves collected so far are done."""
        return not self._gone.isdisjoint(path_and_above(path))

    def _plan_folders(self, folder: str) -> None:
        missing = []
        while folder and folder not in self._folders:
            if self.is_folder(folder):
                break
            missing.append(folder)
            folder = os.path.dirname(folder)
        for path in reversed(missing):
            self._folders.add(path)
            self.intent.folders.append(path)


def path_and_above(path: str) -> Iterator[str]:
    """Yield a path and the folders that hold it, the innermost first; not the root."""
    while path:
        yield path
        path = path.rpartition("/")[0]

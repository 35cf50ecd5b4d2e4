"""The model of what a disk remembers: which contents and which entries of folders are durable, which are not yet.

It stands behind the seam and sees every call. A rename is one change that touches one or two folders and is durable
once all of them were synced; until then it may be lost. What was changed later may survive what was changed earlier,
unless both touch the same entry or the same file, as journals of file systems keep those in order. The contents of the
database count as durable; its entries, and those of its log, are entries like any other.
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ontofetch_hookspecs.store_paths import StorePath

# the true functions, since the seam itself is what replaces those of effects
_DATABASE = ("open_database", "close_database", "execute", "begin", "commit", "rollback", "checkpoint")
Key = tuple[int, str]  # (inode of a folder, name in it)


@dataclass(slots=True)
class Change:
    """One change of entries: key → inode or None; the folders that must be synced; what moves; what it empties."""

    entries: dict[Key, int | None]
    inodes: set[int]
    emptied: int | None = None
    durable: bool = False
    doomed: bool = False  # a sync of it failed: no later sync makes it durable
    synced: set[int] = field(default_factory=set)
    folders: set[int] = field(init=False)  # those whose entries change

    def __post_init__(self) -> None:
        """Note the folders."""
        self.folders = {folder for folder, _ in self.entries}


class Shadow:
    """The durable state below `root`; `volatile` names files and folders there that nobody has synced yet.

    Args:
        root: What is watched, with the store in it; all of it but `volatile` counts as durable now.
        grave: A folder on the same file system, where removed things wait in case their removal is lost.
        volatile: Root-relative paths, with all below them.
    """

    def __init__(self, root: Path, grave: Path, volatile: Iterable[str] = ()) -> None:
        # strings all over: a model that is asked at every call has no time for `pathlib`
        self._root = str(root)
        self._catalog = f"{root}/store/.catalog"
        self._grave = str(grave)
        self._pool = f"{grave}-pool"
        self._changes: list[Change] = []
        self._solid: set[int] = set()  # files whose contents are durable
        self._ruined: set[int] = set()  # files of which a sync failed
        self._durable: dict[int, dict[str, int]] = {}
        grave.mkdir(exist_ok=True)
        young = tuple(f"{root}/{path}/" for path in volatile)
        self._young: set[int] = set()
        for folder, names, files in os.walk(self._root):
            here = os.stat(folder).st_ino
            self._durable[here] = {}
            for name in (*names, *files):
                inode = os.lstat(f"{folder}/{name}").st_ino
                if young and f"{folder}/{name}/".startswith(young):
                    self._changes.append(Change({(here, name): inode}, {inode}))
                    self._young |= {inode} if os.path.isfile(f"{folder}/{name}") else set()
                else:
                    self._durable[here][name] = inode
                    self._solid.add(inode)
        self._given = len(self._changes)
        self._opened: set[str] = set()  # databases, wherever they are made
        self._databases = self._list_databases()
        self._paths: dict[int, str] = {}  # folders as they are placed in the end

    @property
    def is_settled(self) -> bool:
        """Return whether all that was volatile at the start is durable by now."""
        return all(change.durable for change in self._changes[: self._given]) and not (
            self._young - self._solid | self._young & self._ruined
        )

    # --- what the seam sees -------------------------------------------------------------------------------------------

    def carry_out(self, name: str, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Carry out one call of the seam and remember what it changed."""
        if name in _DATABASE:
            result = original(*args, **kwargs)
            if name == "open_database" and str(args[0]).startswith(f"{self._catalog}/"):
                self._opened.add(str(args[0]))
            self._see_databases()
            return result
        seen = getattr(self, "_" + name, None)
        if seen is None:
            return original(*args, **kwargs)
        return seen(lambda *_, **__: original(*args, **kwargs), *map(_plain, args), **kwargs)

    def _create_file(self, original: Callable[..., int], path: Path) -> int:
        descriptor = original(path)
        inode = os.fstat(descriptor).st_ino
        self._changes.append(Change({_key(path): inode}, {inode}))
        return descriptor

    def _write(self, original: Callable[..., None], descriptor: int, data: Any) -> None:
        original(descriptor, data)
        self._solid.discard(os.fstat(descriptor).st_ino)

    def _rename(self, original: Callable[..., None], source: Path, target: Path, **options: Any) -> None:
        inodes = {source.lstat().st_ino}
        change = Change({_key(source): None, _key(target): source.lstat().st_ino}, inodes)
        replaced = self._bury(target)
        if replaced is not None:
            inodes.add(replaced)
        original(source, target, **options)
        self._changes.append(change)

    def _link(self, original: Callable[..., None], source: Path, target: Path, **options: Any) -> None:
        original(source, target, **options)
        inode = target.lstat().st_ino
        self._changes.append(Change({_key(target): inode}, {inode}))

    def _clone(self, original: Callable[..., None], source: int, target: int) -> None:
        original(source, target)
        self._solid.discard(os.fstat(target).st_ino)

    def _unlink(self, original: Callable[..., None], path: Path, *, folder: int | None = None) -> None:
        inode = self._bury(path)
        original(path, folder=folder)
        self._changes.append(Change({_key(path): None}, {inode} if inode is not None else set()))

    def _make_folder(self, original: Callable[..., None], path: Path, mode: int = 0o777) -> None:
        original(path, mode)
        inode = path.lstat().st_ino
        self._durable.setdefault(inode, {})
        self._changes.append(Change({_key(path): inode}, {inode}))

    def _remove_folder(self, original: Callable[..., None], path: Path, *, folder: int | None = None) -> None:
        if not path.is_dir() or any(path.iterdir()):
            original(path, folder=folder)  # raises what it raises
            return
        inode, key = path.lstat().st_ino, _key(path)
        # out of the way, but still there: its removal may be lost
        os.rename(path, f"{self._grave}/{inode}")
        self._changes.append(Change({key: None}, {inode}, emptied=inode))

    def _sync_file(self, original: Callable[..., None], descriptor: int) -> None:
        original(descriptor)
        self._solid.add(os.fstat(descriptor).st_ino)

    def _sync_folder(self, original: Callable[..., None], path: Path) -> None:
        original(path)
        folder = path.stat().st_ino
        for change in self._changes:
            if not change.doomed and folder in change.folders:
                change.synced.add(folder)
                # what a sync of the whole file system has saved stays saved
                change.durable = change.durable or change.synced == change.folders

    def _sync_filesystem(self, original: Callable[..., bool], path: Path) -> bool:
        done = original(path)
        if done:
            for change in self._changes:
                change.durable = change.durable or not change.doomed
            known = {key for change in self._changes for key in change.entries}
            for folder, folders, names in os.walk(self._root):
                self._solid.update(os.lstat(f"{folder}/{name}").st_ino for name in names)
                # what a host has staged meanwhile, past the seam, is durable as well
                inode = os.stat(folder).st_ino
                here = self._durable.setdefault(inode, {})
                for name in (*folders, *names):
                    if (inode, name) not in known:
                        here[name] = os.lstat(f"{folder}/{name}").st_ino
        return done

    def fail_sync(self, name: str, args: tuple[Any, ...]) -> None:
        """Note that a sync failed: a later one says that all is well, and what the first should have saved is gone."""
        if name == "sync_file":
            self._ruined.add(os.fstat(args[0]).st_ino)
            return
        folder = _plain(args[0]).stat().st_ino if name == "sync_folder" else None
        for change in self._changes:
            if not change.durable and (folder is None or folder in change.folders):
                change.doomed = True
        if folder is None:
            for inside, _, names in os.walk(self._root):
                inodes = {os.lstat(f"{inside}/{entry}").st_ino for entry in names}
                self._ruined.update(inodes - self._solid)

    def _see_databases(self) -> None:
        """Compare the entries of the database with those seen last: DuckDB makes and removes its log by itself."""
        found = self._list_databases()
        entries: dict[Key, int | None] = {key: found.get(key) for key in found.keys() | self._databases.keys()}
        changed = {key: inode for key, inode in entries.items() if self._databases.get(key) != inode}
        if changed:
            inodes = {inode for inode in changed.values() if inode is not None}
            inodes |= {self._databases[key] for key in changed if key in self._databases}
            self._changes.append(Change(changed, inodes))
        self._databases = found

    def _list_databases(self) -> dict[Key, int]:
        found = {}
        names = os.listdir(self._catalog) if os.path.isdir(self._catalog) else []
        paths = {f"{self._catalog}/{name}" for name in names if ".duckdb" in name}
        for opened in self._opened:
            paths |= {path for path in (opened, f"{opened}.wal") if os.path.exists(path)}
        for path in sorted(paths):
            inode = self._bury(path)
            if inode is not None:
                found[_key(path)] = inode
                self._solid.add(inode)
        return found

    def _bury(self, path: str | Path) -> int | None:
        """Keep a file's inode alive by another name of it."""
        try:
            seen = os.lstat(path)
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(seen.st_mode):
            return None
        with suppress(FileExistsError):
            os.link(path, f"{self._grave}/{seen.st_ino}", follow_symlinks=False)
        return seen.st_ino

    # --- the end ------------------------------------------------------------------------------------------------------

    def lose(self, seed: int) -> None:
        """Turn what is on disk now into what a power cut leaves; inodes stay what they are.

        Args:
            seed: 0 loses all that is not durable, 1 only contents; from 2 on a choice by this seed.
        """
        chance = random.Random(seed)
        entries = self._entries_left(seed, chance)
        os.mkdir(self._pool)
        strays = self._collect()
        placed: set[int] = set()
        self._place(self._root, os.stat(self._root).st_ino, entries, placed)
        for folder, name, inode in reversed(strays):
            # lock files, and what a host makes for itself, which nobody syncs
            if seed == 1 or (seed > 1 and chance.random() < 0.5):
                path = self._paths.get(folder)
                if path is not None and not os.path.lexists(f"{path}/{name}"):
                    self._place_one(f"{path}/{name}", inode, entries, placed)
        for inode in sorted(placed - self._solid | placed & self._ruined):
            self._damage(inode, seed, chance)

    def _entries_left(self, seed: int, chance: random.Random) -> dict[int, dict[str, int]]:
        count = len(self._changes)
        if seed == 0:
            kept = set()
        elif seed == 1:
            kept = {index for index in range(count) if not self._changes[index].doomed}
        elif seed % 2 == 0:
            kept = set(range(chance.randint(0, count)))
        else:
            kept = {index for index in range(count) if chance.random() < 0.5}
        durable = {index for index in range(count) if self._changes[index].durable}
        kept = self._with_dependencies(kept - durable, ancestors=True) | self._with_dependencies(
            durable, ancestors=False
        )
        entries = {folder: dict(names) for folder, names in self._durable.items()}
        for index in sorted(kept):
            for (folder, name), inode in self._changes[index].entries.items():
                entries.setdefault(folder, {}).pop(name, None)
                if inode is not None:
                    entries[folder][name] = inode
        return entries

    def _with_dependencies(self, chosen: set[int], *, ancestors: bool) -> set[int]:
        """Add what must have happened before: changes of the same entry, of the same thing, and of what it empties.

        With `ancestors` also those that made the folders it happened in: a file system does not lose the folder and
        keep what was moved there. For what was synced it is asked of the caller that the folder was synced too.
        """
        found = set(chosen)
        for index in range(len(self._changes) - 1, -1, -1):
            if index not in found:
                continue
            change = self._changes[index]
            for earlier in range(index):
                other = self._changes[earlier]
                if (
                    other.entries.keys() & change.entries.keys()
                    or other.inodes & change.inodes
                    or (change.emptied is not None and change.emptied in other.folders)
                    or (ancestors and other.inodes & change.folders)
                ):
                    found.add(earlier)
        return found

    def _collect(self) -> list[tuple[int, str, int]]:
        """Move everything to the pool under its inode; return what no change explains.

        Returns:
            (folder, name, inode), what is in a folder before that folder.
        """
        known = {inode for names in self._durable.values() for inode in names.values()}
        known |= {inode for change in self._changes for inode in change.entries.values() if inode is not None}
        strays = []
        collected: set[int] = set()
        for base in (self._root, self._grave):
            for folder, names, files in os.walk(base, topdown=False):
                here = os.stat(folder).st_ino
                for name in (*files, *names):
                    path = f"{folder}/{name}"
                    inode = os.lstat(path).st_ino
                    if inode not in known and base == self._root:
                        strays.append((here, name, inode))
                    if inode in collected:
                        os.unlink(path)
                    else:
                        os.rename(path, f"{self._pool}/{inode}")
                        collected.add(inode)
        return strays

    def _place(self, path: str, inode: int, entries: dict[int, dict[str, int]], placed: set[int]) -> None:
        self._paths[inode] = path
        for name, child in sorted(entries.get(inode, {}).items()):
            self._place_one(f"{path}/{name}", child, entries, placed)

    def _place_one(self, target: str, inode: int, entries: dict[int, dict[str, int]], placed: set[int]) -> None:
        waiting = f"{self._pool}/{inode}"
        try:
            is_folder = stat.S_ISDIR(os.lstat(waiting).st_mode)
        except FileNotFoundError:
            return
        placed.add(inode)
        if is_folder:
            os.rename(waiting, target)
            self._place(target, inode, entries, placed)
        else:
            # by a second name, since the same file may stand in two folders
            os.link(waiting, target)

    def _damage(self, inode: int, seed: int, chance: random.Random) -> None:
        """Lose the contents of a file that was not synced: nothing, half of it or zeros are left, seldom all."""
        path = Path(self._pool, str(inode))
        if not path.is_file() or path.is_symlink():
            return
        size = path.stat().st_size
        how = {0: "nothing", 1: "zeros"}.get(seed) or chance.choice(("nothing", "half", "zeros", "all"))
        if inode in self._ruined and how == "all":
            how = "zeros"
        if how == "nothing":
            os.truncate(path, 0)
        elif how == "half":
            os.truncate(path, size // 2)
        elif how == "zeros":
            path.write_bytes(bytes(size))


def _plain(value: Any) -> Any:
    """Return a path of a store as one that the model may look at."""
    return Path(str(value)) if isinstance(value, StorePath) else value


def _key(path: str | Path) -> Key:
    folder, name = os.path.split(path)
    return os.stat(folder).st_ino, name

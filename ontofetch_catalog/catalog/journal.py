"""The intents: what an open boundary is about to move, how it is published, undone, finished and recovered.

It knows paths, inodes and one question to the database (did this boundary commit?), and nothing of what is moved.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from ontofetch_hookspecs.json_documents import check_values
from ontofetch_hookspecs.layout import CATALOG, INTENTS, QUARANTINE, STAGING
from ontofetch_hookspecs.names import check_size, quote
from ontofetch_hookspecs.stages import OWN_NAMES, holding, is_abandoned
from ontofetch_hookspecs.store_paths import MAX_DOCUMENT, StorePath

from ..errors import EventError, PreconditionFailed, RecoveryFailed
from . import fsops
from .connection import Store
from .failures import explaining
from .repo import events

if TYPE_CHECKING:
    import duckdb

FORMAT = 1
UNREADABLE = ".unreadable"
_log = logging.getLogger("ontofetch.catalog.journal")


@dataclass(frozen=True, slots=True)
class Move:
    """One rename, root-relative, with the inode of what moves and its size in bytes (None for a folder)."""

    source: str
    target: str
    inode: int
    size: int | None


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
        self._gone: set[str] = set()

    def publish(self, source: str, target: str) -> None:
        """Rename `source` to `target`; what is in the way there is quarantined."""
        self.displace(target, keep=True)
        self._move(source, target)

    def write(self, target: str, chunks: Iterable[bytes | memoryview]) -> tuple[str, int]:
        """Write a new file now, to be published as `target`; return its sha256 and size in bytes.

        What it replaces is a document that the catalog itself wrote, so it is dropped once the boundary is done.
        """
        prepared = f"{self.folder}/new-{len(self.intent.moves)}-{os.path.basename(target).lstrip('.')}"
        fsops.make_folders(self.store.path(self.folder))
        found = fsops.write_new(self.store.path(prepared), chunks)
        self.displace(target, keep=False)
        self._move(prepared, target)
        return found

    def move(self, source: str, target: str) -> None:
        """Rename `source` to `target`, where nothing is; what is in a folder goes along."""
        self.move_from(source, source, target)

    def move_from(self, lies_at: str, source: str, target: str) -> None:
        """Rename what lies at a path now, and at `source` when its turn comes, to `target`."""
        found = self.store.path(lies_at).lstat()
        size = None if stat.S_ISDIR(found.st_mode) else found.st_size
        self._plan_folders(os.path.dirname(target))
        self.intent.moves.append(Move(source, target, found.st_ino, size))
        self._gone.add(source)
        if size is None:
            self._folders.add(target)

    def displace(self, target: str, *, keep: bool) -> None:
        """Move what is at `target`, if anything is, into quarantine, or aside until the boundary is done."""
        if self._is_gone(target) or not self.store.path(target).exists():
            return
        aside = QUARANTINE + "/" + self.intent.boundary_id if keep else self.folder + "/old"
        self._move(target, f"{aside}/{target}")
        self._gone.add(target)

    def retire_stage(self, relpath: str) -> None:
        """Remember a stage folder that is empty of bytes once this boundary is done."""
        if relpath not in self.intent.stages:
            self.intent.stages.append(relpath)

    def _move(self, source: str, target: str) -> None:
        found = self.store.path(source).lstat()
        size = None if stat.S_ISDIR(found.st_mode) else found.st_size
        self._plan_folders(os.path.dirname(target))
        self.intent.moves.append(Move(source, target, found.st_ino, size))

    def will_be_folder(self, path: str) -> bool:
        """Say whether a folder will be at `path`, or is planned to be made there."""
        return path in self._folders or self.is_folder(path)

    def is_folder(self, path: str) -> bool:
        """Say whether a folder will be at `path` when the moves collected so far are done."""
        return self.store.path(path).is_dir() and not self._is_gone(path)

    def _is_gone(self, path: str) -> bool:
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


def write_intent(store: Store, intent: Intent) -> None:
    """Make the intent durable: temp, fsync, rename, fsync folder; and the folder of new documents with it."""
    fsops.make_folders(store.intents)
    prepared = store.intents / intent.boundary_id
    if prepared.is_dir():
        fsops.sync_folder(prepared)
    data = json.dumps({"format": FORMAT, **asdict(intent)}).encode()
    _check_readable(intent, data)
    fsops.write_file(_intent_path(store, intent.boundary_id), data)


def _check_readable(intent: Intent, data: bytes) -> None:
    """Check that recovery will be able to read an intent.

    Raises:
        PreconditionFailed: It is too large.
    """
    try:
        check_values(data)
        if len(data) <= MAX_DOCUMENT:
            return
    except ValueError:
        # said below, with what to do
        pass
    raise PreconditionFailed(
        f"{len(intent.moves):,} files would have to be moved one by one, more than one boundary can take back.",
        subject=intent.boundary_id,
        hint="Nothing was changed. Leave some out with --include, or record them under another --version.",
    )


def publish(store: Store, intent: Intent) -> None:
    """Make the folders, carry out the moves in order, and make every touched folder durable."""
    for folder in intent.folders:
        with suppress(FileExistsError):
            fsops.make_folder(store.path(folder))
    for move in intent.moves:
        fsops.rename(store.path(move.source), store.path(move.target))
    _sync_touched(store, intent)


def is_published(store: Store, intent: Intent) -> bool:
    """Say whether every move of an intent is done: the disk is as it is after the boundary. Never writes."""
    # what is displaced gives way to what is published: its place is taken again
    taken = {move.target for move in intent.moves}
    return all(
        _is_moved(move, store.path(move.target)) and (move.source in taken or not store.path(move.source).exists())
        for move in intent.moves
    )


def undo(store: Store, intent: Intent) -> None:
    """Take back, in reverse order, whatever of the intent was done; may run again.

    A move counts as done only if its source is gone and its target is what the intent names.

    Raises:
        RecoveryFailed: Something else lies where the intent's bytes should be.
        OSError: The disk refuses.
    """
    for move in reversed(intent.moves):
        source, target = store.path(move.source), store.path(move.target)
        if source.exists():
            continue
        if not _is_moved(move, target):
            raise RecoveryFailed(
                f"The open boundary {intent.boundary_id} can't be undone: neither {move.source!r} nor {move.target!r} "
                "holds what it moved.",
                subject=intent.boundary_id,
                hint="`ontofetch db doctor` shows what is where.",
            )
        fsops.make_folders(source.parent)
        fsops.rename(target, source)
    _sync_touched(store, intent)
    for folder in reversed(intent.folders):
        _remove_if_empty(store.path(folder))
    for parent in sorted({os.path.dirname(folder) for folder in intent.folders}):
        if store.path(parent).is_dir():
            fsops.sync_folder(store.path(parent))


def forget(store: Store, intent: Intent, *, committed: bool) -> None:
    """Remove what an ended boundary no longer needs: emptied stages and series, the intent, its own folder.

    The intent goes before the folder: as long as it is there, an undo may need what is in the folder. May run again.
    """
    if committed:
        for stage in intent.stages:
            _retire(store.path(stage))
        _remove_left(store, intent)
    with suppress(FileNotFoundError):
        fsops.unlink(_intent_path(store, intent.boundary_id))
        fsops.sync_folder(store.intents)
    fsops.remove_tree(store.intents / intent.boundary_id)


@dataclass(frozen=True, slots=True)
class Recovered:
    """One boundary that recovery has ended: its event if it had committed, None if it was undone."""

    boundary_id: str
    event: events.EventRow | None


def open_intents(store: Store) -> list[StorePath]:
    """Return the files of the open boundaries, sorted; empty where nothing is open. Never writes."""
    return store.open_intents


def recover(store: Store, connection: duckdb.DuckDBPyConnection) -> list[Recovered]:
    """End every boundary that a dead process left open; the caller writes alone and has the database open.

    Raises:
        RecoveryFailed: One can be neither finished nor undone; its intent stays.
    """
    ended = []
    for path in open_intents(store):
        intent = read_intent(path)
        if intent is None:
            set_aside(path)
            continue
        event = events.find_boundary(connection, intent.boundary_id)
        with explaining(
            f"The open boundary {intent.boundary_id} can't be ended{store.purpose}",
            database=store.database,
            kind=RecoveryFailed,
            subject=intent.boundary_id,
            state="The next command that writes, or `ontofetch db recover`, ends it.",
        ):
            if event is None:
                undo(store, intent)
            forget(store, intent, committed=event is not None)
        ended.append(Recovered(intent.boundary_id, event))
    sweep(store)
    return ended


def set_aside(path: StorePath) -> None:
    """Rename an intent that can't be read, so that recovery goes on; doctor reports it."""
    aside = path.with_name(path.name.removesuffix(".json") + UNREADABLE)
    if path.is_dir():
        # a folder can't take the place of a former one that is not empty
        fsops.remove_tree(aside)
    fsops.rename(path, aside)
    fsops.sync_folder(path.parent)
    _log.error("an intent was unreadable and is set aside as %s; `ontofetch db doctor` looks further", aside.name)


def read_intent(path: StorePath) -> Intent | None:
    """Return what an intent's file says; None if it is unreadable or says what no boundary wrote."""
    try:
        found = path.read_json()
        if not isinstance(found, dict) or found.pop("format") != FORMAT:
            return None
        intent = Intent(**{**found, "moves": [Move(**move) for move in found["moves"]]})
        _check_intent(intent, path)
    except (OSError, ValueError, KeyError, TypeError, EventError):
        return None
    return intent


def _check_intent(intent: Intent, path: StorePath) -> None:
    """Check what an intent says as strictly as what arrives: it may be somebody else's.

    Raises:
        EventError: A path leads out of the store, a stage is none, or a number is none.
    """
    if intent.boundary_id != path.name.removesuffix(".json"):
        raise EventError("The intent is of another boundary.", subject=path.name)
    for named in named_paths(intent):
        # a file that nobody recorded may have any name that a disk allows, so only the way is checked
        if not isinstance(named, str) or not named:
            raise EventError("An intent names no path.", subject=path.name)
        StorePath(path.root, named)
    for stage in intent.stages:
        if os.path.dirname(stage) != STAGING:
            raise EventError(f"An intent retires {quote(stage)}, which is no stage.", subject=path.name)
    for move in intent.moves:
        check_size("inode", move.inode)
        if move.size is not None:
            check_size("size", move.size)


def named_paths(intent: Intent) -> Iterator[str]:
    """Yield every path below the root that an intent names."""
    yield from intent.folders
    yield from intent.stages
    for move in intent.moves:
        yield move.source
        yield move.target


def _intent_path(store: Store, boundary_id: str) -> StorePath:
    return store.intents / f"{boundary_id}.json"


def _is_moved(move: Move, target: StorePath) -> bool:
    try:
        found = target.lstat()
    except OSError:
        return False
    size = None if stat.S_ISDIR(found.st_mode) else found.st_size
    return found.st_ino == move.inode and size == move.size


def _sync_touched(store: Store, intent: Intent) -> None:
    touched = {os.path.dirname(path) for move in intent.moves for path in (move.source, move.target)}
    touched |= {os.path.dirname(folder) for folder in intent.folders}
    for folder in sorted(touched):
        if store.path(folder).is_dir():
            fsops.sync_folder(store.path(folder))


def _remove_if_empty(path: StorePath) -> None:
    try:
        fsops.remove_folder(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def _remove_left(store: Store, intent: Intent) -> None:
    """Remove the series and the services of which the last folder of a release was moved away."""
    left = {os.path.dirname(move.source) for move in intent.moves if move.size is None}
    for folder in sorted(left):
        if folder and not folder.startswith(f"{CATALOG}/"):
            for path in path_and_above(folder):
                if not store.path(path).is_dir() or store.path(path).entries():
                    break
                _remove_if_empty(store.path(path))
                # else a loss of power would bring it back when nothing is left that knows of it
                fsops.sync_folder(store.path(path).parent)


def _retire(stage: StorePath) -> None:
    """Remove a stage's record and its empty folders; bytes that nobody published stay, and the record with them."""
    if not stage.is_dir():
        return
    for name, kind in stage.entries():
        if kind == stat.S_IFDIR:
            _remove_empty_folders(stage / name)
    left = stage.entries()
    if {name for name, _ in left} - OWN_NAMES or any(kind == stat.S_IFDIR for _, kind in left):
        return
    for name, _ in left:
        fsops.unlink(stage / name)
    _remove_if_empty(stage)
    fsops.sync_folder(stage.parent)


def _remove_empty_folders(folder: StorePath) -> None:
    """Remove the folders below one that are empty, and it with them; the deepest go first."""
    for name, kind in folder.entries():
        if kind == stat.S_IFDIR:
            _remove_empty_folders(folder / name)
    _remove_if_empty(folder)


def sweep(store: Store) -> None:
    """Remove what a boundary wrote for itself before it had an intent; nobody else is writing now."""
    for name, kind in store.intents.entries():
        path = store.intents / name
        if name.endswith(UNREADABLE):
            continue
        if kind == stat.S_IFDIR and not _intent_path(store, name).exists():
            fsops.remove_tree(path)
        elif name.startswith("."):
            fsops.unlink(path)


def sweep_stages(store: Store) -> None:
    """Remove the stages in which a host that died had no byte; called by who has just written, and writes alone."""
    for name, kind in store.path(STAGING).entries():
        stage = store.path(STAGING) / name
        if kind == stat.S_IFDIR and is_abandoned(stage):
            with holding(stage) as held:
                if held and is_abandoned(stage):
                    _retire(stage)

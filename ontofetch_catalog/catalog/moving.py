"""How the moves of an intent are carried out, how they are taken back, and what goes once a boundary has ended.

Each may be cut off and run again; whether the boundary has committed is for the caller to know.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from ontofetch_hookspecs.layout import CATALOG
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.stage_records import OWN_NAMES
from ontofetch_hookspecs.store_paths import StorePath

from ..errors import RecoveryFailed
from . import fsops
from .connection import Store
from .fsops import whole
from .intents import intent_path, write_intent
from .journal import Intent, IntentDraft, Move, path_and_above
from .kept_folders import KeptFolders

FEW_FOLDERS = 64  # are made durable one by one: the whole file system may have much else to write
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
Folders = Sequence[tuple[int, Move]]  # the moves of folders, with the number that each has among all moves


def publish(store: Store, intent: Intent) -> None:
    """Make the folders, carry out the moves in order, and make every touched folder durable."""
    for folder in intent.folders:
        with suppress(FileExistsError):
            fsops.make_folder(store.path(folder))
    with closing(KeptFolders(store.path(""))) as sources, closing(KeptFolders(store.path(""))) as targets:
        for move in intent.moves:
            former, source = sources.entry(move.source)
            latter, target = targets.entry(move.target)
            fsops.rename(source, target, from_folder=former, to_folder=latter)
            if move.size is None:
                # what is open may have moved, or lie below what has
                sources.close()
                targets.close()
    _sync_touched(store, intent, _after)


def is_published(store: Store, intent: Intent) -> bool:
    """Say whether every move of an intent is done: the disk is as it is after the boundary. Never writes."""
    # what is displaced gives way to what is published: its place is taken again
    taken = {move.target for move in intent.moves}
    return all(
        move.is_at(store.path(move.target)) and (move.source in taken or not store.path(move.source).exists())
        for move in intent.moves
    )


def undo(store: Store, intent: Intent) -> None:
    """Take back, in reverse order, whatever of the intent was done; may run again.

    A move counts as done only if its source is gone and its target is what the intent names. A loss of power may keep
    what was moved into a folder and not that the folder itself had moved, or had moved back: it is looked for there.

    Raises:
        RecoveryFailed: Something else lies where the intent's bytes should be.
        OSError: The disk refuses.
    """
    folders = _folders_of(intent)
    for number, move in reversed(list(enumerate(intent.moves))):
        source, target = store.path(move.source), store.path(move.target)
        if source.exists():
            continue
        if not move.is_at(target):
            target = store.path(_before(folders, number, move.target))
        if not move.is_at(target):
            raise RecoveryFailed(
                f"The open boundary {intent.boundary_id} can't be undone: neither {quote(move.source)} nor"
                f" {quote(move.target)} holds what it moved.",
                subject=intent.boundary_id,
                hint="`ontofetch db doctor` shows what is where.",
            )
        whole.make_folders(source.parent)
        fsops.rename(target, source)
    _sync_touched(store, intent, _before)
    for folder in reversed(intent.folders):
        _remove_if_empty(store.path(folder))
    for parent in sorted({os.path.dirname(folder) for folder in intent.folders}):
        if store.path(parent).is_dir():
            fsops.sync_folder(store.path(parent))


@contextmanager
def carrying_out(draft: IntentDraft) -> Iterator[None]:
    """Carry out, at the end of a `with`, the moves drafted in it, which are recorded nowhere: all of them, or none.

    Raises:
        RecoveryFailed, OSError: As `undo` does.
    """
    store, intent = draft.store, draft.intent
    try:
        yield
        if intent.moves:
            write_intent(store, intent)
            publish(store, intent)
    except BaseException:
        undo(store, intent)
        forget(store, intent, committed=False)
        raise
    forget(store, intent, committed=True)


def forget(store: Store, intent: Intent, *, committed: bool) -> None:
    """Remove what an ended boundary no longer needs: emptied stages and series, the intent, its own folder.

    The intent goes before the folder: as long as it is there, an undo may need what is in the folder. May run again.
    """
    if committed:
        for stage in intent.stages:
            retire(store.path(stage))
        _remove_left(store, intent)
    with suppress(FileNotFoundError):
        fsops.unlink(intent_path(store, intent.boundary_id))
        fsops.sync_folder(store.intents)
    whole.remove_tree(store.intents / intent.boundary_id)


def _before(folders: Folders, number: int, path: str) -> str:
    """Return where a path of a move is before the folders around it have moved, or once they have moved back."""
    for earlier, move in reversed(folders):
        if earlier < number and path.startswith(f"{move.target}/"):
            path = move.source + path[len(move.target) :]
    return path


def _after(folders: Folders, number: int, path: str) -> str:
    """Return where a path of a move is once the folders around it have moved."""
    for later, move in folders:
        if later > number and path.startswith(f"{move.source}/"):
            path = move.target + path[len(move.source) :]
    return path


def _folders_of(intent: Intent) -> Folders:
    return [(number, move) for number, move in enumerate(intent.moves) if move.size is None]


def _sync_touched(store: Store, intent: Intent, now: Callable[[Folders, int, str], str]) -> None:
    """Make every folder durable that something was moved into or out of, where it is `now`, and what was made."""
    touched = {os.path.dirname(folder) for folder in intent.folders}
    if folders := _folders_of(intent):
        for number, move in enumerate(intent.moves):
            touched |= {os.path.dirname(now(folders, number, path)) for path in (move.source, move.target)}
    else:
        # very many files may move, and no folder around them
        touched |= {move.source.rpartition("/")[0] for move in intent.moves}
        touched |= {move.target.rpartition("/")[0] for move in intent.moves}
    if len(touched) > FEW_FOLDERS and fsops.sync_filesystem(store.path("")):
        return
    for folder in sorted(touched):
        try:
            fsops.sync_folder(store.path(folder))
        except OSError as error:
            # it moved itself, or is gone by now
            if error.errno not in _GONE:
                raise


def _remove_left(store: Store, intent: Intent) -> None:
    """Remove the series and the services of which the last folder of a release was moved away."""
    left = {os.path.dirname(move.source) for move in intent.moves if move.size is None}
    for folder in sorted(left):
        if folder and not folder.startswith(f"{CATALOG}/"):
            for path in path_and_above(folder):
                if store.path(path).is_dir():
                    if store.path(path).entries():
                        break
                    _remove_if_empty(store.path(path))
                # else a loss of power would bring it back when nothing is left that knows of it; it may have been
                # removed by a process that died before this, and the folder around it with it
                if store.path(path).parent.is_dir():
                    fsops.sync_folder(store.path(path).parent)


def retire(stage: StorePath) -> None:
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


def _remove_if_empty(path: StorePath) -> None:
    try:
        fsops.remove_folder(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
